//! Exact scores of the strings that the bounds left.

use super::super::batch::Side;
use super::super::edit::Edit;
use super::super::similarity::{Metric, Query, Room, Scorer as _, Similarity};
use super::Scorer;
use super::alphabet::Symbol;
use crate::column::Strings;
use crate::isa::Isa;

/// A query that many strings are compared with.
pub(super) struct Exact<'q, S> {
    similarity: Similarity,
    symbols: &'q [S],
    query: Query,
    room: Room,
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
            room: Room::default(),
        }
    }

    /// The similarities of strings, one after the other, that are all `length` long.
    pub fn score(&mut self, isa: Isa, length: usize, texts: &[S], out: &mut [f64]) {
        if isa != Isa::Portable && self.score_lanes(isa, length, texts, out) {
            return;
        }
        let Self { similarity, symbols, query, room } = self;
        for (n, to) in out.iter_mut().enumerate() {
            let text = texts.get(n * length..(n + 1) * length).unwrap_or(&[]);
            let found = similarity.prepared(query, text);
            *to = found.unwrap_or_else(|| similarity.pair(symbols, text, &mut room.parts));
        }
    }

    /// The same for short strings of frequent characters, many at a time; false for others.
    fn score_lanes(&mut self, isa: Isa, length: usize, texts: &[S], out: &mut [f64]) -> bool {
        const LONGEST: usize = 32;
        const FEWEST: usize = 6; // fewer are faster one by one
        if length.max(self.symbols.len()) > LONGEST || out.len() < FEWEST {
            return false;
        }
        let (Some(texts), Some(query)) = (S::as_ascii(texts), S::as_ascii(self.symbols)) else {
            return false;
        };
        let ends: Vec<i32> = (0..=out.len()).map(|n| (n * length) as i32).collect();
        let (query, texts) = (Side::One(query), Strings::Offsets32(&ends, texts));
        self.similarity.fill_in(&mut self.room, isa, &query, &Side::Rows(&texts), out);
        true
    }
}
