//! A plan on the rows of one or two frames.

use std::sync::Arc;

use nser_core::column::Value;
use nser_core::link::compare::Pairs;
use pyo3::prelude::*;

use super::export::{sampled, table};
use super::patterns::gather;
use super::plan::{Plan, parse};
use super::prepared::{Prepared, prepare};
use super::rule_run::RuleRun;
use super::weights::WeightsSpec;
use crate::arrow::{ArrowStream, Chunked, column};
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, run, threads_for};

/// Pairs that take about as long as a cell of a frame.
const CELLS_PER_PAIR: u64 = 8;

/// A plan on the rows of one or two frames.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Linker(Arc<Prepared>);

#[pymethods]
impl Linker {
    #[new]
    #[pyo3(signature = (series, rows, plan, *, threads=None, control=None, timeout=None))]
    fn new(
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
        plan: &str,
        threads: Option<usize>,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let plan: Plan = parse(plan)?;
        let columns = series.iter().map(|one| Chunked::from_stream("values", one, rows));
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick: None };
        let threads = threads_for(rows, threads);
        let cells = rows.saturating_mul(8 * columns.len());
        let work = || prepare(&plan, &columns, rows, threads, state);
        Ok(Self(Arc::new(run(py, cells, state, &limits, work)?)))
    }

    /// For each comparison, the share of pairs with values that agree exactly.
    #[getter]
    fn agreement(&self) -> Vec<Option<f64>> {
        self.0.agreement.clone()
    }

    /// Number of pairs of rows.
    #[getter]
    fn all_pairs(&self) -> u64 {
        self.0.linker.blocking.rows().pairs()
    }

    /// The blocks of a rule.
    fn rule(&self, py: Python<'_>, rule: usize) -> PyResult<RuleRun> {
        let prepared = Arc::clone(&self.0);
        let state = RunState::default();
        let cells = usize::MAX; // unknown before it is done
        let blocks = run(py, cells, &state, &Limits::default(), || {
            let found = prepared.linker.blocking.blocks(rule);
            found.ok_or_else(|| Failure::internal("there is no such rule"))
        })?;
        Ok(RuleRun { prepared, blocks })
    }

    /// Patterns of `pairs` pairs drawn at random.
    #[pyo3(signature = (pairs, seed, *, control=None, timeout=None))]
    fn random_patterns(
        &self,
        py: Python<'_>,
        pairs: u64,
        seed: u64,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        const PART: u64 = 1 << 14;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick: None };
        let prepared = &self.0;
        let parts: Vec<u64> = (0..pairs).step_by(PART as usize).collect();
        run(py, cells(pairs), state, &limits, || {
            gather(prepared, state, &parts, |from, space| {
                let count = PART.min(pairs - from);
                prepared.linker.random_patterns(seed, *from, count, space)
            })
        })
    }

    /// `pairs` pairs drawn at random: those of `random_patterns`.
    fn random_pairs(&self, py: Python<'_>, pairs: u64, seed: u64) -> PyResult<ArrowStream> {
        let (prepared, state) = (&self.0, RunState::default());
        run(py, cells(pairs), &state, &Limits::default(), || {
            let drawn = prepared.linker.random_pairs(seed, 0..pairs);
            sampled(drawn.map(|(a, b)| (a, b, 0)).collect())
        })
    }

    /// Given pairs with their weights and levels.
    fn score_pairs(
        &self,
        py: Python<'_>,
        left: &Bound<'_, PyAny>,
        right: &Bound<'_, PyAny>,
        pairs: usize,
        weights: &str,
    ) -> PyResult<ArrowStream> {
        let spec: WeightsSpec = parse(weights)?;
        let left = rows_of(left, pairs)?;
        let right = rows_of(right, pairs)?;
        let (prepared, state) = (&self.0, RunState::default());
        run(py, cells(pairs as u64), &state, &Limits::default(), || {
            let weights = prepared.weights(&spec)?;
            let pairs = Pairs { left: &left, right: &right };
            table(prepared.linker.score_pairs(pairs, &weights, prepared.isa), &spec)
        })
    }
}

pub(super) fn cells(pairs: u64) -> usize {
    usize::try_from(pairs.saturating_mul(CELLS_PER_PAIR)).unwrap_or(usize::MAX)
}

fn rows_of(series: &Bound<'_, PyAny>, pairs: usize) -> PyResult<Vec<u32>> {
    let chunked = Chunked::from_stream("pairs", series, pairs)?;
    let mut rows = Vec::with_capacity(pairs);
    for chunk in &chunked.chunks {
        let column = column("pairs", chunk)?;
        rows.extend((0..column.len()).map(|i| match column.value(i) {
            Value::Int(row) => u32::try_from(row).unwrap_or(u32::MAX),
            _ => u32::MAX,
        }));
    }
    Ok(rows)
}
