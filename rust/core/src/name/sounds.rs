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

/// Urdu letters and the Roman consonants they sound like.
const URDU: [(&str, char); 15] = [
    ("ب", 'b'),
    ("چ", 'c'),
    ("دڈ", 'd'),
    ("ف", 'f'),
    ("غگ", 'g'),
    ("ج", 'j'),
    ("خک", 'k'),
    ("ل", 'l'),
    ("م", 'm'),
    ("ن", 'n'),
    ("پ", 'p'),
    ("ق", 'q'),
    ("رڑ", 'r'),
    ("ثسشص", 's'),
    ("تٹط", 't'),
];

/// Consonants of a word, and consonants that would be heard as one of them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Sounds {
    written: u32,
    heard: u32,
    /// Consonants written.
    count: u32,
}

fn bit(letter: char) -> u32 {
    1 << (u32::from(letter) - u32::from('a'))
}

impl Sounds {
    /// Of a word in match form.
    pub(super) fn of(word: &[u8]) -> Self {
        let mut sounds = Self::default();
        for letter in word.utf8_chunks().flat_map(|chunk| chunk.valid().chars()) {
            let urdu = URDU.iter().find(|(letters, _)| letters.contains(letter));
            let z = "ذزژضظ".contains(letter);
            let roman = if z { 'z' } else { urdu.map_or(letter, |(_, roman)| *roman) };
            if let Some((letter, heard)) = SOUNDS.iter().find(|(letter, _)| *letter == roman) {
                sounds.written |= bit(*letter);
                sounds.heard |= heard.chars().fold(0, |bits, c| bits | bit(c));
            }
        }
        sounds.count = sounds.written.count_ones();
        sounds
    }

    /// Whether at least half of the consonants of each have one in the other.
    #[inline(always)]
    pub(super) fn agree(self, other: Self) -> bool {
        // Both counts at once, in the halves of a word: not every processor counts bits itself.
        let both =
            u64::from(self.written & other.heard) | u64::from(other.written & self.heard) << 32;
        let pairs = both - (both >> 1 & 0x5555_5555_5555_5555);
        let fours = (pairs & 0x3333_3333_3333_3333) + (pairs >> 2 & 0x3333_3333_3333_3333);
        let bytes = (fours + (fours >> 4)) & 0x0F0F_0F0F_0F0F_0F0F;
        let words = bytes + (bytes >> 8);
        let halves = (words + (words >> 16)) & 0x0000_003F_0000_003F;
        2 * (halves as u32) >= self.count && 2 * (halves >> 32) as u32 >= other.count
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
