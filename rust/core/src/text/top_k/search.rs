//! Look-ups in a dictionary.

use std::ops::Range;

use super::Scorer;
use super::alphabet::Symbol;
use super::best::{Best, Match};
use super::bound::need;
use super::dictionary::{Dictionary, Groups, Prepared};
use super::exact::Exact;
use super::features::Wanted;
use super::group::{Group, PREFIX, prefix};
use super::lanes::Lanes;
use crate::isa::Isa;

/// Strings that all queries of a batch are compared with before the next ones: their planes and
/// symbols fit in the second-level cache.
const TILE: usize = 32 * Lanes::COUNT;

/// Strings that a query is compared with at first, before it has any matches that could spare it
/// work; then twice as many, and so on.
const FIRST: usize = 64;

/// What to look for.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// How similarity is measured.
    pub scorer: Scorer,
    /// Most matches of a query.
    pub k: usize,
    /// Lowest similarity of a match.
    pub cutoff: f64,
    /// Instructions to use; the answers are the same on all.
    pub isa: Isa,
}

impl Search {
    /// The best matches of each query, in the order of the queries; each best first, and of equal
    /// similarities the lower row first. `check` is called every few milliseconds; its error stops
    /// the search.
    ///
    /// # Errors
    ///
    /// Those of `check`.
    pub fn run<E>(
        &self,
        dictionary: &Dictionary,
        queries: &[&[u8]],
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<Vec<Vec<Match>>, E> {
        match &dictionary.groups {
            Groups::Narrow(prepared) => self.batch(dictionary, prepared, queries, &mut check),
            Groups::Wide(prepared) => self.batch(dictionary, prepared, queries, &mut check),
        }
    }

    fn batch<S: Symbol, E>(
        &self,
        dictionary: &Dictionary,
        prepared: &Prepared<S>,
        queries: &[&[u8]],
        check: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<Vec<Vec<Match>>, E> {
        let encode = |query: &&[u8]| {
            let mut symbols = vec![];
            dictionary.alphabet.encode(query, &mut symbols);
            symbols
        };
        let symbols: Vec<Vec<S>> = queries.iter().map(encode).collect();
        let mut running = vec![];
        for symbols in &symbols {
            check()?;
            let mut query = Query::new(*self, prepared, symbols);
            query.scan_alike(&prepared.groups);
            running.push(query);
        }
        // The nearest lengths first: they raise the bar for the others.
        let length = symbols.get(symbols.len() / 2).map_or(0, Vec::len);
        for n in by_length(&prepared.groups, length) {
            let Some(group) = prepared.groups.get(n) else { continue };
            for start in (0..group.len()).step_by(TILE) {
                check()?;
                let tile = start..(start + TILE).min(group.len());
                running.iter_mut().for_each(|query| query.scan_others(group, tile.clone()));
            }
        }
        Ok(running.into_iter().map(|query| query.best.into_matches()).collect())
    }
}

/// Numbers of groups, those of the most similar length first.
fn by_length<S>(groups: &[Group<S>], length: usize) -> Vec<usize> {
    let ratio =
        |group: &Group<S>| group.length.min(length) as f64 / group.length.max(length).max(1) as f64;
    let mut sorted: Vec<(f64, usize)> = groups.iter().map(ratio).zip(0..).collect();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    sorted.into_iter().map(|(_, n)| n).collect()
}

/// A query under way.
struct Query<'q, S> {
    search: Search,
    length: usize,
    prefix: u32,
    wanted: Wanted,
    exact: Exact<'q, S>,
    best: Best,
    /// Strings to compare with next.
    step: usize,
    /// Strings to score, their symbols and their scores; kept for their memory.
    found: Vec<u32>,
    texts: Vec<S>,
    scores: Vec<f64>,
}

impl<'q, S: Symbol> Query<'q, S> {
    fn new(search: Search, prepared: &Prepared<S>, symbols: &'q [S]) -> Self {
        Self {
            search,
            length: symbols.len(),
            prefix: prefix(symbols),
            wanted: Wanted::new(symbols, &prepared.layout, &prepared.present),
            exact: Exact::new(search.scorer, symbols),
            best: Best::new(search.k, search.cutoff),
            step: FIRST,
            found: vec![],
            texts: vec![],
            scores: vec![],
        }
    }

    /// Compares with the strings that begin alike, the longest common prefixes first: they are few
    /// and good.
    fn scan_alike(&mut self, groups: &[Group<S>]) {
        let order = by_length(groups, self.length);
        let near = || order.iter().filter_map(|&n| groups.get(n));
        let mut ranges: Vec<[Range<usize>; PREFIX + 1]> = vec![];
        for group in near() {
            let mut range = group.begin_alike(self.prefix);
            ranges.push(std::array::from_fn(|length| {
                if length > 1 {
                    range = group.narrow(range.clone(), self.prefix, length);
                }
                range.clone()
            }));
        }
        for length in (1..=PREFIX).rev() {
            for (group, ranges) in near().zip(&ranges) {
                let Some(outer) = ranges.get(length).cloned() else { continue };
                // What agrees in more characters has had its turn.
                let inner = ranges.get(length + 1).cloned().unwrap_or(outer.end..outer.end);
                self.scan(group, length, outer.start..inner.start);
                self.scan(group, length, inner.end..outer.end);
            }
        }
    }

    /// Compares with the strings of a tile that begin with another character.
    fn scan_others(&mut self, group: &Group<S>, tile: Range<usize>) {
        let alike = group.begin_alike(self.prefix);
        self.scan(group, 0, tile.start..alike.start.min(tile.end));
        self.scan(group, 0, alike.end.max(tile.start)..tile.end);
    }

    /// Compares with strings of which at most the first `prefix` characters agree.
    fn scan(&mut self, group: &Group<S>, prefix: usize, mut range: Range<usize>) {
        let Search { scorer, isa, .. } = self.search;
        while !range.is_empty() {
            let cutoff = self.best.cutoff();
            let Some(need) = need(scorer, self.length, group.length, prefix, cutoff) else {
                return;
            };
            let part = range.start..range.end.min(range.start + self.step);
            self.step = TILE.min(2 * self.step);
            range.start = part.end;
            self.found.clear();
            group.planes.scan(isa, &self.wanted, need, part, &mut self.found);
            self.score(group);
        }
    }

    /// Scores what was found in a group.
    fn score(&mut self, group: &Group<S>) {
        let Self { search, exact, best, found, texts, scores, .. } = self;
        // All are fetched before any is scored: so the processor waits for many at a time.
        texts.clear();
        found.iter().for_each(|&i| texts.extend_from_slice(group.get(i as usize)));
        scores.resize(found.len(), 0.0);
        exact.score(search.isa, group.length, texts, scores);
        for (&i, &score) in found.iter().zip(&*scores) {
            best.add(score, group.rows(i as usize));
        }
    }
}
