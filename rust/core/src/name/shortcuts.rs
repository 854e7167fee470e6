//! Words between spaces that are one token whatever stands around them: most are, and need no
//! grammar. So are units of two or three words, as Abdul Rehman. What a word is was found out once, by
//! the grammar itself.

use super::compound;
use super::fold::fold_into;
use super::item::Known;
use super::lexicon;
use super::tokens::{Part, Role, Token, Tokens};
use super::words::{self, Class};

/// A word, or a unit with its spaces, of at most sixteen bytes, the first byte lowest.
pub(super) type Key = u128;

/// What stands between two spaces of a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shortcut {
    /// One token.
    Token(Known, Roles),
    /// It may be one unit with its neighbours.
    Unit(Reach),
    /// The grammar has to read the name.
    Grammar,
    /// As [`Shortcut::Grammar`], and what the word is was not found out: it may be a slip that is never
    /// met again.
    MetOnce,
}

/// The role of a token before any name of its person, and behind one: Jan is a name first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Roles {
    pub first: Role,
    pub later: Role,
}

/// Which neighbours are of one unit with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reach {
    pub before: bool,
    pub behind: bool,
}

/// Words met so far; open addressing, a power of two long, key 0 vacant.
#[derive(Debug, Clone)]
pub(super) struct Shortcuts {
    slots: Vec<(Key, Shortcut)>,
    count: usize,
}

const FEWEST: usize = 64;

impl Shortcuts {
    pub(super) fn new() -> Self {
        Self { slots: vec![(0, Shortcut::Grammar); FEWEST], count: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    #[inline]
    fn slot(&self, key: Key) -> usize {
        let mask = self.slots.len() - 1;
        let mixed = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ ((key >> 64) as u64).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
        let mut slot = (mixed ^ mixed >> 32) as usize & mask;
        while self.slots.get(slot).is_some_and(|(found, _)| *found != key && *found != 0) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    #[inline]
    pub(super) fn get(&self, key: Key) -> Option<Shortcut> {
        self.slots.get(self.slot(key)).filter(|(found, _)| *found == key).map(|(_, s)| *s)
    }

    pub(super) fn set(&mut self, key: Key, shortcut: Shortcut) {
        if self.count * 2 >= self.slots.len() {
            let longer = vec![(0, Shortcut::Grammar); self.slots.len() * 2];
            self.count = 0;
            for (key, shortcut) in std::mem::replace(&mut self.slots, longer) {
                if key != 0 {
                    self.put(key, shortcut);
                }
            }
        }
        self.put(key, shortcut);
    }

    fn put(&mut self, key: Key, shortcut: Shortcut) {
        let slot = self.slot(key);
        if let Some(entry) = self.slots.get_mut(slot) {
            self.count += usize::from(entry.0 == 0);
            *entry = (key, shortcut);
        }
    }
}

/// The words of a name as keys.
pub(super) struct Words<'a> {
    raw: &'a [u8],
    at: usize,
    /// The name with spaces behind it, when it is shorter than a key.
    short: Key,
}

/// Sixteen equal bytes are this times the byte.
const EACH: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
const SPACES: u128 = EACH * b' ' as u128;
/// The highest bit of each byte.
const HIGH: u128 = EACH << 7;

/// A word that is longer than a key or has a zero byte.
pub(super) struct NoKey;

impl<'a> Words<'a> {
    #[inline(always)]
    pub(super) fn new(raw: &'a [u8]) -> Self {
        let mut block = [b' '; 16];
        if raw.len() < 16 {
            for (to, from) in block.iter_mut().zip(raw) {
                *to = *from;
            }
        }
        Self { raw, at: 0, short: Key::from_le_bytes(block) }
    }

    /// Sixteen bytes from the next one on, spaces behind the last. There is a next one.
    #[inline(always)]
    fn block(&self) -> u128 {
        let rest = self.raw.get(self.at..).unwrap_or_default();
        if let Some(block) = rest.first_chunk() {
            return u128::from_le_bytes(*block);
        }
        let (all, gone) = match self.raw.last_chunk() {
            Some(last) => (u128::from_le_bytes(*last), 16 - rest.len()),
            None => (self.short, self.at),
        };
        // Fewer than sixteen bytes are gone, as one is left.
        let bits = 8 * (gone as u32 & 15);
        // Two shifts, for none at all when nothing is gone.
        all >> bits | SPACES << (127 - bits) << 1
    }

    /// First byte of the next word.
    #[inline(always)]
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// The next word; key 0 between two spaces.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<Result<Key, NoKey>> {
        if self.at >= self.raw.len() {
            return None;
        }
        let block = self.block();
        // The lowest zero byte stands where the first space is.
        let spaces = block ^ SPACES;
        let zeros = spaces.wrapping_sub(EACH) & !spaces & HIGH;
        let len = if zeros == 0 { 16 } else { zeros.trailing_zeros() as usize / 8 };
        if len == 16 && self.raw.get(self.at + 16).is_some_and(|b| *b != b' ') {
            return Some(Err(NoKey));
        }
        let mask = if len == 16 { u128::MAX } else { (1 << (8 * len)) - 1 };
        self.at += len + 1;
        // A zero byte, or a byte that looks like one after it: the grammar reads either.
        let strange = block.wrapping_sub(EACH) & !block & HIGH & mask != 0;
        Some(if strange { Err(NoKey) } else { Ok(block & mask) })
    }
}

/// Shortest token, in letters, that can do without its neighbours: shorter ones are initials and
/// halves of words (`s o`, `bi bi`).
const SHORTEST: usize = 3;

/// The roles of the one token that `word` is before, behind and between names; its text is left in
/// `tokens`, behind another token.
pub(super) fn roles_anywhere(word: &[u8], tokens: &mut Tokens) -> Option<Roles> {
    const NAME: &[u8] = b"zaqim";
    // Wife of is no name.
    if class(word) == Some(Class::Kin) {
        return None;
    }
    let mut role = |parts: [&[u8]; 3], count: usize| {
        tokens.read(&parts.join(&b" "[..]));
        let at = usize::from(parts.first() == Some(&NAME));
        let all = tokens.tokens();
        let token = all.get(at).filter(|_| all.len() == count)?;
        let text = tokens.token(token);
        let same = token.part == Part::Own && letters(text) >= SHORTEST && !before_article(text);
        let name = |t: &Token| t.role == Role::Name && tokens.token(t) == NAME;
        let plain = same && all.iter().filter(|t| name(t)).count() >= count - 1;
        Some(token.role).filter(|_| plain)
    };
    let first = role([word, NAME, b""], 2)?;
    let later = role([NAME, word, NAME], 3)?;
    let last = role([NAME, word, b""], 2)?;
    let counts = |r: Role| matches!(r, Role::Name | Role::Muhammad | Role::Title | Role::Female);
    (later == last && counts(first) && counts(later)).then_some(Roles { first, later })
}

/// Which neighbours may be of one unit with `word`: Abdul X, X Ullah, X ud Din.
pub(super) fn reach(word: &[u8]) -> Option<Reach> {
    let (before, behind) = match class(word)? {
        Class::Abd | Class::Ghulam | Class::Abu | Class::Umm => (false, true),
        Class::Ullah | Class::Uddin => (true, false),
        Class::Article => (true, true),
        _ => return None,
    };
    Some(Reach { before, behind })
}

/// The match form of a word that is a name wherever it stands, when that is seen without the grammar:
/// Latin letters that are no word of the tables, no compound and no half of one.
#[inline]
pub(super) fn plain_name(key: Key) -> Option<Key> {
    let small = key | (EACH * 0x20);
    let len = 16 - key.leading_zeros() as usize / 8;
    let bytes = small.to_le_bytes();
    let word = bytes.get(..len)?;
    let letters = key & HIGH == 0 && word.iter().all(u8::is_ascii_lowercase);
    let small = small & (u128::MAX >> (8 * (16 - len as u32).min(15)));
    let plain = letters
        && len >= SHORTEST
        && words::known(small).is_none()
        && !(word.starts_with(b"m") && compound::is_muhammad(word))
        && compound::split(word).is_none()
        && !before_article(word);
    plain.then_some(small)
}

/// Class of a word of the table.
fn class(word: &[u8]) -> Option<Class> {
    let mut folded = vec![];
    fold_into(word, &mut folded);
    words::known(lexicon::key(&folded)?).map(|(class, _)| class)
}

/// Letters of a text in UTF-8.
fn letters(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xC0 != 0x80).count()
}

/// Azizur before Rehman is Aziz.
fn before_article(text: &[u8]) -> bool {
    matches!(text, [.., b'u', b'r' | b'l' | b'n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_cut_at_spaces() {
        let words = |text: &[u8]| {
            let (mut words, mut out) = (Words::new(text), vec![]);
            while let Some(word) = words.next() {
                let bytes = word.ok()?.to_le_bytes();
                out.push(bytes.split(|b| *b == 0).next().unwrap_or_default().to_vec());
            }
            Some(out)
        };
        for text in [
            "ali",
            "ali raza",
            "muhammad ali raza khan",
            "zubair nawaz kha",
            " ali  raza ",
            "abcdefghijklmnop",
            "abcdefghijklmnop q",
            "",
        ] {
            let want: Vec<Vec<u8>> = text.split(' ').map(|w| w.as_bytes().to_vec()).collect();
            let mut want = want;
            if want.last().is_some_and(Vec::is_empty) {
                want.pop();
            }
            assert_eq!(words(text.as_bytes()), Some(want), "{text:?}");
        }
        assert_eq!(words(b"abcdefghijklmnopq"), None);
        assert_eq!(words(b"a\0b"), None);
    }

    #[test]
    fn only_words_that_stand_alone_have_a_shortcut() {
        let mut tokens = Tokens::default();
        for (word, role) in [
            ("Zubair", Some(Role::Name)),
            ("MOHD", Some(Role::Muhammad)),
            ("Khan", Some(Role::Title)),
            ("زبیر", Some(Role::Name)),
            ("Abdul", None),
            ("Ghulam", None),
            ("Ullah", None),
            ("Habibullah", Some(Role::Name)),
            ("Azizur", None),
            ("s/o", None),
            ("urf", None),
            ("M", None),
            ("--", None),
            ("Abdul Rehman", Some(Role::Name)),
            ("Shams ud Din", Some(Role::Name)),
            ("Zia ul Haq", None),
            ("بی", None),
            ("wife", None),
        ] {
            let want = role.map(|role| Roles { first: role, later: role });
            assert_eq!(roles_anywhere(word.as_bytes(), &mut tokens), want, "{word}");
        }
        let jan = Roles { first: Role::Name, later: Role::Female };
        assert_eq!(roles_anywhere(b"Jan", &mut tokens), Some(jan));
    }

    #[test]
    fn what_is_seen_to_be_a_plain_name_is_one_by_the_grammar() {
        let mut tokens = Tokens::default();
        let mut plain = 0;
        let mut check = |word: &str| {
            let Some(key) = lexicon::key(word.as_bytes()).and_then(plain_name) else { return };
            plain += 1;
            let name = Roles { first: Role::Name, later: Role::Name };
            assert_eq!(roles_anywhere(word.as_bytes(), &mut tokens), Some(name), "{word}");
            let token = tokens.tokens().get(1).unwrap();
            assert_eq!(lexicon::key(tokens.token(token)), Some(key), "{word}");
            assert_eq!(tokens.stem(token), tokens.token(token));
        };
        let heads = ["abd", "abdul", "gh", "ghulam", "muham", "moh", "zi", "NOOR", "ud", "um", "k"];
        let tails =
            ["ullah", "din", "ur", "mad", "rehman", "md", "an", "jan", "O", "bibi", "e", ""];
        for head in heads {
            for middle in ["", "a", "ul", "im", "zz", "ma", "1", "-", "ش"] {
                for tail in tails {
                    check(&format!("{head}{middle}{tail}"));
                }
            }
        }
        assert!(plain > 300, "{plain}");
    }
}
