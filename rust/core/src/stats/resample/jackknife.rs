//! Refits without each unit in turn, and the variance that follows.

use super::spread::add_square;
use super::{Fitted, Strata, solve};
use crate::stats::jobs::Jobs;

impl Fitted<'_> {
    /// Changes of the coefficients without each unit in turn, the others of its stratum weighing
    /// more in its stead; none where the columns become dependent.
    ///
    /// # Errors
    ///
    /// The caller asked to stop.
    pub fn jackknife<J: Jobs>(
        &self,
        strata: Strata<'_>,
        jobs: &J,
    ) -> Result<Vec<Option<Vec<f64>>>, J::Stop> {
        let entries: Vec<usize> = self.entries().collect();
        let groups: Vec<&[f64]> = self.moments.each_group().map(|(high, _)| high).collect();
        let sums = |unit: usize| {
            let group = groups.get(unit).copied().unwrap_or(&[]);
            let matrix = entries.iter().map(|&at| group.get(at).copied().unwrap_or(0.0));
            matrix.chain(self.scores.iter().map(move |c| c.get(unit).copied().unwrap_or(0.0)))
        };
        let width = entries.len() + self.scores.len();
        let add = |mut total: Vec<f64>, unit: usize| {
            total.iter_mut().zip(sums(unit)).for_each(|(total, own)| *total += own);
            total
        };
        let members = strata.members();
        let of_strata: Vec<Vec<f64>> = members
            .iter()
            .map(|members| members.iter().fold(vec![0.0; width], |sum, &unit| add(sum, unit)))
            .collect();
        let whole = of_strata.iter().fold(vec![0.0; width], |mut whole, own| {
            whole.iter_mut().zip(own).for_each(|(whole, own)| *whole += own);
            whole
        });
        let mut units: Vec<usize> = (0..groups.len()).collect();
        jobs.map(&mut units, |_, &mut unit| {
            let stratum = strata.stratum(unit);
            let others = members.get(stratum)?.len() as f64 - 1.0;
            if others < 1.0 {
                return Some(vec![0.0; self.keep.len()]);
            }
            let left: Vec<f64> = whole
                .iter()
                .zip(of_strata.get(stratum)?)
                .zip(sums(unit))
                .map(|((whole, all), own)| whole + all / others - own * (others + 1.0) / others)
                .collect();
            let (matrix, rest) = left.split_at_checked(entries.len())?;
            solve(matrix, rest)
        })
    }

    /// Variance of the coefficients from the changes that [`Self::jackknife`] found: by rows.
    #[must_use]
    pub fn jackknife_variance(&self, strata: Strata<'_>, changes: &[Option<Vec<f64>>]) -> Vec<f64> {
        let members = strata.members();
        let scale = |unit: usize| {
            let stratum = strata.stratum(unit);
            let n = members.get(stratum).map_or(1.0, |members| members.len() as f64);
            strata.left(stratum) * (n - 1.0) / n
        };
        let width = self.keep.len();
        let mut out = vec![0.0; width * width];
        for (unit, change) in changes.iter().enumerate() {
            add_square(&mut out, change.as_deref().unwrap_or(&[]), scale(unit));
        }
        out
    }
}
