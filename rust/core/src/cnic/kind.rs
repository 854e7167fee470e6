//! The words for what a value is and what is wrong with it.

/// An enumeration with a stable name for each value.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$item_doc:meta])* $item:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$item_doc])* $item,)* }

        impl $name {
            /// The names, in the order of the codes.
            pub const NAMES: &'static [&'static str] = &[$($text),*];

            /// Stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$item => $text,)* }
            }
        }
    };
}
pub(super) use named;

named! {
    /// What a value is.
    Kind {
        /// Thirteen digits that can be an identity number; only this kind has a number.
        Cnic = "cnic",
        /// A made-up filler: one digit over and over, or a run such as 1234567890123.
        Dummy = "dummy",
        /// The eleven-digit identity number of 1973 to 2001.
        OldNic = "old_nic",
        /// Two letters and seven digits, or said to be a passport.
        Passport = "passport",
        /// Said to be a card of an Afghan or another refugee (PoR, ACC, ARC); never validated.
        ForeignId = "foreign_id",
        /// A telephone number.
        Phone = "phone",
        /// A number whose last digits were lost in a spreadsheet or a narrow float.
        Truncated = "truncated",
        /// More than one number.
        Multiple = "multiple",
        /// Anything else that is not empty.
        Malformed = "malformed",
        /// Null, blank, or a word for nothing.
        Missing = "missing",
    }
}

named! {
    /// What is wrong or suspicious; the most serious one, in this order.
    Issue {
        /// More than one number in the cell.
        TwoNumbers = "two_numbers",
        /// Letters or signs that are no part of a number or its label.
        OtherText = "other_text",
        /// Digits replaced by `*` or `X`.
        Masked = "masked",
        /// A number below zero.
        Negative = "negative",
        /// A number with a fraction.
        NotWhole = "not_whole",
        /// `3.52021E+12`: the digits behind are lost.
        TruncatedScientific = "truncated_scientific",
        /// A single-precision float: 13 digits do not fit.
        TruncatedFloat = "truncated_float",
        /// Thirteen places, some of them letters that look like digits.
        OcrLetters = "ocr_letters",
        /// A number of digits that no single slip makes.
        WrongLength = "wrong_length",
        /// Twelve digits.
        DigitMissing = "digit_missing",
        /// Fourteen digits.
        DigitExtra = "digit_extra",
        /// Thirteen digits of which the first is 0, which no number has.
        LeadingZero = "leading_zero",
        /// One digit all over, or five times at the start.
        RepeatedDigits = "repeated_digits",
        /// Each digit one more, or one less, than the one before.
        Sequence = "sequence",
        /// The fourth digit is not 0, as it is in every known prefix.
        Digit4Nonzero = "digit4_nonzero",
        /// The first five digits are not in the table.
        UnknownPrefix = "unknown_prefix",
        /// One digit in all of the middle seven.
        RepeatedSerial = "repeated_serial",
        /// The last digit contradicts the sex that was given. It is evidence, not proof: people have
        /// been registered with the wrong one.
        SexMismatch = "sex_mismatch",
        /// First digit 9: seen on real cards, place of issue unknown.
        SpecialPrefix = "special_prefix",
        /// Last digit 0: claimed for real women's cards, seen on fillers.
        LastDigitZero = "last_digit_zero",
        /// Nothing.
        None = "none",
    }
}

named! {
    /// What the last digit says.
    Sex {
        /// Odd.
        Male = "male",
        /// Even.
        Female = "female",
    }
}

impl Sex {
    /// Sex that a word or letter stands for, in English or Urdu; `None` for any other: a transgender
    /// person may have chosen either.
    #[must_use]
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?.trim();
        let is = |words: &[&str]| words.iter().any(|w| w.eq_ignore_ascii_case(text));
        if is(&["male", "m", "man", "boy", "مرد", "لڑکا"]) {
            Some(Self::Male)
        } else if is(&["female", "f", "w", "woman", "girl", "عورت", "خاتون", "لڑکی"]) {
            Some(Self::Female)
        } else {
            None
        }
    }

    /// What the last digit of a number says; 0 counts as even.
    #[must_use]
    pub fn of_number(number: u64) -> Self {
        if number & 1 == 1 { Self::Male } else { Self::Female }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_places_in_the_list_of_names() {
        assert_eq!(Kind::NAMES[Kind::Missing as usize], Kind::Missing.name());
        assert_eq!(Issue::NAMES[Issue::None as usize], Issue::None.name());
        assert_eq!(Sex::NAMES[Sex::Female as usize], Sex::Female.name());
    }

    #[test]
    fn words_for_a_sex() {
        assert_eq!(Sex::from_text(b" Male "), Some(Sex::Male));
        assert_eq!(Sex::from_text("عورت".as_bytes()), Some(Sex::Female));
        for other in ["", "transgender", "1", "\u{fffd}"] {
            assert_eq!(Sex::from_text(other.as_bytes()), None);
        }
    }
}
