//! Double-double numbers: the unevaluated sum of two `f64`, 106 bits of precision
//! (T. J. Dekker, 1971; error bounds in Joldes, Muller and Popescu, 2017).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// `high + low`, where `low` is at most half a unit in the last place of `high`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Double {
    /// The number, rounded to `f64`.
    pub high: f64,
    /// What the rounding left.
    pub low: f64,
}

/// `a + b` and its rounding error (Knuth).
#[inline(always)]
pub(super) fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// `a + b` and its rounding error, for `|a| >= |b|`.
#[inline(always)]
fn quick_two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

impl Double {
    /// Zero.
    pub const ZERO: Self = Self { high: 0.0, low: 0.0 };

    /// `a * b`, exactly.
    #[must_use]
    #[inline]
    pub fn product(a: f64, b: f64) -> Self {
        let high = a * b;
        Self { high, low: a.mul_add(b, -high) }
    }

    /// `high + low` of any two numbers.
    #[must_use]
    #[inline(always)]
    pub fn of(high: f64, low: f64) -> Self {
        let (high, low) = two_sum(high, low);
        Self { high, low }
    }

    /// The nearest `f64`.
    #[must_use]
    #[inline]
    pub fn value(self) -> f64 {
        self.high
    }

    /// Square root; NaN below zero.
    #[must_use]
    pub fn sqrt(self) -> Self {
        if self.high == 0.0 {
            return Self::ZERO;
        }
        let root = self.high.sqrt();
        let rest = (self - Self::product(root, root)).high;
        let (high, low) = quick_two_sum(root, rest / (2.0 * root));
        Self { high, low }
    }
}

impl From<f64> for Double {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

impl Add for Double {
    type Output = Self;

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        let (high, error) = two_sum(self.high, other.high);
        let (low, rest) = two_sum(self.low, other.low);
        let (high, error) = quick_two_sum(high, error + low);
        let (high, low) = quick_two_sum(high, error + rest);
        Self { high, low }
    }
}

impl Neg for Double {
    type Output = Self;

    #[inline(always)]
    fn neg(self) -> Self {
        Self { high: -self.high, low: -self.low }
    }
}

impl Sub for Double {
    type Output = Self;

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Double {
    type Output = Self;

    #[inline]
    fn mul(self, other: Self) -> Self {
        let Self { high, low } = Self::product(self.high, other.high);
        let low = self.high.mul_add(other.low, self.low.mul_add(other.high, low));
        let (high, low) = quick_two_sum(high, low);
        Self { high, low }
    }
}

impl Div for Double {
    type Output = Self;

    #[inline]
    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self - other * Self::from(first);
        let second = rest.high / other.high;
        let rest = rest - other * Self::from(second);
        let (high, low) = quick_two_sum(first, second);
        Self { high, low } + Self::from(rest.high / other.high)
    }
}

impl std::iter::Sum for Double {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::ZERO, Add::add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_f64_loses_is_kept() {
        let tiny = Double::from(2f64.powi(-100));
        let one = Double::from(1.0);
        assert_eq!((one + tiny - one).high, 2f64.powi(-100));
        let third = one / Double::from(3.0);
        let back = third * Double::from(3.0) - one;
        assert!(back.high.abs() < 2f64.powi(-104));
        let two = Double::from(2.0);
        let error = two.sqrt() * two.sqrt() - two;
        assert!(error.high.abs() < 2f64.powi(-102));
        assert_eq!(Double::ZERO.sqrt(), Double::ZERO);
        let x = Double::product(1.0 + f64::EPSILON, 1.0 - f64::EPSILON);
        assert_eq!((x.high, x.low), (1.0, -(f64::EPSILON * f64::EPSILON)));
    }
}
