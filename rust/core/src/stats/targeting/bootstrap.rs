//! Errors of targeting by group, for the sample and for samples drawn from it by primary sampling
//! unit.
//!
//! Everything that depends on the sample is found anew in each replicate: a line that is a share of
//! the people, the share of the poor, and the cut-off that targets as many. The rows are sorted once.

use crate::column::Bits;

use super::curve::auc;
use super::replicate;
use super::sorted::{self, Pair, key, number};
use super::sweep::{Row, Tally, Until, first_run, sweep};
use super::units::Unit;

/// Columns of the sample, as long as each other. Scores hold no NaN.
#[derive(Debug)]
pub struct Rows<'a> {
    /// Lower is poorer; infinity if it is not known.
    pub scores: &'a [f64],
    /// Without them, each row counts as one.
    pub weights: Option<&'a [f64]>,
    /// Primary sampling unit.
    pub units: &'a [u32],
    /// Group whose errors are wanted.
    pub groups: &'a [u32],
}

/// Who is poor.
#[derive(Debug)]
pub enum Line<'a> {
    /// These rows, in every replicate.
    Given(Bits<'a>),
    /// Rows whose welfare is at most that which `rate` of the people reach.
    Rate {
        /// Welfare, without NaN.
        welfare: &'a [f64],
        /// Share of the people.
        rate: f64,
    },
}

/// Who is targeted.
#[derive(Debug)]
pub enum Target<'a> {
    /// These rows, in every replicate.
    Given(Bits<'a>),
    /// Scores up to that of the line: the score that stands for each row's welfare. Needs
    /// [`Line::Rate`].
    AtLine(&'a [f64]),
    /// The lowest scores that hold as many people as are poor; equal scores stay together.
    AtRate,
}

/// Share of the total by which a sum may miss a share of it and still reach it.
const SLACK: f64 = 1.0 / (1u64 << 40) as f64;

/// A sample sorted for many replicates.
#[derive(Debug)]
pub struct Bootstrap {
    by_score: Vec<Row>,
    by_welfare: Vec<Row>,
    scores: Vec<f64>,
    /// Distinct scores that are no infinity: a household whose score is not known is never targeted
    /// to fill a rate.
    known: u32,
    welfare: Vec<f64>,
    rate: Option<f64>,
    target: Cut,
    strata: Vec<Vec<u32>>,
    unit_count: usize,
    group_count: usize,
    unit: Unit,
}

#[derive(Debug)]
enum Cut {
    Given,
    /// By welfare: how many of the distinct scores are targeted if the line is there, and up to
    /// which score.
    AtLine(Vec<(u32, f64)>),
    AtRate,
}

/// What one replicate found.
#[derive(Debug, Clone, PartialEq)]
pub struct Replicate {
    /// The line, if it is a share of the people.
    pub line: Option<f64>,
    /// The highest score that is targeted, unless those targeted are given.
    pub cutoff: Option<f64>,
    /// By group.
    pub groups: Vec<Counts>,
}

/// Weights of a group.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Counts {
    /// Poor and targeted.
    pub tp: f64,
    /// Targeted, not poor.
    pub fp: f64,
    /// Poor, not targeted.
    pub missed: f64,
    /// Neither.
    pub tn: f64,
    /// Area under the curve; none if there are no poor, or no others.
    pub auc: Option<f64>,
}

impl Bootstrap {
    /// Sorts a sample. `strata` says of each primary sampling unit to which stratum it belongs;
    /// groups are below `group_count`. None where the target needs another line.
    #[must_use]
    pub fn new(
        rows: &Rows<'_>,
        line: &Line<'_>,
        target: &Target<'_>,
        strata: &[u32],
        group_count: usize,
        total: f64,
    ) -> Option<Self> {
        // A unit may be drawn as often as there are units in its stratum.
        let room = (strata.len() as u64 + 1).next_power_of_two().trailing_zeros() as i32;
        let unit = Unit::new(total, (61 - room).min(52));
        let order = sorted::order(rows.scores);
        let (welfare, ranks) = welfare_ranks(line, rows.scores.len());
        let row = |run: usize, &(_, row): &Pair| -> Option<Row> {
            let row = row as usize;
            let weight = rows.weights.map_or(Some(1.0), |weights| weights.get(row).copied())?;
            Some(Row {
                units: unit.count(weight) as f64,
                unit: *rows.units.get(row)?,
                group: *rows.groups.get(row)?,
                run: run as u32,
                welfare: *ranks.get(row)?,
                targeted: matches!(target, Target::Given(rows) if rows.get(row)),
            })
        };
        let runs = sorted::runs(&order).enumerate();
        let by_score: Vec<Row> =
            runs.flat_map(|(n, run)| run.iter().filter_map(move |pair| row(n, pair))).collect();
        let scores: Vec<f64> =
            sorted::runs(&order).filter_map(|run| run.first()).map(|p| number(p.0)).collect();
        let mut by_welfare = vec![];
        let mut rate = None;
        if let Line::Rate { rate: share, .. } = line {
            by_welfare.clone_from(&by_score);
            by_welfare.sort_by_key(|row| row.welfare);
            rate = Some(*share);
        }
        let target = match (target, line) {
            (Target::Given(_), _) => Cut::Given,
            (Target::AtRate, _) => Cut::AtRate,
            (Target::AtLine(at), Line::Rate { .. }) => {
                Cut::AtLine(runs_at_line(at, &ranks, welfare.len(), &scores))
            }
            (Target::AtLine(_), Line::Given(_)) => return None,
        };
        let stratum_count = strata.iter().max().map_or(0, |&last| last as usize + 1);
        let mut members = vec![vec![]; stratum_count];
        for (unit, &stratum) in (0u32..).zip(strata) {
            members.get_mut(stratum as usize)?.push(unit);
        }
        Some(Self {
            known: scores.partition_point(|score| *score < f64::INFINITY) as u32,
            by_score,
            by_welfare,
            scores,
            welfare,
            rate,
            target,
            strata: members,
            unit_count: strata.len(),
            group_count,
            unit,
        })
    }

    /// The sample itself.
    #[must_use]
    pub fn sample(&self) -> Replicate {
        self.measure(&vec![1.0; self.unit_count])
    }

    /// Replicate `number` of those that `seed` stands for.
    #[must_use]
    pub fn replicate(&self, seed: u64, number: u64) -> Replicate {
        self.measure(&replicate::factors(&self.strata, self.unit_count, seed, number))
    }

    fn measure(&self, factors: &[f64]) -> Replicate {
        let weight = |row: &Row| -> u64 {
            (row.units * factors.get(row.unit as usize).copied().unwrap_or(0.0)) as u64
        };
        let weights: Vec<u64> = self.by_score.iter().map(weight).collect();
        let total: u64 = weights.iter().sum();
        let slack = SLACK * total as f64;
        let (line, poor) = match self.rate {
            Some(rate) => {
                let rows = self.by_welfare.iter().map(|row| (row.welfare, weight(row)));
                first_run(rows, rate * total as f64 - slack)
            }
            None => {
                let rows = self.by_score.iter().zip(&weights);
                (Some(0), rows.map(|(row, &w)| w * u64::from(row.welfare == 0)).sum())
            }
        };
        // Ranks below this are poor.
        let ranks = line.map_or(0, |last| last + 1);
        let (cut, at) = match &self.target {
            Cut::Given => (Until::Run(0), None),
            Cut::AtLine(runs) => {
                let at = line.and_then(|last| runs.get(last as usize));
                (Until::Run(at.map_or(0, |at| at.0)), at.map(|at| at.1))
            }
            Cut::AtRate if poor > 0 => {
                (Until::Sum { need: (poor as f64 - slack).max(1.0), runs: self.known }, None)
            }
            Cut::AtRate => (Until::Run(0), None),
        };
        let mut many = vec![Tally::default(); self.group_count];
        let last = match many.as_mut_slice() {
            [only] => sweep(&self.by_score, &weights, ranks, &cut, only),
            groups => sweep(&self.by_score, &weights, ranks, &cut, groups),
        };
        let reached = last.filter(|_| matches!(cut, Until::Sum { .. }));
        let line = line.filter(|_| self.rate.is_some());
        Replicate {
            line: line.and_then(|run| self.welfare.get(run as usize)).copied(),
            cutoff: at.or_else(|| reached.and_then(|run| self.scores.get(run as usize)).copied()),
            groups: many.iter().map(|tally| self.counts(tally)).collect(),
        }
    }

    fn counts(&self, tally: &Tally) -> Counts {
        let weight = |units| self.unit.weight(units);
        Counts {
            tp: weight(tally.tp),
            fp: weight(tally.fp),
            missed: weight(tally.poor - tally.tp),
            tn: weight(tally.other - tally.fp),
            auc: auc(tally.area, tally.poor, tally.other),
        }
    }
}

/// The distinct values of welfare, and the place of each row's among them.
fn welfare_ranks(line: &Line<'_>, rows: usize) -> (Vec<f64>, Vec<u32>) {
    match line {
        Line::Given(poor) => (vec![], (0..rows).map(|row| u32::from(!poor.get(row))).collect()),
        Line::Rate { welfare, .. } => {
            let order = sorted::order(welfare);
            let mut ranks = vec![0; rows];
            let mut values = vec![];
            for (rank, run) in (0u32..).zip(sorted::runs(&order)) {
                for &(key, row) in run {
                    if let Some(slot) = ranks.get_mut(row as usize) {
                        *slot = rank;
                    }
                    if values.len() == rank as usize {
                        values.push(number(key));
                    }
                }
            }
            (values, ranks)
        }
    }
}

/// How many of the distinct scores are at most that of the line, and that, by the place of the line.
fn runs_at_line(at: &[f64], ranks: &[u32], values: usize, scores: &[f64]) -> Vec<(u32, f64)> {
    let mut runs = vec![(0, 0.0); values];
    for (&at, &rank) in at.iter().zip(ranks) {
        if let Some(slot) = runs.get_mut(rank as usize) {
            *slot = (scores.partition_point(|&score| key(score) <= key(at)) as u32, at);
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Sample {
        scores: Vec<f64>,
        welfare: Vec<f64>,
        weights: Vec<f64>,
        units: Vec<u32>,
        groups: Vec<u32>,
        strata: Vec<u32>,
    }

    fn sample(rows: usize) -> Sample {
        let mut state = 11u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        Sample {
            scores: (0..rows).map(|_| next(40) as f64).collect(),
            welfare: (0..rows).map(|_| next(300) as f64 / 3.0).collect(),
            weights: (0..rows).map(|_| next(8) as f64 * 0.25).collect(),
            units: (0..rows).map(|_| next(12) as u32).collect(),
            groups: (0..rows).map(|_| next(3) as u32).collect(),
            strata: (0..12).map(|unit| unit / 4).collect(),
        }
    }

    /// Repeats the definitions, one at a time.
    fn naive(s: &Sample, factors: &[f64], rate: f64, at_line: bool) -> (f64, f64, Vec<[f64; 4]>) {
        let w: Vec<f64> =
            s.weights.iter().zip(&s.units).map(|(w, &u)| w * factors[u as usize]).collect();
        let total: f64 = w.iter().sum();
        let reaches = |values: &[f64], need: f64| -> f64 {
            let mut distinct = values.to_vec();
            distinct.sort_by(f64::total_cmp);
            distinct.dedup();
            let sum = |v: f64| -> f64 {
                values.iter().zip(&w).filter(|(x, _)| **x <= v).map(|(_, w)| w).sum()
            };
            let mass = |v: f64| -> f64 {
                values.iter().zip(&w).filter(|(x, _)| **x == v).map(|(_, w)| w).sum()
            };
            distinct.into_iter().find(|&v| mass(v) > 0.0 && sum(v) >= need - 1e-7).unwrap()
        };
        let line = reaches(&s.welfare, rate * total);
        let poor: f64 = s.welfare.iter().zip(&w).filter(|(y, _)| **y <= line).map(|(_, w)| w).sum();
        let cut = if at_line { line / 3.0 } else { reaches(&s.scores, poor) };
        let mut cells = vec![[0.0; 4]; 3];
        for row in 0..w.len() {
            let (p, t) = (s.welfare[row] <= line, s.scores[row] <= cut);
            let cell = match (p, t) {
                (true, true) => 0,
                (false, true) => 1,
                (true, false) => 2,
                (false, false) => 3,
            };
            cells[s.groups[row] as usize][cell] += w[row];
        }
        (line, cut, cells)
    }

    #[test]
    fn replicates_repeat_the_definitions() {
        let s = sample(700);
        let rows = Rows {
            scores: &s.scores,
            weights: Some(&s.weights),
            units: &s.units,
            groups: &s.groups,
        };
        let at: Vec<f64> = s.welfare.iter().map(|y| y / 3.0).collect();
        let total = s.weights.iter().sum();
        for at_line in [false, true] {
            let line = Line::Rate { welfare: &s.welfare, rate: 0.3 };
            let target = if at_line { Target::AtLine(&at) } else { Target::AtRate };
            let prepared = Bootstrap::new(&rows, &line, &target, &s.strata, 3, total).unwrap();
            for number in 0..20 {
                let strata = vec![vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9, 10, 11]];
                let factors = replicate::factors(&strata, 12, 5, number);
                let (line, cut, cells) = naive(&s, &factors, 0.3, at_line);
                let found = prepared.replicate(5, number);
                assert_eq!(found.line, Some(line));
                assert_eq!(found.cutoff, Some(cut));
                for (counts, cells) in found.groups.iter().zip(cells) {
                    for (a, b) in [counts.tp, counts.fp, counts.missed, counts.tn].iter().zip(cells)
                    {
                        assert!((a - b).abs() < 1e-9, "{counts:?} {cells:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn given_rows_and_the_area() {
        let s = sample(400);
        let poor: Vec<u8> = (0..50).map(|byte| (byte * 37) as u8).collect();
        let bits = Bits::new(&poor, 0, 400).unwrap();
        let rows = Rows { scores: &s.scores, weights: None, units: &s.units, groups: &[0; 400] };
        let line = Line::Given(bits);
        let found = Bootstrap::new(&rows, &line, &Target::Given(bits), &s.strata, 1, 400.0)
            .unwrap()
            .sample();
        let count = (0..400).filter(|&row| bits.get(row)).count() as f64;
        let [counts] = found.groups[..] else { panic!("one group") };
        assert_eq!(
            (counts.tp, counts.fp, counts.missed, counts.tn),
            (count, 0.0, 0.0, 400.0 - count)
        );
        let mut area = 0.0;
        for p in (0..400).filter(|&row| bits.get(row)) {
            for o in (0..400).filter(|&row| !bits.get(row)) {
                area += f64::from(s.scores[p] < s.scores[o])
                    + 0.5 * f64::from(s.scores[p] == s.scores[o]);
            }
        }
        assert!((counts.auc.unwrap() - area / (count * (400.0 - count))).abs() < 1e-12);
        assert!(Bootstrap::new(&rows, &line, &Target::AtLine(&[]), &s.strata, 1, 400.0).is_none());
    }

    #[test]
    fn nobody_poor_targets_nobody() {
        let s = sample(50);
        let none = [0u8; 7];
        let rows = Rows { scores: &s.scores, weights: None, units: &s.units, groups: &[0; 50] };
        let line = Line::Given(Bits::new(&none, 0, 50).unwrap());
        let made = Bootstrap::new(&rows, &line, &Target::AtRate, &s.strata, 1, 50.0).unwrap();
        let found = made.replicate(1, 1);
        assert_eq!((found.cutoff, found.groups[0].auc), (None, None));
        assert_eq!((found.groups[0].tp, found.groups[0].fp), (0.0, 0.0));
    }
}
