"""General string similarity."""

from nser_pmt._top_k import Dictionary, top_k

__all__ = ["Dictionary", "top_k"]
