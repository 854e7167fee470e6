//! Numbers in bytes, little end first, and the two sums of bytes that a file depends on. What is read
//! may be anything: beyond the end there is nothing.

/// 32-bit numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct U32s<'a>(&'a [[u8; 4]]);

impl<'a> U32s<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    pub(crate) fn get(self, i: usize) -> Option<u32> {
        self.0.get(i).copied().map(u32::from_le_bytes)
    }

    /// Numbers from one place to another.
    #[inline(always)]
    pub(crate) fn slice(self, from: usize, to: usize) -> Self {
        Self(self.0.get(from..to).unwrap_or_default())
    }

    /// How many numbers at the start are below a bound; they ascend.
    #[inline]
    pub(crate) fn below(self, bound: u32) -> usize {
        self.0.partition_point(|x| u32::from_le_bytes(*x) < bound)
    }

    /// The same, for a few.
    #[inline(always)]
    pub(crate) fn count_below(self, bound: u32) -> usize {
        self.0.iter().filter(|x| u32::from_le_bytes(**x) < bound).count()
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = u32> + 'a {
        self.0.iter().copied().map(u32::from_le_bytes)
    }
}

/// 64-bit numbers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct U64s<'a>(&'a [[u8; 8]]);

impl<'a> U64s<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes.as_chunks().0)
    }

    pub(crate) fn len(self) -> usize {
        self.0.len()
    }

    #[inline(always)]
    pub(crate) fn get(self, i: usize) -> Option<u64> {
        self.0.get(i).copied().map(u64::from_le_bytes)
    }

    /// How many of the `N` numbers from a place on are below a bound; fewer are there at the end.
    #[inline(always)]
    pub(crate) fn count_below<const N: usize>(self, from: usize, bound: u64) -> usize {
        let some = self.0.get(from..).unwrap_or_default();
        let below = |x: &&[u8; 8]| u64::from_le_bytes(**x) < bound;
        match some.first_chunk::<N>() {
            // Its length is known to the compiler.
            Some(all) => all.iter().filter(below).count(),
            None => some.iter().filter(below).count(),
        }
    }
}

/// Texts, by where each ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TextsOf<'a> {
    pub(crate) ends: U32s<'a>,
    pub(crate) text: &'a [u8],
}

impl<'a> TextsOf<'a> {
    /// A text; empty for one there is not.
    #[inline]
    pub(crate) fn get(self, i: usize) -> &'a [u8] {
        let start = match i.checked_sub(1) {
            Some(before) => self.ends.get(before),
            None => Some(0),
        };
        let found = start.zip(self.ends.get(i));
        found.and_then(|(a, b)| self.text.get(a as usize..b as usize)).unwrap_or_default()
    }
}

pub(crate) fn of_u32s(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    numbers.into_iter().flat_map(u32::to_le_bytes).collect()
}

pub(crate) fn of_u64s(numbers: impl IntoIterator<Item = u64>) -> Vec<u8> {
    numbers.into_iter().flat_map(u64::to_le_bytes).collect()
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

/// Both halves of a product folded into one (W. Yi, wyhash). Files hold what comes of it: it stays.
#[inline(always)]
pub(crate) fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state.rotate_left(5) ^ word) * u128::from(ODD);
    (product >> 64) as u64 ^ product as u64
}

/// A number that tells bytes apart: the key of a look-up, or the checksum of a section.
#[inline]
pub(crate) fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let start = mix(ODD, bytes.len() as u64);
    let state = words.iter().fold(start, |state, word| mix(state, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    mix(mix(state, u64::from_le_bytes(last)), ODD)
}

/// The same for a word.
#[inline(always)]
pub(crate) fn sum_of_word(word: u64) -> u64 {
    mix(mix(ODD, word), ODD)
}
