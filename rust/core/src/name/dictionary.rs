//! Names that are read once and compared many times: the distinct names of two columns, by code.

use std::sync::Arc;

use super::ceiling::{Agreeing, Outline, may_be_joined};
use super::costs::CostTable;
use super::frequency::Frequencies;
use super::guard::GuardPairs;
use super::item::Item;
use super::matcher::Matcher;
use super::reader::Reader;
use super::similarity::Comparison;
use super::vocabulary::Vocabulary;

/// Words of names that a reader keeps; more begin anew.
const WORDS: usize = 1 << 17;
/// Pairs of words that a comparer remembers, about.
const PAIRS: usize = 1 << 18;
/// Numbers that are left for words of two neighbours joined; more begin anew.
const JOINED: u32 = 1 << 12;

/// Names by code: 0, 1, 2 ... in the order they were given. Nothing of it changes, and threads share it,
/// each with its own [`PreparedComparer`]. The names of two columns go into one dictionary.
///
/// Holds at most 2^30 distinct words and 2^32 tokens.
///
/// ```
/// use std::sync::Arc;
///
/// use nser_core::name::{CostTable, Frequencies, GuardPairs, NameDictionary, PreparedComparer};
///
/// let costs = CostTable::parse("scripts\tx\ty\tplace\tweight\n").unwrap();
/// let frequencies = Arc::new(Frequencies::new(1000.0, [(&b"ali"[..], 60.0)]));
/// let guard = GuardPairs::parse("a,b,cap\n").unwrap();
/// let names = ["Ali Raza", "Raza Ali", "--"].map(str::as_bytes);
/// let dictionary = NameDictionary::new(names, &costs, frequencies, &guard);
/// let mut comparer = PreparedComparer::new(&dictionary);
/// assert_eq!(comparer.compare(0, 1, 0.0).unwrap().similarity, 0.98);
/// assert!(!dictionary.has_token(2));
/// assert_eq!(comparer.compare(0, 2, 0.0), None);
/// ```
#[derive(Debug, Clone)]
pub struct NameDictionary<'a> {
    costs: &'a CostTable,
    frequencies: Arc<Frequencies>,
    guard: &'a GuardPairs,
    vocabulary: Vocabulary<'a>,
    items: Vec<Item>,
    outlines: Vec<Outline>,
}

impl<'a> NameDictionary<'a> {
    /// Reads names, which may be any bytes, by the tables that a [`super::Comparer`] takes.
    pub fn new<'n>(
        names: impl IntoIterator<Item = &'n [u8]>,
        costs: &'a CostTable,
        frequencies: Arc<Frequencies>,
        guard: &'a GuardPairs,
    ) -> Self {
        let mut reader = Reader::new(&frequencies);
        let mut vocabulary = Vocabulary::default();
        let (mut items, mut outlines, mut name) = (vec![], vec![], vec![]);
        for raw in names {
            if reader.len() > WORDS {
                reader.clear();
            }
            reader.read(raw, &mut vocabulary, &mut name);
            outlines.push(Outline::new(&name, items.len()));
            items.extend_from_slice(&name);
        }
        Self { costs, frequencies, guard, vocabulary, items, outlines }
    }

    /// How many names there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outlines.len()
    }

    /// Whether there is no name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outlines.is_empty()
    }

    /// Whether a name has a token; one without compares with none, as a missing name does. False for
    /// a code that is no name's.
    #[must_use]
    pub fn has_token(&self, code: u32) -> bool {
        self.outlines.get(code as usize).is_some_and(|name| name.len > 0)
    }

    /// A name with at least one token.
    #[inline(always)]
    fn name(&self, code: u32) -> Option<(&Outline, &[Item])> {
        let name = self.outlines.get(code as usize).filter(|name| name.len > 0)?;
        let start = name.start as usize;
        Some((name, self.items.get(start..start + usize::from(name.len))?))
    }
}

/// Compares names of a dictionary, and remembers pairs of words it has met; one per thread.
#[derive(Debug, Clone)]
pub struct PreparedComparer<'a> {
    dictionary: &'a NameDictionary<'a>,
    matcher: Matcher<'a>,
    /// Pairs that a first look left open, with their places.
    open: Vec<(usize, u32, u32, Agreeing)>,
}

impl<'a> PreparedComparer<'a> {
    /// A comparer of the names of `dictionary`.
    #[must_use]
    pub fn new(dictionary: &'a NameDictionary<'a>) -> Self {
        let NameDictionary { costs, frequencies, guard, vocabulary, .. } = dictionary;
        let numbers = vocabulary.len().saturating_add(2 * JOINED);
        let mut matcher = Matcher::new(costs, frequencies, guard, PAIRS, numbers);
        matcher.vocabulary = Vocabulary::over(vocabulary);
        Self { dictionary, matcher, open: vec![] }
    }

    /// Fetches what a first look at some names needs: side by side, memory takes no longer than for one.
    #[inline]
    fn touch(&self, codes: impl Iterator<Item = u32>) {
        let outlines = codes.filter_map(|code| self.dictionary.outlines.get(code as usize));
        std::hint::black_box(outlines.fold(0, |all, outline| all | outline.len));
    }

    /// Compares pairs of names by their codes, as [`PreparedComparer::compare`] does, and calls `found`
    /// with the place of each pair and its answer, in any order. Memory serves many pairs at a time:
    /// most names are not in the cache, nor is what is known of two words.
    #[inline(always)]
    pub fn compare_all(
        &mut self,
        pairs: impl ExactSizeIterator<Item = (u32, u32)> + Clone,
        lowest: f64,
        mut found: impl FnMut(usize, Option<Comparison>),
    ) {
        self.touch(pairs.clone().map(|(_, b)| b));
        let mut open = std::mem::take(&mut self.open);
        open.clear();
        let mut touched = 0;
        for (place, (a, b)) in pairs.enumerate() {
            let Some((x, y)) = self.dictionary.name(a).zip(self.dictionary.name(b)) else {
                found(place, None);
                continue;
            };
            if !(x.0.is_whole() && y.0.is_whole()) {
                found(place, self.compare(a, b, lowest));
                continue;
            }
            let agreeing = x.0.agreeing(y.0);
            if x.0.may_reach(y.0, lowest, agreeing, |_, _, _| 1.0) || may_be_joined(x, y) {
                touched |= self.matcher.touch(x.0, y.0, agreeing);
                open.push((place, a, b, agreeing));
            } else {
                found(place, Some(Comparison::NOTHING));
            }
        }
        std::hint::black_box(touched);
        for (place, a, b, agreeing) in &open {
            let Some((x, y)) = self.dictionary.name(*a).zip(self.dictionary.name(*b)) else {
                continue;
            };
            let may = self.matcher.may_reach_with(x.0, y.0, lowest, *agreeing);
            let answer = if may || may_be_joined(x, y) {
                self.compare_whole(x.1, y.1)
            } else {
                Some(Comparison::NOTHING)
            };
            found(*place, answer);
        }
        self.open = open;
    }

    /// Compares two names by their codes; `None` when one has no token or a code is no name's.
    ///
    /// What [`super::Comparer::compare`] gives for the raw names, when that is at least `lowest`.
    /// Otherwise that, or a similarity of 0 and [`super::Match::Different`]: names of different persons
    /// are mostly told apart at the first look.
    #[inline]
    pub fn compare(&mut self, a: u32, b: u32, lowest: f64) -> Option<Comparison> {
        let (a, b) = (self.dictionary.name(a)?, self.dictionary.name(b)?);
        if !self.matcher.may_reach(a, b, lowest) && !may_be_joined(a, b) {
            return Some(Comparison::NOTHING);
        }
        self.compare_whole(a.1, b.1)
    }

    fn compare_whole(&mut self, a: &[Item], b: &[Item]) -> Option<Comparison> {
        if self.matcher.vocabulary.len() - self.dictionary.vocabulary.len() > JOINED {
            self.matcher.clear();
        }
        self.matcher.compare(a, b)
    }
}
