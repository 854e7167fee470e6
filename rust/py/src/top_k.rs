//! Look-ups of the most similar strings of a dictionary.

use std::sync::Arc;

use arrow_array::{Float64Array, UInt32Array};
use arrow_schema::{DataType, Field};
use nser_core::column::{Column, Value};
use nser_core::text::top_k::{self, Draft, Match, Part, Queries, Scorer, Search, Texts};
use pyo3::prelude::*;

use crate::arrow::{ArrowStream, Chunked, column, export};
use crate::error::Failure;
use crate::pmt::isa;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};

/// Queries that share a look at each part of the dictionary, at most.
const BATCH: usize = 32;

/// Pairs that take about as long as one cell of a frame, and as one row of an ordinary frame.
const PAIRS_PER_CELL: usize = 8;
const PAIRS_PER_ROW: usize = 64;

/// A column of strings in one chunk.
struct Strings<'a>(Column<'a>);

impl Texts for Strings<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
        match self.0.value(row) {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Strings<'a> {
    fn new(chunked: &'a Chunked) -> Result<Self, Failure> {
        chunked.input().check_text("expected text")?;
        if u32::try_from(chunked.len()).is_err() {
            return Err(Failure::schema(&chunked.name, "expected less than 2^32 rows"));
        }
        match chunked.chunks.as_slice() {
            [] => Ok(Self(Column::null(0))),
            [chunk] => Ok(Self(column(&chunked.name, chunk)?)),
            _ => Err(Failure::internal("a column was not in one chunk")),
        }
    }
}

/// Strings prepared for look-ups.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Dictionary(top_k::Dictionary);

#[pymethods]
impl Dictionary {
    #[new]
    #[pyo3(signature = (series, rows, *, threads=None, control=None, timeout=None))]
    fn new(
        py: Python<'_>,
        series: &Bound<'_, PyAny>,
        rows: usize,
        threads: Option<usize>,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let chunked = Chunked::from_stream("dictionary", series, rows)?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick: None };
        let threads = threads_for(rows, threads);
        let cells = rows.saturating_mul(BATCH);
        Ok(Self(run(py, cells, state, &limits, || prepare(&chunked, threads, state))?))
    }

    /// Number of rows.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The best matches of each query: query_index, rank, match_index, score.
    #[pyo3(signature = (series, rows, *, scorer, k, cutoff, threads=None, isa=None, control=None, timeout=None, tick=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
    fn top_k(
        &self,
        py: Python<'_>,
        series: &Bound<'_, PyAny>,
        rows: usize,
        scorer: &str,
        k: usize,
        cutoff: f64,
        threads: Option<usize>,
        isa: Option<&str>,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<ArrowStream> {
        let isa = self::isa(isa)?;
        let search = Search { scorer: self::scorer(scorer)?, k, cutoff, isa };
        let chunked = Chunked::from_stream("queries", series, rows)?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick };
        let pairs = rows.saturating_mul(self.0.len());
        let threads = threads_for(pairs / PAIRS_PER_ROW, threads);
        run(py, pairs / PAIRS_PER_CELL, state, &limits, || {
            look_up(&self.0, &search, &chunked, threads, state)
        })
    }
}

fn scorer(name: &str) -> Result<Scorer, Failure> {
    match name {
        "jaro_winkler" => Ok(Scorer::JaroWinkler),
        "levenshtein" => Ok(Scorer::Levenshtein),
        _ => Err(Failure::internal("there is no such scorer")),
    }
}

fn prepare(
    chunked: &Chunked,
    threads: usize,
    state: &RunState,
) -> Result<top_k::Dictionary, Failure> {
    let strings = Strings::new(chunked)?;
    let draft = Draft::new(&strings);
    let mut parts: Vec<Option<Part>> = (0..draft.parts()).map(|_| None).collect();
    for_each_job(threads, state, parts.iter_mut().enumerate(), |(n, part)| {
        *part = draft.part(n);
        Ok(())
    })?;
    Ok(draft.finish(parts.into_iter().flatten()))
}

fn look_up(
    dictionary: &top_k::Dictionary,
    search: &Search,
    chunked: &Chunked,
    threads: usize,
    state: &RunState,
) -> Result<ArrowStream, Failure> {
    let strings = Strings::new(chunked)?;
    let queries = Queries::new(&strings);
    let mut found: Vec<Vec<Match>> = vec![vec![]; queries.distinct().len()];
    let batch = found.len().div_ceil(4 * threads).clamp(1, BATCH);
    let batches = queries.distinct().chunks(batch).zip(found.chunks_mut(batch));
    for_each_job(threads, state, batches, |(rows, found)| {
        let texts: Vec<&[u8]> = rows.iter().filter_map(|&row| strings.get(row as usize)).collect();
        let matches = search.run(dictionary, &texts, || state.check())?;
        found.iter_mut().zip(matches).for_each(|(slot, matches)| *slot = matches);
        state.advance(&vec![0; rows.len()]);
        Ok(())
    })?;
    table(&queries, &found)
}

/// One row for each match, by query and rank.
fn table(queries: &Queries, found: &[Vec<Match>]) -> Result<ArrowStream, Failure> {
    let matches_of = |place: Option<usize>| place.and_then(|place| found.get(place));
    let room = queries.places().filter_map(matches_of).map(Vec::len).sum();
    let mut indices = Vec::with_capacity(room);
    let mut ranks = Vec::with_capacity(room);
    let mut rows = Vec::with_capacity(room);
    let mut scores = Vec::with_capacity(room);
    for (index, place) in (0u32..).zip(queries.places()) {
        for (rank, found) in (1u32..).zip(matches_of(place).into_iter().flatten()) {
            indices.push(index);
            ranks.push(rank);
            rows.push(found.row);
            scores.push(found.score);
        }
    }
    let index = |name| Field::new(name, DataType::UInt32, false);
    export(
        vec![
            index("query_index"),
            index("rank"),
            index("match_index"),
            Field::new("score", DataType::Float64, false),
        ],
        vec![
            Arc::new(UInt32Array::from(indices)),
            Arc::new(UInt32Array::from(ranks)),
            Arc::new(UInt32Array::from(rows)),
            Arc::new(Float64Array::from(scores)),
        ],
    )
}
