//! Columns of a regression as slices of `f64`.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use arrow_array::{Array, Float64Array};
use arrow_schema::{DataType, Field};
use nser_core::isa::Isa;
use nser_core::stats::design::Design;
use nser_core::stats::symmetric::Factor;
use nser_core::stats::{glm, products};
use pyo3::prelude::*;

use super::jobs::Pool;
use super::moments::{Run, Scores};
use crate::arrow::{ArrowStream, Chunked, export};
use crate::error::Failure;
use crate::pmt::isa;
use crate::runtime::{Limits, RunState, run, threads_for};

/// Columns of one chunk each, all of type f64.
pub struct Dense {
    columns: Vec<Chunked>,
    intercept: bool,
    rows: usize,
}

/// What a kernel is given.
pub struct Given<'a> {
    pub design: Design<'a>,
    pub isa: Isa,
    pub pool: Pool<'a>,
}

impl Dense {
    pub fn new(
        columns: &[(String, Bound<'_, PyAny>)],
        intercept: bool,
        rows: usize,
    ) -> PyResult<Self> {
        let columns = columns
            .iter()
            .map(|(name, series)| Chunked::from_stream(name, series, rows))
            .collect::<PyResult<_>>()?;
        Ok(Self { columns, intercept, rows })
    }

    /// Runs `work` off the GIL; `passes` says how many passes over the rows it takes, about.
    pub fn call<T: Send>(
        &self,
        py: Python<'_>,
        run: Run,
        passes: usize,
        work: impl FnOnce(&Given<'_>) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let isa = isa(run.isa.as_deref())?;
        let unseen = RunState::default();
        let state = run.control.as_ref().map_or(&unseen, |control| &*control.get().state);
        let limits = Limits { timeout: run.timeout, tick: run.tick };
        let cells = self.rows.saturating_mul(self.columns.len() + 1).saturating_mul(passes);
        // Threads pay for themselves when a pass takes longer than to wake them.
        let threads = threads_for(self.rows.saturating_mul(self.columns.len()), run.threads);
        self::run(py, cells, state, &limits, || {
            let views: Vec<&[f64]> = self.columns.iter().map(floats).collect::<Result<_, _>>()?;
            let design = Design::new(&views, self.intercept, self.rows)
                .ok_or_else(|| Failure::internal("columns of different lengths"))?;
            work(&Given { design, isa, pool: Pool { threads, state } })
        })
    }
}

/// The numbers of a column.
pub fn floats(chunked: &Chunked) -> Result<&[f64], Failure> {
    match chunked.chunks.as_slice() {
        [] => Ok(&[]),
        [chunk] if chunk.null_count() == 0 => chunk
            .as_primitive_opt::<Float64Type>()
            .map(|values| &**values.values())
            .ok_or_else(|| Failure::internal("a column was not f64")),
        _ => Err(Failure::internal("a column had nulls, or was not in one chunk")),
    }
}

/// The numbers of groups.
pub fn ids(chunked: &Chunked) -> Result<&[u32], Failure> {
    match chunked.chunks.as_slice() {
        [] => Ok(&[]),
        [chunk] => chunk
            .as_primitive_opt::<UInt32Type>()
            .map(|values| &**values.values())
            .ok_or_else(|| Failure::internal("groups were not u32")),
        _ => Err(Failure::internal("groups were not in one chunk")),
    }
}

/// Row values as a column.
pub fn rows(name: &str, values: Vec<f64>) -> Result<ArrowStream, Failure> {
    let field = Field::new(name, DataType::Float64, false);
    export(vec![field], vec![Arc::new(Float64Array::from(values))])
}

/// Sums by group of each column times a factor of each row.
#[pyfunction]
#[pyo3(signature = (columns, factors, groups, rows, *, count, intercept, run))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn group_scores(
    py: Python<'_>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    factors: &Bound<'_, PyAny>,
    groups: &Bound<'_, PyAny>,
    rows: usize,
    count: usize,
    intercept: bool,
    run: Run,
) -> PyResult<Scores> {
    let dense = Dense::new(&columns, intercept, rows)?;
    let factors = Chunked::from_stream("factors", factors, rows)?;
    let groups = Chunked::from_stream("groups", groups, rows)?;
    dense.call(py, run, 1, |given| {
        let (factors, ids) = (floats(&factors)?, ids(&groups)?);
        let sums = glm::group_sums(&given.design, factors, ids, count, &given.pool)?;
        Ok(Scores(sums.chunks(count.max(1)).map(<[f64]>::to_vec).collect()))
    })
}

/// `X' q X`: the lower triangle by rows.
#[pyfunction]
#[pyo3(signature = (columns, weights, rows, *, intercept, run))]
pub fn weighted_gram(
    py: Python<'_>,
    columns: Vec<(String, Bound<'_, PyAny>)>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
    intercept: bool,
    run: Run,
) -> PyResult<Vec<f64>> {
    let dense = Dense::new(&columns, intercept, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    dense.call(py, run, 1, |given| {
        products::weighted_gram(&given.design, floats(&weights)?, given.isa, &given.pool)
    })
}

/// The inverse, by rows, of a matrix given by its lower triangle; or the place of a column that
/// follows from those before it.
#[pyfunction]
pub fn inverse(lower: Vec<f64>, width: usize) -> Result<Vec<f64>, Failure> {
    Factor::new(&lower, width)
        .map(|factor| factor.inverse())
        .map_err(|_| Failure::domain("collinear", "the columns follow from each other"))
}
