//! Values of persons and of queries, from columns or from Python.

use arrow_schema::DataType;
use nser_core::column::{self, Column, Strings, Value, Values};
use nser_core::link::index::{Datum, Id, IdKind, Kind, Source};
use nser_core::link::packed::PackedDigits;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyString};

use super::plan::Wiring;
use crate::arrow::Chunked;
use crate::error::Failure;
use crate::link::numbers;

/// Values of a column of the index.
pub(super) enum Read<'a> {
    Values(Column<'a>),
    Numbers(Vec<Option<PackedDigits>>),
}

impl<'a> Read<'a> {
    pub(super) fn new(column: &Column<'a>, of_numbers: bool) -> Self {
        if of_numbers { Self::Numbers(numbers(column)) } else { Self::Values(column.clone()) }
    }

    pub(super) fn get(&self, row: usize) -> Datum<'_> {
        match self {
            Self::Values(column) => Datum::of(column.value(row)),
            Self::Numbers(numbers) => {
                let number = numbers.get(row).copied().flatten();
                number.map_or(Datum::Missing, |number| Datum::Word(number.bits()))
            }
        }
    }
}

/// Persons of a frame, in the order of their ids.
pub(super) struct Persons<'a> {
    rows: u32,
    ids: Column<'a>,
    columns: Vec<Read<'a>>,
}

impl Source for Persons<'_> {
    fn rows(&self) -> u32 {
        self.rows
    }

    fn id(&self, row: u32) -> Id<'_> {
        id_at(&self.ids, row as usize)
    }

    fn value(&self, column: usize, row: u32) -> Datum<'_> {
        self.columns.get(column).map_or(Datum::Missing, |column| column.get(row as usize))
    }
}

/// An id of a column of whole numbers or of texts.
pub(super) fn id_at<'c>(ids: &'c Column<'_>, row: usize) -> Id<'c> {
    if let Values::U64(numbers) = &ids.values {
        return Id::Number(numbers.get(row).copied().unwrap_or(0));
    }
    match ids.value(row) {
        Value::Int(n) => Id::of_signed(n),
        Value::Str(text) => Id::Text(text),
        _ => Id::Number(0),
    }
}

pub(super) fn id_kind(chunked: &Chunked) -> Result<IdKind, Failure> {
    match chunked.kind() {
        column::Kind::Text => Ok(IdKind::Text),
        column::Kind::Integer if chunked.data_type == DataType::UInt64 => Ok(IdKind::Unsigned),
        column::Kind::Integer => Ok(IdKind::Signed),
        _ => Err(Failure::schema(&chunked.name, "expected whole numbers or text")),
    }
}

/// What a column of the index holds.
pub(super) fn kind_of(chunked: &Chunked) -> Kind {
    match chunked.kind() {
        column::Kind::Text | column::Kind::Null => Kind::Text,
        column::Kind::Boolean => Kind::Bool,
        column::Kind::Integer => Kind::Int,
        column::Kind::Number => Kind::Float,
    }
}

pub(super) fn name_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Int => "whole numbers or dates",
        Kind::Float => "numbers",
        Kind::Bool => "true or false",
        Kind::Number => "identity numbers",
    }
}

pub(super) fn persons<'a>(
    wiring: &Wiring,
    columns: &'a [Chunked],
    ids: &'a Chunked,
    rows: usize,
) -> Result<Persons<'a>, Failure> {
    let too_many = || Failure::schema("id", "expected less than 2^32 - 2 rows");
    let count = u32::try_from(rows).ok().filter(|n| *n < u32::MAX - 1).ok_or_else(too_many)?;
    let views = columns.iter().map(Chunked::whole).collect::<Result<Vec<_>, _>>()?;
    let read = wiring.stored.iter().map(|(source, of_numbers)| {
        let view = views.get(*source);
        let view = view.ok_or_else(|| Failure::internal("there is no such column"))?;
        Ok::<_, Failure>(Read::new(view, *of_numbers))
    });
    Ok(Persons { rows: count, ids: ids.whole()?, columns: read.collect::<Result<_, _>>()? })
}

/// A value of a record.
pub(super) enum Given {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

impl Given {
    pub(super) fn new(column: &str, value: &Option<Bound<'_, PyAny>>) -> PyResult<Self> {
        let Some(value) = value else { return Ok(Self::Nothing) };
        let wrong = || Failure::schema(column, "this value cannot be read here");
        if let Ok(text) = value.cast::<PyString>() {
            return Ok(Self::Text(text.to_str().map_err(|_| wrong())?.to_owned()));
        }
        if let Ok(is) = value.cast::<PyBool>() {
            return Ok(Self::Bool(is.is_true()));
        }
        if let Ok(number) = value.cast::<PyFloat>() {
            return Ok(Self::Float(number.value()));
        }
        Ok(Self::Int(value.extract().map_err(|_| wrong())?))
    }

    /// The value of a column of the index; `None` for one of another kind.
    pub(super) fn datum(&self, kind: Kind) -> Option<Datum<'_>> {
        let value = match (self, kind) {
            (Self::Nothing, _) => Value::Missing,
            (Self::Text(text), Kind::Text) => Value::Str(text.as_bytes()),
            (Self::Bool(is), Kind::Bool) => Value::Bool(*is),
            (Self::Int(n), Kind::Int) => Value::Int(*n),
            (Self::Int(n), Kind::Float) => Value::Float(*n as f64),
            (Self::Float(x), Kind::Float) => Value::Float(*x),
            _ => return None,
        };
        Some(Datum::of(value))
    }

    /// The identity number that is written here.
    pub(super) fn number(&self) -> Datum<'static> {
        let (ends, int, float);
        let values = match self {
            Self::Nothing | Self::Bool(_) => return Datum::Missing,
            Self::Text(text) => {
                ends = [0, text.len() as i64];
                Values::Str(Strings::Offsets64(&ends, text.as_bytes()))
            }
            Self::Int(n) => {
                int = [*n];
                Values::I64(&int)
            }
            Self::Float(x) => {
                float = [*x];
                Values::F64(&float)
            }
        };
        let found = numbers(&Column { values, validity: None });
        found.first().copied().flatten().map_or(Datum::Missing, |n| Datum::Word(n.bits()))
    }
}
