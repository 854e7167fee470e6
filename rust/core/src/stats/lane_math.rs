//! Elementary functions that the compiler runs in lanes: no branches, no tables, no calls.
//!
//! Within 3 units in the last place of the true value, and the same bits on every processor.

/// `exp(x)` for `x <= 0`; below -708, as at -708.
#[inline(always)]
pub(super) fn exp_negative(x: f64) -> f64 {
    /// Adding it rounds a small number to a whole one, held in the lowest bits.
    const ROUNDER: f64 = 6_755_399_441_055_744.0; // 1.5 * 2^52
    /// `ln 2` in two parts; the first times a whole number below 2^11 is exact.
    const LN_2: [f64; 2] = [0.693_147_180_369_123_8, 1.908_214_929_270_587_7e-10];
    /// `1 / k!` from `k = 13` down to 2.
    const TAYLOR: [f64; 12] = [
        1.0 / 6_227_020_800.0,
        1.0 / 479_001_600.0,
        1.0 / 39_916_800.0,
        1.0 / 3_628_800.0,
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
    ];
    let x = if x < -708.0 { -708.0 } else { x };
    let shifted = x.mul_add(std::f64::consts::LOG2_E, ROUNDER);
    let whole = shifted - ROUNDER;
    let [high, low] = LN_2;
    let rest = whole.mul_add(-low, whole.mul_add(-high, x));
    let series = TAYLOR.iter().fold(0.0, |sum: f64, term| sum.mul_add(rest, *term));
    let mantissa = (rest * rest).mul_add(series, rest) + 1.0;
    // The whole number goes into the exponent.
    f64::from_bits(mantissa.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// `ln(x)` for normal `x > 0`.
#[inline(always)]
pub(super) fn ln(x: f64) -> f64 {
    /// `2 / (2 k + 1)` from `k = 11` down to 1.
    const ATANH: [f64; 11] = [
        2.0 / 23.0,
        2.0 / 21.0,
        2.0 / 19.0,
        2.0 / 17.0,
        2.0 / 15.0,
        2.0 / 13.0,
        2.0 / 11.0,
        2.0 / 9.0,
        2.0 / 7.0,
        2.0 / 5.0,
        2.0 / 3.0,
    ];
    const ROOT_HALF: u64 = 0x3FE6_A09E_667F_3BCD;
    // x = mantissa 2^exponent, the mantissa from sqrt(1/2) to sqrt(2).
    let biased = x.to_bits().wrapping_add(0x3FF0_0000_0000_0000 - ROOT_HALF);
    let mantissa = f64::from_bits((biased & 0x000F_FFFF_FFFF_FFFF).wrapping_add(ROOT_HALF));
    // The exponent as a float without a conversion of 64-bit integers: 2^52 + e, minus 2^52 + 1023.
    let exponent = f64::from_bits((biased >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_371_519.0;
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let square = s * s;
    let series = ATANH.iter().fold(0.0, |sum: f64, term| sum.mul_add(square, *term));
    exponent.mul_add(std::f64::consts::LN_2, (s * square).mul_add(series, 2.0 * s))
}

/// `ln(1 + x)` for `x > -1`.
#[inline(always)]
pub(super) fn ln_1p(x: f64) -> f64 {
    let sum = 1.0 + x;
    ln(sum) + (x - (sum - 1.0)) / sum
}

/// Mills' ratio of the normal distribution for `x >= 0`: its upper tail over its density. Chebyshev
/// series of `(1 + x)` times it in `(x - 5) / (x + 5)`, computed with 50 digits.
#[inline(always)]
pub(super) fn mills(x: f64) -> f64 {
    const SERIES: [f64; 26] = [
        1.1579976221305188,
        -0.1633449388451398,
        -0.013683136055781576,
        0.03082200019810004,
        -0.016220073012046806,
        0.005616691016460094,
        -0.0014133933783549216,
        0.0002502625460725661,
        -2.468907239728387e-05,
        -1.0107964061837592e-06,
        7.495419179740573e-07,
        -7.600274268728337e-08,
        -1.1574771441328644e-08,
        3.333386472599843e-09,
        7.538039628171347e-11,
        -1.1104247263727494e-10,
        3.509243776551059e-12,
        3.6894953861750955e-12,
        -2.3376697776383095e-13,
        -1.3271797523541405e-13,
        9.921706995888276e-15,
        5.276004995455379e-15,
        -3.373097694187922e-16,
        -2.2804338776379946e-16,
        7.496330565808626e-18,
        1.0328041877290668e-17,
    ];
    let t = (x - 5.0) / (x + 5.0);
    // Clenshaw's recurrence.
    let (mut first, mut second) = (0.0, 0.0);
    for term in SERIES.iter().skip(1).rev() {
        (first, second) = ((2.0 * t).mul_add(first, term - second), first);
    }
    let [constant, ..] = SERIES;
    t.mul_add(first, constant - second) / (1.0 + x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, what: &str) {
        assert!((found - expected).abs() <= 6.7e-16 * expected.abs(), "{what}: {found} {expected}");
    }

    #[test]
    fn agrees_with_the_platform() {
        for i in 0..7_000 {
            let x = -f64::from(i) / 10.0 - f64::from(i % 7) * 0.013;
            close(exp_negative(x), x.exp(), "exp");
            let y = (f64::from(i) * 0.01 - 30.0).exp();
            close(ln(y), y.ln(), "ln");
            close(ln_1p(y), y.ln_1p(), "ln_1p");
        }
        assert_eq!(exp_negative(0.0), 1.0);
        assert_eq!(exp_negative(-1e300), exp_negative(-708.0));
        assert_eq!(ln(1.0), 0.0);
    }

    #[test]
    fn tail_of_the_normal_distribution() {
        // sqrt(pi / 2) erfcx(x / sqrt(2)), with 17 digits from 50.
        for (x, expected) in MILLS {
            assert!((mills(x) / expected - 1.0).abs() < 1e-15, "{x}");
        }
    }

    const MILLS: [(f64, f64); 8] = [
        (0.0, 1.2533141373155003),
        (0.1, 1.1592623996187363),
        (0.5, 0.8763644564536923),
        (1.0, 0.6556795424187984),
        (2.5, 0.35426511132979366),
        (6.0, 0.16237766089686745),
        (15.0, 0.06637423582325018),
        (37.5, 0.02664774401489855),
    ];
}
