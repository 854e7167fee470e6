//! A phonetic blocking key that Urdu and Roman spellings of a name share.
//!
//! A word becomes its consonants; vowels, `h`, `v`, `w` and `y`, which one script or the other does
//! not write, count only at its head. The classes of consonants depend on how many are left: a
//! long word is still told from others when sounds that people confuse are one class, a short one
//! is not.
//!
//! The classes were searched for, not made up: by `tools/learn_name_key.py`, which repeats what is
//! here. So a class is what spelling confuses and what it costs to tell apart, not phonetics alone.
//! The development names were searched on: for their honest figures see that file.

use super::classes::{ENOUGH, Head, LEVELS};
use super::tokens::{Part, Role, Tokens};

/// Which names of a person are in the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyTokens {
    /// Every significant token, sorted: one key for any order.
    All,
    /// The first significant token.
    First,
}

/// Makes keys of names. Its buffers are reused: one per thread serves a whole column.
#[derive(Debug, Clone, Default)]
pub struct Key {
    keys: Vec<Vec<u8>>,
}

/// The key of a name; empty for one without tokens.
#[must_use]
pub fn key(tokens: &Tokens, which: KeyTokens) -> String {
    let mut out = vec![];
    Key::default().key_into(tokens, which, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

impl Key {
    /// Appends the key of a name, nothing for one without tokens.
    ///
    /// Significant are the person's own names. Muhammad, initials and the rest are only when there
    /// is nothing better.
    pub fn key_into(&mut self, tokens: &Tokens, which: KeyTokens, out: &mut Vec<u8>) {
        const RANKS: [&[Role]; 4] = [
            &[Role::Name],
            &[Role::Muhammad],
            &[Role::Initial],
            &[Role::Title, Role::Female, Role::Particle, Role::Number],
        ];
        let own = || tokens.tokens().iter().filter(|t| t.part == Part::Own);
        let best = RANKS.iter().find(|roles| own().any(|t| roles.contains(&t.role)));
        let Some(roles) = best else { return };
        let mut count = 0;
        for token in own().filter(|t| roles.contains(&t.role)) {
            if self.keys.len() == count {
                self.keys.push(vec![]);
            }
            if let Some(key) = self.keys.get_mut(count) {
                key.clear();
                word_key(tokens.token(token), key);
                count += 1;
            }
            if which == KeyTokens::First {
                break;
            }
        }
        let keys = self.keys.get_mut(..count).unwrap_or_default();
        keys.sort_unstable();
        for (k, key) in keys.iter().enumerate() {
            if k > 0 {
                out.push(b' ');
            }
            out.extend_from_slice(key);
        }
    }
}

/// Appends the key of one word in match form.
fn word_key(word: &[u8], out: &mut Vec<u8>) {
    let mut sounds = Sounds::default();
    let head = match word.first() {
        Some(b'a'..=b'z') => roman(word, &mut sounds),
        Some(0xD8..=0xDB) => urdu(word, &mut sounds),
        _ => {
            out.extend_from_slice(word);
            return;
        }
    };
    let start = out.len();
    for (level, enough) in LEVELS.iter().zip(ENOUGH) {
        out.truncate(start);
        out.push(level.head(head));
        for sound in sounds.iter() {
            let class = level.class(sound);
            let double = out.len() > start + 1 && out.last() == Some(&class);
            if class != 0 && !double {
                out.push(class);
            }
        }
        if out.len() > start + enough {
            return;
        }
    }
}

/// Consonants of a word; those beyond the buffer do not count.
#[derive(Default)]
struct Sounds {
    sounds: [u8; 24],
    len: usize,
}

impl Sounds {
    #[inline]
    fn push(&mut self, sound: u8) {
        if let Some(to) = self.sounds.get_mut(self.len) {
            *to = sound;
            self.len += 1;
        }
    }

    /// Puts another sound for the last one.
    fn end(&mut self, sound: u8) {
        if let Some(last) = self.sounds.get_mut(self.len.wrapping_sub(1)) {
            *last = sound;
        }
    }

    fn iter(&self) -> impl Iterator<Item = u8> + '_ {
        self.sounds.iter().take(self.len).copied()
    }
}

/// Sounds of a Roman word: C is `ch`, R is `rh`, N an `n` at the end.
fn roman(word: &[u8], sounds: &mut Sounds) -> Head {
    let mut rest = word;
    while !rest.is_empty() {
        let (sound, len) = match rest {
            [b't', b's', b'c', b'h', ..] => (b'C', 4),
            [b's', b'c', b'h', ..] => (b's', 3),
            [b't', b's', b'h', ..] => (b'C', 3),
            [b'c', b'h', ..] => (b'C', 2),
            [b'p', b'h', ..] => (b'p', 2),
            [b'r', b'h', ..] => (b'R', 2),
            [b'c', b'e' | b'i' | b'y', ..] => (b's', 1),
            [b'n', tail @ ..] if tail.iter().all(|b| matches!(b, b'n' | b'h')) => {
                sounds.push(b'N');
                break;
            }
            [b'c' | b'k' | b'q' | b'x', ..] => (b'k', 1),
            [b'g' | b'j' | b's' | b'z', ..] => (b's', 1),
            [b'f' | b'p', ..] => (b'p', 1),
            [letter @ (b'b' | b'd' | b'l' | b'm' | b'n' | b'r' | b't'), ..] => (*letter, 1),
            _ => (0, 1),
        };
        if sound != 0 {
            sounds.push(sound);
        }
        rest = rest.get(len..).unwrap_or_default();
    }
    match word {
        [b'a' | b'e' | b'i' | b'o' | b'u', ..] => Head::Vowel,
        [b'h', ..] => Head::H,
        [b'y', ..] => Head::Y,
        [b'v' | b'w', ..] => Head::V,
        _ => Head::Consonant,
    }
}

/// Sounds of an Urdu word.
fn urdu(word: &[u8], sounds: &mut Sounds) -> Head {
    let (letters, _) = word.as_chunks::<2>();
    let letter = |[a, b]: &[u8; 2]| {
        char::from_u32(u32::from(a & 0x1F) << 6 | u32::from(b & 0x3F)).unwrap_or_default()
    };
    letters.iter().map(letter).map(sound_of).filter(|s| *s != 0).for_each(|s| sounds.push(s));
    if letters.last().map(letter) == Some('ن') {
        sounds.end(b'N');
    }
    match letters.first().map(letter) {
        Some('ا' | 'ع') => Head::Vowel,
        Some('ہ' | 'ح') => Head::H,
        Some('ی') => Head::Y,
        Some('و') => Head::V,
        _ => Head::Consonant,
    }
}

/// Sound of a letter in match form; 0 for vowels and what may be one.
fn sound_of(letter: char) -> u8 {
    match letter {
        'ب' => b'b',
        'پ' | 'ف' => b'p',
        'ت' | 'ٹ' | 'ط' => b't',
        'ث' | 'س' | 'ص' | 'ش' | 'ذ' | 'ز' | 'ض' | 'ظ' | 'ژ' | 'ج' | 'گ' | 'غ' => b's',
        'چ' => b'C',
        'د' | 'ڈ' => b'd',
        'ر' => b'r',
        'ڑ' => b'R',
        'خ' | 'ق' | 'ک' => b'k',
        'ل' => b'l',
        'م' => b'm',
        'ن' => b'n',
        _ => 0,
    }
}
