//! Raw names to the tokens that are compared: word by word where every word speaks for itself, by the
//! grammar otherwise.

use super::frequency::Frequencies;
use super::item::{Item, Known};
use super::lexicon;
use super::shortcuts::{
    Key, Reach, Roles, Shortcut, Shortcuts, Words, plain_name, reach, roles_anywhere,
};
use super::tokens::{Compound, Part, Role, Tokens};
use super::vocabulary::Vocabulary;

/// Tokens of a name that are read; what follows is left out.
pub(super) const TOKENS: usize = 32;

/// Reads names, and remembers words it has met. What it gives does not depend on what it remembers.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    frequencies: &'a Frequencies,
    tokens: Tokens,
    shortcuts: Shortcuts,
}

/// A token that the next word may be part of.
struct Before {
    start: usize,
    /// There was a name before it.
    named: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(frequencies: &'a Frequencies) -> Self {
        Self { frequencies, tokens: Tokens::default(), shortcuts: Shortcuts::new() }
    }

    /// How many words are remembered.
    pub(super) fn len(&self) -> usize {
        self.shortcuts.len()
    }

    /// Forgets all words: those of another vocabulary have other numbers.
    pub(super) fn clear(&mut self) {
        self.shortcuts = Shortcuts::new();
    }

    /// Whether the first word of a name is known for a token; false says nothing.
    #[inline]
    pub(super) fn has_token(&self, raw: &[u8]) -> bool {
        let first = Words::new(raw).next().and_then(Result::ok);
        first.is_some_and(|key| matches!(self.shortcuts.get(key), Some(Shortcut::Token(..))))
    }

    /// Reads a name into `items` in place of what they were; `vocabulary` gets its words.
    #[inline]
    pub(super) fn read(
        &mut self,
        raw: &[u8],
        vocabulary: &mut Vocabulary<'_>,
        items: &mut Vec<Item>,
    ) {
        items.clear();
        if !self.read_words(raw, vocabulary, items) {
            items.clear();
            self.read_tokens(raw, vocabulary, items);
        }
    }

    /// Reads a name word by word; false when it needs the grammar.
    #[inline]
    fn read_words(
        &mut self,
        raw: &[u8],
        vocabulary: &mut Vocabulary<'_>,
        items: &mut Vec<Item>,
    ) -> bool {
        let mut words = Words::new(raw);
        let mut named = false;
        let mut before: Option<Before> = None;
        loop {
            let start = words.position();
            let Some(key) = words.next() else { break };
            let Ok(key) = key else { return false };
            if key == 0 {
                continue;
            }
            if items.len() == TOKENS {
                return false;
            }
            let (word, roles) = match self.word(key, vocabulary) {
                Shortcut::Token(word, roles) => {
                    before = Some(Before { start, named });
                    (word, roles)
                }
                Shortcut::Unit(reach) => {
                    let Some(start) = self.unit(reach, start, before.take(), &mut named, items)
                    else {
                        return false;
                    };
                    let Some(found) = self.rest_of_unit(raw, start, reach, &mut words, vocabulary)
                    else {
                        return false;
                    };
                    found
                }
                Shortcut::Grammar | Shortcut::MetOnce => return false,
            };
            let role = if named { roles.later } else { roles.first };
            named |= role == Role::Name;
            items.extend(Item::new(&word, role, Part::Own));
        }
        named
    }

    /// Where a unit begins; the token before it is taken back when it is part of it.
    fn unit(
        &self,
        reach: Reach,
        start: usize,
        before: Option<Before>,
        named: &mut bool,
        items: &mut Vec<Item>,
    ) -> Option<usize> {
        if !reach.before {
            return Some(start);
        }
        let before = before?;
        items.pop();
        *named = before.named;
        Some(before.start)
    }

    /// Reads a unit to its end.
    fn rest_of_unit(
        &mut self,
        raw: &[u8],
        start: usize,
        reach: Reach,
        words: &mut Words<'_>,
        vocabulary: &mut Vocabulary<'_>,
    ) -> Option<(Known, Roles)> {
        let mut last = !reach.behind;
        while !last {
            last = words.next()?.ok()? != 0;
        }
        // A word is followed by a space, or by the end.
        let key = lexicon::key(raw.get(start..words.position() - 1)?)?;
        match self.shortcuts.get(key) {
            Some(Shortcut::Token(word, roles)) => Some((word, roles)),
            Some(Shortcut::MetOnce) => match self.find_out(key, vocabulary) {
                Shortcut::Token(word, roles) => Some((word, roles)),
                _ => None,
            },
            Some(_) => None,
            None => {
                self.shortcuts.set(key, Shortcut::MetOnce);
                None
            }
        }
    }

    /// What a word is.
    #[inline(always)]
    fn word(&mut self, key: Key, vocabulary: &mut Vocabulary<'_>) -> Shortcut {
        match self.shortcuts.get(key) {
            Some(Shortcut::MetOnce) => self.find_out(key, vocabulary),
            Some(found) => found,
            None => self.meet(key, vocabulary),
        }
    }

    /// Meets a word for the first time.
    #[inline(never)]
    fn meet(&mut self, key: Key, vocabulary: &mut Vocabulary<'_>) -> Shortcut {
        let found = plain_name(key).map_or(Shortcut::MetOnce, |small| {
            let bytes = small.to_le_bytes();
            let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
            let number = vocabulary.number(text, text, Compound::None, self.frequencies);
            let roles = Roles { first: Role::Name, later: Role::Name };
            Shortcut::Token(vocabulary.known(number), roles)
        });
        self.shortcuts.set(key, found);
        found
    }

    /// Finds out what a word or unit is and keeps it.
    #[cold]
    fn find_out(&mut self, key: Key, vocabulary: &mut Vocabulary<'_>) -> Shortcut {
        let bytes = key.to_le_bytes();
        let len = 16 - key.leading_zeros() as usize / 8;
        let raw = bytes.get(..len).unwrap_or_default();
        let roles = roles_anywhere(raw, &mut self.tokens);
        let shortcut = match (roles, self.tokens.tokens().get(1)) {
            (Some(roles), Some(token)) => {
                let (text, stem) = (self.tokens.token(token), self.tokens.stem(token));
                let number = vocabulary.number(text, stem, token.compound, self.frequencies);
                Shortcut::Token(vocabulary.known(number), roles)
            }
            _ => reach(raw).map_or(Shortcut::Grammar, Shortcut::Unit),
        };
        self.shortcuts.set(key, shortcut);
        shortcut
    }

    fn read_tokens(&mut self, raw: &[u8], vocabulary: &mut Vocabulary<'_>, items: &mut Vec<Item>) {
        self.tokens.read(raw);
        for token in self.tokens.tokens().iter().take(TOKENS) {
            let (text, stem) = (self.tokens.token(token), self.tokens.stem(token));
            let number = vocabulary.number(text, stem, token.compound, self.frequencies);
            items.extend(Item::new(&vocabulary.known(number), token.role, token.part));
        }
    }
}
