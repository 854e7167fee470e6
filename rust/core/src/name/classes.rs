//! Classes of sounds for the blocking key, for long, middle and short words.

/// Classes for words of one length.
pub(super) struct Level {
    heads: [u8; 5],
    classes: [u8; 128],
}

/// What a word begins with.
#[derive(Clone, Copy)]
pub(super) enum Head {
    Vowel,
    H,
    Y,
    V,
    Consonant,
}

/// Tried in order: the first that leaves the word as many consonants as [`ENOUGH`] says.
pub(super) static LEVELS: [Level; 3] = [
    level(
        *b"ccccc",
        &[
            (b'b', b"b"),
            (b'k', b"kC"),
            (b'l', b"l"),
            (b'm', b"m"),
            (b'n', b"nst"),
            (b'p', b"p"),
            (b'r', b"rRd"),
        ],
    ),
    level(*b"ahavc", &[(b'd', b"dR"), (b'n', b"n"), (b'p', b"p"), (b'r', b"r"), (b's', b"s")]),
    level(
        *b"ahavc",
        &[
            (b'b', b"b"),
            (b'k', b"k"),
            (b'l', b"l"),
            (b'm', b"m"),
            (b'p', b"pC"),
            (b'r', b"rRdt"),
            (b's', b"s"),
        ],
    ),
];

/// Consonants, doubled ones counted once, that a word needs for its level.
pub(super) const ENOUGH: [usize; 3] = [3, 2, 0];

impl Level {
    /// Class of what a word begins with.
    pub(super) fn head(&self, head: Head) -> u8 {
        let [vowel, h, y, v, consonant] = self.heads;
        match head {
            Head::Vowel => vowel,
            Head::H => h,
            Head::Y => y,
            Head::V => v,
            Head::Consonant => consonant,
        }
    }

    /// Class of a sound; 0 for one that does not count.
    pub(super) fn class(&self, sound: u8) -> u8 {
        self.classes.get(usize::from(sound)).copied().unwrap_or(0)
    }
}

/// `heads` for vowel, h, y, v and consonant; each class with its sounds.
#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn level(heads: [u8; 5], groups: &[(u8, &[u8])]) -> Level {
    let mut classes = [0; 128];
    let mut k = 0;
    while k < groups.len() {
        let (class, sounds) = groups[k];
        let mut n = 0;
        while n < sounds.len() {
            classes[sounds[n] as usize] = class;
            n += 1;
        }
        k += 1;
    }
    Level { heads, classes }
}
