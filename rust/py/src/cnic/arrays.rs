//! Arrow arrays of codes and of readings.

use std::sync::Arc;

use arrow_array::types::ArrowDictionaryKeyType;
use arrow_array::{ArrayRef, LargeStringArray, PrimitiveArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow_schema::{DataType, Field, Fields};
use nser_core::cnic::{Kind, Reading, Validity, each_reading};
use nser_core::column::Column;

use crate::arrow::{Input, enum_array, enum_field};
use crate::error::Failure;

/// Refuses a column that holds no numbers.
pub fn check_number(input: Option<&Input>) -> Result<(), Failure> {
    match input {
        Some(Input { name, data_type: DataType::Boolean }) => Err(Failure::schema(
            name,
            "expected identity numbers as text or numbers, found booleans",
        )),
        Some(_) => Ok(()),
        None => Err(Failure::internal("an input is missing")),
    }
}

/// Passes on the reading of every row.
pub fn for_each(column: Option<&Column<'_>>, rows: usize, take: impl FnMut(Reading)) {
    match column {
        Some(column) => each_reading(column, rows, take),
        None => (0..rows).map(|_| Reading::missing()).for_each(take),
    }
}

/// The readings of a column.
pub fn readings(column: Option<&Column<'_>>, rows: usize) -> Vec<Reading> {
    let mut found = Vec::with_capacity(rows);
    for_each(column, rows, |reading| found.push(reading));
    found
}

/// The number of a reading.
pub fn number(reading: &Reading) -> Option<u64> {
    (reading.kind == Kind::Cnic).then_some(reading.digits.value)
}

/// Nulls of a column of the core.
pub fn nulls(validity: &Validity, rows: usize) -> Option<NullBuffer> {
    let bits = || BooleanBuffer::new(Buffer::from_slice_ref(&validity.words), 0, rows);
    (validity.nulls > 0).then(|| NullBuffer::new(bits()))
}

/// An Enum column.
pub fn enumeration<T: ArrowDictionaryKeyType>(
    codes: Vec<T::Native>,
    nulls: Option<NullBuffer>,
    names: &Arc<LargeStringArray>,
) -> Result<ArrayRef, Failure> {
    enum_array(PrimitiveArray::<T>::new(codes.into(), nulls), names)
}

/// Field of an Enum with these names.
pub fn enum_of(name: &str, key: DataType, names: &LargeStringArray) -> Field {
    enum_field(name, key, (0..names.value_offsets().len() - 1).map(|i| names.value(i)))
}

/// A struct field that is never null itself.
pub fn struct_of(name: &str, fields: impl Into<Fields>) -> Field {
    Field::new(name, DataType::Struct(fields.into()), true)
}
