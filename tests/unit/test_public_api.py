"""The public face: exported names, and that what is exported is documented."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import nser_pmt as nser
from nser_pmt import errors, synth

EXPORTED = [
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


def test_exported_names() -> None:
    assert nser.__all__ == EXPORTED
    assert synth.__all__ == sorted(synth.__all__)


@pytest.mark.parametrize("name", EXPORTED)
def test_everything_exported_is_documented(name: str) -> None:
    thing = getattr(nser, name)
    assert inspect.getdoc(thing)
    if inspect.isfunction(thing):
        text = inspect.getdoc(thing) or ""
        for section in ("Returns", "Examples"):
            assert section in text, f"{name} has no section {section}"


def test_every_error_is_one_of_ours_and_has_a_builtin_kin() -> None:
    for name in set(errors.__all__) - {"NserWarning"}:
        error = getattr(errors, name)
        assert issubclass(error, errors.NserError)
    assert issubclass(errors.NserWarning, UserWarning)
    shown = errors.SchemaError("no", code="wrong_column", column="x", row=3, hint="Try y")
    assert (shown.code, shown.column, shown.row, str(shown)) == (
        "wrong_column",
        "x",
        3,
        "no. Try y",
    )
    assert isinstance(shown, ValueError)


def test_plots_and_progress_are_not_imported() -> None:
    code = (
        "import sys, nser_pmt\n"
        "heavy = {'altair', 'duckdb', 'numpy', 'pandas', 'pyarrow', 'scipy', 'tqdm'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
