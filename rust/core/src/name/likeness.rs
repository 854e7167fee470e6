//! How alike two tokens are: equal words, what an initial may stand for, the stems of compounds, and
//! else the best alignment of their letters.

use super::align::{begin_alike, log_odds};
use super::bound::Side;
use super::costs::CostTable;
use super::guard::GuardPairs;
use super::item::Item;
use super::letters::Letters;
use super::memo::{Fetched, Memo, Pair};
use super::tokens::Compound;
use super::vocabulary::{Vocabulary, Word};

/// Log-odds, in thousandths, below which two tokens have nothing in common: odds of 1 to 55.
const HOPELESS: i32 = -4000;
/// Likeness of two spellings at most: less than that of equal tokens.
pub(super) const SPELLING: f64 = 0.999;
/// Likeness of a name to its initial, and to another.
const INITIAL: (f64, f64) = (0.7, 0.02);
/// Likeness of Abdul X to X alone, in parts of the likeness of their stems.
const HALF_COMPOUND: f64 = 0.85;

/// Likenesses of words, remembered. The answers do not depend on what is remembered.
#[derive(Debug, Clone)]
pub(super) struct Likenesses<'a> {
    costs: &'a CostTable,
    guard: &'a GuardPairs,
    letters: Letters,
    memo: Memo,
}

/// The pair of two tokens' words.
#[inline(always)]
fn key(x: &Item, y: &Item) -> Pair {
    Pair {
        low: x.number.min(y.number),
        high: x.number.max(y.number),
        initial: x.is_initial() || y.is_initial(),
    }
}

impl<'a> Likenesses<'a> {
    /// For about `pairs` pairs of words with numbers below `numbers`.
    pub(super) fn new(
        costs: &'a CostTable,
        guard: &'a GuardPairs,
        pairs: usize,
        numbers: u32,
    ) -> Self {
        Self { costs, guard, letters: Letters::default(), memo: Memo::new(pairs, numbers) }
    }

    /// Forgets all words.
    pub(super) fn clear(&mut self) {
        self.letters.clear();
        self.memo.clear();
    }

    /// What is remembered of two tokens. It is fetched here and looked at later, so that memory can
    /// serve many pairs at a time.
    #[inline(always)]
    pub(super) fn fetch(&self, x: &Item, y: &Item) -> Fetched {
        self.memo.fetch(key(x, y))
    }

    /// What stands where two words have their likeness.
    #[inline(always)]
    pub(super) fn entry(&self, x: u32, y: u32, initial: bool) -> u64 {
        self.memo.fetch(Pair { low: x.min(y), high: x.max(y), initial }).entry()
    }

    /// What two different words are alike at most: what is remembered, if anything.
    #[inline(always)]
    pub(super) fn most(&self, x: u32, y: u32, initial: bool) -> f64 {
        let pair = Pair { low: x.min(y), high: x.max(y), initial };
        self.memo.fetch(pair).likeness().unwrap_or(1.0)
    }

    /// How alike two tokens are, from 0 to 1.
    #[inline]
    pub(super) fn of(&mut self, x: &Item, y: &Item, vocabulary: &Vocabulary) -> f64 {
        if x.number == y.number {
            return 1.0;
        }
        let fetched = self.fetch(x, y);
        fetched.likeness().unwrap_or_else(|| self.find_out(x, y, vocabulary))
    }

    /// As [`Likenesses::of`], for two words that nothing is remembered of.
    #[inline(never)]
    pub(super) fn find_out(&mut self, x: &Item, y: &Item, vocabulary: &Vocabulary) -> f64 {
        let key = key(x, y);
        let (Some(x), Some(y)) = (vocabulary.word(x.number), vocabulary.word(y.number)) else {
            return 0.0;
        };
        let likeness = if key.initial {
            self.of_initial(x, y, vocabulary)
        } else {
            self.of_words(x, y, vocabulary)
        };
        self.memo.set(key, likeness)
    }

    fn of_words(&mut self, x: &Word, y: &Word, vocabulary: &Vocabulary) -> f64 {
        if x.compound != Compound::None && x.compound == y.compound {
            return self.of_stems(x, y, vocabulary);
        }
        let whole = self.of_texts(x, y, vocabulary);
        if (x.compound == Compound::None) == (y.compound == Compound::None) {
            return whole;
        }
        whole.max(HALF_COMPOUND * self.of_stems(x, y, vocabulary))
    }

    fn of_stems(&mut self, x: &Word, y: &Word, vocabulary: &Vocabulary) -> f64 {
        match (vocabulary.word(x.stem), vocabulary.word(y.stem)) {
            (Some(_), Some(_)) if x.stem == y.stem => 1.0,
            (Some(x), Some(y)) => self.of_texts(x, y, vocabulary),
            _ => 0.0,
        }
    }

    fn of_texts(&mut self, x: &Word, y: &Word, vocabulary: &Vocabulary) -> f64 {
        // Urdu first; the tables of one script are symmetric.
        let (x, y) = if x.script < y.script { (y, x) } else { (x, y) };
        self.letters.spell([x, y], vocabulary, self.costs);
        let weights = self.costs.weights(x.script, y.script);
        let ((lx, px), (ly, py)) = (self.letters.of(x), self.letters.of(y));
        let side_x = Side { letters: lx, script: x.script, profile: px };
        let side_y = Side { letters: ly, script: y.script, profile: py };
        let Some(rest) = self.costs.bounds().rest(&side_x, &side_y, weights, HOPELESS) else {
            return 0.0;
        };
        let odds = log_odds(lx, ly, weights, &rest, HOPELESS);
        if odds < HOPELESS {
            return 0.0;
        }
        let likeness = (1.0 / (1.0 + (-f64::from(odds) / 1000.0).exp())).min(SPELLING);
        if x.script == y.script {
            return likeness.min(self.guard.cap(vocabulary.text(x), vocabulary.text(y), x.script));
        }
        likeness
    }

    /// Of an initial and a word, or two initials: whether they may begin alike.
    fn of_initial(&mut self, x: &Word, y: &Word, vocabulary: &Vocabulary) -> f64 {
        let (x, y) = if x.script < y.script { (y, x) } else { (x, y) };
        self.letters.spell([x, y], vocabulary, self.costs);
        let weights = self.costs.weights(x.script, y.script);
        let ((lx, _), (ly, _)) = (self.letters.of(x), self.letters.of(y));
        let (likely, unlikely) = INITIAL;
        if begin_alike(lx, ly, weights) { likely } else { unlikely }
    }
}
