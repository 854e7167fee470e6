//! The index of numbers: columns -> core -> the file; keys -> core -> rows.

use std::fs::File;
use std::io::{self, Write};
use std::sync::Arc;

use arrow_array::{ArrayRef, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field};
use memmap2::Mmap;
use nser_core::column::{Column, Values};
use nser_core::registry::keys::{KeyIndex as Index, Table};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrow::{ArrowStream, Chunked, export};
use crate::error::Failure;
use crate::mapped::map;
use crate::runtime::{Control, Limits, RunState, guarded, run};

/// Keys that go through the tree between two looks at the cancel flag.
const KEYS: usize = 1 << 16;

/// An index of numbers in a mapped file.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct KeyIndex {
    index: Index<Mmap>,
}

/// Numbers to be looked up, and which of them there are.
fn numbers<'a>(column: &Column<'a>) -> Result<&'a [u64], Failure> {
    match column.values {
        Values::U64(numbers) => Ok(numbers),
        Values::Null(_) => Ok(&[]),
        _ => Err(Failure::internal("keys are not 64-bit numbers")),
    }
}

#[pymethods]
impl KeyIndex {
    /// Writes the file: `columns` are the fields of a row, `texts` the dictionaries, each with its
    /// number of texts.
    #[staticmethod]
    #[pyo3(signature = (path, keys, columns, rows, texts, about, *, control=None, timeout=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a run")]
    fn build(
        py: Python<'_>,
        path: &str,
        keys: &Bound<'_, PyAny>,
        columns: Vec<Bound<'_, PyAny>>,
        rows: usize,
        texts: Vec<(Bound<'_, PyAny>, usize)>,
        about: &str,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<()> {
        let keys = Chunked::from_stream("keys", keys, rows)?;
        let read = |column| Chunked::from_stream("rows", column, rows);
        let columns = columns.iter().map(read).collect::<PyResult<Vec<_>>>()?;
        let read = |(text, rows): &(_, _)| Chunked::from_stream("texts", text, *rows);
        let texts = texts.iter().map(read).collect::<PyResult<Vec<_>>>()?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let written =
            run(py, rows.saturating_mul(64), state, &Limits { timeout, tick: None }, || {
                let keys = keys.whole()?;
                let columns = columns.iter().map(Chunked::whole).collect::<Result<Vec<_>, _>>()?;
                let texts = texts.iter().map(Chunked::whole).collect::<Result<Vec<_>, _>>()?;
                let table = Table { keys: &keys, columns: &columns, texts: &texts, about };
                let pieces = table.build()?;
                state.check()?;
                let write = || -> io::Result<()> {
                    let mut file = File::create(path)?;
                    pieces.iter().try_for_each(|piece| file.write_all(piece))
                };
                Ok(write())
            })?;
        Ok(written?)
    }

    /// Maps the file that [`KeyIndex::build`] wrote.
    #[staticmethod]
    fn open(py: Python<'_>, path: &str, verify: bool) -> PyResult<Self> {
        let map = map(path)?;
        let cells = if verify { usize::MAX } else { 0 };
        let state = RunState::default();
        let index = run(py, cells, &state, &Limits::default(), || Ok(Index::open(map, verify)?))?;
        Ok(Self { index })
    }

    /// What Python gave to keep.
    #[getter]
    fn about(&self) -> &str {
        self.index.about()
    }

    /// Bytes of a row.
    #[getter]
    fn width(&self) -> usize {
        self.index.width()
    }

    fn __len__(&self) -> usize {
        self.index.rows()
    }

    /// The rows of one key, in the order in which they were given.
    fn rows<'py>(&self, py: Python<'py>, key: u64) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        // Without the GIL: the operating system may have to read the file first.
        let look = || Ok(self.index.find(key).map(|at| self.index.row(at).to_vec()).collect());
        let found: Vec<Vec<u8>> = py.detach(|| guarded(look))?;
        Ok(found.iter().map(|row| PyBytes::new(py, row)).collect())
    }

    /// A text of a dictionary.
    fn text(&self, dictionary: usize, code: u32) -> String {
        String::from_utf8_lossy(self.index.text(dictionary, code)).into_owned()
    }

    /// For each key the number in its first row, if it has one, and how many rows it has.
    #[pyo3(signature = (keys, rows, *, control=None, timeout=None))]
    fn first(
        &self,
        py: Python<'_>,
        keys: &Bound<'_, PyAny>,
        rows: usize,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let (mut values, mut counts) = (vec![None; rows], vec![0u32; rows]);
        self.each(py, keys, rows, control, timeout, |i, places| {
            counts.get_mut(i).into_iter().for_each(|count| *count = places.len() as u32);
            values.get_mut(i).into_iter().for_each(|to| *to = self.index.number(places.start));
        })?;
        let columns: [(&str, DataType, ArrayRef); 2] = [
            ("value", DataType::UInt64, Arc::new(UInt64Array::from(values))),
            ("count", DataType::UInt32, Arc::new(UInt32Array::from(counts))),
        ];
        Ok(table(columns)?)
    }

    /// For each row of each key the number of the key and that in the row.
    #[pyo3(signature = (keys, rows, *, control=None, timeout=None))]
    fn all(
        &self,
        py: Python<'_>,
        keys: &Bound<'_, PyAny>,
        rows: usize,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let (mut keys_of, mut values) = (vec![], vec![]);
        self.each(py, keys, rows, control, timeout, |i, places| {
            for place in places {
                keys_of.push(i as u32);
                values.push(self.index.number(place));
            }
        })?;
        let columns: [(&str, DataType, ArrayRef); 2] = [
            ("key_index", DataType::UInt32, Arc::new(UInt32Array::from(keys_of))),
            ("value", DataType::UInt64, Arc::new(UInt64Array::from(values))),
        ];
        Ok(table(columns)?)
    }
}

impl KeyIndex {
    /// Calls `found` for each key that has rows.
    fn each(
        &self,
        py: Python<'_>,
        keys: &Bound<'_, PyAny>,
        rows: usize,
        control: Option<&Control>,
        timeout: Option<f64>,
        mut found: impl FnMut(usize, std::ops::Range<usize>) + Send,
    ) -> PyResult<()> {
        let keys = Chunked::from_stream("keys", keys, rows)?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        run(py, rows.saturating_mul(16), state, &Limits { timeout, tick: None }, || {
            let column = keys.whole()?;
            for (some, start) in numbers(&column)?.chunks(KEYS).zip((0..).step_by(KEYS)) {
                state.check()?;
                self.index.find_all(some, |i, places| {
                    let there = column.validity.is_none_or(|valid| valid.get(start + i));
                    if there && !places.is_empty() {
                        found(start + i, places);
                    }
                });
            }
            Ok(())
        })
    }
}

fn table<const N: usize>(columns: [(&str, DataType, ArrayRef); N]) -> Result<ArrowStream, Failure> {
    let (fields, columns) = columns
        .into_iter()
        .map(|(name, kind, column)| (Field::new(name, kind, true), column))
        .unzip();
    export(fields, columns)
}
