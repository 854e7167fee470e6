//! The consonants of a word, as bits: words that share few have nothing in common, and that is seen
//! without an alignment.

/// Consonants, and those that people write for each. h, v, w, y and ain come and go and do not count.
const SOUNDS: [(char, &str); 17] = [
    ('b', "bp"),
    ('c', "cgkqsx"),
    ('d', "drtz"),
    ('f', "fp"),
    ('g', "cgjkqx"),
    ('j', "gjsxz"),
    ('k', "cgkqx"),
    ('l', "l"),
    ('m', "mn"),
    ('n', "mn"),
    ('p', "bfp"),
    ('q', "cgkqx"),
    ('r', "dr"),
    ('s', "cjsxz"),
    ('t', "dt"),
    ('x', "cgjkqsxz"),
    ('z', "djsxz"),
];

/// The Roman consonant that a letter sounds like, or another letter.
fn sound(letter: char) -> char {
    match letter {
        'ب' => 'b',
        'چ' => 'c',
        'د' | 'ڈ' => 'd',
        'ف' => 'f',
        'غ' | 'گ' => 'g',
        'ج' => 'j',
        'خ' | 'ک' => 'k',
        'ل' => 'l',
        'م' => 'm',
        'ن' => 'n',
        'پ' => 'p',
        'ق' => 'q',
        'ر' | 'ڑ' => 'r',
        'ث' | 'س' | 'ش' | 'ص' => 's',
        'ت' | 'ٹ' | 'ط' => 't',
        'ذ' | 'ز' | 'ژ' | 'ض' | 'ظ' => 'z',
        other => other,
    }
}

/// By letter from a to z: what would be heard as it, as bits; nothing for what does not count.
const HEARD: [u32; 26] = heard();

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn heard() -> [u32; 26] {
    let mut out = [0; 26];
    let mut row = 0;
    while row < SOUNDS.len() {
        let (letter, heard) = (SOUNDS[row].0, SOUNDS[row].1.as_bytes());
        let mut k = 0;
        while k < heard.len() {
            out[letter as usize - 'a' as usize] |= 1 << (heard[k] - b'a');
            k += 1;
        }
        row += 1;
    }
    out
}

/// Above the consonants written: how many they are.
const COUNT: u32 = 26;
const WRITTEN: u32 = (1 << COUNT) - 1;

/// Consonants of a word, and consonants that would be heard as one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sounds {
    /// With their number above them.
    written: u32,
    heard: u32,
}

impl Sounds {
    /// Of a word in match form.
    pub(super) fn of(word: &[u8]) -> Self {
        let mut sounds = Self::default();
        let mut take = |letter: u32| {
            let at = letter.wrapping_sub('a'.into());
            if let Some(heard) = HEARD.get(at as usize).filter(|heard| **heard != 0) {
                sounds.written |= 1 << at;
                sounds.heard |= heard;
            }
        };
        if word.is_ascii() {
            word.iter().for_each(|letter| take((*letter).into()));
        } else {
            let letters = word.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
            letters.for_each(|letter| take(sound(letter).into()));
        }
        sounds.written |= sounds.written.count_ones() << COUNT;
        sounds
    }

    /// Whether at least half of the consonants of each have one in the other.
    #[inline(always)]
    pub(super) fn agree(self, other: Self) -> bool {
        let common = |a: Self, b: Self| 2 * (a.written & b.heard & WRITTEN).count_ones();
        // Both are asked: a branch would cost more.
        (common(self, other) >= self.written >> COUNT)
            & (common(other, self) >= other.written >> COUNT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_a_sound_goes_both_ways() {
        for (letter, heard) in SOUNDS {
            for other in heard.chars() {
                let (_, back) = SOUNDS.iter().find(|(c, _)| *c == other).unwrap();
                assert!(back.contains(letter), "{letter} {other}");
            }
        }
    }

    #[test]
    fn words_agree_by_half_of_their_consonants() {
        let agree = |a: &str, b: &str| Sounds::of(a.as_bytes()).agree(Sounds::of(b.as_bytes()));
        for (a, b, want) in [
            ("farooq", "pharukh", true),
            ("ramzan", "ramadhan", true),
            ("ضیا", "zia", true),
            ("خالد", "khalid", true),
            ("ali", "alia", true),
            ("aya", "mustafa", false),
            ("zubair", "imtiaz", false),
            ("zubair", "زبیر", true),
            ("zubair", "نعیم", false),
        ] {
            assert_eq!(agree(a, b), want, "{a} {b}");
            assert_eq!(agree(b, a), want, "{b} {a}");
        }
    }
}
