//! How numbers get wrong: every number from which one slip makes what was written, and how likely.
//!
//! Shares of the classes: J. Verhoeff, Error Detecting Decimal Codes, 1969 (substitution 79.05 %,
//! adjacent transposition 10.21 %, twin 0.55 %); jump transposition 0.82 %, jump twin 0.29 % and the
//! 10 to 20 % of omissions and insertions are second-hand. What is left are errors in several digits.

use super::digits::{Digits, pow10};
use super::edit::Edit;

/// Share of the errors that leave out a digit, or add one.
const LENGTH: f64 = 0.075;
/// Share of the errors that keep the number of digits.
const KEPT: f64 = 1.0 - 2.0 * LENGTH;
const SUBSTITUTION: f64 = KEPT * 0.7905;
const ADJACENT_SWAP: f64 = KEPT * 0.1021;
const JUMP_SWAP: f64 = KEPT * 0.0082;
const TWIN: f64 = KEPT * 0.0055;
const JUMP_TWIN: f64 = KEPT * 0.0029;
/// Share of errors of no class, which can give any digits.
pub(super) const OTHER: f64 = KEPT * (1.0 - 0.7905 - 0.1021 - 0.0082 - 0.0055 - 0.0029);
/// How often a letter that looks like a digit stands for another digit.
const MISREAD: f64 = 0.05;

/// A number that may have been meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Source {
    pub number: u64,
    /// Probability of writing what was written when this number is meant.
    pub likelihood: f64,
    pub edit: Edit,
}

/// Every number of 13 digits that one slip, or none, turns into the digits that were written; in
/// ascending order, each once. `error_rate`: share of the numbers that are written wrongly.
pub(super) fn sources(written: Digits, error_rate: f64) -> Vec<Source> {
    let mut found = vec![];
    match written.len {
        13 => {
            same_length(written, error_rate, &mut found);
        }
        12 => omissions(written.value, error_rate, &mut found),
        14 => insertions(written.value, error_rate, &mut found),
        _ => {}
    }
    merge(found)
}

/// Adds up the likelihoods of equal numbers; the likeliest edit names the sum.
fn merge(mut found: Vec<Source>) -> Vec<Source> {
    found.sort_by_key(|source| source.number);
    let groups = found.chunk_by(|a, b| a.number == b.number);
    let sum = |group: &[Source]| {
        let best = group.iter().max_by(|a, b| a.likelihood.total_cmp(&b.likelihood)).copied()?;
        Some(Source { likelihood: group.iter().map(|s| s.likelihood).sum(), ..best })
    };
    groups.filter_map(sum).collect()
}

fn same_length(written: Digits, error_rate: f64, found: &mut Vec<Source>) {
    let number = written.value;
    let digits = written.array();
    let digits = digits.get(..13).unwrap_or(&[]);
    let unit = |i: usize| pow10(12 - i);
    let letters = i32::try_from(written.doubtful.count_ones()).unwrap_or(0);
    let (edit, right) = if letters == 0 {
        (Edit::Equal, 1.0 - error_rate)
    } else {
        (Edit::OcrLetters, (1.0 - error_rate) * (1.0 - MISREAD).powi(letters))
    };
    let mut add = |number: u64, likelihood: f64, edit: Edit| {
        found.push(Source { number, likelihood, edit });
    };
    add(number, right, edit);
    let replaced =
        |i: usize, old: u8, new: u8| number - u64::from(old) * unit(i) + u64::from(new) * unit(i);
    for (i, &digit) in digits.iter().enumerate() {
        let letter = written.doubtful >> i & 1 == 1;
        let rate = if letter { MISREAD / 9.0 } else { error_rate * SUBSTITUTION / 117.0 };
        for other in (0..10).filter(|d| *d != digit) {
            add(replaced(i, digit, other), rate, Edit::Substitution);
        }
    }
    // A pair further on is one digit on for neighbours, two for a jump. A tenth of all pairs are
    // twins, and the rest can be swapped.
    for (step, swap, swap_edit, twin, twin_edit) in [
        (1, ADJACENT_SWAP, Edit::AdjacentSwap, TWIN, Edit::Twin),
        (2, JUMP_SWAP, Edit::JumpSwap, JUMP_TWIN, Edit::JumpTwin),
    ] {
        let pairs = (13 - step) as f64;
        for (i, (&a, &b)) in digits.iter().zip(digits.iter().skip(step)).enumerate() {
            let without = number - u64::from(a) * unit(i) - u64::from(b) * unit(i + step);
            let with =
                |a: u8, b: u8| without + u64::from(a) * unit(i) + u64::from(b) * unit(i + step);
            if a == b {
                for other in (0..10).filter(|d| *d != a) {
                    add(with(other, other), error_rate * twin / (pairs * 0.1) / 9.0, twin_edit);
                }
            } else {
                add(with(b, a), error_rate * swap / (pairs * 0.9), swap_edit);
            }
        }
    }
}

/// Twelve digits: one of thirteen was left out.
fn omissions(written: u64, error_rate: f64, found: &mut Vec<Source>) {
    for i in 0..13 {
        let unit = pow10(i);
        let (head, tail) = (written / unit, written % unit);
        for digit in 0..10 {
            let number = (head * 10 + digit) * unit + tail;
            let likelihood = error_rate * LENGTH / 13.0;
            found.push(Source { number, likelihood, edit: Edit::Omission });
        }
    }
}

/// Fourteen digits: one of them is too many.
fn insertions(written: u64, error_rate: f64, found: &mut Vec<Source>) {
    for i in 0..14 {
        let unit = pow10(i);
        let number = written / unit / 10 * unit + written % unit;
        let likelihood = error_rate * LENGTH / 14.0 / 10.0;
        found.push(Source { number, likelihood, edit: Edit::Insertion });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cnic::edit::distance;

    fn of(number: u64) -> Digits {
        Digits::of_number(number)
    }

    #[test]
    fn sources_are_counted_as_in_the_field_guide() {
        let count = |digits: Digits, edit: Edit| {
            sources(digits, 0.01).iter().filter(|s| s.edit == edit).count()
        };
        let number = of(3520212345671);
        assert_eq!(count(number, Edit::Substitution), 117);
        assert!(count(number, Edit::AdjacentSwap) <= 12);
        assert_eq!(sources(of(352021234567), 0.01).len(), 118);
        assert!(sources(of(35202123456712), 0.01).len() <= 14);
        assert!(sources(of(35202123456), 0.01).is_empty());
    }

    #[test]
    fn every_source_becomes_what_was_written_by_its_edit() {
        for written in [3520212345671, 3110433445518, 352021234567, 35202123456712, 9999999999998] {
            for source in sources(of(written), 0.01) {
                let meant = Digits { value: source.number, len: 13, doubtful: 0 };
                let (edit, _) = distance(meant, of(written));
                assert_eq!(edit, source.edit, "{}", source.number);
            }
        }
    }

    #[test]
    fn a_letter_is_likelier_wrong_than_a_digit() {
        let written = Digits { value: 3520212345671, len: 13, doubtful: 1 << 12 };
        let all = sources(written, 0.01);
        let find = |n: u64| all.iter().find(|s| s.number == n).unwrap();
        assert_eq!(find(3520212345671).edit, Edit::OcrLetters);
        assert!(find(3520212345673).likelihood > 10.0 * find(3520212345171).likelihood);
    }
}
