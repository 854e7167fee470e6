//! A number with its leading zeros in eight bytes.

use std::num::NonZeroU64;

use crate::cnic::Digits;

/// Digits that a number may have.
pub const MAX_LEN: usize = 16;

/// Ones in the places of `len` digits.
const fn ones(len: usize) -> u64 {
    0x1111_1111_1111_1111 >> (4 * (MAX_LEN - len))
}

/// Up to 16 decimal digits, the last in the lowest four bits, each plus one: zero is no digit. So
/// equal values have equal digits and equal lengths, and the order is that of the lengths, then
/// that of the digits. An `Option` of it takes eight bytes too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackedDigits(NonZeroU64);

impl PackedDigits {
    /// The number `value` written with `len` digits; `None` when it does not fit, or for less than
    /// 1 digit or more than [`MAX_LEN`].
    #[must_use]
    #[inline]
    pub fn new(value: u64, len: usize) -> Option<Self> {
        if !(1..=MAX_LEN).contains(&len) {
            return None;
        }
        let (mut packed, mut rest) = (ones(len), value);
        for place in 0..len {
            packed += (rest % 10) << (4 * place);
            rest /= 10;
        }
        NonZeroU64::new(packed).filter(|_| rest == 0).map(Self)
    }

    /// The digits of a value that was read; `None` for none or more than [`MAX_LEN`].
    #[must_use]
    pub fn of_digits(digits: Digits) -> Option<Self> {
        Self::new(digits.value, digits.len)
    }

    /// The number of a packed form; `None` for what is none.
    #[must_use]
    pub fn of_bits(bits: u64) -> Option<Self> {
        let packed = Self(NonZeroU64::new(bits)?);
        let digits = bits.checked_sub(ones(packed.len()))?;
        (0..packed.len()).all(|place| digits >> (4 * place) & 15 < 10).then_some(packed)
    }

    /// The number of what [`PackedDigits::bits`] gave; `None` for zero.
    #[inline]
    pub(super) fn of_own_bits(bits: u64) -> Option<Self> {
        NonZeroU64::new(bits).map(Self)
    }

    /// The digits in decimal form.
    #[must_use]
    pub fn digits(self) -> Digits {
        let value = (0..self.len())
            .rev()
            .fold(0, |value, place| value * 10 + ((self.bits() >> (4 * place) & 15) - 1));
        Digits { value, len: self.len(), doubtful: 0 }
    }

    /// How many digits there are.
    #[must_use]
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "there is always a digit")]
    pub fn len(self) -> usize {
        MAX_LEN - self.0.leading_zeros() as usize / 4
    }

    /// The packed form.
    #[must_use]
    #[inline]
    pub fn bits(self) -> u64 {
        self.0.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_come_back_and_order_is_by_length_then_digits() {
        assert_eq!(size_of::<Option<PackedDigits>>(), 8);
        let mut last = None;
        for (value, len) in [
            (0, 1),
            (9, 1),
            (0, 2),
            (10, 2),
            (99, 2),
            (352021234567, 12),
            (20212345671, 13),
            (3520212345671, 13),
            (u64::from(u32::MAX), 14),
            (0, 16),
            (9_999_999_999_999_999, 16),
        ] {
            let packed = PackedDigits::new(value, len).unwrap();
            assert_eq!(packed.len(), len);
            assert_eq!(packed.digits(), Digits { value, len, doubtful: 0 });
            assert_eq!(PackedDigits::of_digits(packed.digits()), Some(packed));
            assert_eq!(PackedDigits::of_bits(packed.bits()), Some(packed));
            assert!(last < Some(packed));
            last = Some(packed);
        }
        for (value, len) in [(0, 0), (10, 1), (0, 17), (u64::MAX, 16)] {
            assert_eq!(PackedDigits::new(value, len), None);
        }
        for bits in [0, 0xB, 0x10, 0x1_0001, u64::MAX] {
            assert_eq!(PackedDigits::of_bits(bits), None);
        }
    }
}
