//! Fixed-point sums of the points of every household.

use super::BLOCK;
use super::codes::Codes;
use super::coding::NO_STRATUM;
use super::formula::Formula;
use super::look_up::add;
use crate::isa::Isa;
use crate::pmt::Status;

/// The sum of a household that lacks an answer.
pub const MISSING: i32 = i32::MIN;

/// The sum of a household with an answer outside the model; every real sum is larger.
pub const INVALID: i32 = i32::MIN + 1;

/// Writes the sums of rows `start ..` from the codes of all slots.
pub fn sums_into(formula: &Formula, codes: &Codes, start: usize, sums: &mut [i32], isa: Isa) {
    let mut status = [0u8; BLOCK];
    for (sums, start) in sums.chunks_mut(BLOCK).zip((start..).step_by(BLOCK)) {
        let status = status.get_mut(..sums.len()).unwrap_or(&mut []);
        let mut nulls = false;
        sums.fill(0);
        let tables = formula.fixed.iter().zip(&formula.nulls).zip(&codes.seen);
        for (slot, ((table, null), seen)) in codes.slots.iter().zip(tables) {
            let own = slot.get(start..start + sums.len()).unwrap_or(&[]);
            add(own, table, width(seen), sums, isa);
            for &(code, found) in null {
                nulls |= mark(own, code, found, status);
            }
        }
        if let Some(strata) = &codes.strata {
            let own = strata.get(start..start + sums.len()).unwrap_or(&[]);
            nulls |= mark(own, NO_STRATUM, Status::Missing as u8, status);
            nulls |= mark(own, NO_STRATUM + 1, Status::OutOfDomain as u8, status);
        }
        if nulls {
            for (sum, status) in sums.iter_mut().zip(status) {
                *sum = match std::mem::take(status) {
                    0 => *sum,
                    1 => MISSING,
                    _ => INVALID,
                };
            }
        }
    }
}

/// One above the largest code that occurs.
fn width(seen: &[bool; 256]) -> usize {
    seen.iter().rposition(|&seen| seen).map_or(0, |last| last + 1)
}

/// Adds a status to the rows of a code; whether there was one.
fn mark(codes: &[u8], code: u8, found: u8, status: &mut [u8]) -> bool {
    if !codes.contains(&code) {
        return false;
    }
    for (status, &own) in status.iter_mut().zip(codes) {
        *status |= u8::from(own == code) * found;
    }
    true
}

/// What has to be added to the sums of one formula for those of another.
#[derive(Debug)]
pub struct Change {
    /// Slots with what each code adds.
    slots: Vec<(usize, [i32; 256])>,
}

impl Change {
    /// The change between two formulas on the same codes; `None` when the sums have to be made
    /// anew.
    #[must_use]
    pub fn between(before: &Formula, after: &Formula, codes: &Codes) -> Option<Self> {
        if !after.is_like(before) {
            return None;
        }
        let pairs = before.fixed.iter().zip(&after.fixed).zip(&codes.seen).enumerate();
        let changed = pairs.filter_map(|(slot, ((old, new), seen))| {
            let mut change = [0i32; 256];
            for (change, ((old, new), seen)) in change.iter_mut().zip(old.iter().zip(new).zip(seen))
            {
                *change = if *seen { new.wrapping_sub(*old) } else { 0 };
            }
            change.iter().any(|&c| c != 0).then_some((slot, change))
        });
        Some(Self { slots: changed.collect() })
    }

    /// Whether no sum changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Slots that change.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Writes the sums of rows `start ..` from those before; `before` are all the sums.
    pub fn apply(&self, codes: &Codes, before: &[i32], start: usize, sums: &mut [i32], isa: Isa) {
        for (sums, start) in sums.chunks_mut(BLOCK).zip((start..).step_by(BLOCK)) {
            let end = start + sums.len();
            let before = before.get(start..end).unwrap_or(&[]);
            sums.iter_mut().zip(before).for_each(|(to, from)| *to = *from);
            for (slot, change) in &self.slots {
                let own = codes.slots.get(*slot).and_then(|s| s.get(start..end)).unwrap_or(&[]);
                add(own, change, codes.seen.get(*slot).map_or(256, width), sums, isa);
            }
            for (sum, &before) in sums.iter_mut().zip(before) {
                *sum = if before <= INVALID { before } else { *sum };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{PARTS, codes, formula};
    use super::*;

    #[test]
    fn changed_sums_are_those_made_anew() {
        for rows in [0, 1, 4095, 4097, 9000] {
            let codes = codes(rows, 7);
            for parts in PARTS {
                let (before, after) =
                    (formula(&codes, parts, 0, ""), formula(&codes, parts, 3, ""));
                for isa in Isa::available() {
                    let (mut old, mut new, mut changed) =
                        (vec![0; rows], vec![0; rows], vec![0; rows]);
                    sums_into(&before, &codes, 0, &mut old, isa);
                    sums_into(&after, &codes, 0, &mut new, isa);
                    let change = Change::between(&before, &after, &codes);
                    let Some(change) = change else { continue }; // another unit: made anew
                    assert!(change.len() <= 2);
                    change.apply(&codes, &old, 0, &mut changed, isa);
                    assert_eq!(new, changed);
                    for (row, sum) in new.iter().enumerate() {
                        let null = formula(&codes, parts, 3, "").score_row(&codes, row).is_none();
                        assert_eq!(null, *sum == MISSING);
                        if row > 50 {
                            break;
                        }
                    }
                }
            }
        }
    }
}
