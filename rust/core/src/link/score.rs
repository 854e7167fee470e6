//! The levels and weights of candidates, a batch at a time.

use std::sync::Arc;

use super::block::{Blocking, Blocks, Unit};
use super::compare::{Comparison, Pairs, Room, UNKNOWN};
use super::patterns::Patterns;
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
    /// How they are compared.
    pub comparisons: Vec<Comparison<'t>>,
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

/// Buffers of one thread.
struct Batch<'l> {
    comparisons: &'l [Comparison<'l>],
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
    /// Levels of each comparison, without the one for a missing value.
    #[must_use]
    pub fn levels(&self) -> Vec<u8> {
        self.comparisons.iter().map(Comparison::levels).collect()
    }

    /// The pairs of a unit with their weights, those below the least weight left out.
    #[must_use]
    pub fn score(&self, blocks: &Blocks, unit: &Unit, weights: &Weights<'_>, isa: Isa) -> Scored {
        let mut out = Scored { levels: vec![vec![]; self.comparisons.len()], ..Scored::default() };
        let mut batch = Batch::new(&self.comparisons, isa);
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
    pub fn score_pairs(&self, pairs: Pairs<'_>, weights: &Weights<'_>, isa: Isa) -> Scored {
        let mut out = Scored { levels: vec![vec![]; self.comparisons.len()], ..Scored::default() };
        let mut batch = Batch::new(&self.comparisons, isa);
        for (a, b) in pairs.left.iter().zip(pairs.right) {
            if batch.push(*a, *b) {
                batch.score(weights, &mut out);
            }
        }
        batch.score(weights, &mut out);
        out
    }

    /// The patterns of a sample of a unit's pairs; of all of them when `alone`, else of those that
    /// are no earlier rule's.
    #[must_use]
    pub fn patterns(
        &self,
        blocks: &Blocks,
        unit: &Unit,
        alone: bool,
        sample: Sample,
        isa: Isa,
    ) -> Option<Patterns> {
        let mut counter = Counter::new(self, isa)?;
        blocks.each_pair(unit, alone, |a, b| {
            if sample.takes(a, b) {
                counter.push(a, b);
            }
        });
        Some(counter.finish())
    }

    /// The patterns of `count` pairs of rows drawn at random: number `from` and on of a sequence
    /// that the seed decides.
    #[must_use]
    pub fn random_patterns(&self, seed: u64, from: u64, count: u64, isa: Isa) -> Option<Patterns> {
        let rows = self.blocking.rows();
        let mut counter = Counter::new(self, isa)?;
        let below = |random: u64, n: u32| ((u128::from(random) * u128::from(n)) >> 64) as u32;
        for k in from..from.saturating_add(count) {
            let (x, y) = (mix(seed ^ mix(2 * k)), mix(seed ^ mix(2 * k + 1)));
            match rows.left {
                Some(left) if left > 0 && rows.all > left => {
                    counter.push(below(x, left), left + below(y, rows.all - left));
                }
                None if rows.all > 1 => {
                    let (a, b) = (below(x, rows.all), below(y, rows.all - 1));
                    let b = b + u32::from(b >= a);
                    counter.push(a.min(b), a.max(b));
                }
                _ => {}
            }
        }
        Some(counter.finish())
    }
}

impl<'l> Batch<'l> {
    fn new(comparisons: &'l [Comparison<'l>], isa: Isa) -> Self {
        Self {
            comparisons,
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

    /// Finds the levels of the pairs that are alive: first what is quick, then the rest, while
    /// `bound` says after each step which pairs stay in question.
    fn compare(&mut self, weights: Option<&Weights<'_>>) {
        let pairs = Pairs { left: &self.left, right: &self.right };
        self.alive.clear();
        self.alive.extend(0..pairs.left.len() as u32);
        for (comparison, levels) in self.comparisons.iter().zip(&mut self.levels) {
            comparison.quick(pairs, levels);
        }
        if let Some(weights) = weights {
            self.bound(weights);
        }
        for k in 0..self.comparisons.len() {
            self.resolve(k, weights);
        }
    }

    /// Bounds the weights by what is known so far, and drops the pairs that are out of reach.
    fn bound(&mut self, weights: &Weights<'_>) {
        if weights.least == f64::NEG_INFINITY {
            return;
        }
        let pairs = self.left.iter().zip(&self.right);
        for (place, ((a, b), bound)) in pairs.zip(&mut self.bounds).enumerate() {
            *bound = weights.prior;
            for (levels, weights) in self.levels.iter().zip(&weights.comparisons) {
                *bound += match levels.get(place) {
                    Some(&UNKNOWN) | None => weights.most_unequal(*a, *b),
                    Some(level) => weights.of(*level, *a, *b),
                };
            }
        }
        let bounds = &self.bounds;
        let least = weights.least - SLACK;
        self.alive.retain(|place| bounds.get(*place as usize).is_some_and(|bound| *bound >= least));
    }

    /// Finds the open levels of one comparison.
    fn resolve(&mut self, k: usize, weights: Option<&Weights<'_>>) {
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
        let pairs = left.iter().zip(right.iter());
        for ((place, level), (a, b)) in self.open.iter().zip(&self.found).zip(pairs) {
            let at = *place as usize;
            levels.get_mut(at).into_iter().for_each(|to| *to = *level);
            if let (Some(weights), Some(bound)) = (of_comparison, self.bounds.get_mut(at)) {
                *bound += weights.of(*level, *a, *b) - weights.most_unequal(*a, *b);
            }
        }
        if let Some(weights) = weights {
            let (bounds, least) = (&self.bounds, weights.least - SLACK);
            self.alive
                .retain(|place| bounds.get(*place as usize).is_some_and(|bound| *bound >= least));
        }
    }

    /// Weighs the pairs and empties the batch.
    fn score(&mut self, weights: &Weights<'_>, out: &mut Scored) {
        self.compare(Some(weights));
        for place in &self.alive {
            let at = *place as usize;
            let (Some(&a), Some(&b)) = (self.left.get(at), self.right.get(at)) else { continue };
            let level = |levels: &Vec<u8>| levels.get(at).copied().unwrap_or(0);
            // One order of summing up, that of the plan: the last bit decides nothing by chance.
            let comparisons = weights.comparisons.iter().zip(&self.levels);
            let weight = comparisons.fold(weights.prior, |sum, (weights, levels)| {
                sum + weights.of(level(levels), a, b)
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
struct Counter<'l> {
    batch: Batch<'l>,
    patterns: Patterns,
    codes: Vec<u64>,
}

impl<'l> Counter<'l> {
    fn new(linker: &'l Linker<'_>, isa: Isa) -> Option<Self> {
        let batch = Batch::new(&linker.comparisons, isa);
        Some(Self { batch, patterns: Patterns::new(&linker.levels())?, codes: vec![] })
    }

    #[inline(always)]
    fn push(&mut self, a: u32, b: u32) {
        if self.batch.push(a, b) {
            self.count();
        }
    }

    fn count(&mut self) {
        self.batch.compare(None);
        for at in 0..self.batch.left.len() {
            let levels = self.batch.levels.iter();
            let levels = levels.map(|levels| levels.get(at).copied().unwrap_or(0));
            self.codes.push(self.patterns.code(levels));
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
