//! Scale steps: from the raw sum to the published score.

use super::program::{Rounding, Step};

impl Step {
    /// The step on one number.
    ///
    /// Rounding to `d` digits is `mode(x * 10^d) / 10^d` in `f64`, as Polars and R do it; it is the
    /// binary value that is rounded, so 2.675 (slightly below) goes to 2.67 or 2.68 by its product.
    #[inline(always)]
    pub(super) fn apply(self, x: f64) -> f64 {
        match self {
            Self::Affine { multiply, add } => x * multiply + add,
            Self::MinMax { from: [a, b], to: [c, d] } => (x - a) / (b - a) * (d - c) + c,
            Self::Clip { min, max } => {
                // Comparisons, not f64::max: a NaN must stay a NaN.
                let x = if min.is_some_and(|m| x < m) { min.unwrap_or(x) } else { x };
                if max.is_some_and(|m| x > m) { max.unwrap_or(x) } else { x }
            }
            Self::Round { digits, mode } => {
                let factor = 10f64.powi(digits);
                let y = x * factor;
                let rounded = match mode {
                    Rounding::HalfEven => y.round_ties_even(),
                    Rounding::HalfAwayFromZero => y.round(),
                    Rounding::Floor => y.floor(),
                    Rounding::Ceil => y.ceil(),
                    Rounding::Truncate => y.trunc(),
                };
                rounded / factor
            }
        }
    }

    /// The step on a block of numbers.
    #[inline(always)]
    pub(super) fn apply_all(self, block: &mut [f64]) {
        for x in block {
            *x = self.apply(*x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_modes_differ_only_at_ties_and_signs() {
        use Rounding::{Ceil, Floor, HalfAwayFromZero, HalfEven, Truncate};
        for (mode, at) in [
            (HalfEven, [2.0, -2.0, 2.0, 3.0]),
            (HalfAwayFromZero, [3.0, -3.0, 2.0, 3.0]),
            (Floor, [2.0, -3.0, 2.0, 2.0]),
            (Ceil, [3.0, -2.0, 3.0, 3.0]),
            (Truncate, [2.0, -2.0, 2.0, 2.0]),
        ] {
            let step = Step::Round { digits: 0, mode };
            assert_eq!([2.5, -2.5, 2.4, 2.6].map(|x| step.apply(x)), at, "{mode:?}");
        }
        let two = Step::Round { digits: 2, mode: HalfEven };
        assert_eq!(two.apply(16.165_000_1), 16.17);
        assert_eq!(Step::Round { digits: -1, mode: HalfEven }.apply(26.0), 30.0);
    }

    #[test]
    fn a_nan_stays_a_nan_through_every_step() {
        for step in [
            Step::Clip { min: Some(0.0), max: Some(100.0) },
            Step::Affine { multiply: 2.0, add: 1.0 },
            Step::MinMax { from: [0.0, 1.0], to: [0.0, 100.0] },
            Step::Round { digits: 1, mode: Rounding::HalfEven },
        ] {
            assert!(step.apply(f64::NAN).is_nan());
        }
    }
}
