//! Moments of a regression, and what is computed from them.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, UInt32Type};
use nser_core::column::Column;
use nser_core::isa::Isa;
use nser_core::stats::double::Double;
use nser_core::stats::least_squares::{Solution, solve};
use nser_core::stats::moments::{self as core, Gram, Rows, Stop};
use nser_core::stats::sandwich::{self, Failed, Lonely, Stage};
use nser_core::stats::student;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::jobs::Pool;
use crate::arrow::{Chunked, column};
use crate::error::Failure;
use crate::pmt::isa;
use crate::runtime::{Control, Limits, RunState, run, threads_for};

/// Sums of products of the columns of a regression, of all rows and of each group.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Moments(pub core::Moments);

/// Sums of scores by group.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Scores(pub Vec<Vec<f64>>);

/// What a pass over rows reads.
struct Design {
    columns: Vec<Chunked>,
    weights: Option<Chunked>,
    starts: Vec<usize>,
    rows: usize,
}

impl Design {
    fn new(
        columns: &[(String, Bound<'_, PyAny>, usize)],
        weights: Option<&Bound<'_, PyAny>>,
        groups: Option<&Bound<'_, PyAny>>,
        rows: usize,
    ) -> PyResult<Self> {
        let read = |(name, series, rows): &(String, Bound<'_, PyAny>, usize)| {
            Chunked::from_stream(name, series, *rows)
        };
        let groups = groups.map(|g| Chunked::from_stream("groups", g, rows)).transpose()?;
        Ok(Self {
            columns: columns.iter().map(read).collect::<PyResult<_>>()?,
            weights: weights.map(|w| Chunked::from_stream("weights", w, rows)).transpose()?,
            starts: groups.as_ref().map_or(Ok(vec![]), starts)?,
            rows,
        })
    }

    fn views(&self) -> Result<Vec<Column<'_>>, Failure> {
        self.columns.iter().map(one_chunk).collect()
    }

    fn weights(&self) -> Result<&[f64], Failure> {
        let Some(weights) = &self.weights else { return Ok(&[]) };
        match weights.chunks.as_slice() {
            [chunk] => chunk
                .as_primitive_opt::<Float64Type>()
                .map(|weights| &**weights.values())
                .ok_or_else(|| Failure::internal("weights were not f64")),
            _ => Err(Failure::internal("weights were not in one chunk")),
        }
    }

    fn cells(&self) -> usize {
        self.rows.saturating_mul(self.columns.len())
    }
}

fn one_chunk(chunked: &Chunked) -> Result<Column<'_>, Failure> {
    match chunked.chunks.as_slice() {
        [] => Ok(Column::null(0)),
        [chunk] => column(&chunked.name, chunk),
        _ => Err(Failure::internal("a column was not in one chunk")),
    }
}

/// First rows of the groups, from the sorted number of each row's group.
fn starts(groups: &Chunked) -> Result<Vec<usize>, Failure> {
    let [chunk] = groups.chunks.as_slice() else {
        return Err(Failure::internal("groups were not in one chunk"));
    };
    let groups = chunk
        .as_primitive_opt::<UInt32Type>()
        .ok_or_else(|| Failure::internal("groups were not u32"))?;
    let changes =
        groups.values().windows(2).zip(1..).filter(|(pair, _)| matches!(pair, [a, b] if a != b));
    Ok(std::iter::once(0).chain(changes.map(|(_, row)| row)).collect())
}

/// How a call runs.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Run {
    pub threads: Option<usize>,
    pub isa: Option<String>,
    pub control: Option<Py<Control>>,
    pub timeout: Option<f64>,
    pub tick: Option<Py<PyAny>>,
}

impl Design {
    fn read<'a>(&'a self, columns: &'a [Column<'a>]) -> Result<Rows<'a>, Failure> {
        Ok(Rows { columns, rows: self.rows, weights: self.weights()?, starts: &self.starts })
    }

    fn not_finite(&self, column: usize, row: Option<usize>) -> Failure {
        let name = self.columns.get(column).map_or("", |column| &column.name);
        let place = row.map_or(String::new(), |row| format!(", row {row}"));
        let message = format!("column '{name}'{place}: expected a finite number of ordinary size");
        Failure::domain("not_finite", message)
    }
}

impl Run {
    fn call<T: Send>(
        self,
        py: Python<'_>,
        design: &Design,
        work: impl FnOnce(&Design, Isa, &Pool<'_>, &[Column<'_>]) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let isa = isa(self.isa.as_deref())?;
        let unseen = RunState::default();
        let state = self.control.as_ref().map_or(&unseen, |control| &*control.get().state);
        let limits = Limits { timeout: self.timeout, tick: self.tick };
        // A row of many columns is as much work as many rows of a few.
        let threads = threads_for(design.cells() / 4, self.threads);
        run(py, design.cells(), state, &limits, || {
            let views = design.views()?;
            work(design, isa, &Pool { threads, state }, &views)
        })
    }
}

#[pymethods]
impl Moments {
    /// Sums of products of `columns` (name, series and its length; the target last), by group if
    /// `groups` says for each row which group, in rising order, it belongs to.
    #[new]
    #[pyo3(signature = (columns, rows, *, weights, groups, run))]
    fn new(
        py: Python<'_>,
        columns: Vec<(String, Bound<'_, PyAny>, usize)>,
        rows: usize,
        weights: Option<&Bound<'_, PyAny>>,
        groups: Option<&Bound<'_, PyAny>>,
        run: Run,
    ) -> PyResult<Self> {
        let design = Design::new(&columns, weights, groups, rows)?;
        run.call(py, &design, |design, isa, pool, views| {
            let rows = design.read(views)?;
            let done = |rows| pool.state.advance(&vec![0; rows]);
            let found = core::moments(rows, isa, pool, done).map_err(|stop| match stop {
                Stop::Stopped(failure) => failure,
                Stop::NotFinite { column, row } => design.not_finite(column, row),
            })?;
            Ok(Self(found))
        })
    }

    /// Number of columns, the target among them.
    #[getter]
    fn width(&self) -> usize {
        self.0.total.width()
    }

    /// Number of groups whose moments were kept.
    #[getter]
    fn groups(&self) -> usize {
        self.0.groups()
    }

    /// An entry of the matrix of all rows.
    fn entry(&self, i: usize, j: usize) -> f64 {
        self.0.total.get(i, j).value()
    }

    /// An entry of the matrix of each group.
    fn group_entries(&self, i: usize, j: usize) -> Vec<f64> {
        let at = core::triangle(i.max(j)) + i.min(j);
        self.0.each_group().map(|(high, _)| high.get(at).copied().unwrap_or(0.0)).collect()
    }

    /// Least squares on the columns `keep`; `constant` is the place in it of a column of ones.
    fn solve<'py>(
        &self,
        py: Python<'py>,
        keep: Vec<usize>,
        constant: Option<usize>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        match py.detach(|| solve(&self.0.total, &keep, constant)) {
            Err(dependent) => {
                out.set_item("dependent", dependent.row)?;
                out.set_item("of", dependent.of)?;
            }
            Ok(Solution { coefficients, inverse, residual, total, vif, condition }) => {
                let low: Vec<f64> = coefficients.iter().map(|b| b.low).collect();
                let high: Vec<f64> = coefficients.iter().map(|b| b.high).collect();
                out.set_item("coefficients", high)?;
                out.set_item("low", low)?;
                out.set_item("inverse", inverse)?;
                out.set_item("residual", residual)?;
                out.set_item("total", total)?;
                out.set_item("vif", vif)?;
                out.set_item("condition", condition)?;
            }
        }
        Ok(out)
    }

    /// `b' G b` of the matrix of all rows, for coefficients of some columns.
    fn quadratic(&self, columns: Vec<usize>, coefficients: Vec<f64>) -> f64 {
        self.0.total.quadratic(&columns, &coefficients)
    }

    /// For each fold of groups: moments of its rows, and of those of the other folds, without
    /// groups.
    fn folds(&self, py: Python<'_>, fold: Vec<u32>, folds: usize) -> Vec<(Self, Self)> {
        let whole = |total| Self(core::Moments { total, high: vec![], low: vec![] });
        py.detach(|| {
            let sums = self.0.by_fold(&fold, folds);
            let without = |out: usize| {
                let mut rest = Gram::zeros(self.width());
                for (_, sum) in sums.iter().enumerate().filter(|(n, _)| *n != out) {
                    let (high, low) = sum.parts();
                    rest.add(high, low);
                }
                rest
            };
            let each = |(n, own): (usize, &Gram)| (whole(own.clone()), whole(without(n)));
            sums.iter().enumerate().map(each).collect()
        })
    }

    /// The moments after the weights of each group were multiplied by a factor.
    fn scaled(&self, py: Python<'_>, factors: Vec<f64>) -> Self {
        Self(py.detach(|| self.0.scaled(&factors)))
    }

    /// Sums of scores by group, for coefficients (and what their rounding left) of `keep`.
    fn scores(&self, py: Python<'_>, keep: Vec<usize>, high: Vec<f64>, low: Vec<f64>) -> Scores {
        let coefficients = doubles(&high, &low);
        let isa = Isa::best();
        Scores(py.detach(|| core::scores_of_moments(&self.0, &keep, &coefficients, isa)))
    }

    /// All that is in it, for another process.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let width = self.0.total.width() as u64;
        let (high, low) = self.0.total.parts();
        let numbers = [high, low, &self.0.high, &self.0.low].concat();
        let rest = numbers.iter().flat_map(|x| x.to_le_bytes());
        PyBytes::new(py, &width.to_le_bytes().into_iter().chain(rest).collect::<Vec<u8>>())
    }

    /// What `to_bytes` wrote.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let broken = || Failure::internal("moments of a wrong length");
        let (width, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
        let width = usize::try_from(u64::from_le_bytes(*width)).map_err(|_| broken())?;
        let (numbers, []) = rest.as_chunks::<8>() else { return Err(broken().into()) };
        let mut numbers = numbers.iter().map(|x| f64::from_le_bytes(*x));
        let entries = core::triangle(width);
        let high = numbers.by_ref().take(entries).collect();
        let low = numbers.by_ref().take(entries).collect();
        let total = Gram::from_parts(width, high, low).ok_or_else(broken)?;
        let groups = numbers.len() / 2;
        let high = numbers.by_ref().take(groups).collect();
        Ok(Self(core::Moments { total, high, low: numbers.collect() }))
    }

    fn __reduce__<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyAny>, (Bound<'py, PyBytes>,))> {
        Ok((py.get_type::<Self>().getattr("from_bytes")?, (self.to_bytes(py),)))
    }
}

pub fn doubles(high: &[f64], low: &[f64]) -> Vec<Double> {
    high.iter().zip(low).map(|(&high, &low)| Double { high, low }).collect()
}

#[pymethods]
impl Scores {
    /// Sums of scores by group, from a pass over the rows. Arguments as for `moments`.
    #[new]
    #[pyo3(signature = (columns, rows, coefficients, *, weights, groups, run))]
    fn new(
        py: Python<'_>,
        columns: Vec<(String, Bound<'_, PyAny>, usize)>,
        rows: usize,
        coefficients: Vec<f64>,
        weights: Option<&Bound<'_, PyAny>>,
        groups: &Bound<'_, PyAny>,
        run: Run,
    ) -> PyResult<Self> {
        let design = Design::new(&columns, weights, Some(groups), rows)?;
        run.call(py, &design, |design, isa, pool, views| {
            let done = |rows| pool.state.advance(&vec![0; rows]);
            Ok(Self(core::scores(design.read(views)?, &coefficients, isa, pool, done)?))
        })
    }

    /// Scores of one's own: columns of one value for each unit.
    #[staticmethod]
    fn from_columns(columns: Vec<Vec<f64>>) -> Self {
        Self(columns)
    }

    /// Number of groups.
    fn __len__(&self) -> usize {
        self.0.first().map_or(0, Vec::len)
    }

    /// Variance of the totals under a design: for each stage the parents of its units, and the
    /// fraction drawn of each parent's. A lonely unit gives `(stage, parent)` in place of a matrix.
    #[pyo3(signature = (stages, lonely, *, threads=None))]
    fn variance<'py>(
        &self,
        py: Python<'py>,
        stages: Vec<(Vec<u32>, Vec<f64>)>,
        lonely: &str,
        threads: Option<usize>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let lonely = match lonely {
            "error" => Lonely::Error,
            "adjust" => Lonely::Adjust,
            _ => Lonely::Remove,
        };
        let stages: Vec<Stage> =
            stages.into_iter().map(|(parent, fraction)| Stage { parent, fraction }).collect();
        let state = RunState::default();
        let cells = self.__len__().saturating_mul(self.0.len());
        let pool = Pool { threads: threads_for(cells / 4, threads), state: &state };
        let found = run(py, cells, &state, &Limits::default(), || {
            match sandwich::variance(&self.0, &stages, lonely, Isa::best(), &pool) {
                Ok(matrix) => Ok(Ok(matrix)),
                Err(Failed::Lonely { stage, parent }) => Ok(Err((stage, parent))),
                Err(Failed::Stopped(failure)) => Err(failure),
                Err(Failed::NotFinite) => {
                    Err(Failure::domain("not_finite", "sums of residuals are too large"))
                }
            }
        })?;
        match found {
            Ok(matrix) => matrix.into_pyobject(py),
            Err(lonely) => Ok(lonely.into_pyobject(py)?.into_any()),
        }
    }
}

/// Sum of the squared scores of each row, by rows of a square matrix. Arguments as for `Moments`.
#[pyfunction]
#[pyo3(signature = (columns, rows, coefficients, *, weights, run))]
pub fn robust_meat(
    py: Python<'_>,
    columns: Vec<(String, Bound<'_, PyAny>, usize)>,
    rows: usize,
    coefficients: Vec<f64>,
    weights: Option<&Bound<'_, PyAny>>,
    run: Run,
) -> PyResult<Vec<f64>> {
    let design = Design::new(&columns, weights, None, rows)?;
    let width = coefficients.len();
    run.call(py, &design, |design, isa, pool, views| {
        let done = |rows| pool.state.advance(&vec![0; rows]);
        let found = core::robust_meat(design.read(views)?, &coefficients, isa, pool, done);
        let meat = found.map_err(|stop| match stop {
            Stop::Stopped(failure) => failure,
            Stop::NotFinite { column, row } => design.not_finite(column, row),
        })?;
        Ok(meat.dense(&(0..width).collect::<Vec<_>>()).0)
    })
}

/// `B M B` of two symmetric matrices by rows.
#[pyfunction]
pub fn sandwich_variance(bread: Vec<f64>, meat: Vec<f64>, width: usize) -> Vec<f64> {
    sandwich::sandwich(&bread, &meat, width)
}

/// Chance of a t further from zero, for each t.
#[pyfunction]
pub fn student_p(t: Vec<f64>, df: f64) -> Vec<f64> {
    t.iter().map(|&t| student::two_sided(t, df)).collect()
}

/// The t that a share of values lies further from zero than.
#[pyfunction]
pub fn student_limit(chance: f64, df: f64) -> f64 {
    student::two_sided_limit(chance, df)
}
