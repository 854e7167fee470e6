//! What a value holds, before any table is asked: digits, and what kind of thing they are.

mod clean;
mod number;
mod scan;
mod text;
mod words;

pub(super) use clean::clean;
pub use number::{decimal, float, float32, integer};
pub use text::text;

use super::digits::{Digits, POW10};
use super::kind::{Issue, Kind};

/// What a value holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What the value is; a number that reads well is [`Kind::Cnic`].
    pub kind: Kind,
    /// What is wrong with it.
    pub issue: Issue,
    /// The digits, where the kind has any: of a CNIC, a dummy, or a malformed number.
    pub digits: Digits,
    /// Least and greatest number a truncated one can have been.
    pub(super) range: Option<(u64, u64)>,
}

impl Reading {
    /// A reading without digits.
    pub(super) fn of(kind: Kind, issue: Issue) -> Self {
        Self { kind, issue, digits: Digits::default(), range: None }
    }

    /// No value.
    #[must_use]
    pub fn missing() -> Self {
        Self::of(Kind::Missing, Issue::None)
    }

    fn digits(kind: Kind, issue: Issue, digits: Digits) -> Self {
        Self { kind, issue, digits, range: None }
    }

    /// A number known only to lie in a range.
    fn truncated(issue: Issue, least: u64, greatest: u64) -> Self {
        Self { range: Some((least, greatest)), ..Self::of(Kind::Truncated, issue) }
    }
}

/// More digits than this are more than one number.
const MOST_OF_ONE: usize = 19;

/// What a row of digits is. `old_layout`: they are written `NNN-YY-NNNNNN`.
fn of_digits(digits: Digits, old_layout: bool) -> Reading {
    let Digits { value, len, .. } = digits;
    let malformed = |issue| Reading::digits(Kind::Malformed, issue, digits);
    if value == 0 && len <= 4 {
        return Reading::missing();
    }
    if len > MOST_OF_ONE {
        return Reading::of(Kind::Multiple, Issue::TwoNumbers);
    }
    if len >= 5 && digits.all_equal() {
        return Reading::digits(Kind::Dummy, Issue::RepeatedDigits, digits);
    }
    match len {
        13 => of_thirteen(digits),
        // 92 300 1234567, 0300 1234567, 0092 300 1234567, and 300 1234567 without its zero.
        10 if value / POW10[9] == 3 => Reading::of(Kind::Phone, Issue::None),
        11 if value / POW10[9] == 3 && !old_layout => Reading::of(Kind::Phone, Issue::None),
        12 if value / POW10[9] == 923 => Reading::of(Kind::Phone, Issue::None),
        14 if value / POW10[9] == 923 => Reading::of(Kind::Phone, Issue::None),
        11 => Reading::of(Kind::OldNic, Issue::None),
        12 => malformed(Issue::DigitMissing),
        14 => malformed(Issue::DigitExtra),
        _ => malformed(Issue::WrongLength),
    }
}

fn of_thirteen(digits: Digits) -> Reading {
    let number = digits.value;
    let dummy = |issue| Reading::digits(Kind::Dummy, issue, digits);
    let prefix = number / POW10[8];
    if prefix.is_multiple_of(11_111) || number.is_multiple_of(POW10[8]) {
        return dummy(Issue::RepeatedDigits);
    }
    if is_sequence(number) {
        return dummy(Issue::Sequence);
    }
    if number / POW10[9] == 923 {
        return Reading::of(Kind::Phone, Issue::None); // 0923001234567
    }
    if number < POW10[12] {
        return Reading::digits(Kind::Malformed, Issue::LeadingZero, digits);
    }
    // Six zeros at the end are a spreadsheet's rounding: one serial number in a million has five.
    if number.is_multiple_of(POW10[6]) {
        let unit = if number.is_multiple_of(POW10[7]) { POW10[7] } else { POW10[6] };
        let issue = Issue::TruncatedScientific;
        return Reading::truncated(issue, number - unit / 2, number + unit / 2);
    }
    Reading::digits(Kind::Cnic, Issue::None, digits)
}

/// Each of thirteen digits one more, or each one less, than the one before; 0 follows 9.
fn is_sequence(number: u64) -> bool {
    let steps = |step: u64| {
        let mut rest = number;
        (0..12).all(|_| {
            let last = rest % 10;
            rest /= 10;
            (rest % 10 + step) % 10 == last
        })
    };
    steps(1) || steps(9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(digits: &str) -> Reading {
        let mut out = Digits::default();
        digits.bytes().for_each(|b| out.push(b - b'0', false));
        of_digits(out, false)
    }

    #[test]
    fn sequences_and_repetitions_are_dummies() {
        for text in ["1234567890123", "9876543210987", "7890123456789", "0123456789012"] {
            assert_eq!((read(text).kind, read(text).issue), (Kind::Dummy, Issue::Sequence));
        }
        for text in ["3333333333333", "1111123456789", "0000012345678", "3520200000000", "99999"] {
            assert_eq!((read(text).kind, read(text).issue), (Kind::Dummy, Issue::RepeatedDigits));
        }
        assert_eq!(read("1234567890124").kind, Kind::Cnic);
    }

    #[test]
    fn rounded_numbers_are_truncated_not_numbers() {
        assert_eq!(read("3520212000000").kind, Kind::Truncated);
        assert_eq!(read("3520212000000").range, Some((3520211500000, 3520212500000)));
        assert_eq!(read("3520210000000").range, Some((3520205000000, 3520215000000)));
        assert_eq!(read("3520212300000").kind, Kind::Cnic);
    }
}
