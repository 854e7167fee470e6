//! A reading against the table of prefixes.

use super::digits::{POW10, fourth_digit};
use super::kind::{Issue, Kind, Sex};
use super::prefix::PrefixTable;
use super::read::{self, Reading};

/// What a value is, once the table has been asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parsed {
    /// The number; meaningful only for [`Kind::Cnic`].
    pub(super) value: u64,
    /// What the value is.
    pub kind: Kind,
    /// What is wrong or suspicious.
    pub issue: Issue,
    /// What the last digit says.
    pub sex: Option<Sex>,
    /// Place of registration, for [`PrefixTable::place`]. Also that of a truncated number when every
    /// number it can have been shares its prefix.
    pub place: u16,
}

impl Parsed {
    /// The number, 13 digits.
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        (self.kind == Kind::Cnic).then_some(self.value)
    }
}

/// Reads text, as [`read::text`] does, and judges it.
#[must_use]
#[inline]
pub fn parse_text(text: &[u8], table: &PrefixTable, sex: Option<Sex>) -> Parsed {
    match read::clean(text) {
        // A prefix in the table rules out every dummy, but for a serial number of zeros.
        Some(number) if table.find(number) != 0 && !number.is_multiple_of(POW10[6]) => {
            table.judge_number(number, sex)
        }
        _ => table.judge(&read::text(text), sex),
    }
}

impl PrefixTable {
    /// Judges a reading; `sex` is what is recorded of the person.
    #[must_use]
    #[inline]
    pub fn judge(&self, reading: &Reading, sex: Option<Sex>) -> Parsed {
        if reading.kind == Kind::Cnic {
            return self.judge_number(reading.digits.value, sex);
        }
        let certain = reading.range.filter(|(a, b)| a / POW10[8] == b / POW10[8]);
        let place = certain.map_or(0, |(least, _)| self.find(least));
        Parsed { value: 0, kind: reading.kind, issue: reading.issue, sex: None, place }
    }

    /// Judges thirteen digits that read as a CNIC.
    #[inline]
    fn judge_number(&self, number: u64, sex: Option<Sex>) -> Parsed {
        let place = self.find(number);
        let found = Sex::of_number(number);
        let issue = if fourth_digit(number) != 0 {
            Issue::Digit4Nonzero
        } else if place == 0 {
            Issue::UnknownPrefix
        } else if (number / 10 % POW10[7]).is_multiple_of(1_111_111) {
            Issue::RepeatedSerial
        } else if sex.is_some_and(|sex| sex != found) {
            Issue::SexMismatch
        } else if self.is_special(place) {
            Issue::SpecialPrefix
        } else if number.is_multiple_of(10) {
            Issue::LastDigitZero
        } else {
            Issue::None
        };
        Parsed { value: number, kind: Kind::Cnic, issue, sex: Some(found), place }
    }
}
