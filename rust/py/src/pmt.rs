//! Scoring: extract -> release the GIL -> core -> export.

use std::sync::Arc;

use arrow_array::builder::{Float64Builder, LargeStringBuilder};
use arrow_array::{Array, ArrayRef, Float64Array, UInt8Array, UInt16Array, UInt64Array};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};
use nser_core::RowError;
use nser_core::column::{Kind, Value};
use nser_core::isa::Isa;
use nser_core::pmt::{Plan, Status};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString};

use crate::arrow::{
    ArrowStream, Chunked, Piece, enum_array, enum_field, enum_names, export, pieces,
};
use crate::error::Failure;
use crate::memory::zeroed;
use crate::runtime::{
    Control, Limits, RunState, chunk_rows, for_each_job, guarded, run, threads_for,
};

/// Scores and status codes of a frame.
pub struct Scored {
    scores: Vec<f64>,
    status: Vec<u8>,
}

/// How to score columns.
pub struct Options<'a> {
    pub threads: usize,
    pub isa: Isa,
    pub state: &'a RunState,
    /// Number of a row in the caller's frame.
    pub row_number: &'a (dyn Fn(usize) -> usize + Sync),
}

/// Scores columns of `rows` rows on threads of the pool.
pub fn score_columns(
    plan: &Plan,
    columns: &[Chunked],
    rows: usize,
    options: &Options<'_>,
) -> Result<Scored, Failure> {
    for (c, column) in columns.iter().enumerate() {
        plan.check_kind(c, column.kind())?;
    }
    let mut scored = Scored { scores: zeroed(rows), status: zeroed(rows) };
    let pieces = pieces(columns, rows)?;
    let mut bound = Vec::with_capacity(pieces.len());
    for Piece { rows, columns, .. } in &pieces {
        bound.push(plan.bind(columns, *rows)?.with_isa(options.isa));
    }
    let (mut scores, mut status) = (&mut *scored.scores, &mut *scored.status);
    let chunk = chunk_rows(plan.most_contributions());
    let mut jobs = vec![];
    for (piece, bound) in pieces.iter().zip(&bound) {
        let (own_scores, other_scores) = scores.split_at_mut(piece.rows);
        let (own_status, other_status) = status.split_at_mut(piece.rows);
        (scores, status) = (other_scores, other_status);
        let chunks = own_scores.chunks_mut(chunk).zip(own_status.chunks_mut(chunk));
        for ((scores, status), first) in chunks.zip((0..).step_by(chunk)) {
            jobs.push((bound, piece.start, first, scores, status));
        }
    }
    for_each_job(options.threads, options.state, jobs.into_iter(), |job| {
        let (bound, start, first, scores, status) = job;
        bound.score_into(first, scores, status).map_err(|error| {
            let row = (options.row_number)(start + error.row);
            nser_core::Error::Row(RowError { row, ..error })
        })?;
        options.state.advance(status);
        Ok(())
    })?;
    Ok(scored)
}

impl Scored {
    /// The score column, null where the status is not ok, and the status codes.
    pub fn into_codes(self) -> (ArrayRef, ArrayRef) {
        let (scores, codes) = self.split();
        (Arc::new(scores), Arc::new(codes))
    }

    /// The score column, null where the status is not ok, and the status as a dictionary.
    pub fn into_arrays(self) -> Result<(ArrayRef, ArrayRef), Failure> {
        let (scores, codes) = self.split();
        Ok((Arc::new(scores), enum_array(codes, &enum_names(Status::NAMES))?))
    }

    fn split(self) -> (Float64Array, UInt8Array) {
        let Self { scores, status } = self;
        // A fold without an early exit: sixteen codes at a time.
        let nulls = (status.iter().fold(0, |all, code| all | code) != 0).then(|| {
            let valid: BooleanBuffer = status.iter().map(|&code| code == 0).collect();
            NullBuffer::new(valid)
        });
        (Float64Array::new(scores.into(), nulls), UInt8Array::new(status.into(), None))
    }
}

/// Field of the score column.
pub fn score_field(name: &str) -> Field {
    Field::new(name, DataType::Float64, true)
}

/// Field of the status codes.
pub fn code_field(name: &str) -> Field {
    Field::new(name, DataType::UInt8, false)
}

/// Field of the status column: a Polars Enum.
pub fn status_field(name: &str) -> Field {
    enum_field(name, DataType::UInt8, Status::NAMES)
}

/// Names of the instruction sets this CPU has, the best last.
#[pyfunction]
pub fn isa_names() -> Vec<&'static str> {
    Isa::available().into_iter().map(isa_name).collect()
}

fn isa_name(isa: Isa) -> &'static str {
    match isa {
        Isa::Portable => "portable",
        Isa::Avx2 => "avx2",
        Isa::Avx512 => "avx512",
        Isa::Avx512Vbmi => "avx512vbmi",
    }
}

/// The instruction set of a name; by default the best of this CPU.
pub fn isa(name: Option<&str>) -> Result<Isa, Failure> {
    let Some(name) = name else { return Ok(Isa::best()) };
    let found = Isa::available().into_iter().find(|&isa| isa_name(isa) == name);
    found.ok_or_else(|| Failure::internal("this CPU does not have that instruction set"))
}

/// A compiled model.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Scorer {
    plan: Plan,
    names: Vec<Py<PyString>>,
}

#[pymethods]
impl Scorer {
    #[new]
    fn new(py: Python<'_>, program: &[u8]) -> PyResult<Self> {
        let plan = guarded(|| Ok(Plan::from_json(program)?))?;
        let names = plan.columns().iter().map(|n| PyString::intern(py, n).unbind()).collect();
        Ok(Self { plan, names })
    }

    /// Columns to supply, in this order.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.plan.columns().to_vec()
    }

    /// Names of the contributions that `explain` can give.
    #[getter]
    fn terms(&self) -> Vec<&str> {
        self.plan.terms()
    }

    /// Scores the columns, given as Series in the order of `columns`. The status column is left out
    /// when every status is ok: Polars looks at each code of an Enum that it takes over, which
    /// takes longer than to score a third of the frame.
    #[pyo3(signature = (series, rows, *, score, status, threads=None, isa=None, control=None, timeout=None, tick=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
    fn score(
        &self,
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
        score: &str,
        status: &str,
        threads: Option<usize>,
        isa: Option<&str>,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<ArrowStream> {
        let limits = Limits { timeout, tick };
        let columns = self.read(&series, rows)?;
        let isa = self::isa(isa)?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let options =
            Options { threads: threads_for(rows, threads), isa, state, row_number: &|row| row };
        let scored = run(py, self.cells(rows), state, &limits, || {
            score_columns(&self.plan, &columns, rows, &options)
        })?;
        let (scores, codes) = scored.into_arrays()?;
        Ok(if scores.null_count() == 0 {
            export(vec![score_field(score)], vec![scores])?
        } else {
            export(vec![score_field(score), status_field(status)], vec![scores, codes])?
        })
    }

    /// Contributions of every term to every row, row by row: row, term, value, points.
    fn explain(
        &self,
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
    ) -> PyResult<ArrowStream> {
        let columns = self.read(&series, rows)?;
        let state = RunState::default();
        run(py, self.cells(rows), &state, &Limits::default(), || {
            self.explain_columns(&columns, rows, &state)
        })
    }

    /// Score and status of one household.
    fn score_one(
        &self,
        py: Python<'_>,
        answers: &Bound<'_, PyAny>,
    ) -> PyResult<(Option<f64>, &'static str)> {
        self.with_values(py, answers, |values| {
            let get = |c: usize| values.get(c).copied().unwrap_or(Value::Missing);
            let found = self.plan.score_row(get).map_err(nser_core::Error::Row)?;
            Ok((found.score, found.status.name()))
        })
    }

    /// Raw sum and contributions of one household: term, value, points.
    #[allow(clippy::type_complexity)]
    fn explain_one(
        &self,
        py: Python<'_>,
        answers: &Bound<'_, PyAny>,
    ) -> PyResult<Vec<(String, Option<String>, Option<f64>)>> {
        self.with_values(py, answers, |values| {
            let get = |c: usize| values.get(c).copied().unwrap_or(Value::Missing);
            let found = self.plan.explain_row(get).into_iter();
            Ok(found.map(|c| (c.term.to_owned(), c.value, c.points)).collect())
        })
    }
}

impl Scorer {
    /// How much work a frame is.
    fn cells(&self, rows: usize) -> usize {
        rows.saturating_mul(self.plan.most_contributions())
    }

    fn read(&self, series: &[Bound<'_, PyAny>], rows: usize) -> PyResult<Vec<Chunked>> {
        let named = self.plan.columns().iter().zip(series);
        named.map(|(name, series)| Chunked::from_stream(name, series, rows)).collect()
    }

    fn explain_columns(
        &self,
        columns: &[Chunked],
        rows: usize,
        state: &RunState,
    ) -> Result<ArrowStream, Failure> {
        for (c, column) in columns.iter().enumerate() {
            self.plan.check_kind(c, column.kind())?;
        }
        let terms = self.plan.terms();
        let room = self.cells(rows);
        let mut row_numbers: Vec<u64> = Vec::with_capacity(room);
        let mut codes: Vec<u16> = Vec::with_capacity(room);
        let mut values = LargeStringBuilder::new();
        let mut points = Float64Builder::with_capacity(room);
        for piece in pieces(columns, rows)? {
            for row in 0..piece.rows {
                if row % 1024 == 0 {
                    state.check()?;
                }
                let get = |c: usize| {
                    let column: Option<&nser_core::column::Column<'_>> = piece.columns.get(c);
                    column.map_or(Value::Missing, |c| c.value_for(row))
                };
                for found in self.plan.explain_row(get) {
                    let code = terms.iter().position(|t| *t == found.term).unwrap_or(0);
                    row_numbers.push((piece.start + row) as u64);
                    codes.push(code as u16);
                    values.append_option(found.value);
                    points.append_option(found.points);
                }
            }
        }
        let names = enum_names(terms.iter().copied());
        let codes = enum_array(UInt16Array::from(codes), &names)?;
        export(
            vec![
                Field::new("row", DataType::UInt64, false),
                enum_field("term", DataType::UInt16, terms.iter().copied()),
                Field::new("value", DataType::LargeUtf8, true),
                Field::new("points", DataType::Float64, true),
            ],
            vec![
                Arc::new(UInt64Array::from(row_numbers)),
                codes,
                Arc::new(values.finish()),
                Arc::new(points.finish()),
            ],
        )
    }

    /// Reads the answers a plan needs from a mapping and calls `work` with them.
    fn with_values<T>(
        &self,
        py: Python<'_>,
        answers: &Bound<'_, PyAny>,
        work: impl FnOnce(&[Value<'_>]) -> Result<T, Failure>,
    ) -> PyResult<T> {
        let dict = answers.cast::<PyDict>().ok();
        let mut objects = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let name = name.bind(py);
            let found = match dict {
                Some(dict) => dict.get_item(name)?,
                None if answers.contains(name)? => Some(answers.get_item(name)?),
                None => None,
            };
            let missing = || {
                Failure::schema(
                    &name.to_string_lossy(),
                    "the answer is not given; use None for a missing one",
                )
            };
            objects.push(found.ok_or_else(missing)?);
        }
        let mut values = Vec::with_capacity(objects.len());
        for (c, object) in objects.iter().enumerate() {
            let (value, kind) = read_value(object).ok_or_else(|| {
                let name = self.plan.columns().get(c).map_or("", String::as_str);
                Failure::schema(name, "expected a number, a boolean, text or None")
            })?;
            self.plan.check_kind(c, kind).map_err(Failure::from)?;
            values.push(value);
        }
        Ok(guarded(|| work(&values))?)
    }
}

/// A Python answer as a value.
fn read_value<'a>(object: &'a Bound<'_, PyAny>) -> Option<(Value<'a>, Kind)> {
    if object.is_none() {
        return Some((Value::Missing, Kind::Null));
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Some((Value::Str(text.to_str().ok()?.as_bytes()), Kind::Text));
    }
    if object.is_instance_of::<PyFloat>() {
        return Some((Value::Float(object.extract().ok()?), Kind::Number));
    }
    // bool() also accepts numpy's own booleans.
    if (object.is_instance_of::<PyBool>() || !object.is_instance_of::<PyInt>())
        && let Ok(b) = object.extract()
    {
        return Some((Value::Bool(b), Kind::Boolean));
    }
    if let Ok(i) = object.extract() {
        return Some((Value::Int(i), Kind::Integer));
    }
    Some((Value::Float(object.extract().ok()?), Kind::Number)) // Decimal, wide integers
}
