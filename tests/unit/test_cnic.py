"""Identity numbers: the cases of tests/vectors/cnic.toml, and what only Python has."""

from __future__ import annotations

import hmac
import inspect
import pickle
import subprocess
import sys
import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import cnic
from nser_pmt.errors import DomainError, SchemaError

VECTORS = tomllib.loads((Path(__file__).parents[1] / "vectors" / "cnic.toml").read_text("utf-8"))
PLACES = ("province", "district", "tehsil")
GOOD = "35202-1234567-1"
KEY = bytes(range(32))


def outcomes(case: dict[str, Any]) -> list[dict[str, Any]]:
    """What each form of a case must give, texts first, then int, float, float32."""
    texts = [*([case["text"]] if "text" in case else []), *case.get("texts", [])]
    forms = len(texts) + sum(form in case for form in ("int", "float", "float32"))
    numbers = case.get("number")
    if not isinstance(numbers, list):
        numbers = [numbers] * forms
    return [
        {
            "number": number,
            "kind": case["kind"],
            "issue": case.get("issue", "none"),
            **{place: case.get(place) for place in PLACES},
            "sex": case.get("sex"),
        }
        for number in numbers
    ]


def columns(case: dict[str, Any]) -> list[pl.Series]:
    """Return the forms of a case as Series, texts first."""
    texts = [*([case["text"]] if "text" in case else []), *case.get("texts", [])]
    found = [pl.Series("x", texts, dtype=pl.String)] if texts else []
    if "int" in case:
        found.append(pl.Series("x", [case["int"]], dtype=pl.Int64))
    if "float" in case:
        found.append(pl.Series("x", [case["float"]], dtype=pl.Float64))
    if "float32" in case:
        found.append(pl.Series("x", [case["float32"]], dtype=pl.Float32))
    return found


@pytest.mark.parametrize("case", VECTORS["case"], ids=lambda case: case["why"])
def test_every_form_has_its_outcome(case: dict[str, Any]) -> None:
    want = iter(outcomes(case))
    for series in columns(case):
        expected = [next(want) for _ in series]
        assert series.to_frame().select(cnic.parse("x"))["x"].to_list() == expected
        if series.dtype == pl.String:
            coded = series.cast(pl.Categorical).to_frame()
            assert coded.select(cnic.parse("x"))["x"].to_list() == expected
        if series.dtype != pl.Float32:
            assert [cnic.parse_one(value) for value in series] == expected
        numbers = [e["number"] for e in expected]
        digits = [None if n is None else str(n) for n in numbers]
        frame = series.to_frame()
        assert frame.select(cnic.normalize("x"))["x"].to_list() == digits
        assert frame.select(cnic.is_valid("x"))["x"].to_list() == [n is not None for n in numbers]
        dashed = [None if d is None else f"{d[:5]}-{d[5:12]}-{d[12]}" for d in digits]
        assert frame.select(cnic.format("x"))["x"].to_list() == dashed
        masked = [None if d is None else f"{d[:5]}-*******-*" for d in dashed]
        assert frame.select(cnic.mask("x"))["x"].to_list() == masked


def test_what_python_stdnum_gets_wrong_is_in_the_cases() -> None:
    wrong = [case["stdnum"] for case in VECTORS["case"] if "stdnum" in case]
    assert wrong.count("rejects") >= 8 and wrong.count("accepts") >= 4
    for case in VECTORS["case"]:
        if case.get("stdnum") == "rejects":
            assert case["kind"] == "cnic"
        elif case.get("stdnum") == "accepts":
            assert case["kind"] != "cnic" or case["issue"] != "none"


@pytest.mark.parametrize(
    "dtype", [pl.Int64, pl.UInt64, pl.Float64, pl.Decimal(20, 2), pl.Int128, pl.String]
)
def test_every_type_that_holds_thirteen_digits(dtype: Any) -> None:
    frame = pl.DataFrame({"x": pl.Series([3520212345671, None], dtype=pl.Int64).cast(dtype)})
    found = frame.select(cnic.parse("x")).unnest("x")
    assert found["number"].to_list() == [3520212345671, None]
    assert found["kind"].to_list() == ["cnic", "missing"]


@pytest.mark.parametrize("dtype", [pl.Int8, pl.Int16, pl.Int32, pl.UInt8, pl.UInt16, pl.UInt32])
def test_narrow_integers_hold_no_number(dtype: Any) -> None:
    frame = pl.DataFrame({"x": pl.Series([0, 77, None], dtype=dtype)})
    assert frame.select(cnic.parse("x")).unnest("x")["issue"].to_list() == [
        "none",
        "wrong_length",
        "none",
    ]


def test_fractions_and_enums() -> None:
    decimals = pl.DataFrame({"x": [Decimal("3520212345671.50"), Decimal("-3.00")]})
    assert decimals.select(cnic.parse("x")).unnest("x")["issue"].to_list() == [
        "not_whole",
        "negative",
    ]
    kinds = pl.Enum([GOOD, "NIL", "unused"])
    enums = pl.DataFrame({"x": pl.Series(["NIL", GOOD, None] * 5, dtype=kinds)})
    assert enums.select(cnic.is_valid("x"))["x"].to_list() == [False, True, None] * 5


def test_nulls_and_empty_frames() -> None:
    null = pl.DataFrame({"x": [None, None]})
    parsed = null.select(cnic.parse("x")).unnest("x")
    assert parsed["kind"].to_list() == ["missing"] * 2 and parsed["number"].null_count() == 2
    assert null.select(cnic.is_valid("x"))["x"].to_list() == [None, None]
    empty = pl.DataFrame(schema={"x": pl.String})
    for made in (cnic.parse("x"), cnic.repair("x"), cnic.token("x", key=KEY)):
        assert empty.select(made).height == 0


def test_eager_lazy_and_streaming_agree_and_literals_spread() -> None:
    texts = [
        t for case in VECTORS["case"] for s in columns(case) if s.dtype == pl.String for t in s
    ]
    frame = pl.DataFrame(
        {"x": texts * 40, "sex": ["male", "female", None, "other"] * (10 * len(texts))}
    )
    made = [
        cnic.parse("x").alias("p"),
        cnic.parse("x", sex="sex").alias("s"),
        cnic.normalize("x").alias("n"),
        cnic.distance("x", pl.lit(GOOD)).alias("d"),
    ]
    eager = frame.select(made)
    assert frame.lazy().select(made).collect().equals(eager)
    assert frame.lazy().select(made).collect(engine="streaming").equals(eager)
    assert frame.lazy().select(made).collect_schema() == eager.schema
    sliced = pl.concat([frame[:7], frame[7:1000], frame[1000:]], rechunk=False).select(made)
    assert sliced.equals(eager)


@pytest.mark.parametrize("case", VECTORS["sex"], ids=lambda case: case["issue"])
def test_recorded_sex(case: dict[str, Any]) -> None:
    frame = pl.DataFrame({"x": case["text"], "sex": case["words"]})
    for dtype in (pl.String, pl.Categorical):
        found = frame.select(cnic.parse("x", sex=pl.col("sex").cast(dtype))).unnest("x")
        assert set(found["issue"]) == {case["issue"]}
    assert {cnic.parse_one(case["text"], sex=w)["issue"] for w in case["words"]} == {case["issue"]}


def test_slips_have_their_class() -> None:
    pairs = [pair for group in VECTORS["distance"] for pair in group["pairs"]]
    frame = pl.DataFrame(pairs, schema=["a", "b", "edit", "count"], orient="row")
    found = frame.select(cnic.distance("a", "b").alias("d")).unnest("d")
    assert found["edit"].cast(pl.String).to_list() == frame["edit"].to_list()
    assert found["count"].to_list() == frame["count"].to_list()
    assert cnic.distance_one(GOOD, "NIL") == {"edit": None, "count": None}


@pytest.mark.parametrize("show", ["prefix", "prefix_and_last", "province", "none"])
def test_masks_show_what_they_say(show: Any) -> None:
    want = {
        "prefix": "35202-*******-*",
        "prefix_and_last": "35202-*******-1",
        "province": "3****-*******-*",
        "none": "*****-*******-*",
    }
    assert cnic.mask_one(GOOD, show=show) == want[show]
    frame = pl.DataFrame({"x": [GOOD, "secret text", None]})
    assert frame.select(cnic.mask("x", show=show))["x"].to_list() == [want[show], None, None]


# -- tokens ----------------------------------------------------------------------------------------


def test_tokens_are_those_of_hmac() -> None:
    for case in VECTORS["token"]:
        key = bytes.fromhex(case["key"])
        message = str(case["number"]).encode()
        assert case["hex"] == hmac.new(key, message, "sha256").hexdigest()
        assert cnic.token_one(case["number"], key=key) == case["hex"]
        frame = pl.DataFrame({"x": [GOOD, "NIL", None]})
        assert frame.select(cnic.token("x", key=key))["x"].to_list() == [case["hex"], None, None]
        binary = frame.select(cnic.token("x", key=key, form="binary"))["x"].to_list()
        assert binary == [bytes.fromhex(case["hex"])[:16], None, None]


@pytest.mark.parametrize("key", [b"", b"k" * 31, bytes(64), "text of thirty-two letters or more"])
def test_weak_keys_are_refused_and_not_shown(key: Any) -> None:
    with pytest.raises(DomainError) as caught:
        cnic.token("x", key=key)
    assert caught.value.code == "weak_key"
    assert not key or str(key) not in str(caught.value)


def test_the_key_is_not_in_the_expression() -> None:
    key = b"an unlikely sequence of letters, 42 of them"
    made = cnic.token("x", key=key)
    for shown in (str(made), repr(made), made.meta.serialize(format="json"), pickle.dumps(made)):
        raw = shown if isinstance(shown, bytes) else shown.encode()
        assert key not in raw and key.hex().encode() not in raw
        assert ", ".join(map(str, key[:8])).encode() not in raw
        assert ",".join(map(str, key[:8])).encode() not in raw


def in_another_process(made: pl.Expr, setup: str = "") -> str:
    code = (
        "import sys, pickle, polars as pl, nser_pmt as nser\n"
        f"made = pickle.loads(sys.stdin.buffer.read())\n{setup}\n"
        f"frame = pl.DataFrame({{'x': [{GOOD!r}]}})\n"
        "try:\n    print(frame.select(made)['x'][0])\n"
        "except pl.exceptions.ComputeError as error:\n    print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=pickle.dumps(made), capture_output=True, check=True
    )
    return done.stdout.decode()


def test_an_expression_in_another_process_needs_the_key_there() -> None:
    key = bytes(range(7, 47))
    made = cnic.token("x", key=key)
    alone = in_another_process(made)
    assert "unknown_key" in alone and "3520212345671" not in alone and GOOD not in alone
    setup = "nser.cnic.token('x', key=bytes(range(7, 47)))"
    assert in_another_process(made, setup).strip() == cnic.token_one(GOOD, key=key)


# -- repair ----------------------------------------------------------------------------------------


# Evidence as a number is for Rust only.
REPAIRS = [case for case in VECTORS["repair"] if "log_ratio" not in case]


@pytest.mark.parametrize("case", REPAIRS, ids=lambda case: case["why"])
def test_repairs_are_found_or_refused(case: dict[str, Any]) -> None:
    texts = [*([case["text"]] if "text" in case else []), *case.get("texts", [])]
    options: dict[str, Any] = {"threshold": case.get("threshold", 0.9)}
    if "registry" in case:
        options["index"] = cnic.index(pl.Series(case["registry"]))
    sex = case.get("sex")
    frame = pl.DataFrame({"x": texts}).with_columns(sex=pl.lit(sex, dtype=pl.String))
    rows = frame.select(cnic.repair("x", sex="sex", **options))["x"].to_list()
    for text, found in zip(texts, rows, strict=True):
        assert found == cnic.repair_one(text, sex=sex, **options)
        assert found["outcome"] == case["outcome"]
        assert bool(found["candidates"]) == ("best" in case)
        if "best" in case:
            best = found["candidates"][0]
            assert [best["number"], best["edit"]] == case["best"]
            assert best["posterior"] >= case["at_least"]


REGISTRY = pl.DataFrame(
    {
        "cnic": ["35202-1234569-1", "61101-7654321-8", "61101-7654321-8", None, "NIL"],
        "name": ["Invented Person", "Made Up", "Second Holder", "Nobody", "Nobody"],
        "father": ["First Father", None, None, None, None],
        "dob": [date(1980, 2, 3), date(1990, 1, 1), None, None, None],
    }
)


def test_evidence_decides_whose_number_it_is() -> None:
    people = cnic.index(REGISTRY, name="name", father="father", birth="dob")
    assert len(people) == 2 and repr(people) == "Index(2 numbers; name, father, birth)"
    asked = pl.DataFrame(
        {
            "cnic": ["35202-123456-1"] * 5 + ["61101-7654321-4"],
            "name": [None, "Invented  PERSON", "Someone Else", None, None, "second holder"],
            "dob": [None, None, None, date(1980, 2, 3), date(1981, 2, 3), None],
        }
    )
    made = cnic.repair("cnic", index=people, name="name", birth="dob")
    found = asked.select(made.alias("r")).unnest("r")
    assert found["outcome"].to_list() == [
        "registered_neighbour",
        "found",
        "registered_neighbour",
        "found",
        "registered_neighbour",
        "found",
    ]
    best = found["candidates"].list.first().struct.field("number").to_list()
    assert best == [None, 3520212345691, None, 3520212345691, None, 6110176543218]
    one = cnic.repair_one("35202-123456-1", index=people, birth=date(1980, 2, 3))
    assert one["candidates"][0]["number"] == 3520212345691
    people.release()


def test_a_released_or_foreign_index_is_named_not_shown() -> None:
    with cnic.index(REGISTRY["cnic"]) as people:
        made = cnic.repair("x", index=people)
        assert (
            pl.DataFrame({"x": ["37405-7654321-9"]}).select(made)["x"][0]["outcome"] == "plausible"
        )
        assert "unknown_index" in in_another_process(made)
    with pytest.raises(pl.exceptions.ComputeError, match="unknown_index") as caught:
        pl.DataFrame({"x": [GOOD]}).select(made)
    assert GOOD not in str(caught.value)
    with pytest.raises(TypeError):
        pickle.dumps(people)


def test_settings_out_of_range_are_refused() -> None:
    people = cnic.index(REGISTRY["cnic"])
    bad: list[dict[str, Any]] = [
        {"threshold": 0.0},
        {"threshold": 1.5},
        {"error_rate": 0.0},
        {"coverage": 2.0},
        {"limit": 0},
        {"name": "name"},
        {"index": people, "name": "name"},
    ]
    for options in bad:
        with pytest.raises(DomainError) as caught:
            cnic.repair("x", **options)
        assert caught.value.code == "invalid_option"
    with pytest.raises(DomainError):
        cnic.mask("x", show="all")  # type: ignore[arg-type]
    with pytest.raises(SchemaError):
        cnic.index(REGISTRY, "number")
    people.release()


def test_columns_that_cannot_be_read_are_refused_by_name() -> None:
    frame = pl.DataFrame({"flag": [True], "x": [GOOD], "age": [30]})
    for made in (cnic.parse("flag"), cnic.is_valid("flag"), cnic.distance("x", "flag")):
        with pytest.raises(pl.exceptions.PolarsError, match="flag") as caught:
            frame.select(made)
        assert GOOD not in str(caught.value)
    with pytest.raises(pl.exceptions.PolarsError, match="age"):
        frame.select(cnic.parse("x", sex="age"))
    with pytest.raises(SchemaError):
        cnic.parse_one(True)


# -- any input -------------------------------------------------------------------------------------


def test_long_and_odd_text_has_an_answer() -> None:
    odd = [
        "3" * 1_000_000,
        "\u0627" * 500_000,
        " " * 1_000_000 + GOOD,
        "\u0301" * 1000,
        "\U0001f600",
    ]
    frame = pl.DataFrame({"x": odd})
    kinds = frame.select(cnic.parse("x")).unnest("x")["kind"].to_list()
    assert kinds == ["malformed", "malformed", "cnic", "malformed", "malformed"]
    assert cnic.parse_one("\ud800")["kind"] == "malformed"
    assert cnic.parse_one(10**30)["issue"] == "wrong_length"


def test_everything_is_documented_and_has_a_single_form() -> None:
    for name in cnic.__all__:
        thing = getattr(cnic, name)
        assert inspect.getdoc(thing)
        if inspect.isfunction(thing):
            text = inspect.getdoc(thing) or ""
            assert "Examples" in text and "Returns" in text, name
    for verb in ("parse", "normalize", "format", "is_valid", "mask", "token", "distance", "repair"):
        assert f"{verb}_one" in cnic.__all__
    assert cnic.__all__ == sorted(cnic.__all__)
    assert nser.cnic is cnic
