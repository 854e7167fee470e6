//! Patterns of agreement, counted by many threads.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, UInt8Array, UInt64Array};
use arrow_schema::{DataType, Field};
use nser_core::link::Workspace;
use nser_core::link::patterns::Patterns;

use super::prepared::Prepared;
use crate::arrow::{ArrowStream, export};
use crate::error::Failure;
use crate::runtime::{RunState, for_each_job};

/// Workspaces of the threads of one call: what one remembers serves its next job.
pub(super) struct Spaces<'p> {
    prepared: &'p Prepared,
    idle: Mutex<Vec<Workspace<'p>>>,
}

impl<'p> Spaces<'p> {
    pub(super) fn new(prepared: &'p Prepared) -> Self {
        Self { prepared, idle: Mutex::default() }
    }

    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Workspace<'p>) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle().pop();
        let Prepared { linker, isa, .. } = self.prepared;
        let mut space = found.unwrap_or_else(|| linker.workspace(*isa));
        let done = work(&mut space);
        idle().push(space);
        done
    }
}

/// The patterns of all parts together.
pub(super) fn gather<'p, J: Sync>(
    prepared: &'p Prepared,
    state: &RunState,
    jobs: &[J],
    patterns: impl Fn(&J, &mut Workspace<'p>) -> Option<Patterns> + Sync,
) -> Result<ArrowStream, Failure> {
    let spaces = Spaces::new(prepared);
    let mut found: Vec<Option<Patterns>> = vec![None; jobs.len()];
    for_each_job(prepared.threads, state, jobs.iter().zip(&mut found), |(job, slot)| {
        let too_many = "the comparisons have too many levels together";
        let found = spaces.with(|space| patterns(job, space));
        *slot = Some(found.ok_or_else(|| Failure::domain("too_many_levels", too_many))?);
        Ok(())
    })?;
    let levels = prepared.linker.levels();
    let mut all = Patterns::new(&levels);
    if let Some(all) = &mut all {
        found.iter().flatten().for_each(|found| all.merge(found));
    }
    let rows: Vec<(Vec<u8>, u64, u64)> = all.iter().flat_map(Patterns::iter).collect();
    let mut fields = vec![];
    let mut columns: Vec<ArrayRef> = vec![];
    for k in 0..levels.len() {
        let level = |(levels, ..): &(Vec<u8>, u64, u64)| levels.get(k).copied().unwrap_or(0);
        fields.push(Field::new(format!("{k}"), DataType::UInt8, false));
        columns.push(Arc::new(UInt8Array::from_iter_values(rows.iter().map(level))));
    }
    fields.push(Field::new("rules", DataType::UInt64, false));
    columns.push(Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(_, rules, _)| *rules))));
    fields.push(Field::new("pairs", DataType::UInt64, false));
    columns.push(Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(.., n)| *n))));
    export(fields, columns)
}
