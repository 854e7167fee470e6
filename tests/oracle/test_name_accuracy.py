"""How well names are matched: the development name pairs, from which nothing was learned.

One Urdu word's romanisations are spellings of one name; labels carry noise. The targets leave a
margin to what is measured (in the docstring of `names.similarity`).
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

REPO = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pairs(shared_data: Path) -> dict[str, Any]:
    file = shared_data / "identity" / "roman_urdu_name_pairs_dev.json"
    if not file.is_file():
        pytest.skip(f"no {file.name}")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf8"))
    return found


def learner() -> Any:
    """`tools/learn_name_costs.py`, which has the measures."""
    spec = importlib.util.spec_from_file_location("learn", REPO / "tools" / "learn_name_costs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def similarities(of: list[tuple[str, str]]) -> np.ndarray:
    frame = pl.DataFrame(of, schema=["a", "b"], orient="row")
    return frame.select(nser.names.similarity("a", "b").fill_null(0))["a"].to_numpy()


def usual(forms: dict[str, int]) -> str:
    return max(sorted(forms), key=forms.__getitem__)


def test_roman_spellings_of_one_name(pairs: dict[str, Any]) -> None:
    found = learner().measures(similarities(pairs["same"]), similarities(pairs["different"]))
    print(found)
    assert found["R@1%"] >= 0.985
    assert found["F1"] >= 0.98
    assert found["AUC"] >= 0.995


def test_urdu_finds_its_roman_form(pairs: dict[str, Any]) -> None:
    words = sorted(pairs["urdu"])
    own = [usual(pairs["urdu"][word]) for word in words]
    names = sorted(set(own))
    found = similarities([(w, n) for w in words for n in names]).reshape(len(words), -1)
    at = found[np.arange(len(words)), [names.index(n) for n in own]]
    rank = (found >= at[:, None]).sum(axis=1)  # a tie is a loss
    print((rank <= 1).mean(), (rank <= 5).mean())
    assert (rank <= 1).mean() >= 0.90
    assert (rank <= 5).mean() >= 0.985


def test_one_scale_for_two_scripts(pairs: dict[str, Any]) -> None:
    """At .5 both kinds of pairs are found about equally often."""
    roman = (similarities(pairs["same"]) >= 0.5).mean()
    forms = [(word, form) for word in pairs["urdu"] for form in pairs["urdu"][word]]
    across = (similarities(forms) >= 0.5).mean()
    assert abs(roman - across) < 0.02


def test_the_learner_folds_as_the_library_does(pairs: dict[str, Any]) -> None:
    fold = learner().match_form
    words = sorted(pairs["urdu"])
    assert [fold(word) for word in words] == [nser.names.fold_one(word) for word in words]
