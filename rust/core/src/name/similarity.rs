//! How alike two whole names are: their tokens are paired, and each pair counts by its likeness and
//! its rarity.

use super::costs::CostTable;
use super::frequency::Frequencies;
use super::guard::GuardPairs;
use super::item::Item;
use super::matcher::Matcher;
use super::reader::{Reader, TOKENS};

/// What two names have to do with each other. An earlier kind wins over a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The same tokens in match form.
    Exact,
    /// No name of one is in the other.
    Different,
    /// Some names agree and others contradict each other.
    Conflicting,
    /// A name stands against an initial.
    Initial,
    /// Names of one are missing in the other.
    Subset,
    /// One name in two scripts.
    CrossScript,
    /// The same names in another order.
    Reordered,
    /// A title, Muhammad or a female marker is missing in one.
    OptionalMissing,
    /// One name in two spellings.
    SpellingVariant,
}

impl Match {
    /// Every kind, in order, and its name.
    pub const NAMES: [(Self, &'static str); 9] = [
        (Self::Exact, "exact"),
        (Self::Different, "different"),
        (Self::Conflicting, "conflicting"),
        (Self::Initial, "initial"),
        (Self::Subset, "subset"),
        (Self::CrossScript, "cross_script"),
        (Self::Reordered, "reordered"),
        (Self::OptionalMissing, "optional_missing"),
        (Self::SpellingVariant, "spelling_variant"),
    ];
}

/// The answer for two names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// From 0 (nothing in common) to 1 (the same tokens).
    pub similarity: f64,
    /// Why.
    pub kind: Match,
}

impl Comparison {
    pub(super) const EXACT: Self = Self { similarity: 1.0, kind: Match::Exact };
    pub(super) const NOTHING: Self = Self { similarity: 0.0, kind: Match::Different };
}

/// Words have numbers below this.
const NUMBERS: u32 = 1 << 17;
/// Words kept at most, and as many more as two names may add; more begin anew.
const WORDS: usize = NUMBERS as usize - 8 * TOKENS;
/// Pairs of words in a pair of names, about.
const PAIRS: usize = 4;

/// Compares names, and remembers words and pairs of words it has met. The answers do not depend on
/// what it remembers.
#[derive(Debug, Clone)]
pub struct Comparer<'a> {
    reader: Reader<'a>,
    matcher: Matcher<'a>,
    items: [Vec<Item>; 2],
}

impl<'a> Comparer<'a> {
    /// A comparer for about `pairs` pairs of names.
    #[must_use]
    pub fn new(
        costs: &'a CostTable,
        frequencies: &'a Frequencies,
        guard: &'a GuardPairs,
        pairs: usize,
    ) -> Self {
        let pairs = pairs.saturating_mul(PAIRS);
        Self {
            reader: Reader::new(frequencies),
            matcher: Matcher::new(costs, frequencies, guard, pairs, NUMBERS),
            items: Default::default(),
        }
    }

    /// Compares two names, which may be any bytes; `None` when one has no token.
    pub fn compare(&mut self, a: &[u8], b: &[u8]) -> Option<Comparison> {
        if self.reader.len().max(self.matcher.vocabulary.len() as usize) > WORDS {
            self.reader.clear();
            self.matcher.clear();
        }
        let vocabulary = &mut self.matcher.vocabulary;
        let [x, y] = &mut self.items;
        if a == b && self.reader.has_token(a) {
            return Some(Comparison::EXACT);
        }
        self.reader.read(a, vocabulary, x);
        self.reader.read(b, vocabulary, y);
        self.matcher.compare(x, y)
    }
}
