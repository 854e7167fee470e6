"""The same model on a later survey."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.scoring.model import Strata, Stratum


@pytest.fixture(scope="module")
def surveys() -> tuple[pl.DataFrame, pl.DataFrame]:
    made = []
    for seed, growth in ((1, 0.0), (2, 5.0)):
        frame = nser.synth.households(2000, seed=seed).with_columns(
            w=pl.int_range(2000) % 7 + 1.0, members=pl.int_range(2000) % 4 + 1
        )
        scored = nser.score(frame, "schreiner-pk-2009")
        noise = (pl.int_range(2000) * 37 % 41) - 20
        made.append(scored.with_columns(cons=pl.col("pmt_score") + noise + growth))
    drop = ("pmt_score", "pmt_status")
    return made[0].drop(drop), made[1].drop(drop)


def test_terms_are_the_means_of_explain(surveys: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    before, after = surveys
    model = nser.load_model("schreiner-pk-2009")
    found = nser.decay(before, after, model, welfare="cons", line=40, weights="w", size="members")
    for name, frame in (("before", before), ("after", after)):
        long = nser.explain(frame, model, id="hh_id")
        count = frame.select("hh_id", count=pl.col("w") * pl.col("members"))
        known = nser.score(frame, model).filter(pl.col("pmt_score").is_not_null()).select("hh_id")
        wanted = (
            long.join(known, on="hh_id")
            .join(count, on="hh_id")
            .group_by("term", maintain_order=True)
            .agg((pl.col("points") * pl.col("count")).sum() / pl.col("count").sum())
        )
        ours = dict(found.terms.select("term", name).rows())
        assert set(ours) == set(wanted["term"])
        for term, mean in wanted.rows():
            assert ours[term] == pytest.approx(mean, abs=1e-10)
    mean_score = found.summary.filter(measure="mean score").row(0)[1:]
    assert found.terms.select("before", "after", "change").sum().row(0) == pytest.approx(mean_score)


def test_the_line_and_the_cut_off_stay(surveys: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    before, after = surveys
    model = nser.load_model("schreiner-pk-2009")
    found = nser.decay(before, after, model, welfare="cons", rate=0.3, predicts="welfare")
    rows = found.metrics.select("survey", "design", "line", "cutoff").rows()
    assert [row[:2] for row in rows] == [
        ("before", "fixed_rate"), ("before", "fixed_line"),
        ("after", "fixed_rate"), ("after", "fixed_line"),
    ]  # fmt: skip
    assert rows[0][2:] == rows[2][2:] and rows[1][2:] == rows[3][2:]
    scored = nser.score(after, model)
    alone = nser.targeting(scored, welfare="cons", line=rows[0][2], cutoff=rows[0][3])
    assert found.metrics.item(2, "eer") == alone.metrics.item(0, "eer")
    # Welfare grew by 5 and the formula does not know: that is the bias, and the slope stays.
    bias = found.summary.filter(measure="bias").row(0)
    assert bias[1] == pytest.approx(0, abs=0.5) and bias[3] == pytest.approx(5, abs=0.6)
    slope = found.summary.filter(measure="slope").row(0)
    assert slope[1:3] == pytest.approx((1, 1), abs=0.05)
    assert found.metrics.item(3, "pie") > found.metrics.item(1, "pie")
    assert "intercept" in repr(found) and "<table" in found._repr_html_()


def test_a_survey_against_itself_has_not_moved(shared_data: Path) -> None:
    path = shared_data / "households" / "pak_hiics2015_16_household.parquet"
    survey = pl.read_parquet(path).with_columns(y=pl.col("cons_pc").clip(1))
    found = nser.decay(
        survey, survey, "hiics-2016-research", welfare="y", rate=0.2, weights="w_calibrated",
        predicts="log_welfare",
    )  # fmt: skip
    assert found.summary["change"].abs().max() == found.terms["change"].abs().max() == 0
    summary = dict(found.summary.select("measure", "before").rows())
    assert summary["r2"] == pytest.approx(0.5181411115683328, abs=1e-9)  # field/pmt.md section 7
    assert summary["slope"] == pytest.approx(1, abs=1e-7)
    assert summary["bias"] == pytest.approx(0, abs=1e-9)


def test_strata_have_terms_of_their_own() -> None:
    base = nser.load_model("schreiner-pk-2009")
    first, second = base.terms[1], base.terms[2]
    model = replace(
        base,
        terms=(),
        intercept=0.0,
        likelihoods=(),
        strata=Strata(
            input="province",
            missing="null",
            unknown="null",
            models=(
                Stratum(values=("Punjab", "Sindh"), intercept=5.0, terms=(first,)),
                Stratum(values=("Balochistan",), intercept=1.0, terms=(second,)),
            ),
        ),
    )
    frame = nser.synth.households(300, seed=4).with_columns(cons=pl.int_range(300))
    found = nser.decay(frame, frame, model, welfare="cons", line=50)
    scored = nser.score(frame, model).filter(pl.col("pmt_score").is_not_null())
    assert found.terms["term"].to_list() == ["intercept", first.id, second.id]
    share = (scored["province"].cast(pl.String) == "Balochistan").mean()
    assert isinstance(share, float) and 0 < share < 1
    assert found.terms.item(0, "before") == pytest.approx(5 - 4 * share)
    assert found.terms["before"].sum() == pytest.approx(scored["pmt_score"].mean())


def test_what_is_refused(surveys: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    with pytest.raises(DomainError):
        nser.decay(*surveys, "schreiner-pk-2009", welfare="cons")
    with pytest.raises(DomainError):
        nser.decay(*surveys, "schreiner-pk-2009", welfare="cons", line=1, predicts="log")  # type: ignore[arg-type]


def test_lazy_frames_are_read_and_missing_columns_named() -> None:
    homes = nser.synth.households(300, seed=1)
    given: dict[str, Any] = {"welfare": "consumption_pc", "rate": 0.2}
    eager = nser.decay(homes, homes, "schreiner-pk-2009", **given)
    lazy = nser.decay(homes.lazy(), homes.lazy(), "schreiner-pk-2009", **given)
    assert lazy.terms.equals(eager.terms)
    with pytest.raises(SchemaError, match="column 'tv' is missing"):
        nser.decay(homes, homes.drop("tv"), "schreiner-pk-2009", **given)
