//! Operations whose result has one value, or one struct of values, for each row.

use std::sync::{Arc, LazyLock};

use arrow_array::builder::{LargeBinaryBuilder, StringViewBuilder};
use arrow_array::types::{UInt8Type, UInt16Type};
use arrow_array::{ArrayRef, BooleanArray, LargeStringArray, StructArray, UInt8Array, UInt64Array};
use arrow_buffer::{BooleanBuffer, BooleanBufferBuilder, NullBuffer, ScalarBuffer};
use arrow_schema::{DataType, Field, Fields};
use nser_core::cnic::{Columns, Edit, Issue, Kind, PrefixTable, Reading, Sex, distance};
use nser_core::column::Column;
use serde::Deserialize;

use super::arrays::{
    check_number, enum_of, enumeration, for_each, nulls, number, readings, struct_of,
};
use super::registry;
use crate::arrow::{Input, enum_names, null_rows};
use crate::error::Failure;
use crate::operation::Operation;

/// Names of the fixed Enums; those of places belong to the table.
static KINDS: LazyLock<Arc<LargeStringArray>> =
    LazyLock::new(|| enum_names(Kind::NAMES.iter().copied()));
static ISSUES: LazyLock<Arc<LargeStringArray>> =
    LazyLock::new(|| enum_names(Issue::NAMES.iter().copied()));
static SEXES: LazyLock<Arc<LargeStringArray>> =
    LazyLock::new(|| enum_names(Sex::NAMES.iter().copied()));
pub static EDITS: LazyLock<Arc<LargeStringArray>> =
    LazyLock::new(|| enum_names(Edit::NAMES.iter().copied()));

/// What a value is: inputs are the value and, when given, the recorded sex.
pub struct Parse {
    table: &'static PrefixTable,
    provinces: Arc<LargeStringArray>,
    districts: Arc<LargeStringArray>,
    tehsils: Arc<LargeStringArray>,
}

impl Parse {
    pub fn new(table: &'static PrefixTable) -> Self {
        let all = |list: &'static [String]| enum_names(list.iter().map(String::as_str));
        Self {
            table,
            provinces: all(table.provinces()),
            districts: all(table.districts()),
            tehsils: all(table.tehsils()),
        }
    }

    fn fields(&self) -> Fields {
        Fields::from(vec![
            Field::new("number", DataType::UInt64, true),
            enum_of("kind", DataType::UInt8, &KINDS),
            enum_of("issue", DataType::UInt8, &ISSUES),
            enum_of("province", DataType::UInt8, &self.provinces),
            enum_of("district", DataType::UInt8, &self.districts),
            enum_of("tehsil", DataType::UInt16, &self.tehsils),
            enum_of("sex", DataType::UInt8, &SEXES),
        ])
    }
}

impl Operation for Parse {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        inputs.get(1).map_or(Ok(()), |sex| sex.check_text("expected the sex as text"))?;
        Ok(struct_of(name, self.fields()))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let value = columns.first().ok_or_else(|| Failure::internal("an input is missing"))?;
        let found = Columns::parse(value, columns.get(1), rows, self.table);
        let has_number = nulls(&found.has_number, rows);
        let numbers = UInt64Array::new(ScalarBuffer::from(found.number), has_number.clone());
        let province = nulls(&found.has_province, rows);
        let district = nulls(&found.has_district, rows);
        let tehsil = nulls(&found.has_tehsil, rows);
        let arrays: Vec<ArrayRef> = vec![
            Arc::new(numbers),
            enumeration::<UInt8Type>(found.kind, None, &KINDS)?,
            enumeration::<UInt8Type>(found.issue, None, &ISSUES)?,
            enumeration::<UInt8Type>(found.province, province, &self.provinces)?,
            enumeration::<UInt8Type>(found.district, district, &self.districts)?,
            enumeration::<UInt16Type>(found.tehsil, tehsil, &self.tehsils)?,
            enumeration::<UInt8Type>(found.sex, has_number, &SEXES)?,
        ];
        together(self.fields(), arrays, rows)
    }
}

/// A struct of columns.
pub fn together(fields: Fields, arrays: Vec<ArrayRef>, rows: usize) -> Result<ArrayRef, Failure> {
    let made = StructArray::try_new_with_length(fields, arrays, None, rows);
    Ok(Arc::new(made.map_err(|_| Failure::internal("a result does not fit its schema"))?))
}

/// A text of each number: `self.0` gives its ASCII bytes.
pub struct Written<F>(pub F);

impl<F, B> Operation for Written<F>
where
    F: Fn(u64) -> B + Send + Sync,
    B: AsRef<[u8]>,
{
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        Ok(Field::new(name, DataType::Utf8View, true))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let mut out = StringViewBuilder::with_capacity(rows);
        for_each(columns.first(), rows, |reading| {
            let bytes = number(&reading).map(&self.0);
            out.append_option(bytes.as_ref().and_then(|b| std::str::from_utf8(b.as_ref()).ok()));
        });
        Ok(Arc::new(out.finish()))
    }
}

/// Whether a value is a number; null for a null.
pub struct IsValid;

impl Operation for IsValid {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        Ok(Field::new(name, DataType::Boolean, true))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let mut valid = BooleanBufferBuilder::new(rows);
        for_each(columns.first(), rows, |reading| valid.append(reading.kind == Kind::Cnic));
        let nulls = columns.first().and_then(|column| null_rows(column, rows));
        Ok(Arc::new(BooleanArray::new(valid.finish(), nulls)))
    }
}

/// A keyed hash of each number.
#[derive(Deserialize)]
pub struct Token {
    /// Id of the key.
    key: String,
    form: Form,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    /// 64 hexadecimal digits.
    Hex,
    /// The first 16 bytes.
    Binary,
}

impl Operation for Token {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        let kind = match self.form {
            Form::Hex => DataType::Utf8View,
            Form::Binary => DataType::LargeBinary,
        };
        Ok(Field::new(name, kind, true))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let key = registry::key(&self.key)?;
        match self.form {
            Form::Hex => Written(|number| hex(key.token(number))).evaluate(columns, rows),
            Form::Binary => {
                let mut out = LargeBinaryBuilder::with_capacity(rows, 16 * rows);
                for_each(columns.first(), rows, |reading| {
                    let token = number(&reading).map(|number| key.token(number));
                    out.append_option(token.as_ref().and_then(|t| t.first_chunk::<16>()));
                });
                Ok(Arc::new(out.finish()))
            }
        }
    }
}

fn hex(bytes: [u8; 32]) -> [u8; 64] {
    let digit = |d: u8| d + if d < 10 { b'0' } else { b'a' - 10 };
    let mut out = [0; 64];
    for (to, byte) in out.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *to = [digit(byte >> 4), digit(byte & 15)];
    }
    out
}

/// The class and number of slips between two numbers.
pub struct Distance;

fn distance_fields() -> Fields {
    let edit = enum_of("edit", DataType::UInt8, &EDITS);
    Fields::from(vec![edit, Field::new("count", DataType::UInt8, true)])
}

impl Operation for Distance {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        check_number(inputs.get(1))?;
        Ok(struct_of(name, distance_fields()))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let (mut edits, mut counts) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let comparable = |reading: &Reading| reading.digits.len > 0;
        let pairs = readings(columns.first(), rows).into_iter().zip(readings(columns.get(1), rows));
        let valid: BooleanBuffer = pairs
            .map(|(a, b)| {
                let both = comparable(&a) && comparable(&b);
                let (edit, count) =
                    if both { distance(a.digits, b.digits) } else { (Edit::Equal, 0) };
                edits.push(edit as u8);
                counts.push(count);
                both
            })
            .collect();
        let nulls = Some(NullBuffer::new(valid));
        let counts = UInt8Array::new(counts.into(), nulls.clone());
        let edits = enumeration::<UInt8Type>(edits, nulls, &EDITS)?;
        together(distance_fields(), vec![edits, Arc::new(counts)], rows)
    }
}
