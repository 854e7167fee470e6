//! Identity numbers: extract -> core -> export.

mod arrays;
mod operations;
mod registry;
mod repair;

use std::sync::{Arc, LazyLock};

use nser_core::cnic::{
    Edit, Issue, Kind, Outcome, PrefixTable, Sex, Shown, TableError, format, mask, normalize,
};
use pyo3::prelude::*;
use serde::Deserialize;

pub use registry::{CnicIndex, cnic_key};

use self::operations::{Distance, IsValid, Parse, Token, Written};
use self::repair::Repair;
use crate::error::Failure;
use crate::operation::Operation;

const PREFIXES: &str = include_str!("../../../../python/nser_pmt/data/cnic/prefixes.csv");

static TABLE: LazyLock<Result<PrefixTable, TableError>> =
    LazyLock::new(|| PrefixTable::parse(PREFIXES));

/// The built-in table.
fn table() -> Result<&'static PrefixTable, Failure> {
    TABLE.as_ref().map_err(|error| Failure::internal(error.to_string()))
}

/// The operation of a name.
pub fn operation(name: &str, spec: &str) -> Result<Arc<dyn Operation>, Failure> {
    Ok(match name {
        "parse" => Arc::new(Parse::new(table()?)),
        "normalize" => Arc::new(Written(normalize)),
        "format" => Arc::new(Written(format)),
        "is_valid" => Arc::new(IsValid),
        "mask" => {
            let Show { show } = read_spec(spec)?;
            let shown = Shown::from_name(&show);
            let shown = shown.ok_or_else(|| Failure::internal("there is no such mask"))?;
            Arc::new(Written(move |number| mask(number, shown)))
        }
        "token" => Arc::new(read_spec::<Token>(spec)?),
        "distance" => Arc::new(Distance),
        "repair" => Arc::new(Repair::new(table()?, read_spec(spec)?)),
        _ => return Err(Failure::internal(format!("there is no operation '{name}'"))),
    })
}

#[derive(Deserialize)]
struct Show {
    show: String,
}

fn read_spec<'a, T: Deserialize<'a>>(spec: &'a str) -> Result<T, Failure> {
    // The reason may quote the text.
    serde_json::from_str(spec).map_err(|_| Failure::internal("the specification is not valid"))
}

/// Categories of every Enum that an operation returns, by field.
#[pyfunction]
pub fn cnic_categories() -> PyResult<Vec<(&'static str, Vec<&'static str>)>> {
    let table = table()?;
    let texts = |names: &'static [String]| names.iter().map(String::as_str).collect();
    Ok(vec![
        ("kind", Kind::NAMES.to_vec()),
        ("issue", Issue::NAMES.to_vec()),
        ("province", texts(table.provinces())),
        ("district", texts(table.districts())),
        ("tehsil", texts(table.tehsils())),
        ("sex", Sex::NAMES.to_vec()),
        ("edit", Edit::NAMES.to_vec()),
        ("outcome", Outcome::NAMES.to_vec()),
    ])
}
