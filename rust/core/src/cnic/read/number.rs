//! Numbers that come as numbers, and decimal or scientific text.

use super::{Reading, of_digits};
use crate::cnic::digits::{Digits, POW10, pow10};
use crate::cnic::kind::{Issue, Kind};

/// Reads an integer of any width.
#[must_use]
pub fn integer(value: i128) -> Reading {
    if value < 0 {
        return Reading::of(Kind::Malformed, Issue::Negative);
    }
    match u64::try_from(value) {
        Ok(0) => Reading::missing(),
        Ok(value) if value < POW10[19] => of_digits(Digits::of_number(value), false),
        _ => Reading::of(Kind::Malformed, Issue::WrongLength),
    }
}

/// Reads a double-precision number: integers below 2^53 are exact. NaN is missing.
#[must_use]
pub fn float(value: f64) -> Reading {
    if value.is_nan() {
        Reading::missing()
    } else if value < 0.0 {
        Reading::of(Kind::Malformed, Issue::Negative)
    } else if value >= 9_007_199_254_740_992.0 {
        Reading::of(Kind::Malformed, Issue::WrongLength)
    } else if value.fract() != 0.0 {
        Reading::of(Kind::Malformed, Issue::NotWhole)
    } else {
        integer(value as i128)
    }
}

/// Reads a single-precision number: integers above 2^24 have lost digits, so thirteen never fit.
#[must_use]
pub fn float32(value: f32) -> Reading {
    let wide = f64::from(value);
    if !(16_777_216.0..1e19).contains(&value) {
        return float(wide);
    }
    // Neighbours are one unit in the last place away; what lies half-way is rounded to this one.
    let half = |to: f32| ((f64::from(to) + wide) / 2.0) as u64;
    Reading::truncated(Issue::TruncatedFloat, half(value.next_down()), half(value.next_up()))
}

/// Reads `unscaled / 10^scale`.
#[must_use]
pub fn decimal(unscaled: i128, scale: u8) -> Reading {
    let unit = 10_i128.checked_pow(scale.into());
    match unit {
        Some(unit) if unscaled % unit == 0 => integer(unscaled / unit),
        _ if unscaled < 0 => Reading::of(Kind::Malformed, Issue::Negative),
        _ => Reading::of(Kind::Malformed, Issue::NotWhole),
    }
}

/// Reads `3520212345671.0` and `3.520212345671E+12`: digits, a point and decimals, an exponent.
/// `None` when the text has another form, or a point that can as well part two groups.
pub(super) fn written(text: &[u8]) -> Option<Reading> {
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (text.get(..at)?, Some(exponent(text.get(at + 1..)?)?)),
        None => (text, None),
    };
    let (whole, decimals) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (mantissa.get(..at)?, mantissa.get(at + 1..)?),
        None => (mantissa, &[][..]),
    };
    let mut digits = Digits::default();
    for byte in whole.iter().chain(decimals) {
        if !byte.is_ascii_digit() || whole.is_empty() {
            return None;
        }
        digits.push(byte - b'0', false);
    }
    if let Some(exponent) = exponent {
        return (digits.len > 0).then(|| scientific(digits, decimals.len(), exponent));
    }
    let is_decimal = whole.len() < mantissa.len();
    if is_decimal
        && decimals.iter().all(|b| *b == b'0')
        && (whole.len() >= 6 || (1..=2).contains(&decimals.len()))
    {
        // Only zeros behind the point: a float. Groups do not end so.
        let mut digits = Digits::default();
        whole.iter().for_each(|b| digits.push(b - b'0', false));
        return Some(of_digits(digits, false));
    }
    (is_decimal && whole.len() >= 13).then(|| Reading::of(Kind::Malformed, Issue::NotWhole))
}

fn exponent(text: &[u8]) -> Option<i32> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let value =
        digits.iter().fold(0_i32, |v, b| v.saturating_mul(10).saturating_add((b - b'0').into()));
    Some(if negative { -value } else { value })
}

/// `digits / 10^decimals * 10^exponent`. The true value lies within half a unit of the last digit
/// that is shown.
fn scientific(digits: Digits, decimals: usize, exponent: i32) -> Reading {
    let malformed = |issue| Reading::of(Kind::Malformed, issue);
    if digits.len > 19 {
        return malformed(Issue::WrongLength);
    }
    let shift = exponent.saturating_sub(i32::try_from(decimals).unwrap_or(i32::MAX));
    let Ok(lost) = usize::try_from(shift) else {
        let behind = shift.unsigned_abs() as usize;
        if behind > 19 || !digits.value.is_multiple_of(pow10(behind)) {
            return malformed(Issue::NotWhole);
        }
        return integer((digits.value / pow10(behind)).into());
    };
    if lost == 0 || digits.value == 0 {
        return integer(digits.value.into());
    }
    let unit = POW10.get(lost).copied();
    match unit.and_then(|unit| Some((digits.value.checked_mul(unit)?, unit))) {
        Some((value, unit)) => {
            let (least, greatest) =
                (value.saturating_sub(unit / 2), value.saturating_add(unit / 2));
            Reading::truncated(Issue::TruncatedScientific, least, greatest)
        }
        None => malformed(Issue::WrongLength),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_precision_spacing_is_as_in_the_field_guide() {
        for (value, spacing) in [(1.5e12_f32, 131_072), (3.5e12, 262_144), (8.2e12, 524_288)] {
            let (least, greatest) = float32(value).range.unwrap();
            assert_eq!(greatest - least, spacing);
        }
        assert_eq!(float32(16_777_215.0).kind, Kind::Malformed);
        assert_eq!(float32(f32::NAN), Reading::missing());
        assert_eq!(float32(f32::INFINITY).issue, Issue::WrongLength);
    }

    #[test]
    fn text_that_is_no_decimal_number_is_left_alone() {
        for text in
            ["35202-1234567", "3.5.2", "", ".", ".5", "E5", "3E", "3E+", "3E5x", "35202.12345671"]
        {
            assert_eq!(written(text.as_bytes()), None, "{text}");
        }
    }
}
