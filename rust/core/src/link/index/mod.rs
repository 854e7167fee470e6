//! An index of persons: built once, kept in one file that is read where it lies in memory, and asked
//! for the persons that a record may be of. Bytes in, bytes out: who keeps the file is the caller.
//!
//! A query finds candidates by the rules of a plan, and compares and weighs them as the linkage of
//! two frames does. How frequent values are is taken from the persons of the index.

mod build;
mod column;
mod header;
mod lookup;
mod near;
mod people;
mod plan;
mod score;
mod search;
mod segment;
#[cfg(test)]
mod tests;

use crate::column::Value;

pub use crate::store::Fault;
pub use build::{Builder, EncodedRule, Source};
pub use column::{Encoded, Field, Kind};
pub use lookup::Blocks;
pub use people::People;
pub use plan::{Compared, Plan, Wanted};
pub use search::{Found, Searcher};
pub use segment::{Id, IdKind, Rule, RuleOf, Schema, Segment};

/// A value of a person, as an index keeps it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Datum<'a> {
    /// None.
    Missing,
    /// A text that is not empty.
    Text(&'a [u8]),
    /// Anything else, in 64 bits.
    Word(u64),
}

impl<'a> Datum<'a> {
    /// A value of a column. An empty text is no value, nor is NaN.
    #[must_use]
    pub fn of(value: Value<'a>) -> Self {
        let float =
            |x: f64| if x.is_nan() { Self::Missing } else { Self::Word((x + 0.0).to_bits()) };
        match value {
            Value::Bool(is) => Self::Word(is.into()),
            Value::Int(n) => Self::Word(n as u64),
            Value::Float(x) => float(x),
            Value::Float32(x) => float(x.into()),
            Value::Str([]) | Value::Missing => Self::Missing,
            Value::Str(text) => Self::Text(text),
        }
    }

    /// The text; empty for anything else.
    fn text(self) -> &'a [u8] {
        match self {
            Self::Text(text) => text,
            _ => &[],
        }
    }

    /// A number, of a column that holds them.
    fn number(self, kind: Kind) -> Option<f64> {
        match (self, kind) {
            (Self::Word(word), Kind::Int) => Some(word as i64 as f64),
            (Self::Word(word), Kind::Float) => Some(f64::from_bits(word)),
            _ => None,
        }
    }
}
