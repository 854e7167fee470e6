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

/// Sums side by side, which a compiler may keep in one register.
const LANES: usize = 8;

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
        weights.chunks(PANEL).fold(empty, |mut all, panel| {
            let mut lanes = [[0.0; LANES], [0.0; LANES], [all.min; LANES], [all.max; LANES]];
            let [sums, squares, lows, highs] = &mut lanes;
            for part in panel.chunks(LANES) {
                sums.iter_mut().zip(part).for_each(|(to, w)| *to += w);
                squares.iter_mut().zip(part).for_each(|(to, w)| *to += w * w);
                lows.iter_mut().zip(part).for_each(|(to, &w)| *to = if w < *to { w } else { *to });
                highs.iter_mut().zip(part).for_each(|(to, &w)| *to = if w > *to { w } else { *to });
            }
            all.sum += sums.iter().sum::<f64>();
            all.squares += squares.iter().sum::<f64>();
            all.min = lows.iter().copied().fold(all.min, f64::min);
            all.max = highs.iter().copied().fold(all.max, f64::max);
            all
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
