//! Logit and probit.

use nser_core::stats::glm::{Fault, Fitted, Link, Options, Problem, fit, score_weights};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::dense::{Dense, floats, rows as row_values};
use super::moments::Run;
use crate::arrow::{ArrowStream, Chunked};
use crate::error::Failure;

/// Passes over the rows that a fit takes, about.
const PASSES: usize = 8;

fn link(name: &str) -> Result<Link, Failure> {
    match name {
        "logit" => Ok(Link::Logit),
        "probit" => Ok(Link::Probit),
        _ => Err(Failure::internal("there is no such link")),
    }
}

/// Fits; a dictionary of what was found, or of what was wrong (``fault``).
#[pyfunction]
#[pyo3(signature = (columns, target, weights, rows, *, link, rounds, intercept, run))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn glm_fit<'py>(
    py: Python<'py>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    target: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
    link: &str,
    rounds: usize,
    intercept: bool,
    run: Run,
) -> PyResult<Bound<'py, PyDict>> {
    let link = self::link(link)?;
    let dense = Dense::new(&columns, intercept, rows)?;
    let target = Chunked::from_stream("target", target, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    let found = dense.call(py, run, PASSES, |given| {
        let problem = Problem {
            design: &given.design,
            target: floats(&target)?,
            weights: floats(&weights)?,
            link,
            isa: given.isa,
        };
        fit(&problem, Options { rounds, ..Options::default() }, &given.pool)
    })?;
    let out = PyDict::new(py);
    match found {
        Ok(Fitted { coefficients, information, deviance, null_deviance, rounds }) => {
            out.set_item("coefficients", coefficients)?;
            out.set_item("information", information)?;
            out.set_item("deviance", deviance)?;
            out.set_item("null_deviance", null_deviance)?;
            let trace = rounds.iter().map(|round| (round.deviance, round.gain, round.halvings));
            out.set_item("rounds", trace.collect::<Vec<_>>())?;
        }
        Err(fault) => {
            let (name, columns) = match fault {
                Fault::NoWeight => ("no_weight", vec![]),
                Fault::ConstantTarget => ("constant_target", vec![]),
                Fault::Collinear(column) => ("collinear", vec![column]),
                Fault::Separated { columns, complete: true } => ("perfect_separation", columns),
                Fault::Separated { columns, complete: false } => ("quasi_separation", columns),
                Fault::NotConverged(_) => ("not_converged", vec![]),
            };
            out.set_item("fault", name)?;
            out.set_item("columns", columns)?;
        }
    }
    Ok(out)
}

/// The factor of each row by which its numbers enter the score (factor).
#[pyfunction]
#[pyo3(signature = (columns, target, weights, rows, coefficients, *, link, intercept, run))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn glm_factors(
    py: Python<'_>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    target: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
    coefficients: Vec<f64>,
    link: &str,
    intercept: bool,
    run: Run,
) -> PyResult<ArrowStream> {
    let link = self::link(link)?;
    let dense = Dense::new(&columns, intercept, rows)?;
    let target = Chunked::from_stream("target", target, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    dense.call(py, run, 1, |given| {
        let problem = Problem {
            design: &given.design,
            target: floats(&target)?,
            weights: floats(&weights)?,
            link,
            isa: given.isa,
        };
        row_values("factor", score_weights(&problem, &coefficients, &given.pool)?)
    })
}
