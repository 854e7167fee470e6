"""Charts: well-formed SVG that says what the numbers say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt._charts import weight_bars

TABLE = pl.DataFrame(
    {
        "comparison": ["name", "name", "<sex> & more"],
        "level": ["exact", None, "a level with a very long name & a tail"],
        "weight": [9.5, -3.25, 0.0],
    }
)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return ["".join(e.itertext()) for e in root.iter() if e.tag.endswith("text")]


def test_weight_bars_is_well_formed_and_labelled() -> None:
    svg = weight_bars(TABLE)
    shown = texts(svg)
    assert "<sex> & more" in shown and "missing" in shown
    assert "+9.5" in shown and "-3.2" in shown
    assert any(text.endswith("…") for text in shown)
    rects = [e.attrib for e in ElementTree.fromstring(svg).iter() if e.tag.endswith("rect")]
    widths = [float(r["width"]) for r in rects]
    assert widths[0] / widths[1] == pytest.approx(9.5 / 3.25, rel=0.01) and widths[2] == 0
    starts = [float(r["x"]) for r in rects]
    assert starts[1] + widths[1] == pytest.approx(starts[0], abs=0.2)


def test_learned_shows_its_bars_in_a_notebook() -> None:
    people = nser.synth.people(3000, seed=1).records
    learned = nser.learn(people, nser.propose_spec(people, id="id").spec, id="id")
    assert "<svg" in learned._repr_html_()


def test_charts_are_not_imported_until_they_are_asked_for() -> None:
    code = "import sys, nser_pmt\nprint('altair' in sys.modules, 'nser_pmt.plots' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_without_the_extra_the_error_says_what_to_install() -> None:
    code = (
        "import sys\nsys.modules['altair'] = None\nimport nser_pmt\n"
        "try:\n    nser_pmt.plots\nexcept ModuleNotFoundError as e:\n    print(e)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nser_pmt[plots]" in done.stdout


class TestCharts:
    @pytest.fixture(autouse=True)
    def _extra(self) -> None:
        pytest.importorskip("altair")
        pytest.importorskip("vl_convert")

    @pytest.fixture
    def explained(self) -> pl.DataFrame:
        return pl.DataFrame(
            {
                "id_left": [1, 1, 1],
                "id_right": [2, 2, 2],
                "comparison": ["prior", "cnic", "name"],
                "level": [None, "exact", None],
                "weight": [-20.0, 16.5, 0.0],
            }
        )

    def test_waterfall(self, explained: pl.DataFrame, tmp_path: Path) -> None:
        chart = nser.plots.waterfall(explained)
        shown = texts(chart.svg)
        for text in ("prior", "cnic: exact", "name: missing", "match weight", "−20.0", "−3.5"):
            assert text in shown
        assert chart._repr_svg_() == chart.svg
        chart.save(tmp_path / "w.svg")
        assert (tmp_path / "w.svg").read_text(encoding="utf-8") == chart.svg
        chart.save(tmp_path / "w.png")
        assert (tmp_path / "w.png").read_bytes().startswith(b"\x89PNG")
        with pytest.raises(nser.DomainError, match=r"\.svg or \.png"):
            chart.save(tmp_path / "w.pdf")

    def test_waterfall_of_several_pairs_is_refused(self, explained: pl.DataFrame) -> None:
        two = pl.concat([explained, explained.with_columns(id_right=pl.lit(3, pl.Int64))])
        for rows in (two, explained.clear()):
            with pytest.raises(nser.DomainError) as caught:
                nser.plots.waterfall(rows)
            assert caught.value.code == "one_pair"
        with pytest.raises(nser.SchemaError, match="level"):
            nser.plots.waterfall(explained.drop("level"))

    def test_match_weights_keep_the_order_of_levels(self) -> None:
        people = nser.synth.people(3000, seed=1).records
        learned = nser.learn(people, nser.propose_spec(people, id="id").spec, id="id")
        shown = texts(nser.plots.match_weights(learned).svg)
        levels = [text for text in shown if text in ("exact", "one_error", "two_errors", "else")]
        assert levels[:4] == ["exact", "one_error", "two_errors", "else"]
        assert {"cnic", "father_name", "match weight, log2(m / u)"} <= set(shown)

    def test_threshold_curve(self) -> None:
        truth = pl.DataFrame({"id": range(2000), "entity": [k // 2 for k in range(2000)]})
        pairs = pl.DataFrame(
            {
                "id_left": range(1999),
                "id_right": range(1, 2000),
                "match_weight": [10 - k / 150 for k in range(1999)],
            }
        )
        quality = nser.evaluate_links(pairs, truth, threshold=2.5)
        shown = texts(nser.plots.threshold_curve(quality).svg)
        assert {"precision", "recall", "F1", "threshold 2.5"} <= set(shown)
        clusters = truth.select("id", cluster="entity")
        with pytest.raises(nser.DomainError) as caught:
            nser.plots.threshold_curve(nser.evaluate_links(clusters, truth))
        assert caught.value.code == "no_curve"

    def test_cluster_sizes_pool_the_long_tail(self) -> None:
        pairs = pl.DataFrame(
            {
                "id_left": [100 * k for k in range(1, 30) for _ in range(k)],
                "id_right": [100 * k + j for k in range(1, 30) for j in range(1, k + 1)],
                "match_weight": 5.0,
            }
        )
        shown = texts(nser.plots.cluster_sizes(nser.cluster(pairs)).svg)
        assert "≥ 21" in shown and "11" in shown
