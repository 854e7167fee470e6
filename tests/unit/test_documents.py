"""What the README and the documents show is run."""

from __future__ import annotations

import dataclasses
import doctest
import re
from pathlib import Path

import pytest

import nser_pmt as nser
from nser_pmt.scoring.model import Model

REPO = Path(__file__).parents[2]


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)


# What has no session is prose, or data that other tests read.
SESSIONS = sorted(
    str(path.relative_to(REPO))
    for path in [REPO / "README.md", *(REPO / "docs").rglob("*.md")]
    if any(">>>" in block for block in blocks(path, "python"))
)


@pytest.mark.parametrize("name", SESSIONS)
def test_code_of_a_document_runs_and_prints_what_it_says(name: str) -> None:
    text = "\n".join(blocks(REPO / name, "python"))
    test = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    results = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test)
    assert results.attempted == text.count(">>> ") and results.failed == 0


def test_readme_shows_an_example_early() -> None:
    lines = (REPO / "README.md").read_text(encoding="utf-8").splitlines()
    assert "```python" in lines[:40]


def test_the_documented_model_loads_lints_and_scores() -> None:
    toml, strata = blocks(REPO / "docs" / "models.md", "toml")
    model = Model.from_toml(toml)
    assert model.lint() == ()
    kinds = {term.kind for term in model.terms} | {step.kind for step in model.steps}
    assert kinds == {
        *("levels", "bins", "linear", "product", "table"),
        *("affine", "min_max", "clip", "round"),
    }
    household = {"province": "Punjab", "tv": "yes", "children": 2}
    score, status = model.score_one(household | {"rooms": 3, "hhsize": 10, "land": 0.0})
    assert status == "ok" and score is not None and 0 <= score <= 100
    assert "[strata]" in strata


def test_the_documented_run_has_every_key(tmp_path: Path) -> None:
    (text,) = blocks(REPO / "docs" / "run.md", "toml")
    (tmp_path / "run.toml").write_text(text, encoding="utf-8")
    config = nser.load_pipeline(tmp_path / "run.toml")
    for part in (config, config.verify, config.duplicates, config.score, config.programmes[0]):
        for field in dataclasses.fields(part):
            assert field.name == "folder" or field.name in text


@pytest.mark.parametrize("target", ["demo", "test", "bench", "lint", "help"])
def test_readme_names_the_commands(target: str) -> None:
    assert f"make {target}" in (REPO / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^{target}:.*##", (REPO / "Makefile").read_text(), re.MULTILINE)


def test_changelog_says_whether_numbers_changed() -> None:
    text = (REPO / "CHANGELOG.md").read_text(encoding="utf-8")
    entries = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert entries and all("numbers:" in entry.lower() for entry in entries)
    assert f"{nser.__version__}" in entries[0].splitlines()[0]
