//! Values of a categorical column to the codes of its levels.

use std::collections::HashMap;

use crate::column::{Bits, Column, Values};
use crate::levels::TextLevels;
pub use crate::levels::UNKNOWN;

/// Values spread over more than this are looked up in a hash table.
const DENSE: i128 = 1 << 20;

/// Levels of a variable.
#[derive(Debug)]
pub struct Levels(Kind);

#[derive(Debug)]
enum Kind {
    Numbers(Numbers),
    Texts(TextLevels),
}

impl Levels {
    /// Levels that are text. Of a text listed twice the first counts.
    #[must_use]
    pub fn of_texts(texts: &[String]) -> Self {
        Self(Kind::Texts(TextLevels::new(texts.iter().map(String::as_str).zip(0..))))
    }

    /// Levels that whole numbers stand for: `values[k]` is the value of level `k`. Of a value listed
    /// twice the first counts.
    #[must_use]
    pub fn of_numbers(values: &[i64]) -> Self {
        Self(Kind::Numbers(Numbers::new(values)))
    }

    /// Writes the code of each row; [`UNKNOWN`] also for nulls. False for a column of another type.
    #[must_use]
    pub fn encode(&self, column: &Column<'_>, codes: &mut [u32]) -> bool {
        match (&self.0, &column.values) {
            (_, Values::Null(_)) => codes.fill(UNKNOWN),
            (Kind::Texts(levels), Values::Str(strings)) => {
                levels.of_each(strings, 0, codes, |code, level| *code = level);
            }
            (Kind::Numbers(levels), values) if levels.encode(values, codes) => {}
            _ => return false,
        }
        if let Some(valid) = &column.validity {
            unknown_where_null(valid, codes);
        }
        true
    }
}

/// Whole numbers that stand for levels: physical codes of an Enum, integers, booleans as 0 and 1.
#[derive(Debug)]
struct Numbers {
    low: i64,
    dense: Vec<u32>,
    sparse: HashMap<i64, u32>,
}

impl Numbers {
    fn new(values: &[i64]) -> Self {
        let low = values.iter().copied().min().unwrap_or(0);
        let high = values.iter().copied().max().unwrap_or(0);
        let width = i128::from(high) - i128::from(low) + 1;
        let mut levels = Self { low, dense: vec![], sparse: HashMap::new() };
        if width <= DENSE {
            levels.dense = vec![UNKNOWN; usize::try_from(width).unwrap_or(0)];
        }
        for (&value, level) in values.iter().zip(0..) {
            if width > DENSE {
                levels.sparse.entry(value).or_insert(level);
            } else if let Some(slot) = levels.dense.get_mut(value.wrapping_sub(low) as usize)
                && *slot == UNKNOWN
            {
                *slot = level;
            }
        }
        levels
    }

    /// The code of a value, or [`UNKNOWN`].
    #[inline]
    fn code(&self, value: i64) -> u32 {
        // A value below the lowest wraps to one beyond the end.
        match self.dense.get(value.wrapping_sub(self.low) as u64 as usize) {
            Some(&code) => code,
            None if self.sparse.is_empty() => UNKNOWN,
            None => self.sparse.get(&value).copied().unwrap_or(UNKNOWN),
        }
    }

    /// Writes the code of each row. False for a column of another type.
    fn encode(&self, values: &Values<'_>, codes: &mut [u32]) -> bool {
        macro_rules! numbers {
            ($values:expr) => {
                codes.iter_mut().zip($values.iter()).for_each(|(code, &value)| {
                    *code = i64::try_from(value).map_or(UNKNOWN, |value| self.code(value));
                })
            };
        }
        match values {
            Values::I8(values) => numbers!(values),
            Values::I16(values) => numbers!(values),
            Values::I32(values) => numbers!(values),
            Values::I64(values) => numbers!(values),
            Values::U8(values) => numbers!(values),
            Values::U16(values) => numbers!(values),
            Values::U32(values) => numbers!(values),
            Values::U64(values) => numbers!(values),
            Values::Bool(bits) => codes
                .iter_mut()
                .enumerate()
                .for_each(|(row, code)| *code = self.code(bits.get(row).into())),
            _ => return false,
        }
        true
    }
}

fn unknown_where_null(valid: &Bits<'_>, codes: &mut [u32]) {
    valid.for_each_zero(|row| {
        if let Some(code) = codes.get_mut(row) {
            *code = UNKNOWN;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Strings;

    #[test]
    fn near_and_far_values_have_the_codes_of_their_levels() {
        for values in [vec![5, -3, 7], vec![i64::MIN, i64::MAX, 0], vec![]] {
            let levels = Numbers::new(&values);
            for value in [i64::MIN, -4, -3, 0, 5, 6, 7, 8, i64::MAX] {
                let expected = values.iter().position(|&v| v == value);
                assert_eq!(levels.code(value), expected.map_or(UNKNOWN, |k| k as u32));
            }
        }
    }

    #[test]
    fn nulls_and_numbers_beyond_64_bits_have_no_level() {
        let levels = Levels::of_numbers(&[1, 2]);
        let bits = Bits::new(&[0b101], 0, 3);
        let mut codes = [9; 3];
        let column = Column { values: Values::U64(&[1, 2, u64::MAX]), validity: bits };
        assert!(levels.encode(&column, &mut codes));
        assert_eq!(codes, [0, UNKNOWN, UNKNOWN]);
        let floats = Column { values: Values::F64(&[1.0]), validity: None };
        assert!(!levels.encode(&floats, &mut codes));
    }

    #[test]
    fn texts_have_the_codes_of_their_levels() {
        let levels = Levels::of_texts(&["rural".into(), "a town of many roofs".into()]);
        let text = Strings::Offsets64(&[0, 5, 25, 29, 34], b"rurala town of many roofscamprural");
        let column = Column { values: Values::Str(text), validity: Bits::new(&[0b0111], 0, 4) };
        let mut codes = [9; 4];
        assert!(levels.encode(&column, &mut codes));
        assert_eq!(codes, [0, 1, UNKNOWN, UNKNOWN]);
        assert!(
            !levels.encode(&Column { values: Values::I8(&[0; 4]), validity: None }, &mut codes)
        );
        assert!(!Levels::of_numbers(&[0]).encode(&column, &mut codes));
    }
}
