"""Weights that hit known totals."""
