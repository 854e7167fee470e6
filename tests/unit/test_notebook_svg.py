"""The small charts that results show in a notebook: well formed, escaped, and to scale."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import _svg

NASTY = "<b>area</b> & co"


def picture(result: Any) -> ElementTree.Element:
    """Return the only SVG that a result shows."""
    html = result._repr_html_()
    assert "<b>area</b>" not in html
    assert "<table" in html
    (svg,) = re.findall(r"<svg.*?</svg>", html, re.DOTALL)
    return ElementTree.fromstring(svg)


def shapes(root: ElementTree.Element, tag: str) -> list[dict[str, str]]:
    return [dict(e.attrib) for e in root.iter() if e.tag.endswith("}" + tag)]


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("}text")]


def homes() -> pl.DataFrame:
    random = np.random.default_rng(3)
    return pl.DataFrame(
        {
            NASTY: random.choice(["mud", "<tin>", "brick"], 300),
            "size": random.integers(1, 9, 300),
            "y": random.normal(5, 1, 300),
        }
    )


SPEC = nser.ModelSpec(target="y", terms=[nser.terms.levels(NASTY), "size"])


def test_fit_shows_its_intervals() -> None:
    fit = nser.fit(homes(), SPEC)
    root = picture(fit)
    table = fit.coefficients.filter(pl.col("term") != "intercept")
    points = [float(c["cx"]) for c in shapes(root, "circle")]
    spans = [(float(x["x1"]), float(x["x2"])) for x in shapes(root, "line") if "stroke-width" in x]
    zero = next(float(x["x1"]) for x in shapes(root, "line") if "stroke-width" not in x)
    unit = (points[0] - zero) / table["coefficient"][0]
    for point, span, value, low, high in zip(
        points, spans, *(table[n] for n in ("coefficient", "low", "high")), strict=True
    ):
        ends = [zero + unit * x for x in (value, low, high)]
        assert (point, *span) == pytest.approx(ends, abs=0.6)
    assert "size" in texts(root) and "coefficients, 95% intervals" in texts(root)


def test_fit_without_errors_shows_points() -> None:
    root = picture(nser.fit(homes(), SPEC, method="ridge", penalty=0.1))
    assert len(shapes(root, "circle")) == 3
    assert not [x for x in shapes(root, "line") if "stroke-width" in x]


def test_calibrated_shows_its_g_weights() -> None:
    level = [NASTY, "b", "c"]
    totals = pl.DataFrame({"variable": "x", "level": level, "total": [2.0, 4.0, 6.0]})
    frame = pl.DataFrame({"x": [*level, "c", "c", "b"]})
    root = picture(nser.calibrate(frame, totals))  # g is 2 three times over: 2, 2, 2
    assert len(shapes(root, "rect")) == 1 and "6 rows in the tallest bar" in texts(root)
    totals = totals.with_columns(total=pl.Series([1.0, 4.0, 9.0]))
    root = picture(nser.calibrate(frame, totals))  # g is 1, 2, 2, 3, 3, 3
    heights = [float(r["height"]) for r in shapes(root, "rect") if float(r["height"])]
    assert heights == pytest.approx([40, 80, 120])


def test_targeting_shows_its_errors() -> None:
    frame = pl.DataFrame({NASTY: [1.0, 2, 3, 4], "cons_pc": [1.0, 3, 2, 4]})
    found = nser.targeting(frame, score=NASTY, welfare="cons_pc", line=2)
    root = picture(found)
    exclusion, inclusion = shapes(root, "polyline")
    heights = [
        [float(pair.split(",")[1]) for pair in line["points"].split()]
        for line in (exclusion, inclusion)
    ]
    (top, bottom) = (44.0, 204.0)
    for drawn, column in zip(heights, ("eer", "ier"), strict=True):
        expected = [bottom - x * (bottom - top) for x in found.curve[column]]
        assert drawn == pytest.approx(expected, abs=0.1)
    assert "fixed rate" in texts(root)


def test_comparison_and_decay_show_bars() -> None:
    frame = pl.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1], "c": [1.0, 2, 3, 4]})
    found = nser.compare_models(frame, {NASTY: "a", "b": "b"}, welfare="c", line=2)
    root = picture(found)
    widths = [float(r["width"]) for r in shapes(root, "rect")]
    assert widths[:2] == [0, 0] and widths[2] == widths[3] > 0
    assert texts(root).count("100.0%") == 2 and NASTY in texts(root)
    before = nser.synth.households(500, seed=1).with_columns(cons=pl.int_range(500))
    moved = nser.decay(
        before,
        before.with_columns(tv=pl.lit(True)),
        "schreiner-pk-2009",
        welfare="cons",
        line=100,
    )
    wide = [r for r in shapes(picture_of_many(moved), "rect") if float(r["width"])]
    assert len(wide) == 1


def picture_of_many(result: Any) -> ElementTree.Element:
    (svg,) = re.findall(r"<svg.*?</svg>", result._repr_html_(), re.DOTALL)
    return ElementTree.fromstring(svg)


def test_scenarios_show_coverage_and_movers() -> None:
    households = nser.synth.households(3000, seed=1).with_columns(
        pl.when(pl.int_range(3000) % 2 == 0).then(pl.lit(NASTY)).otherwise(None).alias(NASTY)
    )
    now = nser.Scenario(households, "schreiner-pk-2009", by=NASTY, cutoff=40)
    root = picture(now)
    table = now.coverage(NASTY)
    widths = [float(r["width"]) for r in shapes(root, "rect")]
    low, high = sorted(table["coverage"])
    assert min(widths) / max(widths) == pytest.approx(low / high, abs=0.01)
    assert "missing" in texts(root)
    change = now.compare(now.set(cutoff=45))
    root = picture(change)
    assert len(shapes(root, "rect")) == 2
    assert sorted(str(x) for x in change.by[NASTY]["enters"]) == sorted(
        text for text in texts(root) if text.isdigit()
    )
    assert "<svg" not in now.compare(now)._repr_html_()  # nobody moves
    assert "<svg" in nser.Scenario(households, "schreiner-pk-2009", cutoff=40)._repr_html_()
    assert "<svg" not in nser.Scenario(households, "schreiner-pk-2009")._repr_html_()


def test_no_word_of_a_mark_is_crossed_by_the_rule_of_another() -> None:
    marks = [("d", 9.0), ("a", 1.0), ("c", 8.0), ("b", 2.0)]
    assert [name for name, _ in _svg.staggered(marks, 5.0)] == ["a", "b", "d", "c"]


def test_small_charts_need_no_extra() -> None:
    code = (
        "import sys\nsys.modules['altair'] = sys.modules['vl_convert'] = None\n"
        "import polars as pl, nser_pmt as nser\n"
        "totals = pl.DataFrame({'variable': ['x'], 'level': ['a'], 'total': [2.0]})\n"
        "print('<svg' in nser.calibrate(pl.DataFrame({'x': ['a']}), totals)._repr_html_())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "True"


def test_a_long_name_stands_above_its_bars() -> None:
    def rows(name: str) -> list[str]:
        svg = _svg.bars([(name, [("level", 1.0, "red")])], form="g", caption="", label="")
        return [text["y"] for text in shapes(ElementTree.fromstring(svg), "text")][:2]

    name, label = rows("short")
    assert name == label
    name, label = rows("a name that is quite long, or too long")
    assert float(label) - float(name) == 18


def test_cutoffs_out_of_reach_are_not_drawn() -> None:
    frame = pl.DataFrame({"pmt_score": [1.0, 2, 3, 4], "cons_pc": [1.0, 3, 2, 4]})
    cutoffs = [-1e9, 2.5, 1e9]
    found = nser.targeting(frame, welfare="cons_pc", line=2, cutoff=cutoffs)
    assert [text for text in texts(picture(found)) if "cut-off " in text] == [
        "cut-off 2.5",
        "cut-off on pmt_score; line 2",
    ]
    nobody = nser.targeting(frame, welfare="cons_pc", line=0.5)
    assert shapes(picture(nobody), "polyline")[0]["points"] == ""
