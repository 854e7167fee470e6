//! Quantile regression.

use nser_core::stats::jobs::{Jobs, Serial};
use nser_core::stats::quantile::{Fault, Fitted, Problem, fit};
use nser_core::stats::resample::{Strata, mean_square};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::dense::{Dense, floats, ids, rows as row_values};
use super::moments::Run;
use super::replicates::Refits;
use crate::arrow::{ArrowStream, Chunked};

/// Passes over the rows that a fit takes, about.
const PASSES: usize = 40;

/// Fits; a dictionary of what was found and the dual of each row (dual), or a dictionary of what
/// was wrong (``fault``).
#[pyfunction]
#[pyo3(signature = (columns, target, weights, rows, *, tau, near, intercept, run))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn quantile_fit<'py>(
    py: Python<'py>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    target: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
    tau: f64,
    near: Option<Vec<f64>>,
    intercept: bool,
    run: Run,
) -> PyResult<(Bound<'py, PyDict>, Option<ArrowStream>)> {
    let dense = Dense::new(&columns, intercept, rows)?;
    let target = Chunked::from_stream("target", target, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    let found = dense.call(py, run, PASSES, |given| {
        let problem = Problem {
            design: &given.design,
            target: floats(&target)?,
            weights: floats(&weights)?,
            tau,
            isa: given.isa,
        };
        fit(&problem, near.as_deref(), &given.pool)
    })?;
    let out = PyDict::new(py);
    match found {
        Ok(Fitted { coefficients, basis, dual, loss, unique, rounds, pivots }) => {
            out.set_item("coefficients", coefficients)?;
            out.set_item("basis", basis)?;
            out.set_item("loss", loss)?;
            out.set_item("unique", unique)?;
            out.set_item("rounds", rounds)?;
            out.set_item("pivots", pivots)?;
            Ok((out, Some(row_values("dual", dual)?)))
        }
        Err(fault) => {
            let (name, column) = match fault {
                Fault::NoWeight => ("no_weight", None),
                Fault::Collinear(column) => ("collinear", Some(column)),
                Fault::NotConverged(_) => ("not_converged", None),
            };
            out.set_item("fault", name)?;
            out.set_item("columns", column.into_iter().collect::<Vec<_>>())?;
            Ok((out, None))
        }
    }
}

/// Refits on so many draws of units (the groups); the variance is that about the coefficients `near`.
#[pyfunction]
#[pyo3(signature = (columns, target, weights, groups, rows, *, tau, near, strata, fraction, units, replicates, seed, intercept, run))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn quantile_refits(
    py: Python<'_>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    target: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    groups: &Bound<'_, PyAny>,
    rows: usize,
    tau: f64,
    near: Vec<f64>,
    strata: Vec<u32>,
    fraction: Vec<f64>,
    units: usize,
    replicates: usize,
    seed: u64,
    intercept: bool,
    run: Run,
) -> PyResult<Refits> {
    let dense = Dense::new(&columns, intercept, rows)?;
    let target = Chunked::from_stream("target", target, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    let groups = Chunked::from_stream("groups", groups, rows)?;
    dense.call(py, run, PASSES.saturating_mul(replicates), |given| {
        let drawn = Strata { of: &strata, fraction: &fraction, units }.bootstrap(replicates, seed);
        let mut draws: Vec<&[f64]> = drawn.chunks(units.max(1)).collect();
        let (target, weights, ids) = (floats(&target)?, floats(&weights)?, ids(&groups)?);
        let changes = given.pool.map(&mut draws, |_, factors| {
            let factor = |id: u32| factors.get(id as usize).copied().unwrap_or(1.0);
            let weights: Vec<f64> =
                weights.iter().zip(ids).map(|(w, &id)| w * factor(id)).collect();
            let (design, isa) = (&given.design, given.isa);
            let problem = Problem { design, target, weights: &weights, tau, isa };
            let Ok(found) = fit(&problem, Some(&near), &Serial);
            let pairs = |found: Fitted| found.coefficients.into_iter().zip(&near);
            found.ok().map(|found| pairs(found).map(|(own, all)| own - all).collect())
        })?;
        Ok((mean_square(&changes, near.len()), changes))
    })
}
