//! One rule of a plan at work.

use std::sync::Arc;

use nser_core::link::block::{Blocks, Unit};
use nser_core::link::{Sample, Scored};
use pyo3::prelude::*;

use super::export::{sampled, table};
use super::linker::cells;
use super::patterns::{Spaces, gather};
use super::plan::parse;
use super::prepared::Prepared;
use super::weights::WeightsSpec;
use crate::arrow::ArrowStream;
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, for_each_job, run};

/// One rule of a plan at work.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct RuleRun {
    pub(super) prepared: Arc<Prepared>,
    pub(super) blocks: Blocks,
}

#[pymethods]
impl RuleRun {
    /// Pairs of each part of the work, before any are left out as another rule's.
    #[getter]
    fn units(&self) -> Vec<u64> {
        self.blocks.units.iter().map(|unit| unit.pairs).collect()
    }

    /// Blocks, rows and pairs that the cap left out.
    #[getter]
    fn dropped(&self) -> (u64, u64, u64) {
        let dropped = self.blocks.dropped;
        (dropped.blocks, dropped.rows, dropped.pairs)
    }

    /// Rows of the largest blocks.
    #[getter]
    fn largest(&self) -> Vec<u32> {
        self.blocks.largest.clone()
    }

    /// Number of pairs; without those of earlier rules unless `alone`.
    #[pyo3(signature = (*, alone, control=None, timeout=None, tick=None))]
    fn count(
        &self,
        py: Python<'_>,
        alone: bool,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        self.run(py, 0..usize::MAX, control, Limits { timeout, tick }, |units, state| {
            let mut counts = vec![0u64; units.len()];
            self.for_each(state, units.iter().zip(&mut counts), |(unit, count)| {
                self.blocks.each_pair(unit, alone, |_, _| *count += 1);
                Ok(())
            })?;
            Ok(counts.iter().sum())
        })
    }

    /// Patterns of a sample of the pairs that are no earlier rule's.
    #[pyo3(signature = (*, share, seed, control=None, timeout=None))]
    fn patterns(
        &self,
        py: Python<'_>,
        share: f64,
        seed: u64,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let (sample, prepared) = (Sample { share, seed }, &self.prepared);
        let limits = Limits { timeout, tick: None };
        self.run(py, 0..usize::MAX, control, limits, |units, state| {
            gather(prepared, state, units, |unit, space| {
                prepared.linker.patterns(&self.blocks, unit, sample, space)
            })
        })
    }

    /// A sample of the pairs that are no earlier rule's: those of `patterns`.
    #[pyo3(signature = (*, share, seed, control=None, timeout=None))]
    fn sample(
        &self,
        py: Python<'_>,
        share: f64,
        seed: u64,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let (sample, prepared) = (Sample { share, seed }, &self.prepared);
        let limits = Limits { timeout, tick: None };
        self.run(py, 0..usize::MAX, control, limits, |units, state| {
            let mut found = vec![vec![]; units.len()];
            self.for_each(state, units.iter().zip(&mut found), |(unit, found)| {
                *found = prepared.linker.sampled(&self.blocks, unit, sample);
                Ok(())
            })?;
            sampled(found.concat())
        })
    }

    /// Pairs of some parts with their weights and levels.
    #[pyo3(signature = (start, stop, weights, *, control=None, timeout=None, tick=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
    fn score(
        &self,
        py: Python<'_>,
        start: usize,
        stop: usize,
        weights: &str,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<ArrowStream> {
        let spec: WeightsSpec = parse(weights)?;
        let prepared = &self.prepared;
        self.run(py, start..stop, control, Limits { timeout, tick }, |units, state| {
            let weights = prepared.weights(&spec)?;
            let mut found = vec![Scored::default(); units.len()];
            let spaces = Spaces::new(prepared);
            self.for_each(state, units.iter().zip(&mut found), |(unit, found)| {
                *found =
                    spaces.with(|space| prepared.linker.score(&self.blocks, unit, &weights, space));
                Ok(())
            })?;
            let mut all = Scored::default();
            found.iter_mut().for_each(|found| all.append(found));
            table(all, &spec)
        })
    }
}

impl RuleRun {
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        range: std::ops::Range<usize>,
        control: Option<&Control>,
        limits: Limits,
        work: impl FnOnce(&[Unit], &RunState) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let end = range.end.min(self.blocks.units.len());
        let units = self.blocks.units.get(range.start.min(end)..end).unwrap_or_default();
        let pairs = units.iter().map(|unit| unit.pairs).sum();
        run(py, cells(pairs), state, &limits, || work(units, state))
    }

    fn for_each<J: Send>(
        &self,
        state: &RunState,
        jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(J) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        for_each_job(self.prepared.threads, state, jobs, work)
    }
}
