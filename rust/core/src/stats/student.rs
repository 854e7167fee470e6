//! Student's t distribution.

/// Chance that a t of `df` degrees of freedom lies further from zero than `t`, on either side.
#[must_use]
pub fn two_sided(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let square = t * t;
    if square < df {
        1.0 - beta_share(square / (df + square), 0.5, df / 2.0)
    } else {
        beta_share(df / (df + square), df / 2.0, 0.5)
    }
}

/// The t that a share `chance` of values lies further from zero than: the inverse of
/// [`two_sided`].
#[must_use]
pub fn two_sided_limit(chance: f64, df: f64) -> f64 {
    let usable = df > 0.0 && chance > 0.0 && chance <= 1.0;
    if !usable {
        return f64::NAN;
    }
    let (mut low, mut high) = (0.0, 1.0);
    while two_sided(high, df) > chance && high < 1e300 {
        (low, high) = (high, high * 2.0);
    }
    for _ in 0..100 {
        let middle = (low + high) / 2.0;
        if two_sided(middle, df) > chance { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}

/// Regularised incomplete beta function (its continued fraction by Lentz's method).
pub(super) fn beta_share(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - beta_share(1.0 - x, b, a);
    }
    let front =
        (a * x.ln() + b * (-x).ln_1p() + ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b)).exp() / a;
    let not_zero = |v: f64| if v.abs() < 1e-300 { 1e-300 } else { v };
    let mut d = 1.0 / not_zero(1.0 - (a + b) * x / (a + 1.0));
    let (mut c, mut out) = (1.0, d);
    for m in 1..10_000 {
        let m = f64::from(m);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = out;
        for step in [even, odd] {
            d = 1.0 / not_zero(1.0 + step * d);
            c = not_zero(1.0 + step / c);
            out *= d * c;
        }
        if (out - before).abs() <= f64::EPSILON * out.abs() {
            break;
        }
    }
    front * out
}

/// Logarithm of the gamma function above zero: Stirling's series after a few steps up.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut product) = (x, 1.0);
    while x < 15.0 {
        product *= x;
        x += 1.0;
    }
    let inverse = 1.0 / (x * x);
    let series = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    let tail = series.iter().rev().fold(0.0, |sum, term| sum * inverse + term) / x;
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + tail - product.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_the_distribution_are_met() {
        // R: qt(.975, df), 2 * pt(-t, df)
        let limits = [
            (1.0, 12.706204736174694),
            (2.0, 4.302_652_729_749_464),
            (10.0, 2.2281388519862744),
            (30.0, 2.0422724563012378),
            (1000.0, 1.9623390808264083),
        ];
        for (df, limit) in limits {
            let found = two_sided_limit(0.05, df);
            assert!((found / limit - 1.0).abs() < 1e-11, "{df} {found}");
            assert!((two_sided(limit, df) - 0.05).abs() < 1e-12);
        }
        assert!((two_sided(1.0, 1.0) - 0.5).abs() < 1e-14);
        assert_eq!(two_sided(0.0, 7.0), 1.0);
        assert_eq!(two_sided(f64::INFINITY, 7.0), 0.0);
        assert!(two_sided(40.0, 1000.0) > 0.0 && two_sided(40.0, 1000.0) < 1e-200);
        assert!(two_sided(f64::NAN, 5.0).is_nan() && two_sided(1.0, 0.0).is_nan());
    }
}
