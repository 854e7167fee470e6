//! Numbers, by their difference.

use super::{EXACT, MISSING, join, split};

/// How far two numbers may be apart at a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NumberLevel {
    /// The difference is at most this.
    Within(f64),
    /// The difference is at most this share of the larger absolute value.
    WithinShare(f64),
}

impl NumberLevel {
    fn holds(self, a: f64, b: f64) -> bool {
        let apart = (a - b).abs();
        match self {
            Self::Within(most) => apart <= most,
            Self::WithinShare(most) => apart <= most * a.abs().max(b.abs()),
        }
    }
}

/// A number for each row; NaN is none.
#[derive(Debug)]
pub struct Numbers {
    /// The numbers.
    pub values: Vec<f64>,
    /// Levels between equal and everything else.
    pub levels: Vec<NumberLevel>,
}

impl Numbers {
    /// Words of a row.
    pub(super) const WORDS: usize = 2;

    pub(super) fn words(&self, row: usize) -> [u32; Self::WORDS] {
        split(self.values.get(row).copied().unwrap_or(f64::NAN).to_bits())
    }

    #[inline(always)]
    pub(super) fn level(&self, a: [u32; Self::WORDS], b: [u32; Self::WORDS]) -> u8 {
        let number = |[low, high]: [u32; 2]| f64::from_bits(join(low, high));
        let (a, b) = (number(a), number(b));
        if a.is_nan() || b.is_nan() {
            MISSING
        } else if a == b {
            EXACT
        } else {
            let found = self.levels.iter().position(|level| level.holds(a, b));
            found.unwrap_or(self.levels.len()) as u8 + 2
        }
    }
}
