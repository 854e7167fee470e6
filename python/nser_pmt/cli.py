"""The command line: ``nser-pmt run``, ``score``, ``models``, ``check``, ``programmes``.

Exit codes: 0 done; 2 the user's input is at fault (one line says how); 1 our fault; 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import polars as pl

from nser_pmt import _files
from nser_pmt._tables import SUFFIXES, file_suffix, polars_errors, scan, sink
from nser_pmt.control import RunControl
from nser_pmt.errors import InternalError, ModelError, NserError
from nser_pmt.pipeline import Pipeline, PipelineResult, Step, load_pipeline, run_pipeline
from nser_pmt.pipeline._progress import Progress
from nser_pmt.pipeline._writing import check_target
from nser_pmt.programmes.programme import list_programmes, load_programme
from nser_pmt.scoring.diagnosis import diagnose
from nser_pmt.scoring.model import Model, list_models, load_model
from nser_pmt.scoring.scoring import score

__all__ = ["command", "main"]


def command() -> NoReturn:
    """Be the process: run `main` and leave with its exit code.

    After a fault or Ctrl-C, Polars' threads may still be at work, and an interpreter that ends
    under a thread of theirs aborts. So a failed command leaves without waiting for them.
    """
    code = main()
    if code:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)
    sys.exit()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    options = _parser().parse_args(arguments)
    return reported(lambda: options.run(options))


def reported(work: Callable[[], object]) -> int:
    """Do the work of a command, say in a line what went wrong, and return the exit code."""
    try:
        work()
    except KeyboardInterrupt:
        return _fail("stopped; nothing was written", 130)
    except InternalError as error:
        return _fail(str(error), 1)
    except NserError as error:
        return _fail(str(error), 2)
    except BrokenPipeError:
        return 0
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        return _fail(f"{place}{error.strerror or 'input or output failed'}", 2)
    return 0


def _fail(message: str, code: int) -> int:
    print(f"nser-pmt: {message}", file=sys.stderr)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="nser-pmt", description="Proxy means tests for a national socio-economic registry."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("score", help="score the households of a file")
    one.add_argument("model", help="name of a bundled model, or a .toml or .json file")
    one.add_argument("input", type=Path, help=f"a file ending in {', '.join(SUFFIXES)}")
    one.add_argument("output", type=Path, help="where to write; replaced only when all is done")
    one.add_argument(
        "--on-invalid",
        choices=["model", "null", "error"],
        default="model",
        help="what a missing or unknown answer means: as the model says, a null score, or an error",
    )
    one.set_defaults(run=_score)

    story = commands.add_parser(
        "run", help="from survey forms to a payment list and a report, as a file says"
    )
    story.add_argument("config", type=Path, help="a .toml file; see docs/run.md")
    story.add_argument(
        "--output", type=Path, help="folder to write, instead of the file's; replaced when done"
    )
    story.set_defaults(run=_run)

    two = commands.add_parser("models", help="list the bundled models, or show one")
    two.add_argument("model", nargs="?", help="name or file of a model to show and lint")
    two.set_defaults(run=_models)

    three = commands.add_parser("check", help="look at the columns a model needs")
    three.add_argument("model")
    three.add_argument("input", type=Path)
    three.add_argument(
        "--levels",
        choices=["frequent", "all", "none"],
        default="frequent",
        help="which unknown levels to list",
    )
    three.set_defaults(run=_check)

    four = commands.add_parser("programmes", help="list the bundled programmes, or show one")
    four.add_argument("programme", nargs="?", help="name or file of a programme to show and lint")
    four.set_defaults(run=_programmes)
    return parser


# -- commands --------------------------------------------------------------------------------------


def _score(options: argparse.Namespace) -> None:
    model = load_model(options.model)
    source = scan(options.input)
    file_suffix(options.output)
    control = RunControl()
    with polars_errors(options.input):
        scored = score(source, model, on_invalid=options.on_invalid, control=control)
        total = _count(source, options.input)
    with (
        _files.replacing(options.output) as temporary,
        polars_errors(options.input, options.output),
    ):
        _watched(lambda: sink(scored, temporary, _provenance(model)), control, total)
    counts = ", ".join(f"{n:,} {name}" for name, n in control.statuses.items())
    print(f"{options.output}: {control.done:,} households scored with {model.id} ({counts})")


def _run(options: argparse.Namespace) -> None:
    run_and_write(load_pipeline(options.config), options.output)


def run_and_write(pipeline: Pipeline, output: Path | None = None) -> PipelineResult:
    """Run a pipeline, tell of each step, and write what came out, all or nothing."""
    if output is None:
        if pipeline.output is None:
            raise ModelError(
                "output: missing", code="missing_key", hint="Name a folder there or in --output"
            )
        output = pipeline.path(pipeline.output)
    check_target(output)
    with _stopped_by_sigterm(), _told_steps() as tell:
        result = run_pipeline(pipeline, progress=tell)
        start = time.perf_counter()
        tell(Step(name="write", does=str(output)))
        result.write(output)
        files = sorted(path.name for path in output.iterdir())
        seconds = time.perf_counter() - start
        tell(Step(name="write", does=str(output), found=", ".join(files), seconds=seconds))
    print(f"{output / 'report.html'}: open it in a browser")
    return result


def _models(options: argparse.Namespace) -> None:
    if options.model is None:
        with _wide():
            print(list_models())
        return
    model = load_model(options.model, lint="ignore")
    print(repr(model))
    for finding in model.lint():
        print(f"{finding.level}: {finding}")


def _programmes(options: argparse.Namespace) -> None:
    if options.programme is None:
        with _wide():
            print(list_programmes())
        return
    programme = load_programme(options.programme, lint="ignore")
    print(repr(programme))
    for finding in programme.lint():
        print(f"{finding.level}: {finding}")


def _check(options: argparse.Namespace) -> None:
    model = load_model(options.model)
    with polars_errors(options.input):
        found = diagnose(scan(options.input), model, unknown_levels=options.levels)
    with _wide():
        print(found.drop("unknown_levels"))
    for row in found.filter(pl.col("unknown") > 0).iter_rows(named=True):
        listed = ", ".join(f"{v['level']!r} {v['count']:,}" for v in row["unknown_levels"])
        print(f"{row['column']}: {row['unknown']:,} unknown values: {listed or 'none is frequent'}")


# -- files -----------------------------------------------------------------------------------------


def _provenance(model: Model) -> dict[str, str]:
    """Say in the file which formula the scores came from."""
    from nser_pmt import __version__

    return {
        "nser_pmt.version": __version__,
        "nser_pmt.scoring.model": model.id,
        "nser_pmt.model_sha256": model.digest,
    }


def _count(source: pl.LazyFrame, path: Path) -> int | None:
    """Rows of a file whose header knows."""
    if path.suffix == ".csv":
        return None
    return int(source.select(pl.len()).collect().item())


def _wide() -> pl.Config:
    return pl.Config(
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=200,
        fmt_str_lengths=60,
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
    )


# -- progress of steps -----------------------------------------------------------------------------


@contextlib.contextmanager
def _told_steps() -> Iterator[Progress]:
    """Yield what tells of steps: a line each, and on a terminal the seconds that go by."""
    show = sys.stderr.isatty()
    now: list[tuple[str, float]] = []
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(0.2):
            for line, start in now[:1]:
                print(
                    f"\r\x1b[K{line}  {time.perf_counter() - start:.0f} s",
                    end="",
                    file=sys.stderr,
                    flush=True,
                )

    def tell(step: Step) -> None:
        line = f"{step.name:<11} {step.does}"
        if step.seconds is None:
            now[:] = [(line, time.perf_counter())]
            return
        now.clear()
        if show:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        print(f"{line:<84} {step.seconds:6.1f} s", flush=True)
        for part in textwrap.wrap(step.found or "", 80, break_on_hyphens=False):
            print(f"{'':<11} {part}", flush=True)

    ticker = threading.Thread(target=tick, name="nser-pmt-progress", daemon=True)
    if show:
        ticker.start()
    try:
        yield tell
    finally:
        ended.set()
        if show:
            ticker.join()
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """Leave as by Ctrl-C when the process is asked to end, so that no half output stays."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


# -- progress --------------------------------------------------------------------------------------


def _watched(work: Callable[[], None], control: RunControl, total: int | None) -> None:
    """Do `work` on a thread while this one shows progress and hears Ctrl-C."""
    outcome: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, name="nser-pmt-sink")
    thread.start()
    show = sys.stderr.isatty()
    try:
        while thread.is_alive():
            thread.join(0.05 if control.done else 0.01)
            if show:
                _bar(control.done, total)
    except KeyboardInterrupt:
        control.cancel()
        thread.join()
        raise
    finally:
        if show:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if outcome:
        raise outcome[0]


def _bar(done: int, total: int | None) -> None:
    if total:
        share = min(done / total, 1.0)
        text = f"[{'#' * int(share * 30):<30}] {share:4.0%}  {done:,} of {total:,} households"
    else:
        text = f"{done:,} households"
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    command()
