//! Exact scores of the strings that the bounds left.

use super::super::edit::Edit;
use super::super::similarity::{Metric, Parts, Query, Scorer as _, Similarity};
use super::Scorer;
use super::alphabet::Symbol;

/// A query that many strings are compared with.
pub(super) struct Exact<'q, S> {
    similarity: Similarity,
    symbols: &'q [S],
    query: Query,
    room: Parts,
}

impl<'q, S: Symbol> Exact<'q, S> {
    pub fn new(scorer: Scorer, symbols: &'q [S]) -> Self {
        let metric = match scorer {
            Scorer::JaroWinkler => Metric::JaroWinkler,
            Scorer::Levenshtein => Metric::Edit(Edit::Levenshtein),
        };
        Self {
            similarity: Similarity::new(metric),
            symbols,
            query: Query::of_codes(symbols.iter().map(|&symbol| symbol.into()).collect()),
            room: Parts::default(),
        }
    }

    /// The similarity of a string.
    #[inline]
    pub fn score(&mut self, text: &[S]) -> f64 {
        let Self { similarity, symbols, query, room } = self;
        let found = similarity.prepared(query, text);
        found.unwrap_or_else(|| similarity.pair(*symbols, text, room))
    }
}
