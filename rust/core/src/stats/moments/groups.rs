//! One pass over the rows: moments of all of them, and of each group.

use super::gram::{Gram, triangle};
use super::panel::{Panel, ROWS, Sums, narrow};
use crate::column::Column;
use crate::isa::Isa;
use crate::stats::cpu::{Kernel, run};
use crate::stats::jobs::Jobs;

/// Rows of a job, about. Fixed, so that sums do not depend on the number of threads.
pub(super) const JOB: usize = 16_384;

/// What the pass reads. Rows of a group follow each other.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// The columns, the target last. A column of one value counts for all rows.
    pub columns: &'a [Column<'a>],
    /// Number of rows.
    pub rows: usize,
    /// Weights; ones if there are none.
    pub weights: &'a [f64],
    /// First row of each group, from 0 on; empty if groups do not matter.
    pub starts: &'a [usize],
}

/// Moments of all rows, and of each group.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// Of all rows.
    pub total: Gram,
    /// The lower triangles of the groups, one after the other, rounded to `f64`; empty if groups
    /// do not matter.
    pub high: Vec<f64>,
    /// What the rounding left.
    pub low: Vec<f64>,
}

/// Why there are no moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop<S> {
    /// The caller asked for it.
    Stopped(S),
    /// A column has a value that is not finite, or whose square is too large.
    NotFinite {
        /// The column.
        column: usize,
        /// The first row, if there is one that is not finite.
        row: Option<usize>,
    },
}

/// Computes the moments. `done` is told the number of rows that a job has finished.
///
/// # Errors
///
/// See [`Stop`].
pub fn moments<J: Jobs>(
    rows: Rows<'_>,
    isa: Isa,
    jobs: &J,
    done: impl Fn(usize) + Sync,
) -> Result<Moments, Stop<J::Stop>> {
    let width = rows.columns.len();
    let mut parts = rows.cut();
    let made = jobs.map(&mut parts, |_, part| {
        let out = one_job(rows, isa, part);
        done(part.end - part.start);
        out
    });
    let mut sums = Gram::zeros(width);
    let (mut high, mut low) = (vec![], vec![]);
    for part in made.map_err(Stop::Stopped)? {
        let (part_high, part_low) = part.total.parts();
        sums.add(part_high, part_low);
        high.extend(part.high);
        low.extend(part.low);
    }
    if let Some(column) = sums.not_finite() {
        return Err(Stop::NotFinite { column, row: rows.not_finite(column) });
    }
    Ok(Moments { total: sums, high, low })
}

/// Not generic, so that it is compiled here, where one unit of code is all of the crate.
#[inline(never)]
fn one_job(rows: Rows<'_>, isa: Isa, part: &Part) -> Moments {
    run(narrow(isa), Pass { rows, part })
}

/// Rows of a job, and the groups that begin in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub start: usize,
    pub end: usize,
    pub groups: (usize, usize),
}

impl Rows<'_> {
    /// Cuts the rows into jobs: every so many rows, or where the next group begins.
    pub(super) fn cut(&self) -> Vec<Part> {
        if self.starts.is_empty() {
            let part = |start| Part { start, end: self.rows.min(start + JOB), groups: (0, 0) };
            return (0..self.rows).step_by(JOB).map(part).collect();
        }
        let mut parts = vec![];
        let (mut start, mut first) = (0, 0);
        for (group, end) in (1..).zip(self.starts.iter().skip(1).copied().chain([self.rows])) {
            if end - start >= JOB || group == self.starts.len() {
                parts.push(Part { start, end, groups: (first, group) });
                (start, first) = (end, group);
            }
        }
        parts
    }

    fn not_finite(&self, column: usize) -> Option<usize> {
        let column = self.columns.get(column)?;
        let mut buffer = [0.0; ROWS];
        (0..column.len()).step_by(ROWS).find_map(|start| {
            let rows = ROWS.min(column.len() - start);
            let values = column.numbers(start, buffer.get_mut(..rows)?);
            Some(start + values.iter().position(|x| !x.is_finite())?)
        })
    }
}

/// One job.
struct Pass<'a> {
    rows: Rows<'a>,
    part: &'a Part,
}

impl Moments {
    /// Number of groups whose moments were kept.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.high.len() / triangle(self.total.width()).max(1)
    }

    /// The lower triangles of the groups, in order: rounded to `f64`, and what the rounding left.
    pub fn each_group(&self) -> impl Iterator<Item = (&[f64], &[f64])> {
        let entries = triangle(self.total.width()).max(1);
        self.high.chunks_exact(entries).zip(self.low.chunks_exact(entries))
    }

    /// Sums of the groups of each fold.
    #[must_use]
    pub fn by_fold(&self, fold: &[u32], folds: usize) -> Vec<Gram> {
        let mut sums = vec![Gram::zeros(self.total.width()); folds];
        for ((high, low), &fold) in self.each_group().zip(fold) {
            let slot = sums.get_mut(fold as usize);
            slot.into_iter().for_each(|sum| sum.add(high, low));
        }
        sums
    }

    /// The moments after the weights of each group were multiplied by a factor.
    #[must_use]
    pub fn scaled(&self, factors: &[f64]) -> Self {
        let width = self.total.width();
        let mut out = Self { total: Gram::zeros(width), high: vec![], low: vec![] };
        for ((high, low), &factor) in self.each_group().zip(factors) {
            let mut group = Gram::zeros(width);
            group.add_scaled(factor, high, low);
            let (high, low) = group.parts();
            out.total.add(high, low);
            out.high.extend_from_slice(high);
            out.low.extend_from_slice(low);
        }
        out
    }
}

impl Kernel for Pass<'_> {
    type Out = Moments;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Moments {
        let Self { rows, part } = self;
        let width = rows.columns.len();
        let mut panel = Panel::new(width);
        let mut sums = Sums::new(width);
        let mut out = Moments { total: Gram::zeros(width), high: vec![], low: vec![] };
        let (first, last) = part.groups;
        let starts = rows.starts.get(first..last).unwrap_or(&[]);
        let room = triangle(width) * starts.len();
        out.high.reserve_exact(room);
        out.low.reserve_exact(room);
        let whole = [part.start];
        let begins = if starts.is_empty() { &whole } else { starts };
        for (&begin, end) in begins.iter().zip(begins.iter().skip(1).copied().chain([part.end])) {
            sums.clear();
            for start in (begin..end).step_by(ROWS) {
                let count = ROWS.min(end - start);
                panel.read(rows.columns, start, count);
                panel.weigh(rows.weights.get(start..start + count));
                panel.add_to::<TILE>(&mut sums);
            }
            if starts.is_empty() {
                let (mut high, mut low) = (vec![], vec![]);
                sums.write(width, &mut high, &mut low);
                out.total.add(&high, &low);
            } else {
                let from = out.high.len();
                sums.write(width, &mut out.high, &mut out.low);
                let last = |of| <[f64]>::get(of, from..).unwrap_or(&[]);
                out.total.add(last(&out.high), last(&out.low));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Values;
    use crate::stats::double::Double;
    use crate::stats::jobs::Serial;
    use crate::stats::moments::{robust_meat, scores, scores_of_moments};

    /// Numbers that differ much in size, and weights of all bits.
    fn data(rows: usize, width: usize) -> (Vec<Vec<f64>>, Vec<f64>) {
        let mut random = crate::stats::random::Random::new(7);
        let mut number = || f64::from(random.below(1 << 31)) / f64::from(1 << 30) - 1.0;
        let column = |j: usize| 10f64.powi(j as i32 % 7 - 3);
        let columns: Vec<Vec<f64>> =
            (0..width).map(|j| (0..rows).map(|_| number() * column(j)).collect()).collect();
        let weights = (0..rows).map(|_| number().abs() / 3.0).collect();
        (columns, weights)
    }

    fn views(columns: &[Vec<f64>]) -> Vec<Column<'_>> {
        columns.iter().map(|c| Column { values: Values::F64(c), validity: None }).collect()
    }

    #[test]
    fn sums_are_those_of_double_double_arithmetic_on_every_processor() {
        for (rows, width) in [(1, 1), (255, 3), (257, 9), (1000, 17)] {
            let (columns, weights) = data(rows, width);
            let views = views(&columns);
            for weights in [&weights[..], &[]] {
                let given = Rows { columns: &views, rows, weights, starts: &[] };
                let found = moments(given, Isa::best(), &Serial, |_| ()).unwrap();
                for isa in Isa::available() {
                    assert_eq!(moments(given, isa, &Serial, |_| ()).unwrap(), found);
                }
                for i in 0..width {
                    for j in 0..=i {
                        let product = |r: usize| {
                            let weight = Double::from(weights.get(r).copied().unwrap_or(1.0));
                            Double::product(columns[i][r], columns[j][r]) * weight
                        };
                        let exact: Double = (0..rows).map(product).sum();
                        let size: f64 = (0..rows).map(|r| product(r).high.abs()).sum();
                        let error = (found.total.get(i, j) - exact).high.abs();
                        assert!(error <= size * 2f64.powi(-80), "{i} {j} {error} {size}");
                    }
                }
            }
        }
    }

    #[test]
    fn groups_add_up_to_all_and_give_the_scores_of_their_rows() {
        let rows = 40_000;
        let (columns, weights) = data(rows, 4);
        let views = views(&columns);
        let starts: Vec<usize> = (0..rows)
            .scan(0, |at, i| {
                *at += 1 + i * 7 % 40;
                Some(*at - 1)
            })
            .collect();
        let starts: Vec<usize> =
            std::iter::once(0).chain(starts).take_while(|&s| s < rows).collect();
        let mut unique = starts.clone();
        unique.dedup();
        let given = Rows { columns: &views, rows, weights: &weights, starts: &unique };
        let found = moments(given, Isa::best(), &Serial, |_| ()).unwrap();
        assert_eq!(found.groups(), unique.len());
        let whole = moments(Rows { starts: &[], ..given }, Isa::best(), &Serial, |_| ()).unwrap();
        for i in 0..4 {
            for j in 0..=i {
                let difference = found.total.get(i, j) - whole.total.get(i, j);
                assert!(difference.high.abs() < 1e-20 * whole.total.get(j, j).high.max(1.0));
            }
        }
        assert!(found.scaled(&vec![1.0; unique.len()]).high == found.high);
        let b = [0.5, -2.0, 3.0];
        let from_rows = scores(given, &b, Isa::best(), &Serial, |_| ()).unwrap();
        for isa in Isa::available() {
            assert_eq!(scores(given, &b, isa, &Serial, |_| ()).unwrap(), from_rows);
        }
        let ones: Vec<usize> = (0..rows).collect();
        let each =
            scores(Rows { starts: &ones, ..given }, &b, Isa::best(), &Serial, |_| ()).unwrap();
        let meat = robust_meat(given, &b, Isa::best(), &Serial, |_| ()).unwrap();
        for i in 0..3 {
            for j in 0..=i {
                let sum: f64 = each[i].iter().zip(&each[j]).map(|(a, b)| a * b).sum();
                let size = (meat.get(i, i).high * meat.get(j, j).high).sqrt();
                assert!((meat.get(i, j).high - sum).abs() < 1e-12 * size);
            }
        }
        let b = b.map(Double::from);
        let from_moments = scores_of_moments(&found, &[0, 1, 2], &b, Isa::best());
        for (a, b) in from_rows.iter().flatten().zip(from_moments.iter().flatten()) {
            assert!((a - b).abs() < 1e-9 * (1.0 + b.abs()), "{a} {b}");
        }
    }

    #[test]
    fn what_is_not_finite_is_named() {
        let (mut columns, _) = data(600, 3);
        columns[1][511] = f64::NAN;
        let all = views(&columns);
        let given = Rows { columns: &all, rows: 600, weights: &[], starts: &[] };
        let found = moments(given, Isa::best(), &Serial, |_| ());
        assert_eq!(found.unwrap_err(), Stop::NotFinite { column: 1, row: Some(511) });
        columns[1][511] = 1e200;
        let all = views(&columns);
        let given = Rows { columns: &all, rows: 600, weights: &[], starts: &[] };
        let found = moments(given, Isa::best(), &Serial, |_| ());
        assert_eq!(found.unwrap_err(), Stop::NotFinite { column: 1, row: None });
    }
}
