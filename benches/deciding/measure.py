"""Four programmes decided for a whole country, Parquet to Parquet, against scoring it.

Makes the synthetic households once, with the columns that the model and the programmes read (the
facts of members rolled up; for the programmes of persons, one person a row), then runs in turn,
each in a fresh process:

    score    scan_parquet -> nser_pmt.score                    -> sink_parquet
    decide   scan_parquet -> nser_pmt.decide, four programmes  -> sink_parquet, hh_id and 16 columns
    text     the same with the reasons as text: Polars takes long to write lists

Reports the least seconds of each (without starting Python), their ratio, and the largest resident
memory that the operating system saw, Python and Polars included. The file is read from the page
cache.
"""

from __future__ import annotations

import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from file_to_file import in_turns, main, timed

# Polars and nser_pmt are imported by the child processes only: a child inherits the memory peak of
# the process that starts it.

MODEL = "schreiner-pk-2009"
DAYS = {
    "kafaalat": date(2024, 6, 1),
    "taleemi-wazaif": date(2024, 6, 1),
    "nashonuma": date(2024, 6, 1),
    "hunarmand": date(2025, 7, 1),
}
STEPS = ("score", "decide", "text")
CHECKED_ROWS = 100_000


def make(rows: int, path: Path) -> None:
    import polars as pl

    import nser_pmt as nser

    def draw(salt: int) -> pl.Expr:
        """A number from 0 to 999, of its own for each household and salt."""
        return pl.col("hh_id").cast(pl.UInt64).hash(salt).mod(1000)

    def fact(salt: int, percent: float) -> pl.Expr:
        """True for so many in a hundred, unknown for two."""
        return pl.when(draw(salt) >= 20).then(draw(salt) < 20 + percent * 9.8)

    levels, sexes = (
        pl.Enum(["none", "primary", "secondary", "higher_secondary"]),
        pl.Enum(["female", "male"]),
    )
    age = 4 + draw(8) % 15
    level = (
        pl.when(draw(9) < 300)
        .then(pl.lit("none", dtype=levels))
        .when(age < 11)
        .then(pl.lit("primary", dtype=levels))
        .when(age < 16)
        .then(pl.lit("secondary", dtype=levels))
        .otherwise(pl.lit("higher_secondary", dtype=levels))
    )
    model = nser.load_model(MODEL)
    households = nser.synth.scan_households(rows).select("hh_id", *model.columns)
    nser.score(households, model).with_columns(
        ever_married_woman=fact(1, 95),
        transgender_member=fact(2, 0.1),
        disabled_member=fact(3, 8),
        verified_woman=fact(4, 90),
        verified_transgender=fact(5, 0.1),
        kafaalat_active=fact(6, 27),
        b_form=fact(7, 90),
        birth_date=(
            pl.lit(date(2024, 6, 1)) - pl.duration(days=(age * 365 + draw(16) % 365).cast(pl.Int64))
        ).cast(pl.Date),
        school_level=level,
        sex=pl.when(draw(10) < 490)
        .then(pl.lit("female", dtype=sexes))
        .otherwise(pl.lit("male", dtype=sexes)),
        attendance=(1000 - draw(11) / 3) / 1000,
        admitted_on=pl.lit(date(2023, 4, 1)),
        pregnant=fact(12, 5),
        lactating=fact(13, 5),
        flood_area=fact(14, 10),
        pilot_district=fact(15, 5),
    ).drop("pmt_status").sink_parquet(path)


def decided(frame: Any, reasons_as: Any = "list") -> Any:
    import nser_pmt as nser

    new = ["hh_id"]
    for name, on in DAYS.items():
        frame = nser.decide(frame, name, on=on, suffix=f"_{name}", reasons_as=reasons_as)
        new += [f"{n}_{name}" for n in ("eligible", "decision", "reasons", "amount")]
    return frame.select(new)


def run_score(source: Path, target: Path) -> None:
    import polars as pl

    import nser_pmt as nser

    columns = nser.load_model(MODEL).columns
    nser.score(pl.scan_parquet(source).select("hh_id", *columns), MODEL).sink_parquet(target)


def run_decide(source: Path, target: Path) -> None:
    import polars as pl

    decided(pl.scan_parquet(source)).sink_parquet(target)


def run_text(source: Path, target: Path) -> None:
    import polars as pl

    decided(pl.scan_parquet(source), "text").sink_parquet(target)


def answers_agree(source: Path, target: Path, reasons_as: str) -> bool:
    """Whether the file has all rows, and the first of them the decisions of the twin."""
    import polars as pl

    rows = [pl.scan_parquet(path).select(pl.len()).collect().item() for path in (source, target)]
    expected = decided(pl.read_parquet(source, n_rows=CHECKED_ROWS), reasons_as)
    found = pl.read_parquet(target, n_rows=CHECKED_ROWS)
    return rows[0] == rows[1] and found.equals(expected, null_equal=True) and _twin_agrees(source)


def _twin_agrees(source: Path) -> bool:
    """Whether the plain-Python rule engine decides a thousand rows in the same way."""
    import polars as pl

    oracle = Path(__file__).parents[2] / "tests" / "oracle"
    sys.path.insert(0, str(oracle))
    import programme_twin as twin

    frame = pl.read_parquet(source, n_rows=1000)
    answers = decided(frame)
    for name, on in DAYS.items():
        columns = [f"{n}_{name}" for n in ("eligible", "decision", "reasons", "amount")]
        book = twin.book(name)
        want = [twin.decide_row(book, row, on) for row in frame.iter_rows(named=True)]
        if answers.select(columns).rows() != want:
            return False
    return True


def child(step: str, source: Path, target: Path, rows: int) -> dict[str, Any]:
    """Do one step in this process."""
    import nser_pmt as nser

    if nser._native.debug_build():
        sys.exit("nser_pmt is a debug build; build it with --release")
    if step == "make":
        make(rows, source)
        return {}
    run = {"decide": run_decide, "text": run_text, "score": run_score}[step]
    found = timed(run, source, target)
    if step != "score" and not answers_agree(source, target, "text" if step == "text" else "list"):
        sys.exit("the decisions in the file differ from those of the eager call or of plain Python")
    return found


def measure(folder: Path, rows: int) -> dict[str, Any]:
    source, steps = in_turns("deciding.measure", STEPS, partial(_paths, folder, rows), rows)
    return {"rows": rows, "source_bytes": source.stat().st_size, **steps}


def _paths(folder: Path, rows: int, suffix: str = "") -> tuple[Path, Path]:
    return folder / f"programmes-{rows}.parquet{suffix}", folder / "out.parquet"


if __name__ == "__main__":
    main(__doc__, STEPS, _paths, child, measure)
