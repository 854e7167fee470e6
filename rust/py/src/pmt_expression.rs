//! The expressions that score: what [`crate::polars_plugin`] calls for a model.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, StructArray};
use arrow_schema::{DataType, Field, Fields};
use nser_core::isa::Isa;
use nser_core::pmt::Plan;
use serde::Deserialize;

use crate::arrow::{Chunked, Input, kind};
use crate::error::Failure;
use crate::pmt::{Options, Scored, code_field, score_columns, score_field, status_field};
use crate::polars_plugin::{Expression, rows_of};
use crate::recent::Recent;
use crate::runtime::{RunState, find_run, threads_for};

/// What a scoring expression passes besides columns.
#[derive(Deserialize)]
pub struct Arguments {
    /// The model's program.
    program: String,
    /// Name of the result, or of the scores where there are two.
    name: String,
    /// Name of the status codes.
    status: String,
    /// Number of the run to report to, if any.
    run: Option<u64>,
    /// Whether the last input numbers the rows.
    numbered: bool,
}

/// A scoring expression, by what it returns.
#[derive(Clone, Copy)]
pub enum Pmt {
    Score,
    /// The status as an Enum.
    Status,
    /// Score and status code: Polars looks at each value of an Enum that it takes over, and makes
    /// one of codes by itself twenty times as fast.
    Both,
}

static PLANS: Recent<Plan> = Recent::new();

fn plan(arguments: &Arguments) -> Result<Arc<Plan>, Failure> {
    let program = arguments.program.as_bytes();
    PLANS.get(program, || Ok(Arc::new(Plan::from_json(program)?)))
}

impl Pmt {
    fn output(self, names: &Arguments) -> Field {
        match self {
            Self::Score => score_field(&names.name),
            Self::Status => status_field(&names.status),
            Self::Both => Field::new(&names.name, DataType::Struct(Self::fields(names)), false),
        }
    }

    fn fields(names: &Arguments) -> Fields {
        Fields::from(vec![score_field(&names.name), code_field(&names.status)])
    }

    fn array(self, scored: Scored, names: &Arguments) -> Result<ArrayRef, Failure> {
        Ok(match self {
            Self::Score => scored.into_codes().0,
            Self::Status => scored.into_arrays()?.1,
            Self::Both => {
                let (scores, codes) = scored.into_codes();
                let both = StructArray::try_new(Self::fields(names), vec![scores, codes], None);
                Arc::new(both.map_err(|_| Failure::internal("a result does not fit its schema"))?)
            }
        })
    }
}

impl Expression for Pmt {
    type Arguments = Arguments;

    fn field(&self, inputs: &[Input], arguments: &Arguments) -> Result<Field, Failure> {
        let plan = plan(arguments)?;
        let given = inputs.len() - usize::from(arguments.numbered && !inputs.is_empty());
        if given != plan.columns().len() {
            return Err(Failure::schema("", "the expression has the wrong number of inputs"));
        }
        for (c, input) in (0..given).zip(inputs) {
            plan.check_kind(c, kind(&input.data_type))?;
        }
        Ok(self.output(arguments))
    }

    fn evaluate(
        &self,
        mut columns: Vec<Chunked>,
        arguments: &Arguments,
    ) -> Result<(Field, Vec<ArrayRef>), Failure> {
        let plan = plan(arguments)?;
        let numbers = if arguments.numbered { columns.pop() } else { None };
        let unseen = Arc::new(RunState::default());
        let state = arguments.run.and_then(find_run).unwrap_or(unseen);
        let rows = rows_of(&columns);
        let threads = threads_for(rows, None);
        let options = Options {
            threads,
            isa: Isa::best(),
            state: &state,
            row_number: &|row| row_number(numbers.as_ref(), row),
        };
        let scored = score_columns(&plan, &columns, rows, &options)?;
        Ok((self.output(arguments), vec![self.array(scored, arguments)?]))
    }
}

/// Number of a row in the caller's frame, from the numbering column.
fn row_number(numbers: Option<&Chunked>, row: usize) -> usize {
    let mut left = row;
    for chunk in numbers.iter().flat_map(|c| &c.chunks) {
        if left >= chunk.len() {
            left -= chunk.len();
        } else if let Some(wide) = chunk.as_primitive_opt::<UInt64Type>() {
            return wide.value(left) as usize;
        } else if let Some(narrow) = chunk.as_primitive_opt::<UInt32Type>() {
            return narrow.value(left) as usize;
        }
    }
    row
}
