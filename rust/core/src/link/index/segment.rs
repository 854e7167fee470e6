//! Persons in one piece of memory: ids in ascending order, columns, and a table for each rule.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::column::{self, Field, Stored};
use super::header::Header;
use super::lookup::{Blocks, Lookup};
use super::{Datum, Fault};
use crate::link::encode::NULL;
use crate::store::bytes::{TextsOf, U32s, U64s, mix, sum_of_word};
use crate::store::file;

/// What ids are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdKind {
    /// Whole numbers, which may be negative.
    Signed,
    /// Whole numbers from 0 to 2^64 - 1.
    Unsigned,
    /// Texts.
    Text,
}

/// The id of a person. The order is that of the numbers or the texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Id<'a> {
    /// A whole number; see [`Id::of_signed`].
    Number(u64),
    /// A text.
    Text(&'a [u8]),
}

const SIGN: u64 = 1 << 63;

impl Id<'_> {
    /// A number that may be negative, such that the order stays.
    #[must_use]
    pub fn of_signed(number: i64) -> Self {
        Self::Number(number as u64 ^ SIGN)
    }

    /// The number of [`Id::of_signed`].
    #[must_use]
    pub fn signed(self) -> i64 {
        match self {
            Self::Number(number) => (number ^ SIGN) as i64,
            Self::Text(_) => 0,
        }
    }
}

/// What makes persons candidates of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Equal values in some columns, each of them coded.
    Equal(Vec<u32>),
    /// A number that is equal or within one error of entry.
    WithinOne(u32),
}

/// A rule, its cap, and what its blocks are like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleOf {
    /// The rule.
    pub rule: Rule,
    /// Most rows of a block, the query among them; larger ones are left out.
    pub cap: u32,
    /// Filled in by the index.
    pub blocks: Blocks,
}

/// What an index holds, but for its persons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// What ids are.
    pub ids: IdKind,
    /// The columns.
    pub fields: Vec<Field>,
    /// The rules, in order.
    pub rules: Vec<RuleOf>,
    /// Whatever the caller wants back.
    pub about: String,
}

/// The sum of what a person has in some columns; `None` when one is missing.
pub(super) fn sum_of_row(keys: &[Stored<'_>], within: bool, row: u32) -> Option<u64> {
    if within {
        return match keys.first()?.value(row) {
            Datum::Word(word) => Some(sum_of_word(word)),
            _ => None,
        };
    }
    sum_of_codes(keys.iter().map(|key| key.code(row)))
}

/// The sum of codes; `None` when one is [`NULL`].
pub(super) fn sum_of_codes(mut codes: impl Iterator<Item = u32>) -> Option<u64> {
    let sum = codes.try_fold(1, |sum, code| (code != NULL).then(|| mix(sum, code.into())));
    sum.map(sum_of_word)
}

/// Persons, and the tables that find them.
#[derive(Debug)]
pub struct Segment<B> {
    bytes: B,
    header: Header,
    ranges: Vec<Range<usize>>,
}

impl<B: AsRef<[u8]>> Segment<B> {
    /// Reads what [`Builder::finish`] made. The header is checked; with `verify`, every byte.
    ///
    /// # Errors
    ///
    /// For any other bytes. Without `verify`, bytes that changed beyond the header may go unseen:
    /// they lead to wrong answers, to nothing worse.
    pub fn open(bytes: B, verify: bool) -> Result<Self, Fault> {
        let (header, ranges) = file::read(bytes.as_ref())?;
        if verify {
            file::verify(bytes.as_ref(), &header, &ranges)?;
        }
        let segment = Self { bytes, header, ranges };
        let broken = Fault::Corrupt("the table of sections");
        let Header { fields, rules, present, rows, ids, .. } = &segment.header;
        let sections = 2 + column::SECTIONS * fields.len() + 3 * rules.len();
        let width = if *ids == IdKind::Text { 4 } else { 8 };
        let fit = segment.ranges.len() == sections
            && present.len() == fields.len()
            && segment.section(0).len() as u64 == width * u64::from(*rows)
            && (0..fields.len()).all(|k| segment.column(k).is_some())
            && (0..rules.len()).all(|k| segment.table(k).is_some() && segment.keys(k).is_some());
        if fit { Ok(segment) } else { Err(broken) }
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    /// How many persons there are.
    pub fn rows(&self) -> u32 {
        self.header.rows
    }

    /// What the index holds, but for its persons.
    pub fn schema(&self) -> Schema {
        let Header { ids, fields, rules, about, .. } = self.header.clone();
        Schema { ids, fields, rules, about }
    }

    /// What it was given to keep.
    pub fn about(&self) -> &str {
        &self.header.about
    }

    /// What ids are.
    pub fn ids(&self) -> IdKind {
        self.header.ids
    }

    /// The columns.
    pub fn fields(&self) -> &[Field] {
        &self.header.fields
    }

    /// The rules.
    pub fn rules(&self) -> &[RuleOf] {
        &self.header.rules
    }

    /// Persons with a value in a column.
    pub(super) fn present(&self, column: usize) -> u32 {
        self.header.present.get(column).copied().unwrap_or(0)
    }

    fn section(&self, k: usize) -> &[u8] {
        let range = self.ranges.get(k).cloned().unwrap_or_default();
        self.bytes.as_ref().get(range).unwrap_or_default()
    }

    pub(super) fn column(&self, k: usize) -> Option<Stored<'_>> {
        let first = 2 + column::SECTIONS * k;
        let sections = std::array::from_fn(|i| self.section(first + i));
        Stored::new(self.header.fields.get(k)?, sections)
    }

    pub(super) fn table(&self, rule: usize) -> Option<Lookup<'_>> {
        let first = 2 + column::SECTIONS * self.header.fields.len() + 3 * rule;
        Lookup::new(self.section(first), self.section(first + 1), self.section(first + 2))
    }

    /// The columns that a rule looks at.
    pub(super) fn keys(&self, rule: usize) -> Option<Vec<Stored<'_>>> {
        match &self.header.rules.get(rule)?.rule {
            Rule::Equal(keys) => keys.iter().map(|k| self.column(*k as usize)).collect(),
            Rule::WithinOne(key) => self.column(*key as usize).map(|key| vec![key]),
        }
    }

    /// The sum by which a rule finds a person.
    pub(super) fn sum(&self, rule: usize, row: u32) -> Option<u64> {
        let within = matches!(self.header.rules.get(rule)?.rule, Rule::WithinOne(_));
        sum_of_row(&self.keys(rule)?, within, row)
    }

    /// The id of a person; of one there is not, any.
    #[inline]
    pub fn id(&self, row: u32) -> Id<'_> {
        let row = row as usize;
        match self.header.ids {
            IdKind::Text => {
                let ends = U32s::new(self.section(0));
                Id::Text(TextsOf { ends, text: self.section(1) }.get(row))
            }
            _ => Id::Number(U64s::new(self.section(0)).get(row).unwrap_or(0)),
        }
    }

    /// The person with an id.
    pub fn find(&self, id: Id<'_>) -> Option<u32> {
        let (mut low, mut high) = (0, self.rows());
        while low < high {
            let middle = low.midpoint(high);
            if self.id(middle) < id { low = middle + 1 } else { high = middle }
        }
        (low < self.rows() && self.id(low) == id).then_some(low)
    }
}
