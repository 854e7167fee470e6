//! Names of persons, by the kernel of [`crate::name`].

use super::{MISSING, NULL, Pairs};
use crate::link::encode::Codes;
use crate::name::{Comparison, Match, NameDictionary, PreparedComparer};

/// What holds at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NameLevel {
    /// The similarity is at least this.
    pub least: f64,
    /// The match code is this one, if one is asked for.
    pub code: Option<Match>,
}

/// A name for each row, each distinct one read once.
#[derive(Debug)]
pub struct Names<'t> {
    /// Codes of the rows.
    pub codes: Codes,
    /// Names of the codes.
    pub names: NameDictionary<'t>,
    /// Levels between equal and everything else.
    pub levels: Vec<NameLevel>,
}

/// What one thread needs.
#[derive(Debug)]
pub(super) struct NameRoom<'c>(PreparedComparer<'c>);

impl<'t> Names<'t> {
    pub(super) fn room(&self) -> NameRoom<'_> {
        NameRoom(PreparedComparer::new(&self.names))
    }

    #[inline(always)]
    pub(super) fn fill(&self, pairs: Pairs<'_>, room: &mut NameRoom<'_>, out: &mut [u8]) {
        let code = |row: usize| self.codes.rows.get(row).copied().unwrap_or(NULL);
        let lowest = self.levels.iter().fold(f64::INFINITY, |low, level| low.min(level.least));
        let codes = pairs.iter().map(|(a, b)| (code(a), code(b)));
        room.0.compare_all(codes, lowest, |place, found| {
            let level = level_of(&self.levels, found);
            out.get_mut(place).into_iter().for_each(|to| *to = level);
        });
    }
}

/// The level of two names that are not written the same.
#[inline]
pub(in crate::link) fn level_of(levels: &[NameLevel], found: Option<Comparison>) -> u8 {
    found.map_or(MISSING, |found| {
        let holds = |level: &NameLevel| {
            found.similarity >= level.least && level.code.is_none_or(|c| c == found.kind)
        };
        levels.iter().position(holds).unwrap_or(levels.len()) as u8 + 2
    })
}
