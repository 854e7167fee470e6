//! Rows whose numbers are equal or within one error of entry.

use super::{Rows, Unit};
use crate::link::packed::PackedDigits;
use crate::link::within_one::WithinOne;

/// Pairs that take about as long as a part of the join, which has few.
const WORK: u64 = 1 << 13;

/// Numbers, and the rows that carry each.
#[derive(Debug)]
pub(super) struct Within {
    join: Option<WithinOne>,
    /// Rows by number, and where those of each number begin.
    order: Vec<u32>,
    starts: Vec<u32>,
}

impl Within {
    pub(super) fn new(numbers: &[Option<PackedDigits>]) -> Self {
        let carried =
            numbers.iter().zip(0u32..).filter_map(|(number, row)| Some(((*number)?, row)));
        let mut carried: Vec<(PackedDigits, u32)> = carried.collect();
        carried.sort_unstable();
        let (mut distinct, mut order, mut starts) = (vec![], vec![], vec![]);
        for (number, row) in carried {
            if distinct.last() != Some(&number) {
                distinct.push(number);
                starts.push(order.len() as u32);
            }
            order.push(row);
        }
        starts.push(order.len() as u32);
        Self { join: WithinOne::new(distinct), order, starts }
    }

    fn rows(&self, number: u32) -> &[u32] {
        let at = |number: u32| self.starts.get(number as usize).map_or(0, |start| *start as usize);
        self.order.get(at(number)..at(number + 1)).unwrap_or_default()
    }

    /// One unit for equal numbers, and one for each part of the join.
    pub(super) fn units(&self) -> impl Iterator<Item = Unit> {
        let parts = self.join.as_ref().map_or(0, WithinOne::parts) as u32;
        (0..=parts).map(|k| Unit { from: k, to: k + 1, members: None, pairs: WORK })
    }

    /// Calls `each` with a row and the later rows it makes pairs with.
    pub(super) fn each(&self, unit: &Unit, rows: Rows, each: &mut impl FnMut(u32, &[u32])) {
        let Some(join) = &self.join else { return };
        let mut pair = |a: u32, b: u32| {
            let (a, b) = (a.min(b), a.max(b));
            if rows.may_pair(a, b) {
                each(a, &[b]);
            }
        };
        let Some(part) = unit.from.checked_sub(1) else {
            for number in 0..join.numbers().len() as u32 {
                let rows = self.rows(number);
                for (k, a) in rows.iter().enumerate() {
                    rows.iter().skip(k + 1).for_each(|b| pair(*a, *b));
                }
            }
            return;
        };
        join.for_each(part as usize, |x, y| {
            for a in self.rows(x) {
                self.rows(y).iter().for_each(|b| pair(*a, *b));
            }
        });
    }
}
