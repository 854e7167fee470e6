//! Words that a comparer has met: names repeat, so each is spelled, weighed and numbered once.

use super::costs::{CostTable, KINDS, Letter, Script};
use super::frequency::Frequencies;
use super::sounds::Sounds;
use super::tokens::Compound;

/// A word and what comparing needs to know of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    start: u32,
    len: u32,
    first_letter: u32,
    letters: u32,
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

/// Words by number.
#[derive(Debug, Clone)]
pub(super) struct Vocabulary {
    /// Numbers plus one, open addressing; a power of two long.
    slots: Vec<u32>,
    words: Vec<Word>,
    text: Vec<u8>,
    letters: Vec<Letter>,
    profiles: Vec<[i16; KINDS]>,
}

impl Vocabulary {
    pub(super) fn new() -> Self {
        Self { slots: vec![0; 64], words: vec![], text: vec![], letters: vec![], profiles: vec![] }
    }

    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    #[inline]
    pub(super) fn word(&self, number: u32) -> Option<&Word> {
        self.words.get(number as usize)
    }

    pub(super) fn text(&self, word: &Word) -> &[u8] {
        self.text.get(word.start as usize..(word.start + word.len) as usize).unwrap_or_default()
    }

    fn stem(&self, word: &Word) -> &[u8] {
        self.word(word.stem).map_or(&[], |stem| self.text(stem))
    }

    pub(super) fn letters(&self, word: &Word) -> &[Letter] {
        let start = word.first_letter as usize;
        self.letters.get(start..start + word.letters as usize).unwrap_or_default()
    }

    /// The most that each letter of a partner of the word can be worth.
    pub(super) fn profile(&self, number: u32) -> &[i16] {
        self.profiles.get(number as usize).map_or(&[], |p| p)
    }

    /// Number of a word, which is read when it is new.
    #[inline]
    pub(super) fn number(
        &mut self,
        text: &[u8],
        stem: &[u8],
        compound: Compound,
        costs: &CostTable,
        frequencies: &Frequencies,
    ) -> u32 {
        let mut slot = hash(text) as usize;
        let mask = self.slots.len() - 1;
        loop {
            slot &= mask;
            match self.slots.get(slot).copied().unwrap_or(0) {
                0 => break,
                found => {
                    let number = found - 1;
                    if let Some(word) = self.word(number)
                        && word.compound == compound
                        && self.text(word) == text
                        && (compound == Compound::None || self.stem(word) == stem)
                    {
                        return number;
                    }
                }
            }
            slot += 1;
        }
        self.add(text, stem, compound, costs, frequencies)
    }

    fn add(
        &mut self,
        text: &[u8],
        stem: &[u8],
        compound: Compound,
        costs: &CostTable,
        frequencies: &Frequencies,
    ) -> u32 {
        let rarity = frequencies.rarity(text, stem);
        let stem_text = stem;
        let stem = (compound != Compound::None && stem != text)
            .then(|| self.number(stem, stem, Compound::None, costs, frequencies));
        let number = self.words.len() as u32;
        let script = Script::of(text);
        let (start, first_letter) = (self.text.len() as u32, self.letters.len() as u32);
        self.text.extend_from_slice(text);
        costs.spell(text, script, &mut self.letters);
        let spelled = self.letters.get(first_letter as usize..).unwrap_or_default();
        self.profiles.push(costs.bounds().profile(spelled, script));
        self.words.push(Word {
            start,
            len: text.len() as u32,
            first_letter,
            number,
            letters: self.letters.len() as u32 - first_letter,
            script,
            compound,
            stem: stem.unwrap_or(number),
            rarity: rarity as f32,
            sounds: Sounds::of(if compound == Compound::None { text } else { stem_text }),
            mixed: hash(text),
        });
        if self.words.len() * 2 > self.slots.len() {
            let longer = vec![0; self.slots.len() * 2];
            self.slots = longer;
            for k in 0..self.words.len() {
                self.enter(k as u32);
            }
        } else {
            self.enter(number);
        }
        number
    }

    fn enter(&mut self, number: u32) {
        let mask = self.slots.len() - 1;
        let mut slot = self.word(number).map_or(0, |word| word.mixed as usize) & mask;
        while let Some(entry) = self.slots.get_mut(slot) {
            if *entry == 0 {
                *entry = number + 1;
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
