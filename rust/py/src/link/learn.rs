//! Chances of agreement from patterns.

use nser_core::link::em;
use pyo3::prelude::*;
use serde::Deserialize;

use super::plan::parse;

#[derive(Deserialize)]
struct TrainingSpec {
    patterns: Vec<(Vec<u8>, f64)>,
    u: Vec<Vec<f64>>,
    m: Vec<Vec<f64>>,
    used: Vec<bool>,
    fixed: Vec<bool>,
    matching: f64,
    change: f64,
    rounds: usize,
}

/// Learns chances of agreement from patterns: m, the share that matches, log-likelihood, rounds, and
/// the last change.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a tuple for Python")]
pub fn learn_matches(spec: &str) -> PyResult<(Vec<Vec<f64>>, f64, f64, usize, f64)> {
    let spec: TrainingSpec = parse(spec)?;
    let until = em::Until { change: spec.change, rounds: spec.rounds };
    let TrainingSpec { patterns, u, m, used, fixed, matching, .. } = &spec;
    let part = |(used, fixed): (&bool, &bool)| match (used, fixed) {
        (false, _) => em::Part::None,
        (true, true) => em::Part::Fixed,
        (true, false) => em::Part::Learned,
    };
    let parts: Vec<em::Part> = used.iter().zip(fixed).map(part).collect();
    let found = em::learn(patterns, u, m, &parts, *matching, until);
    Ok((found.m, found.matching, found.likelihood, found.rounds, found.change))
}
