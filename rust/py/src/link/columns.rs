//! Columns as they are compared or blocked on.

use nser_core::cnic::{Kind, each_reading};
use nser_core::column::{Column, Strings, Value, Values};
use nser_core::link;
use nser_core::link::compare::{SetLevel, Sets};
use nser_core::link::encode::{Codes, NULL, Texts};
use nser_core::link::packed::PackedDigits;
use nser_core::name::fold_into;

use crate::arrow::Chunked;
use crate::error::Failure;

/// A column as it is compared or blocked on.
pub(super) struct Encoded<'a> {
    pub(super) column: Column<'a>,
    pub(super) codes: Codes,
    pub(super) texts: Texts,
}

impl<'a> Encoded<'a> {
    pub(super) fn new(chunked: &'a Chunked) -> Result<Self, Failure> {
        let column = chunked.whole()?;
        let (codes, texts) = match chunked.kind() {
            nser_core::column::Kind::Text => Codes::of_texts(&column),
            _ => (Codes::of_column(&column), Texts::default()),
        };
        Ok(Self { column, codes, texts })
    }

    pub(super) fn numbers(&self) -> Vec<Option<PackedDigits>> {
        numbers(&self.column)
    }

    pub(super) fn floats(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.column.len()).map(|i| match self.column.value(i) {
            Value::Int(n) => Some(n as f64),
            Value::Float(x) => Some(x),
            Value::Float32(x) => Some(x.into()),
            _ => None,
        })
    }

    /// Names in match form: two spellings of one form are one value.
    pub(super) fn folded(&self) -> (Codes, Texts) {
        let (mut folded, mut ends) = (vec![], vec![0]);
        for code in 0..self.texts.len() as u32 {
            fold_into(self.texts.get(code), &mut folded);
            ends.push(folded.len() as i64);
        }
        let values = Values::Str(Strings::Offsets64(&ends, &folded));
        let (forms, texts) = Codes::of_texts(&Column { values, validity: None });
        let form = |code: &u32| forms.rows.get(*code as usize).copied().unwrap_or(NULL);
        let rows = self.codes.rows.iter().map(form).collect();
        (Codes { rows, distinct: forms.distinct }, texts)
    }

    /// Sets of a column of texts that are members between separators.
    pub(super) fn sets(&self, levels: Vec<SetLevel>) -> Sets {
        let mut members = std::collections::BTreeMap::new();
        let codes = 0..self.texts.len() as u32;
        let distinct = codes.map(|code| link::compare::members(self.texts.get(code), &mut members));
        let distinct: Vec<Vec<u32>> = distinct.collect();
        let of_row = |code: &u32| distinct.get(*code as usize).cloned().unwrap_or_default();
        Sets::new(self.codes.rows.iter().map(of_row), levels)
    }
}

/// Identity numbers as they are compared.
pub fn numbers(column: &Column<'_>) -> Vec<Option<PackedDigits>> {
    let mut numbers = Vec::with_capacity(column.len());
    each_reading(column, column.len(), |reading| {
        let usable = matches!(reading.kind, Kind::Cnic | Kind::Malformed);
        numbers.push(usable.then(|| PackedDigits::of_digits(reading.digits)).flatten());
    });
    numbers
}
