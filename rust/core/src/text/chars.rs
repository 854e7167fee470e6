//! Text as characters: Unicode code points, whatever the bytes are.

use std::collections::BTreeMap;

/// A character: a byte of ASCII text, or a code point.
pub(super) trait Char: Copy + Eq + Ord {
    /// U+0020.
    const SPACE: Self;

    /// The code point.
    fn code(self) -> u32;
}

impl Char for u8 {
    const SPACE: Self = b' ';

    #[inline(always)]
    fn code(self) -> u32 {
        self.into()
    }
}

impl Char for u32 {
    const SPACE: Self = b' ' as u32;

    #[inline(always)]
    fn code(self) -> u32 {
        self
    }
}

/// Room for the code points of one text; it grows to the longest and stays.
#[derive(Debug, Default)]
pub(super) struct Decoded(Vec<u32>);

impl Decoded {
    /// Code points of UTF-8 text. Bytes that are not UTF-8 count as U+FFFD, one for each stretch
    /// that [`String::from_utf8_lossy`] would replace.
    #[inline(always)]
    pub fn decode(&mut self, bytes: &[u8]) -> &[u32] {
        if self.0.len() < bytes.len() {
            self.0.resize(bytes.len(), 0);
        }
        let out = self.0.as_mut_slice();
        // The first letter that is not ASCII tells the script, as a rule.
        let latin = bytes.iter().find(|b| **b >= 0x80).is_some_and(|b| *b < AFTER_LATIN);
        let count = if latin { decode_latin(bytes, out) } else { None };
        let count = count.or_else(|| decode(bytes, out));
        let count = count.unwrap_or_else(|| lossy(bytes, out));
        self.0.get(..count).unwrap_or(&[])
    }
}

/// First byte of characters from U+0280 on: until there, Latin letters.
const AFTER_LATIN: u8 = 0xCA;

/// First character after them: their codes are small enough to be indices.
const LATIN: u32 = 0x280;

/// First byte of characters of three bytes.
const THREE_BYTES: u8 = 0xE0;

/// [`decode`] for text whose characters have one or two bytes, else `None`: without branches,
/// because nobody foresees which Latin letters have marks.
#[inline(always)]
fn decode_latin(bytes: &[u8], out: &mut [u32]) -> Option<usize> {
    if !is_two_bytes_at_most(bytes) {
        return None;
    }
    let mut count = 0;
    let mut put = |b: u8, next: u8| {
        let two = u32::from(b & 0x1F) << 6 | u32::from(next & 0x3F);
        if let Some(slot) = out.get_mut(count) {
            *slot = if b < 0x80 { b.into() } else { two };
        }
        count += usize::from(!goes_on(b));
    };
    for (b, next) in bytes.iter().zip(bytes.iter().skip(1)) {
        put(*b, *next);
    }
    if let Some(last) = bytes.last() {
        put(*last, 0);
    }
    Some(count)
}

/// Whether bytes are UTF-8 of characters of one or two bytes; a loop that becomes vectors.
#[inline(always)]
fn is_two_bytes_at_most(bytes: &[u8]) -> bool {
    let next = bytes.get(1..).unwrap_or(&[]);
    let wrong = bytes.iter().zip(next).fold(0, |wrong, (b, next)| {
        let alone = (*b >= 0xC0) != goes_on(*next);
        wrong | u8::from(alone) | u8::from(*b & 0xFE == 0xC0) | u8::from(*b >= THREE_BYTES)
    });
    let first = bytes.first().is_none_or(|b| !goes_on(*b));
    wrong == 0 && first && bytes.last().is_none_or(|b| *b < 0xC0)
}

/// Whether a byte is not the first of its character.
#[inline(always)]
fn goes_on(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Decodes text and checks it on the way, which for a name is twice as fast as the standard
/// library's check and then its decoder; `None` when it is not UTF-8.
#[inline(always)]
fn decode(bytes: &[u8], out: &mut [u32]) -> Option<usize> {
    let low = |b: u8| u32::from(b & 0x3F);
    let (mut rest, mut count) = (bytes, 0);
    for slot in out {
        (*slot, rest) = match *rest {
            [] => break,
            [a, ref rest @ ..] if a < 0x80 => (a.into(), rest),
            [a @ 0xC2..0xE0, b, ref rest @ ..] if goes_on(b) => {
                (u32::from(a & 0x1F) << 6 | low(b), rest)
            }
            [a @ 0xE0..0xF0, b, c, ref rest @ ..] if goes_on(b) && goes_on(c) => {
                let code = u32::from(a & 0x0F) << 12 | low(b) << 6 | low(c);
                if code < 0x800 || code >> 11 == 0xD800 >> 11 {
                    return None;
                }
                (code, rest)
            }
            [a @ 0xF0..0xF5, b, c, d, ref rest @ ..] if goes_on(b) && goes_on(c) && goes_on(d) => {
                let code = u32::from(a & 0x07) << 18 | low(b) << 12 | low(c) << 6 | low(d);
                if !(0x1_0000..0x11_0000).contains(&code) {
                    return None;
                }
                (code, rest)
            }
            _ => return None,
        };
        count += 1;
    }
    Some(count)
}

#[cold]
fn lossy(bytes: &[u8], out: &mut [u32]) -> usize {
    let chars = bytes.utf8_chunks().flat_map(|chunk| {
        let replaced = (!chunk.invalid().is_empty()).then_some(char::REPLACEMENT_CHARACTER);
        chunk.valid().chars().chain(replaced)
    });
    out.iter_mut().zip(chars).map(|(slot, c)| *slot = c.into()).count()
}

/// Without what both begin with, and what both end with; and how many characters that was.
#[inline(always)]
pub(super) fn without_affixes<'a, C: Char>(a: &'a [C], b: &'a [C]) -> (&'a [C], &'a [C], usize) {
    let prefix = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(prefix..).unwrap_or(&[]), b.get(prefix..).unwrap_or(&[]));
    let suffix = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count();
    let cut = |s: &'a [C]| s.get(..s.len() - suffix).unwrap_or(&[]);
    (cut(a), cut(b), prefix + suffix)
}

/// Two texts as small numbers, equal where the characters are: what the kernels for long texts
/// use as indices.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Of the pattern.
    pub pattern: Vec<u32>,
    /// Of the text; 0 where the character is not in the pattern, unless all characters are Latin.
    pub text: Vec<u32>,
    /// One more than the largest.
    pub count: usize,
    known: Known,
}

impl Ids {
    pub fn set<C: Char>(&mut self, pattern: &[C], text: &[C]) {
        self.pattern.clear();
        self.text.clear();
        let largest = |all: &[C]| all.iter().fold(0, |most, c| c.code().max(most));
        if size_of::<C>() == 1 || largest(pattern).max(largest(text)) < LATIN {
            self.pattern.extend(pattern.iter().map(|c| c.code()));
            self.text.extend(text.iter().map(|c| c.code()));
            self.count = LATIN as usize;
            return;
        }
        let known = &mut self.known;
        known.prepare(pattern.len());
        self.pattern.extend(pattern.iter().map(|c| known.id_or_new(c.code())));
        self.text.extend(text.iter().map(|c| known.id(c.code())));
        self.count = known.next as usize;
    }
}

/// Numbers from 1 for characters, as they come. Code points below U+0800 are looked up directly,
/// others by open addressing, at most half full. Text that is made to be slow is caught by the
/// length of a probe: then a tree takes over.
#[derive(Debug, Default)]
struct Known {
    low: Vec<u32>,
    slots: Vec<(u32, u32)>,
    crowded: BTreeMap<u32, u32>,
    next: u32,
}

/// Characters that UTF-8 writes in two bytes at most.
const LOW: usize = 0x800;

/// Longest probe; more are likely only by intent.
const PROBES: usize = 32;

impl Known {
    /// Forgets all, and makes room for so many characters.
    fn prepare(&mut self, most: usize) {
        self.low.clear();
        self.low.resize(LOW, 0);
        self.slots.clear();
        self.slots.resize((2 * most.min(0x11_0000)).next_power_of_two(), (0, 0));
        self.crowded.clear();
        self.next = 1;
    }

    #[inline(always)]
    fn probes(&self, code: u32) -> impl Iterator<Item = usize> + use<> {
        let mask = self.slots.len() - 1;
        let start = (code ^ (code >> 9)) as usize;
        (0..PROBES).map(move |i| (start + i) & mask)
    }

    #[inline(always)]
    fn id(&self, code: u32) -> u32 {
        match self.low.get(code as usize) {
            Some(id) => *id,
            None => self.id_high(code),
        }
    }

    fn id_high(&self, code: u32) -> u32 {
        for i in self.probes(code) {
            match self.slots.get(i) {
                Some(&(_, 0)) | None => return 0,
                Some(&(c, id)) if c == code => return id,
                Some(_) => {}
            }
        }
        self.crowded.get(&code).copied().unwrap_or(0)
    }

    #[inline(always)]
    fn id_or_new(&mut self, code: u32) -> u32 {
        let found = self.id(code);
        if found != 0 {
            return found;
        }
        let id = self.next;
        self.next += 1;
        match self.low.get_mut(code as usize) {
            Some(slot) => *slot = id,
            None => self.insert_high(code, id),
        }
        id
    }

    fn insert_high(&mut self, code: u32, id: u32) {
        let free = self.probes(code).find(|&i| self.slots.get(i).is_some_and(|s| s.1 == 0));
        match free.and_then(|i| self.slots.get_mut(i)) {
            Some(slot) => *slot = (code, id),
            None => {
                self.crowded.insert(code, id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let mut decoded = Decoded::default();
        let mut check = |bytes: &[u8]| {
            let lossy = String::from_utf8_lossy(bytes);
            let codes: Vec<u32> = lossy.chars().map(u32::from).collect();
            assert_eq!(decoded.decode(bytes), codes, "{bytes:x?}");
        };
        check("اردو naam\u{200c} 漢 𐍈".as_bytes());
        for length in 0..100 {
            let text: String = ('ا'..).chain('é'..).take(length).collect();
            check(text.as_bytes());
            check(&[text.as_bytes(), &[0xD9]].concat());
        }
        let bytes = [b'a', 0x80, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xA0, 0xED, 0xF0, 0x90, 0xFF];
        for first in bytes {
            for second in bytes {
                for third in bytes {
                    check(&[first, second, third]);
                    check(&[b'a', first, second, third, 0xB0, b'b']);
                }
            }
        }
    }

    #[test]
    fn ids_are_equal_where_characters_are() {
        let pattern: Vec<u32> = (0..500).map(|i| (i * i * 7919) % 0x11_0000).collect();
        let text: Vec<u32> = (0..700).map(|i| (i * i * 7919 + i % 3) % 0x11_0000).collect();
        let mut ids = Ids::default();
        ids.set(&pattern, &text);
        for (c, id) in pattern.iter().zip(&ids.pattern) {
            assert!(*id > 0 && (*id as usize) < ids.count);
            for (d, other) in pattern.iter().zip(&ids.pattern) {
                assert_eq!(c == d, id == other);
            }
            for (d, other) in text.iter().zip(&ids.text) {
                assert_eq!(c == d, id == other);
            }
        }
    }

    #[test]
    fn crowded_characters_are_told_apart() {
        // All start their probe at one slot.
        let pattern: Vec<u32> =
            (1..120).map(|i| i << 9 | i).map(|c| c & 0xF_FFFF | 0x800).collect();
        let mut ids = Ids::default();
        ids.set(&pattern, &pattern);
        assert_eq!(ids.pattern, ids.text);
        let distinct = |v: &[u32]| v.iter().collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(distinct(&pattern), distinct(&ids.pattern));
    }

    #[test]
    fn affixes_are_cut_once() {
        let cut = |a: &'static [u8], b: &'static [u8]| without_affixes(a, b);
        assert_eq!(cut(b"aaa", b"aa"), (&b"a"[..], &b""[..], 2));
        assert_eq!(cut(b"xay", b"xby"), (&b"a"[..], &b"b"[..], 2));
        assert_eq!(cut(b"", b"ab"), (&b""[..], &b"ab"[..], 0));
    }
}
