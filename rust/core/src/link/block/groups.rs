//! Rows with equal keys, side by side.

use super::{Dropped, Rows, Unit};
use crate::link::encode::{Codes, NULL};

/// Pairs of a unit, at least; a unit ends with the block that reaches it. Small in tests, so that they
/// meet blocks of several units.
const UNIT: u64 = if cfg!(test) { 8 } else { 1 << 15 };
/// Largest blocks that are reported.
const REPORTED: usize = 10;

/// Rows of each block, one block after the other, in the order of the blocks' first rows.
#[derive(Debug)]
pub(super) struct Groups {
    order: Vec<u32>,
    /// Where each block begins, and the end.
    starts: Vec<u32>,
}

/// Makes keys that more than `cap` rows have no keys at all. Gives what that leaves out, and the rows
/// of the largest blocks before.
pub(super) fn cap(codes: &mut Codes, rows: Rows, cap: Option<u32>) -> (Dropped, Vec<u32>) {
    let counts = codes.counts();
    let (mut dropped, mut largest) = (Dropped::default(), vec![]);
    for count in counts.iter().copied().filter(|count| *count > 1) {
        if largest.len() < REPORTED || largest.last().is_some_and(|least| count > *least) {
            let at = largest.partition_point(|other| *other >= count);
            largest.insert(at, count);
            largest.truncate(REPORTED);
        }
    }
    let Some(cap) = cap else { return (dropped, largest) };
    let large = |code: u32| counts.get(code as usize).is_some_and(|count| *count > cap);
    let mut lefts = vec![0u32; counts.len()];
    for (row, code) in (0u32..).zip(&mut codes.rows) {
        if large(*code) {
            let is_left = rows.left.is_some_and(|left| row < left);
            lefts.get_mut(*code as usize).into_iter().for_each(|n| *n += u32::from(is_left));
            *code = NULL;
        }
    }
    for (count, left) in counts.iter().zip(&lefts).filter(|(count, _)| **count > cap) {
        let (count, left) = (u64::from(*count), u64::from(*left));
        dropped.blocks += 1;
        dropped.rows += count;
        dropped.pairs += match rows.left {
            Some(_) => left * (count - left),
            None => count * (count - 1) / 2,
        };
    }
    (dropped, largest)
}

impl Groups {
    /// Blocks of two rows or more.
    pub(super) fn new(codes: &Codes, rows: Rows) -> Self {
        // Where the next row of each key goes; NULL for keys that make no block.
        let mut places = codes.counts();
        let mut starts = vec![0];
        let mut end = 0;
        for place in &mut places {
            let count = *place;
            *place = NULL;
            if count > 1 {
                *place = end;
                end += count;
                starts.push(end);
            }
        }
        let mut order = vec![0; end as usize];
        for (row, code) in (0..rows.all).zip(&codes.rows) {
            if let Some(place) = places.get_mut(*code as usize).filter(|place| **place != NULL) {
                order.get_mut(*place as usize).into_iter().for_each(|to| *to = row);
                *place += 1;
            }
        }
        Self { order, starts }
    }

    fn members(&self, block: u32) -> &[u32] {
        let at = |block: u32| self.starts.get(block as usize).map_or(0, |start| *start as usize);
        self.order.get(at(block)..at(block + 1)).unwrap_or_default()
    }

    pub(super) fn units(&self, rows: Rows) -> Vec<Unit> {
        let mut units = vec![];
        let mut open = Unit { from: 0, to: 0, members: None, pairs: 0 };
        for block in 0..self.starts.len() as u32 - 1 {
            let members = self.members(block);
            let (first, second) = sides(members, rows);
            let pairs = |from: u32, to: u32| match rows.left {
                Some(_) => u64::from(to - from) * second.len() as u64,
                None => {
                    (from..to).map(|x| (members.len() as u64).saturating_sub(x.into()) - 1).sum()
                }
            };
            let count = first.len() as u32;
            let all = pairs(0, count);
            if all < 2 * UNIT {
                open = Unit { to: block + 1, pairs: open.pairs + all, ..open };
                if open.pairs >= UNIT {
                    units.push(open);
                    open = Unit { from: block + 1, to: block + 1, members: None, pairs: 0 };
                }
                continue;
            }
            if open.pairs > 0 {
                units.push(open);
            }
            let mut from = 0;
            while from < count {
                let width = (UNIT / (members.len() as u64).max(1)).max(1) as u32;
                let to = count.min(from.saturating_add(width));
                let part = Some((from, to));
                units.push(Unit {
                    from: block,
                    to: block + 1,
                    members: part,
                    pairs: pairs(from, to),
                });
                from = to;
            }
            open = Unit { from: block + 1, to: block + 1, members: None, pairs: 0 };
        }
        if open.pairs > 0 {
            units.push(open);
        }
        units
    }

    /// Calls `each` with a row and the rows it makes pairs with.
    #[inline(always)]
    pub(super) fn each(&self, unit: &Unit, rows: Rows, each: &mut impl FnMut(u32, &[u32])) {
        for block in unit.from..unit.to {
            let members = self.members(block);
            let (first, second) = sides(members, rows);
            let (from, to) = unit.members.unwrap_or((0, first.len() as u32));
            let some = first.iter().enumerate().take(to as usize).skip(from as usize);
            for (x, row) in some {
                let others = if rows.left.is_some() {
                    second
                } else {
                    members.get(x + 1..).unwrap_or_default()
                };
                each(*row, others);
            }
        }
    }
}

/// The rows of a block that come first in a pair, and those that come second.
fn sides(members: &[u32], rows: Rows) -> (&[u32], &[u32]) {
    match rows.left {
        Some(left) => members.split_at(members.partition_point(|row| *row < left)),
        None => (members, members),
    }
}
