//! Likenesses of pairs of words: a table of fixed size in which a newer pair takes the place of an
//! older one. Two words of a name pair are met again and again.

/// Words have numbers below this.
pub(super) const NUMBERS: u32 = 1 << 17;
/// Bits of a key: two numbers, and whether one is an initial.
const KEY: u32 = 35;
const MASK: u64 = (1 << KEY) - 1;
const MILLION: f64 = 1e6;

/// Two words, the lower number first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub low: u32,
    pub high: u32,
    /// One stands for every word that begins as it does.
    pub initial: bool,
}

/// An entry, of the wanted pair or another.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fetched {
    wanted: u32,
    tag: u32,
    millionths: u32,
}

impl Fetched {
    #[inline(always)]
    pub(super) fn likeness(self) -> Option<f64> {
        (self.tag == self.wanted).then(|| f64::from(self.millionths) / MILLION)
    }
}

/// A table of likenesses.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    /// The lower bits of a mixed key plus one (0: vacant), and the likeness in millionths. The upper
    /// bits are the place, so that no two keys look alike.
    entries: Vec<(u32, u32)>,
    shift: u32,
}

impl Memo {
    /// A table for about `pairs` pairs of words.
    pub(super) fn new(pairs: usize) -> Self {
        // At least 2^4 entries leave 31 bits to tell keys apart.
        let bits = pairs.clamp(1 << 4, 1 << 17).next_power_of_two().trailing_zeros();
        Self { entries: vec![(0, 0); 1 << bits], shift: KEY - bits }
    }

    pub(super) fn clear(&mut self) {
        self.entries.fill((0, 0));
    }

    /// Place and tag of a key. Multiplying by an odd number mixes and loses nothing.
    #[inline(always)]
    fn place(&self, Pair { low, high, initial }: Pair) -> (usize, u32) {
        let key = u64::from(low) | u64::from(high) << 17 | u64::from(initial) << 34;
        let folded = key ^ key >> 18;
        let mixed = folded.wrapping_mul(0x5_851F_42D5) & MASK;
        ((mixed >> self.shift) as usize, (mixed & ((1 << self.shift) - 1)) as u32 + 1)
    }

    /// What stands at the place of a pair. It is fetched here and looked at later, so that memory can
    /// serve many pairs at a time.
    #[inline(always)]
    pub(super) fn fetch(&self, pair: Pair) -> Fetched {
        let (at, wanted) = self.place(pair);
        let (tag, millionths) = self.entries.get(at).copied().unwrap_or_default();
        Fetched { wanted, tag, millionths }
    }

    #[inline(always)]
    pub(super) fn get(&self, pair: Pair) -> Option<f64> {
        self.fetch(pair).likeness()
    }

    /// Keeps a likeness from 0 to 1, and gives it back as [`Memo::get`] will.
    pub(super) fn set(&mut self, pair: Pair, likeness: f64) -> f64 {
        let millionths = (likeness * MILLION).round() as u32;
        let (at, tag) = self.place(pair);
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = (tag, millionths);
        }
        f64::from(millionths) / MILLION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_was_set() {
        let mut memo = Memo::new(64);
        let mut found = 0;
        let pair = |low: u32, high: u32, initial: bool| Pair { low, high, initial };
        for low in 0..200 {
            for high in low..200 {
                let likeness = f64::from(low * 1000 + high) / MILLION;
                assert_eq!(memo.set(pair(low, high, false), likeness), likeness);
                assert_eq!(memo.get(pair(low, high, true)), None);
            }
        }
        for low in 0..200 {
            for high in low..200 {
                if let Some(likeness) = memo.get(pair(low, high, false)) {
                    assert_eq!(likeness, f64::from(low * 1000 + high) / MILLION);
                    found += 1;
                }
            }
        }
        assert!((32..=64).contains(&found), "{found}");
        memo.clear();
        assert_eq!(memo.get(pair(0, 0, false)), None);
    }
}
