//! What a word of a name is apart from being a name: the table of `words.csv`.

use super::lexicon::{Key, Lexicon, count};

/// Kinds of words that the grammar knows. `words.csv` says what each means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Plain,
    Initial,
    Number,
    Title,
    Rank,
    Khan,
    Female,
    Jan,
    Bi,
    Muhammad,
    Abd,
    Ghulam,
    Allah,
    Ullah,
    Lah,
    Abu,
    Umm,
    Article,
    Din,
    Uddin,
    Bin,
    Relation,
    Of,
    Kin,
    Alias,
}

const CSV: &[u8] = include_bytes!("../../../../python/nser_pmt/data/names/words.csv");
const N: usize = count(CSV);
static WORDS: Lexicon<N, 2048> = Lexicon::new(CSV);
static CLASSES: [Class; N] = classes();

const NAMES: &[(&[u8], Class)] = &[
    (b"title", Class::Title),
    (b"rank", Class::Rank),
    (b"khan", Class::Khan),
    (b"female", Class::Female),
    (b"jan", Class::Jan),
    (b"bi", Class::Bi),
    (b"muhammad", Class::Muhammad),
    (b"abd", Class::Abd),
    (b"ghulam", Class::Ghulam),
    (b"allah", Class::Allah),
    (b"ullah", Class::Ullah),
    (b"lah", Class::Lah),
    (b"abu", Class::Abu),
    (b"umm", Class::Umm),
    (b"article", Class::Article),
    (b"din", Class::Din),
    (b"uddin", Class::Uddin),
    (b"bin", Class::Bin),
    (b"relation", Class::Relation),
    (b"of", Class::Of),
    (b"kin", Class::Kin),
    (b"alias", Class::Alias),
];

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn classes() -> [Class; N] {
    let lexicon: Lexicon<N, 2048> = Lexicon::new(CSV);
    let mut out = [Class::Plain; N];
    let mut row = 0;
    while row < N {
        let class = lexicon.field(row as u16, 1);
        // A class that is not in the list runs past its end: a fault of the file, found in the build.
        let mut k = 0;
        while !same(NAMES[k].0, class) {
            k += 1;
        }
        out[row] = NAMES[k].1;
        row += 1;
    }
    out
}

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut k = 0;
    while k < a.len() {
        if a[k] != b[k] {
            return false;
        }
        k += 1;
    }
    true
}

/// Class of a word of the table, and the spelling that stands for it (empty for its own).
#[inline(always)]
pub(super) fn known(key: Key) -> Option<(Class, &'static [u8])> {
    let row = WORDS.find(key)?;
    Some((*CLASSES.get(row as usize)?, WORDS.field(row, 2)))
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn every_word_and_form_is_in_match_form_and_found() {
        for row in 0..N as u16 {
            let word = WORDS.field(row, 0);
            assert!(word.len() <= 16, "{}", String::from_utf8_lossy(word));
            assert_eq!(fold(word).as_bytes(), word);
            assert_eq!(WORDS.find(super::super::lexicon::key(word).unwrap()), Some(row));
            let form = WORDS.field(row, 2);
            assert_eq!(fold(form).as_bytes(), form);
        }
    }
}
