//! How far a weight may be moved, and at what price: the distance functions of Deville and Särndal.
//!
//! A distance is known by `g(u)`, the factor by which a design weight changes where the multipliers
//! of the totals add up to `u` (Deville and Särndal, JASA 87, 1992, table 1).

/// A distance between design weights and calibrated weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// `g = 1 + u`: the generalised regression estimator. Never cut, whatever bounds there are.
    Line,
    /// The same, cut at the bounds.
    Linear,
    /// `g = exp(u)`: raking, entropy balancing. Cut at the bounds.
    Raking,
    /// The logistic curve between two bounds.
    Logit,
}

/// A distance and the range of its factors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Distance {
    /// The curve.
    pub curve: Curve,
    /// Lowest factor; minus infinity for none.
    pub low: f64,
    /// Highest factor; infinity for none.
    pub high: f64,
}

impl Distance {
    /// The line `1 + u` without bounds.
    pub const LINE: Self = Self { curve: Curve::Line, low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// True when a bound may hold a factor back.
    #[must_use]
    pub fn bounded(&self) -> bool {
        match self.curve {
            Curve::Line => false,
            Curve::Linear => self.low.is_finite() || self.high.is_finite(),
            Curve::Raking => self.low > 0.0 || self.high.is_finite(),
            Curve::Logit => true,
        }
    }

    /// Whether these bounds leave the curve room.
    #[must_use]
    pub fn room(&self, (low, high): (f64, f64)) -> bool {
        match self.curve {
            Curve::Logit => low < 1.0 && 1.0 < high,
            _ => low <= high,
        }
    }

    /// The same distance with other bounds.
    #[must_use]
    pub fn within(self, (low, high): (f64, f64)) -> Self {
        Self { low, high, ..self }
    }

    /// Factor and its slope.
    #[must_use]
    #[inline]
    pub fn at(&self, u: f64) -> (f64, f64) {
        match self.curve {
            Curve::Line => (1.0 + u, 1.0),
            Curve::Linear => self.cut(1.0 + u, 1.0),
            Curve::Raking => {
                let g = u.exp();
                self.cut(g, g)
            }
            Curve::Logit => self.logit(u),
        }
    }

    #[inline]
    fn cut(&self, g: f64, slope: f64) -> (f64, f64) {
        if g <= self.low {
            (self.low, 0.0)
        } else if g >= self.high {
            (self.high, 0.0)
        } else {
            (g, slope)
        }
    }

    #[inline]
    fn logit(&self, u: f64) -> (f64, f64) {
        let (low, high) = (self.low, self.high);
        let (below, above, width) = (1.0 - low, high - 1.0, high - low);
        let v = width / (below * above) * u;
        // Of the two forms of the fraction, the one whose exponential cannot overflow.
        let t = (-v.abs()).exp();
        let (e, one) = if v >= 0.0 { (1.0, t) } else { (t, 1.0) };
        let bottom = above * one + below * e;
        let g = (low * above * one + high * below * e) / bottom;
        // Rounding may leave it a last bit outside.
        (g.max(low).min(high), width * width * t / (bottom * bottom))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_curve_leaves_weights_alone_at_zero_and_has_the_slope_of_its_differences() {
        let curves = [
            Distance::LINE,
            Distance { curve: Curve::Linear, ..Distance::LINE },
            Distance { curve: Curve::Raking, low: 0.0, high: f64::INFINITY },
            Distance { curve: Curve::Linear, low: 0.2, high: 3.0 },
            Distance { curve: Curve::Raking, low: 0.2, high: 3.0 },
            Distance { curve: Curve::Logit, low: 0.2, high: 3.0 },
        ];
        for distance in curves {
            let (g, slope) = distance.at(0.0);
            assert!((g - 1.0).abs() < 1e-15 && (slope - 1.0).abs() < 1e-15);
            for u in [-40.0, -2.0, -0.7, 0.3, 0.9, 5.0, 40.0] {
                let (g, slope) = distance.at(u);
                let h = 1e-5;
                let rise = (distance.at(u + h).0 - distance.at(u - h).0) / (2.0 * h);
                assert!((rise - slope).abs() <= 1e-6 * (1.0 + slope), "{distance:?} at {u}");
                assert!((distance.low..=distance.high).contains(&g));
            }
        }
    }

    #[test]
    fn the_logistic_curve_stays_finite_far_out() {
        let logit = Distance { curve: Curve::Logit, low: 0.5, high: 2.0 };
        assert_eq!(logit.at(1e6), (2.0, 0.0));
        assert_eq!(logit.at(-1e6), (0.5, 0.0));
    }
}
