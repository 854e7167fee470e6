//! How unequal weights are.

/// Sums that Kish's design effect is made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// Number of weights.
    pub rows: usize,
    /// Their sum.
    pub sum: f64,
    /// The sum of their squares.
    pub squares: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
}

/// Weights that are summed on their own, so that rounding does not grow with their number.
const PANEL: usize = 1024;

impl Spread {
    /// Of these weights.
    #[must_use]
    pub fn of(weights: &[f64]) -> Self {
        let empty = Self {
            rows: weights.len(),
            sum: 0.0,
            squares: 0.0,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        };
        weights.chunks(PANEL).fold(empty, |all, panel| {
            let sums = panel.iter().fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
            Self {
                rows: all.rows,
                sum: all.sum + sums.0,
                squares: all.squares + sums.1,
                min: panel.iter().copied().fold(all.min, f64::min),
                max: panel.iter().copied().fold(all.max, f64::max),
            }
        })
    }

    /// Rows of equal weight that would tell as much: `(sum w)^2 / sum w^2` (Kish, 1965).
    #[must_use]
    pub fn effective(&self) -> f64 {
        self.sum * self.sum / self.squares
    }

    /// Kish's design effect of unequal weights, `n sum w^2 / (sum w)^2`.
    #[must_use]
    pub fn design_effect(&self) -> f64 {
        self.rows as f64 / self.effective()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_have_a_design_effect_of_one() {
        let equal = Spread::of(&[2.5; 3000]);
        assert!((equal.design_effect() - 1.0).abs() < 1e-14 && equal.sum == 7500.0);
        let one = Spread::of(&[1.0, 0.0, 0.0, 0.0]);
        assert_eq!((one.design_effect(), one.effective(), one.min, one.max), (4.0, 1.0, 0.0, 1.0));
    }
}
