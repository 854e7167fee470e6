//! The levels and weights of candidates, a batch at a time.

use std::ops::Range;
use std::sync::Arc;

use super::block::{Blocking, Blocks, Unit};
use super::compare::{Comparison, Pairs, Room, UNKNOWN};
use super::patterns::Patterns;
use super::records::Records;
use super::weigh::Weights;
use crate::isa::Isa;

/// Pairs looked at together: their buffers stay in the first cache.
const BATCH: usize = 1024;
/// What rounding may take from a bound of a weight.
const SLACK: f64 = 1e-6;

/// A plan on the rows of one or two frames.
#[derive(Debug)]
pub struct Linker<'t> {
    /// Which pairs are candidates.
    pub blocking: Arc<Blocking>,
    comparisons: Vec<Comparison<'t>>,
    records: Records,
}

/// Pairs with their weights and levels.
#[derive(Debug, Clone, Default)]
pub struct Scored {
    /// Rows that come first.
    pub left: Vec<u32>,
    /// Rows that come second.
    pub right: Vec<u32>,
    /// Match weights, `log2` of the odds.
    pub weights: Vec<f64>,
    /// Levels of each comparison.
    pub levels: Vec<Vec<u8>>,
}

impl Scored {
    /// Takes over the pairs of another one.
    pub fn append(&mut self, other: &mut Self) {
        self.left.append(&mut other.left);
        self.right.append(&mut other.right);
        self.weights.append(&mut other.weights);
        self.levels.resize_with(other.levels.len().max(self.levels.len()), Vec::new);
        for (to, from) in self.levels.iter_mut().zip(&mut other.levels) {
            to.append(from);
        }
    }
}

/// A sample of pairs: one in so many, the same ones for every order of the work.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// Share of the pairs that are taken.
    pub share: f64,
    /// Which ones.
    pub seed: u64,
}

impl Sample {
    #[inline(always)]
    fn takes(self, a: u32, b: u32) -> bool {
        let mixed = mix(u64::from(a) << 32 ^ u64::from(b) ^ mix(self.seed));
        ((mixed >> 11) as f64) < self.share * (1u64 << 53) as f64
    }
}

/// A number that looks random (G. Steele, D. Lea, C. Flood, SplitMix64, 2014).
#[inline(always)]
fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ x >> 31
}

/// What one thread works with; it remembers words of names that it has compared. The answers do not
/// depend on what it was used for before.
#[derive(Debug)]
pub struct Workspace<'l> {
    isa: Isa,
    comparisons: &'l [Comparison<'l>],
    records: &'l Records,
    rooms: Vec<Room<'l>>,
    left: Vec<u32>,
    right: Vec<u32>,
    levels: Vec<Vec<u8>>,
    bounds: Vec<f64>,
    /// Places of pairs still in question, of those whose level is open, and their rows.
    alive: Vec<u32>,
    open: Vec<u32>,
    rows: [Vec<u32>; 2],
    found: Vec<u8>,
}

impl<'t> Linker<'t> {
    /// The rows of a blocking, and how they are compared; for each comparison that is adjusted for
    /// frequencies, `-log2` of the share of rows that have each row's value.
    #[must_use]
    pub fn new(
        blocking: Arc<Blocking>,
        comparisons: Vec<Comparison<'t>>,
        rarity: &[Option<Vec<f32>>],
    ) -> Self {
        let records = Records::new(&comparisons, rarity, blocking.rows().all as usize);
        Self { blocking, comparisons, records }
    }

    /// Levels of each comparison, without the one for a missing value.
    #[must_use]
    pub fn levels(&self) -> Vec<u8> {
        self.comparisons.iter().map(Comparison::levels).collect()
    }

    /// Buffers for one thread.
    #[must_use]
    pub fn workspace(&self, isa: Isa) -> Workspace<'_> {
        Workspace::new(self, isa)
    }

    /// The pairs of a unit with their weights, those below the least weight left out.
    #[must_use]
    pub fn score<'l>(
        &'l self,
        blocks: &Blocks,
        unit: &Unit,
        weights: &Weights,
        batch: &mut Workspace<'l>,
    ) -> Scored {
        let mut out = Scored { levels: vec![vec![]; self.comparisons.len()], ..Scored::default() };
        blocks.each_pair(unit, false, |a, b| {
            if batch.push(a, b) {
                batch.score(weights, &mut out);
            }
        });
        batch.score(weights, &mut out);
        out
    }

    /// The given pairs with their weights.
    #[must_use]
    pub fn score_pairs(&self, pairs: Pairs<'_>, weights: &Weights, isa: Isa) -> Scored {
        let mut out = Scored { levels: vec![vec![]; self.comparisons.len()], ..Scored::default() };
        let mut batch = self.workspace(isa);
        for (a, b) in pairs.left.iter().zip(pairs.right) {
            if batch.push(*a, *b) {
                batch.score(weights, &mut out);
            }
        }
        batch.score(weights, &mut out);
        out
    }

    /// The patterns of a sample of a unit's pairs that are no earlier rule's, with all rules that hold
    /// for them; `None` when the levels make too many patterns to number.
    #[must_use]
    pub fn patterns<'l>(
        &'l self,
        blocks: &Blocks,
        unit: &Unit,
        sample: Sample,
        batch: &mut Workspace<'l>,
    ) -> Option<Patterns> {
        let mut counter = Counter::new(self, batch, Some(&self.blocking))?;
        let wanted = |a, b| sample.takes(a, b);
        blocks.each_wanted_pair(unit, false, wanted, |a, b| counter.push(a, b));
        Some(counter.finish())
    }

    /// The patterns of `count` pairs of rows drawn at random: number `from` and on of a sequence
    /// that the seed decides.
    #[must_use]
    pub fn random_patterns<'l>(
        &'l self,
        seed: u64,
        from: u64,
        count: u64,
        batch: &mut Workspace<'l>,
    ) -> Option<Patterns> {
        let mut counter = Counter::new(self, batch, None)?;
        self.random_pairs(seed, from..from.saturating_add(count))
            .for_each(|(a, b)| counter.push(a, b));
        Some(counter.finish())
    }

    /// Pairs of rows drawn at random: so many of a sequence that the seed decides.
    pub fn random_pairs(&self, seed: u64, numbers: Range<u64>) -> impl Iterator<Item = (u32, u32)> {
        let rows = self.blocking.rows();
        let below = |random: u64, n: u32| ((u128::from(random) * u128::from(n)) >> 64) as u32;
        numbers.filter_map(move |k| {
            let (x, y) = (mix(seed ^ mix(2 * k)), mix(seed ^ mix(2 * k + 1)));
            match rows.left {
                Some(left) if left > 0 && rows.all > left => {
                    Some((below(x, left), left + below(y, rows.all - left)))
                }
                None if rows.all > 1 => {
                    let (a, b) = (below(x, rows.all), below(y, rows.all - 1));
                    let b = b + u32::from(b >= a);
                    Some((a.min(b), a.max(b)))
                }
                _ => None,
            }
        })
    }

    /// The sample's pairs of a unit that are no earlier rule's, and all rules that hold for each.
    #[must_use]
    pub fn sampled(&self, blocks: &Blocks, unit: &Unit, sample: Sample) -> Vec<(u32, u32, u64)> {
        let mut found = vec![];
        blocks.each_pair(unit, false, |a, b| {
            if sample.takes(a, b) {
                found.push((a, b, self.blocking.holding(a, b)));
            }
        });
        found
    }
}

impl<'l> Workspace<'l> {
    fn new(linker: &'l Linker<'l>, isa: Isa) -> Self {
        let comparisons = &linker.comparisons;
        Self {
            isa,
            comparisons,
            records: &linker.records,
            rooms: comparisons.iter().map(|comparison| comparison.room(isa)).collect(),
            left: Vec::with_capacity(BATCH),
            right: Vec::with_capacity(BATCH),
            levels: vec![vec![UNKNOWN; BATCH]; comparisons.len()],
            bounds: vec![0.0; BATCH],
            alive: Vec::with_capacity(BATCH),
            open: Vec::with_capacity(BATCH),
            rows: [Vec::with_capacity(BATCH), Vec::with_capacity(BATCH)],
            found: Vec::with_capacity(BATCH),
        }
    }

    /// Adds a pair; true when the batch is full.
    #[inline(always)]
    fn push(&mut self, a: u32, b: u32) -> bool {
        self.left.push(a);
        self.right.push(b);
        self.left.len() == BATCH
    }

    /// Finds the levels of the pairs: first what is quick, then the rest of those whose weight may
    /// still reach the least one.
    fn compare(&mut self, weights: Option<&Weights>) {
        #[cfg(target_arch = "x86_64")]
        if self.isa != Isa::Portable && self.isa.is_available() {
            // SAFETY: the CPU has AVX2 and its companions, as with each set but the first.
            return unsafe { self.compare_avx2(weights) };
        }
        self.compare_anywhere(weights);
    }

    /// The same code for processors that count bits themselves.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn compare_avx2(&mut self, weights: Option<&Weights>) {
        self.compare_anywhere(weights);
    }

    #[inline(always)]
    fn compare_anywhere(&mut self, weights: Option<&Weights>) {
        let pairs = Pairs { left: &self.left, right: &self.right };
        self.alive.clear();
        self.alive.extend(0..pairs.left.len() as u32);
        for (k, (comparison, levels)) in self.comparisons.iter().zip(&mut self.levels).enumerate() {
            comparison.quick(self.records.view(k), pairs, levels);
        }
        if let Some(weights) = weights {
            self.bound(weights);
        }
        for k in 0..self.comparisons.len() {
            self.resolve(k, weights);
        }
    }

    /// Bounds the weights by what is known so far, and drops the pairs that are out of reach.
    #[inline(always)]
    fn bound(&mut self, weights: &Weights) {
        if weights.least == f64::NEG_INFINITY {
            return;
        }
        self.bounds.clear();
        self.bounds.resize(self.left.len(), weights.prior);
        for (k, (levels, weights)) in self.levels.iter().zip(&weights.comparisons).enumerate() {
            let view = self.records.view(k);
            let pairs = self.left.iter().zip(&self.right);
            for ((level, bound), (a, b)) in levels.iter().zip(&mut self.bounds).zip(pairs) {
                *bound += weights.bound(*level, || view.rarity(*a, *b));
            }
        }
        let bounds = &self.bounds;
        let least = weights.least - SLACK;
        self.alive.retain(|place| bounds.get(*place as usize).is_some_and(|bound| *bound >= least));
    }

    /// Finds the open levels of one comparison.
    #[inline(always)]
    fn resolve(&mut self, k: usize, weights: Option<&Weights>) {
        let parts = (self.comparisons.get(k), self.levels.get_mut(k), self.rooms.get_mut(k));
        let (Some(comparison), Some(levels), Some(room)) = parts else { return };
        if !comparison.is_slow() {
            return;
        }
        let [left, right] = &mut self.rows;
        self.open.clear();
        left.clear();
        right.clear();
        for place in &self.alive {
            let at = *place as usize;
            if levels.get(at) == Some(&UNKNOWN) {
                self.open.push(*place);
                left.push(self.left.get(at).copied().unwrap_or_default());
                right.push(self.right.get(at).copied().unwrap_or_default());
            }
        }
        self.found.clear();
        self.found.resize(self.open.len(), UNKNOWN);
        comparison.slow(Pairs { left, right }, room, &mut self.found);
        let weights = weights.filter(|weights| weights.least > f64::NEG_INFINITY);
        let of_comparison = weights.and_then(|weights| weights.comparisons.get(k));
        let view = self.records.view(k);
        let pairs = left.iter().zip(right.iter());
        for ((place, level), (a, b)) in self.open.iter().zip(&self.found).zip(pairs) {
            let at = *place as usize;
            levels.get_mut(at).into_iter().for_each(|to| *to = *level);
            if let (Some(weights), Some(bound)) = (of_comparison, self.bounds.get_mut(at)) {
                let rarity = || view.rarity(*a, *b);
                *bound += weights.bound(*level, rarity) - weights.bound(UNKNOWN, rarity);
            }
        }
        if let Some(weights) = weights {
            let (bounds, least) = (&self.bounds, weights.least - SLACK);
            self.alive
                .retain(|place| bounds.get(*place as usize).is_some_and(|bound| *bound >= least));
        }
    }

    /// Weighs the pairs and empties the batch.
    fn score(&mut self, weights: &Weights, out: &mut Scored) {
        self.compare(Some(weights));
        for place in &self.alive {
            let at = *place as usize;
            let (Some(&a), Some(&b)) = (self.left.get(at), self.right.get(at)) else { continue };
            let level = |levels: &Vec<u8>| levels.get(at).copied().unwrap_or(0);
            // One order of summing up, that of the plan: the last bit decides nothing by chance.
            let comparisons = weights.comparisons.iter().zip(&self.levels).enumerate();
            let weight = comparisons.fold(weights.prior, |sum, (k, (weights, levels))| {
                sum + weights.bound(level(levels), || self.records.view(k).rarity(a, b))
            });
            if weight >= weights.least {
                out.left.push(a);
                out.right.push(b);
                out.weights.push(weight);
                let levels = self.levels.iter().map(level);
                out.levels.iter_mut().zip(levels).for_each(|(to, level)| to.push(level));
            }
        }
        self.left.clear();
        self.right.clear();
    }
}

/// Counts patterns.
struct Counter<'b, 'l> {
    batch: &'b mut Workspace<'l>,
    /// Asked for the rules that hold.
    blocking: Option<&'b Blocking>,
    patterns: Patterns,
    codes: Vec<(u64, u64)>,
}

impl<'b, 'l> Counter<'b, 'l> {
    fn new(
        linker: &Linker<'_>,
        batch: &'b mut Workspace<'l>,
        blocking: Option<&'b Blocking>,
    ) -> Option<Self> {
        Some(Self { batch, blocking, patterns: Patterns::new(&linker.levels())?, codes: vec![] })
    }

    #[inline(always)]
    fn push(&mut self, a: u32, b: u32) {
        if self.batch.push(a, b) {
            self.count();
        }
    }

    fn count(&mut self) {
        self.batch.compare(None);
        for (at, (a, b)) in self.batch.left.iter().zip(&self.batch.right).enumerate() {
            let levels = self.batch.levels.iter();
            let levels = levels.map(|levels| levels.get(at).copied().unwrap_or(0));
            let rules = self.blocking.map_or(0, |blocking| blocking.holding(*a, *b));
            self.codes.push((self.patterns.code(levels), rules));
        }
        self.batch.left.clear();
        self.batch.right.clear();
    }

    fn finish(mut self) -> Patterns {
        self.count();
        self.codes.sort_unstable();
        self.patterns.add_sorted(&self.codes);
        self.patterns
    }
}

#[cfg(test)]
mod tests {
    use super::super::block::{Rows, Rule};
    use super::super::compare::{Dates, Measure, Numbers, SetLevel, Sets, Texts};
    use super::super::encode::{self, Codes};
    use super::super::frequency;
    use super::super::weigh::{LevelWeights, Rarity};
    use super::*;
    use crate::column::{Column, Strings, Values};
    use crate::link::compare::{DateLevel, NumberLevel};
    use crate::text::{Metric, Similarity};

    const ROWS: u32 = 300;

    fn random(k: u32, below: u64) -> u64 {
        mix(u64::from(k)) % below
    }

    fn texts() -> (Codes, encode::Texts) {
        let words = ["", "aslam", "aslm", "akram", "akrm", "bushra"];
        let all: Vec<&str> = (0..ROWS).map(|k| words[random(k, 6) as usize]).collect();
        let ends: Vec<i64> = std::iter::once(0)
            .chain(all.iter().scan(0, |end, text| {
                *end += text.len() as i64;
                Some(*end)
            }))
            .collect();
        let data = all.concat();
        let strings = Strings::Offsets64(&ends, data.as_bytes());
        Codes::of_texts(&Column { values: Values::Str(strings), validity: None })
    }

    fn linker() -> Linker<'static> {
        let keys = Codes::of((0..ROWS).map(|k| Some(random(k + 1000, 9))));
        let rules = vec![Rule::Equal(keys), Rule::Near { places: (0..ROWS).collect(), window: 3 }];
        let (codes, texts) = texts();
        let similarity = Similarity::new(Metric::JaroWinkler).with_cutoff(0.7);
        let measure = Measure::Similarity(similarity, vec![0.9, 0.7]);
        let days = (0..ROWS).map(|k| Some(random(k + 2000, 40) as i32).filter(|d| *d > 2));
        let sets = (0..ROWS)
            .map(|k| (0..random(k + 3000, 3)).map(|j| random(k + j as u32, 5) as u32).collect());
        let values = (0..ROWS).map(|k| random(k + 4000, 7) as f64).collect();
        let rarity = [Some(frequency::rarity(&codes)), None, None, None];
        Linker::new(
            Arc::new(Blocking::new(
                Rows { all: ROWS, left: None },
                rules.into_iter().map(|r| (r, None)).collect(),
            )),
            vec![
                Comparison::Text(Texts { codes, texts, measure }),
                Comparison::Date(Dates::new(days, vec![DateLevel::OneSlip, DateLevel::Days(3)])),
                Comparison::Set(Sets::new(sets, vec![SetLevel::Shares(1)])),
                Comparison::Number(Numbers { values, levels: vec![NumberLevel::Within(1.0)] }),
            ],
            &rarity,
        )
    }

    fn weights(least: f64) -> Weights {
        let levels = [
            vec![0.0, 6.0, 3.0, 1.0, -4.0],
            vec![0.0, 5.0, 2.5, 0.25, -6.0],
            vec![0.0, 4.0, 2.0, -0.5],
            vec![0.0, 1.0, 0.5, -1.0],
        ];
        let of = |(k, levels): (usize, Vec<f64>)| {
            let rare = Rarity { log2_u: -2.0, scale: 0.75, last_level: 3 };
            LevelWeights::new(&levels, (k == 0).then_some(rare))
        };
        let comparisons = levels.into_iter().enumerate().map(of).collect();
        Weights { prior: -4.5, comparisons, least }
    }

    fn scored(linker: &Linker<'_>, weights: &Weights) -> Scored {
        let mut all = Scored::default();
        let mut space = linker.workspace(Isa::best());
        for rule in 0..linker.blocking.len() {
            let blocks = linker.blocking.blocks(rule).unwrap();
            for unit in &blocks.units {
                all.append(&mut linker.score(&blocks, unit, weights, &mut space));
            }
        }
        all
    }

    #[test]
    fn pruning_changes_nothing() {
        let linker = linker();
        let all = scored(&linker, &weights(f64::NEG_INFINITY));
        assert!(all.left.len() > 4000 && all.levels.iter().all(|l| l.len() == all.left.len()));
        for least in [-6.0, 0.0, 4.0, 7.0] {
            let found = scored(&linker, &weights(least));
            let keep: Vec<usize> =
                (0..all.left.len()).filter(|k| all.weights[*k] >= least).collect();
            assert!(!keep.is_empty() && keep.len() < all.left.len());
            assert_eq!(found.left, keep.iter().map(|k| all.left[*k]).collect::<Vec<_>>());
            assert_eq!(found.right, keep.iter().map(|k| all.right[*k]).collect::<Vec<_>>());
            assert_eq!(found.weights, keep.iter().map(|k| all.weights[*k]).collect::<Vec<_>>());
            for (found, all) in found.levels.iter().zip(&all.levels) {
                assert_eq!(*found, keep.iter().map(|k| all[*k]).collect::<Vec<_>>());
            }
            let pairs = Pairs { left: &all.left, right: &all.right };
            let given = linker.score_pairs(pairs, &weights(least), Isa::Portable);
            assert_eq!((given.left, given.weights), (found.left, found.weights));
        }
    }

    #[test]
    fn weights_add_up_in_the_order_of_the_plan() {
        let linker = linker();
        let rarity = frequency::rarity(&texts().0);
        let weights = weights(f64::NEG_INFINITY);
        let all = scored(&linker, &weights);
        for k in (0..all.left.len()).step_by(97) {
            let (a, b) = (all.left[k], all.right[k]);
            let mut sum = weights.prior;
            for (levels, weights) in all.levels.iter().zip(&weights.comparisons) {
                sum += weights.of(levels[k], rarity[a as usize].min(rarity[b as usize]));
            }
            assert_eq!(all.weights[k], sum);
        }
    }

    #[test]
    fn patterns_count_the_levels_of_all_pairs() {
        let linker = linker();
        let all = scored(&linker, &weights(f64::NEG_INFINITY));
        let mut expected = std::collections::BTreeMap::new();
        for k in 0..all.left.len() {
            let levels: Vec<u8> = all.levels.iter().map(|levels| levels[k]).collect();
            let rules = linker.blocking.holding(all.left[k], all.right[k]);
            assert!(rules > 0);
            *expected.entry((levels, rules)).or_insert(0u64) += 1;
        }
        let whole = Sample { share: 1.0, seed: 5 };
        let half = Sample { share: 0.5, seed: 5 };
        let count = |sample| {
            let mut space = linker.workspace(Isa::best());
            let mut all = Patterns::new(&linker.levels()).unwrap();
            for rule in 0..2 {
                let blocks = linker.blocking.blocks(rule).unwrap();
                for unit in &blocks.units {
                    all.merge(&linker.patterns(&blocks, unit, sample, &mut space).unwrap());
                }
            }
            all
        };
        let found = count(whole);
        let found = found.iter().map(|(levels, rules, count)| ((levels, rules), count));
        assert_eq!(found.collect::<Vec<_>>(), expected.into_iter().collect::<Vec<_>>());
        let mut pairs = vec![];
        for rule in 0..2 {
            let blocks = linker.blocking.blocks(rule).unwrap();
            let sampled = |unit| linker.sampled(&blocks, unit, half);
            pairs.extend(blocks.units.iter().flat_map(sampled));
        }
        assert_eq!(pairs.len() as u64, count(half).pairs());
        assert!(pairs.iter().all(|(a, b, rules)| *rules == linker.blocking.holding(*a, *b)));
        let (some, all) = (count(half).pairs() as f64, count(whole).pairs() as f64);
        assert!((0.45..0.55).contains(&(some / all)));
    }

    #[test]
    fn random_pairs_are_pairs_of_different_rows() {
        let linker = linker();
        let mut space = linker.workspace(Isa::best());
        let all = linker.random_patterns(1, 0, 5000, &mut space).unwrap();
        assert_eq!(all.pairs(), 5000);
        let mut parts = linker.random_patterns(1, 0, 2000, &mut space).unwrap();
        parts.merge(&linker.random_patterns(1, 2000, 3000, &mut space).unwrap());
        assert_eq!(parts, all);
        assert_ne!(linker.random_patterns(2, 0, 5000, &mut space).unwrap(), all);
        let pairs: Vec<_> = linker.random_pairs(1, 0..5000).collect();
        assert!(pairs.len() == 5000 && pairs.iter().all(|(a, b)| a < b && *b < ROWS));
        let exact: u64 = all.iter().filter(|(levels, ..)| levels[0] == 1).map(|(_, _, n)| n).sum();
        let known: u64 = all.iter().filter(|(levels, ..)| levels[0] > 0).map(|(_, _, n)| n).sum();
        let share = frequency::agreement(&texts().0, linker.blocking.rows()).unwrap();
        assert!((exact as f64 / known as f64 - share).abs() < 0.03);
    }
}
