//! Rows whose numbers are equal or within one error of entry.

use super::{Rows, Unit};
use crate::link::packed::PackedDigits;

/// Numbers, and the rows that carry each.
#[derive(Debug)]
pub(super) struct Within {
    /// Distinct numbers in order.
    numbers: Vec<PackedDigits>,
    /// Rows by number, and where those of each number begin.
    order: Vec<u32>,
    starts: Vec<u32>,
}

impl Within {
    pub(super) fn new(numbers: &[Option<PackedDigits>]) -> Self {
        let carried = numbers
            .iter()
            .zip(0u32..)
            .filter_map(|(number, row)| Some((number.as_ref().copied()?, row)));
        let mut carried: Vec<(PackedDigits, u32)> = carried.collect();
        carried.sort_unstable();
        let mut out = Self { numbers: vec![], order: vec![], starts: vec![] };
        for (number, row) in carried {
            if out.numbers.last() != Some(&number) {
                out.numbers.push(number);
                out.starts.push(out.order.len() as u32);
            }
            out.order.push(row);
        }
        out.starts.push(out.order.len() as u32);
        out
    }

    fn rows(&self, number: usize) -> &[u32] {
        let at = |number: usize| self.starts.get(number).map_or(0, |start| *start as usize);
        self.order.get(at(number)..at(number + 1)).unwrap_or_default()
    }

    pub(super) fn units(&self) -> Vec<Unit> {
        vec![]
    }

    pub(super) fn each(&self, _unit: &Unit, _rows: Rows, _each: &mut impl FnMut(u32, &[u32])) {}
}
