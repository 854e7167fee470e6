//! Weights as whole numbers of one unit, so that sums are exact.

use crate::stats::float_sum::Sum;

/// The unit: a power of two, so that whole weights and halves, quarters and so on are exact.
///
/// Other weights are rounded to a whole number of units, which is at most 2^-61 of the total in a
/// curve: the rounding of one weight moves a share by less than the last bit of a double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unit {
    per_one: f64,
    one: f64,
}

impl Unit {
    /// The smallest unit with which a total stays below 2^`bits` units.
    #[must_use]
    pub fn new(total: f64, bits: i32) -> Self {
        // 2^exponent > total; a subnormal total counts as the smallest normal one.
        let exponent = (total.to_bits() >> 52 & 0x7ff) as i32 - 1022;
        // Rounding up half a unit in every row must not reach 2^bits either.
        let shift = (bits - 1 - exponent).clamp(-1020, 1020);
        Self { per_one: 2f64.powi(shift), one: 2f64.powi(-shift) }
    }

    /// A weight in units.
    #[must_use]
    #[inline]
    pub fn count(self, weight: f64) -> u64 {
        (weight * self.per_one).round_ties_even() as u64
    }

    /// Units as a weight.
    #[must_use]
    #[inline]
    pub fn weight(self, units: u64) -> f64 {
        units as f64 * self.one
    }
}

/// A part of the total of all weights; parts are joined in the order of the rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Total(Sum);

impl Total {
    /// The total of some rows.
    #[must_use]
    pub fn of(weights: &[f64]) -> Self {
        Self(weights.iter().copied().collect())
    }

    /// The total of `rows` rows without weights.
    #[must_use]
    pub fn of_rows(rows: usize) -> Self {
        Self(std::iter::once(rows as f64).collect())
    }

    /// The total of these and those rows.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.join(other.0);
        self
    }

    /// The number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_weights_are_exact_and_the_total_fits() {
        for weights in [vec![1.0, 2.0, 3.0], vec![0.25; 1001], vec![7.0], vec![1e-280, 1e-280]] {
            let unit = Unit::new(Total::of(&weights).value(), 62);
            let units: Vec<u64> = weights.iter().map(|&w| unit.count(w)).collect();
            let total: u64 = units.iter().sum();
            assert!(total < 1 << 62, "{total}");
            assert!(units.iter().zip(&weights).all(|(&u, &w)| unit.weight(u) == w));
        }
        let thirds = vec![1.0 / 3.0; 3000];
        let unit = Unit::new(1000.0, 62);
        let total: u64 = thirds.iter().map(|&w| unit.count(w)).sum();
        assert!((unit.weight(total) - 1000.0).abs() < 1e-12);
    }
}
