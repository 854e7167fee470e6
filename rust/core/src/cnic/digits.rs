//! A row of decimal digits.

/// Powers of ten.
pub(super) const POW10: [u64; 20] = {
    let mut powers = [1; 20];
    let mut i = 1;
    #[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
    while i < 20 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// `10^n`; the largest that fits for more than 19.
pub(super) fn pow10(n: usize) -> u64 {
    POW10.get(n).copied().unwrap_or(10_000_000_000_000_000_000)
}

/// Fourth digit of a number: 0 in every known prefix.
#[inline]
pub(super) fn fourth_digit(number: u64) -> u64 {
    number / POW10[9] % 10
}

/// Digits of a value, first to last. At most 19 have a value; beyond that only the count is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Digits {
    /// The digits as a number.
    pub value: u64,
    /// How many there are.
    pub len: usize,
    /// Bit `i` is set when digit `i` was a letter that looks like it.
    pub doubtful: u32,
}

impl Digits {
    /// The decimal digits of a number.
    #[must_use]
    pub fn of_number(value: u64) -> Self {
        Self { value, len: value.checked_ilog10().map_or(1, |n| n as usize + 1), doubtful: 0 }
    }

    /// Adds a digit behind.
    pub(super) fn push(&mut self, digit: u8, doubtful: bool) {
        if self.len < 19 {
            self.value = self.value * 10 + u64::from(digit);
            self.doubtful |= u32::from(doubtful) << self.len;
        }
        self.len += 1;
    }

    /// The digits, first to last; zeros behind the last.
    #[must_use]
    pub fn array(&self) -> [u8; 19] {
        let mut digits = [0; 19];
        let mut rest = self.value;
        for digit in digits.iter_mut().take(self.len).rev() {
            *digit = (rest % 10) as u8;
            rest /= 10;
        }
        digits
    }

    /// One digit all over.
    pub(super) fn all_equal(&self) -> bool {
        self.value.is_multiple_of((pow10(self.len.min(19)) - 1) / 9)
    }
}
