//! The tree over the keys: each level has the last number of each node of the level below.

use std::ops::Range;

use crate::store::bytes::U64s;

/// Numbers of a node: two cache lines.
const NODE: usize = 16;
/// Levels that 2^32 keys have at most.
pub(super) const LEVELS: usize = 8;
/// Keys that go down the tree together.
const TOGETHER: usize = 64;

/// Lengths of the levels over so many keys, from the lowest up; the last is one node.
pub(super) fn sizes(rows: usize) -> impl Iterator<Item = usize> {
    let above = |n: &usize| (*n > NODE).then(|| n.div_ceil(NODE));
    std::iter::successors(Some(rows), above).skip(1)
}

/// The levels over some keys, which ascend, from the lowest up.
pub(super) fn levels(keys: &[u64]) -> Vec<Vec<u64>> {
    let last = |below: &[u64]| below.chunks(NODE).filter_map(|node| node.last().copied()).collect();
    let mut levels: Vec<Vec<u64>> = vec![];
    for _ in sizes(keys.len()) {
        levels.push(last(levels.last().map_or(keys, Vec::as_slice)));
    }
    levels
}

/// A tree in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tree<'a> {
    keys: U64s<'a>,
    /// From the top down.
    levels: [U64s<'a>; LEVELS],
    count: usize,
}

impl<'a> Tree<'a> {
    /// A tree of so many levels, the highest first.
    pub(super) fn new(keys: U64s<'a>, levels: [U64s<'a>; LEVELS], count: usize) -> Self {
        Self { keys, levels, count }
    }

    fn down(&self) -> impl Iterator<Item = U64s<'a>> + '_ {
        self.levels.iter().take(self.count).copied().chain([self.keys])
    }

    /// The first place whose key is not below a bound; the end or beyond when there is none.
    #[inline]
    fn lower_bound(&self, bound: u64) -> usize {
        let step = |at: usize, level: U64s<'_>| {
            let from = at * NODE;
            from + level.count_below::<NODE>(from, bound)
        };
        self.down().fold(0, step)
    }

    /// The places of a key, of which the first one that is not below it is known.
    #[inline]
    fn run(&self, key: u64, start: usize) -> Range<usize> {
        if self.keys.get(start) != Some(key) {
            return start..start;
        }
        let end = if self.keys.get(start + 1) == Some(key) {
            let end = key.checked_add(1).map_or(self.keys.len(), |next| self.lower_bound(next));
            // Damaged levels may lead anywhere.
            end.clamp(start + 1, self.keys.len())
        } else {
            start + 1
        };
        start..end
    }

    /// The places of a key.
    #[inline]
    pub(super) fn find(&self, key: u64) -> Range<usize> {
        self.run(key, self.lower_bound(key))
    }

    /// Calls `each` with the number of each key and its places.
    pub(super) fn find_all(&self, keys: &[u64], mut each: impl FnMut(usize, Range<usize>)) {
        for (k, some) in keys.chunks(TOGETHER).enumerate() {
            let mut places = [0; TOGETHER];
            for level in self.down() {
                // A first look at both lines of each node, so that memory serves all at once.
                let lines = places.iter().take(some.len()).map(|at| at * NODE);
                let look = |at| level.get(at).unwrap_or(0) ^ level.get(at + NODE / 2).unwrap_or(0);
                std::hint::black_box(lines.fold(0, |all, at| all ^ look(at)));
                for (at, key) in places.iter_mut().zip(some) {
                    *at *= NODE;
                    *at += level.count_below::<NODE>(*at, *key);
                }
            }
            for (i, (key, start)) in some.iter().zip(places).enumerate() {
                each(k * TOGETHER + i, self.run(*key, start));
            }
        }
    }
}
