"""Proxy means tests, identity and linkage for a national socio-economic registry.

Functions on Polars frames; models are data. Start with `load_model` and `score`.
"""

from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from nser_pmt import _native, blocking, cnic, compare, golden, names, similarity, terms
from nser_pmt.calibration.calibration import Calibrated, calibrate, totals_template
from nser_pmt.control import RunControl
from nser_pmt.errors import (
    CancelledError,
    ConvergenceError,
    DomainError,
    InternalError,
    ModelError,
    NserError,
    NserWarning,
    RegistryError,
    SchemaError,
)
from nser_pmt.estimation.fitting import CrossValidation, Fit, fit
from nser_pmt.estimation.likelihood_tables import LikelihoodTable, likelihood_table
from nser_pmt.estimation.model_spec import ModelSpec
from nser_pmt.estimation.scorecard import Scorecard, to_scorecard
from nser_pmt.estimation.survey import survey_mean, survey_quantile, survey_ratio, survey_total
from nser_pmt.golden import representative
from nser_pmt.linkage.clustering import Clusters, assign, cluster
from nser_pmt.linkage.learning import Learned, learn
from nser_pmt.linkage.link_quality import LinkQuality, evaluate_links
from nser_pmt.linkage.link_spec import LinkSpec, load_link_spec
from nser_pmt.linkage.linkage import Linkage
from nser_pmt.linkage.linking import count_pairs, explain_pairs, link
from nser_pmt.linkage.person_index import PersonIndex, PersonMatch
from nser_pmt.linkage.proposal import Proposal, propose_spec
from nser_pmt.linkage.verification import Verified, VerifyRules, verify
from nser_pmt.pipeline import Pipeline, PipelineResult, load_pipeline, run_pipeline
from nser_pmt.programmes.deciding import decide, recipients, roll_up
from nser_pmt.programmes.decision_explained import DecisionExplained, explain_decision
from nser_pmt.programmes.programme import Programme, list_programmes, load_programme
from nser_pmt.registry.shock_response import Shock, shock
from nser_pmt.registry.source_comparison import SourceComparison, compare_sources
from nser_pmt.registry.status import ProgrammeStatus, Status, StatusIndex
from nser_pmt.registry.updates import Registry, RegistryState, UpdateReport, Why
from nser_pmt.scenario.scenario import CoverageCurve, Scenario, ScenarioChange
from nser_pmt.scoring.diagnosis import diagnose
from nser_pmt.scoring.lint import Finding
from nser_pmt.scoring.model import Model, list_models, load_model
from nser_pmt.scoring.scoring import explain, likelihood, score
from nser_pmt.targeting.model_comparison import ModelComparison, compare_models
from nser_pmt.targeting.model_decay import Decay, decay
from nser_pmt.targeting.targeting import Targeting, targeting

__version__ = _native.__version__

__all__ = [
    "Calibrated",
    "CancelledError",
    "Clusters",
    "ConvergenceError",
    "CoverageCurve",
    "CrossValidation",
    "Decay",
    "DecisionExplained",
    "DomainError",
    "Finding",
    "Fit",
    "InternalError",
    "Learned",
    "LikelihoodTable",
    "LinkQuality",
    "LinkSpec",
    "Linkage",
    "Model",
    "ModelComparison",
    "ModelError",
    "ModelSpec",
    "NserError",
    "NserWarning",
    "PersonIndex",
    "PersonMatch",
    "Pipeline",
    "PipelineResult",
    "Programme",
    "ProgrammeStatus",
    "Proposal",
    "Registry",
    "RegistryError",
    "RegistryState",
    "RunControl",
    "Scenario",
    "ScenarioChange",
    "SchemaError",
    "Scorecard",
    "Shock",
    "SourceComparison",
    "Status",
    "StatusIndex",
    "Targeting",
    "UpdateReport",
    "Verified",
    "VerifyRules",
    "Why",
    "assign",
    "blocking",
    "calibrate",
    "cluster",
    "cnic",
    "compare",
    "compare_models",
    "compare_sources",
    "count_pairs",
    "decay",
    "decide",
    "diagnose",
    "evaluate_links",
    "explain",
    "explain_decision",
    "explain_pairs",
    "fit",
    "golden",
    "learn",
    "likelihood",
    "likelihood_table",
    "link",
    "list_models",
    "list_programmes",
    "load_link_spec",
    "load_model",
    "load_pipeline",
    "load_programme",
    "names",
    "propose_spec",
    "recipients",
    "representative",
    "roll_up",
    "run_pipeline",
    "score",
    "shock",
    "similarity",
    "survey_mean",
    "survey_quantile",
    "survey_ratio",
    "survey_total",
    "synth",
    "targeting",
    "terms",
    "to_scorecard",
    "totals_template",
    "verify",
]

if _TYPE_CHECKING:
    from nser_pmt import plots as plots
    from nser_pmt import synth


def __getattr__(name: str) -> _Any:
    """Import what is heavy when it is asked for: NumPy starts threads, charts need an extra."""
    if name in ("plots", "synth"):
        import importlib

        return importlib.import_module(f"nser_pmt.{name}")
    raise AttributeError(f"module 'nser_pmt' has no attribute '{name}'")


if _native.debug_build():
    import warnings as _warnings

    _warnings.warn("nser_pmt is a debug build: slow. Build with --release", stacklevel=2)
