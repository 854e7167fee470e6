//! The operation that proposes numbers.

use std::cell::RefCell;
use std::sync::{Arc, LazyLock};

use arrow_array::types::UInt8Type;
use arrow_array::{ArrayRef, Float64Array, LargeListArray, LargeStringArray, UInt64Array};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields};
use nser_core::cnic::{self, Candidate, Edit, Outcome, PrefixTable, Repairer, Sex};
use nser_core::column::{Column, Value};
use serde::Deserialize;

use super::arrays::{check_number, enum_of, enumeration, readings, struct_of};
use super::operations::{EDITS, together};
use super::registry;
use crate::arrow::{Input, enum_names};
use crate::error::Failure;
use crate::name_similarity;
use crate::operation::Operation;

static OUTCOMES: LazyLock<Arc<LargeStringArray>> =
    LazyLock::new(|| enum_names(Outcome::NAMES.iter().copied()));

/// What the caller asks for.
#[derive(Deserialize)]
pub struct Spec {
    threshold: f64,
    limit: usize,
    error_rate: f64,
    coverage: f64,
    /// Id of a registry.
    index: Option<String>,
    /// What the inputs behind the first hold.
    inputs: Vec<Known>,
}

/// What is known of the person.
#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Known {
    Sex,
    Name,
    Father,
    Birth,
}

impl From<cnic::Field> for Known {
    fn from(field: cnic::Field) -> Self {
        match field {
            cnic::Field::Name => Self::Name,
            cnic::Field::Father => Self::Father,
            cnic::Field::Birth => Self::Birth,
        }
    }
}

/// Candidates for each value.
pub struct Repair {
    table: &'static PrefixTable,
    spec: Spec,
}

impl Repair {
    pub fn new(table: &'static PrefixTable, spec: Spec) -> Self {
        Self { table, spec }
    }
}

fn candidate_fields() -> Fields {
    Fields::from(vec![
        Field::new("number", DataType::UInt64, true),
        Field::new("posterior", DataType::Float64, true),
        enum_of("edit", DataType::UInt8, &EDITS),
    ])
}

fn item() -> Arc<Field> {
    Arc::new(struct_of("item", candidate_fields()))
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("candidates", DataType::LargeList(item()), true),
        enum_of("outcome", DataType::UInt8, &OUTCOMES),
    ])
}

impl Operation for Repair {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        check_number(inputs.first())?;
        inputs
            .iter()
            .skip(1)
            .try_for_each(|input| input.check_text("expected what is known of a person as text"))?;
        Ok(struct_of(name, fields()))
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let people = self.spec.index.as_deref().map(registry::people).transpose()?;
        let texts = people.as_ref().map(|people| people.texts()).transpose()?.unwrap_or_default();
        let repairer = Repairer {
            table: self.table,
            index: people.as_ref().map(|people| &people.index),
            error_rate: self.spec.error_rate,
            coverage: self.spec.coverage,
            threshold: self.spec.threshold,
            limit: self.spec.limit,
        };
        let known = |what: Known, row: usize| -> Option<Value<'_>> {
            let at = self.spec.inputs.iter().position(|input| *input == what)?;
            Some(columns.get(at + 1)?.value_for(row))
        };
        // Few rows come so far that names are compared.
        let comparer = RefCell::new(name_similarity::comparer(1)?);
        let alike = |a: &[u8], b: &[u8]| comparer.borrow_mut().compare(a, b).map(|c| c.similarity);
        let mut found: Vec<Candidate> = vec![];
        let (mut lengths, mut outcomes) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, reading) in readings(columns.first(), rows).iter().enumerate() {
            let sex = match known(Known::Sex, row) {
                Some(Value::Str(word)) => Sex::from_text(word),
                _ => None,
            };
            let evidence = |number: u64| {
                let people = people.as_ref()?;
                people.ratio(&texts, number, |field| known(field.into(), row), alike)
            };
            let repair = repairer.repair(reading, sex, evidence);
            lengths.push(repair.candidates.len());
            outcomes.push(repair.outcome as u8);
            found.extend(repair.candidates);
        }
        if found.is_empty() {
            // An item of no list: Polars 1.30 panics on a chunk of lists whose Enum has no item.
            found.push(Candidate { number: 0, posterior: 0.0, edit: Edit::Equal });
        }
        let numbers = UInt64Array::from_iter_values(found.iter().map(|c| c.number));
        let posteriors = Float64Array::from_iter_values(found.iter().map(|c| c.posterior));
        let edits = found.iter().map(|c| c.edit as u8).collect();
        let edits = enumeration::<UInt8Type>(edits, None, &EDITS)?;
        let parts: Vec<ArrayRef> = vec![Arc::new(numbers), Arc::new(posteriors), edits];
        let items = together(candidate_fields(), parts, found.len())?;
        let lists =
            LargeListArray::try_new(item(), OffsetBuffer::from_lengths(lengths), items, None)
                .map_err(|_| Failure::internal("the candidates do not fit their lists"))?;
        let outcomes = enumeration::<UInt8Type>(outcomes, None, &OUTCOMES)?;
        together(fields(), vec![Arc::new(lists), outcomes], rows)
    }
}
