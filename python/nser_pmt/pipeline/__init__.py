"""One run from survey forms to a payment list.

`run_pipeline` verifies persons against a file of citizens, finds households that are registered
twice, scores the others, decides for each programme, lists what is paid to whom with identities
masked, and measures errors where the truth is known. `load_pipeline` reads what to do from a TOML
file; ``nser-pmt run`` does both and writes the tables with a report.
"""

from nser_pmt.pipeline._config import (
    DuplicatesStep,
    Pipeline,
    ProgrammeStep,
    ScoreStep,
    Source,
    TargetingStep,
    VerifyStep,
    load_pipeline,
)
from nser_pmt.pipeline._progress import Step
from nser_pmt.pipeline._result import PipelineResult
from nser_pmt.pipeline._run import run_pipeline

__all__ = [
    "DuplicatesStep",
    "Pipeline",
    "PipelineResult",
    "ProgrammeStep",
    "ScoreStep",
    "Source",
    "Step",
    "TargetingStep",
    "VerifyStep",
    "load_pipeline",
    "run_pipeline",
]
