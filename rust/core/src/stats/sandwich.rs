//! Sandwich errors: what totals of scores vary by, under a design of one or more stages
//! (Taylor linearisation; D. A. Binder, 1983).

use std::borrow::Cow;

use super::double::Double;
use super::float_sum::Sum;
use super::jobs::Jobs;
use super::moments::{Rows, Stop, moments};
use crate::column::{Column, Values};
use crate::isa::Isa;

/// One stage of a design: units drawn within parents.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    /// The parent of each unit: its stratum, or the unit of the stage before. If empty, all units
    /// have one parent.
    pub parent: Vec<u32>,
    /// Share of each parent's units that were drawn; zeros if empty.
    pub fraction: Vec<f64>,
}

/// What to do with the only unit of a parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lonely {
    /// It is an error.
    Error,
    /// It is compared with the mean of all units.
    Adjust,
    /// It adds nothing.
    Remove,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed<S> {
    /// The caller asked for it.
    Stopped(S),
    /// A parent has one unit.
    Lonely {
        /// The stage, from 0.
        stage: usize,
        /// The parent.
        parent: usize,
    },
    /// A score is not a number, or too large for its square.
    NotFinite,
}

/// Variance of the totals of scores (one column each, one value for each unit of the last stage):
/// a square matrix by rows.
///
/// Each stage adds `(1 - f) n / (n - 1)` times the sum of squares of its units' totals about the
/// mean of their parent, times the fractions of the stages before it, as in R's survey.
///
/// # Errors
///
/// See [`Failed`].
pub fn variance<J: Jobs>(
    scores: &[Vec<f64>],
    stages: &[Stage],
    lonely: Lonely,
    isa: Isa,
    jobs: &J,
) -> Result<Vec<f64>, Failed<J::Stop>> {
    let width = scores.len();
    let mut out = vec![Double::ZERO; width * width];
    // Factors of the stages before: of each unit of a stage, so of each parent in the next.
    let mut before: Vec<Vec<f64>> = vec![vec![]];
    for (stage, next) in stages.iter().zip(stages.iter().skip(1)) {
        let last = before.last().map_or(&[][..], Vec::as_slice);
        let own = (0..parents(next)).map(|unit| {
            let parent = stage.parent.get(unit).map_or(0, |&p| p as usize);
            at(last, parent, 1.0) * at(&stage.fraction, parent, 0.0)
        });
        before.push(own.collect());
    }
    let mut totals = Cow::Borrowed(scores);
    for (level, stage) in stages.iter().enumerate().rev() {
        let factors = before.get(level).map_or(&[][..], Vec::as_slice);
        let units = totals.first().map_or(0, Vec::len);
        let parents = parents(stage);
        let parent = |unit: usize| stage.parent.get(unit).map_or(0, |&p| p as usize);
        let mut counts = vec![0.0; parents];
        (0..units).for_each(|unit| {
            counts.get_mut(parent(unit)).into_iter().for_each(|count| *count += 1.0);
        });
        let mut alone = vec![false; parents];
        let mut scale = vec![0.0; parents];
        for (n, slot) in scale.iter_mut().enumerate() {
            let (count, fraction) = (at(&counts, n, 0.0), at(&stage.fraction, n, 0.0));
            let left = at(factors, n, 1.0) * (1.0 - fraction).max(0.0);
            *slot = if count > 1.0 { left * count / (count - 1.0) } else { left };
            if count == 1.0 && left > 0.0 {
                match lonely {
                    Lonely::Error => return Err(Failed::Lonely { stage: level, parent: n }),
                    Lonely::Adjust => {
                        alone.get_mut(n).into_iter().for_each(|alone| *alone = true);
                    }
                    Lonely::Remove => *slot = 0.0,
                }
            }
        }
        let sums = |column: &Vec<f64>| {
            if parents == 1 {
                return vec![column.iter().copied().collect::<Sum>()];
            }
            let mut sums = vec![Sum::default(); parents];
            for (&x, &parent) in column.iter().zip(&stage.parent) {
                sums.get_mut(parent as usize).into_iter().for_each(|sum| sum.add(x));
            }
            sums
        };
        let sums = of_columns(jobs, &totals, |_, column| sums(column))?;
        if scale.iter().any(|&scale| scale > 0.0) {
            let centred = of_columns(jobs, &totals, |n, column| -> Vec<f64> {
                let sums = sums.get(n).map_or(&[][..], Vec::as_slice);
                let mut whole = Sum::default();
                sums.iter().for_each(|&sum| whole.join(sum));
                let mean = whole.value() / units as f64;
                let centre = |n: usize| {
                    let sum = sums.get(n).map_or(0.0, |sum| sum.value());
                    let alone = alone.get(n).is_some_and(|&alone| alone);
                    if alone { mean } else { sum / at(&counts, n, 1.0) }
                };
                let centres: Vec<f64> = (0..parents).map(centre).collect();
                if let [centre] = centres.as_slice() {
                    return column.iter().map(|x| x - centre).collect();
                }
                let pairs = column.iter().zip(&stage.parent);
                pairs.map(|(x, &parent)| x - at(&centres, parent as usize, 0.0)).collect()
            })?;
            let weights: Vec<f64> = (0..units).map(|unit| at(&scale, parent(unit), 0.0)).collect();
            let columns: Vec<Column<'_>> = centred
                .iter()
                .map(|column| Column { values: Values::F64(column), validity: None })
                .collect();
            let rows = Rows { columns: &columns, rows: units, weights: &weights, starts: &[] };
            let found = moments(rows, isa, jobs, |_| ()).map_err(|stop| match stop {
                Stop::Stopped(stop) => Failed::Stopped(stop),
                Stop::NotFinite { .. } => Failed::NotFinite,
            })?;
            for (at, slot) in out.iter_mut().enumerate() {
                *slot = *slot + found.total.get(at / width.max(1), at % width.max(1));
            }
        }
        totals = sums.iter().map(|sums| sums.iter().map(|sum| sum.value()).collect()).collect();
    }
    Ok(out.iter().map(|x| x.value()).collect())
}

/// Does each column.
fn of_columns<J: Jobs, T: Send>(
    jobs: &J,
    columns: &[Vec<f64>],
    work: impl Fn(usize, &Vec<f64>) -> T + Sync,
) -> Result<Vec<T>, Failed<J::Stop>> {
    let mut columns: Vec<&Vec<f64>> = columns.iter().collect();
    jobs.map(&mut columns, |n, column| work(n, column)).map_err(Failed::Stopped)
}

/// Number of parents of a stage.
fn parents(stage: &Stage) -> usize {
    stage.parent.iter().max().map_or(1, |&last| last as usize + 1)
}

fn at(values: &[f64], place: usize, otherwise: f64) -> f64 {
    values.get(place).copied().unwrap_or(otherwise)
}

/// `B M B` of two symmetric matrices by rows.
#[must_use]
pub fn sandwich(bread: &[f64], meat: &[f64], width: usize) -> Vec<f64> {
    let product = |a: &[Double], b: &[f64]| -> Vec<Double> {
        let row = |row: &[Double]| -> Vec<Double> {
            (0..width)
                .map(|j| {
                    let column = b.iter().skip(j).step_by(width.max(1));
                    row.iter().zip(column).map(|(&x, &y)| x * Double::from(y)).sum()
                })
                .collect()
        };
        a.chunks_exact(width.max(1)).flat_map(row).collect()
    };
    let wide: Vec<Double> = bread.iter().map(|&x| Double::from(x)).collect();
    product(&product(&wide, meat), bread).iter().map(|x| x.value()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::jobs::Serial;

    fn variance_of(scores: &[f64], stages: &[Stage], lonely: Lonely) -> Result<f64, String> {
        variance(&[scores.to_vec()], stages, lonely, Isa::best(), &Serial)
            .map(|matrix| matrix[0])
            .map_err(|failed| format!("{failed:?}"))
    }

    #[test]
    fn stages_add_up_as_they_do_by_hand() {
        // Three primary units, two of them with two units inside, of ten and of four.
        let scores = [1.0, 3.0, 2.0, 6.0, 5.0];
        let first = Stage { parent: vec![], fraction: vec![0.3] };
        let second = Stage { parent: vec![0, 0, 1, 1, 2], fraction: vec![0.2, 0.5, 1.0] };
        // Totals 4, 8, 5 about 17/3.
        let between = 0.7 * 1.5 * (25.0 / 9.0 + 49.0 / 9.0 + 4.0 / 9.0);
        let within = 0.3 * (0.8 * 2.0 * 2.0 + 0.5 * 2.0 * 8.0);
        let found = variance_of(&scores, &[first, second], Lonely::Error).unwrap();
        assert!((found - (between + within)).abs() < 1e-14, "{found}");
    }

    #[test]
    fn a_lonely_unit_is_named_or_treated_as_asked() {
        let scores = [1.0, 3.0, 8.0];
        let stage = || [Stage { parent: vec![0, 0, 1], fraction: vec![] }];
        let error = variance_of(&scores, &stage(), Lonely::Error).unwrap_err();
        assert_eq!(error, "Lonely { stage: 0, parent: 1 }");
        assert_eq!(variance_of(&scores, &stage(), Lonely::Remove), Ok(4.0));
        assert_eq!(variance_of(&scores, &stage(), Lonely::Adjust), Ok(20.0));
        let certain = [Stage { parent: vec![0, 0, 1], fraction: vec![0.0, 1.0] }];
        assert_eq!(variance_of(&scores, &certain, Lonely::Error), Ok(4.0));
    }

    #[test]
    fn a_sandwich_is_a_product_of_three() {
        let bread = [2.0, 1.0, 1.0, 3.0];
        assert_eq!(sandwich(&bread, &[1.0, 0.0, 0.0, 2.0], 2), [6.0, 8.0, 8.0, 19.0]);
    }
}
