"""From survey forms to a payment list: `run_pipeline`."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.linkage.verification import Verified
from nser_pmt.pipeline._checks import check_persons, chosen_persons, confirmed
from nser_pmt.pipeline._config import Pipeline, load_pipeline
from nser_pmt.pipeline._counts import counts
from nser_pmt.pipeline._decisions import (
    Decided,
    decide_programme,
    due,
    load_programmes,
    may_receive,
    reached,
)
from nser_pmt.pipeline._duplicates import Duplicates, find_duplicates
from nser_pmt.pipeline._inputs import Frame, read_inputs
from nser_pmt.pipeline._payments import PAYMENTS, choose_recipients, pay
from nser_pmt.pipeline._progress import Progress, Reporter
from nser_pmt.pipeline._result import PipelineResult
from nser_pmt.pipeline._targeting import errors_of_decisions, errors_of_score, with_truth
from nser_pmt.scoring.model import load_model
from nser_pmt.scoring.scoring import score

__all__ = ["run_pipeline"]


def run_pipeline(
    pipeline: Pipeline | str | Path,
    *,
    households: Frame | None = None,
    people: Frame | None = None,
    citizens: Frame | None = None,
    truth: Frame | None = None,
    progress: Progress | None = None,
    control: RunControl | None = None,
) -> PipelineResult:
    """Verify, deduplicate, score, decide, list payments and measure errors, as a file says.

    Parameters
    ----------
    pipeline
        Of `load_pipeline`, or the path of its file.
    households, people, citizens, truth
        Frames to take instead of the files, with the columns that the files would have.
    progress
        Called with a `Step` when a step begins and when it ends.
    control
        Threads, and a way to stop the run; see `RunControl`.

    Returns
    -------
    PipelineResult
        Every table; ``.write(folder)`` writes them with the report. Nothing is written before.

    Raises
    ------
    ModelError
        The pipeline, the model, a programme or a plan is not right; the place is named.
    SchemaError
        A table has not the columns it should have; table, column and row are named.
    DomainError
        An answer that the model says is an error, or a day that a programme has no rules for.

    Notes
    -----
    Everything is held in memory: about 5 GB for a million households, their members and as many
    citizens; columns that no step reads are not. The order of steps:
    citizens first, as a verdict is of a record; then duplicates, so that a household is scored and
    decided once; then scores, decisions, payments, errors. The same tables and file give the same
    result, to the last bit, for any number of threads.

    Examples
    --------
    >>> import datetime, nser_pmt as nser
    >>> from nser_pmt.pipeline import Pipeline, ScoreStep, Source, TargetingStep
    >>> asked = Pipeline(
    ...     on=datetime.date(2024, 6, 1),
    ...     households=Source(),
    ...     score=ScoreStep(model="schreiner-pk-2009"),
    ...     targeting=TargetingStep(welfare="consumption_pc", size="hhsize"),
    ... )
    >>> made = nser.run_pipeline(asked, households=nser.synth.households(1000, seed=1))
    >>> made
    PipelineResult: From survey form to payment list, on 2024-06-01
      forms           households           1,000
      scores          ok                   1,000
    """
    config = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
    control = control or RunControl()
    tell = Reporter(progress)
    model = load_model(config.named(config.score.model))
    programmes = load_programmes(config, model)

    with tell.step("read", "tables") as say:
        given = {
            "households": households,
            "people": people,
            "citizens": citizens,
            "truth": truth,
        }
        asked = {column.name for _, _, programme in programmes for column in programme.inputs}
        inputs = read_inputs(config, given, asked)
        say(", ".join(f"{rows:,} {name}" for name, (_, _, rows) in inputs.files.items()))
    forms, members = inputs.households, inputs.people

    verified = None
    if config.verify is not None and members is not None and inputs.citizens is not None:
        chosen = chosen_persons(members, config.verify, config)
        does = f"{chosen.height:,} persons against {inputs.citizens.height:,} citizens"
        with tell.step("verify", does) as say:
            verified = check_persons(chosen, inputs.citizens, config, control)
            members = members.drop("cnic_verified", strict=False).join(
                confirmed(verified.frame, config.verify),
                on="person_id",
                how="left",
                maintain_order="left",
            )
            say(_shares(verified))

    duplicates = None
    if config.duplicates is not None and members is not None:
        with tell.step(
            "duplicates", f"{members.height:,} persons in {forms.height:,} households"
        ) as say:
            duplicates = find_duplicates(members, forms, config, control)
            say(
                f"{duplicates.compared:,} adults compared; "
                f"{duplicates.households.height:,} forms are of a household that has one"
            )
            dropped = duplicates.households.select("hh_id")
            forms = forms.join(dropped, on="hh_id", how="anti", maintain_order="left")
            members = members.join(dropped, on="hh_id", how="anti", maintain_order="left")

    with tell.step("score", f"{forms.height:,} households with {model.id}") as say:
        scored = score(forms, model, on_invalid=config.score.on_invalid, control=control)
        status = dict(scored.get_column("pmt_status").cast(pl.String).value_counts().iter_rows())
        say(", ".join(f"{n:,} {name}" for name, n in sorted(status.items(), key=lambda x: -x[1])))

    decisions: dict[str, Decided] = {}
    for name, step, programme in programmes:
        assert members is not None
        with tell.step("decide", programme.title) as say:
            decisions[name] = decide_programme(step, programme, scored, members, decisions, config)
            found = decisions[name].frame.get_column("decision").cast(pl.String).value_counts()
            say(", ".join(f"{n:,} {d}" for d, n in sorted(found.iter_rows(), key=lambda x: -x[1])))

    payments = pl.DataFrame(schema=PAYMENTS)
    if decisions:
        assert members is not None
        with tell.step("pay", "one recipient for each household, identities masked") as say:
            payments = _payments(decisions, members, duplicates, verified, config)
            paid = payments.filter(pl.col("held").is_null())
            say(
                f"{paid.height:,} payments of {paid.get_column('amount').sum():,} rupees; "
                f"{payments.height - paid.height:,} held"
            )

    measured = decision_errors = None
    if config.targeting is not None:
        with tell.step("errors", f"against {config.targeting.welfare}") as say:
            judged = with_truth(scored, inputs.truth, config.targeting)
            measured = errors_of_score(judged, model, config.targeting, control)
            eligible = {name: reached(decided, scored) for name, decided in decisions.items()}
            decision_errors = errors_of_decisions(judged, eligible, config.targeting, control)
            ier, eer = (
                "-" if share is None else f"{share:.1%}"
                for share in measured.metrics.select("ier", "eer").row(0)
            )
            say(f"of the score: inclusion error {ier}, exclusion error {eer}")

    return PipelineResult(
        config=config,
        model=model,
        inputs=inputs.files,
        verified=verified,
        duplicates=duplicates,
        scored=scored,
        decisions=decisions,
        payments=payments,
        targeting=measured,
        decision_errors=decision_errors,
        counts=counts(inputs.files, verified, duplicates, scored, decisions, payments),
    )


def _payments(
    decisions: dict[str, Decided],
    members: pl.DataFrame,
    duplicates: Duplicates | None,
    verified: Verified | None,
    config: Pipeline,
) -> pl.DataFrame:
    persons = None if duplicates is None else duplicates.persons
    parts = []
    for name, decided in decisions.items():
        owed = due(decided)
        known = members.join(owed.select("hh_id"), on="hh_id", how="semi", maintain_order="left")
        if "cnic_verified" not in known.columns:
            known = known.with_columns(cnic_verified=pl.lit(None, pl.Boolean))
        asked = choose_recipients(may_receive(name, decisions, known, config.on))
        parts.append(
            pay(
                owed,
                asked,
                persons,
                programme=name,
                on=config.on,
                verified=verified is not None,
            )
        )
    return pl.concat(parts).cast(PAYMENTS)


def _shares(verified: Verified) -> str:
    rows = max(verified.frame.height, 1)
    found = verified.summary.group_by("verdict", maintain_order=True).agg(pl.col("rows").sum())
    return ", ".join(f"{n / rows:.1%} {verdict}" for verdict, n in found.iter_rows())
