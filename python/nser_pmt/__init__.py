"""Proxy means tests, identity and linkage for a national socio-economic registry.

Functions on Polars frames; models are data. Start with `load_model` and `score`.
"""

from nser_pmt import _native, synth
from nser_pmt.control import RunControl
from nser_pmt.diagnosis import diagnose
from nser_pmt.errors import (
    CancelledError,
    ConvergenceError,
    DomainError,
    InternalError,
    ModelError,
    NserError,
    SchemaError,
)
from nser_pmt.lint import Finding
from nser_pmt.model import Model, list_models, load_model
from nser_pmt.scoring import explain, likelihood, score

__version__ = _native.__version__

__all__ = [
    "CancelledError",
    "ConvergenceError",
    "DomainError",
    "Finding",
    "InternalError",
    "Model",
    "ModelError",
    "NserError",
    "RunControl",
    "SchemaError",
    "diagnose",
    "explain",
    "likelihood",
    "list_models",
    "load_model",
    "score",
    "synth",
]

if _native.debug_build():
    import warnings as _warnings

    _warnings.warn("nser_pmt is a debug build: slow. Build with --release", stacklevel=2)
