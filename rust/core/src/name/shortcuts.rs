//! Words between spaces that are one token whatever stands around them: most are, and need no
//! grammar. What a word is was found out once, by the grammar itself.

use super::sounds::Sounds;
use super::tokens::{Part, Role, Tokens};

/// A word of at most sixteen bytes, its first byte lowest.
type Key = u128;

/// What stands between two spaces of a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shortcut {
    /// One token: its word and its role.
    Token(Known, Role),
    /// The grammar has to read the name.
    Grammar,
    /// As [`Shortcut::Grammar`], and what the word is was not found out: it may be a slip that is never
    /// met again.
    MetOnce,
}

/// What is needed of a word to put it into a name.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Known {
    pub number: u32,
    /// Bytes of its text, the first and the last.
    pub len: u8,
    pub first: u8,
    pub last: u8,
    /// Of its stem.
    pub sounds: Sounds,
    /// See `Word::mixed`.
    pub mixed: u32,
    pub rarity: f32,
}

/// Words met so far; open addressing, a power of two long, key 0 vacant.
#[derive(Debug, Clone)]
pub(super) struct Shortcuts {
    slots: Vec<(Key, Shortcut)>,
    count: usize,
}

impl Shortcuts {
    pub(super) fn new() -> Self {
        Self { slots: vec![(0, Shortcut::Grammar); 64], count: 0 }
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

/// Shortest token, in bytes, that can do without its neighbours: shorter ones are initials and
/// halves of words (`s o`, `bi bi`).
const SHORTEST: usize = 3;

/// The role of the one token that `word` is before, behind and between names; its text is left in
/// `tokens`, behind another token.
pub(super) fn role_anywhere(word: &[u8], tokens: &mut Tokens) -> Option<Role> {
    const NAME: &[u8] = b"zaqim";
    let mut found = None;
    for (count, parts) in [(2, [word, NAME, b""]), (3, [NAME, word, NAME]), (2, [NAME, word, b""])]
    {
        tokens.read(&parts.join(&b" "[..]));
        let at = usize::from(parts.first() == Some(&NAME));
        let all = tokens.tokens();
        let token = all.get(at).filter(|_| all.len() == count)?;
        let text = tokens.token(token);
        let same = token.part == Part::Own
            && found.is_none_or(|role| role == token.role)
            && text.len() >= SHORTEST
            && !before_article(text);
        let name = |t: &super::tokens::Token| t.role == Role::Name && tokens.token(t) == NAME;
        if !same || all.iter().filter(|t| name(t)).count() < count - 1 {
            return None;
        }
        found = Some(token.role);
    }
    found.filter(|role| matches!(role, Role::Name | Role::Muhammad | Role::Title | Role::Female))
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
            ("Jan", None),
            ("Habibullah", Some(Role::Name)),
            ("Azizur", None),
            ("s/o", None),
            ("urf", None),
            ("M", None),
            ("--", None),
        ] {
            assert_eq!(role_anywhere(word.as_bytes(), &mut tokens), role, "{word}");
        }
    }
}
