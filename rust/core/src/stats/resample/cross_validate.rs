//! Each fold of units predicted from the others.

use super::{Fitted, solve};
use crate::stats::double::Double;
use crate::stats::moments::Gram;

impl Fitted<'_> {
    /// For each of so many folds of units: the squared residuals of its rows, under the
    /// coefficients of all, and under those of the other folds; none where these are dependent.
    #[must_use]
    pub fn cross_validate(&self, fold: &[u32], folds: usize) -> Vec<(f64, Option<f64>)> {
        self.moments.by_fold(fold, folds).iter().map(|own| self.fold(own)).collect()
    }

    fn fold(&self, own: &Gram) -> (f64, Option<f64>) {
        let target = own.width().saturating_sub(1);
        let pairs = || self.keep.iter().zip(self.coefficients);
        let fitted = |i: usize| pairs().map(|(&j, &b)| own.get(i, j) * b).sum::<Double>();
        let score: Vec<Double> =
            self.keep.iter().map(|&i| own.get(i, target) - fitted(i)).collect();
        let within: Double = pairs()
            .zip(&score)
            .map(|((&i, &b), &score)| -(b * (own.get(i, target) + score)))
            .sum::<Double>()
            + own.get(target, target);
        let total = &self.moments.total;
        let places = || {
            let keep = self.keep;
            keep.iter()
                .enumerate()
                .flat_map(move |(n, &i)| keep.iter().take(n + 1).map(move |&j| (i, j)))
        };
        let others: Vec<f64> =
            places().map(|(i, j)| (total.get(i, j) - own.get(i, j)).value()).collect();
        // The scores of all add up to zero.
        let rest: Vec<f64> = score.iter().map(|s| -s.value()).collect();
        let without = solve(&others, &rest).map(|change| {
            let mut out = within.value();
            for ((&i, d), score) in self.keep.iter().zip(&change).zip(&score) {
                let along: f64 =
                    self.keep.iter().zip(&change).map(|(&j, e)| own.get(i, j).value() * e).sum();
                out += d * (along - 2.0 * score.value());
            }
            out
        });
        (within.value(), without)
    }
}
