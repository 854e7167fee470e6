//! How well the values of two rows agree: a level for each comparison.
//!
//! Level 0 means that a value is missing; 1 is the best level, exact agreement, and each later one
//! is less; the last is everything else.

mod date;
mod digits;
mod name;
mod number;
mod scheme;
mod set;
mod text;

use super::encode::{Codes, NULL};
use crate::isa::Isa;

pub use date::{DateLevel, Dates};
pub use digits::Numbers as IdentityNumbers;
pub(super) use name::level_of as name_level;
pub use name::{NameLevel, Names};
pub use number::{NumberLevel, Numbers};
pub use scheme::Scheme;
pub use set::{SetLevel, Sets, members};
pub use text::{Measure, Texts};

/// A level that is not known yet.
pub(super) const UNKNOWN: u8 = u8::MAX;
/// A value is missing.
pub(super) const MISSING: u8 = 0;
/// The values are the same.
pub(super) const EXACT: u8 = 1;

/// Pairs of rows.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    /// Rows that come first.
    pub left: &'a [u32],
    /// Rows that come second.
    pub right: &'a [u32],
}

impl Pairs<'_> {
    pub(super) fn len(self) -> usize {
        self.left.len()
    }

    #[inline(always)]
    fn iter(self) -> impl ExactSizeIterator<Item = (usize, usize)> + Clone {
        self.left.iter().zip(self.right).map(|(a, b)| (*a as usize, *b as usize))
    }
}

/// The values that one comparison needs, of all rows, and its levels.
#[derive(Debug)]
pub enum Comparison<'t> {
    /// Equal or not.
    Exact(Codes),
    /// Identity numbers, by classes of errors.
    Digits(IdentityNumbers),
    /// Names of persons.
    Name(Names<'t>),
    /// Texts, by a similarity or a distance.
    Text(Texts),
    /// Dates.
    Date(Dates),
    /// Numbers, by their difference.
    Number(Numbers),
    /// Sets, by what they share.
    Set(Sets),
}

/// What comparing pairs needs besides the values, for one thread.
#[derive(Debug)]
pub struct Room<'c> {
    text: text::TextRoom,
    name: Option<name::NameRoom<'c>>,
}

impl<'t> Comparison<'t> {
    /// Number of levels, without the one for a missing value.
    #[must_use]
    pub fn levels(&self) -> u8 {
        let some = match self {
            Self::Exact(_) => 0,
            Self::Digits(_) => digits::BETWEEN,
            Self::Name(names) => names.levels.len(),
            Self::Text(texts) => texts.measure.levels(),
            Self::Date(dates) => dates.levels.len(),
            Self::Number(numbers) => numbers.levels.len(),
            Self::Set(sets) => sets.levels.len(),
        };
        some as u8 + 2
    }

    /// Room for one thread.
    #[must_use]
    pub fn room(&self, isa: Isa) -> Room<'_> {
        let name = match self {
            Self::Name(names) => Some(names.room()),
            _ => None,
        };
        Room { text: text::TextRoom::new(isa), name }
    }

    /// Levels that take a few nanoseconds; [`UNKNOWN`] for the others, which are not exact.
    #[inline(always)]
    pub(super) fn quick(&self, pairs: Pairs<'_>, out: &mut [u8]) {
        match self {
            Self::Exact(codes) => of_codes(&codes.rows, pairs, out, 2),
            Self::Name(names) => of_codes(&names.codes.rows, pairs, out, UNKNOWN),
            Self::Text(texts) => of_codes(&texts.codes.rows, pairs, out, UNKNOWN),
            Self::Set(sets) => sets.quick(pairs, out),
            Self::Digits(numbers) => numbers.fill(pairs, out),
            Self::Date(dates) => dates.fill(pairs, out),
            Self::Number(numbers) => numbers.fill(pairs, out),
        }
    }

    /// The levels that [`Comparison::quick`] left open. All pairs are of that kind.
    #[inline(always)]
    pub(super) fn slow(&self, pairs: Pairs<'_>, room: &mut Room<'_>, out: &mut [u8]) {
        match (self, &mut room.name) {
            (Self::Name(names), Some(room)) => names.fill(pairs, room, out),
            (Self::Text(texts), _) => texts.fill(pairs, &mut room.text, out),
            (Self::Set(sets), _) => sets.fill(pairs, out),
            _ => {}
        }
    }

    /// Whether [`Comparison::quick`] may leave levels open.
    pub(super) fn is_slow(&self) -> bool {
        matches!(self, Self::Name(_) | Self::Text(_) | Self::Set(_))
    }
}

/// Exact for equal codes, and `other` for different ones.
#[inline(always)]
fn of_codes(codes: &[u32], pairs: Pairs<'_>, out: &mut [u8], other: u8) {
    let at = |row: usize| codes.get(row).copied().unwrap_or(NULL);
    for ((a, b), to) in pairs.iter().zip(out) {
        let (a, b) = (at(a), at(b));
        *to = if a == NULL || b == NULL {
            MISSING
        } else if a == b {
            EXACT
        } else {
            other
        };
    }
}
