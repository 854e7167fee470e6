//! Sums of floating-point numbers with twice the digits.
//!
//! Errors are gathered apart and added once at the end: half the steps of a sum of
//! [`Double`](super::double::Double), which is kept normal for products and quotients.

use super::double::two_sum;

/// A sum as the unevaluated total of two numbers (D. Knuth's two-sum).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    high: f64,
    low: f64,
}

impl Sum {
    /// Adds a number.
    #[inline]
    pub fn add(&mut self, x: f64) {
        let (high, error) = two_sum(self.high, x);
        self.low += error;
        self.high = high;
    }

    /// Adds another sum.
    pub fn join(&mut self, other: Self) {
        self.add(other.high);
        self.low += other.low;
    }

    /// The sum, rounded once.
    pub fn value(self) -> f64 {
        self.high + self.low
    }
}

impl FromIterator<f64> for Sum {
    fn from_iter<I: IntoIterator<Item = f64>>(numbers: I) -> Self {
        numbers.into_iter().fold(Self::default(), |mut sum, x| {
            sum.add(x);
            sum
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Sum;

    #[test]
    fn small_parts_survive_large_ones() {
        let numbers = [1e16, 1.0, -1e16, 0.125, 3.0];
        assert_eq!(numbers.into_iter().collect::<Sum>().value(), 4.125);
        let mut all = Sum::default();
        for number in numbers {
            all.join(std::iter::once(number).collect());
        }
        assert_eq!(all.value(), 4.125);
    }
}
