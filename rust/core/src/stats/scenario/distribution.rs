//! Scores in rising order with counts, by group: what any cut-off, quota or tenth is read from.

use super::codes::Codes;
use super::formula::Formula;
use super::line::{Cutoff, Side};
use super::sums::INVALID;

/// What becomes of households whose score is where a quota runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ties {
    /// None is in: the quota is never exceeded.
    Out,
    /// All are in.
    In,
}

/// Distinct scores of each group, lowest first, with how many households lie at or below.
#[derive(Debug, Default)]
pub struct Distribution {
    /// Where each group starts in the other vectors; one longer than there are groups.
    starts: Vec<usize>,
    scores: Vec<f64>,
    /// Weight of the households of the group up to a score, and with it.
    below: Vec<f64>,
    /// Weight of the households of each group whose score is null.
    nulls: Vec<f64>,
}

impl Distribution {
    /// Groups of (score, weight), the scores rising; equal ones are put together, in order.
    fn new<G: IntoIterator<Item = (f64, f64)>>(
        groups: impl Iterator<Item = G>,
        nulls: Vec<f64>,
    ) -> Self {
        let mut made = Self { starts: vec![0], nulls, ..Self::default() };
        for group in groups {
            let mut sum = 0.0;
            let first = made.scores.len();
            for (score, weight) in group {
                sum += weight;
                match (made.scores.last(), made.below.last_mut()) {
                    (Some(&last), Some(below)) if last == score && made.scores.len() > first => {
                        *below = sum;
                    }
                    _ => {
                        made.scores.push(score);
                        made.below.push(sum);
                    }
                }
            }
            made.starts.push(made.scores.len());
        }
        made
    }

    /// Number of groups.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    /// Number of distinct scores, summed over groups.
    #[must_use]
    pub fn len(&self) -> usize {
        self.scores.len()
    }

    /// Whether no household has a score.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Weight of the households of each group whose score is null.
    #[must_use]
    pub fn nulls(&self) -> &[f64] {
        &self.nulls
    }

    /// Distinct scores of a group, and the weight up to each.
    #[must_use]
    pub fn group(&self, group: usize) -> (&[f64], &[f64]) {
        let ends = self.starts.get(group).zip(self.starts.get(group + 1));
        let range = ends.map_or(0..0, |(&start, &end)| start..end);
        (self.scores.get(range.clone()).unwrap_or(&[]), self.below.get(range).unwrap_or(&[]))
    }

    /// Weight of the households of a group with a score, and of those that a cut-off admits.
    #[must_use]
    pub fn coverage(&self, group: usize, cutoff: Cutoff) -> (f64, f64) {
        let (scores, below) = self.group(group);
        let all = below.last().copied().unwrap_or(0.0);
        let up_to =
            |end: usize| end.checked_sub(1).and_then(|i| below.get(i)).copied().unwrap_or(0.0);
        let value = cutoff.value;
        let admitted = match cutoff.side {
            Side::AtMost => up_to(scores.partition_point(|s| *s <= value)),
            Side::Below => up_to(scores.partition_point(|s| *s < value)),
            Side::AtLeast => all - up_to(scores.partition_point(|s| *s < value)),
            Side::Above => all - up_to(scores.partition_point(|s| *s <= value)),
        };
        (all, admitted)
    }

    /// The scores of the first group from the poorest on, with the weight of all that are at least
    /// as poor.
    fn ranked(&self, low_is_poor: bool) -> impl Iterator<Item = (f64, f64)> {
        let (scores, below) = self.group(0);
        let all = below.last().copied().unwrap_or(0.0);
        let n = scores.len();
        (0..n).filter_map(move |i| {
            let at = if low_is_poor { i } else { n - 1 - i };
            let score = scores.get(at)?;
            let weight = if low_is_poor {
                *below.get(at)?
            } else {
                all - at.checked_sub(1).and_then(|i| below.get(i)).copied().unwrap_or(0.0)
            };
            Some((*score, weight))
        })
    }

    /// The cut-off that admits the poorest households of the first group up to a weight of `quota`;
    /// `None` when there are no scores.
    #[must_use]
    pub fn cutoff_of(&self, quota: f64, low_is_poor: bool, ties: Ties) -> Option<Cutoff> {
        let [with, without] =
            if low_is_poor { [Side::AtMost, Side::Below] } else { [Side::AtLeast, Side::Above] };
        let (mut last, mut reached) = (None, 0.0);
        for (score, weight) in self.ranked(low_is_poor) {
            if weight > quota {
                return Some(match (ties, last) {
                    (Ties::In, _) if quota > reached => Cutoff { value: score, side: with },
                    (_, Some(value)) => Cutoff { value, side: with },
                    (_, None) => Cutoff { value: score, side: without },
                });
            }
            (last, reached) = (Some(score), weight);
        }
        last.map(|value| Cutoff { value, side: with })
    }

    /// Cut-offs that admit what is poorer than the second of `parts` equal parts of the first
    /// group, the third and so on. Equal scores are in one part: that of their poorest.
    #[must_use]
    pub fn parts(&self, parts: usize, low_is_poor: bool) -> Vec<Cutoff> {
        let (_, below) = self.group(0);
        let all = below.last().copied().unwrap_or(0.0);
        let side = if low_is_poor { Side::Below } else { Side::Above };
        let mut cuts = vec![];
        let mut poorer = 0.0;
        for (value, weight) in self.ranked(low_is_poor) {
            while cuts.len() + 1 < parts && poorer * parts as f64 >= all * (cuts.len() + 1) as f64 {
                cuts.push(Cutoff { value, side });
            }
            poorer = weight;
        }
        let beyond = if low_is_poor { f64::INFINITY } else { f64::NEG_INFINITY };
        cuts.resize(parts.saturating_sub(1), Cutoff { value: beyond, side });
        cuts
    }
}

/// Weights of rows by group, sub-model and fixed-point sum: the way to a distribution where the
/// sums are few.
#[derive(Debug, Clone)]
pub struct Histogram {
    groups: usize,
    models: usize,
    first: i32,
    width: usize,
    rows: Vec<u32>,
    weights: Vec<f64>,
    nulls: Vec<f64>,
    /// Group, score and weight of rows whose sum does not tell the score.
    asked: Vec<(usize, f64, f64)>,
    /// The score of each sub-model and sum; NaN where a row's doubles decide.
    scores: std::sync::Arc<Vec<f64>>,
}

/// Most cells of a histogram: tens of megabytes.
const MOST_CELLS: usize = 1 << 22;

impl Histogram {
    /// An empty histogram; `None` where the sums are too many for one, or do not tell the scores.
    #[must_use]
    pub fn new(formula: &Formula, groups: usize, weighted: bool) -> Option<Self> {
        let [first, last] = formula.reach;
        let width = usize::try_from(i64::from(last) - i64::from(first) + 1).ok()?;
        let models = formula.models();
        let cells = groups.checked_mul(models)?.checked_mul(width)?;
        if cells > MOST_CELLS || width > MOST_CELLS / 4 {
            return None;
        }
        let sums = |model| (first..=last).map(move |sum| formula.score_of(model, sum));
        let scores: Vec<f64> =
            (0..models).flat_map(sums).map(|score| score.unwrap_or(f64::NAN)).collect();
        if scores.iter().filter(|score| score.is_nan()).count() > scores.len() / 2 {
            return None; // no step rounds away what the order of addition leaves
        }
        Some(Self {
            groups,
            models,
            first,
            width,
            rows: vec![0; cells],
            weights: vec![0.0; if weighted { cells } else { 0 }],
            nulls: vec![0.0; groups],
            asked: vec![],
            scores: std::sync::Arc::new(scores),
        })
    }

    /// Counts rows; `by` is a grouping of the codes, or none: then all are one group.
    pub fn add(
        &mut self,
        formula: &Formula,
        codes: &Codes,
        sums: &[i32],
        by: Option<usize>,
        rows: std::ops::Range<usize>,
    ) {
        let groups = by.and_then(|by| codes.groups.get(by));
        for (row, &sum) in rows.clone().zip(sums.get(rows).unwrap_or(&[])) {
            let group = groups.map_or(0, |g| g.get(row).copied().unwrap_or(0).into());
            let model = if sum <= INVALID { None } else { codes.stratum(row) };
            let Some(model) = model else {
                self.add_null(group, codes.weight(row));
                continue;
            };
            let place = (i64::from(sum) - i64::from(self.first)) as usize;
            let score = self.scores.get(model * self.width + place).copied();
            if score.is_none_or(f64::is_nan) {
                match formula.score_row(codes, row) {
                    Some(score) => self.asked.push((group, score, codes.weight(row))),
                    None => self.add_null(group, codes.weight(row)),
                }
                continue;
            }
            let cell = (group * self.models + model) * self.width + place;
            if let Some(rows) = self.rows.get_mut(cell) {
                *rows = rows.wrapping_add(1);
            }
            if let Some(weight) = self.weights.get_mut(cell) {
                *weight += codes.weight(row);
            }
        }
    }

    fn add_null(&mut self, group: usize, weight: f64) {
        if let Some(null) = self.nulls.get_mut(group) {
            *null += weight;
        }
    }

    /// Adds the counts of later rows.
    pub fn merge(&mut self, later: Self) {
        self.rows.iter_mut().zip(&later.rows).for_each(|(all, rows)| *all += rows);
        self.weights.iter_mut().zip(&later.weights).for_each(|(all, w)| *all += w);
        self.nulls.iter_mut().zip(&later.nulls).for_each(|(all, w)| *all += w);
        self.asked.extend(later.asked);
    }

    /// The distribution.
    #[must_use]
    pub fn finish(self) -> Distribution {
        let mut groups: Vec<Vec<(f64, f64)>> = vec![vec![]; self.groups];
        let cells = self.models * self.width;
        for (n, group) in groups.iter_mut().enumerate() {
            for (i, score) in self.scores.iter().enumerate() {
                let cell = n * cells + i;
                let rows = self.rows.get(cell).copied().unwrap_or(0);
                if rows > 0 {
                    let weight = self.weights.get(cell).copied().unwrap_or(rows.into());
                    group.push((*score, weight));
                }
            }
        }
        for (group, score, weight) in self.asked {
            if let Some(group) = groups.get_mut(group) {
                group.push((score, weight));
            }
        }
        let sorted = groups.into_iter().map(|mut group| {
            group.sort_by(|a, b| a.0.total_cmp(&b.0));
            group
        });
        Distribution::new(sorted, self.nulls)
    }
}

/// The distribution from every household's score: where the sums are too many for a histogram.
/// A score that is NaN is null.
#[must_use]
pub fn sorted(codes: &Codes, scores: &[f64], by: Option<usize>, groups: usize) -> Distribution {
    let own = by.and_then(|by| codes.groups.get(by));
    let group_of = |row: usize| -> usize {
        own.map_or(0, |groups| groups.get(row).copied().unwrap_or(0).into())
    };
    let mut nulls = vec![0.0; groups];
    let mut sizes = vec![0usize; groups];
    for (row, score) in scores.iter().enumerate() {
        if let (Some(null), Some(size)) =
            (nulls.get_mut(group_of(row)), sizes.get_mut(group_of(row)))
        {
            *null += if score.is_nan() { codes.weight(row) } else { 0.0 };
            *size += usize::from(!score.is_nan());
        }
    }
    let known = scores.iter().enumerate().filter(|(_, score)| !score.is_nan());
    if codes.weights.is_none() {
        let mut found: Vec<Vec<f64>> = sizes.into_iter().map(Vec::with_capacity).collect();
        for (row, &score) in known {
            if let Some(group) = found.get_mut(group_of(row)) {
                group.push(score);
            }
        }
        let in_order = found.into_iter().map(|mut group| {
            group.sort_unstable_by(f64::total_cmp);
            group.into_iter().map(|score| (score, 1.0))
        });
        return Distribution::new(in_order, nulls);
    }
    let mut found: Vec<Vec<(f64, f64)>> = sizes.into_iter().map(Vec::with_capacity).collect();
    for (row, &score) in known {
        if let Some(group) = found.get_mut(group_of(row)) {
            group.push((score, codes.weight(row)));
        }
    }
    let in_order = found.into_iter().map(|mut group| {
        group.sort_by(|a, b| a.0.total_cmp(&b.0)); // equals stay in the order of the rows
        group
    });
    Distribution::new(in_order, nulls)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{PARTS, STEPS, codes, formula};
    use super::super::sums::sums_into;
    use super::*;
    use crate::isa::Isa;

    #[test]
    fn the_histogram_and_the_sorted_scores_are_one_distribution() {
        let mut codes = codes(3000, 4);
        codes.weights = Some((0..codes.rows).map(|row| (row % 4) as f64).collect());
        for (parts, steps) in PARTS.iter().flat_map(|parts| STEPS.map(|steps| (*parts, steps))) {
            let formula = formula(&codes, parts, 0, steps);
            let mut sums = vec![0; codes.rows];
            sums_into(&formula, &codes, 0, &mut sums, Isa::best());
            let scores: Vec<f64> = (0..codes.rows)
                .map(|row| formula.score_row(&codes, row).unwrap_or(f64::NAN))
                .collect();
            let slow = sorted(&codes, &scores, Some(0), 5);
            let Some(mut histogram) = Histogram::new(&formula, 5, true) else {
                assert!(parts == 3.0 || (parts == 10.0 && !formula.is_exact()));
                continue;
            };
            let mut later = histogram.clone();
            histogram.add(&formula, &codes, &sums, Some(0), 0..1000);
            later.add(&formula, &codes, &sums, Some(0), 1000..codes.rows);
            histogram.merge(later);
            let fast = histogram.finish();
            assert_eq!(fast.nulls(), slow.nulls());
            for group in 0..5 {
                assert_eq!(fast.group(group), slow.group(group));
                for value in [-60.0, 3.0, 12.5, 20.0] {
                    for side in [Side::AtMost, Side::Below, Side::AtLeast, Side::Above] {
                        let cutoff = Cutoff { value, side };
                        let rows = (0..codes.rows).filter(|&row| {
                            usize::from(codes.groups[0][row]) == group && cutoff.admits(scores[row])
                        });
                        let naive: f64 = rows.map(|row| codes.weight(row)).sum();
                        assert_eq!(fast.coverage(group, cutoff).1, naive);
                    }
                }
            }
        }
    }

    #[test]
    fn a_quota_stops_before_equals_or_takes_them_all() {
        let groups = [vec![(1.0, 2.0), (4.0, 3.0), (9.0, 5.0)]];
        let all = Distribution::new(groups.into_iter(), vec![0.0]);
        let cut = |quota, low, ties| {
            let Cutoff { value, side } = all.cutoff_of(quota, low, ties).unwrap();
            (value, side)
        };
        assert_eq!(cut(4.0, true, Ties::Out), (1.0, Side::AtMost));
        assert_eq!(cut(4.0, true, Ties::In), (4.0, Side::AtMost));
        assert_eq!(cut(5.0, true, Ties::In), (4.0, Side::AtMost));
        assert_eq!(cut(4.0, false, Ties::Out), (9.0, Side::Above));
        assert_eq!(cut(5.0, false, Ties::Out), (9.0, Side::AtLeast));
        assert_eq!(cut(0.0, true, Ties::In), (1.0, Side::Below));
        assert_eq!(cut(99.0, false, Ties::Out), (1.0, Side::AtLeast));
        let values: Vec<f64> = all.parts(4, true).iter().map(|c| c.value).collect();
        assert_eq!(values, [9.0, 9.0, f64::INFINITY]);
    }
}
