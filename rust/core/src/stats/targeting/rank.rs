//! Weighted ranks, and correlation.

use super::sorted;
use super::units::{Total, Unit};
use crate::stats::float_sum::Sum;

/// The middle rank of each number: the weight below it and half of the weight beside it, as a share
/// of all. There must be no NaN.
#[must_use]
pub fn mid_ranks(numbers: &[f64], weights: &[f64]) -> Vec<f64> {
    let total = Total::of(weights).value();
    let unit = Unit::new(total, 61);
    let mut ranks = vec![0.0; numbers.len()];
    let mut below = 0u64;
    let order = sorted::order(numbers);
    for run in sorted::runs(&order) {
        let rows = || run.iter().map(|&(_, row)| row as usize);
        let beside: u64 = rows().filter_map(|r| weights.get(r)).map(|&w| unit.count(w)).sum();
        let middle = unit.weight(2 * below + beside) / (2.0 * total);
        for row in rows() {
            if let Some(rank) = ranks.get_mut(row) {
                *rank = middle;
            }
        }
        below += beside;
    }
    ranks
}

/// Weighted correlation; none where one of the two does not vary.
#[must_use]
pub fn correlation(a: &[f64], b: &[f64], weights: &[f64]) -> Option<f64> {
    let total = Total::of(weights).value();
    let mean = |x: &[f64]| -> f64 {
        x.iter().zip(weights).map(|(x, w)| w * x).collect::<Sum>().value() / total
    };
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut aa, mut bb, mut ab) = (Sum::default(), Sum::default(), Sum::default());
    for ((x, y), w) in a.iter().zip(b).zip(weights) {
        let (x, y) = (x - mean_a, y - mean_b);
        aa.add(w * x * x);
        bb.add(w * y * y);
        ab.add(w * x * y);
    }
    let (aa, bb) = (aa.value(), bb.value());
    (aa > 0.0 && bb > 0.0).then(|| (ab.value() / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_ranks_share_ties() {
        let ranks = mid_ranks(&[3.0, 1.0, 3.0, 2.0], &[1.0, 2.0, 3.0, 2.0]);
        assert_eq!(ranks, [0.75, 0.125, 0.75, 0.375]);
    }

    #[test]
    fn correlation_of_lines_and_of_constants() {
        let x = [1.0, 2.0, 4.0, 7.0];
        let w = [1.0, 0.5, 2.0, 1.0];
        let y = x.map(|x| 3.0 - 2.0 * x);
        assert!((correlation(&x, &y, &w).unwrap() + 1.0).abs() < 1e-15);
        assert!((correlation(&x, &x, &w).unwrap() - 1.0).abs() < 1e-15);
        assert_eq!(correlation(&x, &[2.0; 4], &w), None);
    }
}
