//! The persons of an index: those of its file, those who came since, and who is gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::build::{Builder, Source};
use super::segment::{Id, Schema, Segment};
use super::{Datum, Fault};
use crate::link::encode::NULL;

/// Parts are joined when one is not this many times as large as those after it.
const GROWTH: u32 = 2;

/// The persons of an index. A copy shares what it holds, so that one may be searched while another
/// takes persons in.
#[derive(Debug)]
pub struct People<B> {
    pub(super) parts: Vec<Part<B>>,
}

impl<B> Clone for People<B> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone() }
    }
}

#[derive(Debug)]
pub(super) struct Part<B> {
    pub(super) segment: Arc<Segment<B>>,
    pub(super) removed: Removed,
}

impl<B> Clone for Part<B> {
    fn clone(&self) -> Self {
        Self { segment: Arc::clone(&self.segment), removed: self.removed.clone() }
    }
}

/// Persons that are gone, and what they take from the counts of a part.
#[derive(Debug, Clone, Default)]
pub(super) struct Removed {
    pub(super) rows: BTreeSet<u32>,
    present: BTreeMap<usize, u32>,
    values: BTreeMap<(usize, u32), u32>,
    blocks: BTreeMap<(usize, u64), u32>,
}

impl<B: AsRef<[u8]>> Part<B> {
    fn new(segment: Segment<B>) -> Self {
        Self { segment: Arc::new(segment), removed: Removed::default() }
    }

    fn live(&self) -> u32 {
        self.segment.rows() - self.removed.rows.len() as u32
    }

    /// The person with an id who is not gone.
    fn find(&self, id: Id<'_>) -> Option<u32> {
        self.segment.find(id).filter(|row| !self.removed.rows.contains(row))
    }

    fn remove(&mut self, row: u32) {
        let (segment, removed) = (&self.segment, &mut self.removed);
        if !removed.rows.insert(row) {
            return;
        }
        for (k, field) in segment.fields().iter().enumerate() {
            let code = segment.column(k).filter(|_| field.coded).map_or(NULL, |c| c.code(row));
            if code != NULL {
                *removed.present.entry(k).or_default() += 1;
                *removed.values.entry((k, code)).or_default() += 1;
            }
        }
        for k in 0..segment.rules().len() {
            if let Some(sum) = segment.sum(k, row) {
                *removed.blocks.entry((k, sum)).or_default() += 1;
            }
        }
    }

    /// Persons with a value in a coded column.
    fn present(&self, column: usize) -> u32 {
        let gone = self.removed.present.get(&column).copied().unwrap_or(0);
        self.segment.present(column).saturating_sub(gone)
    }

    /// Persons with the value of a code.
    fn count(&self, column: usize, code: u32) -> u32 {
        let gone = self.removed.values.get(&(column, code)).copied().unwrap_or(0);
        let count = self.segment.column(column).map_or(0, |column| column.count(code));
        count.saturating_sub(gone)
    }

    pub(super) fn is_live(&self, row: u32) -> bool {
        self.removed.rows.is_empty() || !self.removed.rows.contains(&row)
    }

    /// How many of a block of a rule are gone.
    pub(super) fn gone(&self, rule: usize, sum: u64) -> u32 {
        self.removed.blocks.get(&(rule, sum)).copied().unwrap_or(0)
    }
}

impl<B: AsRef<[u8]>> People<B> {
    /// The persons of one segment.
    #[must_use]
    pub fn new(segment: Segment<B>) -> Self {
        Self { parts: vec![Part::new(segment)] }
    }

    /// How many persons there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.iter().map(|part| part.live() as usize).sum()
    }

    /// True when there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether there is a person with an id.
    #[must_use]
    pub fn has(&self, id: Id<'_>) -> bool {
        self.parts.iter().any(|part| part.find(id).is_some())
    }

    /// The id of a person that was found.
    #[must_use]
    pub fn id(&self, part: u32, row: u32) -> Id<'_> {
        self.parts.get(part as usize).map_or(Id::Number(0), |part| part.segment.id(row))
    }

    /// The first segment: that of the file.
    #[must_use]
    pub fn first(&self) -> Option<&Arc<Segment<B>>> {
        self.parts.first().map(|part| &part.segment)
    }

    /// The segment that holds all persons, if there is one.
    #[must_use]
    pub fn only(&self) -> Option<&Arc<Segment<B>>> {
        match self.parts.as_slice() {
            [part] if part.removed.rows.is_empty() => Some(&part.segment),
            _ => None,
        }
    }

    /// Takes a person out; false when there is none with that id.
    pub fn remove(&mut self, id: Id<'_>) -> bool {
        for part in &mut self.parts {
            if let Some(row) = part.find(id) {
                part.remove(row);
                return true;
            }
        }
        false
    }

    /// Takes in the persons of a segment of the same schema.
    ///
    /// # Errors
    ///
    /// [`Fault::Repeated`] when one of them is there already; then nothing is changed.
    pub fn add(&mut self, segment: Segment<B>) -> Result<(), Fault>
    where
        B: From<Vec<u8>> + Sync + Send,
    {
        if (0..segment.rows()).any(|row| self.has(segment.id(row))) {
            return Err(Fault::Repeated);
        }
        let schema = segment.schema();
        let (mut from, mut rows) = (self.parts.len(), segment.rows());
        // The first part stays as it is: it may be a large file.
        while let Some(before) = from.checked_sub(1).filter(|k| *k > 0) {
            let live = self.parts.get(before).map_or(0, Part::live);
            if live > rows.saturating_mul(GROWTH) {
                break;
            }
            (from, rows) = (before, rows.saturating_add(live));
        }
        let mut joined = Self { parts: self.parts.get(from..).unwrap_or_default().to_vec() };
        joined.parts.push(Part::new(segment));
        let part = match joined.parts.len() {
            1 => joined.parts.pop(),
            _ => {
                let bytes = joined.merged(&schema)?;
                Some(Part::new(Segment::open(B::from(bytes), false)?))
            }
        };
        self.parts.truncate(from);
        self.parts.extend(part);
        Ok(())
    }

    /// All persons in one segment, as bytes of a file: what a new index of them is.
    ///
    /// # Errors
    ///
    /// As for [`Builder::build`].
    pub fn merged(&self, schema: &Schema) -> Result<Vec<u8>, Fault>
    where
        B: Sync + Send,
    {
        Builder::new(schema, &Merged::new(self)).build()
    }

    /// How many persons have a value in a column.
    pub(super) fn count(&self, column: usize, value: Datum<'_>) -> u32 {
        let of_part = |part: &Part<B>| {
            let code = part.segment.column(column).and_then(|column| column.find(value));
            code.map_or(0, |code| part.count(column, code))
        };
        self.parts.iter().map(of_part).sum()
    }

    /// The same for the value of a code of one of the parts.
    pub(super) fn count_of_code(&self, column: usize, part: usize, code: u32) -> u32 {
        match self.parts.as_slice() {
            [part] => part.count(column, code),
            parts => {
                let found = parts.get(part).and_then(|part| part.segment.column(column));
                found.map_or(0, |found| self.count(column, found.of_code(code)))
            }
        }
    }

    /// How many persons have a value in a column at all.
    pub(super) fn present(&self, column: usize) -> u32 {
        self.parts.iter().map(|part| part.present(column)).sum()
    }
}

/// The persons of several segments in the order of their ids.
#[derive(Debug)]
pub struct Merged<'p, B> {
    people: &'p People<B>,
    order: Vec<(u32, u32)>,
}

impl<'p, B: AsRef<[u8]>> Merged<'p, B> {
    /// All persons that are not gone.
    #[must_use]
    pub fn new(people: &'p People<B>) -> Self {
        let mut order = vec![];
        for (k, part) in (0..).zip(&people.parts) {
            let live = (0..part.segment.rows()).filter(|row| !part.removed.rows.contains(row));
            order.extend(live.map(|row| (k, row)));
        }
        order.sort_by(|a, b| people.id(a.0, a.1).cmp(&people.id(b.0, b.1)));
        Self { people, order }
    }

    fn at(&self, row: u32) -> (u32, u32) {
        self.order.get(row as usize).copied().unwrap_or((u32::MAX, u32::MAX))
    }
}

impl<B: AsRef<[u8]> + Sync + Send> Source for Merged<'_, B> {
    fn rows(&self) -> u32 {
        self.order.len() as u32
    }

    fn id(&self, row: u32) -> Id<'_> {
        let (part, row) = self.at(row);
        self.people.id(part, row)
    }

    fn value(&self, column: usize, row: u32) -> Datum<'_> {
        let (part, row) = self.at(row);
        let part = self.people.parts.get(part as usize);
        let column = part.and_then(|part| part.segment.column(column));
        column.map_or(Datum::Missing, |column| column.value(row))
    }
}
