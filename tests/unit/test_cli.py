"""The command line: what it writes, what it refuses, and that a failure leaves files alone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import cli

MODEL = "schreiner-pk-2009"
CARD = nser.load_model(MODEL)
HOUSEHOLDS = nser.synth.households(1000, seed=5)
CNIC = "35202-1234567-1"  # invented


@pytest.fixture
def households(tmp_path: Path) -> Path:
    path = tmp_path / "households.parquet"
    HOUSEHOLDS.write_parquet(path)
    return path


def run(*arguments: object) -> int:
    return cli.main([str(a) for a in arguments])


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_scores_are_those_of_the_library(
    households: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / f"scored{suffix}"
    assert run("score", MODEL, households, output) == 0
    written = cli.scan(output).collect()
    wanted = nser.score(HOUSEHOLDS, MODEL)
    assert written.columns == wanted.columns
    assert written["pmt_score"].equals(wanted["pmt_score"])
    assert written["pmt_status"].cast(pl.String).equals(wanted["pmt_status"].cast(pl.String))
    assert "1,000 households scored" in capsys.readouterr().out
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([households.name, output.name])


def test_parquet_says_which_model_it_was(households: Path, tmp_path: Path) -> None:
    output = tmp_path / "scored.parquet"
    assert run("score", MODEL, households, output) == 0
    metadata = pl.read_parquet_metadata(output)
    assert metadata["nser_pmt.scoring.model"] == MODEL
    assert metadata["nser_pmt.model_sha256"] == CARD.digest


def test_models_lists_and_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("models") == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in nser.list_models()["id"])
    assert run("models", "bisp-psc-2009") == 0
    shown = capsys.readouterr().out
    assert "TEMPLATE" in shown and "cutoff-side-unknown" in shown


def test_check_reports_and_does_not_spill(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "h.parquet"
    HOUSEHOLDS.with_columns(
        province=pl.when(pl.col("hh_id") <= 10).then(pl.lit("Gilgit")).otherwise(pl.lit(CNIC))
    ).write_parquet(path)
    assert run("check", MODEL, path) == 0
    shown = capsys.readouterr().out
    assert "1,000 unknown values: 'Gilgit' 10" in shown
    assert CNIC not in shown


Break = Callable[[Path, Path], tuple[Path, Path]]


def missing_file(source: Path, output: Path) -> tuple[Path, Path]:
    return source.with_name("nowhere.parquet"), output


def truncated(source: Path, output: Path) -> tuple[Path, Path]:
    source.write_bytes(source.read_bytes()[:-1000])
    return source, output


def empty_file(source: Path, output: Path) -> tuple[Path, Path]:
    source.write_bytes(b"")
    return source, output


def folder_as_output(source: Path, output: Path) -> tuple[Path, Path]:
    folder = output.with_name("folder.parquet")
    folder.mkdir()
    return source, folder


def folder_as_input(source: Path, output: Path) -> tuple[Path, Path]:
    return source.parent, output


def no_such_folder(source: Path, output: Path) -> tuple[Path, Path]:
    return source, output.parent / "nowhere" / "o.parquet"


def unknown_suffix(source: Path, output: Path) -> tuple[Path, Path]:
    return source, output.with_suffix(".xlsx")


def missing_column(source: Path, output: Path) -> tuple[Path, Path]:
    HOUSEHOLDS.rename({"province": "provnce"}).write_parquet(source)
    return source, output


def wrong_dtype(source: Path, output: Path) -> tuple[Path, Path]:
    HOUSEHOLDS.with_columns(n_le13=pl.lit(CNIC)).write_parquet(source)
    return source, output


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (missing_file, "no such file"),
        (truncated, "is the file complete"),
        (empty_file, "the file is empty"),
        (folder_as_output, "is a folder"),
        (folder_as_input, "is a folder"),
        (no_such_folder, "no such folder"),
        (unknown_suffix, "cannot tell the format"),
        (missing_column, "column 'province' is missing. Did you mean 'provnce'?"),
        (wrong_dtype, "column 'n_le13': expected a number"),
    ],
)
def test_bad_input_is_one_line_and_code_2(
    households: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], spoil: Break, says: str
) -> None:
    old = tmp_path / "scored.parquet"
    old.write_bytes(b"the old file")
    source, output = spoil(households, old)
    assert run("score", MODEL, source, output) == 2
    error = capsys.readouterr().err
    assert error.startswith("nser-pmt: ") and error.count("\n") == 1
    assert says in error
    assert CNIC not in error
    assert old.read_bytes() == b"the old file"
    assert not list(tmp_path.rglob(".*")), "a temporary file was left"


@pytest.mark.parametrize(
    ("change", "column", "code"),
    [
        ({"n_le13": pl.lit(-1)}, "n_le13", "whole number of at least 0"),
        ({"n_le13": pl.lit(float("nan"))}, "n_le13", "missing"),
        ({"n_le13": pl.lit(float("inf"))}, "n_le13", "whole number"),
        ({"n_le13": pl.lit(1.5)}, "n_le13", "whole number"),
        ({"province": pl.lit(CNIC)}, "province", "one of 'Balochistan'"),
        ({"tv": pl.lit(None, dtype=pl.Boolean)}, "tv", "missing"),
    ],
)
def test_on_invalid_error_names_column_row_and_form(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, pl.Expr],
    column: str,
    code: str,
) -> None:
    source, output = tmp_path / "h.parquet", tmp_path / "o.parquet"
    bad = HOUSEHOLDS.head(700).vstack(HOUSEHOLDS.head(1))
    name, value = next(iter(change.items()))
    old = pl.col(name).cast(pl.String) if name == "province" else pl.col(name)
    spoiled = pl.when(pl.int_range(pl.len()) == 700).then(value).otherwise(old)
    bad.with_columns(spoiled.alias(name)).write_parquet(source)
    assert run("score", MODEL, source, output, "--on-invalid", "error") == 2
    error = capsys.readouterr().err
    assert f"column '{column}', row 700:" in error and code in error
    assert CNIC not in error
    assert not output.exists()
    assert run("score", MODEL, source, output) == 0
    assert pl.read_parquet(output)["pmt_score"].null_count() == 1


def test_a_template_says_why_it_cannot_score(
    households: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", "bisp-psc-2009", households, tmp_path / "o.parquet") == 2
    assert "its points are not public" in capsys.readouterr().err


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "nser_pmt.cli", *map(str, arguments)]


@pytest.mark.skipif(os.name != "posix", reason="limits and signals are POSIX")
@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".arrow"])
def test_a_full_disk_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    source, output = tmp_path / "h.parquet", tmp_path / f"o{suffix}"
    nser.synth.households(50_000, seed=1).write_parquet(source)
    limited = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000));"
        "from nser_pmt import cli; sys.exit(cli.main(sys.argv[1:]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", limited, "score", MODEL, source, output],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == f"nser-pmt: {output}: File too large\n"
    assert [p.name for p in tmp_path.iterdir()] == [source.name]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX")
def test_ctrl_c_keeps_the_old_file(tmp_path: Path) -> None:
    source, output = tmp_path / "h.parquet", tmp_path / "o.parquet"
    nser.synth.scan_households(3_000_000, seed=1).sink_parquet(source)
    output.write_bytes(b"the old file")
    child = subprocess.Popen(
        command("score", MODEL, source, output), stderr=subprocess.PIPE, text=True
    )
    while not list(tmp_path.glob(".o.parquet.*")):  # until it has begun to write
        assert child.poll() is None, "it was over before it could be stopped"
        time.sleep(0.001)
    child.send_signal(signal.SIGINT)
    _, error = child.communicate(timeout=20)
    assert (child.returncode, error) == (130, "nser-pmt: stopped; nothing was written\n")
    assert output.read_bytes() == b"the old file"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["h.parquet", "o.parquet"]


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_a_read_only_folder(households: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o555)
    assert run("score", MODEL, households, folder / "o.parquet") == 2
    assert not list(folder.iterdir())
