//! Text: labels aside, is what remains a number, and which?

use super::clean;
use super::number::written;
use super::scan::{Scanned, Words};
use super::words;
use super::{MOST_OF_ONE, Reading, of_digits};
use crate::cnic::digits::Digits;
use crate::cnic::kind::{Issue, Kind};

/// Reads text; bytes that are not UTF-8 are signs that no number has.
#[must_use]
#[inline]
pub fn text(text: &[u8]) -> Reading {
    match clean(text) {
        Some(value) => of_digits(Digits { value, len: 13, doubtful: 0 }, false),
        None => any_text(text),
    }
}

/// Any text, out of the way of the clean one.
#[cold]
#[inline(never)]
fn any_text(text: &[u8]) -> Reading {
    let scanned = Scanned::new(text);
    if scanned.long {
        return Reading::of(Kind::Malformed, Issue::OtherText);
    }
    let mut signs = [b' '; 96];
    let mut words = scanned.words;
    let kept = signs.get_mut(..scanned.signs().len()).unwrap_or(&mut []);
    kept.copy_from_slice(scanned.signs());
    take_out_words(kept, &mut words);
    let kept = trim(kept);
    let count = Count::of(kept);
    if count.digits == 0 {
        return without_digits(&count);
    }
    if words.nothing {
        return Reading::of(Kind::Malformed, Issue::OtherText);
    }
    if words.foreign {
        return Reading::of(Kind::ForeignId, Issue::None);
    }
    if words.passport || is_passport(kept) {
        return Reading::of(Kind::Passport, Issue::None);
    }
    if (words.phone && count.digits < 13) || is_international(kept) {
        return Reading::of(Kind::Phone, Issue::None);
    }
    written(kept).unwrap_or_else(|| of_signs(kept, &count))
}

/// How many signs of each kind.
#[derive(Default)]
struct Count {
    digits: usize,
    /// Letters that look like digits.
    alike: usize,
    /// `*` and `X`.
    hidden: usize,
    /// What has no part in a number.
    other: usize,
}

impl Count {
    fn of(signs: &[u8]) -> Self {
        let mut count = Self::default();
        for sign in signs {
            match sign {
                b'0'..=b'9' => count.digits += 1,
                b'*' | b'x' | b'X' => count.hidden += 1,
                sign if alike(*sign).is_some() => count.alike += 1,
                b' ' | b'-' | b'.' | b',' | b'/' | b'+' | b'&' => {}
                _ => count.other += 1,
            }
        }
        count
    }
}

/// The digit that scanners take for this letter, or the reverse.
fn alike(sign: u8) -> Option<u8> {
    Some(match sign {
        b'O' | b'o' => 0,
        b'I' | b'i' | b'l' | b'|' => 1,
        b'Z' | b'z' => 2,
        b'S' | b's' => 5,
        b'G' => 6,
        b'B' => 8,
        _ => return None,
    })
}

/// Replaces the words we know by blanks. A word may stick to the number: `CNIC3520212345671`.
fn take_out_words(signs: &mut [u8], words: &mut Words) {
    // Single letters look like digits: the B of "B-Form" like an 8.
    for phrase in [&b"B-FORM"[..], b"B FORM", b"N.I.C", b"I.D"] {
        let found = signs.windows(phrase.len()).position(|w| w.eq_ignore_ascii_case(phrase));
        if let Some(place) = found.and_then(|at| signs.get_mut(at..at + phrase.len())) {
            place.fill(b' ');
        }
    }
    let mut start = 0;
    while let Some(rest) = signs.get(start..).filter(|rest| !rest.is_empty()) {
        let length = rest.iter().position(|s| !s.is_ascii_alphabetic()).unwrap_or(rest.len());
        let before = start.checked_sub(1).and_then(|i| signs.get(i));
        let word = rest.get(..length).unwrap_or(&[]);
        // Within a number a letter is a misread digit, or the exponent of "3.5E+12".
        if let Some(found) = words::latin(word).filter(|_| !before.is_some_and(u8::is_ascii_digit))
        {
            words.note(found);
            signs.get_mut(start..start + length).into_iter().for_each(|place| place.fill(b' '));
        }
        start += length + 1;
    }
}

fn trim(signs: &[u8]) -> &[u8] {
    let rim = |s: &u8| matches!(s, b' ' | b'-' | b'.' | b',' | b'/' | b'&');
    let start = signs.iter().position(|s| !rim(s)).unwrap_or(signs.len());
    let end = signs.iter().rposition(|s| !rim(s)).map_or(start, |last| last + 1);
    signs.get(start..end).unwrap_or(&[])
}

fn without_digits(count: &Count) -> Reading {
    if count.other + count.alike > 0 {
        Reading::of(Kind::Malformed, Issue::OtherText)
    } else if count.hidden >= 5 {
        Reading::of(Kind::Malformed, Issue::Masked)
    } else {
        Reading::missing()
    }
}

/// Two letters and seven digits.
fn is_passport(signs: &[u8]) -> bool {
    let solid = signs.iter().filter(|s| !matches!(s, b' ' | b'-'));
    let matches =
        |(i, s): (usize, &u8)| if i < 2 { s.is_ascii_alphabetic() } else { s.is_ascii_digit() };
    solid.clone().count() == 9 && solid.enumerate().all(matches)
}

/// `+92 300 1234567` and its like.
fn is_international(signs: &[u8]) -> bool {
    let digits = signs.iter().filter(|s| s.is_ascii_digit()).count();
    let rest = |s: &u8| s.is_ascii_digit() || matches!(s, b' ' | b'-');
    matches!(signs, [b'+', tail @ ..] if tail.iter().all(rest)) && (8..=15).contains(&digits)
}

fn of_signs(signs: &[u8], count: &Count) -> Reading {
    if count.other > 0 {
        return Reading::of(Kind::Malformed, Issue::OtherText);
    }
    if count.hidden > 0 {
        let issue = if count.alike == 0 { Issue::Masked } else { Issue::OtherText };
        return Reading::of(Kind::Malformed, issue);
    }
    let mut digits = Digits::default();
    let mut groups = [0_usize; 3];
    let mut group = 0;
    for sign in signs {
        match (sign, alike(*sign)) {
            (b'0'..=b'9', _) => digits.push(sign - b'0', false),
            (_, Some(digit)) => digits.push(digit, true),
            _ => {
                group += 1;
                continue;
            }
        }
        groups.get_mut(group).into_iter().for_each(|length| *length += 1);
    }
    if count.alike == 0 {
        return of_digits(digits, group == 2 && groups == [3, 2, 6]);
    }
    // More letters than that are a word, not a misreading.
    if digits.len <= MOST_OF_ONE && (12..=14).contains(&digits.len) && count.alike <= 6 {
        return Reading { digits, ..Reading::of(Kind::Malformed, Issue::OcrLetters) };
    }
    Reading::of(Kind::Malformed, Issue::OtherText)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quick path against the general one, with digits that make dummies and rounded numbers.
    #[test]
    fn clean_text_reads_as_any_text_does() {
        let mut state = 0x2545_F491_4F6C_DD1D_u64;
        let mut draw = |n: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % n
        };
        let repeated = (0..10).map(|d| d * 1_111_111_111_111);
        let rising = (0..10).map(|s| (0..13).fold(0, |n, i| n * 10 + (s + i) % 10));
        let falling = (0..10).map(|s| (0..13).fold(0, |n, i| n * 10 + (s + 9 * i) % 10));
        let mut numbers: Vec<u64> = repeated.chain(rising).chain(falling).collect();
        numbers.extend((0..40_000).map(|i| match i % 4 {
            0 => draw(10_000_000_000_000),
            1 => draw(10_000_000) * 1_000_000,
            2 => draw(9) * 1_111_100_000_000 + draw(100_000_000),
            _ => draw(100_000) * 100_000_000 + draw(10) * 11_111_110 + draw(10),
        }));
        for number in numbers {
            let bare = format!("{number:013}");
            let dashed = format!("{}-{}-{}", &bare[..5], &bare[5..12], &bare[12..]);
            for form in [&bare, &dashed] {
                assert_eq!(text(form.as_bytes()), any_text(form.as_bytes()), "{form}");
            }
        }
    }

    #[test]
    fn a_word_is_not_a_misread_number() {
        for wrong in ["BIBI 35202-1234567-1", "SOIL", "Ali 3520212345671", "?3520212345671"] {
            let found = text(wrong.as_bytes());
            assert_eq!((found.kind, found.issue), (Kind::Malformed, Issue::OtherText), "{wrong}");
        }
    }
}
