//! Refits of least squares on other weights of the primary sampling units, from their moments.
//!
//! A refit solves for the change of the coefficients, `(sum a G) d = sum a s`, where `s` are the
//! scores at the coefficients of all: so plain `f64` is exact enough.

mod cross_validate;
mod jackknife;
mod refits;
mod spread;
mod strata;

pub use spread::mean_square;
pub use strata::Strata;

use super::double::Double;
use super::moments::{Moments, triangle};
use super::symmetric::Factor;

/// A fit, and the moments and scores of its units.
#[derive(Debug, Clone, Copy)]
pub struct Fitted<'a> {
    /// Moments of all and of each unit.
    pub moments: &'a Moments,
    /// Columns of the fit.
    pub keep: &'a [usize],
    /// Its coefficients.
    pub coefficients: &'a [Double],
    /// Its scores: one column for each coefficient.
    pub scores: &'a [Vec<f64>],
}

impl Fitted<'_> {
    /// Places of the entries of the matrix in the moments of a unit: the lower triangle by rows.
    fn entries(&self) -> impl Iterator<Item = usize> {
        let at = |i: usize, j: usize| triangle(i.max(j)) + i.min(j);
        let keep = self.keep;
        keep.iter()
            .enumerate()
            .flat_map(move |(n, &i)| keep.iter().take(n + 1).map(move |&j| at(i, j)))
    }
}

/// Solves for the change of the coefficients, given the lower triangle of the matrix by rows; none
/// if it is singular to `f64`.
fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let factor = Factor::new(matrix, right.len()).ok()?;
    let mut change = right.to_vec();
    factor.solve(&mut change);
    Some(change)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::{Column, Values};
    use crate::isa::Isa;
    use crate::stats::jobs::Serial;
    use crate::stats::least_squares;
    use crate::stats::moments::{Rows, moments, scores_of_moments};
    use crate::stats::random::Random;

    fn survey(units: usize, each: usize) -> Moments {
        let mut random = Random::new(3);
        let rows = units * each;
        let mut number = || f64::from(random.below(1 << 20)) / f64::from(1 << 20);
        let x: Vec<f64> = (0..rows).map(|_| number()).collect();
        let z: Vec<f64> = (0..rows).map(|_| number() * 30.0).collect();
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| 1.0 + 2.0 * x - z + number()).collect();
        let columns = [&[1.0][..], &x, &z, &y];
        let columns = columns.map(|c| Column { values: Values::F64(c), validity: None });
        let starts: Vec<usize> = (0..rows).step_by(each).collect();
        let rows = Rows { columns: &columns, rows, weights: &[], starts: &starts };
        moments(rows, Isa::best(), &Serial, |_| ()).unwrap()
    }

    #[test]
    fn refits_are_fits_on_other_weights() {
        let moments = survey(23, 11);
        let keep = [0, 1, 2];
        let fit = least_squares::solve(&moments.total, &keep, Some(0)).unwrap();
        let scores = scores_of_moments(&moments, &keep, &fit.coefficients, Isa::best());
        let fitted = Fitted {
            moments: &moments,
            keep: &keep,
            coefficients: &fit.coefficients,
            scores: &scores,
        };
        let of: Vec<u32> = (0..23).map(|unit| unit / 6).collect();
        let strata = Strata { of: &of, fraction: &[0.1, 0.0, 0.5, 0.2], units: 23 };
        let expected = |factors: &[f64]| -> Vec<f64> {
            let refit =
                least_squares::solve(&moments.scaled(factors).total, &keep, Some(0)).unwrap();
            let pairs = refit.coefficients.iter().zip(&fit.coefficients);
            pairs.map(|(a, b)| a.value() - b.value()).collect()
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);

        let factors = strata.bootstrap(9, 5);
        let found = fitted.refits(&factors, Isa::best(), &Serial).unwrap();
        assert_eq!(found.len(), 9);
        for (own, change) in factors.chunks(23).zip(&found) {
            // The factors of a stratum have its number of units as their sum.
            for (stratum, n) in [(0, 6.0), (1, 6.0), (2, 6.0), (3, 5.0)] {
                let sum: f64 =
                    own.iter().zip(&of).filter(|(_, s)| **s == stratum).map(|p| p.0).sum();
                assert!((sum - n).abs() < 1e-12);
            }
            assert!(close(change.as_ref().unwrap(), &expected(own)));
        }
        for isa in Isa::available() {
            assert_eq!(fitted.refits(&factors, isa, &Serial).unwrap(), found);
        }

        let found = fitted.jackknife(strata, &Serial).unwrap();
        for (unit, change) in found.iter().enumerate() {
            let n = if of[unit] == 3 { 5.0 } else { 6.0 };
            let factors: Vec<f64> = (0..23)
                .map(|other| match other {
                    other if other == unit => 0.0,
                    other if of[other] == of[unit] => n / (n - 1.0),
                    _ => 1.0,
                })
                .collect();
            assert!(close(change.as_ref().unwrap(), &expected(&factors)));
        }

        let fold: Vec<u32> = (0..23).map(|unit| unit % 4).collect();
        for (k, (within, without)) in fitted.cross_validate(&fold, 4).iter().enumerate() {
            let on = |wanted: bool| -> Vec<f64> {
                fold.iter().map(|&f| f64::from(u8::from((f as usize == k) == wanted))).collect()
            };
            let others = least_squares::solve(&moments.scaled(&on(false)).total, &keep, Some(0));
            let own = moments.scaled(&on(true)).total;
            let squares = |b: &[Double]| -> f64 {
                let b: Vec<Double> = b.iter().copied().chain([Double::from(-1.0)]).collect();
                let pairs = (0..4).flat_map(|i| (0..4).map(move |j| (i, j)));
                pairs.map(|(i, j)| own.get(i, j) * b[i] * b[j]).sum::<Double>().value()
            };
            assert!((within - squares(&fit.coefficients)).abs() < 1e-10);
            assert!((without.unwrap() - squares(&others.unwrap().coefficients)).abs() < 1e-10);
        }
    }

    #[test]
    fn dependent_columns_give_no_refit() {
        assert_eq!(solve(&[1.0, 1.0, 1.0], &[1.0, 1.0]), None);
        assert_eq!(solve(&[4.0, 2.0, 5.0], &[2.0, 5.0]), Some(vec![0.0, 1.0]));
    }
}
