//! What an expression names but does not carry: secret keys, and the numbers of a registry.
//!
//! An expression can be written to a file and read elsewhere; a key or a registry must not travel
//! with it. So it carries an id, and the thing itself stays in this process.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nser_core::cnic::{Evidence, Field, Index, Key, each_reading};
use nser_core::column::{Column, Value};
use pyo3::prelude::*;

use super::arrays::{check_number, number};
use crate::arrow::{Chunked, column};
use crate::error::Failure;
use crate::runtime::{Limits, RunState, run};

static KEYS: Mutex<BTreeMap<String, Key>> = Mutex::new(BTreeMap::new());
static PEOPLE: Mutex<BTreeMap<String, Arc<People>>> = Mutex::new(BTreeMap::new());

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a key and gives its id; `None` for a key that is too short or of one repeated byte.
#[pyfunction]
pub fn cnic_key(bytes: &[u8]) -> Option<String> {
    let key = Key::new(bytes)?;
    let id = format!("{:016x}", key.id());
    lock(&KEYS).insert(id.clone(), key);
    Some(id)
}

/// The key of an id.
pub fn key(id: &str) -> Result<Key, Failure> {
    let found = lock(&KEYS).get(id).cloned();
    let advice =
        "the key of this expression is not known in this process; make the expression here";
    found.ok_or_else(|| Failure::domain("unknown_key", advice))
}

/// The registry of an id.
pub fn people(id: &str) -> Result<Arc<People>, Failure> {
    let found = lock(&PEOPLE).get(id).cloned();
    let advice = "the index of this expression is not known in this process, or was released";
    found.ok_or_else(|| Failure::domain("unknown_index", advice))
}

/// Numbers of registered people, and what is known of them.
pub struct People {
    pub index: Index,
    /// Name, father, birth.
    columns: Vec<(Field, Chunked)>,
}

impl People {
    /// Columns of the registry for [`People::ratio`].
    pub fn texts(&self) -> Result<Vec<(Field, Vec<Column<'_>>)>, Failure> {
        self.columns.iter().map(|(field, c)| Ok((*field, views(c)?))).collect()
    }

    /// Log likelihood ratio of a person being the one registered under a number, or of the likeliest
    /// when there are several. `alike` compares two names.
    pub fn ratio<'a>(
        &self,
        texts: &[(Field, Vec<Column<'_>>)],
        number: u64,
        person: impl Fn(Field) -> Option<Value<'a>>,
        alike: impl Fn(&[u8], &[u8]) -> Option<f64>,
    ) -> Option<f64> {
        let of_row = |row: u32| {
            let compared = texts.iter().fold(Evidence::default(), |sum, (field, chunks)| {
                let registered = value_at(chunks, row as usize);
                let agreement = match (registered, person(*field)) {
                    (Some(Value::Str(a)), Some(Value::Str(b))) => match field {
                        Field::Name | Field::Father => alike(a, b),
                        Field::Birth => Evidence::equal_text(a, b),
                    },
                    _ => None,
                };
                sum.and(*field, agreement)
            });
            compared.log_ratio()
        };
        self.index.rows(number).iter().filter_map(|row| of_row(*row)).max_by(f64::total_cmp)
    }
}

fn views(column: &Chunked) -> Result<Vec<Column<'_>>, Failure> {
    column.chunks.iter().map(|chunk| crate::arrow::column(&column.name, chunk)).collect()
}

fn value_at<'a>(chunks: &'a [Column<'_>], mut row: usize) -> Option<Value<'a>> {
    for chunk in chunks {
        if row < chunk.len() {
            return Some(chunk.value(row));
        }
        row -= chunk.len();
    }
    None
}

/// A registry in this process.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct CnicIndex {
    id: String,
    numbers: usize,
}

#[pymethods]
impl CnicIndex {
    /// Reads the numbers of `rows` rows, with text columns of names, fathers and births.
    #[new]
    #[pyo3(signature = (numbers, rows, *, name=None, father=None, birth=None))]
    fn new(
        py: Python<'_>,
        numbers: &Bound<'_, PyAny>,
        rows: usize,
        name: Option<&Bound<'_, PyAny>>,
        father: Option<&Bound<'_, PyAny>>,
        birth: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let numbers = Chunked::from_stream("number", numbers, rows)?;
        check_number(Some(&numbers.input()))?;
        let given = [(Field::Name, name), (Field::Father, father), (Field::Birth, birth)];
        let mut columns = vec![];
        for (field, series) in given {
            if let Some(series) = series {
                columns.push((field, Chunked::from_stream("evidence", series, rows)?));
            }
        }
        let state = RunState::default();
        let index = run(py, rows, &state, &Limits::default(), || index_of(&numbers))?;
        // Random, so that another process does not take its own registry for this one.
        let id = format!("{:016x}", RandomState::new().build_hasher().finish());
        let numbers = index.len();
        lock(&PEOPLE).insert(id.clone(), Arc::new(People { index, columns }));
        Ok(Self { id, numbers })
    }

    /// Name under which expressions find it.
    #[getter]
    fn id(&self) -> &str {
        &self.id
    }

    /// Number of distinct numbers.
    fn __len__(&self) -> usize {
        self.numbers
    }

    /// Frees the memory; expressions that use it fail from now on.
    fn release(&self) {
        lock(&PEOPLE).remove(&self.id);
    }
}

fn index_of(numbers: &Chunked) -> Result<Index, Failure> {
    let mut found = vec![];
    for chunk in &numbers.chunks {
        let view = column(&numbers.name, chunk)?;
        each_reading(&view, chunk.len(), |reading| found.push(number(&reading)));
    }
    Index::new(found).ok_or_else(|| Failure::schema(&numbers.name, "too many rows for an index"))
}
