//! Core error -> Python exception. The only place where the two meet.

use nser_core::Error;
use nser_core::store::Fault;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An error on its way to Python: the class in `nser_pmt.errors`, its slug, and where it was.
#[derive(Debug)]
pub struct Failure {
    class: &'static str,
    /// Stable slug.
    pub code: &'static str,
    /// Text without any data value.
    pub message: String,
    column: Option<String>,
    row: Option<usize>,
}

impl Failure {
    /// A failure of a class of `nser_pmt.errors`.
    pub fn new(class: &'static str, code: &'static str, message: String) -> Self {
        Self { class, code, message, column: None, row: None }
    }

    /// A frame that cannot be used.
    pub fn schema(column: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        let error = Error::Schema { column: column.to_owned(), message };
        Self::from(error)
    }

    /// A value, or a thing that an expression names, that cannot be used.
    pub fn domain(code: &'static str, message: impl Into<String>) -> Self {
        Self::new("DomainError", code, message.into())
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new("InternalError", "internal_error", message.into())
    }

    /// The caller asked to stop, or time ran out.
    pub fn cancelled(code: &'static str) -> Self {
        let message = if code == "timeout" {
            "the time limit was reached; nothing was returned"
        } else {
            "cancelled by the caller; nothing was returned"
        };
        Self::new("CancelledError", code, message.to_owned())
    }

    /// Message with its slug in front, in one line, for a channel that carries text only.
    pub fn tagged(&self) -> String {
        let message = self.message.replace(['\0', '\n', '\r'], " ");
        format!("nser_pmt[{}] {message}", self.code)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        match error {
            Error::Model(_) => Self::new("ModelError", "invalid_model", message),
            Error::Schema { column, .. } => {
                Self { column: Some(column), ..Self::new("SchemaError", "wrong_column", message) }
            }
            Error::Row(row) => Self {
                column: Some(row.column),
                row: Some(row.row),
                ..Self::new("DomainError", row.code, message)
            },
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        let model = |code, message: &str| Self::new("ModelError", code, message.to_owned());
        match fault {
            Fault::Foreign => model("foreign_file", "not an index of this kind"),
            Fault::Format(found) => {
                let message = format!("an index of format {found}; this version reads another one");
                model("index_version", &format!("{message}: make it anew"))
            }
            Fault::Truncated => model("truncated_index", "the index is shorter than it should be"),
            Fault::Corrupt(place) => model("corrupt_index", &format!("damaged index: {place}")),
            Fault::TooLarge => {
                Self::domain("too_large", "a column has 4 GB of distinct text or more")
            }
            Fault::Repeated => Self::new(
                "SchemaError",
                "duplicate_id",
                "an id is in the index already; remove it first".to_owned(),
            ),
        }
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        Python::attach(|py| {
            let build = || -> PyResult<PyErr> {
                let class = py.import("nser_pmt.errors")?.getattr(failure.class)?;
                let kwargs = PyDict::new(py);
                kwargs.set_item("code", failure.code)?;
                kwargs.set_item("column", failure.column)?;
                kwargs.set_item("row", failure.row)?;
                Ok(PyErr::from_value(class.call((failure.message.clone(),), Some(&kwargs))?))
            };
            build().unwrap_or_else(|_| PyRuntimeError::new_err(failure.message.clone()))
        })
    }
}
