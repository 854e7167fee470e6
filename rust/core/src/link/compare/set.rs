//! Sets, such as telephone numbers, by what they share.

use std::collections::BTreeMap;

use super::{EXACT, MISSING, Pairs, UNKNOWN};

/// What two sets share at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum SetLevel {
    /// At least so many members.
    Shares(u32),
    /// At least this part of the members of either (Jaccard).
    Jaccard(f64),
}

/// A set for each row; an empty one is no value.
#[derive(Debug)]
pub struct Sets {
    /// Codes of the members, row after row, in order within a row and each once.
    pub members: Vec<u32>,
    /// Where each row begins, and the end.
    pub starts: Vec<u32>,
    /// Levels between equal and everything else.
    pub levels: Vec<SetLevel>,
}

impl Sets {
    /// Sets of rows of members, in any order.
    #[must_use]
    pub fn new(rows: impl Iterator<Item = Vec<u32>>, levels: Vec<SetLevel>) -> Self {
        let (mut members, mut starts) = (vec![], vec![0]);
        for mut row in rows {
            row.sort_unstable();
            row.dedup();
            members.append(&mut row);
            starts.push(members.len() as u32);
        }
        Self { members, starts, levels }
    }

    #[inline]
    fn row(&self, row: usize) -> &[u32] {
        let at = |row: usize| self.starts.get(row).map_or(0, |start| *start as usize);
        self.members.get(at(row)..at(row + 1)).unwrap_or_default()
    }

    #[inline]
    pub(super) fn quick(&self, pairs: Pairs<'_>, out: &mut [u8]) {
        for ((a, b), to) in pairs.iter().zip(out) {
            let (a, b) = (self.row(a), self.row(b));
            *to = if a.is_empty() || b.is_empty() {
                MISSING
            } else if a == b {
                EXACT
            } else {
                UNKNOWN
            };
        }
    }

    pub(super) fn fill(&self, pairs: Pairs<'_>, out: &mut [u8]) {
        for ((a, b), to) in pairs.iter().zip(out) {
            let (a, b) = (self.row(a), self.row(b));
            let shared = shared(a, b);
            let all = a.len() + b.len() - shared;
            let holds = |level: &SetLevel| match level {
                SetLevel::Shares(least) => shared >= *least as usize,
                SetLevel::Jaccard(least) => shared as f64 >= least * all as f64,
            };
            let found = self.levels.iter().position(holds);
            *to = found.unwrap_or(self.levels.len()) as u8 + 2;
        }
    }
}

/// Between the members of a set that is kept as one text.
const SEPARATOR: u8 = 0x1F;

/// Codes of the members of a set that is kept as one text; `known` gives equal ones equal codes.
pub fn members<'t>(text: &'t [u8], known: &mut BTreeMap<&'t [u8], u32>) -> Vec<u32> {
    let parts = text.split(|byte| *byte == SEPARATOR).filter(|member| !member.is_empty());
    let code = |member| {
        let next = known.len() as u32;
        *known.entry(member).or_insert(next)
    };
    parts.map(code).collect()
}

/// Members of both; in order on either side.
fn shared(a: &[u32], b: &[u32]) -> usize {
    let mut rest = b.iter().peekable();
    let mut count = 0;
    for x in a {
        while rest.next_if(|y| *y < x).is_some() {}
        count += usize::from(rest.next_if_eq(&x).is_some());
    }
    count
}
