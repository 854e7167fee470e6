//! All cut-offs at once: one step for each distinct score, from one sorted pass.
//!
//! Rows are cut into blocks and scores into ranges, so that threads can share the work: each block
//! is dealt out over the ranges ([`Split::deal`]), then each range is sorted and summed
//! ([`Split::steps`]). Where there are few distinct scores, as on a card with points, nothing is
//! sorted: each block is tallied ([`Split::tally`]). Sums are whole numbers: no cut shows in the result.

use crate::column::Bits;

use super::sorted::{self, Pair, key, number};
use super::tally::Tally;
use super::units::Unit;

/// Most ranges of scores.
const RANGES: usize = 256;

/// Scores looked at to choose the ranges, for each of them.
const SAMPLES: usize = 32;

/// Rows below which there is one range.
const SMALL: usize = 1 << 17;

/// Ranges of scores with about as many rows each.
#[derive(Debug)]
pub struct Split {
    /// Lowest key of each range but the first, ascending.
    lowest: Vec<u64>,
    unit: Unit,
    few: bool,
}

/// Rows of a block, by range.
#[derive(Debug)]
pub struct Dealt {
    pairs: Vec<Pair>,
    ends: Vec<usize>,
}

/// One step for each distinct score of a range, ascending.
#[derive(Debug, Default)]
pub struct Steps {
    keys: Vec<u64>,
    rows: Vec<u64>,
    poor: Vec<u64>,
    other: Vec<u64>,
}

impl Steps {
    /// Adds a step above all others.
    pub(super) fn push(&mut self, key: u64, rows: u64, poor: u64, other: u64) {
        self.keys.push(key);
        self.rows.push(rows);
        self.poor.push(poor);
        self.other.push(other);
    }
}

impl Split {
    /// Chooses ranges for these scores, which hold no NaN. `total` is that of all weights.
    #[must_use]
    pub fn new(scores: &[f64], total: f64) -> Self {
        let unit = Unit::new(total, 62);
        if scores.len() < SMALL {
            return Self { lowest: vec![], unit, few: false };
        }
        let stride = scores.len() / (RANGES * SAMPLES);
        let mut sample: Vec<u64> = scores.iter().step_by(stride).map(|&x| key(x)).collect();
        sample.sort_unstable();
        let mut lowest: Vec<u64> = sample.iter().copied().step_by(SAMPLES).skip(1).collect();
        lowest.truncate(RANGES - 1);
        lowest.dedup();
        sample.dedup();
        Self { lowest, unit, few: sample.len() <= Tally::MOST / 2 }
    }

    /// Number of ranges.
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.lowest.len() + 1
    }

    /// The steps of all rows of a block, if there are few distinct scores. Without weights each row
    /// counts as one.
    #[must_use]
    pub fn tally(
        &self,
        scores: &[f64],
        weights: Option<&[f64]>,
        poor: Option<Bits<'_>>,
    ) -> Option<Steps> {
        if !self.few {
            return None;
        }
        let mut tally = Tally::new();
        for (row, &score) in scores.iter().enumerate() {
            let (poor, other) = apart(self.value(row, weights, poor));
            tally.add(key(score), 1, poor, other)?;
        }
        Some(tally.steps())
    }

    /// Adds up the steps of blocks that were tallied, if there are few distinct scores in all.
    #[must_use]
    pub fn merge(&self, blocks: &[Steps]) -> Option<Steps> {
        let mut tally = Tally::new();
        for block in blocks {
            let counts = block.poor.iter().zip(&block.other);
            for ((&key, &rows), (&poor, &other)) in block.keys.iter().zip(&block.rows).zip(counts) {
                tally.add(key, rows, poor, other)?;
            }
        }
        Some(tally.steps())
    }

    /// The weight of a row in units, and in the last bit whether it is poor.
    #[inline]
    fn value(&self, row: usize, weights: Option<&[f64]>, poor: Option<Bits<'_>>) -> u64 {
        let weight = weights.map_or(Some(&1.0), |weights| weights.get(row));
        let units = weight.map_or(0, |&weight| self.unit.count(weight));
        units << 1 | u64::from(poor.is_some_and(|bits| bits.get(row)))
    }

    /// Deals the rows of a block out over the ranges. Without weights each row counts as one.
    #[must_use]
    pub fn deal(&self, scores: &[f64], weights: Option<&[f64]>, poor: Option<Bits<'_>>) -> Dealt {
        let pair = |(row, &score): (usize, &f64)| (key(score), self.value(row, weights, poor));
        let rows = scores.iter().enumerate().map(pair);
        if self.lowest.is_empty() {
            let pairs: Vec<Pair> = rows.collect();
            return Dealt { ends: vec![pairs.len()], pairs };
        }
        self.deal_by_range(scores, rows)
    }

    #[expect(clippy::indexing_slicing, reason = "a range is below their number; places count up")]
    fn deal_by_range(&self, scores: &[f64], rows: impl Iterator<Item = Pair>) -> Dealt {
        let range = |key: u64| self.lowest.partition_point(|&low| low <= key) as u8;
        let ranges: Vec<u8> = scores.iter().map(|&x| range(key(x))).collect();
        let mut places = vec![0usize; self.ranges()];
        for &range in &ranges {
            places[usize::from(range)] += 1;
        }
        let mut before = 0;
        for place in &mut places {
            before += std::mem::replace(place, before);
        }
        let mut pairs = vec![(0, 0); scores.len()];
        for (pair, range) in rows.zip(ranges) {
            let place = &mut places[usize::from(range)];
            pairs[*place] = pair;
            *place += 1;
        }
        Dealt { pairs, ends: places }
    }

    /// The steps of one range from all blocks.
    #[must_use]
    pub fn steps(&self, range: usize, blocks: &[Dealt]) -> Steps {
        let mut pairs: Vec<Pair> = vec![];
        for block in blocks {
            let start = range.checked_sub(1).and_then(|r| block.ends.get(r)).copied().unwrap_or(0);
            let end = block.ends.get(range).copied().unwrap_or(start);
            pairs.extend_from_slice(block.pairs.get(start..end).unwrap_or(&[]));
        }
        sorted::sort(&mut pairs);
        let mut steps = Steps::default();
        for run in sorted::runs(&pairs) {
            let Some(&(key, _)) = run.first() else { continue };
            let (mut poor, mut other) = (0, 0);
            for &(_, value) in run {
                let (p, o) = apart(value);
                poor += p;
                other += o;
            }
            steps.push(key, run.len() as u64, poor, other);
        }
        steps
    }

    /// Joins the steps of all ranges, in order.
    #[must_use]
    pub fn join(&self, parts: impl IntoIterator<Item = Steps>) -> Curve {
        let mut curve = Curve::default();
        let (mut poor, mut other, mut area) = (0u64, 0u64, 0u128);
        for part in parts {
            let counts = part.poor.iter().zip(&part.other);
            for ((&key, &rows), (&p, &o)) in part.keys.iter().zip(&part.rows).zip(counts) {
                // Twice the weight of the poor that lie below, and half of those beside.
                area += u128::from(o) * u128::from(2 * poor + p);
                poor += p;
                other += o;
                curve.scores.push(number(key));
                curve.rows.push(rows);
                curve.poor.push(self.unit.weight(poor));
                curve.other.push(self.unit.weight(other));
            }
        }
        curve.auc = auc(area, poor, other);
        curve
    }
}

/// The weight of a row as that of the poor, and of the others.
#[inline]
fn apart(value: u64) -> (u64, u64) {
    // No branch: whether a household is poor is hard to foresee.
    let mask = (value & 1).wrapping_neg();
    (value >> 1 & mask, value >> 1 & !mask)
}

/// Area under the curve from twice the weight of pairs in the right order.
pub(super) fn auc(area: u128, poor: u64, other: u64) -> Option<f64> {
    let pairs = u128::from(poor) * u128::from(other);
    (pairs > 0).then(|| area as f64 / (2.0 * pairs as f64))
}

/// Who is targeted at each cut-off: all whose score is at most that of the step.
#[derive(Debug, Default, PartialEq)]
pub struct Curve {
    /// Distinct scores, ascending.
    pub scores: Vec<f64>,
    /// Rows with that score.
    pub rows: Vec<u64>,
    /// Weight of the poor with that score or a lower one.
    pub poor: Vec<f64>,
    /// Weight of the others.
    pub other: Vec<f64>,
    /// Weighted chance that a poor row scores below another, ties counting half; none if there are
    /// no poor, or no others.
    pub auc: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::super::units::Total;
    use super::*;

    /// Scores, weights and who is poor; as many distinct scores as asked for.
    fn rows(n: usize, distinct: u64) -> (Vec<f64>, Vec<f64>, Vec<u8>) {
        let mut state = 7u64;
        let mut next = move || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            state >> 33
        };
        let scores = (0..n).map(|_| (next() % distinct) as f64 / 8.0 - 20.0).collect();
        let weights = (0..n).map(|_| (next() % 9) as f64 * 0.5).collect();
        let poor = (0..n.div_ceil(8)).map(|_| next() as u8).collect();
        (scores, weights, poor)
    }

    fn curve(scores: &[f64], weights: &[f64], poor: &[u8], block: usize) -> Curve {
        let split = Split::new(scores, Total::of(weights).value());
        let starts = (0..scores.len()).step_by(block);
        let blocks: Vec<Dealt> = starts
            .map(|start| {
                let end = (start + block).min(scores.len());
                let bits = Bits::new(poor, start, end - start);
                split.deal(&scores[start..end], Some(&weights[start..end]), bits)
            })
            .collect();
        split.join((0..split.ranges()).map(|range| split.steps(range, &blocks)))
    }

    #[test]
    fn steps_are_the_sums_of_every_cut_off() {
        let (scores, weights, poor) = rows(3000, 90);
        let found = curve(&scores, &weights, &poor, 3000);
        assert_eq!(found.rows.iter().sum::<u64>(), 3000);
        for (i, &cut) in found.scores.iter().enumerate() {
            let sum = |want: bool| -> f64 {
                (0..3000)
                    .filter(|&r| scores[r] <= cut && (poor[r / 8] >> (r % 8) & 1 == 1) == want)
                    .map(|r| weights[r])
                    .sum()
            };
            assert_eq!((found.poor[i], found.other[i]), (sum(true), sum(false)));
        }
    }

    #[test]
    fn neither_blocks_nor_ranges_show() {
        for distinct in [1, 3, 100, 1 << 40] {
            let (scores, weights, poor) = rows(SMALL + 5000, distinct);
            let whole = curve(&scores, &weights, &poor, scores.len());
            assert_eq!(whole, curve(&scores, &weights, &poor, 10_007));
            let split = Split::new(&scores, Total::of(&weights).value());
            let blocks = scores.chunks(10_007).zip(weights.chunks(10_007)).enumerate();
            let tallied: Option<Vec<Steps>> = blocks
                .map(|(n, (s, w))| split.tally(s, Some(w), Bits::new(&poor, n * 10_007, s.len())))
                .collect();
            assert_eq!(tallied.is_some(), distinct <= 100);
            if let Some(blocks) = tallied {
                assert_eq!(whole, split.join(split.merge(&blocks)));
            }
            let expected: std::collections::BTreeSet<u64> =
                scores.iter().map(|&x| key(x)).collect();
            assert!(whole.scores.iter().map(|&x| key(x)).eq(expected));
        }
    }

    #[test]
    fn the_area_counts_ties_as_half() {
        let area = |scores: &[f64], weights: &[f64], poor: u8| {
            curve(scores, weights, &[poor], scores.len()).auc
        };
        assert_eq!(area(&[1.0, 2.0], &[1.0, 1.0], 0b01), Some(1.0));
        assert_eq!(area(&[1.0, 2.0], &[1.0, 1.0], 0b10), Some(0.0));
        assert_eq!(area(&[2.0, 2.0], &[3.0, 1.0], 0b01), Some(0.5));
        assert_eq!(area(&[1.0, 2.0], &[1.0, 1.0], 0b11), None);
        assert_eq!(area(&[1.0, 1.0, 3.0], &[2.0, 1.0, 1.0], 0b101), Some(1.0 / 3.0));
        assert_eq!(curve(&[], &[], &[], 1), Curve::default());
    }
}
