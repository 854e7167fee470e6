//! A dictionary, prepared for look-ups.

use std::collections::BTreeMap;

use super::Texts;
use super::alphabet::{Alphabet, Symbol};
use super::features::{FeatureSet, Layout};
use super::group::{Given, Group};

/// Strings looked at to rank the characters and to choose the features.
const SAMPLE: usize = 1 << 15;

/// Strings prepared for look-ups.
#[derive(Debug, Clone)]
pub struct Dictionary {
    pub(super) alphabet: Alphabet,
    pub(super) groups: Groups,
    len: usize,
}

/// The strings by length, in units that hold all their characters.
#[derive(Debug, Clone)]
pub(super) enum Groups {
    Narrow(Prepared<u8>),
    Wide(Prepared<u32>),
}

/// The strings by length.
#[derive(Debug, Clone)]
pub(super) struct Prepared<S> {
    pub layout: Layout,
    /// Features that some string has.
    pub present: FeatureSet,
    pub groups: Vec<Group<S>>,
}

/// A dictionary in the making: its parts can be made in any order, on any thread.
#[derive(Debug)]
pub struct Draft {
    alphabet: Alphabet,
    layout: Layout,
    lengths: Lengths,
    len: usize,
}

/// The rows by length.
#[derive(Debug)]
enum Lengths {
    Narrow(Vec<Given<u8>>),
    Wide(Vec<Given<u32>>),
}

/// The strings of one length, prepared.
#[derive(Debug)]
pub struct Part(PartOf);

#[derive(Debug)]
enum PartOf {
    Narrow(Group<u8>),
    Wide(Group<u32>),
}

impl Draft {
    /// Looks at every string.
    #[must_use]
    pub fn new(texts: &impl Texts) -> Self {
        let step = texts.len().div_ceil(SAMPLE).max(1);
        let alphabet = Alphabet::of(texts, step);
        let sampled = (0..texts.len()).step_by(step).filter_map(|row| texts.get(row));
        let sample: Vec<Vec<u32>> = sampled
            .map(|text| {
                let mut symbols = vec![];
                alphabet.encode(text, &mut symbols);
                symbols
            })
            .collect();
        let layout = Layout::of(&sample);
        let lengths = if alphabet.is_narrow() {
            Lengths::Narrow(by_length(texts, &alphabet))
        } else {
            Lengths::Wide(by_length(texts, &alphabet))
        };
        Self { alphabet, layout, lengths, len: texts.len() }
    }

    /// Number of parts to make.
    #[must_use]
    pub fn parts(&self) -> usize {
        match &self.lengths {
            Lengths::Narrow(lengths) => lengths.len(),
            Lengths::Wide(lengths) => lengths.len(),
        }
    }

    /// Makes a part.
    #[must_use]
    pub fn part(&self, n: usize) -> Option<Part> {
        Some(Part(match &self.lengths {
            Lengths::Narrow(lengths) => PartOf::Narrow(Group::new(&self.layout, lengths.get(n)?)),
            Lengths::Wide(lengths) => PartOf::Wide(Group::new(&self.layout, lengths.get(n)?)),
        }))
    }

    /// Puts all parts together.
    #[must_use]
    pub fn finish(self, parts: impl Iterator<Item = Part>) -> Dictionary {
        let (mut narrow, mut wide) = (vec![], vec![]);
        for Part(group) in parts {
            match group {
                PartOf::Narrow(group) => narrow.push(group),
                PartOf::Wide(group) => wide.push(group),
            }
        }
        let groups = if self.alphabet.is_narrow() {
            Groups::Narrow(Prepared::new(self.layout, narrow))
        } else {
            Groups::Wide(Prepared::new(self.layout, wide))
        };
        Dictionary { alphabet: self.alphabet, groups, len: self.len }
    }
}

/// The rows by length. All are read in their order in memory: in any other, most of the time would
/// go into waiting for memory.
fn by_length<S: Symbol>(texts: &impl Texts, alphabet: &Alphabet) -> Vec<Given<S>> {
    let mut lengths: BTreeMap<usize, Given<S>> = BTreeMap::new();
    let mut symbols = vec![];
    for row in 0..texts.len() {
        let Some(text) = texts.get(row) else { continue };
        symbols.clear();
        alphabet.encode(text, &mut symbols);
        let length = symbols.len();
        let new = || Given { length, rows: vec![], symbols: vec![] };
        let given = lengths.entry(length).or_insert_with(new);
        given.rows.push(row as u32);
        given.symbols.extend_from_slice(&symbols);
    }
    lengths.into_values().collect()
}

impl<S: Symbol> Prepared<S> {
    fn new(layout: Layout, groups: Vec<Group<S>>) -> Self {
        let mut present = FeatureSet::default();
        groups.iter().for_each(|group| present.extend(&group.present));
        Self { layout, present, groups }
    }
}

impl Dictionary {
    /// Prepares strings, on this thread.
    #[must_use]
    pub fn new(texts: &impl Texts) -> Self {
        let draft = Draft::new(texts);
        let parts: Vec<Part> = (0..draft.parts()).filter_map(|n| draft.part(n)).collect();
        draft.finish(parts.into_iter())
    }

    /// Number of rows, those that are null included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
