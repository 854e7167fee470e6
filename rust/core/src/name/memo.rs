//! Likenesses of pairs of words: a table of fixed size in which a newer pair takes the place of an
//! older one. Two words of a name pair are met again and again.

const MILLION: f64 = 1e6;
/// Bits of a likeness in millionths plus one.
const VALUE: u32 = 20;
const VALUES: u64 = (1 << VALUE) - 1;
/// Numbers of words have at most this many bits.
const LONGEST: u32 = 30;
/// Entries of a table: two megabytes at most.
const ENTRIES: (usize, usize) = (1 << 4, 1 << 18);
const ODD: u64 = 0x5851_F42D_4C95_7F2D;

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
    wanted: u64,
    entry: u64,
}

impl Fetched {
    /// What stands there, whatever it is.
    #[inline(always)]
    pub(super) fn entry(self) -> u64 {
        self.entry
    }

    #[inline(always)]
    pub(super) fn likeness(self) -> Option<f64> {
        let millionths = (self.entry & VALUES).wrapping_sub(1);
        // A vacant entry has no value.
        let found = self.entry >> VALUE == self.wanted && millionths < VALUES;
        found.then(|| f64::from(millionths as u32) / MILLION)
    }
}

/// A table of likenesses.
#[derive(Debug, Clone)]
pub(super) struct Memo {
    /// The lower bits of a mixed key, and the likeness in millionths plus one (0: vacant). The upper
    /// bits are the place, so that no two keys look alike.
    entries: Vec<u64>,
    /// Bits of a number of a word.
    bits: u32,
    /// Bits of a key that are kept in an entry.
    kept: u32,
}

impl Memo {
    /// A table for about `pairs` pairs of words with numbers below `numbers`, which is at most 2^30.
    pub(super) fn new(pairs: usize, numbers: u32) -> Self {
        let bits = (u32::BITS - numbers.leading_zeros()).min(LONGEST);
        let key = 2 * bits + 1;
        let (least, most) = ENTRIES;
        let wanted = pairs.clamp(least, most).next_power_of_two().trailing_zeros();
        // What an entry has no room for is place.
        let place = wanted.max(key.saturating_sub(u64::BITS - VALUE));
        let place = place.min(key);
        Self { entries: vec![0; 1 << place], bits, kept: key - place }
    }

    pub(super) fn clear(&mut self) {
        self.entries.fill(0);
    }

    /// Place and tag of a key. Multiplying by an odd number mixes and loses nothing.
    #[inline(always)]
    fn place(&self, Pair { low, high, initial }: Pair) -> (usize, u64) {
        let key =
            u64::from(low) | u64::from(high) << self.bits | u64::from(initial) << (2 * self.bits);
        let folded = key ^ key >> (self.bits + 1);
        let mixed = folded.wrapping_mul(ODD) & ((2 << (2 * self.bits)) - 1);
        ((mixed >> self.kept) as usize, mixed & ((1 << self.kept) - 1))
    }

    /// What stands at the place of a pair.
    #[inline(always)]
    pub(super) fn fetch(&self, pair: Pair) -> Fetched {
        let (at, wanted) = self.place(pair);
        Fetched { wanted, entry: self.entries.get(at).copied().unwrap_or_default() }
    }

    /// Keeps a likeness from 0 to 1, and gives it back as [`Memo::fetch`] will.
    pub(super) fn set(&mut self, pair: Pair, likeness: f64) -> f64 {
        let millionths = (likeness * MILLION).round() as u32;
        let (at, tag) = self.place(pair);
        if let Some(entry) = self.entries.get_mut(at) {
            *entry = tag << VALUE | u64::from(millionths + 1);
        }
        f64::from(millionths) / MILLION
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(mut memo: Memo, first: u32, most: std::ops::RangeInclusive<i32>) {
        let mut found = 0;
        let pair = |low: u32, high: u32, initial: bool| Pair {
            low: first + low,
            high: first + high,
            initial,
        };
        let likeness = |low: u32, high: u32| f64::from(low * 1000 + high) / MILLION;
        for low in 0..200 {
            for high in low..200 {
                let likeness = likeness(low, high);
                assert_eq!(memo.set(pair(low, high, false), likeness), likeness);
                assert_eq!(memo.fetch(pair(low, high, true)).likeness(), None);
            }
        }
        for low in 0..200 {
            for high in low..200 {
                if let Some(found_here) = memo.fetch(pair(low, high, false)).likeness() {
                    assert_eq!(found_here, likeness(low, high));
                    found += 1;
                }
            }
        }
        assert!(most.contains(&found), "{found}");
        memo.clear();
        assert_eq!(memo.fetch(pair(0, 0, false)).likeness(), None);
    }

    #[test]
    fn what_is_found_is_what_was_set() {
        check(Memo::new(64, 1 << 17), 0, 32..=64);
        check(Memo::new(64, 1 << 17), (1 << 17) - 200, 32..=64);
        check(Memo::new(64, (1 << 30) - 1), (1 << 30) - 200, 15_000..=20_100);
    }

    #[test]
    fn a_vacant_entry_is_nothing() {
        let memo = Memo::new(1, 1);
        assert_eq!(memo.fetch(Pair { low: 0, high: 0, initial: false }).likeness(), None);
    }
}
