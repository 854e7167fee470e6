//! Classes of sounds for the blocking key, for long, middle and short words: `key_classes.csv`,
//! made by `tools/learn_name_key.py`.

/// Classes for words of one length.
#[derive(Clone, Copy)]
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
pub(super) static LEVELS: [Level; 3] =
    levels(include_bytes!("../../../../python/nser_pmt/data/names/key_classes.csv"));

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

/// Reads `level,class,sounds` lines; those that do not begin with a digit are comments.
#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn levels(csv: &[u8]) -> [Level; 3] {
    let mut out = [Level { heads: [0; 5], classes: [0; 128] }; 3];
    let mut at = 0;
    while at < csv.len() {
        if csv[at].is_ascii_digit() {
            let level = &mut out[(csv[at] - b'0') as usize];
            let class = csv[at + 2];
            let head = csv[at + 3] != b',';
            at += if head { "0,head,".len() } else { "0,b,".len() };
            let mut k = 0;
            while csv[at] != b'\n' {
                if head {
                    level.heads[k] = csv[at];
                } else {
                    level.classes[csv[at] as usize] = class;
                }
                k += 1;
                at += 1;
            }
        }
        while csv[at] != b'\n' {
            at += 1;
        }
        at += 1;
    }
    out
}
