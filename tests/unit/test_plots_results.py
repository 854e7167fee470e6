"""Charts of targeting, fits, weights and scenarios: the numbers drawn are the numbers found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

pytest.importorskip("altair")
pytest.importorskip("vl_convert")


def texts(chart: Any) -> list[str]:
    root = ElementTree.fromstring(chart.svg)
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("text")]


def drawn(chart: Any, *fields: str) -> list[dict[str, Any]]:
    """Return the rows of a chart's data that have some fields, each source once."""
    sources: list[list[dict[str, Any]]] = []

    def walk(node: Any) -> None:
        if isinstance(node, list):
            for child in node:
                walk(child)
        elif isinstance(node, dict):
            for name, child in node.items():
                if name in ("data", "datasets"):
                    lists = [rows for rows in child.values() if isinstance(rows, list)]
                    sources.extend(rows for rows in lists if rows not in sources)
                else:
                    walk(child)

    walk(chart.altair.to_dict())
    found = [row for rows in sources for row in rows if set(fields) <= set(row)]
    assert found
    return found


def survey(rows: int = 1000, seed: int = 1, scores: int = 40) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    welfare = random.permutation(rows) + 100.0
    noisy = welfare + random.normal(0, rows / 4, rows)
    score = np.round(noisy / rows * scores).clip(0, scores) if scores else noisy
    return pl.DataFrame({"pmt_score": score, "cons_pc": welfare, "w": 1.0})


@pytest.mark.parametrize("direction", ["lower_is_poorer", "higher_is_poorer"])
def test_error_curve_is_that_of_every_cutoff(direction: Any) -> None:
    low = direction == "lower_is_poorer"
    frame = survey()
    frame = frame if low else frame.with_columns(-pl.col("pmt_score"))
    found = nser.targeting(frame, welfare="cons_pc", line=399, direction=direction)
    chart = nser.plots.error_curve(found)
    score, poor = frame["pmt_score"].to_numpy(), frame["cons_pc"].to_numpy() <= 399
    rows = drawn(chart, "score", "error", "value")
    assert len(rows) == 2 * len(set(score.tolist()))
    for row in rows:
        in_ = score <= row["score"] if low else score >= row["score"]
        both = (in_ & poor).sum()
        error = 1 - both / (poor if row["error"] == "exclusion error" else in_).sum()
        assert row["value"] == pytest.approx(error, abs=1e-12)
    shown = texts(chart)
    assert {"exclusion error", "inclusion error", "line 399", "cut-off on pmt_score"} <= set(shown)
    assert f"fixed rate {found.metrics['cutoff'][0]:.4g}" in shown
    # Between two scores the cut-off targets whom the poorer score does.
    run = "step-after" if low else "step-before"
    assert f'"interpolate": "{run}"' in chart.altair.to_json()


def test_panels_are_named_by_line_and_few() -> None:
    frame = survey()
    found = nser.targeting(frame, welfare="cons_pc", rate=[0.125, 0.3])
    assert {"poorest 12.5 %", "poorest 30 %"} <= set(texts(nser.plots.error_curve(found)))
    many = nser.targeting(frame, welfare="cons_pc", line=[200.0 + k for k in range(11)])
    for draw in ("error_curve", "coverage", "roc", "concentration"):
        with pytest.raises(nser.DomainError) as caught:
            getattr(nser.plots, draw)(many)
        assert caught.value.code == "too_many_series"


def test_coverage_by_tenth() -> None:
    frame = survey()
    found = nser.targeting(frame, welfare="cons_pc", cutoff=10, line=399)
    rows = drawn(nser.plots.coverage(found), "decile", "share")
    in_ = frame.sort("cons_pc")["pmt_score"].to_numpy() <= 10
    assert [row["decile"] for row in rows] == list(range(1, 11))
    expected = in_.reshape(10, 100).mean(axis=1)
    np.testing.assert_allclose([row["share"] for row in rows], expected, atol=1e-12)
    assert any("cut-off 10" in text for text in texts(nser.plots.coverage(found)))
    nobody = nser.targeting(frame, welfare="cons_pc", cutoff=-1, line=399)
    assert {row["share"] for row in drawn(nser.plots.coverage(nobody), "decile")} == {0.0}
    for points in (0, 25):
        short = nser.targeting(frame, welfare="cons_pc", line=399, points=points)
        with pytest.raises(nser.DomainError, match="multiple of 10"):
            nser.plots.coverage(short)


def test_roc_has_the_area_that_is_named() -> None:
    found = nser.targeting(survey(), welfare="cons_pc", line=399)
    chart = nser.plots.roc(found)
    rows = [row for row in drawn(chart, "line", "other", "poor") if "design" not in row]
    x, y = [row["other"] for row in rows], [row["poor"] for row in rows]
    auc = found.metrics["auc"][0]
    area = sum((b - a) * (c + d) / 2 for a, b, c, d in zip(x, x[1:], y, y[1:], strict=False))
    assert area == pytest.approx(auc, abs=1e-12)
    assert (x[0], y[0], x[-1], y[-1]) == (0, 0, 1, 1)
    assert f"line 399, AUC {auc:.3f}" in texts(chart)
    mark = drawn(chart, "design")
    assert mark[0]["poor"] == pytest.approx(1 - found.metrics["eer"][0])


def test_no_number_is_struck_through_by_the_line_of_all() -> None:
    found = nser.targeting(survey(), welfare="cons_pc", rate=0.2)
    of_all = found.metrics["coverage"][0]
    rows = drawn(nser.plots.coverage(found), "decile", "number")
    assert any(row["number"] > row["share"] for row in rows)
    for row in rows:
        assert row["number"] >= of_all or row["number"] < of_all - 18 / 240
        assert row["number"] in (row["share"], of_all)


def test_marks_of_a_roc_are_named() -> None:
    found = nser.targeting(survey(), welfare="cons_pc", rate=0.2, cutoff=[10, 20])
    assert {"cut-off 10", "cut-off 20"} < set(texts(nser.plots.roc(found)))
    found = nser.targeting(survey(), welfare="cons_pc", rate=0.2)
    assert "cut-off of the fixed rate" in texts(nser.plots.roc(found))


def test_roc_needs_poor_and_others() -> None:
    with pytest.raises(nser.DomainError) as caught:
        nser.plots.roc(nser.targeting(survey(), welfare="cons_pc", line=1e6))
    assert caught.value.code == "no_curve"


def test_concentration_and_lorenz() -> None:
    frame = survey()
    found = nser.targeting(frame, welfare="cons_pc", line=399)
    chart = nser.plots.concentration(found)
    gini = found.metrics["gini"][0]
    assert f"welfare (Gini {gini:.2f})" in texts(chart)
    rows = drawn(chart, "curve", "people", "share")
    lorenz = {row["people"]: row["share"] for row in rows if row["curve"].startswith("welfare")}
    sums = np.cumsum(np.sort(frame["cons_pc"].to_numpy()))
    for people, share in lorenz.items():
        expected = sums[round(people * 1000) - 1] / sums[-1] if people else 0.0
        assert share == pytest.approx(expected, abs=1e-12)
    bare = nser.targeting(frame, welfare="cons_pc", line=399, points=0)
    with pytest.raises(nser.DomainError, match="points=100"):
        nser.plots.concentration(bare)


def test_drawn_data_stay_small() -> None:
    found = nser.targeting(survey(20_000, scores=0), welfare="cons_pc", line=[2000.0, 6000.0])
    for draw in (nser.plots.error_curve, nser.plots.roc, nser.plots.concentration):
        assert 100 < len(drawn(draw(found))) <= 850
    one = nser.targeting(survey(20_000, scores=0), welfare="cons_pc", line=2000)
    assert len(drawn(nser.plots.error_curve(one), "error")) == 400


SPEC = nser.ModelSpec(
    target="y", terms=[nser.terms.levels("roof"), nser.terms.levels("wall"), "size"]
)


def homes() -> pl.DataFrame:
    random = np.random.default_rng(3)
    return pl.DataFrame(
        {
            "roof": random.choice(["mud", "<tin> & more"], 300),
            "wall": random.choice(["mud", "brick", "stone"], 300),
            "size": random.integers(1, 9, 300),
            "y": random.normal(5, 1, 300),
        }
    )


def test_coefficients_come_by_term_with_their_intervals() -> None:
    fit = nser.fit(homes(), SPEC)
    chart = nser.plots.coefficients(fit)
    table = fit.coefficients.filter(pl.col("term") != "intercept")
    points = [row for row in drawn(chart, "coefficient") if row["low"] is not None]
    assert [row["coefficient"] for row in points] == table["coefficient"].to_list()
    assert [row["low"] for row in points] == table["low"].to_list()
    assert [row["high"] for row in points] == table["high"].to_list()
    shown = texts(chart)
    names = ["roof (base <tin> & more)", "mud", "wall (base brick)", "mud", "stone", "size"]
    assert [text for text in shown if text in names] == names
    assert "coefficient, with its 95% interval" in shown
    few = texts(nser.plots.coefficients(fit, terms=["size", "wall"]))
    assert [text for text in few if text in names] == ["size", "wall (base brick)", "mud", "stone"]
    with pytest.raises(nser.DomainError, match="no term 'floor'; it has: roof, wall, size"):
        nser.plots.coefficients(fit, terms=["floor"])
    with pytest.raises(nser.DomainError, match="intercept"):
        nser.plots.coefficients(fit, terms=[])


def test_coefficients_without_errors_are_points() -> None:
    fit = nser.fit(homes(), SPEC, method="ridge", penalty=0.1)
    shown = texts(nser.plots.coefficients(fit))
    assert "coefficient" in shown and "size" in shown


def test_too_many_coefficients_ask_for_a_choice() -> None:
    frame = pl.DataFrame({"area": [f"{k % 250:03d}" for k in range(750)], "y": range(750)})
    fit = nser.fit(frame, nser.ModelSpec(target="y", terms=[nser.terms.levels("area")]))
    with pytest.raises(nser.DomainError, match="200 rows") as caught:
        nser.plots.coefficients(fit)
    assert caught.value.code == "too_many_rows"
    assert fit._repr_html_().count("<circle") == 39


def calibrated(groups: int = 300) -> nser.Calibrated:
    random = np.random.default_rng(5)
    area = [f"{k:03d}" for k in range(groups)]
    totals = pl.DataFrame(
        {"variable": "area", "level": area, "total": random.uniform(1, 9, groups)}
    )
    return nser.calibrate(pl.DataFrame({"area": area * 2}), totals)


def test_weights_are_a_histogram_of_g() -> None:
    found = calibrated()
    chart = nser.plots.weights(found)
    rows = drawn(chart, "low", "high", "rows")
    counts, edges = np.histogram(found.g_weights.to_numpy(), bins=40)
    np.testing.assert_allclose([row["low"] for row in rows], edges[:-1])
    assert abs(np.array([row["rows"] for row in rows]) - counts).sum() <= 2  # an edge may round
    assert sum(row["rows"] for row in rows) == 600
    g = found.g_weights
    assert f"600 rows by raking; g from {g.min():.4g} to {g.max():.4g}" in texts(chart)


def test_weights_that_do_not_move_are_one_bar() -> None:
    found = nser.calibrate(
        pl.DataFrame({"a": ["x", "x"]}),
        pl.DataFrame({"variable": ["a"], "level": ["x"], "total": [2.0]}),
    )
    assert [row["rows"] for row in drawn(nser.plots.weights(found), "rows")] == [2]


def registry(rows: int = 4000, districts: int = 40) -> pl.DataFrame:
    random = np.random.default_rng(7)
    district = [f"D{k:02d}" for k in random.integers(0, districts, rows)]
    return nser.synth.households(rows, seed=2).with_columns(district=pl.Series(district))


def scenario(**options: Any) -> nser.Scenario:
    return nser.Scenario(registry(), "schreiner-pk-2009", by=["district", "region"], **options)


def test_movers_are_those_of_the_change() -> None:
    now = scenario(cutoff=40)
    change = now.compare(now.set(term="tv", level=True, points=0).set(cutoff=38))
    chart = nser.plots.movers(change, most=10)
    rows = drawn(chart, "group", "change", "households")
    table = change.by["district"]
    by_group = {group: row for group, *row in table.select("district", "enters", "leaves").rows()}
    for row in rows:
        enters, leaves = by_group[row["group"]]
        assert row["households"] == (enters if row["change"] == "enter" else -leaves)
    groups = list(dict.fromkeys(row["group"] for row in rows))
    moved = sorted((sum(pair) for pair in by_group.values()), reverse=True)
    assert [sum(by_group[group]) for group in groups] == moved[:10]
    rest = [pair for group, pair in by_group.items() if group not in groups]
    words = f"in 30 others {sum(e for e, _ in rest)} enter and {sum(x for _, x in rest)} leave"
    assert any(text.endswith(words) for text in texts(chart))
    tenths = drawn(nser.plots.movers(change, by="score_decile"), "group")
    assert [row["group"] for row in tenths[::2]] == [str(k) for k in range(1, 11)]


def test_a_side_without_movers_is_not_in_the_legend() -> None:
    now = nser.Scenario(
        nser.synth.households(2_000, seed=1), "schreiner-pk-2009", by="region", cutoff=30
    )
    enter = texts(nser.plots.movers(now.compare(now.set(cutoff=34)), by="region"))
    assert "leave" not in enter and "enter" not in enter and "households that enter" in enter
    both = now.compare(now.set(term="tv", points={True: 0, False: 3}))
    assert {"leave", "enter"} < set(texts(nser.plots.movers(both, by="region")))


def test_movers_by_weight() -> None:
    frame = registry().with_columns(w=pl.lit(1500.5))
    now = nser.Scenario(frame, "schreiner-pk-2009", by="district", weights="w", cutoff=40)
    change = now.compare(now.set(cutoff=60))
    shown = texts(nser.plots.movers(change, most=5))
    most = change.by["district"]["enters"].max()
    assert isinstance(most, float) and f"{most:,.1f}".removesuffix(".0") in shown
    rest = change.by["district"].sort("enters", descending=True)["enters"][5:].sum()
    assert any(f"in 35 others {rest:,.1f} enter and 0.0 leave" in text for text in shown)


def test_movers_that_are_not_there() -> None:
    now = scenario(cutoff=40)
    assert "nobody enters or leaves" in texts(nser.plots.movers(now.compare(now)))
    with pytest.raises(nser.DomainError, match="it is by: region"):
        nser.plots.movers(now.compare(now, by="region"))
    with pytest.raises(nser.DomainError, match="most must be"):
        nser.plots.movers(now.compare(now), most=0)


def test_coverage_curve_is_the_share_up_to_each_cutoff() -> None:
    now = scenario()
    frame = registry()
    score = now.scores()["pmt_score"].to_numpy()
    rows = drawn(nser.plots.coverage_curve(now.curve()), "cutoff", "coverage")
    assert rows[0]["coverage"] == 0 and rows[-1]["coverage"] == 1
    for row in rows:
        assert row["coverage"] == pytest.approx((score <= row["cutoff"]).mean(), abs=1e-12)
    assert {float(k) for k in range(20, 80)} <= {row["cutoff"] for row in rows}
    chart = nser.plots.coverage_curve(now.curve("region"))
    urban = score[(frame["region"].cast(pl.String) == "urban").to_numpy()]
    for row in drawn(chart, "series"):
        if row["series"] == "urban":
            assert row["coverage"] == pytest.approx((urban <= row["cutoff"]).mean(), abs=1e-12)
    assert '"interpolate": "step-after"' in chart.altair.to_json()


def test_coverage_curve_of_many_groups_is_a_band() -> None:
    curve = scenario().curve("district")
    chart = nser.plots.coverage_curve(curve)
    assert {"all households", "middle district"} <= set(texts(chart))
    rows = drawn(chart, "low", "high")
    middle = [row for row in rows if row["cutoff"] == 50]
    shares = curve.at(50)["coverage"].to_numpy()
    low, high = np.quantile(shares, [0.1, 0.9])
    assert (middle[0]["low"], middle[0]["high"]) == pytest.approx((low, high), abs=1e-12)
    assert len(drawn(chart)) <= 400


def test_coverage_curve_of_scores_that_are_no_points_is_a_line() -> None:
    frame = homes()
    fit = nser.fit(frame, SPEC)
    for direction in ("lower_is_poorer", "higher_is_poorer"):
        made = nser.Scenario(frame, fit.to_model(direction=direction))
        chart = nser.plots.coverage_curve(made.curve())
        score = made.scores()["pmt_score"].to_numpy()
        for row in drawn(chart, "coverage"):
            up_to = score <= row["cutoff"] if direction[0] == "l" else score >= row["cutoff"]
            assert row["coverage"] == pytest.approx(up_to.mean(), abs=1e-12)
        assert '"interpolate": "linear"' in chart.altair.to_json()


def test_coverage_curve_needs_a_score() -> None:
    frame = registry(50).with_columns(tv=pl.lit(None, pl.Boolean))
    with pytest.raises(nser.DomainError) as caught:
        nser.plots.coverage_curve(nser.Scenario(frame, "schreiner-pk-2009").curve())
    assert caught.value.code == "no_curve"


@pytest.mark.parametrize(
    ("draw", "wanted"),
    [
        ("error_curve", "Targeting"),
        ("coverage", "Targeting"),
        ("roc", "Targeting"),
        ("concentration", "Targeting"),
        ("coefficients", "Fit"),
        ("weights", "Calibrated"),
        ("movers", "ScenarioChange"),
        ("coverage_curve", "CoverageCurve"),
        ("match_weights", "Learned"),
        ("threshold_curve", "LinkQuality"),
        ("cluster_sizes", "Clusters"),
    ],
)
def test_another_kind_of_result_is_refused(draw: str, wanted: str) -> None:
    function: Callable[[Any], Any] = getattr(nser.plots, draw)
    with pytest.raises(nser.DomainError, match=f"expected a {wanted}, found DataFrame") as caught:
        function(pl.DataFrame({"g": [1.0]}))
    assert caught.value.code == "wrong_result"


def test_a_chart_says_what_it_is() -> None:
    chart = nser.plots.weights(calibrated(5))
    assert repr(chart).startswith("Chart: calibrated over design weights (")


def test_nothing_is_loaded_from_elsewhere() -> None:
    for chart in (
        nser.plots.weights(calibrated(5)),
        nser.plots.coefficients(nser.fit(homes(), SPEC)),
    ):
        svg = chart.svg.replace("http://www.w3.org/", "")
        assert "http" not in svg


def test_each_result_is_named_in_a_notebook() -> None:
    frame = nser.synth.households(500, seed=1)
    scored = nser.score(frame, "schreiner-pk-2009")
    truth: dict[str, Any] = {"welfare": "consumption_pc", "rate": 0.2}
    now = nser.Scenario(frame, "schreiner-pk-2009", by="region", cutoff=30)
    likelihoods = nser.likelihood_table(scored, welfare="consumption_pc", lines={"a": 2000.0})
    results = {
        "Targeting": nser.targeting(scored, **truth),
        "ModelComparison": nser.compare_models(scored, {"old": "pmt_score"}, **truth),
        "Decay": nser.decay(frame, frame, "schreiner-pk-2009", **truth),
        "LikelihoodTable": likelihoods,
        "Scenario": now,
        "ScenarioChange": now.compare(now.set(cutoff=20)),
        "Calibrated": calibrated(5),
        "Fit": nser.fit(homes(), SPEC),
    }
    for name, result in results.items():
        first = re.sub(r"<style.*?</style>|<[^>]+>", "", result._repr_html_(), flags=re.DOTALL)
        assert first.strip().startswith(name), name
        assert repr(result).startswith(name), name
