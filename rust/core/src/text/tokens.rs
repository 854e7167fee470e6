//! Similarity of texts as words in any order: the `token_sort_ratio` and `token_set_ratio` of
//! RapidFuzz (after FuzzyWuzzy), over 100.
//!
//! Both rest on the insertions and deletions from one text to the other, `d`, over both lengths.

use super::chars::Char;
use super::edit::Edits;
use super::masks::Masks;

/// What separates words. As in RapidFuzz, U+0085 and U+00A0 do so only in a text that has a
/// character above U+00FF.
#[inline(always)]
fn is_space(code: u32, wide: bool) -> bool {
    match code {
        0x09..=0x0D | 0x1C..=0x20 => true,
        0x85 | 0xA0 => wide,
        0x1680 | 0x2000..=0x200A | 0x2028 | 0x2029 | 0x202F | 0x205F | 0x3000 => true,
        _ => false,
    }
}

/// The words, sorted by code points.
fn sorted_words<C: Char>(text: &[C]) -> Vec<&[C]> {
    let wide = text.iter().any(|c| c.code() > 0xFF);
    let words = text.split(|c| is_space(c.code(), wide));
    let mut words: Vec<&[C]> = words.filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words
}

fn joined<C: Char>(words: &[&[C]]) -> Vec<C> {
    words.join(&[C::SPACE][..])
}

/// `1 - d / (|a| + |b|)` of the sorted words, in RapidFuzz's order of operations.
pub(super) fn token_sort<C: Char>(edits: &mut Edits, masks: &mut Masks, a: &[C], b: &[C]) -> f64 {
    let a = joined(&sorted_words(a));
    let b = joined(&sorted_words(b));
    let both = a.len() + b.len();
    let edited = both - 2 * edits.common(masks, &a, &b);
    let distance = if both == 0 { 0.0 } else { edited as f64 / both as f64 };
    (1.0 - distance) * 100.0 / 100.0
}

/// The best of three ratios: the words that only one text has against those that only the other
/// has, both after the common words; and the common words against each text. 1 when the words of
/// one are all in the other; 0 when a text has no words.
pub(super) fn token_set<C: Char>(edits: &mut Edits, masks: &mut Masks, a: &[C], b: &[C]) -> f64 {
    let (mut a, mut b) = (sorted_words(a), sorted_words(b));
    a.dedup();
    b.dedup();
    if a.is_empty() || b.is_empty() {
        return 0.0;
    }
    let (common, only_a): (Vec<&[C]>, Vec<&[C]>) =
        a.iter().copied().partition(|word| b.binary_search(word).is_ok());
    b.retain(|word| common.binary_search(word).is_err());
    if !common.is_empty() && (only_a.is_empty() || b.is_empty()) {
        return 1.0;
    }
    let (only_a, only_b) = (joined(&only_a), joined(&b));
    let shared = joined(&common).len();
    let gap = usize::from(shared > 0);
    let edited = only_a.len() + only_b.len() - 2 * edits.common(masks, &only_a, &only_b);
    let (with_a, with_b) = (shared + gap + only_a.len(), shared + gap + only_b.len());
    let mut best = ratio(edited, with_a + with_b);
    if shared > 0 {
        best = best.max(ratio(gap + only_a.len(), shared + with_a));
        best = best.max(ratio(gap + only_b.len(), shared + with_b));
    }
    best / 100.0
}

/// RapidFuzz's `100 - 100 d / n`.
fn ratio(edited: usize, both: usize) -> f64 {
    if both == 0 { 100.0 } else { 100.0 - 100.0 * edited as f64 / both as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(a: &str, b: &str) -> (f64, f64) {
        let (mut edits, mut masks) = (Edits::default(), Masks::default());
        let (a, b): (Vec<u32>, Vec<u32>) =
            (a.chars().map(u32::from).collect(), b.chars().map(u32::from).collect());
        (token_sort(&mut edits, &mut masks, &a, &b), token_set(&mut edits, &mut masks, &a, &b))
    }

    #[test]
    fn words_are_compared_in_any_order() {
        assert_eq!(both("Khan Amina", "Amina  Khan"), (1.0, 1.0));
        assert_eq!(both("Amina Bibi Khan", "Amina Khan").1, 1.0);
        assert_eq!(both("", ""), (1.0, 0.0));
        assert_eq!(both(" ", "a"), (0.0, 0.0));
    }

    #[test]
    fn some_spaces_need_a_wide_text() {
        assert_eq!(both("b\u{a0}a", "a b").1, 0.0 + both("b\u{a0}a", "a b").1);
        assert!(both("b\u{a0}a", "a b").0 < 1.0);
        assert_eq!(both("ب\u{a0}ا", "ا ب").0, 1.0);
    }
}
