//! Likeness of two names: extract -> core -> export.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use arrow_array::{ArrayRef, Float64Array, StructArray, UInt8Array};
use arrow_schema::{DataType, Field, Fields};
use nser_core::column::{Column, Value};
use nser_core::name::{Comparer, Comparison, CostTable, Frequencies, GuardPairs, Match};
use serde::Deserialize;

use crate::arrow::{Input, enum_array, enum_field, enum_names, text_field};
use crate::error::Failure;
use crate::operation::Operation;

const COSTS: &str = include_str!("../../../python/nser_pmt/data/names/edit_costs.tsv");
const FREQUENCIES: &str = include_str!("../../../python/nser_pmt/data/names/token_frequencies.csv");
const GUARD: &str = include_str!("../../../python/nser_pmt/data/names/guard_pairs.csv");

/// The tables that come with the package.
struct Tables {
    costs: CostTable,
    frequencies: Arc<Frequencies>,
    guard: GuardPairs,
}

fn tables() -> Result<&'static Tables, Failure> {
    static TABLES: OnceLock<Option<Tables>> = OnceLock::new();
    let read = || {
        Some(Tables {
            costs: CostTable::parse(COSTS).ok()?,
            frequencies: Arc::new(Frequencies::parse(FREQUENCIES).ok()?),
            guard: GuardPairs::parse(GUARD).ok()?,
        })
    };
    let tables = TABLES.get_or_init(read).as_ref();
    tables.ok_or_else(|| Failure::internal("a table of names cannot be read"))
}

/// A comparer of about `pairs` pairs of names, by the tables of the package.
pub fn comparer(pairs: usize) -> Result<Comparer<'static>, Failure> {
    let tables = tables()?;
    Ok(Comparer::new(&tables.costs, &tables.frequencies, &tables.guard, pairs))
}

/// The tables of the package.
pub fn tables_for_link()
-> Result<(&'static CostTable, Arc<Frequencies>, &'static GuardPairs), Failure> {
    let tables = tables()?;
    Ok((&tables.costs, Arc::clone(&tables.frequencies), &tables.guard))
}

#[derive(Deserialize)]
struct Spec {
    frequencies: Option<Counts>,
}

/// Names in all, and those that contain each token.
#[derive(Deserialize)]
pub struct Counts {
    names: f64,
    counts: BTreeMap<String, f64>,
}

impl Counts {
    /// How rare the tokens are.
    pub fn frequencies(&self) -> Frequencies {
        let counts = self.counts.iter().map(|(token, n)| (token.as_bytes(), *n));
        Frequencies::new(self.names, counts)
    }
}

/// What is wanted of a comparison.
#[derive(Clone, Copy, PartialEq)]
enum Wanted {
    Similarity,
    Both,
}

/// Two texts: how alike they are as names, null where one is null or has no token.
struct Likeness {
    frequencies: Option<Frequencies>,
    wanted: Wanted,
    /// Comparers by the tables of the package that no thread uses: the next part of a column goes on
    /// with the words they have met.
    idle: Mutex<Vec<Comparer<'static>>>,
}

/// Pairs that an idle comparer may be used for.
const PAIRS: usize = 1 << 18;

/// The operations `similarity` and `compare`; `None` for another name.
pub fn operation(name: &str, spec: &str) -> Result<Option<Arc<dyn Operation>>, Failure> {
    let wanted = match name {
        "similarity" => Wanted::Similarity,
        "compare" => Wanted::Both,
        _ => return Ok(None),
    };
    let spec: Spec = serde_json::from_str(spec)
        .map_err(|_| Failure::internal("the specification of a comparison is not valid"))?;
    let frequencies = spec.frequencies.as_ref().map(Counts::frequencies);
    Ok(Some(Arc::new(Likeness { frequencies, wanted, idle: Mutex::default() })))
}

impl Operation for Likeness {
    fn field(&self, name: &str, inputs: &[Input]) -> Result<Field, Failure> {
        let result = match self.wanted {
            Wanted::Similarity => DataType::Float64,
            Wanted::Both => DataType::Struct(fields()),
        };
        text_field(name, inputs, result)
    }

    fn evaluate(&self, columns: &[Column<'_>], rows: usize) -> Result<ArrayRef, Failure> {
        let [a, b] = columns else {
            return Err(Failure::internal("a comparison is of two columns"));
        };
        let Some(frequencies) = &self.frequencies else {
            let idle = self.idle.lock().ok().and_then(|mut idle| idle.pop());
            let mut used = idle.map_or_else(|| comparer(PAIRS), Ok)?;
            let found = self.compare(a, b, rows, &mut used);
            if let Ok(mut idle) = self.idle.lock() {
                idle.push(used);
            }
            return found;
        };
        let tables = tables()?;
        let mut new = Comparer::new(&tables.costs, frequencies, &tables.guard, rows);
        self.compare(a, b, rows, &mut new)
    }
}

impl Likeness {
    fn compare(
        &self,
        a: &Column<'_>,
        b: &Column<'_>,
        rows: usize,
        comparer: &mut Comparer<'_>,
    ) -> Result<ArrayRef, Failure> {
        let found = (0..rows).map(|i| match (a.value_for(i), b.value_for(i)) {
            (Value::Str(a), Value::Str(b)) => comparer.compare(a, b),
            _ => None,
        });
        if self.wanted == Wanted::Similarity {
            let likeness = found.map(|c| c.map(|c| c.similarity));
            return Ok(Arc::new(likeness.collect::<Float64Array>()));
        }
        let found: Vec<Option<Comparison>> = found.collect();
        let likeness: Float64Array = found.iter().map(|c| c.map(|c| c.similarity)).collect();
        let codes: UInt8Array = found.iter().map(|c| c.map(|c| c.kind as u8)).collect();
        let kinds = enum_array(codes, &enum_names(Match::NAMES.map(|(_, name)| name)))?;
        let columns: Vec<ArrayRef> = vec![Arc::new(likeness), kinds];
        Ok(Arc::new(StructArray::try_new(fields(), columns, None).map_err(|_| misfit())?))
    }
}

fn fields() -> Fields {
    let names = Match::NAMES.map(|(_, name)| name);
    let similarity = Field::new("similarity", DataType::Float64, true);
    vec![similarity, enum_field("match", DataType::UInt8, names)].into()
}

fn misfit() -> Failure {
    Failure::internal("a comparison does not fit its own schema")
}
