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
    fn new(groups: impl Iterator<Item = Vec<(f64, f64)>>, nulls: Vec<f64>) -> Self {
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
    /// An empty histogram; `None` where the sums are too many for one.
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
        let scores = (0..models).flat_map(sums).map(|score| score.unwrap_or(f64::NAN)).collect();
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
    let mut nulls = vec![0.0; groups];
    let mut found: Vec<Vec<(f64, f64)>> = vec![vec![]; groups];
    for (row, &score) in scores.iter().enumerate() {
        let group = own.map_or(0, |g| g.get(row).copied().unwrap_or(0).into());
        let weight = codes.weight(row);
        match (score.is_nan(), nulls.get_mut(group), found.get_mut(group)) {
            (true, Some(null), _) => *null += weight,
            (false, _, Some(found)) => found.push((score, weight)),
            _ => {}
        }
    }
    let in_order = found.into_iter().map(|mut group| {
        group.sort_by(|a, b| a.0.total_cmp(&b.0));
        group
    });
    Distribution::new(in_order, nulls)
}
