"""The notebooks run from top to bottom, with the survey and without it, and are clean."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def cells(path: Path) -> list[dict[str, Any]]:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    found: list[dict[str, Any]] = notebook["cells"]
    return found


def show(value: object) -> None:
    """Make what a notebook would show of a value."""
    for kind in ("_repr_svg_", "_repr_html_"):
        if hasattr(value, kind):
            assert "<" in getattr(value, kind)()
    assert repr(value)


def run(path: Path) -> dict[str, Any]:
    """Run all cells in one namespace, as a kernel does, and show the last value of each."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    with pl.Config():  # what a notebook sets is undone
        for cell in cells(path):
            if cell["cell_type"] != "code":
                continue
            name = f"{path.name}, cell {cell['id']}"
            body = ast.parse("".join(cell["source"]), name).body
            last = body.pop() if isinstance(body[-1], ast.Expr) else None
            exec(compile(ast.Module(body, []), name, "exec"), namespace)
            if isinstance(last, ast.Expr):
                show(eval(compile(ast.Expression(last.value), name, "eval"), namespace))
    return namespace


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory; charts can be drawn."""
    pytest.importorskip("altair")
    pytest.importorskip("vl_convert")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_there_are_three() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_clean(path: Path) -> None:
    found = cells(path)
    ids = [cell["id"] for cell in found]
    assert len(set(ids)) == len(ids)
    assert found[0]["cell_type"] == "markdown" and "".join(found[0]["source"]).startswith("# ")
    for cell in found:
        if cell["cell_type"] == "code":
            assert cell["outputs"] == [] and cell["execution_count"] is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_without_the_survey(
    path: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NSER_PMT_DATA", str(place / "absent"))
    run(path)
    said = capsys.readouterr().out
    assert "HIICS" not in said
    assert "SYNTHETIC" in said or path.stem.startswith("03")


@pytest.mark.data
@pytest.mark.parametrize("path", NOTEBOOKS[:2], ids=lambda path: path.stem)
def test_a_notebook_runs_on_the_survey(
    path: Path,
    place: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("NSER_PMT_DATA", str(shared_data.resolve()))
    found = run(path)
    assert "HIICS" in capsys.readouterr().out
    if path.stem.startswith("02"):
        assert found["calibrated"].report["worst"].max() < 1e-9
        return
    # Out of sample by sampling unit: no worse than plain least squares on random halves.
    errors = found["errors_of"].drop("formula")
    for name, most in {
        "seven questions": (0.637, 0.462, 0.359, 0.295),
        "all questions": (0.590, 0.436, 0.328, 0.264),
    }.items():
        row = errors.filter(found["errors_of"]["formula"] == name).row(0)
        assert all(value <= limit for value, limit in zip(row, most, strict=True))
