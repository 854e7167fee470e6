//! Clusters and one-to-one matchings of pairs, and the ranks of ids that both need.

use std::sync::Arc;

use arrow_array::UInt32Array;
use arrow_schema::{DataType, Field};
use nser_core::column::Values;
use nser_core::link::Pairs;
use nser_core::link::assign::assign;
use nser_core::link::cluster::{self, Constraint, Method, Plan, Rule};
use nser_core::link::packed::PackedDigits;
use nser_core::link::rank::{rank, rank_texts};
use pyo3::prelude::*;

use crate::arrow::{ArrowStream, Chunked, export};
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, run};

/// Digits of an identity number.
const CNIC_LEN: usize = 13;

/// Work on one pair, against that on one cell of a frame.
const CELLS_PER_PAIR: usize = 8;

/// The ranks of whole numbers or texts (rank), and a row of each distinct one in ascending order (row).
#[pyfunction]
#[pyo3(signature = (ids, rows, *, control=None, timeout=None))]
pub fn rank_ids(
    py: Python<'_>,
    ids: &Bound<'_, PyAny>,
    rows: usize,
    control: Option<&Control>,
    timeout: Option<f64>,
) -> PyResult<(ArrowStream, ArrowStream)> {
    let ids = Chunked::from_stream("id", ids, rows)?;
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    run(py, rows, state, &Limits { timeout, tick: None }, || {
        state.check()?;
        let found = match &ids.whole()?.values {
            Values::U64(values) => rank(values),
            // The order of signed numbers.
            Values::I64(v) => rank(&v.iter().map(|&x| x as u64 ^ 1 << 63).collect::<Vec<_>>()),
            Values::Null(0) => rank(&[]),
            Values::Str(texts) => rank_texts(texts.len(), |row| texts.get(row)),
            _ => return Err(Failure::internal("ids were neither 64-bit numbers nor text")),
        };
        let too_many = || Failure::schema("id", "expected less than 2^32 ids");
        let found = found.ok_or_else(too_many)?;
        state.check()?;
        Ok((records("rank", found.ranks)?, records("row", found.rows)?))
    })
}

/// Roots, refused pairs, and sizes with their counts.
type Found = (ArrowStream, Vec<u64>, Vec<(u32, u32)>);

/// The lowest record of each record's cluster (root), the pairs that each constraint refused, and
/// how many clusters there are of each size.
#[pyfunction]
#[pyo3(signature = (left, right, weight, rows, *, records, threshold, method, missing, constraints, control=None, timeout=None, tick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn cluster_pairs(
    py: Python<'_>,
    left: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    weight: &Bound<'_, PyAny>,
    rows: usize,
    records: u32,
    threshold: f64,
    method: &str,
    missing: f64,
    constraints: Vec<(String, Bound<'_, PyAny>)>,
    control: Option<&Control>,
    timeout: Option<f64>,
    tick: Option<Py<PyAny>>,
) -> PyResult<Found> {
    let method = self::method(method, missing)?;
    let pairs = Columns::new(left, right, weight, rows)?;
    let constraints = constraints
        .iter()
        .map(|(rule, labels)| {
            let labels = Chunked::from_stream("label", labels, records as usize)?;
            Ok(constraint(rule, &labels)?)
        })
        .collect::<PyResult<_>>()?;
    let plan = Plan { threshold, method, constraints };
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    let cells = rows.saturating_mul(CELLS_PER_PAIR);
    run(py, cells, state, &Limits { timeout, tick }, || {
        let found = cluster::cluster(records, &pairs.view()?, &plan, || state.check())?;
        let sizes = found.sizes();
        Ok((self::records("root", found.roots)?, found.refused, sizes))
    })
}

/// Rows of the pairs of the best one-to-one matching (row).
#[pyfunction]
#[pyo3(signature = (left, right, weight, rows, *, lefts, rights, threshold, control=None, timeout=None, tick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn assign_pairs(
    py: Python<'_>,
    left: &Bound<'_, PyAny>,
    right: &Bound<'_, PyAny>,
    weight: &Bound<'_, PyAny>,
    rows: usize,
    lefts: u32,
    rights: u32,
    threshold: f64,
    control: Option<&Control>,
    timeout: Option<f64>,
    tick: Option<Py<PyAny>>,
) -> PyResult<ArrowStream> {
    let pairs = Columns::new(left, right, weight, rows)?;
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    let cells = rows.saturating_mul(CELLS_PER_PAIR);
    run(py, cells, state, &Limits { timeout, tick }, || {
        let found = assign(lefts, rights, &pairs.view()?, threshold, || state.check())?;
        records("row", found)
    })
}

/// The columns of pairs.
struct Columns {
    left: Chunked,
    right: Chunked,
    weight: Chunked,
}

impl Columns {
    fn new(
        left: &Bound<'_, PyAny>,
        right: &Bound<'_, PyAny>,
        weight: &Bound<'_, PyAny>,
        rows: usize,
    ) -> PyResult<Self> {
        Ok(Self {
            left: Chunked::from_stream("id_left", left, rows)?,
            right: Chunked::from_stream("id_right", right, rows)?,
            weight: Chunked::from_stream("match_weight", weight, rows)?,
        })
    }

    fn view(&self) -> Result<Pairs<'_>, Failure> {
        let weight = match self.weight.whole()?.values {
            Values::F64(weights) => weights,
            Values::Null(0) => &[],
            _ => return Err(wrong()),
        };
        Ok(Pairs { left: rows(&self.left)?, right: rows(&self.right)?, weight })
    }
}

/// Numbers of records.
fn rows(chunked: &Chunked) -> Result<&[u32], Failure> {
    match chunked.whole()?.values {
        Values::U32(rows) => Ok(rows),
        Values::Null(0) => Ok(&[]),
        _ => Err(wrong()),
    }
}

fn wrong() -> Failure {
    Failure::internal("the columns of pairs were of other types")
}

fn method(name: &str, missing: f64) -> Result<Method, Failure> {
    match name {
        "connected" => Ok(Method::Connected),
        "average" => Ok(Method::Average { missing }),
        "complete" => Ok(Method::Complete),
        _ => Err(Failure::internal("there is no such method")),
    }
}

/// Labels are whole numbers, 0 for none.
fn constraint(rule: &str, labels: &Chunked) -> Result<Constraint, Failure> {
    let labels = match labels.whole()?.values {
        Values::U64(labels) => labels,
        Values::Null(0) => &[],
        _ => return Err(Failure::internal("labels were not UInt64")),
    };
    let packed = |&number: &u64| match number {
        0 => 0,
        _ => PackedDigits::new(number, CNIC_LEN).map_or(0, PackedDigits::bits),
    };
    Ok(match rule {
        "one_per" => Constraint { rule: Rule::OnePer, labels: labels.to_vec() },
        "one_value" => Constraint { rule: Rule::OneValue, labels: labels.to_vec() },
        "one_cnic" => {
            Constraint { rule: Rule::OneNumber, labels: labels.iter().map(packed).collect() }
        }
        _ => return Err(Failure::internal("there is no such rule")),
    })
}

fn records(name: &str, values: Vec<u32>) -> Result<ArrowStream, Failure> {
    let field = Field::new(name, DataType::UInt32, false);
    export(vec![field], vec![Arc::new(UInt32Array::from(values))])
}
