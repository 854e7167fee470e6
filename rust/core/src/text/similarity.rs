//! One pair of texts: a metric, its cutoff, and what is kept between pairs.

use super::chars::{Char, Decoded, Ids};
use super::column;
use super::edit::{self, Edit, Edits};
use super::grams::{GramRoom, Grams, Overlap};
use super::jaro::{self, Matches, Queues};
use super::masks::{Masks, WORD};
use super::tokens;

/// A similarity from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// Matching characters and their order.
    Jaro,
    /// [`Metric::Jaro`], raised for a common prefix.
    JaroWinkler,
    /// `1 - distance / longer length`.
    Edit(Edit),
    /// Words in any order.
    TokenSort,
    /// Common words, and the others.
    TokenSet,
    /// Overlap of q-grams.
    Grams(Overlap, Grams),
}

/// A similarity with its cutoff: what is below the cutoff is 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    pub(super) metric: Metric,
    pub(super) cutoff: f64,
}

/// An edit distance with its limit: what is above it counts as one more than it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Distance {
    pub(super) edit: Edit,
    pub(super) cutoff: u32,
}

/// Room that comparing pairs needs, to be used for many; it grows to the longest texts.
#[derive(Debug, Default)]
pub struct Room {
    a: Decoded,
    b: Decoded,
    pub(super) parts: Parts,
}

#[derive(Debug, Default)]
pub(super) struct Parts {
    masks: Masks,
    edits: Edits,
    ids: Ids,
    queues: Queues,
    grams: GramRoom,
}

/// A text that many others are compared with: what its characters need is made once.
#[derive(Debug)]
pub struct Query {
    bytes: Vec<u8>,
    codes: Vec<u32>,
    /// Of all characters, when they are at most 64.
    masks: Option<Box<Masks>>,
}

impl Query {
    /// Prepares a text.
    #[must_use]
    pub fn new(text: &[u8]) -> Self {
        let codes = Decoded::default().decode(text).to_vec();
        Self { bytes: text.to_vec(), ..Self::of_codes(codes) }
    }

    /// Prepares characters that only the kernels see: the bytes of the text are left out.
    pub(super) fn of_codes(codes: Vec<u32>) -> Self {
        let masks = (codes.len() <= WORD).then(|| {
            let mut masks = Box::new(Masks::default());
            masks.set(&codes);
            masks
        });
        Self { bytes: vec![], codes, masks }
    }
}

/// What gives a number for two texts.
pub(super) trait Scorer: Copy {
    type Out: Copy;

    fn pair<C: Char>(self, a: &[C], b: &[C], parts: &mut Parts) -> Self::Out;

    /// The same for a prepared text, when that is of use.
    fn prepared<C: Char>(self, query: &Query, text: &[C]) -> Option<Self::Out>;
}

/// The number of a pair of texts in UTF-8.
#[inline(always)]
pub(super) fn score<S: Scorer>(scorer: S, a: &[u8], b: &[u8], room: &mut Room) -> S::Out {
    let Room { a: codes_a, b: codes_b, parts } = room;
    if a.is_ascii() && b.is_ascii() {
        scorer.pair(a, b, parts)
    } else {
        scorer.pair(codes_a.decode(a), codes_b.decode(b), parts)
    }
}

#[inline(always)]
pub(super) fn score_query<S: Scorer>(
    scorer: S,
    query: &Query,
    text: &[u8],
    room: &mut Room,
) -> S::Out {
    let found = if text.is_ascii() {
        scorer.prepared(query, text)
    } else {
        scorer.prepared(query, room.b.decode(text))
    };
    found.unwrap_or_else(|| score(scorer, &query.bytes, text, room))
}

impl Similarity {
    /// Without a cutoff.
    #[must_use]
    pub fn new(metric: Metric) -> Self {
        Self { metric, cutoff: 0.0 }
    }

    /// What is below `cutoff` becomes 0, often without being computed.
    #[must_use]
    pub fn with_cutoff(self, cutoff: f64) -> Self {
        Self { cutoff, ..self }
    }

    /// The similarity of two texts in UTF-8.
    #[must_use]
    pub fn of(&self, a: &[u8], b: &[u8], room: &mut Room) -> f64 {
        score(*self, a, b, room)
    }

    /// The similarity of a prepared text and another.
    #[must_use]
    pub fn of_query(&self, query: &Query, text: &[u8], room: &mut Room) -> f64 {
        score_query(*self, query, text, room)
    }

    /// The similarity from matches; `prefix` is used by Jaro-Winkler alone.
    #[inline(always)]
    pub(super) fn of_matches(self, matches: Matches, a: u32, b: u32, prefix: u32) -> f64 {
        let jaro = jaro::jaro(matches, a, b);
        let boosted = jaro::winkler(jaro, prefix);
        let found = if self.metric == Metric::JaroWinkler { boosted } else { jaro };
        if found >= self.cutoff { found } else { 0.0 }
    }

    /// The similarity from a distance between texts of `a` and `b` characters.
    #[inline(always)]
    pub(super) fn of_distance(self, distance: u32, a: u32, b: u32) -> f64 {
        let longer = f64::from(a.max(b).max(1));
        let found = 1.0 - f64::from(distance) / longer;
        if found >= self.cutoff { found } else { 0.0 }
    }

    /// Whether texts of such lengths are below the cutoff whatever they say.
    #[inline(always)]
    pub(super) fn hopeless(self, a: u32, b: u32) -> bool {
        self.cutoff > 0.0
            && match self.metric {
                Metric::Jaro => jaro::most(a, b) < self.cutoff,
                // Less than rounding can add.
                Metric::JaroWinkler => jaro::winkler(jaro::most(a, b), 4) < self.cutoff - 1e-9,
                Metric::Edit(_) => a.abs_diff(b) as usize > self.most_edits(a, b),
                _ => false,
            }
    }

    /// A distance above this is below the cutoff.
    #[inline(always)]
    fn most_edits(self, a: u32, b: u32) -> usize {
        if self.cutoff <= 0.0 {
            return usize::MAX;
        }
        // One more, for what rounding may have taken.
        (f64::from(a.max(b)) * (1.0 - self.cutoff)) as usize + 1
    }

    #[inline(always)]
    fn matches<C: Char>(a: &[C], b: &[C], parts: &mut Parts) -> Matches {
        if a.len() <= WORD && b.len() <= WORD {
            let reach = jaro::reach(a.len(), b.len());
            let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
            // What both begin with is matched in its place.
            let start = pattern.iter().zip(text).take_while(|(x, y)| x == y).count();
            let (pattern, text) = (pattern.get(start..), text.get(start..));
            let (pattern, text) = (pattern.unwrap_or(&[]), text.unwrap_or(&[]));
            parts.masks.set(pattern);
            let found = jaro::matches_word(&parts.masks, reach, text);
            parts.masks.clear(pattern);
            Matches { common: found.common + start as u32, ..found }
        } else {
            parts.ids.set(a, b);
            parts.queues.matches(&parts.ids)
        }
    }
}

impl Scorer for Similarity {
    type Out = f64;

    #[inline(always)]
    fn pair<C: Char>(self, a: &[C], b: &[C], parts: &mut Parts) -> f64 {
        let (m, n) = (a.len() as u32, b.len() as u32);
        if self.hopeless(m, n) {
            return 0.0;
        }
        let Parts { masks, edits, grams, .. } = parts;
        let found = match self.metric {
            Metric::Jaro | Metric::JaroWinkler => {
                let prefix = jaro::prefix(a, b);
                let matches = Self::matches(a, b, parts);
                return self.of_matches(matches, m, n, prefix);
            }
            Metric::Edit(edit) => {
                let distance = edits.distance(edit, masks, a, b, self.most_edits(m, n));
                return self.of_distance(distance as u32, m, n);
            }
            Metric::TokenSort => tokens::token_sort(edits, masks, a, b),
            Metric::TokenSet => tokens::token_set(edits, masks, a, b),
            Metric::Grams(overlap, size) => grams.similarity(overlap, size, a, b),
        };
        if found >= self.cutoff { found } else { 0.0 }
    }

    #[inline(always)]
    fn prepared<C: Char>(self, query: &Query, text: &[C]) -> Option<f64> {
        let masks = query.masks.as_deref()?;
        let (m, n) = (query.codes.len() as u32, text.len() as u32);
        if self.hopeless(m, n) {
            return Some(0.0);
        }
        match self.metric {
            Metric::Jaro | Metric::JaroWinkler if text.len() <= WORD => {
                let prefix = jaro::prefix(&query.codes, text);
                let reach = jaro::reach(query.codes.len(), text.len());
                let matches = jaro::matches_word(masks, reach, text);
                Some(self.of_matches(matches, m, n, prefix))
            }
            Metric::Edit(edit) => {
                let distance = prepared_distance(edit, masks, query.codes.len(), text)?;
                Some(self.of_distance(distance as u32, m, n))
            }
            _ => None,
        }
    }
}

#[inline(always)]
fn prepared_distance<C: Char>(
    edit: Edit,
    masks: &Masks,
    pattern: usize,
    text: &[C],
) -> Option<usize> {
    match edit {
        Edit::Levenshtein => Some(edit::word::<column::Levenshtein, C>(masks, pattern, text)),
        Edit::Osa => Some(edit::word::<column::Osa, C>(masks, pattern, text)),
        Edit::DamerauLevenshtein => None,
    }
}

impl Distance {
    /// Without a limit.
    #[must_use]
    pub fn new(edit: Edit) -> Self {
        Self { edit, cutoff: u32::MAX }
    }

    /// What is above `cutoff` becomes `cutoff + 1`, often without being computed.
    #[must_use]
    pub fn with_cutoff(self, cutoff: u32) -> Self {
        Self { cutoff, ..self }
    }

    /// The distance of two texts in UTF-8.
    #[must_use]
    pub fn of(&self, a: &[u8], b: &[u8], room: &mut Room) -> u32 {
        score(*self, a, b, room)
    }

    /// The distance of a prepared text and another.
    #[must_use]
    pub fn of_query(&self, query: &Query, text: &[u8], room: &mut Room) -> u32 {
        score_query(*self, query, text, room)
    }

    /// The distance, as far as it counts.
    #[inline(always)]
    pub(super) fn limited(self, distance: u32) -> u32 {
        distance.min(self.cutoff.saturating_add(1))
    }
}

impl Scorer for Distance {
    type Out = u32;

    #[inline(always)]
    fn pair<C: Char>(self, a: &[C], b: &[C], parts: &mut Parts) -> u32 {
        let Parts { masks, edits, .. } = parts;
        self.limited(edits.distance(self.edit, masks, a, b, self.cutoff as usize) as u32)
    }

    #[inline(always)]
    fn prepared<C: Char>(self, query: &Query, text: &[C]) -> Option<u32> {
        let masks = query.masks.as_deref()?;
        let distance = prepared_distance(self.edit, masks, query.codes.len(), text)?;
        Some(self.limited(distance as u32))
    }
}
