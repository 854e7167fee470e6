"""Fits: terms, the round trip to a model, refits from sums, and what is refused."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import terms
from nser_pmt.errors import DomainError, ModelError, NserWarning, SchemaError


def survey(rows: int = 600, seed: int = 1) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "psu": np.arange(rows) // 12,
            "stratum": np.where(np.arange(rows) // 12 < 20, "a", "b"),
            "w": random.uniform(0.5, 3.0, rows),
            "size": random.integers(1, 9, rows),
            "rooms": random.uniform(0.05, 0.9, rows),
            "age": random.integers(18, 80, rows),
            "tv": random.random(rows) < 0.4,
            "toilet": random.choice(["flush", "pit", "none"], rows),
            "roof": random.choice(["mud", "tin"], rows),
        }
    )
    effect = {"flush": 0.4, "pit": 0.1, "none": -0.2}
    return frame.with_columns(
        y=pl.col("toilet").replace_strict(effect)
        - 0.3 * pl.col("size").log()
        + 0.5 * pl.col("rooms")
        + 0.2 * pl.col("tv")
        + pl.Series(random.normal(0, 0.3, rows))
        + 7
    )


TERMS = [
    terms.levels("toilet"),
    terms.levels("tv"),
    terms.bins("rooms", edges=[0.2, 0.5]),
    terms.linear("size", transform="log", clip_min=1),
    terms.linear("age"),
    terms.interaction("roof", "toilet"),
    terms.interaction("age", "size"),
]


def spec(**changes: Any) -> nser.ModelSpec:
    given: dict[str, Any] = {
        "target": "y",
        "terms": TERMS,
        "weights": "w",
        "psu": "psu",
        "strata": "stratum",
    }
    return nser.ModelSpec(**given | changes)


def design(frame: pl.DataFrame) -> np.ndarray[Any, Any]:
    """The columns of TERMS by hand."""
    toilet, roof = frame["toilet"].to_numpy(), frame["roof"].to_numpy()
    rooms, age, size = (frame[c].to_numpy().astype(float) for c in ("rooms", "age", "size"))
    columns = [
        np.ones(frame.height),
        toilet == "none",
        toilet == "pit",
        frame["tv"].to_numpy(),
        (rooms >= 0.2) & (rooms < 0.5),
        rooms >= 0.5,
        np.log(size),
        age,
        # toilet has a term of its own and roof has none: the roofs differ within each toilet
        *[(roof == "tin") & (toilet == t) for t in ("flush", "none", "pit")],
        age * size,
    ]
    return np.column_stack([np.asarray(c, float) for c in columns])


def test_coefficients_are_those_of_numpy_on_the_same_columns() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    root = np.sqrt(frame["w"].to_numpy())
    x = design(frame)
    expected, *_ = np.linalg.lstsq(x * root[:, None], frame["y"].to_numpy() * root, rcond=None)
    assert fit.coefficients["coefficient"].to_numpy() == pytest.approx(expected, rel=1e-8)
    rows = fit.coefficients.select("term", "level", "base").rows()
    assert rows[0] == ("intercept", "", "")
    assert rows[1] == ("toilet", "none", "flush")
    assert rows[4][:2] == ("rooms", "[0.2, 0.5)")
    assert rows[8][:2] == ("roof:toilet", "tin x flush")


def test_the_score_of_the_model_is_the_linear_predictor() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    predicted = design(frame) @ fit.coefficients["coefficient"].to_numpy()
    scored = nser.score(frame, fit.model)
    assert scored["pmt_score"].to_numpy() == pytest.approx(predicted, abs=1e-12)
    model = fit.to_model(id="pk-test", title="Test", year=2016)
    assert nser.Model.from_json(model.to_json()) == model
    assert {finding.code for finding in model.lint()} <= {"unit-missing", "non-monotone-points"}


def test_a_person_counts_as_often_as_the_household_has_members() -> None:
    frame = survey().with_columns(both=pl.col("w") * pl.col("size"))
    person = nser.fit(frame, spec(unit="person", size="size"))
    by_hand = nser.fit(frame, spec(weights="both"))
    assert person.coefficients.equals(by_hand.coefficients)


def test_sums_answer_as_rows_do() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    kept = [t for t in TERMS if t.id not in ("age", "age:size")]
    dropped, fresh = fit.drop("age", "age:size"), nser.fit(frame, spec(terms=kept))
    for column in ("coefficient", "se", "p", "vif", "deff"):
        assert dropped.coefficients[column].to_list()[1:] == pytest.approx(
            fresh.coefficients[column].to_list()[1:], rel=1e-9
        )
    assert dropped.add("age", "age:size").coefficients.equals(fit.coefficients)
    assert [t.id for t in dropped.model.terms] == [t.id for t in kept]

    factors = pl.DataFrame({"stratum": "a", "psu": [3, 4], "factor": [0.0, 2.5]})
    refit = fit.refit(psu_weights=factors)
    changed = frame.with_columns(
        w=pl.col("w") * pl.col("psu").replace_strict({3: 0.0, 4: 2.5}, default=1.0)
    )
    fresh = nser.fit(changed, spec())
    assert refit.coefficients["coefficient"].to_list() == pytest.approx(
        fresh.coefficients["coefficient"].to_list(), rel=1e-10
    )
    assert refit.diagnostics["r2"][0] == pytest.approx(fresh.diagnostics["r2"][0], rel=1e-12)


def test_folds_are_predicted_by_the_others() -> None:
    frame = survey()
    few = [terms.levels("toilet"), terms.linear("rooms")]
    fit = nser.fit(frame, spec(terms=few))
    found = fit.cross_validate(folds=50, seed=3)  # as many as there are units
    total = 0.0
    for psu in range(50):
        rest = nser.fit(frame.filter(pl.col("psu") != psu), spec(terms=few))
        own = nser.score(frame.filter(pl.col("psu") == psu), rest.model)
        total += float((own["w"] * (own["y"] - own["pmt_score"]) ** 2).sum())
    assert found.rmse == pytest.approx((total / frame["w"].sum()) ** 0.5, rel=1e-10)
    assert found.r2 < fit.diagnostics["r2"][0]
    assert found.folds["psus"].to_list() == [1] * 50
    again = fit.cross_validate(folds=7, seed=1)
    assert again.folds.equals(fit.cross_validate(folds=7, seed=1).folds)
    assert again.folds["psus"].sum() == 50


def test_bootstrap_and_jackknife() -> None:
    fit = nser.fit(survey(), spec(terms=["rooms", "tv"]))
    drawn = fit.bootstrap(n=300, seed=9)
    assert drawn.errors == "bootstrap"
    assert drawn.replicates is not None
    assert drawn.replicates.shape == (300, 3)
    assert drawn.coefficients.equals(fit.bootstrap(n=300, seed=9).coefficients)
    assert not drawn.coefficients.equals(fit.bootstrap(n=300, seed=10).coefficients)
    changes = drawn.replicates.to_numpy() - fit.coefficients["coefficient"].to_numpy()
    spread = np.sqrt((changes**2).mean(axis=0))
    assert drawn.coefficients["se"].to_numpy() == pytest.approx(spread, rel=1e-12)
    without = fit.jackknife()
    assert without.replicates is not None
    assert without.replicates.height == 50
    assert without.coefficients["se"].to_numpy() == pytest.approx(
        fit.coefficients["se"].to_numpy(), rel=0.05
    )


def test_the_choice_of_errors_is_kept() -> None:
    frame = survey()
    both = spec(terms=["rooms", "tv"])
    for errors in ("design", "cluster", "classical"):
        dropped = nser.fit(frame, both, errors=errors).drop("tv")  # type: ignore[arg-type]
        assert dropped.errors == errors
    drawn = nser.fit(frame, both, errors="bootstrap", replicates=50, seed=9)
    fresh = nser.fit(frame, spec(terms=["rooms"]), errors="bootstrap", replicates=50, seed=9)
    for found in (drawn.drop("tv"), nser.fit(frame, both).bootstrap(n=50, seed=9).keep("rooms")):
        assert found.errors == "bootstrap" and found.replicates is not None
        assert found.replicates.height == 50
        assert found.coefficients["se"].to_list() == pytest.approx(
            fresh.coefficients["se"].to_list(), rel=1e-9
        )
    without = nser.fit(frame, both).jackknife()
    assert without.drop("tv").errors == "jackknife"
    factors = pl.DataFrame({"stratum": "a", "psu": [3], "factor": [2.0]})
    assert without.refit(psu_weights=factors).errors == "jackknife"


def test_missing_answers_are_an_error_left_out_or_a_level() -> None:
    frame = survey().with_columns(
        toilet=pl.when(pl.col("psu") % 7 == 0).then(None).otherwise(pl.col("toilet"))
    )
    with pytest.raises(DomainError, match="toilet") as caught:
        nser.fit(frame, spec(terms=[terms.levels("toilet")]))
    assert (caught.value.code, caught.value.row) == ("missing_value", 0)
    left = nser.fit(frame, spec(terms=[terms.levels("toilet", missing="drop")]))
    assert left.diagnostics["dropped"][0] == frame["toilet"].null_count()
    assert left.coefficients.height == 3
    level = nser.fit(frame, spec(terms=[terms.levels("toilet", missing="level")]))
    assert level.coefficients["level"].to_list() == ["", "none", "pit", "(missing)"]
    assert nser.score(frame, level.model)["pmt_score"].null_count() == 0
    assert nser.score(frame, left.model)["pmt_score"].null_count() == left.diagnostics["dropped"][0]


def test_a_target_may_be_missing() -> None:
    frame = survey().with_columns(y=pl.when(pl.col("age") < 30).then(None).otherwise("y"))
    with pytest.raises(DomainError, match="'y'"):
        nser.fit(frame, spec(terms=["rooms"]))
    fit = nser.fit(frame, spec(terms=["rooms"], missing_target="drop"))
    assert fit.diagnostics["dropped"][0] == frame["y"].null_count()


@pytest.mark.parametrize(
    ("change", "given", "code", "name"),
    [
        ({"double": pl.col("rooms") * 2 + 1}, ["rooms", "double"], "collinear", "'double'"),
        ({"one": pl.lit(3.5)}, ["rooms", "one"], "constant_term", "'one'"),
        ({"none": pl.lit(0.0)}, ["rooms", "none"], "constant_term", "'none'"),
        ({"roof": pl.lit("mud")}, [terms.levels("roof")], "constant_term", "'roof'"),
        ({"y": pl.lit(2.5)}, ["rooms"], "constant_target", "'y'"),
        ({"w": pl.col("w") - 1.0}, ["rooms"], "bad_weight", "'w'"),
        ({"w": pl.lit(0.0)}, ["rooms"], "zero_weights", "w"),
        ({"w": pl.lit(None, pl.Float64)}, ["rooms"], "bad_weight", "'w'"),
        ({"stratum": pl.col("psu").clip(48)}, ["rooms"], "lonely_psu", "'49'"),
        ({"psu": pl.lit(None, pl.Int64)}, ["rooms"], "missing_value", "'psu'"),
        ({"rooms": pl.lit(float("inf"))}, ["rooms"], "not_finite", "'rooms'"),
        ({"y": pl.lit(float("inf"))}, ["rooms"], "missing_value", "Leave such households out"),
        ({}, [terms.levels("roof", levels=["mud", "tin", "gold"])], "empty_level", "gold"),
        ({}, [terms.levels("roof", levels=["tin", "gold"])], "out_of_domain", "'roof'"),
        ({}, [terms.bins("rooms", edges=[5.0])], "empty_level", "'rooms'"),
        (
            {"age": pl.col("age") - 40},
            [terms.linear("age", transform="log")],
            "out_of_domain",
            "age",
        ),
    ],
)
def test_what_cannot_be_estimated_is_named(
    change: dict[str, pl.Expr], given: list[Any], code: str, name: str
) -> None:
    frame = survey().with_columns(**change)
    with pytest.raises(DomainError) as caught:
        nser.fit(frame, spec(terms=given))
    assert caught.value.code == code
    assert name in str(caught.value)


def test_a_combination_of_levels_is_named_with_its_parts() -> None:
    frame = survey().with_columns(
        flush=pl.col("toilet") == "flush", rest=pl.col("toilet") != "flush"
    )
    with pytest.raises(DomainError, match="'rest' is a combination of others: intercept, flush"):
        nser.fit(frame, spec(terms=["flush", "rooms", "rest"]))


def test_more_terms_than_rows() -> None:
    with pytest.raises(DomainError, match="too few") as caught:
        nser.fit(survey().head(11), spec(strata=None, psu=None))
    assert caught.value.code == "too_few_rows"


def test_other_misuse() -> None:
    frame = survey()
    with pytest.raises(SchemaError, match="'rom'"):
        nser.fit(frame, spec(terms=["rom"]))
    with pytest.raises(SchemaError, match="expected numbers"):
        nser.fit(frame, spec(terms=["toilet"]))
    with pytest.raises(SchemaError, match="category"):
        nser.fit(frame, spec(terms=[terms.levels("rooms")]))
    with pytest.raises(ModelError, match="no common term"):
        nser.fit(frame, spec(terms=[terms.interaction("toilet", "rooms")]))
    with pytest.raises(DomainError, match="size"):
        spec(unit="person")
    with pytest.raises(DomainError, match="taken"):
        spec(terms=["rooms", "rooms"])
    with pytest.raises(DomainError, match="rising"):
        terms.bins("rooms", edges=[2, 1])
    with pytest.raises(DomainError, match="line"):
        nser.fit(frame, spec(terms=["rooms"]), method="poverty_focused")
    without = nser.fit(frame, spec(terms=["rooms"], psu=None, strata=None))
    assert without.errors == "hc1"
    with pytest.raises(ModelError, match="no psu"):
        without.bootstrap()
    with pytest.raises(ModelError, match="rows"):
        without.with_errors("hc1")
    wider = nser.fit(frame, spec(terms=["rooms", "tv"], psu=None, strata=None))
    with pytest.warns(NserWarning, match="HC1 errors need the rows") as said:
        dropped = wider.drop("tv")
    assert dropped.errors == "classical"
    assert [w.filename for w in said] == [__file__]
    assert dropped.coefficients["coefficient"].equals(without.coefficients["coefficient"])
    small = nser.fit(frame, spec(terms=["rooms"]), max_cache_mb=0)
    with pytest.raises(ModelError, match="max_cache_mb"):
        small.cross_validate()
    with pytest.raises(ModelError, match="no term 'age'"):
        without.drop("age")


def test_a_lonely_unit_is_treated_as_asked() -> None:
    frame = survey().with_columns(stratum=pl.col("psu").clip(48))
    given = spec(terms=["rooms"])
    with pytest.raises(DomainError, match="stratum '49'"):
        nser.fit(frame, given, lonely_psu="error")
    adjusted = nser.fit(frame, given, lonely_psu="adjust").coefficients["se"]
    removed = nser.fit(frame, given, lonely_psu="remove").coefficients["se"]
    assert all(a > b for a, b in zip(adjusted, removed, strict=True))


def test_poverty_focused_least_squares_is_one_of_the_poor_in_the_same_design() -> None:
    frame = survey()
    line = float(frame["y"].quantile(0.4) or 0)
    fit = nser.fit(frame, spec(terms=["rooms", "tv"]), method="poverty_focused", line=line)
    poor = frame.with_columns(w=pl.col("w") * (pl.col("y") <= line))
    same = nser.fit(poor, spec(terms=["rooms", "tv"]))
    assert fit.coefficients.equals(same.coefficients)
    assert fit.diagnostics["households"][0] == (frame["y"] <= line).sum()
    assert fit.diagnostics["psus"][0] == 50
    share = nser.fit(frame, spec(terms=["rooms"]), method="poverty_focused", line_quantile=0.3)
    below = frame.filter(pl.col("y") <= share.diagnostics["line"][0])["w"].sum()
    assert 0.3 <= below / frame["w"].sum() < 0.32


def test_any_type_and_chunking_reads_the_same() -> None:
    frame = survey()
    expected = nser.fit(frame, spec()).coefficients
    pieces = pl.concat([frame.head(100), frame.tail(500)], rechunk=False)
    assert nser.fit(pieces, spec()).coefficients.equals(expected)
    assert nser.fit(frame.lazy(), spec()).coefficients.equals(expected)
    typed = frame.with_columns(
        pl.col("age").cast(pl.UInt8),
        pl.col("size").cast(pl.Int16),
        toilet=pl.col("toilet").cast(pl.Enum(["flush", "none", "pit", "other"])),
        roof=pl.col("roof").cast(pl.Categorical),
    )
    assert nser.fit(typed, spec()).coefficients.equals(expected)
    narrow = frame.with_columns(pl.col("rooms").cast(pl.Float32))
    wide = narrow.with_columns(pl.col("rooms").cast(pl.Float64))
    few = spec(terms=["rooms"])
    assert nser.fit(narrow, few).coefficients.equals(nser.fit(wide, few).coefficients)


def test_a_fit_travels_and_shows() -> None:
    fit = nser.fit(survey(), spec())
    back = pickle.loads(pickle.dumps(fit))
    assert back.coefficients.equals(fit.coefficients)
    assert back.drop("age").coefficients.equals(fit.drop("age").coefficients)
    assert back.model == fit.model
    assert "wls of y, 600 households, 12 coefficients, design errors" in repr(fit)
    assert "<table" in fit._repr_html_()


def test_what_is_no_survey_or_no_spec_is_refused() -> None:
    with pytest.raises(SchemaError, match=r"found dict.*from_pandas") as caught:
        nser.fit({"y": [1.0]}, spec())  # type: ignore[arg-type]
    assert caught.value.code == "wrong_frame"
    with pytest.raises(DomainError, match="spec must be a ModelSpec, found str"):
        nser.fit(survey(), "y ~ rooms")  # type: ignore[arg-type]


def test_what_needs_primary_units_says_so() -> None:
    alone = spec(terms=["rooms"], psu=None, strata=None)
    with pytest.raises(ModelError, match=r"the penalty is chosen in folds.*Give penalty"):
        nser.fit(survey(), alone, method="lasso")
    assert nser.fit(survey(), alone, method="lasso", penalty=0.01).coefficients.height == 2
    with pytest.raises(ModelError, match="bootstrap errors are of primary units"):
        nser.fit(survey(), alone, errors="bootstrap")


@pytest.mark.parametrize("method", ["wls", "quantile", "lasso", "stepwise"])
def test_a_constant_target_is_named_by_every_method(method: Any) -> None:
    frame = survey().with_columns(
        y=pl.when(pl.col("psu") == 0).then(9.0).otherwise(2.5), w=(pl.col("psu") > 0).cast(float)
    )
    options = {"tau": 0.4} if method == "quantile" else {}
    with pytest.raises(DomainError, match="'y': the target is constant") as caught:
        nser.fit(frame, spec(terms=["rooms"]), method=method, **options)  # type: ignore[arg-type]
    assert caught.value.code == "constant_target"
