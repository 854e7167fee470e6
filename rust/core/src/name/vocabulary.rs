//! Words that a comparer has met: names repeat, so each is weighed and numbered once.

use super::costs::Script;
use super::frequency::Frequencies;
use super::item::Known;
use super::sounds::Sounds;
use super::tokens::Compound;

/// A word and what comparing needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    start: usize,
    len: usize,
    pub number: u32,
    pub script: Script,
    pub compound: Compound,
    /// Number of the word that is its stem; its own when it has none.
    pub stem: u32,
    pub rarity: f32,
    /// Of its stem.
    pub sounds: Sounds,
    /// Mixed text: an order of words that does not depend on when they were met.
    pub mixed: u32,
}

/// Words by number. A vocabulary may go on from another, which is shared and stays as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary<'a> {
    base: Option<&'a Vocabulary<'a>>,
    /// Number of the first own word.
    first: u32,
    /// Numbers of own words, counted from 1, open addressing; a power of two long, or none.
    slots: Vec<u32>,
    words: Vec<Word>,
    text: Vec<u8>,
}

/// Slots of a vocabulary with a word.
const FEWEST: usize = 64;

impl<'a> Vocabulary<'a> {
    /// The words of `base`, and those that are added.
    pub(super) fn over(base: &'a Vocabulary<'a>) -> Self {
        Self { base: Some(base), first: base.len(), ..Self::default() }
    }

    /// How many words there are, with those of the base.
    pub(super) fn len(&self) -> u32 {
        self.first + self.words.len() as u32
    }

    /// Forgets its own words.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
        self.words.clear();
        self.text.clear();
    }

    #[inline]
    pub(super) fn word(&self, number: u32) -> Option<&Word> {
        match self.base {
            Some(base) if number < self.first => base.word(number),
            _ => self.words.get((number - self.first) as usize),
        }
    }

    pub(super) fn text(&self, word: &Word) -> &[u8] {
        match self.base {
            Some(base) if word.number < self.first => base.text(word),
            _ => self.text.get(word.start..word.start + word.len).unwrap_or_default(),
        }
    }

    fn stem(&self, word: &Word) -> &[u8] {
        self.word(word.stem).map_or(&[], |stem| self.text(stem))
    }

    /// What tokens of a word need to know of it.
    pub(super) fn known(&self, number: u32) -> Known {
        self.word(number).map_or_else(Known::default, |word| {
            let text = self.text(word);
            let len = text.len().min(u8::MAX.into()) as u8;
            let first = text.first().copied().unwrap_or(0);
            let last = text.last().copied().unwrap_or(0);
            let Word { mixed, rarity, sounds, .. } = *word;
            Known { number, len, first, last, sounds, mixed, rarity }
        })
    }

    /// Number of a word that it has.
    fn find(&self, text: &[u8], stem: &[u8], compound: Compound, mixed: u32) -> Option<u32> {
        if let Some(number) = self.base.and_then(|base| base.find(text, stem, compound, mixed)) {
            return Some(number);
        }
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = mixed as usize & mask;
        while let Some(at) = self.slots.get(slot)?.checked_sub(1) {
            let word = self.words.get(at as usize)?;
            if word.mixed == mixed
                && word.compound == compound
                && self.text(word) == text
                && (compound == Compound::None || self.stem(word) == stem)
            {
                return Some(word.number);
            }
            slot = (slot + 1) & mask;
        }
        None
    }

    /// Number of a word, which is added when it is new.
    #[inline]
    pub(super) fn number(
        &mut self,
        text: &[u8],
        stem: &[u8],
        compound: Compound,
        frequencies: &Frequencies,
    ) -> u32 {
        let mixed = hash(text);
        self.find(text, stem, compound, mixed)
            .unwrap_or_else(|| self.add(text, stem, compound, mixed, frequencies))
    }

    fn add(
        &mut self,
        text: &[u8],
        stem: &[u8],
        compound: Compound,
        mixed: u32,
        frequencies: &Frequencies,
    ) -> u32 {
        let rarity = frequencies.rarity(text, stem) as f32;
        let sounds = Sounds::of(if compound == Compound::None { text } else { stem });
        let stem = (compound != Compound::None && stem != text)
            .then(|| self.number(stem, stem, Compound::None, frequencies));
        let number = self.len();
        let (start, script) = (self.text.len(), Script::of(text));
        self.text.extend_from_slice(text);
        self.words.push(Word {
            start,
            len: text.len(),
            number,
            script,
            compound,
            stem: stem.unwrap_or(number),
            rarity,
            sounds,
            mixed,
        });
        if self.words.len() * 2 > self.slots.len() {
            self.slots = vec![0; (self.slots.len() * 2).max(FEWEST)];
            for k in 0..self.words.len() {
                self.enter(k);
            }
        } else {
            self.enter(self.words.len() - 1);
        }
        number
    }

    /// Enters an own word, counted from 0, into the slots.
    fn enter(&mut self, at: usize) {
        let mask = self.slots.len() - 1;
        let mut slot = self.words.get(at).map_or(0, |word| word.mixed as usize) & mask;
        while let Some(entry) = self.slots.get_mut(slot) {
            if *entry == 0 {
                *entry = at as u32 + 1;
                return;
            }
            slot = (slot + 1) & mask;
        }
    }
}

/// Mixes the first eight bytes, the last eight and the length: tokens of names are rarely longer.
#[inline(always)]
fn hash(text: &[u8]) -> u32 {
    let short = || {
        let mut bytes = [0; 8];
        for (to, from) in bytes.iter_mut().zip(text) {
            *to = *from;
        }
        u64::from_le_bytes(bytes)
    };
    let head = text.first_chunk().map_or_else(short, |bytes| u64::from_le_bytes(*bytes));
    let tail = text.last_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let mixed = (head ^ text.len() as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        ^ tail.wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    ((mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32) as u32
}
