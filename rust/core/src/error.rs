//! What can go wrong in a kernel. No message ever holds a data value.

use std::fmt;

/// A model or a frame that cannot be used at all.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The model program is not valid; the text names the place.
    Model(String),
    /// A column is missing, has an unusable type, or a wrong length.
    Schema {
        /// Column at fault.
        column: String,
        /// What was found and what was expected.
        message: String,
    },
    /// A value outside what the model accepts, where the model says "error".
    Row(RowError),
}

/// The first row that a model with an `error` policy refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Row, counted from 0.
    pub row: usize,
    /// Input column.
    pub column: String,
    /// Stable slug: `missing_value` or `out_of_domain`.
    pub code: &'static str,
    /// What the model accepts there.
    pub expected: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(message) => f.write_str(message),
            Self::Schema { column, message } => write!(f, "column '{column}': {message}"),
            Self::Row(error) => error.fmt(f),
        }
    }
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.code == "missing_value" {
            "the value is missing"
        } else {
            "the value is outside what the model accepts"
        };
        write!(f, "column '{}', row {}: {what}; expected {}", self.column, self.row, self.expected)
    }
}

impl std::error::Error for Error {}
impl std::error::Error for RowError {}

impl From<RowError> for Error {
    fn from(error: RowError) -> Self {
        Self::Row(error)
    }
}
