//! String similarity: extract -> core -> export.

use std::sync::Arc;

use arrow_array::{ArrayRef, Float64Array, UInt32Array};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field};
use nser_core::column::Column;
use nser_core::isa::Isa;
use nser_core::text::{Distance, Edit, Grams, Metric, Overlap, Side, Similarity};
use serde::Deserialize;

use crate::arrow::{Input, null_rows, text_field};
use crate::error::Failure;
use crate::memory::zeroed;
use crate::operation::Operation;
use crate::pmt::isa;

/// What may be said about a comparison.
#[derive(Deserialize)]
struct Spec {
    /// A similarity from 0 to 1, or a distance.
    cutoff: Option<serde_json::Number>,
    /// Length of q-grams, and how they are taken.
    q: Option<u8>,
    #[serde(default)]
    padded: bool,
    #[serde(default)]
    counted: bool,
    /// Instruction set; by default the best.
    isa: Option<String>,
}

/// The operation of a name.
pub fn operation(name: &str, spec: &str) -> Result<Arc<dyn Operation>, Failure> {
    let wrong = || Failure::internal("the specification of a similarity is not valid");
    let spec: Spec = serde_json::from_str(spec).map_err(|_| wrong())?;
    let isa = isa(spec.isa.as_deref())?;
    if let Some(edit) = name.strip_suffix("_distance").and_then(edit) {
        let mut distance = Distance::new(edit);
        if let Some(cutoff) = &spec.cutoff {
            let cutoff = cutoff.as_u64().and_then(|n| u32::try_from(n).ok());
            distance = distance.with_cutoff(cutoff.ok_or_else(wrong)?);
        }
        return Ok(Arc::new(Distances(distance, isa)));
    }
    let grams = || Grams::new(spec.q.unwrap_or(2), spec.padded, spec.counted).ok_or_else(wrong);
    let metric = match name {
        "jaro" => Metric::Jaro,
        "jaro_winkler" => Metric::JaroWinkler,
        "token_sort" => Metric::TokenSort,
        "token_set" => Metric::TokenSet,
        "jaccard" => Metric::Grams(Overlap::Jaccard, grams()?),
        "dice" => Metric::Grams(Overlap::Dice, grams()?),
        _ => Metric::Edit(
            edit(name)
                .ok_or_else(|| Failure::internal(format!("there is no operation '{name}'")))?,
        ),
    };
    let cutoff = spec.cutoff.as_ref().map_or(Some(0.0), serde_json::Number::as_f64);
    Ok(Arc::new(Similarities(Similarity::new(metric).with_cutoff(cutoff.ok_or_else(wrong)?), isa)))
}

fn edit(name: &str) -> Option<Edit> {
    match name {
        "levenshtein" => Some(Edit::Levenshtein),
        "osa" => Some(Edit::Osa),
        "damerau_levenshtein" => Some(Edit::DamerauLevenshtein),
        _ => None,
    }
}

/// Float64 from 0 to 1.
struct Similarities(Similarity, Isa);

/// UInt32.
struct Distances(Distance, Isa);

impl Operation for Similarities {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        text_field(name, inputs, DataType::Float64)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let [a, b] = sides(columns, rows)?;
        let mut out = zeroed(rows);
        self.0.fill(self.1, &a, &b, &mut out);
        Ok(Arc::new(Float64Array::new(out.into(), nulls(columns, rows))))
    }
}

impl Operation for Distances {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        text_field(name, inputs, DataType::UInt32)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let [a, b] = sides(columns, rows)?;
        let mut out = zeroed(rows);
        self.0.fill(self.1, &a, &b, &mut out);
        Ok(Arc::new(UInt32Array::new(out.into(), nulls(columns, rows))))
    }
}

fn sides<'a>(columns: &'a [Column<'a>], rows: usize) -> Result<[Side<'a>; 2], Failure> {
    let wrong = || Failure::internal("a similarity has two columns of text");
    let [a, b] = columns else { return Err(wrong()) };
    Ok([Side::new(a, rows).ok_or_else(wrong)?, Side::new(b, rows).ok_or_else(wrong)?])
}

/// Null where either side is.
fn nulls(columns: &[Column<'_>], rows: usize) -> Option<NullBuffer> {
    let sides = columns.iter().map(|column| null_rows(column, rows));
    sides.fold(None, |nulls, side| NullBuffer::union(nulls.as_ref(), side.as_ref()))
}
