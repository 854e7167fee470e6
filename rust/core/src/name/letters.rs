//! Letters of words, spelled when a word is first aligned: most words are never.

use super::costs::{CostTable, KINDS, Letter};
use super::vocabulary::{Vocabulary, Word};

/// Words kept at most; more begin anew.
const MOST: usize = 1 << 16;

/// Letters by number of a word.
#[derive(Debug, Clone, Default)]
pub(super) struct Letters {
    /// Place in `spans` plus one; 0 when a word is not spelled.
    places: Vec<u32>,
    /// First letter and letters of each.
    spans: Vec<(usize, usize)>,
    letters: Vec<Letter>,
    profiles: Vec<[i16; KINDS]>,
}

impl Letters {
    pub(super) fn clear(&mut self) {
        self.places.fill(0);
        self.spans.clear();
        self.letters.clear();
        self.profiles.clear();
    }

    /// Spells words that are not spelled yet.
    pub(super) fn spell(&mut self, words: [&Word; 2], vocabulary: &Vocabulary, costs: &CostTable) {
        if self.spans.len() + words.len() > MOST {
            self.clear();
        }
        for word in words {
            let number = word.number as usize;
            if number >= self.places.len() {
                self.places.resize((number + 1).next_power_of_two(), 0);
            }
            let Some(place) = self.places.get_mut(number).filter(|place| **place == 0) else {
                continue;
            };
            let start = self.letters.len();
            costs.spell(vocabulary.text(word), word.script, &mut self.letters);
            let spelled = self.letters.get(start..).unwrap_or_default();
            self.profiles.push(costs.bounds().profile(spelled, word.script));
            self.spans.push((start, spelled.len()));
            *place = self.spans.len() as u32;
        }
    }

    fn place(&self, number: u32) -> Option<usize> {
        (self.places.get(number as usize).copied().unwrap_or(0) as usize).checked_sub(1)
    }

    /// Letters of a word that is spelled, and the most that each letter of a partner can be worth.
    pub(super) fn of(&self, word: &Word) -> (&[Letter], &[i16]) {
        let found = self.place(word.number).and_then(|place| {
            let (start, len) = *self.spans.get(place)?;
            Some((self.letters.get(start..start + len)?, self.profiles.get(place)?.as_slice()))
        });
        found.unwrap_or_default()
    }
}
