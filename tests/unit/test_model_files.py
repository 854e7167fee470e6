"""Model files: strict reading, exact round trips, safe writing, and what the linter finds."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given

import nser_pmt as nser
from nser_pmt import _files
from nser_pmt.scoring.lint import lint
from nser_pmt.scoring.model import Bin, MinMax, Model, Round
from strategies import models

TOML = """
schema_version = 1
id = "small"
title = "A small model"
country = "PK"
year = 2024
source = "tests"
licence = "none"
status = "research"
unit = "household"
direction = "lower_is_poorer"
range = [0, 100]
intercept = 10

[inputs.toilet]
type = "category"
[inputs.hhsize]
type = "integer"
unit = "persons"
min = 1
max = 30
[inputs.rooms]
type = "number"
unit = "rooms"
min = 0
max = 20
[inputs.crowding]
type = "number"
ratio = ["rooms", "hhsize"]

[[terms]]
id = "toilet"
kind = "levels"
input = "toilet"
missing = "null"
unknown = 0
levels = [
  { values = ["flush"], points = 20 },
  { values = ["none", "open"], points = 0, label = "none" },
]

[[terms]]
id = "crowding"
kind = "bins"
input = "crowding"
missing = "null"
out_of_range = "error"
bins = [{ le = 0.2, points = 0 }, { gt = 0.2, points = 12.5 }]

[[terms]]
id = "size"
kind = "linear"
input = "hhsize"
coefficient = -0.5
transform = "log"
clip_max = 12
missing = "null"
out_of_range = "null"

[[terms]]
id = "both"
kind = "table"
inputs = ["toilet", "hhsize"]
missing = "null"
unknown = 1.5
cells = [{ first = ["flush"], second = [1, 2], points = 3 }]

[[terms]]
id = "area"
kind = "product"
inputs = ["rooms", "hhsize"]
coefficient = 0.01
missing = "null"
out_of_range = "null"

[[steps]]
kind = "min_max"
low = 0
high = 60

[[steps]]
kind = "round"
digits = 2
mode = "half_even"

[cutoffs.poor]
value = 16.17
side = "exclusive"

[likelihoods.nl100]
title = "National line"
bands = [{ lt = 50, probability = 0.9 }, { ge = 50, probability = 0.1 }]
"""

STRATA = """
[strata]
input = "region"
missing = "null"
unknown = "error"
models = [{ values = ["urban"], intercept = 1, terms = [] }]
"""


@pytest.fixture
def data() -> dict[str, Any]:
    plain: dict[str, Any] = json.loads(Model.from_toml(TOML).to_json())
    return plain


def read(data: object) -> Model:
    return Model.from_json(json.dumps(data))


# ---------------------------------------------------------------- strictness

Change = Callable[[dict[str, Any]], object]


def put(*path: Any) -> Change:
    """Set the value at a path; the last item is the value."""
    *keys, last, value = path

    def change(data: dict[str, Any]) -> None:
        at: Any = data
        for key in keys:
            at = at[key]
        at[last] = value

    return change


def drop(*path: Any) -> Change:
    *keys, last = path

    def change(data: dict[str, Any]) -> None:
        at: Any = data
        for key in keys:
            at = at[key]
        del at[last]

    return change


def double_term(data: dict[str, Any]) -> None:
    data["terms"].append(data["terms"][0])


FAULTS: dict[str, tuple[Change, str, str]] = {
    "unknown key": (put("titel", "x"), "unknown_key", "titel: unknown key. Did you mean 'title'?"),
    "unknown key of an input": (
        put("inputs", "hhsize", "units", "x"),
        "unknown_key",
        "inputs.hhsize.units: unknown key. Did you mean 'unit'?",
    ),
    "name inside an input": (
        put("inputs", "hhsize", "name", "x"),
        "unknown_key",
        "inputs.hhsize.name: unknown key",
    ),
    "unknown key of a level": (
        put("terms", 0, "levels", 1, "point", 3),
        "unknown_key",
        "terms[0].levels[1].point: unknown key. Did you mean 'points'?",
    ),
    "unknown key of a bin": (
        put("terms", 1, "bins", 0, "max", 3),
        "unknown_key",
        "terms[1].bins[0].max: unknown key",
    ),
    "text for a number": (put("intercept", "10"), "wrong_type", "intercept: expected a finite"),
    "number for text": (put("title", 3), "wrong_type", "title: expected text"),
    "boolean for a number": (put("intercept", True), "wrong_type", "intercept: expected a finite"),
    "fraction for a year": (put("year", 2024.5), "wrong_type", "year: expected a whole number"),
    "boolean for a year": (put("year", True), "wrong_type", "year: expected a whole number"),
    "word not in the list": (
        put("direction", "up"),
        "wrong_type",
        "direction: expected 'lower_is_poorer' or 'higher_is_poorer'",
    ),
    "unknown kind of term": (
        put("terms", 0, "kind", "tree"),
        "wrong_type",
        "terms[0].kind: expected 'levels' or 'bins'",
    ),
    "no kind": (drop("terms", 0, "kind"), "wrong_type", "terms[0].kind: expected 'levels'"),
    "unknown kind of step": (
        put("steps", 0, "kind", "sqrt"),
        "wrong_type",
        "steps[0].kind: expected 'affine'",
    ),
    "policy that is no policy": (
        put("terms", 2, "missing", "zero"),
        "wrong_type",
        "terms[2].missing: expected 'null' or 'error' or a finite number",
    ),
    "policy true": (put("terms", 2, "missing", True), "wrong_type", "terms[2].missing: expected"),
    "NaN points": (
        put("terms", 1, "bins", 1, "points", float("nan")),
        "wrong_type",
        "terms[1].bins[1].points: expected a finite number",
    ),
    "infinite edge": (
        put("terms", 1, "bins", 0, "le", float("inf")),
        "wrong_type",
        "terms[1].bins[0].le: expected a finite number",
    ),
    "integer too large for a double": (
        put("terms", 1, "bins", 0, "points", 10**400),
        "wrong_type",
        "terms[1].bins[0].points: expected a finite number",
    ),
    "null in a list": (
        put("terms", 0, "levels", 0, "values", [None]),
        "wrong_type",
        "terms[0].levels[0].values[0]: expected",
    ),
    "fraction as a level": (
        put("terms", 0, "levels", 0, "values", [1.5]),
        "wrong_type",
        "terms[0].levels[0].values[0]: expected",
    ),
    "text for a list": (
        put("terms", 0, "levels", 0, "values", "flush"),
        "wrong_type",
        "terms[0].levels[0].values: expected a list",
    ),
    "range of three": (put("range", [0, 1, 2]), "wrong_type", "range: expected a list"),
    "list for a table": (put("inputs", []), "wrong_type", "inputs: expected a table"),
    "text for an input": (put("inputs", "rooms", "number"), "wrong_type", "inputs.rooms: expected"),
    "missing key": (drop("licence"), "missing_key", "licence: missing"),
    "missing key of a term": (drop("terms", 2, "missing"), "missing_key", "terms[2].missing: miss"),
    "missing key of a cell": (
        drop("terms", 3, "cells", 0, "points"),
        "missing_key",
        "terms[3].cells[0].points: missing",
    ),
    "no schema version": (drop("schema_version"), "schema_version", "schema_version: expected 1"),
    "later schema version": (put("schema_version", 2), "schema_version", "schema_version: expect"),
    "text as schema version": (put("schema_version", "1"), "schema_version", "schema_version: exp"),
    "schema version true": (put("schema_version", True), "wrong_type", "schema_version: expected"),
    "same term twice": (double_term, "bad_reference", "terms: the id 'toilet' is taken"),
    "term called intercept": (
        put("terms", 0, "id", "intercept"),
        "bad_reference",
        "terms: the id 'intercept' is taken",
    ),
    "input not declared": (
        put("terms", 0, "input", "toilets"),
        "bad_reference",
        "inputs: 'toilets' is used but not declared",
    ),
    "ratio of nothing": (
        put("inputs", "crowding", "ratio", ["rooms", "people"]),
        "bad_reference",
        "inputs.crowding.ratio: 'people' is not a declared column",
    ),
    "ratio of a ratio": (
        put("inputs", "crowding", "ratio", ["rooms", "crowding"]),
        "bad_reference",
        "inputs.crowding.ratio: 'crowding' is not a declared column",
    ),
    "ratio of a category": (
        put("inputs", "crowding", "ratio", ["toilet", "hhsize"]),
        "wrong_input_type",
        "inputs.crowding.ratio: 'toilet'",
    ),
    "no terms": (put("terms", []), "bad_reference", "a model has either terms or strata"),
    "levels without points": (
        drop("terms", 0, "levels", 1, "points"),
        "points_missing",
        "term 'toilet', entry 1: points are missing",
    ),
    "bins without points": (
        drop("terms", 1, "bins", 0, "points"),
        "points_missing",
        "term 'crowding', entry 0: points are missing",
    ),
    "levels of a number": (
        put("terms", 0, "input", "rooms"),
        "wrong_input_type",
        "term 'toilet': levels need a category, not the number 'rooms'",
    ),
    "table of a number": (
        put("terms", 3, "inputs", ["toilet", "rooms"]),
        "wrong_input_type",
        "term 'both': levels need a category, not the number 'rooms'",
    ),
    "bins of a category": (
        put("terms", 1, "input", "toilet"),
        "wrong_input_type",
        "term 'crowding': needs a number, but 'toilet' is a category",
    ),
    "two lower edges": (
        put("terms", 1, "bins", 1, "ge", 0.3),
        "bad_bin",
        "terms[1].bins[1]: a bin has one lower and one upper edge",
    ),
    "two upper edges": (
        put("terms", 1, "bins", 0, "lt", 0.3),
        "bad_bin",
        "terms[1].bins[0]: a bin has one lower and one upper edge",
    ),
    "level beyond doubles": (
        put("terms", 0, "levels", 0, "values", [2**53]),
        "bad_level",
        "term 'toilet': an integer level is too large",
    ),
    "cell beyond doubles": (
        put("terms", 3, "cells", 0, "second", [2**70]),
        "bad_level",
        "term 'both': an integer level is too large",
    ),
    "step without a span": (
        put("steps", 0, "high", 0),
        "bad_step",
        "steps[0]: low and high must differ",
    ),
    "too many digits": (
        put("steps", 1, "digits", 16),
        "bad_step",
        "steps[1]: digits must be from -15 to 15",
    ),
    "text that is not Unicode": (put("title", "\ud800"), "wrong_type", "title: expected text"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_names_its_place(fault: str, data: dict[str, Any]) -> None:
    change, code, message = FAULTS[fault]
    change(data)
    with pytest.raises(nser.ModelError) as caught:
        read(data)
    assert str(caught.value).startswith(message)
    assert caught.value.code == code
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TOML + STRATA, "a model has either terms or strata"),
        (TOML[: TOML.index("[[terms]]")] + STRATA, "strata: each sub-model has its own intercept"),
        (TOML.replace("range = [0, 100]", "range = [0, nan]"), "range: expected a list"),
        (TOML.replace("intercept = 10", "intercept = inf"), "intercept: expected a finite number"),
        (TOML + "x", "not valid TOML"),
        ("", "schema_version: expected 1"),
    ],
)
def test_faults_of_toml(text: str, message: str) -> None:
    with pytest.raises(nser.ModelError, match=message.replace("[", r"\[")):
        Model.from_toml(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[1]", "null", b"\xff{}", '{"schema_version": 1}', "[" * 100_000, "9" * 5_000],
    ids=["empty", "half", "list", "null", "not UTF-8", "almost nothing", "deep", "long number"],
)
def test_no_json_text_is_anything_but_a_model_error(text: str | bytes) -> None:
    with pytest.raises(nser.ModelError):
        Model.from_json(text)


def test_a_key_given_twice_is_refused(data: dict[str, Any]) -> None:
    """TOML refuses it by itself; JSON readers take the last one in silence."""
    text = json.dumps(data)
    with pytest.raises(nser.ModelError, match="title"):
        Model.from_json(text[:-1] + ', "title": "Another"}')


def test_strata_have_their_own_terms(data: dict[str, Any]) -> None:
    sub = {"values": ["urban"], "intercept": 1, "terms": data.pop("terms")}
    del data["intercept"]
    data["inputs"]["region"] = {"type": "category"}
    data["strata"] = {"input": "region", "missing": "null", "unknown": "null", "models": [sub]}
    assert read(data).columns == ("region", "toilet", "rooms", "hhsize")
    data["strata"]["models"][0]["terms"][2]["coefficient"] = None
    with pytest.raises(nser.ModelError, match=r"strata\.models\[0\]\.terms\[2\]\.coefficient: "):
        read(data)
    data["strata"]["models"][0]["terms"][2]["coefficient"] = 1
    with pytest.raises(nser.ModelError, match="strata: each sub-model has its own intercept"):
        read(data | {"intercept": 3})
    data["strata"]["models"] = []
    with pytest.raises(nser.ModelError, match="strata"):
        read(data)


# ---------------------------------------------------------------- round trips


def test_toml_means_what_it_says() -> None:
    model = Model.from_toml(TOML)
    assert model.intercept == 10.0
    assert model.columns == ("toilet", "rooms", "hhsize")
    assert model.terms[0].unknown == 0.0  # type: ignore[union-attr]
    assert model.terms[1].bins == (Bin(le=0.2, points=0.0), Bin(gt=0.2, points=12.5))  # type: ignore[union-attr]
    assert model.terms[3].cells[0].second == (1, 2)  # type: ignore[union-attr]
    assert model.steps == (MinMax(low=0.0, high=60.0), Round(digits=2, mode="half_even"))
    assert model.cutoff("poor").value == 16.17
    assert model.lint() == ()


def test_toml_to_json_and_back() -> None:
    model = Model.from_toml(TOML)
    again = Model.from_json(model.to_json())
    assert again == model
    assert again.to_json() == model.to_json()
    assert again.digest == model.digest
    assert Model.from_json(model.to_json().encode()) == model
    assert replace(model, title="Another").digest != model.digest


@pytest.mark.parametrize("name", ["bisp-psc-2009", "hiics-2016-research", "schreiner-pk-2009"])
def test_bundled_models_survive(name: str, tmp_path: Path) -> None:
    model = nser.load_model(name)
    model.save(tmp_path / "model.json")
    assert nser.load_model(tmp_path / "model.json") == model


@given(models())
def test_random_models_survive(model: Model) -> None:
    again = Model.from_json(model.to_json())
    assert again == model
    # True == 1, so look at the text too; -0.0 is 0.0, the default of many fields
    assert repr(vars(again)).replace("-0.0", "0.0") == repr(vars(model)).replace("-0.0", "0.0")
    assert again.digest == model.digest


def test_pickle_and_copy() -> None:
    model = nser.load_model("schreiner-pk-2009")
    answers = nser.synth.households(1, seed=1).row(0, named=True)
    want = model.score_one(answers)
    for twin in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert twin == model
        assert hash(twin) == hash(model)
        assert twin.score_one(answers) == want
    with pytest.raises(FrozenInstanceError):
        model.title = "x"  # type: ignore[misc]


def test_errors_survive_pickling() -> None:
    error = nser.DomainError("column 'a', row 3", code="missing_value", column="a", row=3, hint="h")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (nser.DomainError, str(error))
    assert vars(again) == vars(error)


# ---------------------------------------------------------------- files


def test_save_and_load(tmp_path: Path) -> None:
    model = Model.from_toml(TOML)
    model.save(tmp_path / "model.json")
    assert nser.load_model(tmp_path / "model.json") == model
    assert nser.load_model(str(tmp_path / "model.json")) == model
    replace(model, title="Second").save(tmp_path / "model.json")
    assert nser.load_model(tmp_path / "model.json").title == "Second"
    assert [p.name for p in tmp_path.iterdir()] == ["model.json"]


def test_wrong_suffix(tmp_path: Path) -> None:
    for name in ("model.toml", "model", "model.pickle"):
        with pytest.raises(nser.ModelError, match=r"End the path in \.json") as caught:
            Model.from_toml(TOML).save(tmp_path / name)
        assert caught.value.code == "wrong_suffix"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("broken", ["write_text", "replace", "chmod"])
def test_a_failed_save_leaves_the_old_file(broken: str, tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "model.json"
    Model.from_toml(TOML).save(path)
    before = path.read_bytes()

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.Path, broken, fail)
    with pytest.raises(OSError, match="No space left"):
        replace(Model.from_toml(TOML), title="Second").save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_save_into_no_folder(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        Model.from_toml(TOML).save(tmp_path / "nowhere" / "model.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OSError):
        Model.from_toml(TOML).save(tmp_path / "folder.json")


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("absent.toml", None, "unreadable_file"),
        ("latin.toml", "title = 'é'".encode("latin-1"), "unreadable_file"),
        ("broken.toml", b"title", "not_toml"),
        ("broken.json", b"{", "not_json"),
        ("model.yaml", b"", "no_such_model"),
        ("no-such-model", None, "no_such_model"),
    ],
)
def test_files_that_are_no_models(
    name: str, content: bytes | None, code: str, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(nser.ModelError) as caught:
        nser.load_model(tmp_path / name)
    assert caught.value.code == code


def test_load_raises_what_the_linter_calls_an_error(tmp_path: Path) -> None:
    text = TOML.replace("gt = 0.2", "gt = 0.1")
    (tmp_path / "model.toml").write_text(text, encoding="utf-8")
    with pytest.raises(
        nser.ModelError, match=r"bins overlap near 0\.15 \[bins-overlap\]"
    ) as caught:
        nser.load_model(tmp_path / "model.toml")
    assert caught.value.code == "lint"
    assert nser.load_model(tmp_path / "model.toml", lint="ignore").id == "small"


# ---------------------------------------------------------------- templates


@pytest.fixture
def template(data: dict[str, Any]) -> Model:
    drop("terms", 0, "levels", 1, "points")(data)
    drop("terms", 1, "bins", 0, "points")(data)
    return read(data | {"status": "template"})


def test_a_template_does_not_score(template: Model) -> None:
    frame = pl.DataFrame({c: [1] for c in template.columns})
    calls: list[Callable[[], object]] = [
        lambda: nser.score(frame, template),
        lambda: nser.score(frame.lazy(), template),
        lambda: nser.explain(frame, template, id="rooms"),
        lambda: template.score_expr(),
        lambda: template.status_expr(),
        lambda: template.score_one({"toilet": "flush", "rooms": 1, "hhsize": 1}),
        lambda: template.explain_one({}),
    ]
    for call in calls:
        with pytest.raises(nser.ModelError, match="its points are not public") as caught:
            call()
        assert caught.value.code == "points_not_public"


def test_a_template_shows_lints_and_travels(template: Model) -> None:
    assert "TEMPLATE without points" in repr(template)
    assert template.lint() == ()
    assert pickle.loads(pickle.dumps(template)) == template
    assert Model.from_json(template.to_json()) == template
    frame = pl.DataFrame({"toilet": ["flush"], "rooms": [1.0], "hhsize": [3]})
    assert nser.diagnose(frame, template)["unknown"].to_list() == [0, 0, 1]


# ---------------------------------------------------------------- lint

FINDINGS: dict[str, tuple[list[Change], str, str]] = {
    "duplicate-level": (
        [put("terms", 0, "levels", 1, "values", ["none", "flush"])],
        "error",
        "terms[0] 'toilet': the level 'flush' is listed twice",
    ),
    "duplicate-level of a table": (
        [put("terms", 3, "cells", 0, "second", [1, 1])],
        "error",
        "terms[3] 'both': the level ('flush', 1) is listed twice",
    ),
    "bins-overlap": (
        [put("terms", 1, "bins", 1, {"ge": 0.2, "points": 12.5})],
        "error",
        "terms[1] 'crowding': bins overlap near 0.2",
    ),
    "bins-gap": (
        [put("terms", 1, "bins", 0, {"lt": 0.2, "points": 0})],
        "warning",
        "terms[1] 'crowding': no bin holds numbers near 0.2",
    ),
    "unreachable-bin": (
        [put("terms", 1, "bins", 0, {"gt": 0.3, "lt": 0.1, "points": 0})],
        "warning",
        "terms[1] 'crowding': no number falls in bin 0",
    ),
    "unreachable-bin of whole numbers": (
        [
            put("terms", 1, "input", "hhsize"),
            put("terms", 1, "bins", [{"gt": 1, "lt": 2, "points": 1}, {"ge": 2, "points": 2}]),
        ],
        "warning",
        "terms[1] 'crowding': no number falls in bin 0",
    ),
    "non-monotone-points": (
        [
            put(
                "terms",
                1,
                "bins",
                [{"le": 1, "points": 1}, {"gt": 1, "le": 2, "points": 3}, {"gt": 2, "points": 2}],
            )
        ],
        "warning",
        "terms[1] 'crowding': points go up and down along the bins",
    ),
    "unused-input": (
        [put("inputs", "spare", {"type": "category"})],
        "warning",
        "inputs.spare: no term reads it",
    ),
    "unit-missing": (
        [drop("inputs", "rooms", "unit")],
        "warning",
        "inputs.rooms: a number without a unit",
    ),
    "bad-range": ([put("range", [100, 0])], "error", "range: low is not below high"),
    "score-outside-range": (
        [put("intercept", 40)],
        "warning",
        "range: scores reach from ",
    ),
    "score-outside-range by a policy": (
        [put("terms", 0, "unknown", -30)],
        "warning",
        "range: scores reach from ",
    ),
    "cutoff-side-unknown": (
        [put("cutoffs", "poor", "side", "unknown")],
        "warning",
        "cutoffs.poor: the source does not say which side is meant",
    ),
    "cutoff-outside-range": (
        [put("cutoffs", "poor", "value", 100.5)],
        "warning",
        "cutoffs.poor: no score can be there",
    ),
    "bad-probability": (
        [put("likelihoods", "nl100", "bands", 0, "probability", 1.5)],
        "error",
        "likelihoods.nl100: a probability lies outside 0 to 1",
    ),
    "non-monotone-likelihood": (
        [put("likelihoods", "nl100", "bands", 1, "probability", 0.95)],
        "warning",
        "likelihoods.nl100: 1 step(s) where a better-off band is more likely to be poor",
    ),
    "bins-gap of a likelihood": (
        [put("likelihoods", "nl100", "bands", 1, "ge", 60)],
        "warning",
        "likelihoods.nl100: no bin holds numbers near 50",
    ),
    "bins-overlap of a likelihood": (
        [put("likelihoods", "nl100", "bands", 0, {"le": 50, "probability": 0.9})],
        "error",
        "likelihoods.nl100: bins overlap near 50",
    ),
}


@pytest.mark.parametrize("finding", FINDINGS)
def test_lint_finds_one_fault(finding: str, data: dict[str, Any]) -> None:
    changes, level, text = FINDINGS[finding]
    assert read(data).lint() == ()
    for change in changes:
        change(data)
    found = [f for f in read(data).lint() if f.code == finding.split()[0]]
    assert [f.level for f in found] == [level]
    assert str(found[0]).startswith(text)
    assert str(found[0]).endswith(f"[{found[0].code}]")


def test_every_code_of_the_linter_is_here() -> None:
    source = Path(lint.__code__.co_filename).read_text(encoding="utf-8")
    codes = re.findall(r'(?:_warn\(|code=)\s*"([a-z]+-[a-z-]+)"', source)
    assert set(codes) == {name.split()[0] for name in FINDINGS}


def test_lint_of_strata(data: dict[str, Any]) -> None:
    terms = data.pop("terms")
    data["inputs"]["region"] = {"type": "category"}
    one = {"values": ["urban", "city"], "intercept": data.pop("intercept"), "terms": terms}
    two = copy.deepcopy(one) | {"values": ["rural", "city"]}
    two["terms"][1]["bins"][0]["le"] = 0.1
    data["strata"] = {"input": "region", "missing": "null", "unknown": "null", "models": [one, two]}
    found = [(f.level, str(f)) for f in read(data).lint()]
    assert found == [
        ("error", "strata: the level 'city' is listed twice [duplicate-level]"),
        (
            "warning",
            "strata.models[1].terms[1] 'crowding': no bin holds numbers near 0.15 [bins-gap]",
        ),
    ]


@pytest.mark.parametrize(("term", "part"), [(0, "levels"), (1, "bins"), (3, "cells")])
def test_a_term_without_parts_can_be_linted(term: int, part: str, data: dict[str, Any]) -> None:
    data["terms"][term][part] = []
    read(data).lint()


def test_lint_counts_the_steps_of_the_scale(data: dict[str, Any]) -> None:
    """Raw points up to 51.5 of 60 are a score from 0 to 100; with a wider scale they are not."""
    data["steps"].append({"kind": "affine", "multiply": 1.5})
    assert [f.code for f in read(data).lint()] == ["score-outside-range"]
    data["steps"].append({"kind": "clip", "min": 0, "max": 100})
    assert read(data).lint() == ()


def test_cutoffs_and_likelihoods_by_name() -> None:
    model = Model.from_toml(TOML)
    for call in (model.cutoff, model.likelihood):
        with pytest.raises(nser.ModelError, match="'rich'") as caught:
            call("rich")
        assert caught.value.code == "no_such_name"
    scores = pl.DataFrame({"pmt_score": [16.0, 16.17, 16.2, None]})
    below = scores.select(model.eligible_expr("poor"))
    assert below.to_dict(as_series=False) == {"below_poor": [True, False, False, None]}
    for direction, side, want in (
        ("lower_is_poorer", "inclusive", [True, True, False, None]),
        ("higher_is_poorer", "inclusive", [False, True, True, None]),
        ("higher_is_poorer", "exclusive", [False, False, True, None]),
    ):
        other = replace(model, direction=direction, cutoffs=(replace(model.cutoffs[0], side=side),))
        assert scores.select(other.eligible_expr("poor")).to_series().to_list() == want
    unknown = replace(model, cutoffs=(replace(model.cutoffs[0], side="unknown"),))
    with pytest.raises(nser.ModelError, match="does not say") as caught:
        unknown.eligible_expr("poor")
    assert caught.value.code == "cutoff_side_unknown"


@pytest.mark.parametrize("suffix", [".toml", ".json"])
def test_a_fault_in_a_file_names_the_file(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"model{suffix}"
    path.write_text("schema_version = 1\nid = 3" if suffix == ".toml" else '{"schema_version": 1}')
    with pytest.raises(nser.ModelError, match=f"model{suffix}: "):
        nser.load_model(path)
