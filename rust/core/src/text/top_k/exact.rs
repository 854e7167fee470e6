//! Exact scores of the strings that the bounds left.

use super::super::edit::Edit;
use super::super::similarity::{Metric, Query, Room, Scorer as _, Similarity};
use super::Scorer;
use super::alphabet::Symbol;
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
        #[cfg(target_arch = "x86_64")]
        if isa == Isa::Avx512Vbmi && self.score_lanes(length, texts, out) {
            return;
        }
        let Self { similarity, symbols, query, room } = self;
        for (n, to) in out.iter_mut().enumerate() {
            let text = texts.get(n * length..(n + 1) * length).unwrap_or(&[]);
            let found = similarity.prepared(query, text);
            *to = found.unwrap_or_else(|| similarity.pair(symbols, text, &mut room.parts));
        }
    }

    /// The same for short strings of frequent characters, sixteen at a time; false for others.
    #[cfg(target_arch = "x86_64")]
    fn score_lanes(&mut self, length: usize, texts: &[S], out: &mut [f64]) -> bool {
        use super::super::batch::{Batch as _, Side};
        use crate::column::Strings;

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
        self.similarity.fill_lanes(&query, &Side::Rows(&texts), &mut self.room, out)
    }
}
