//! Row-wise features by name: one way in for expressions, for Series and for single values.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt8Type, UInt16Type, UInt32Type, UInt64Type};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, LargeStringArray,
    NullArray,
};
use arrow_schema::{DataType, Field};
use nser_core::column::Column;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyList, PyString};
use serde::Deserialize;

use crate::arrow::{ArrowStream, Chunked, Input, Piece, column, export_chunks, pieces};
use crate::error::Failure;
use crate::polars_plugin::{Expression, rows_of};
use crate::recent::Recent;
use crate::runtime::{Limits, RunState, for_each_job, guarded, run, threads_for};

/// A function of the values of a row. It is made once from a JSON specification.
pub trait Operation: Send + Sync {
    /// Type of the result; refuses inputs that cannot be read.
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure>;

    /// The results of `rows` rows. A column has that many rows, or one that counts for all.
    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure>;
}

static OPERATIONS: Recent<dyn Operation> = Recent::new();

/// The operation of a name such as `cnic.parse` and a JSON specification.
fn find(name: &str, spec: &str) -> Result<Arc<dyn Operation>, Failure> {
    OPERATIONS.get(format!("{name} {spec}").as_bytes(), || {
        let unknown = || Failure::internal(format!("there is no operation '{name}'"));
        let (room, name) = name.split_once('.').ok_or_else(unknown)?;
        match room {
            "cnic" => crate::cnic::operation(name, spec),
            "names" => crate::name::operation(name, spec),
            "similarity" => crate::text::operation(name, spec),
            _ => Err(unknown()),
        }
    })
}

fn field_of(operation: &dyn Operation, columns: &[Chunked]) -> Result<Field, Failure> {
    let inputs: Vec<Input> = columns.iter().map(Chunked::input).collect();
    operation.field(result_name(&inputs), &inputs)
}

/// Polars names a result after the first input.
fn result_name(inputs: &[Input]) -> &str {
    inputs.first().map_or("", |input| &input.name)
}

/// Rows that one thread takes at a time, unless the column is in smaller chunks. A result comes in
/// pieces of this size, so it is not small either.
const PART: usize = 1 << 18;

/// The results of whole columns, in pieces and in order, on threads of the pool.
fn evaluate_columns(
    operation: &dyn Operation,
    columns: &[Chunked],
    rows: usize,
    threads: usize,
    state: &RunState,
) -> Result<Vec<ArrayRef>, Failure> {
    let part = PART.min(rows.div_ceil(threads)).max(1);
    let pieces = pieces(columns, rows)?;
    let mut parts: Vec<(Vec<Column<'_>>, usize, Option<ArrayRef>)> = vec![];
    for Piece { rows, columns, .. } in &pieces {
        for start in (0..*rows).step_by(part) {
            let length = part.min(rows - start);
            let whole = |c: &Column<'_>| c.len() != *rows; // a literal
            let cut =
                columns.iter().map(|c| if whole(c) { c.clone() } else { c.slice(start, length) });
            parts.push((cut.collect(), length, None));
        }
    }
    for_each_job(threads, state, parts.iter_mut(), |(columns, rows, result)| {
        *result = Some(operation.evaluate(columns, *rows)?);
        Ok(())
    })?;
    Ok(parts.into_iter().filter_map(|(_, _, result)| result).collect())
}

/// The expression of any operation.
pub struct RowWise;

/// What the expression passes besides columns.
#[derive(Deserialize)]
pub struct Arguments {
    operation: String,
    /// JSON.
    spec: String,
}

impl Expression for RowWise {
    type Arguments = Arguments;

    fn field(&self, inputs: &[Input], arguments: &Arguments) -> Result<Field, Failure> {
        find(&arguments.operation, &arguments.spec)?.field(result_name(inputs), inputs)
    }

    fn evaluate(
        &self,
        columns: Vec<Chunked>,
        arguments: &Arguments,
    ) -> Result<(Field, Vec<ArrayRef>), Failure> {
        let operation = find(&arguments.operation, &arguments.spec)?;
        let field = field_of(&*operation, &columns)?;
        let rows = rows_of(&columns);
        let threads = threads_for(rows, None);
        let state = RunState::default();
        let arrays = evaluate_columns(&*operation, &columns, rows, threads, &state)?;
        Ok((field, arrays))
    }
}

/// The results of whole Series of `rows` rows (a literal has one), as one column.
#[pyfunction]
pub fn evaluate(
    py: Python<'_>,
    operation: &str,
    spec: &str,
    series: Vec<Bound<'_, PyAny>>,
    rows: usize,
) -> PyResult<ArrowStream> {
    let operation = find(operation, spec)?;
    let named = series.iter().map(|s| Chunked::from_stream("value", s, rows));
    let columns = named.collect::<PyResult<Vec<_>>>()?;
    let field = field_of(&*operation, &columns)?;
    let threads = threads_for(rows, None);
    let state = RunState::default();
    let arrays = run(py, rows, &state, &Limits::default(), || {
        evaluate_columns(&*operation, &columns, rows, threads, &state)
    })?;
    Ok(export_chunks(field, arrays)?)
}

/// The result of single values.
#[pyfunction]
pub fn evaluate_one<'py>(
    py: Python<'py>,
    operation: &str,
    spec: &str,
    values: Vec<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let arrays = values.iter().map(array_of_one).collect::<Result<Vec<_>, _>>()?;
    let array = guarded(|| {
        let operation = find(operation, spec)?;
        let input = |a: &ArrayRef| Input { name: "value".into(), data_type: a.data_type().clone() };
        operation.field("value", &arrays.iter().map(input).collect::<Vec<_>>())?;
        let columns = arrays.iter().map(|a| column("value", a)).collect::<Result<Vec<_>, _>>()?;
        operation.evaluate(&columns, 1)
    })?;
    object_of(py, &array, 0)
}

fn array_of_one(value: &Bound<'_, PyAny>) -> Result<ArrayRef, Failure> {
    if value.is_none() {
        return Ok(Arc::new(NullArray::new(1)));
    }
    if let Ok(text) = value.cast::<PyString>() {
        // A lone surrogate has no UTF-8 form; the replacement character stands for it.
        return Ok(Arc::new(LargeStringArray::from_iter_values([text.to_string_lossy()])));
    }
    if let Ok(truth) = value.cast::<PyBool>() {
        return Ok(Arc::new(BooleanArray::from(vec![truth.is_true()])));
    }
    if let Ok(number) = value.cast::<PyFloat>() {
        return Ok(Arc::new(Float64Array::from(vec![number.value()])));
    }
    if let Ok(number) = value.extract::<i64>() {
        return Ok(Arc::new(Int64Array::from(vec![number])));
    }
    if let Some(wide) =
        value.extract::<i128>().ok().map(|number| Decimal128Array::from(vec![number]))
    {
        let whole = wide.with_precision_and_scale(38, 0);
        return Ok(Arc::new(whole.map_err(|_| Failure::internal("a decimal without decimals"))?));
    }
    Err(Failure::schema("value", "expected text, a number, a boolean or None"))
}

/// One value of an array as a Python object.
fn object_of<'py>(py: Python<'py>, array: &dyn Array, i: usize) -> PyResult<Bound<'py, PyAny>> {
    if array.is_null(i) {
        return Ok(py.None().into_bound(py));
    }
    macro_rules! number {
        ($kind:ty) => {
            array.as_primitive::<$kind>().value(i).into_bound_py_any(py)
        };
    }
    match array.data_type() {
        DataType::Boolean => array.as_boolean().value(i).into_bound_py_any(py),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float64 => number!(Float64Type),
        DataType::Utf8 => array.as_string::<i32>().value(i).into_bound_py_any(py),
        DataType::LargeUtf8 => array.as_string::<i64>().value(i).into_bound_py_any(py),
        DataType::Utf8View => array.as_string_view().value(i).into_bound_py_any(py),
        DataType::Binary => Ok(PyBytes::new(py, array.as_binary::<i32>().value(i)).into_any()),
        DataType::LargeBinary => Ok(PyBytes::new(py, array.as_binary::<i64>().value(i)).into_any()),
        DataType::Dictionary(..) => {
            // Of this value alone: the items of a long list come here one by one.
            let value = array.slice(i, 1);
            let dictionary = value.as_any_dictionary();
            let codes = dictionary.normalized_keys();
            object_of(py, dictionary.values(), codes.first().copied().unwrap_or(0))
        }
        DataType::LargeList(_) => {
            let list = array.as_list::<i64>().value(i);
            let items = (0..list.len()).map(|k| object_of(py, &list, k));
            Ok(PyList::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any())
        }
        DataType::Struct(fields) => {
            let dict = PyDict::new(py);
            for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                dict.set_item(field.name(), object_of(py, column, i)?)?;
            }
            Ok(dict.into_any())
        }
        _ => Err(Failure::internal("a result has a type without a Python form").into()),
    }
}
