//! The characters of a dictionary: a symbol for each, and classes of symbols.

use super::super::chars::Char;
use super::Texts;

/// Unit in which strings are stored: the rank of a character among those of the dictionary.
pub(super) trait Symbol: Char + Into<u32> + Send + Sync + 'static {
    /// Stands for every character that the dictionary does not have. No stored string has it.
    const UNKNOWN: Self;

    /// The symbol of a rank; `UNKNOWN` beyond the width.
    fn of_rank(rank: u32) -> Self;

    /// The symbols as ASCII text, if that is what they are.
    fn as_ascii(symbols: &[Self]) -> Option<&[u8]>;
}

impl Symbol for u8 {
    const UNKNOWN: Self = Self::MAX;

    #[inline]
    fn of_rank(rank: u32) -> Self {
        Self::try_from(rank).unwrap_or(Self::MAX)
    }

    #[inline]
    fn as_ascii(symbols: &[Self]) -> Option<&[u8]> {
        symbols.is_ascii().then_some(symbols)
    }
}

impl Symbol for u32 {
    const UNKNOWN: Self = Self::MAX;

    #[inline]
    fn of_rank(rank: u32) -> Self {
        rank
    }

    fn as_ascii(_: &[Self]) -> Option<&[u8]> {
        None
    }
}

/// Number of classes. Class 0 is that of no character.
pub(super) const CLASSES: usize = 64;

/// The most frequent characters have a class of their own, the others share the last eight.
const OWN_CLASSES: u32 = 55;

/// The class, from 1 to 63, of a symbol.
#[inline]
pub(super) fn class(symbol: u32) -> u8 {
    let class = if symbol < OWN_CLASSES { symbol } else { OWN_CLASSES + symbol % 8 };
    1 + class as u8
}

/// The characters of a text; bytes that are not UTF-8 count as replacement characters.
pub(super) fn chars(text: &[u8]) -> impl Iterator<Item = char> {
    text.utf8_chunks().flat_map(|chunk| {
        let invalid = !chunk.invalid().is_empty();
        chunk.valid().chars().chain(invalid.then_some(char::REPLACEMENT_CHARACTER))
    })
}

/// Ranks of characters: the most frequent has rank 0.
#[derive(Debug, Clone)]
pub(super) struct Alphabet {
    /// By code point; `u32::MAX` for those that no string has.
    ranks: Vec<u32>,
    size: usize,
}

impl Alphabet {
    /// The characters of texts, and all of ASCII. Counts those of every `step`-th text.
    pub fn of(texts: &impl Texts, step: usize) -> Self {
        let mut counts: Vec<u64> = vec![0; 128];
        for row in 0..texts.len() {
            let sampled = row % step == 0;
            let Some(text) = texts.get(row) else { continue };
            if !sampled && text.is_ascii() {
                continue; // nothing new
            }
            for code in chars(text).map(|c| c as usize) {
                if code >= counts.len() {
                    counts.resize(code + 1, 0);
                }
                if let Some(count) = counts.get_mut(code) {
                    *count = (*count + u64::from(sampled)).max(1);
                }
            }
        }
        let mut codes: Vec<usize> =
            (0..).zip(&counts).filter(|(c, n)| *c < 128 || **n > 0).map(|(c, _)| c).collect();
        codes.sort_by_key(|&code| std::cmp::Reverse(counts.get(code).copied()));
        let mut ranks = vec![u32::MAX; counts.len()];
        for (rank, &code) in (0..).zip(&codes) {
            if let Some(slot) = ranks.get_mut(code) {
                *slot = rank;
            }
        }
        Self { ranks, size: codes.len() }
    }

    /// Whether every character has a symbol of one byte.
    pub fn is_narrow(&self) -> bool {
        self.size <= usize::from(u8::UNKNOWN)
    }

    /// Appends the symbols of a text.
    pub fn encode<S: Symbol>(&self, text: &[u8], out: &mut Vec<S>) {
        let symbol = |code: usize| self.ranks.get(code).map_or(S::UNKNOWN, |&r| S::of_rank(r));
        if text.is_ascii() {
            out.extend(text.iter().map(|&byte| symbol(usize::from(byte))));
        } else {
            out.extend(chars(text).map(|c| symbol(c as usize)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_characters_and_only_those_have_equal_symbols() {
        let texts: [Option<&[u8]>; 4] =
            [Some(b"abca"), None, Some("محمد😀".as_bytes()), Some(b"a\xFFb\xE0\x80")];
        let alphabet = Alphabet::of(&texts.as_slice(), 1);
        assert!(alphabet.is_narrow());
        let encode = |text: &[u8]| {
            let mut symbols: Vec<u8> = vec![];
            alphabet.encode(text, &mut symbols);
            symbols
        };
        let all = encode("abcdefgh محد😀\u{FFFD}".as_bytes());
        let mut distinct = all.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), all.len());
        assert!(!all.contains(&u8::UNKNOWN));
        assert_eq!(encode("گ𝄞".as_bytes()), [u8::UNKNOWN; 2]);
        assert_eq!(encode(b"a\xFFb\xE0\x80"), encode("a\u{FFFD}b\u{FFFD}\u{FFFD}".as_bytes()));
    }

    #[test]
    fn many_characters_need_wide_symbols() {
        let text: String = ('\u{4E00}'..'\u{4F00}').collect();
        let texts: [Option<&[u8]>; 1] = [Some(text.as_bytes())];
        assert!(!Alphabet::of(&texts.as_slice(), 1).is_narrow());
    }

    #[test]
    fn classes_are_from_1_to_63() {
        let mut classes: Vec<u8> = (0..1000).map(class).collect();
        classes.sort_unstable();
        classes.dedup();
        assert_eq!(classes, (1..=63).collect::<Vec<u8>>());
        assert!((1..=63).contains(&class(u32::MAX)));
    }
}
