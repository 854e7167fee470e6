//! Pairs with weights and levels as columns.

use std::sync::Arc;

use arrow_array::types::UInt8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, LargeStringArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};
use nser_core::link::Scored;

use super::weights::WeightsSpec;
use crate::arrow::{ArrowStream, enum_field, export};
use crate::error::Failure;

/// Pairs as columns.
pub(super) fn table(scored: Scored, spec: &WeightsSpec) -> Result<ArrowStream, Failure> {
    let row = |name| Field::new(name, DataType::UInt32, false);
    let mut fields = vec![row("left"), row("right")];
    fields.push(Field::new("match_weight", DataType::Float64, false));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from(scored.left)),
        Arc::new(UInt32Array::from(scored.right)),
        Arc::new(Float64Array::from(scored.weights)),
    ];
    add_levels(&mut fields, &mut columns, scored.levels, spec)?;
    export(fields, columns)
}

/// Pairs and the rules that hold for each as columns.
pub(super) fn sampled(pairs: Vec<(u32, u32, u64)>) -> Result<ArrowStream, Failure> {
    let rows =
        |row: fn(&(u32, u32, u64)) -> u32| UInt32Array::from_iter_values(pairs.iter().map(row));
    let fields = vec![
        Field::new("left", DataType::UInt32, false),
        Field::new("right", DataType::UInt32, false),
        Field::new("rules", DataType::UInt64, false),
    ];
    let rules = UInt64Array::from_iter_values(pairs.iter().map(|(.., rules)| *rules));
    export(fields, vec![Arc::new(rows(|p| p.0)), Arc::new(rows(|p| p.1)), Arc::new(rules)])
}

/// Adds a column of labels for each comparison.
pub fn add_levels(
    fields: &mut Vec<Field>,
    columns: &mut Vec<ArrayRef>,
    levels: Vec<Vec<u8>>,
    spec: &WeightsSpec,
) -> Result<(), Failure> {
    for (levels, spec) in levels.into_iter().zip(&spec.comparisons) {
        let name = format!("level_{}", spec.name);
        fields.push(enum_field(&name, DataType::UInt8, spec.labels.iter().map(String::as_str)));
        let missing = levels.contains(&0);
        let valid = missing.then(|| {
            let of = |i: usize| levels.get(i).is_some_and(|level| *level > 0);
            NullBuffer::new(BooleanBuffer::collect_bool(levels.len(), of))
        });
        let codes = levels.iter().map(|level| level.saturating_sub(1)).collect::<Vec<u8>>();
        let labels = Arc::new(LargeStringArray::from_iter_values(&spec.labels));
        let codes = UInt8Array::new(codes.into(), valid);
        let levels = DictionaryArray::<UInt8Type>::try_new(codes, labels);
        columns.push(Arc::new(levels.map_err(|_| Failure::internal("a level has no label"))?));
    }
    Ok(())
}
