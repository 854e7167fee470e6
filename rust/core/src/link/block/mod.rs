//! Which pairs of rows are looked at. A rule makes blocks of rows; every pair in a block is a
//! candidate, once, by the first rule that makes it.

mod groups;
mod neighbours;
mod within;

use std::sync::{Arc, OnceLock};

use super::encode::{Codes, NULL};
use super::packed::PackedDigits;
use super::within_one::is_within_one;
use groups::Groups;
use neighbours::Neighbours;
use within::Within;

/// The rows of one frame, or of two, the left one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rows {
    /// Rows in all.
    pub all: u32,
    /// Rows of the left frame; `None` when pairs are within one frame.
    pub left: Option<u32>,
}

impl Rows {
    /// Number of pairs of rows.
    #[must_use]
    pub fn pairs(self) -> u64 {
        let all = u64::from(self.all);
        match self.left {
            Some(left) => u64::from(left) * (all - u64::from(left.min(self.all))),
            None => all * all.saturating_sub(1) / 2,
        }
    }

    /// Whether two rows, the lower one first, may be a pair.
    #[inline(always)]
    fn may_pair(self, a: u32, b: u32) -> bool {
        self.left.is_none_or(|left| a < left && b >= left)
    }
}

/// What makes rows candidates.
#[derive(Debug, Clone)]
pub enum Rule {
    /// Equal keys.
    Equal(Codes),
    /// Places in a sorted order, unique, that differ by less than a window.
    Near {
        /// A place for each row, or [`NULL`].
        places: Vec<u32>,
        /// Rows that share a look.
        window: u32,
    },
    /// Numbers that are equal or within one error of entry.
    WithinOne(Vec<Option<PackedDigits>>),
}

impl Rule {
    /// Whether two rows agree.
    #[inline]
    fn holds(&self, a: u32, b: u32) -> bool {
        let at = |rows: &[u32], row: u32| rows.get(row as usize).copied().unwrap_or(NULL);
        match self {
            Self::Equal(codes) => {
                at(&codes.rows, a) == at(&codes.rows, b) && at(&codes.rows, a) != NULL
            }
            Self::Near { places, window } => {
                let (a, b) = (at(places, a), at(places, b));
                a != NULL && b != NULL && a.abs_diff(b) < *window
            }
            Self::WithinOne(numbers) => {
                let at = |row: u32| numbers.get(row as usize).copied().flatten();
                at(a).zip(at(b)).is_some_and(|(a, b)| is_within_one(a, b))
            }
        }
    }
}

/// The rules of a plan, in order.
#[derive(Debug)]
pub struct Blocking {
    rows: Rows,
    rules: Vec<Rule>,
    /// For each rule, what its cap left out, and rows of its largest blocks.
    sizes: Vec<(Dropped, Vec<u32>)>,
    /// For each rule, its blocks once they were asked for: learning and linking want the same.
    made: Vec<OnceLock<(Arc<Kind>, Vec<Unit>)>>,
    /// Keys of the rules that compare keys, row by row, so that one look at memory serves all.
    keys: Vec<u32>,
    width: usize,
}

/// Never a key, and not [`NULL`] either.
const NOTHING: u32 = NULL - 1;

/// Part of the work of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    from: u32,
    to: u32,
    /// Of a block that is too large for one unit: its first members from here to there.
    members: Option<(u32, u32)>,
    /// Pairs before any are left out as another rule's; of a join, what takes as long.
    pub pairs: u64,
}

/// The blocks of one rule.
#[derive(Debug)]
pub struct Blocks {
    blocking: Arc<Blocking>,
    rule: usize,
    kind: Arc<Kind>,
    /// Parts of the work, each about as long as another.
    pub units: Vec<Unit>,
    /// What the rule's cap left out.
    pub dropped: Dropped,
    /// Rows of the largest blocks, largest first, before the cap.
    pub largest: Vec<u32>,
}

#[derive(Debug)]
enum Kind {
    Groups(Groups),
    Neighbours(Neighbours),
    Within(Within),
}

/// Blocks larger than a cap.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Number of blocks.
    pub blocks: u64,
    /// Rows in them.
    pub rows: u64,
    /// Pairs in them.
    pub pairs: u64,
}

impl Blocking {
    /// Rules over the same rows. With a cap, a key that more rows have is no key: the pairs of such a
    /// block are left to the other rules.
    #[must_use]
    pub fn new(rows: Rows, rules: Vec<(Rule, Option<u32>)>) -> Self {
        let cap = |(mut rule, cap): (Rule, Option<u32>)| {
            let sizes = match &mut rule {
                Rule::Equal(codes) => groups::cap(codes, rows, cap),
                _ => Default::default(),
            };
            (rule, sizes)
        };
        let (rules, sizes): (Vec<Rule>, Vec<_>) = rules.into_iter().map(cap).unzip();
        let of_keys = rules.iter().filter_map(|rule| match rule {
            Rule::Equal(codes) => Some(codes),
            _ => None,
        });
        let columns: Vec<&Codes> = of_keys.collect();
        // A multiple of four is compared four at a time.
        let width = columns.len().next_multiple_of(4);
        let mut keys = vec![NULL; width * rows.all as usize];
        for (row, slot) in keys.chunks_exact_mut(width.max(1)).enumerate() {
            for (to, codes) in slot.iter_mut().zip(&columns) {
                *to = codes.rows.get(row).copied().unwrap_or(NULL);
            }
        }
        let made = rules.iter().map(|_| OnceLock::new()).collect();
        Self { rows, rules, sizes, made, keys, width }
    }

    /// Number of rules.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True when there is no rule.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> Rows {
        self.rows
    }

    /// The blocks of a rule. `None` for a rule there is not.
    #[must_use]
    pub fn blocks(self: &Arc<Self>, rule: usize) -> Option<Blocks> {
        let (of_rule, made) = self.rules.get(rule).zip(self.made.get(rule))?;
        let (kind, units) = made.get_or_init(|| make(of_rule, self.rows)).clone();
        let (dropped, largest) = self.sizes.get(rule).cloned().unwrap_or_default();
        Some(Blocks { blocking: Arc::clone(self), rule, kind, units, dropped, largest })
    }

    /// Which rules hold for two rows: bit 0 for the first, up to 64.
    #[must_use]
    pub fn holding(&self, a: u32, b: u32) -> u64 {
        let rules = self.rules.iter().take(64).enumerate();
        rules.fold(0, |mask, (k, rule)| mask | u64::from(rule.holds(a, b)) << k)
    }

    fn keys_of(&self, row: u32) -> &[u32] {
        let start = row as usize * self.width;
        self.keys.get(start..start + self.width).unwrap_or_default()
    }
}

/// The blocks of a rule, and the parts of the work.
fn make(rule: &Rule, rows: Rows) -> (Arc<Kind>, Vec<Unit>) {
    let (kind, units) = match rule {
        Rule::Equal(codes) => {
            let groups = Groups::new(codes, rows);
            let units = groups.units(rows);
            (Kind::Groups(groups), units)
        }
        Rule::Near { places, window } => {
            let neighbours = Neighbours::new(places, *window);
            let units = neighbours.units();
            (Kind::Neighbours(neighbours), units)
        }
        Rule::WithinOne(numbers) => {
            let within = Within::new(numbers);
            let units = within.units().collect();
            (Kind::Within(within), units)
        }
    };
    (Arc::new(kind), units)
}

/// Rows that share a key with the first of a pair by an earlier rule, or meet another one.
struct Earlier<'a> {
    blocking: &'a Blocking,
    /// Keys of the first row, for earlier rules only.
    keys: Vec<u32>,
    /// How many of the keys are of earlier rules.
    count: usize,
    others: Vec<&'a Rule>,
}

impl<'a> Earlier<'a> {
    fn new(blocking: &'a Blocking, rule: usize) -> Self {
        let earlier = blocking.rules.iter().take(rule);
        let (equal, others): (Vec<_>, Vec<_>) =
            earlier.partition(|rule| matches!(rule, Rule::Equal(_)));
        let count = equal.len();
        let keys = vec![NOTHING; count.next_multiple_of(4)];
        Self { blocking, keys, count, others }
    }

    /// Rows are held against this one from now on.
    #[inline]
    fn hold(&mut self, row: u32) {
        let keys = self.blocking.keys_of(row).iter().take(self.count);
        for (to, key) in self.keys.iter_mut().zip(keys) {
            *to = if *key == NULL { NOTHING } else { *key };
        }
    }

    /// Whether the pair of the row that is held and another is an earlier rule's.
    #[inline(always)]
    fn has(&self, held: u32, row: u32) -> bool {
        // All keys, without a way out in between: four comparisons take one instruction.
        let keys = self.keys.iter().zip(self.blocking.keys_of(row));
        let same = self.count > 0 && keys.fold(false, |same, (a, b)| same | (a == b));
        same || self.others.iter().any(|rule| rule.holds(held, row))
    }
}

impl Blocks {
    /// Calls `emit` with each pair of a unit, the lower row first. Pairs of earlier rules are left
    /// out, unless `alone`.
    #[inline]
    pub fn each_pair(&self, unit: &Unit, alone: bool, emit: impl FnMut(u32, u32)) {
        self.each_wanted_pair(unit, alone, |_, _| true, emit);
    }

    /// [`Blocks::each_pair`] of those pairs that are wanted, which takes less time for few of them.
    #[inline]
    pub fn each_wanted_pair(
        &self,
        unit: &Unit,
        alone: bool,
        wanted: impl Fn(u32, u32) -> bool,
        mut emit: impl FnMut(u32, u32),
    ) {
        let rows = self.blocking.rows;
        let mut earlier = Earlier::new(&self.blocking, if alone { 0 } else { self.rule });
        let free = earlier.count == 0 && earlier.others.is_empty();
        let mut each = |a: u32, others: &[u32]| {
            let others = others.iter().copied().filter(|b| wanted(a, *b));
            if free {
                others.for_each(|b| emit(a, b));
            } else {
                earlier.hold(a);
                others.filter(|b| !earlier.has(a, *b)).for_each(|b| emit(a, b));
            }
        };
        match &*self.kind {
            Kind::Groups(groups) => groups.each(unit, rows, &mut each),
            Kind::Neighbours(neighbours) => neighbours.each(unit, rows, &mut each),
            Kind::Within(within) => within.each(unit, rows, &mut each),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A multiplicative generator: the tests need no better.
    fn random(state: &mut u64, below: u32) -> u32 {
        *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        ((*state >> 33) % u64::from(below)) as u32
    }

    fn rules(state: &mut u64, rows: u32) -> Vec<Rule> {
        let codes = |state: &mut u64, most: u32| {
            let value = |_| Some(u64::from(random(state, most))).filter(|code| *code > 0);
            Rule::Equal(Codes::of((0..rows).map(value)))
        };
        let mut places: Vec<u32> = (0..rows).collect();
        (0..rows).for_each(|i| places.swap(i as usize, random(state, rows) as usize));
        places.iter_mut().filter(|place| **place % 7 == 0).for_each(|place| *place = NULL);
        let numbers = (0..rows).map(|_| {
            let value = 1000 * u64::from(random(state, 4)) + u64::from(random(state, 300));
            PackedDigits::new(value, 4 + random(state, 2) as usize)
        });
        let within = Rule::WithinOne(numbers.collect());
        vec![
            codes(state, rows / 2),
            within,
            codes(state, 3),
            Rule::Near { places, window: 4 },
            codes(state, rows),
            codes(state, 9),
        ]
    }

    #[test]
    fn every_pair_is_made_once_by_the_first_rule_that_holds() {
        let mut state = 3;
        for (rows, left) in
            [(40, None), (60, Some(25)), (2, None), (0, None), (7, Some(0)), (7, Some(7))]
        {
            let rows = Rows { all: rows, left };
            let rules = rules(&mut state, rows.all);
            let blocking = Arc::new(Blocking::new(
                rows,
                rules.iter().map(|rule| (rule.clone(), None)).collect(),
            ));
            let mut expected = vec![vec![]; rules.len()];
            for a in 0..rows.all {
                for b in a + 1..rows.all {
                    let first = rules.iter().position(|rule| rule.holds(a, b));
                    if let Some(rule) =
                        first.filter(|_| left.is_none_or(|left| a < left && b >= left))
                    {
                        expected[rule].push((a, b));
                    }
                }
            }
            for (rule, expected) in expected.iter().enumerate() {
                let blocks = blocking.blocks(rule).unwrap();
                let mut found = vec![];
                let mut alone = vec![];
                for unit in &blocks.units {
                    blocks.each_pair(unit, false, |a, b| found.push((a, b)));
                    let before = alone.len();
                    blocks.each_pair(unit, true, |a, b| alone.push((a, b)));
                    let is_join = matches!(rules[rule], Rule::WithinOne(_));
                    let is_near = matches!(rules[rule], Rule::Near { .. });
                    if !(is_join || is_near && left.is_some()) {
                        assert_eq!(unit.pairs, (alone.len() - before) as u64);
                    }
                }
                found.sort_unstable();
                assert_eq!(&found, expected);
                assert!(alone.iter().all(|(a, b)| rules[rule].holds(*a, *b)));
                alone.sort_unstable();
                assert!(alone.windows(2).all(|pair| pair[0] < pair[1]));
                assert!(found.iter().all(|pair| alone.binary_search(pair).is_ok()));
            }
        }
        let blocking = Arc::new(Blocking::new(Rows { all: 1, left: None }, vec![]));
        assert!(blocking.is_empty() && blocking.blocks(0).is_none());
    }

    #[test]
    fn a_cap_leaves_out_large_blocks_and_says_so() {
        let codes = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4].map(Some);
        let all = [1; 10].map(Some);
        let rule = |codes: [Option<u64>; 10]| Rule::Equal(Codes::of(codes.into_iter()));
        let rules = vec![(rule(codes), Some(2)), (rule(all), None)];
        let blocking = Arc::new(Blocking::new(Rows { all: 10, left: None }, rules));
        let blocks = blocking.blocks(0).unwrap();
        assert_eq!(blocks.dropped, Dropped { blocks: 2, rows: 7, pairs: 9 });
        assert_eq!(blocks.largest, [4, 3, 2]);
        let pairs = |rule: usize| {
            let (blocks, mut found) = (blocking.blocks(rule).unwrap(), vec![]);
            blocks.units.iter().for_each(|u| blocks.each_pair(u, false, |a, b| found.push((a, b))));
            found
        };
        assert_eq!(pairs(0), [(7, 8)]);
        // What the cap left out is the next rule's.
        assert!(pairs(1).len() == 44 && pairs(1).contains(&(0, 1)));
    }
}
