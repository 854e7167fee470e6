"""What a run of the pipeline made: `PipelineResult`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from nser_pmt import _native
from nser_pmt._tables import sink
from nser_pmt.linkage.verification import Verified
from nser_pmt.pipeline._config import Pipeline
from nser_pmt.pipeline._decisions import Decided
from nser_pmt.pipeline._duplicates import Duplicates
from nser_pmt.pipeline._writing import RECORD, replacing_folder
from nser_pmt.scoring.model import Model
from nser_pmt.targeting.targeting import Targeting

__all__ = ["PipelineResult"]


@dataclass(frozen=True, kw_only=True, repr=False)
class PipelineResult:
    """What `run_pipeline` made. A step that was left out is None.

    Attributes
    ----------
    config
        What was asked for.
    model
        The model of the scores.
    inputs
        By table: name of the file, its SHA-256, rows.
    verified
        Of `nser_pmt.verify`: who was verified, with the verdicts.
    duplicates
        Persons and households that are registered twice.
    scored
        The households that are kept, with their scores.
    decisions
        By programme: ``frame`` (one row a household or member) and ``programme``.
    payments
        One row for each eligible household and programme, identities masked; ``held`` says why it
        is not paid yet, and is null for what is paid.
    targeting
        Errors of the score.
    decision_errors
        Errors of each programme's decisions: ``line``, ``headcount`` (share of the poor),
        ``coverage``, ``ier``, ``eer``, ``cgh``; see `nser_pmt.targeting.targeting`.
    counts
        What became of the rows: ``step``, ``what``, ``rows``.
    """

    config: Pipeline
    model: Model
    inputs: Mapping[str, tuple[str | None, str | None, int]]
    verified: Verified | None
    duplicates: Duplicates | None
    scored: pl.DataFrame
    decisions: Mapping[str, Decided]
    payments: pl.DataFrame
    targeting: Targeting | None
    decision_errors: pl.DataFrame | None
    counts: pl.DataFrame

    def report(self) -> str:
        """Return the report: one HTML page that loads nothing."""
        from nser_pmt.pipeline._report import report

        return report(self)

    def record(self) -> dict[str, Any]:
        """Return what says how this was made, as in ``run.json``; no time of day is in it."""
        return {
            "nser_pmt": _native.__version__,
            "config_sha256": self.config.digest,
            "on": self.config.on.isoformat(),
            "inputs": {
                name: {"file": file, "sha256": digest, "rows": rows}
                for name, (file, digest, rows) in self.inputs.items()
            },
            "model": {"id": self.model.id, "sha256": self.model.digest},
            "programmes": [
                {
                    "name": name,
                    "id": d.programme.id,
                    "sha256": d.programme.digest,
                    "version": d.programme.version(self.config.on).id,
                }
                for name, d in self.decisions.items()
            ],
            "left_out": [
                step
                for step in ("verify", "duplicates", "programmes", "targeting")
                if not getattr(self.config, step)
            ],
            "counts": self.counts.to_dicts(),
        }

    def write(self, folder: str | Path) -> None:
        """Write all tables, the report and ``run.json`` to a folder, all or nothing.

        An earlier run there is replaced.

        Raises
        ------
        DomainError
            The folder holds other files than those of a run (code ``output_exists``).
        OSError
            It cannot be written.
        """
        provenance = {
            "nser_pmt.version": _native.__version__,
            "nser_pmt.scoring.model": self.model.id,
            "nser_pmt.model_sha256": self.model.digest,
            "nser_pmt.config_sha256": self.config.digest,
        }
        with replacing_folder(Path(folder)) as new:
            for name, frame in self.tables().items():
                sink(frame.lazy(), new / f"{name}.parquet", provenance)
            if self.decisions:
                sink(self.payments.lazy(), new / "payments.csv", {})
            (new / "report.html").write_text(self.report(), encoding="utf-8")
            text = json.dumps(self.record(), ensure_ascii=False, indent=1)
            (new / RECORD).write_text(text + "\n", encoding="utf-8")

    def tables(self) -> dict[str, pl.DataFrame]:
        """Return the tables that are written, by name."""
        tables: dict[str, pl.DataFrame] = {}
        if self.verified is not None:
            tables["verified"] = self.verified.frame
        if self.duplicates is not None:
            tables["duplicates"] = self.duplicates.households
            tables["duplicate-persons"] = self.duplicates.persons
        tables["scored"] = self.scored
        for name, decided in self.decisions.items():
            tables[f"decisions-{name}"] = decided.frame
        if self.decisions:
            tables["payments"] = self.payments
        return tables

    def __repr__(self) -> str:
        lines = [f"PipelineResult: {self.config.title}, on {self.config.on}"]
        width = max(len(what) for what in self.counts.get_column("what"))
        last = ""
        for step, what, rows in self.counts.iter_rows():
            lines.append(f"  {'' if step == last else step:<16}{what:<{width}}  {rows:>14,}")
            last = step
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"
