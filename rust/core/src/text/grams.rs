//! Jaccard and Dice similarity on q-grams: stretches of `q` characters.

use super::chars::Char;

/// What counts as a q-gram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grams {
    /// Length, from 1 to 6.
    q: u8,
    /// Whether `q - 1` marks, which equal no character, stand before and after the text.
    padded: bool,
    /// Whether a q-gram counts as often as it occurs.
    counted: bool,
}

/// How the q-grams of two texts become a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlap {
    /// In both, over in either.
    Jaccard,
    /// Twice in both, over the sum of the two.
    Dice,
}

/// A mark at either end: no code point.
const MARK: u32 = 0x1F_FFFF;

/// Bits of a character in a packed q-gram.
const BITS: u32 = 21;

impl Grams {
    /// Longest q-gram.
    pub const LONGEST: u8 = 6;

    /// `None` when `q` is not from 1 to 6.
    #[must_use]
    pub fn new(q: u8, padded: bool, counted: bool) -> Option<Self> {
        (1..=Self::LONGEST).contains(&q).then_some(Self { q, padded, counted })
    }

    /// All q-grams of a text, sorted; each as a number.
    fn of<C: Char>(self, text: &[C], out: &mut Vec<u128>) {
        out.clear();
        let q = usize::from(self.q);
        let marks = if self.padded && !text.is_empty() { q - 1 } else { 0 };
        let ends = || std::iter::repeat_n(MARK, marks);
        let codes = ends().chain(text.iter().map(|c| c.code())).chain(ends());
        let mask = (1u128 << (BITS * u32::from(self.q))) - 1;
        let mut gram = 0u128;
        for (i, code) in codes.enumerate() {
            gram = (gram << BITS | u128::from(code)) & mask;
            if i + 1 >= q {
                out.push(gram);
            }
        }
        out.sort_unstable();
        if !self.counted {
            out.dedup();
        }
    }
}

/// Room for the computation.
#[derive(Debug, Default)]
pub(super) struct GramRoom {
    a: Vec<u128>,
    b: Vec<u128>,
}

impl GramRoom {
    /// The similarity. Texts that have no q-gram are as similar as they are equal.
    pub fn similarity<C: Char>(&mut self, overlap: Overlap, grams: Grams, a: &[C], b: &[C]) -> f64 {
        grams.of(a, &mut self.a);
        grams.of(b, &mut self.b);
        let both = self.a.len() + self.b.len();
        if both == 0 {
            return f64::from(u8::from(a == b));
        }
        let common = self.common();
        match overlap {
            Overlap::Jaccard => common as f64 / (both - common) as f64,
            Overlap::Dice => 2.0 * common as f64 / both as f64,
        }
    }

    fn common(&self) -> usize {
        let (mut left, mut right) = (self.a.iter().peekable(), self.b.iter().peekable());
        let mut common = 0;
        while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
            let order = x.cmp(y);
            common += usize::from(order.is_eq());
            if order.is_le() {
                left.next();
            }
            if order.is_ge() {
                right.next();
            }
        }
        common
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(overlap: Overlap, grams: (u8, bool, bool), a: &str, b: &str) -> f64 {
        let grams = Grams::new(grams.0, grams.1, grams.2).unwrap();
        let codes = |s: &str| s.chars().map(u32::from).collect::<Vec<_>>();
        GramRoom::default().similarity(overlap, grams, &codes(a), &codes(b))
    }

    #[test]
    fn as_counted_by_hand() {
        let (jaccard, dice) = (Overlap::Jaccard, Overlap::Dice);
        let plain = (2, false, false);
        assert_eq!(value(dice, plain, "night", "nacht"), 0.25);
        assert_eq!(value(jaccard, plain, "night", "nacht"), 1.0 / 7.0);
        assert_eq!(value(jaccard, plain, "aaaa", "aa"), 1.0);
        assert_eq!(value(jaccard, (2, false, true), "aaaa", "aa"), 1.0 / 3.0);
        assert_eq!(value(jaccard, (2, true, false), "ab", "ac"), 1.0 / 5.0);
        assert_eq!(value(dice, (3, false, false), "ab", "ab"), 1.0);
        assert_eq!(value(dice, (3, false, false), "ab", "ac"), 0.0);
        assert_eq!(value(dice, (3, false, false), "", ""), 1.0);
        assert_eq!(value(dice, (3, true, false), "", "a"), 0.0);
        assert_eq!(value(jaccard, (6, true, true), "اردو", "اردو"), 1.0);
        assert!(Grams::new(0, false, false).is_none() && Grams::new(7, true, false).is_none());
    }
}
