"""How good links are: `evaluate_links` compares pairs or clusters with the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.linkage import _fates as fates
from nser_pmt.linkage import _measures as measures
from nser_pmt.linkage._ids import SIDES, Frame, HasFrame, frame_of, read_weights, taken
from nser_pmt.linkage._measures import ClusterQuality
from nser_pmt.linkage._truth import Truth, kinds_of_pairs, read_truth

__all__ = ["ClusterQuality", "LinkQuality", "evaluate_links"]

_P95 = math.log2(0.95 / 0.05)


@dataclass(frozen=True, kw_only=True, repr=False)
class LinkQuality:
    """What `evaluate_links` found. Numbers are None where they are not defined or not asked for.

    Attributes
    ----------
    records, true_pairs
        Size of the truth; ``records`` is None if the truth is a list of pairs.
    predicted, true_positives, precision, recall, f1
        Of the links at `threshold`; of the pairs within clusters, if only clusters were given.
    threshold
        Lowest ``match_weight`` of a link.
    best_f1, best_threshold
        Highest F1 of all thresholds, which only the truth can tell; of equals, the highest.
    f1_at_p95
        F1 of the links with a match probability of at least .95: chosen without the truth.
    candidate_pairs, blocking_recall, reduction
        Candidates; share of the true pairs among them; share of all pairs that are none.
    brier
        Mean squared error of the match probabilities of all links given.
    clusters
        A `ClusterQuality`.
    curve
        By ``threshold`` (rising): ``predicted``, ``true_positives``, ``precision``, ``recall``,
        ``f1``.
    stages
        ``stage``, ``pairs``, ``share``: what became of the true pairs, each counted once.
    lost
        ``id_left``, ``id_right``, ``match_weight``, ``stage`` of every true pair that is lost.
    by
        By ``kind``: ``true_pairs``, ``found``, ``recall`` and a count for each stage of loss. A
        pair with two kinds counts in both.
    calibration
        By bin of one unit of weight: ``weight_from``, ``weight_to``, ``pairs``, ``true_pairs``,
        ``share_true``, ``expected`` (mean match probability). Beyond 64 bins are pooled.
    """

    records: int | None
    true_pairs: int
    threshold: float | None
    predicted: int
    true_positives: int
    precision: float | None
    recall: float | None
    f1: float | None
    best_f1: float | None
    best_threshold: float | None
    f1_at_p95: float | None
    candidate_pairs: int | None
    blocking_recall: float | None
    reduction: float | None
    brier: float | None
    clusters: ClusterQuality | None
    stages: pl.DataFrame
    lost: pl.DataFrame
    curve: pl.DataFrame | None
    by: pl.DataFrame | None
    calibration: pl.DataFrame | None

    def __repr__(self) -> str:
        lines = [f"LinkQuality: {self.true_pairs:,} true pairs"]
        at = "clusters" if self.threshold is None else f"weight >= {self.threshold:g}"
        lines.append(f"  {at:<16} {_scores(self.precision, self.recall, self.f1)}")
        if self.best_threshold is not None:
            lines.append(f"  best F1          {_text(self.best_f1)} at {self.best_threshold:.2f}")
            lines.append(f"  F1 at p >= .95   {_text(self.f1_at_p95)}")
        if self.blocking_recall is not None:
            lines.append(f"  blocking recall  {_text(self.blocking_recall)}")
        if self.clusters is not None and self.threshold is not None:
            c = self.clusters
            lines.append(f"  clusters         {_scores(c.precision, c.recall, c.f1)}")
        for stage, pairs in self.stages.select("stage", "pairs").iter_rows():
            lines.append(f"  {stage.replace('_', ' '):<22} {pairs:>12,}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def evaluate_links(
    found: Frame | HasFrame,
    truth: Frame,
    *,
    threshold: float = 0.0,
    thresholds: Sequence[float] | None = None,
    candidates: Frame | Literal["found"] | None = None,
    clusters: Frame | HasFrame | None = None,
    by: str | Frame | None = None,
) -> LinkQuality:
    """Measure links against the truth, and say at which stage each true pair was lost.

    Parameters
    ----------
    found
        Pairs (``id_left``, ``id_right`` and, unless all of them are links, ``match_weight``), or
        clusters (``id``, ``cluster``; a record without a row is alone).
    truth
        ``id`` and ``entity`` of every record; or ``id_left`` and ``id_right`` of the true pairs, in
        the order in which the links have them. With entities the two ids may be in any order, and
        all pairs of records count: two frames that share ids, or hold duplicates each, need pairs.
    threshold
        Lowest ``match_weight`` (log2 odds) of a link.
    thresholds
        Thresholds of the curve; all distinct weights by default.
    candidates
        Pairs that were compared, as a frame, or ``"found"`` if `found` holds all of them, made
        without a threshold. Without it nobody can tell blocking from scoring.
    clusters
        Clusters made of the pairs of `found` that have at least `threshold`; needs entities.
    by
        Kind of error: a column of `truth`, or a frame of ``id`` and one other column, with any
        number of rows an id. A List column holds several kinds. A pair has the kinds of both
        records, or null if neither has one.

    Returns
    -------
    LinkQuality
        Numbers, and frames by threshold, stage, kind of error and weight.

    Raises
    ------
    SchemaError
        A column is missing; an id is null, occurs twice or is not in the truth; a pair occurs
        twice or holds one record twice; a weight is null or NaN.
    DomainError
        An option is not allowed; or the truth holds more than 200 million pairs.

    Notes
    -----
    Recall counts all true pairs, also those that blocking missed: P = TP / predicted,
    R = TP / true, F1 = 2 TP / (predicted + true).

    Of clusters, with n_ij records of person j in cluster i: TP = sum of C(n_ij, 2), predicted =
    sum of C(n_i, 2), true = sum of C(n_j, 2). B-cubed precision is the mean over records of
    n_ij / n_i, recall that of n_ij / n_j (Bagga and Baldwin, Algorithms for scoring coreference
    chains, 1998): unlike pairs, they are not ruled by giant clusters.

    Blocking recall is the share of true pairs among candidates, reduction 1 - candidates / C(n, 2)
    (Christen, Data Matching, 2012). The Brier score is the mean of (p - [true])^2, where
    p = 1 / (1 + 2^-weight).

    A true pair is ``found``; or it is no link, but other links brought its records into one cluster
    (``joined_by_clustering``); or it is lost: ``cut_by_clustering``, ``scored_too_low``,
    ``not_blocked``, or ``not_linked`` where nothing given tells at which stage.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> truth = pl.DataFrame({"id": [1, 2, 3, 4, 5], "entity": ["a", "a", "a", "b", "b"]})
    >>> pairs = pl.DataFrame(
    ...     {"id_left": [1, 2, 3], "id_right": [2, 3, 4], "match_weight": [9.0, -1.5, 3.0]}
    ... )
    >>> quality = nser.evaluate_links(pairs, truth, candidates="found")
    >>> quality
    LinkQuality: 4 true pairs
      weight >= 0      precision .5000  recall .2500  F1 .3333
      best F1          .5714 at -1.50
      F1 at p >= .95   .4000
      blocking recall  .5000
      found                             1
      scored too low                    1
      not blocked                       2
    >>> quality.curve.select("threshold", "predicted", "true_positives", "f1")
    shape: (3, 4)
    ┌───────────┬───────────┬────────────────┬──────────┐
    │ threshold ┆ predicted ┆ true_positives ┆ f1       │
    │ ---       ┆ ---       ┆ ---            ┆ ---      │
    │ f64       ┆ i64       ┆ i64            ┆ f64      │
    ╞═══════════╪═══════════╪════════════════╪══════════╡
    │ -1.5      ┆ 3         ┆ 2              ┆ 0.571429 │
    │ 3.0       ┆ 2         ┆ 1              ┆ 0.333333 │
    │ 9.0       ┆ 1         ┆ 1              ┆ 0.4      │
    └───────────┴───────────┴────────────────┴──────────┘
    """
    if any(math.isnan(t) for t in (threshold, *(thresholds or ()))):
        raise invalid("threshold and thresholds must be numbers")
    known = read_truth(truth)
    frame = frame_of(found)
    scored = "cluster" not in frame.lazy().collect_schema()
    if not scored and clusters is not None:
        raise SchemaError("found: expected pairs beside 'clusters'", code="wrong_column")
    pairs = _measure_pairs(known, frame, threshold, thresholds) if scored else None
    grouped = clusters if scored else frame
    codes = None if grouped is None else measures.cluster_codes(known, frame_of(grouped))
    of_clusters = None if codes is None else measures.measure_clusters(known, codes)
    blocked = None if candidates is None else _measure_blocking(known, candidates, pairs)
    fate = fates.fates(
        known,
        weights=pairs.of_true if pairs else None,
        threshold=threshold,
        codes=codes,
        compared=blocked.pair if blocked else None,
    )
    counts = pairs or of_clusters
    assert counts is not None  # it is the one or the other
    predicted, hits, true = counts.predicted, counts.true_positives, known.pairs.height
    return LinkQuality(
        records=None if known.ids is None else known.ids.height,
        true_pairs=true,
        threshold=threshold if scored else None,
        predicted=predicted,
        true_positives=hits,
        precision=measures.share(hits, predicted),
        recall=measures.share(hits, true),
        f1=measures.f1(hits, predicted, true),
        best_f1=pairs.best_f1 if pairs else None,
        best_threshold=pairs.best_threshold if pairs else None,
        f1_at_p95=pairs.f1_at_p95 if pairs else None,
        candidate_pairs=blocked.candidates if blocked else None,
        blocking_recall=measures.share(len(blocked.pair), true) if blocked else None,
        reduction=blocked.reduction if blocked else None,
        brier=pairs.brier if pairs else None,
        clusters=of_clusters,
        stages=fates.stages(fate),
        lost=fates.lost(fate),
        curve=pairs.curve if pairs else None,
        by=None if by is None else fates.by_kind(fate, kinds_of_pairs(known, truth, by)),
        calibration=pairs.calibration if pairs else None,
    )


@dataclass(frozen=True, kw_only=True)
class _Pairs:
    """What is known of scored pairs; of pairs without weights, only the counts."""

    given: int
    predicted: int
    true_positives: int
    of_true: pl.DataFrame  # pair, match_weight
    best_f1: float | None = None
    best_threshold: float | None = None
    f1_at_p95: float | None = None
    brier: float | None = None
    curve: pl.DataFrame | None = None
    calibration: pl.DataFrame | None = None


def _measure_pairs(
    truth: Truth, found: Frame, threshold: float, thresholds: Sequence[float] | None
) -> _Pairs:
    weighted = "match_weight" in found.lazy().collect_schema()
    links = taken(found, (*SIDES, "match_weight") if weighted else SIDES, "found")
    hits = truth.hits(links, "found")
    if not weighted:
        sure = hits.select("pair", match_weight=pl.lit(math.inf))
        count = links.height
        return _Pairs(given=count, predicted=count, true_positives=hits.height, of_true=sure)
    weights = read_weights(links.get_column("match_weight"), "found")
    of_true = weights.gather(hits.get_column("link"))
    true = truth.pairs.height
    steps = measures.steps(weights, of_true)
    every = measures.curve(steps, true, None)
    best = every.filter(pl.col("f1") == pl.col("f1").max()).tail(1)
    at = measures.curve(steps, true, [threshold]).row(0, named=True)
    bins, brier = measures.calibration(steps)
    return _Pairs(
        given=links.height,
        predicted=at["predicted"],
        true_positives=at["true_positives"],
        of_true=pl.DataFrame([hits.get_column("pair"), of_true]),
        best_f1=best.item(0, "f1") if best.height else None,
        best_threshold=best.item(0, "threshold") if best.height else None,
        f1_at_p95=measures.curve(steps, true, [_P95]).item(0, "f1"),
        brier=brier,
        curve=every if thresholds is None else measures.curve(steps, true, thresholds),
        calibration=bins,
    )


@dataclass(frozen=True, kw_only=True)
class _Blocking:
    candidates: int
    pair: pl.Series  # true pairs among the candidates
    reduction: float | None


def _measure_blocking(
    truth: Truth, candidates: Frame | Literal["found"], found: _Pairs | None
) -> _Blocking:
    if not isinstance(candidates, str):
        compared = taken(candidates, SIDES, "candidates")
        pair, count = truth.hits(compared, "candidates").get_column("pair"), compared.height
    elif candidates == "found" and found is not None:
        pair, count = found.of_true.get_column("pair"), found.given
    else:
        raise invalid('candidates must be a frame, or "found" beside pairs')
    every = None if truth.ids is None else math.comb(truth.ids.height, 2)
    return _Blocking(candidates=count, pair=pair, reduction=1 - count / every if every else None)


def _scores(precision: float | None, recall: float | None, f1: float | None) -> str:
    return f"precision {_text(precision)}  recall {_text(recall)}  F1 {_text(f1)}"


def _text(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}".removeprefix("0")
