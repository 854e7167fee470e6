//! How often each pattern of agreement occurs: pairs with the same levels are one pattern.

use std::collections::BTreeMap;

/// Patterns and the number of pairs that have each, by the rules that hold for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patterns {
    /// Levels of each comparison, with the one for a missing value.
    widths: Vec<u64>,
    /// By the number of the pattern, and the rules, a bit each.
    counts: BTreeMap<(u64, u64), u64>,
}

impl Patterns {
    /// No pattern yet, of comparisons with so many levels; `None` when there are more than 2^63
    /// patterns.
    #[must_use]
    pub fn new(levels: &[u8]) -> Option<Self> {
        let widths: Vec<u64> = levels.iter().map(|levels| u64::from(*levels) + 1).collect();
        widths
            .iter()
            .try_fold(1u64, |all, width| all.checked_mul(*width))
            .filter(|all| *all < 1 << 63)?;
        Some(Self { widths, counts: BTreeMap::new() })
    }

    /// The number of a pattern.
    #[inline]
    pub(super) fn code(&self, levels: impl Iterator<Item = u8>) -> u64 {
        self.widths
            .iter()
            .zip(levels)
            .fold(0, |code, (width, level)| code * width + u64::from(level))
    }

    /// Counts patterns and rules, given in order.
    pub(super) fn add_sorted(&mut self, codes: &[(u64, u64)]) {
        for same in codes.chunk_by(|a, b| a == b) {
            if let Some(code) = same.first() {
                *self.counts.entry(*code).or_default() += same.len() as u64;
            }
        }
    }

    /// Takes over the counts of others of the same comparisons.
    pub fn merge(&mut self, other: &Self) {
        for (code, count) in &other.counts {
            *self.counts.entry(*code).or_default() += count;
        }
    }

    /// Levels, rules and counts, in the order of the levels.
    pub fn iter(&self) -> impl Iterator<Item = (Vec<u8>, u64, u64)> {
        self.counts.iter().map(|((code, rules), count)| {
            let mut rest = *code;
            let mut levels = vec![0; self.widths.len()];
            for (to, width) in levels.iter_mut().zip(&self.widths).rev() {
                *to = (rest % width) as u8;
                rest /= width;
            }
            (levels, *rules, *count)
        })
    }

    /// Number of pairs.
    #[must_use]
    pub fn pairs(&self) -> u64 {
        self.counts.values().sum()
    }
}
