"""How long calls run: forks, Ctrl-C, panics, limits, memory; and what errors never show."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import _native, cli
from nser_pmt.scoring.model import Input, LinearTerm, Model
from strategies import make_model

PATHS = [str(folder) for folder in Path(__file__).parents[:2]]
LONG = 230_000  # rows above which the pool is used

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc, forks or sends signals")


def run_python(code: str, *, timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a program in a new interpreter; a time-out is a failure of the test."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def linear_model(terms: int) -> Model:
    """A model of many slow linear terms of one column."""
    return make_model(
        inputs=(Input("x", type="number"),),
        terms=tuple(
            LinearTerm(
                id=f"t{n}",
                input="x",
                coefficient=n / 7,
                transform="log",  # the slowest, so that a call is long
                missing="null",
                out_of_range="null",
            )
            for n in range(terms)
        ),
    )


@pytest.fixture(scope="module")
def numbers() -> pl.DataFrame:
    return pl.DataFrame({"x": np.random.default_rng(4).random(600_000)})


# ---------------------------------------------------------------- processes and threads


@linux
@pytest.mark.slow
def test_forked_children_score() -> None:
    """The pool's threads do not exist in a child; a child that waits for them hangs for ever."""
    code = """
        import os, signal, sys, time
        import polars as pl
        import nser_pmt as nser

        model = nser.load_model("schreiner-pk-2009")
        frame = nser.synth.households(300_000, seed=1).select(model.columns)
        frame = frame.with_columns(pl.col(pl.Enum).cast(pl.String))
        want = nser.score(frame, model)["pmt_score"].to_numpy().tobytes()
        answers = frame.row(7, named=True)
        one = model.score_one(answers)

        def child():
            scored = nser.score(frame, model)["pmt_score"].to_numpy().tobytes()
            os._exit(0 if scored == want and model.score_one(answers) == one else 3)

        for n in range(20):
            pid = os.fork()
            if pid == 0:
                child()
            for _ in range(1500):
                done, status = os.waitpid(pid, os.WNOHANG)
                if done:
                    break
                time.sleep(0.01)
            else:
                os.kill(pid, signal.SIGKILL)
                sys.exit(f"fork {n} hangs")
            if status:
                sys.exit(f"fork {n}: status {status}")
        nser.score(frame, model)
        print("all done")
    """
    done = run_python(code, timeout=120)
    assert (done.stdout, done.returncode) == ("all done\n", 0), done.stderr


@linux
def test_fork_workers_of_multiprocessing() -> None:
    code = """
        import multiprocessing
        import nser_pmt as nser

        model = nser.load_model("schreiner-pk-2009")
        frame = nser.synth.households(230_000, seed=1).select(model.columns)
        nser.score(frame, model)
        rows = frame.head(100).rows(named=True)
        if __name__ == "__main__":
            with multiprocessing.get_context("fork").Pool(2) as pool:
                got = pool.map_async(model.score_one, rows).get(timeout=30)
            assert got == [model.score_one(row) for row in rows]
            print("all done")
    """
    done = run_python(code)
    assert (done.stdout, done.returncode) == ("all done\n", 0), done.stderr


@linux
def test_import_starts_no_thread() -> None:
    code = """
        import os
        import polars
        before = len(os.listdir("/proc/self/task"))
        import nser_pmt
        print(len(os.listdir("/proc/self/task")) - before)
    """
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.parametrize("threads", [2, 3, 64])
def test_any_number_of_threads_gives_the_same_bits(numbers: pl.DataFrame, threads: int) -> None:
    model = linear_model(9)
    one = nser.score(numbers, model, control=nser.RunControl(threads=1))
    more = nser.score(numbers, model, control=nser.RunControl(threads=threads))
    assert one["pmt_score"].to_numpy().tobytes() == more["pmt_score"].to_numpy().tobytes()


# ---------------------------------------------------------------- stopping


@linux
@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_stops_a_long_call_at_once(threads: int) -> None:
    """The child's clock starts when its own handler sees the signal."""
    code = f"""
        import os, signal, sys, time
        import numpy as np, polars as pl
        import nser_pmt as nser
        sys.path[:0] = {PATHS!r}
        from test_runtime import linear_model

        model = linear_model(1_000)
        frame = pl.DataFrame({{"x": np.arange(1, 2_000_001) * 1e-7}})
        nser.score(frame.head(1), model)
        sent = []

        def killer():
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        import threading
        threading.Timer(0.4, killer).start()
        try:
            nser.score(frame, model, control=nser.RunControl(threads={threads}))
        except KeyboardInterrupt:
            print(time.perf_counter() - sent[0])
    """
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout, "the call ended before the signal, or swallowed it"
    assert float(done.stdout) < 0.2


@linux
def test_ctrl_c_from_outside() -> None:
    code = f"""
        import sys
        import numpy as np, polars as pl
        import nser_pmt as nser
        sys.path[:0] = {PATHS!r}
        from test_runtime import linear_model

        model, frame = linear_model(1_000), pl.DataFrame({{"x": np.full(2_000_000, 0.5)}})
        print("ready", flush=True)
        try:
            nser.score(frame, model)
        except KeyboardInterrupt:
            print("interrupted")
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(0.3)
        child.send_signal(signal.SIGINT)
        try:
            out, _ = child.communicate(timeout=20)
        finally:
            child.kill()
    assert (out, child.returncode) == ("interrupted\n", 0)


def test_timeout(numbers: pl.DataFrame) -> None:
    model = linear_model(1_000)
    nser.score(numbers.head(1), model)  # compiles it
    start = time.perf_counter()
    with pytest.raises(nser.CancelledError, match="time limit") as caught:
        nser.score(numbers, model, control=nser.RunControl(timeout=0.05))
    assert caught.value.code == "timeout"
    assert time.perf_counter() - start < 2
    assert nser.score(numbers, linear_model(1), control=nser.RunControl(timeout=60)).height


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_bad_timeout(seconds: float) -> None:
    with pytest.raises(nser.DomainError, match="timeout must be a positive number"):
        nser.RunControl(timeout=seconds)


@pytest.mark.parametrize("threads", [0, -2])
def test_bad_threads(threads: int) -> None:
    with pytest.raises(nser.DomainError, match="threads must be at least 1"):
        nser.RunControl(threads=threads)


def test_cancel_from_another_thread(numbers: pl.DataFrame) -> None:
    control = nser.RunControl()
    timer = threading.Timer(0.1, control.cancel)
    timer.start()
    with pytest.raises(nser.CancelledError, match="cancelled by the caller") as caught:
        nser.score(numbers, linear_model(1_000), control=control)
    timer.join()
    assert caught.value.code == "cancelled"
    assert control.done < numbers.height


@pytest.mark.parametrize("rows", [10, LONG])
def test_cancelled_before_it_starts(numbers: pl.DataFrame, rows: int) -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(nser.CancelledError):
        nser.score(numbers.head(rows), linear_model(1), control=control)
    assert control.done == 0
    lazy = nser.score(numbers.head(rows).lazy(), linear_model(1), control=control)
    with pytest.raises(pl.exceptions.ComputeError, match=r"nser_pmt\[cancelled\]"):
        lazy.collect()


def test_progress(numbers: pl.DataFrame) -> None:
    seen: list[int] = []
    threads: set[int] = set()

    def note(done: int) -> None:
        seen.append(done)
        threads.add(threading.get_ident())

    control = nser.RunControl(progress=note, threads=1)
    nser.score(numbers, linear_model(200), control=control)
    assert len(set(seen)) >= 2
    assert seen == sorted(seen)
    assert seen[-1] <= numbers.height
    assert threads == {threading.get_ident()}
    assert control.done == numbers.height
    assert control.statuses == {"ok": numbers.height, "missing": 0, "out_of_domain": 0}


def test_progress_that_raises_stops_the_call(numbers: pl.DataFrame) -> None:
    class StopNowError(Exception):
        pass

    def stop(done: int) -> None:
        raise StopNowError(done)

    control = nser.RunControl(progress=stop)
    with pytest.raises(StopNowError):
        nser.score(numbers, linear_model(1_000), control=control)
    assert control.done < numbers.height


def test_control_counts_a_lazy_call() -> None:
    frame = pl.DataFrame({"x": [1.0, None, float("inf"), 2.0, float("nan")] * 1000})
    control = nser.RunControl()
    nser.score(frame.lazy(), linear_model(1), control=control).collect(engine="streaming")
    assert control.done == 5_000
    assert control.statuses == {"ok": 2_000, "missing": 2_000, "out_of_domain": 1_000}


# ---------------------------------------------------------------- panics

SECRET = "35202-1234567-1 یاسمین"


@pytest.mark.parametrize("rows", [10, LONG])
def test_a_panic_is_an_internal_error_without_its_payload(rows: int) -> None:
    for _ in range(3):
        with pytest.raises(nser.InternalError, match=r"please report it") as caught:
            _native.provoke_panic(rows, SECRET)
        assert caught.value.code == "internal_error"
        assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert nser.score(pl.DataFrame({"x": [1.0]}), linear_model(2))["pmt_status"].to_list() == ["ok"]


@pytest.mark.parametrize("rows", [10, LONG])
def test_a_panic_prints_nothing_secret(rows: int) -> None:
    code = f"""
        import polars as pl
        import nser_pmt as nser
        from nser_pmt import _native
        for _ in range(2):
            try:
                _native.provoke_panic({rows}, {SECRET!r})
            except Exception as error:
                print(type(error).__name__, error)
        model = nser.load_model("schreiner-pk-2009")
        frame = nser.synth.households(230_000, seed=1)
        print(nser.score(frame, model).height)
    """
    done = run_python(code)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["InternalError", "InternalError", "230000"]
    assert "runtime.rs" in lines[0]
    for part in (SECRET, *SECRET.split()):
        assert part not in done.stdout + done.stderr


# ---------------------------------------------------------------- what errors never show

CANARIES = ("35202-1234567-1", "یاسمین خانزادہ", "Zulekha Canarywala of Chak 99")


def _canary_frames(model: Model) -> dict[str, pl.DataFrame]:
    """A name or number in each input column: as text, and as types that no input has."""
    households = nser.synth.households(30, seed=1).select("hh_id", *model.columns)
    frames = {}
    for column in model.columns:
        for canary in CANARIES:
            text = pl.lit(canary)
            for kind, value in {
                "text": text,
                "categorical": text.cast(pl.Categorical),
                "enum": text.cast(pl.Enum([canary])),
                "binary": text.cast(pl.Binary),
                "list": pl.concat_list(text),
                "struct": pl.struct(text.alias("name")),
            }.items():
                frames[f"{column} {kind} {canary}"] = households.with_columns(value.alias(column))
    return frames


def _roads(frame: pl.DataFrame, model: Model) -> dict[str, Callable[[], object]]:
    row = frame.row(0, named=True)
    return {
        "score": lambda: nser.score(frame, model),
        "error": lambda: nser.score(frame, model, on_invalid="error"),
        "lazy": lambda: nser.score(frame.lazy(), model, on_invalid="error").collect(),
        "streaming": lambda: nser.score(frame.lazy(), model).collect(engine="streaming"),
        "expression": lambda: frame.select(model.score_expr(), model.status_expr()),
        "explain": lambda: nser.explain(frame, model, id="hh_id"),
        "score_one": lambda: model.score_one(row),
        "explain_one": lambda: model.explain_one(row),
        "diagnose": lambda: nser.diagnose(frame, model),
        "likelihood": lambda: nser.likelihood(frame, model, score=model.columns[0]),
    }


def _assert_silent(what: str, text: str) -> None:
    for canary in CANARIES:
        for part in (canary, canary[:11], canary.encode("unicode_escape").decode()):
            assert part not in text, what


@pytest.mark.parametrize("name", ["schreiner-pk-2009", "hiics-2016-research"])
def test_no_error_shows_a_value(name: str, caplog: Any, capfd: Any) -> None:
    caplog.set_level(logging.DEBUG)
    model = nser.load_model(name)
    raised: set[str] = set()
    for what, frame in _canary_frames(model).items():
        for road, call in _roads(frame, model).items():
            try:
                call()
            except Exception as error:
                raised.add(f"{road} {type(error).__name__}")
                # The frames of the traceback show code, and code shows no value.
                text = "".join(traceback.format_exception(error)) + repr(error) + str(vars(error))
                _assert_silent(f"{road}: {what}", text)
    assert {
        "score SchemaError",
        "error DomainError",
        "lazy ComputeError",
        "expression ComputeError",
        "score_one SchemaError",
        "explain SchemaError",
        "likelihood SchemaError" if model.likelihoods else "likelihood ModelError",
    } <= raised
    out = capfd.readouterr()
    _assert_silent("printed or logged", caplog.text + out.out + out.err)


def test_no_model_error_shows_a_value() -> None:
    """A value of a model file may be a slip of the hand: a key or place is shown, a value not."""
    text = nser.load_model("hiics-2016-research").to_json()
    for canary in CANARIES:
        broken = [
            text.replace('"year": 2016', f'"year": "{canary}"'),
            text.replace('"unit": "household"', f'"unit": ["{canary}"]'),
            text.replace('"kind": "levels"', f'"kind": "{canary}"', 1),
            text.replace('"missing": "null"', f'"missing": "{canary}"', 1),
            text.replace('"intercept": 8', f'"intercept": "{canary}", "x": 8'),
            text[:-30] + canary,
            f'{{"{canary}',
        ]
        for one in broken:
            assert one != text
            with pytest.raises(nser.ModelError) as caught:
                Model.from_json(one)
            _assert_silent("model", "".join(traceback.format_exception(caught.value)))


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_the_command_line_shows_no_value(suffix: str, tmp_path: Path, capfd: Any) -> None:
    model = nser.load_model("schreiner-pk-2009")
    frame = nser.synth.households(30, seed=1).select(model.columns)
    for column in model.columns:
        for canary in CANARIES:
            source = tmp_path / f"households{suffix}"
            # In three rows of thirty: `check` lists what is more frequent, and is meant to.
            planted = pl.when(pl.int_range(pl.len()) % 10 == 4).then(pl.lit(canary))
            broken = frame.with_columns(
                planted.otherwise(pl.col(column).cast(pl.String)).alias(column)
            )
            (broken.write_csv if suffix == ".csv" else broken.write_parquet)(source)
            target = str(tmp_path / f"scored{suffix}")
            arguments = ["score", model.id, str(source), target, "--on-invalid", "error"]
            assert cli.main(arguments) == 2
            assert not Path(target).exists()
            cli.main(["check", model.id, str(source)])
            out = capfd.readouterr()
            assert f"column '{column}'" in out.err
            _assert_silent(column, out.out + out.err)


# ---------------------------------------------------------------- memory


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@linux
@pytest.mark.slow
@pytest.mark.parametrize("road", ["eager", "expression"])
def test_no_leak(road: str) -> None:
    model = nser.load_model("schreiner-pk-2009")
    frame = nser.synth.households(200_000, seed=1).select(model.columns)
    call: Callable[[], object] = {
        "eager": lambda: nser.score(frame, model),
        "expression": lambda: frame.select(model.score_expr(), model.status_expr()),
    }[road]
    for _ in range(20):
        call()
    before = _resident()
    for _ in range(200):
        call()
    assert _resident() - before < 16 * 2**20
