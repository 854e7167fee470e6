//! Penalised paths and stepwise choice, from moments.

use nser_core::isa::Isa;
use nser_core::stats::path::{self as core, Path, Penalty};
use nser_core::stats::stepwise::{Criterion, Direction, Moments, Step, choose};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::error::Failure;

/// Penalty, intercept, coefficients, share of variance explained, and sweeps if they settled.
type Point = (f64, f64, Vec<f64>, f64, Option<usize>);

/// Fits at each penalty: those given, or `count` of them from the largest that counts down to
/// `ratio` of it. None if the target is constant.
#[pyfunction]
#[pyo3(signature = (gram, cross, square, sums, sum, weight, *, alpha, factors, standardise, lambdas, count, ratio))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn penalised_path(
    py: Python<'_>,
    gram: Vec<f64>,
    cross: Vec<f64>,
    square: f64,
    sums: Vec<f64>,
    sum: f64,
    weight: f64,
    alpha: f64,
    factors: Vec<f64>,
    standardise: bool,
    lambdas: Option<Vec<f64>>,
    count: usize,
    ratio: f64,
) -> Option<Vec<Point>> {
    py.detach(|| {
        let moments =
            core::Moments { gram: &gram, cross: &cross, square, sums: &sums, sum, weight };
        let penalty = Penalty { alpha, factors: &factors, standardise };
        let path = Path::new(moments, penalty, Isa::best())?;
        let lambdas = lambdas.unwrap_or_else(|| path.lambdas(count, ratio));
        let point = |p: core::Point| (p.lambda, p.intercept, p.coefficients, p.r2, p.sweeps);
        Some(path.fit(&lambdas).into_iter().map(point).collect())
    })
}

/// Chooses terms; a dictionary. `limits` are the p-values to enter and to leave.
#[pyfunction]
#[pyo3(signature = (products, width, *, rows, weight, terms, forced, criterion, direction, limits))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn choose_terms<'py>(
    py: Python<'py>,
    products: Vec<f64>,
    width: usize,
    rows: f64,
    weight: f64,
    terms: Vec<Vec<usize>>,
    forced: Vec<usize>,
    criterion: &str,
    direction: &str,
    limits: (f64, f64),
) -> PyResult<Bound<'py, PyDict>> {
    let criterion = match criterion {
        "p" => Criterion::PValue(limits.0, limits.1),
        "aic" => Criterion::Aic,
        "bic" => Criterion::Bic,
        _ => return Err(Failure::internal("there is no such criterion").into()),
    };
    let direction = match direction {
        "forward" => Direction::Forward,
        "backward" => Direction::Backward,
        "both" => Direction::Both,
        _ => return Err(Failure::internal("there is no such direction").into()),
    };
    let moments = Moments { products: &products, width, rows, weight };
    let found = py.detach(|| choose(moments, &terms, &forced, criterion, direction));
    let out = PyDict::new(py);
    match found {
        Ok(choice) => {
            let step = |s: &Step| (s.term, s.entered, s.p, s.residual, s.value);
            out.set_item("chosen", choice.chosen)?;
            out.set_item("refused", choice.refused)?;
            out.set_item("steps", choice.steps.iter().map(step).collect::<Vec<_>>())?;
        }
        Err(place) => out.set_item("collinear", forced.get(place))?,
    }
    Ok(out)
}
