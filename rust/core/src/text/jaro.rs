//! Jaro and Jaro-Winkler similarity.
//!
//! Characters match when they are equal and no farther apart than half the longer length, less
//! one; each takes the first free partner. With `m` matches and `t` half the number of matched
//! characters that stand in another order, the similarity is
//! `(m / |a| + m / |b| + (m - t) / m) / 3`, in this order of operations (Jaro 1989; Winkler 1990,
//! whose prefix counts at most four characters and only above 0.7, as in RapidFuzz).
//!
//! The partner of a character is the first free one in a window that only moves right, so the
//! matches of one character are those of two queues. Hence the similarity is symmetric to the bit,
//! and long texts need linear time.

use super::chars::{Char, Ids};
use super::masks::{Masks, WORD};

/// Weight of each character of the common prefix.
const PREFIX_WEIGHT: f64 = 0.1;

/// Similarity above which the prefix counts.
const BOOSTED_ABOVE: f64 = 0.7;

/// Matches, and matched characters in another order (both halves counted).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Matches {
    pub common: u32,
    pub moved: u32,
}

/// How far apart characters may stand.
#[inline(always)]
pub(super) fn reach(a: usize, b: usize) -> usize {
    (a.max(b) / 2).saturating_sub(1)
}

/// The Jaro similarity of texts of `a` and `b` characters.
#[inline(always)]
pub(super) fn jaro(matches: Matches, a: u32, b: u32) -> f64 {
    let (m, t) = (f64::from(matches.common), f64::from(matches.moved / 2));
    let sum = m / f64::from(a) + m / f64::from(b) + (m - t) / m;
    let found = if matches.common == 0 { 0.0 } else { sum / 3.0 };
    if a == 0 && b == 0 { 1.0 } else { found }
}

/// Raises a Jaro similarity for a common prefix of up to four characters.
#[inline(always)]
pub(super) fn winkler(jaro: f64, prefix: u32) -> f64 {
    let boosted = jaro + f64::from(prefix) * PREFIX_WEIGHT * (1.0 - jaro);
    let boosted = if boosted > 1.0 { 1.0 } else { boosted };
    if jaro > BOOSTED_ABOVE { boosted } else { jaro }
}

/// Most that texts of such lengths can have.
#[inline(always)]
pub(super) fn most(a: u32, b: u32) -> f64 {
    jaro(Matches { common: a.min(b), moved: 0 }, a, b)
}

/// Length of the common prefix, up to four.
#[inline(always)]
pub(super) fn prefix<C: Char, D: Char>(a: &[C], b: &[D]) -> u32 {
    a.iter().zip(b).take(4).take_while(|(x, y)| x.code() == y.code()).count() as u32
}

/// Matches within a reach of a pattern, in a table, and a text, both at most 64 long.
#[inline(always)]
pub(super) fn matches_word<C: Char>(masks: &Masks, reach: usize, text: &[C]) -> Matches {
    let reach = reach as u32;
    // Bits `j - reach ..= j + reach` of the pattern, for text character `j`.
    let mut window = low_bits(reach + 1);
    let mut taken = 0u64;
    let mut matched = 0u64;
    for (j, c) in (0..).zip(text) {
        let free = masks.of(*c) & window & !taken;
        taken |= free & free.wrapping_neg();
        matched |= u64::from(free != 0) << j;
        window = window << 1 | u64::from(j < reach);
    }
    let common = taken.count_ones();
    let mut moved = 0;
    while matched != 0 && taken != 0 {
        let first = taken & taken.wrapping_neg();
        let c = text.get(matched.trailing_zeros() as usize).map_or(0, |c| masks.of(*c));
        moved += u32::from(c & first == 0);
        taken ^= first;
        matched &= matched - 1;
    }
    Matches { common, moved }
}

#[inline(always)]
fn low_bits(n: u32) -> u64 {
    if n as usize >= WORD { u64::MAX } else { (1 << n) - 1 }
}

/// Room for the matches of long texts.
#[derive(Debug, Default)]
pub(super) struct Queues {
    /// First free position of each character, and the next one after each position.
    first: Vec<u32>,
    next: Vec<u32>,
    taken: Vec<bool>,
    matched: Vec<u32>,
}

const NONE: u32 = u32::MAX;

impl Queues {
    /// Matches of texts of any length, in linear time.
    pub fn matches(&mut self, ids: &Ids) -> Matches {
        let (pattern, text) = (&ids.pattern, &ids.text);
        let reach = reach(pattern.len(), text.len());
        self.first.clear();
        self.first.resize(ids.count, NONE);
        self.next.clear();
        self.next.resize(pattern.len(), NONE);
        self.taken.clear();
        self.taken.resize(pattern.len(), false);
        self.matched.clear();
        for (i, (id, next)) in pattern.iter().zip(&mut self.next).enumerate().rev() {
            if let Some(first) = self.first.get_mut(*id as usize) {
                *next = std::mem::replace(first, i as u32);
            }
        }
        for (j, id) in text.iter().enumerate() {
            let Some(first) = self.first.get_mut(*id as usize) else { continue };
            let (from, to) = (j.saturating_sub(reach), j + reach);
            while *first != NONE && (*first as usize) < from {
                *first = self.next.get(*first as usize).copied().unwrap_or(NONE);
            }
            let i = *first as usize;
            if *first != NONE && i <= to {
                *first = self.next.get(i).copied().unwrap_or(NONE);
                if let Some(taken) = self.taken.get_mut(i) {
                    *taken = true;
                }
                self.matched.push(*id);
            }
        }
        let taken = pattern.iter().zip(&self.taken).filter(|(_, taken)| **taken).map(|(id, _)| id);
        let moved = taken.zip(&self.matched).filter(|(a, b)| a != b).count();
        Matches { common: self.matched.len() as u32, moved: moved as u32 }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// The definition, word for word.
    pub fn naive(a: &[u32], b: &[u32]) -> Matches {
        let reach = reach(a.len(), b.len());
        let (mut in_a, mut in_b) = (vec![false; a.len()], vec![false; b.len()]);
        for (i, x) in a.iter().enumerate() {
            let near = |j: &usize| i.abs_diff(*j) <= reach && !in_b[*j] && b[*j] == *x;
            if let Some(j) = (0..b.len()).find(near) {
                (in_a[i], in_b[j]) = (true, true);
            }
        }
        let picked = |s: &[u32], is: &[bool]| -> Vec<u32> {
            s.iter().zip(is).filter(|(_, is)| **is).map(|(c, _)| *c).collect()
        };
        let (x, y) = (picked(a, &in_a), picked(b, &in_b));
        let moved = x.iter().zip(&y).filter(|(c, d)| c != d).count();
        Matches { common: x.len() as u32, moved: moved as u32 }
    }

    #[test]
    fn word_and_queues_match_as_defined() {
        let mut state = 7u32;
        let mut draw = |n: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % n
        };
        let (mut masks, mut ids, mut queues) =
            (Masks::default(), Ids::default(), Queues::default());
        for round in 0..20_000 {
            let longest = if round % 4 == 0 { 150 } else { 65 };
            let letters = [2, 4, 26, 3000][round % 4];
            let mut text = || -> Vec<u32> {
                let n = draw(longest);
                (0..n).map(|_| 0x600 + draw(letters)).collect()
            };
            let (a, b) = (text(), text());
            let expected = naive(&a, &b);
            assert_eq!(naive(&b, &a), expected, "{a:?} {b:?}");
            ids.set(&a, &b);
            assert_eq!(queues.matches(&ids), expected, "{a:?} {b:?}");
            if a.len() <= WORD && b.len() <= WORD {
                masks.set(&a);
                let found = matches_word(&masks, reach(a.len(), b.len()), &b);
                assert_eq!(found, expected, "{a:?} {b:?}");
                masks.clear(&a);
            }
        }
    }

    #[test]
    fn known_values() {
        let value = |a: &str, b: &str| {
            let (x, y) = (a.chars().map(u32::from), b.chars().map(u32::from));
            let (x, y): (Vec<u32>, Vec<u32>) = (x.collect(), y.collect());
            let found = jaro(naive(&x, &y), x.len() as u32, y.len() as u32);
            (found, winkler(found, prefix(&x, &y)))
        };
        assert_eq!(value("MARTHA", "MARHTA"), (0.944_444_444_444_444_5, 0.961_111_111_111_111_1));
        assert_eq!(value("", ""), (1.0, 1.0));
        assert_eq!(value("", "a"), (0.0, 0.0));
        assert_eq!(value("ab", "ba"), (0.0, 0.0));
    }
}
