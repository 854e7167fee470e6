"""Formulas from surveys."""
