//! Rows near each other in a sorted order (sorted neighbourhood: M. Hernández and S. Stolfo, The
//! Merge/Purge Problem for Large Databases, 1995).

use super::{Rows, Unit};
use crate::link::encode::NULL;

/// Pairs of a unit, about; few in tests.
const UNIT: u32 = if cfg!(test) { 8 } else { 1 << 17 };

/// Rows by their places.
#[derive(Debug)]
pub(super) struct Neighbours {
    /// Place and row, in order of places.
    order: Vec<(u32, u32)>,
    window: u32,
}

impl Neighbours {
    pub(super) fn new(places: &[u32], window: u32) -> Self {
        let rows = places.iter().copied().zip(0..).filter(|(place, _)| *place != NULL);
        let mut order: Vec<(u32, u32)> = rows.collect();
        order.sort_unstable();
        Self { order, window: window.max(1) }
    }

    pub(super) fn units(&self) -> Vec<Unit> {
        let rows = self.order.len() as u32;
        let width = (UNIT / self.window).max(1);
        let starts = (0..rows).step_by(width as usize);
        let unit = |from: u32| {
            let to = rows.min(from.saturating_add(width));
            let pairs = (from..to).map(|k| self.near(k as usize).1.len() as u64).sum();
            Unit { from, to, members: None, pairs }
        };
        starts.map(unit).collect()
    }

    /// A row, and those behind it that share its window.
    fn near(&self, k: usize) -> (u32, &[(u32, u32)]) {
        let Some((&(place, row), behind)) = self.order.get(k..).and_then(<[_]>::split_first) else {
            return (0, &[]);
        };
        let end = behind.partition_point(|(other, _)| other - place < self.window);
        (row, behind.get(..end).unwrap_or_default())
    }

    /// Calls `each` with a row and the later rows it makes pairs with.
    pub(super) fn each(&self, unit: &Unit, rows: Rows, each: &mut impl FnMut(u32, &[u32])) {
        for k in unit.from..unit.to {
            let (row, near) = self.near(k as usize);
            for (_, other) in near {
                let (a, b) = (row.min(*other), row.max(*other));
                if rows.may_pair(a, b) {
                    each(a, &[b]);
                }
            }
        }
    }
}
