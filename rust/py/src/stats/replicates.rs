//! Refits on other weights of the primary sampling units.

use nser_core::isa::Isa;
use nser_core::stats::double::Double;
use nser_core::stats::resample::{Fitted, Strata, mean_square};
use pyo3::prelude::*;

use super::jobs::Pool;
use super::moments::{Moments, Scores, doubles};
use crate::runtime::{Limits, RunState, run, threads_for};

/// Columns of a fit, its coefficients, and what their rounding left.
type Coefficients = (Vec<usize>, Vec<f64>, Vec<f64>);

/// The variance of the coefficients, by rows, and their change in each refit; none where columns
/// become dependent.
pub type Refits = (Vec<f64>, Vec<Option<Vec<f64>>>);

/// Refits on so many draws of units; the variance is that about the coefficients of all.
#[pyfunction]
#[pyo3(signature = (moments, scores, fit, *, strata, fraction, replicates, seed, threads))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn bootstrap(
    py: Python<'_>,
    moments: &Moments,
    scores: &Scores,
    fit: Coefficients,
    strata: Vec<u32>,
    fraction: Vec<f64>,
    replicates: usize,
    seed: u64,
    threads: Option<usize>,
) -> PyResult<Refits> {
    let (keep, high, low) = fit;
    let coefficients = doubles(&high, &low);
    let fitted = fitted(moments, scores, &keep, &coefficients);
    let units = moments.0.groups();
    let state = RunState::default();
    let cells = replicates.saturating_mul(units).saturating_mul(keep.len());
    let threads = threads_for(cells, threads);
    run(py, cells, &state, &Limits::default(), || {
        let strata = Strata { of: &strata, fraction: &fraction, units };
        let factors = strata.bootstrap(replicates, seed);
        let changes = fitted.refits(&factors, Isa::best(), &Pool { threads, state: &state })?;
        let variance = mean_square(&changes, keep.len());
        Ok((variance, changes))
    })
}

/// Refits without each unit in turn.
#[pyfunction]
#[pyo3(signature = (moments, scores, fit, *, strata, fraction, threads))]
pub fn jackknife(
    py: Python<'_>,
    moments: &Moments,
    scores: &Scores,
    fit: Coefficients,
    strata: Vec<u32>,
    fraction: Vec<f64>,
    threads: Option<usize>,
) -> PyResult<Refits> {
    let (keep, high, low) = fit;
    let coefficients = doubles(&high, &low);
    let fitted = fitted(moments, scores, &keep, &coefficients);
    let units = moments.0.groups();
    let state = RunState::default();
    let cells = units.saturating_mul(keep.len() * keep.len());
    let threads = threads_for(cells, threads);
    run(py, cells, &state, &Limits::default(), || {
        let strata = Strata { of: &strata, fraction: &fraction, units };
        let changes = fitted.jackknife(strata, &Pool { threads, state: &state })?;
        Ok((fitted.jackknife_variance(strata, &changes), changes))
    })
}

/// For each fold of units: squared residuals of its rows under the coefficients of all, and under
/// those of the other folds; none where columns become dependent.
#[pyfunction]
pub fn cross_validate(
    py: Python<'_>,
    moments: &Moments,
    scores: &Scores,
    fit: Coefficients,
    fold: Vec<u32>,
    folds: usize,
) -> Vec<(f64, Option<f64>)> {
    let (keep, high, low) = fit;
    let coefficients = doubles(&high, &low);
    let fitted = fitted(moments, scores, &keep, &coefficients);
    py.detach(|| fitted.cross_validate(&fold, folds))
}

fn fitted<'a>(
    moments: &'a Moments,
    scores: &'a Scores,
    keep: &'a [usize],
    coefficients: &'a [Double],
) -> Fitted<'a> {
    Fitted { moments: &moments.0, keep, coefficients, scores: &scores.0 }
}
