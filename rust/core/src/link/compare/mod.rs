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
use super::records::View;
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
    pub(super) fn iter(self) -> impl ExactSizeIterator<Item = (usize, usize)> + Clone {
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

    /// Words of a row that [`Comparison::quick`] reads.
    pub(super) fn words(&self) -> usize {
        match self {
            Self::Exact(_) | Self::Name(_) | Self::Text(_) => 1,
            Self::Digits(_) => IdentityNumbers::WORDS,
            Self::Date(_) => Dates::WORDS,
            Self::Number(_) => Numbers::WORDS,
            Self::Set(_) => 0,
        }
    }

    /// Writes the words of a row.
    pub(super) fn write(&self, row: usize, words: &mut [u32]) {
        let code = |codes: &Codes| [codes.rows.get(row).copied().unwrap_or(NULL)];
        match self {
            Self::Exact(codes) => words.copy_from_slice(&code(codes)),
            Self::Name(names) => words.copy_from_slice(&code(&names.codes)),
            Self::Text(texts) => words.copy_from_slice(&code(&texts.codes)),
            Self::Digits(numbers) => words.copy_from_slice(&numbers.words(row)),
            Self::Date(dates) => words.copy_from_slice(&dates.words(row)),
            Self::Number(numbers) => words.copy_from_slice(&numbers.words(row)),
            Self::Set(_) => {}
        }
    }

    /// Levels that take a few nanoseconds; [`UNKNOWN`] for the others, which are not exact.
    #[inline(always)]
    pub(super) fn quick(&self, view: View<'_>, pairs: Pairs<'_>, out: &mut [u8]) {
        match self {
            Self::Exact(_) => view.fill(pairs, out, MISSING, |a, b| of_codes(a, b, EXACT + 1)),
            Self::Name(_) | Self::Text(_) => {
                view.fill(pairs, out, MISSING, |a, b| of_codes(a, b, UNKNOWN));
            }
            Self::Digits(_) => view.fill(pairs, out, MISSING, IdentityNumbers::level),
            Self::Date(dates) => view.fill(pairs, out, MISSING, |a, b| dates.level(a, b)),
            Self::Number(numbers) => view.fill(pairs, out, MISSING, |a, b| numbers.level(a, b)),
            Self::Set(sets) => sets.quick(pairs, out),
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
fn of_codes([a]: [u32; 1], [b]: [u32; 1], other: u8) -> u8 {
    if a == NULL || b == NULL {
        MISSING
    } else if a == b {
        EXACT
    } else {
        other
    }
}

/// A number of 64 bits in two words.
#[inline(always)]
fn split(bits: u64) -> [u32; 2] {
    [bits as u32, (bits >> 32) as u32]
}

/// The number that was [`split`].
#[inline(always)]
fn join(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}
