//! What a link makes of a linear predictor.

use crate::stats::lane_math::{exp_negative, ln, ln_1p, mills};

/// Link of the mean to the linear predictor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Log odds.
    Logit,
    /// Normal quantile.
    Probit,
}

/// What a row adds, for a weight of 1.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// Expected information (Fisher).
    pub information: f64,
    /// Derivative of the log-likelihood by the linear predictor.
    pub score: f64,
    /// Log-likelihood of a Bernoulli trial, or of a share of successes.
    pub likelihood: f64,
}

/// The larger and the smaller of mean and 1 - mean, given their order by the sign of `eta`.
#[inline(always)]
fn parts(eta: f64, larger: f64, smaller: f64) -> (f64, f64) {
    if eta >= 0.0 { (larger, smaller) } else { (smaller, larger) }
}

#[inline(always)]
pub(super) fn logit(eta: f64, y: f64) -> Row {
    let odds = exp_negative(-eta.abs());
    let larger = 1.0 / (1.0 + odds);
    let smaller = odds * larger;
    let (mean, rest) = parts(eta, larger, smaller);
    let against = y.mul_add(-eta, if eta > 0.0 { eta } else { 0.0 });
    Row {
        information: larger * smaller,
        // y - mean, without the loss of digits near 0 and 1.
        score: y.mul_add(rest, -(1.0 - y) * mean),
        likelihood: -against - ln_1p(odds),
    }
}

#[inline(always)]
pub(super) fn probit(eta: f64, y: f64) -> Row {
    const ROOT_TAU: f64 = 2.506_628_274_631_000_7; // sqrt(2 pi)
    const LN_ROOT_TAU: f64 = 0.918_938_533_204_672_8;
    let half = 0.5 * eta * eta;
    let ratio = mills(eta.abs());
    let density = exp_negative(-half) / ROOT_TAU;
    let smaller = density * ratio;
    let larger = 1.0 - smaller;
    let (mean, rest) = parts(eta, larger, smaller);
    let scale = 1.0 / (ratio * larger); // density / (mean (1 - mean))
    let (of_larger, of_smaller) = (ln_1p(-smaller), ln(ratio) - half - LN_ROOT_TAU);
    let (of_mean, of_rest) = parts(eta, of_larger, of_smaller);
    Row {
        information: density * scale,
        score: y.mul_add(rest, -(1.0 - y) * mean) * scale,
        likelihood: y.mul_add(of_mean, (1.0 - y) * of_rest),
    }
}

impl Link {
    /// Log-likelihood of the target by itself: of a mean of `y` everywhere.
    pub(super) fn saturated(y: f64) -> f64 {
        let part = |y: f64| if y > 0.0 { y * y.ln() } else { 0.0 };
        part(y) + part(1.0 - y)
    }
}
