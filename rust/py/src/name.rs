//! Names: extract -> core -> export.

use std::sync::Arc;

use arrow_array::{ArrayRef, LargeListArray, LargeStringArray, StructArray, UInt8Array};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, OffsetBuffer};
use arrow_schema::{DataType, Field, Fields};
use nser_core::column::{Column, Value};
use nser_core::name::{Key, KeyTokens, LABELS, Match, Tokens, fold_into, romanize_into};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::arrow::{Input, enum_array, enum_field, enum_names, text_field};
use crate::error::Failure;
use crate::operation::Operation;

#[derive(Deserialize)]
struct KeySpec {
    tokens: Which,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Which {
    All,
    First,
}

/// The operation of a name.
pub fn operation(name: &str, spec: &str) -> Result<Arc<dyn Operation>, Failure> {
    Ok(match name {
        "fold" => Arc::new(Fold),
        "romanize" => Arc::new(Romanize),
        "tokens" => Arc::new(TokenList),
        "key" => {
            let spec: KeySpec = serde_json::from_str(spec)
                .map_err(|_| Failure::internal("the specification of a key is not valid"))?;
            Arc::new(NameKey(match spec.tokens {
                Which::All => KeyTokens::All,
                Which::First => KeyTokens::First,
            }))
        }
        _ => {
            let similarity = crate::name_similarity::operation(name, spec)?;
            return similarity
                .ok_or_else(|| Failure::internal(format!("there is no operation '{name}'")));
        }
    })
}

/// Categories of every Enum that an operation returns, by field.
#[pyfunction]
pub fn name_categories() -> Vec<(&'static str, Vec<&'static str>)> {
    vec![("role", LABELS.to_vec()), ("match", Match::NAMES.map(|(_, name)| name).to_vec())]
}

/// Text: the match form.
struct Fold;

/// Text: the Roman form.
struct Romanize;

/// Text: the blocking key, null for a name without tokens.
struct NameKey(KeyTokens);

/// List of struct of token and role.
struct TokenList;

impl Operation for Fold {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        text_field(name, inputs, DataType::LargeUtf8)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        texts(columns, rows, |raw, out| {
            fold_into(raw, out);
            true
        })
    }
}

impl Operation for Romanize {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        text_field(name, inputs, DataType::LargeUtf8)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let (mut tokens, mut roman) = (Tokens::default(), String::new());
        texts(columns, rows, |raw, out| {
            tokens.read(raw);
            roman.clear();
            romanize_into(&tokens, &mut roman);
            out.extend_from_slice(roman.as_bytes());
            true
        })
    }
}

impl Operation for NameKey {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        text_field(name, inputs, DataType::LargeUtf8)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let (mut tokens, mut key) = (Tokens::default(), Key::default());
        texts(columns, rows, |raw, out| {
            tokens.read(raw);
            key.key_into(&tokens, self.0, out);
            !tokens.tokens().is_empty()
        })
    }
}

impl Operation for TokenList {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        let item = Field::new("item", DataType::Struct(token_fields()), true);
        text_field(name, inputs, DataType::LargeList(Arc::new(item)))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let mut tokens = Tokens::default();
        let (mut text, mut ends, mut roles) = (Strings::new(rows), vec![0_i64], vec![]);
        let mut valid = BooleanBufferBuilder::new(rows);
        for value in values(columns, rows)? {
            if let Some(raw) = value {
                tokens.read(raw);
                for token in tokens.tokens() {
                    text.bytes.extend_from_slice(tokens.token(token));
                    text.end();
                    roles.push(token.label());
                }
            }
            valid.append(value.is_some());
            ends.push(roles.len() as i64);
        }
        if roles.is_empty() {
            // An item of no list: Polars 1.30 panics on a chunk of lists whose Enum has no item.
            text.end();
            roles.push(0);
        }
        let roles = enum_array(UInt8Array::from(roles), &enum_names(LABELS))?;
        let columns: Vec<ArrayRef> = vec![Arc::new(text.finish(None)?), roles];
        let items = StructArray::try_new(token_fields(), columns, None).map_err(|_| misfit())?;
        let item = Arc::new(Field::new("item", DataType::Struct(token_fields()), true));
        let nulls = NullBuffer::new(valid.finish());
        let ends = OffsetBuffer::new(ends.into());
        let list = LargeListArray::try_new(item, ends, Arc::new(items), Some(nulls));
        Ok(Arc::new(list.map_err(|_| misfit())?))
    }
}

fn token_fields() -> Fields {
    let token = Field::new("token", DataType::LargeUtf8, true);
    vec![token, enum_field("role", DataType::UInt8, LABELS)].into()
}

fn misfit() -> Failure {
    Failure::internal("a column of names does not fit its own schema")
}

/// The values of the one column, in order; a literal's over and over.
fn values<'a>(
    columns: &'a [Column<'a>],
    rows: usize,
) -> Result<impl Iterator<Item = Option<&'a [u8]>>, Failure> {
    let [column] = columns else { return Err(Failure::internal("a name is one column")) };
    Ok((0..rows).map(move |i| match column.value_for(i) {
        Value::Str(text) => Some(text),
        _ => None,
    }))
}

/// A text for each value; null where there is none, or where `write` says so.
fn texts(
    columns: &[Column<'_>],
    rows: usize,
    mut write: impl FnMut(&[u8], &mut Vec<u8>) -> bool,
) -> Result<ArrayRef, Failure> {
    let mut out = Strings::new(rows);
    let mut valid = BooleanBufferBuilder::new(rows);
    for value in values(columns, rows)? {
        valid.append(value.is_some_and(|raw| write(raw, &mut out.bytes)));
        out.end();
    }
    Ok(Arc::new(out.finish(Some(NullBuffer::new(valid.finish())))?))
}

/// Text under construction.
struct Strings {
    bytes: Vec<u8>,
    ends: Vec<i64>,
}

impl Strings {
    fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { bytes: Vec::with_capacity(16 * rows), ends }
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len() as i64);
    }

    fn finish(self, nulls: Option<NullBuffer>) -> Result<LargeStringArray, Failure> {
        let ends = OffsetBuffer::new(self.ends.into());
        let bytes = Buffer::from_vec(self.bytes);
        LargeStringArray::try_new(ends, bytes, nulls).map_err(|_| misfit())
    }
}
