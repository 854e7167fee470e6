//! Features of strings: which characters they have, and how often.
//!
//! A *feature* is a class of characters and a number n: the string has more than n characters of
//! the class. Two strings have at most as many characters in common as they share features.

use super::alphabet::{CLASSES, Symbol, class};
use super::lanes::Counters;

/// Occurrences of a class that are features.
const DEPTH: usize = 8;

/// Most planes; plane 0 is empty.
const MOST_PLANES: usize = 128;

/// A set of features, a bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct FeatureSet([u64; CLASSES * DEPTH / 64]);

impl FeatureSet {
    pub fn insert(&mut self, feature: usize) {
        if let Some(word) = self.0.get_mut(feature / 64) {
            *word |= 1 << (feature % 64);
        }
    }

    pub fn contains(&self, feature: usize) -> bool {
        self.0.get(feature / 64).is_some_and(|word| word >> (feature % 64) & 1 == 1)
    }

    pub fn extend(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, theirs)| *mine |= theirs);
    }
}

/// Calls `f` with every feature of a string, and with none for each character beyond `DEPTH`.
#[inline]
pub(super) fn for_features<S: Symbol>(text: &[S], mut f: impl FnMut(Option<usize>)) {
    let mut counts = [0u8; CLASSES];
    for &symbol in text {
        let class = usize::from(class(symbol.into()));
        if let Some(count) = counts.get_mut(class) {
            let n = usize::from(*count);
            f((n < DEPTH).then_some(class * DEPTH + n));
            *count = count.saturating_add(1);
        }
    }
}

/// The features of a dictionary that have planes.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Plane of each feature; 0 for those without.
    planes: Vec<u8>,
    /// Number of planes, with the empty one.
    pub width: usize,
}

impl Layout {
    /// Chooses, by some strings, the features in which two strings differ most often.
    pub fn of<S: Symbol>(sample: &[Vec<S>]) -> Self {
        let mut counts = vec![0usize; CLASSES * DEPTH];
        for text in sample {
            for_features(text, |feature| {
                if let Some(count) = feature.and_then(|feature| counts.get_mut(feature)) {
                    *count += 1;
                }
            });
        }
        let mut found: Vec<(usize, usize)> =
            (0..).zip(counts).filter(|(_, count)| *count > 0).collect();
        found.sort_by_key(|&(_, count)| std::cmp::Reverse(count * (sample.len() + 1 - count)));
        found.truncate(MOST_PLANES - 1);
        let mut planes = vec![0; CLASSES * DEPTH];
        for (plane, &(feature, _)) in (1..).zip(&found) {
            if let Some(slot) = planes.get_mut(feature) {
                *slot = plane;
            }
        }
        Self { planes, width: found.len() + 1 }
    }

    /// The plane of a feature; 0 when it has none.
    #[inline]
    pub fn plane(&self, feature: usize) -> u8 {
        self.planes.get(feature).copied().unwrap_or(0)
    }
}

/// The features of one query that a dictionary can tell something about.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Planes to count, in eights; filled up with the empty plane.
    pub planes: Vec<[u8; 8]>,
    /// How many they are.
    pub count: usize,
    /// Other features, which any string may have.
    pub unknown: usize,
}

impl Wanted {
    /// The features of a query. `present` are all that some string of the dictionary has.
    pub fn new<S: Symbol>(query: &[S], layout: &Layout, present: &FeatureSet) -> Self {
        let mut wanted = Self { planes: vec![], count: 0, unknown: 0 };
        let known: Vec<S> = query.iter().copied().filter(|&s| s != S::UNKNOWN).collect();
        for_features(&known, |feature| match feature {
            Some(feature) if !present.contains(feature) => {}
            Some(feature) if layout.plane(feature) > 0 => wanted.push(layout.plane(feature)),
            _ => wanted.unknown += 1,
        });
        wanted
    }

    fn push(&mut self, plane: u8) {
        if self.count == Counters::MOST {
            self.unknown += 1;
            return;
        }
        let at = self.count % 8;
        if at == 0 {
            self.planes.push([0; 8]);
        }
        if let Some(slot) = self.planes.last_mut().and_then(|last| last.get_mut(at)) {
            *slot = plane;
        }
        self.count += 1;
    }
}
