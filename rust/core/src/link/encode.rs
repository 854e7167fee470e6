//! Values as numbers: each distinct value of a column is known by its place of first appearance.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

use crate::column::{Column, Strings, Value};

/// The code of a row without a value.
pub const NULL: u32 = u32::MAX;

/// A column of codes, below `distinct`, or [`NULL`].
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// A code for each row.
    pub rows: Vec<u32>,
    /// Number of distinct values.
    pub distinct: usize,
}

impl Codes {
    /// Codes of values; `None` has none.
    pub fn of<K: Eq + Hash>(values: impl Iterator<Item = Option<K>>) -> Self {
        let mut seen = Seen::<K>::default();
        let rows = values.map(|value| value.map_or(NULL, |value| code(&mut seen, value).0));
        let rows = rows.collect();
        Self { rows, distinct: seen.len() }
    }

    /// Codes of a column of any type. An empty text is no value, nor is NaN.
    #[must_use]
    pub fn of_column(column: &Column<'_>) -> Self {
        Self::of((0..column.len()).map(|i| Key::of(column.value(i))))
    }

    /// Codes of a column of texts, and the texts. An empty text is no value.
    #[must_use]
    pub fn of_texts(column: &Column<'_>) -> (Self, Texts) {
        let mut seen = Seen::default();
        let mut texts = Texts::default();
        let rows = (0..column.len()).map(|i| match column.value(i) {
            Value::Str(text) if !text.is_empty() => {
                let (code, new) = code(&mut seen, text);
                if new {
                    texts.push(text);
                }
                code
            }
            _ => NULL,
        });
        let rows = rows.collect();
        (Self { rows, distinct: texts.len() }, texts)
    }

    /// Codes that hold two columns at once; no value where one has none.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        Self::of(self.rows.iter().zip(&other.rows).map(|(a, b)| {
            let both = *a != NULL && *b != NULL;
            both.then(|| u64::from(*a) << 32 | u64::from(*b))
        }))
    }

    /// Rows of each value.
    #[must_use]
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.distinct];
        for code in &self.rows {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        counts
    }
}

/// A value that can be told from others.
#[derive(PartialEq, Eq, Hash)]
enum Key<'a> {
    Bits(u64),
    Text(&'a [u8]),
}

impl<'a> Key<'a> {
    fn of(value: Value<'a>) -> Option<Self> {
        let float = |x: f64| (!x.is_nan()).then(|| Self::Bits((x + 0.0).to_bits()));
        match value {
            Value::Bool(is) => Some(Self::Bits(is.into())),
            Value::Int(n) => Some(Self::Bits(n as u64)),
            Value::Float(x) => float(x),
            Value::Float32(x) => float(x.into()),
            Value::Str(text) => (!text.is_empty()).then_some(Self::Text(text)),
            Value::Missing => None,
        }
    }
}

/// Distinct texts, one after the other.
#[derive(Debug, Clone)]
pub struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i64>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { bytes: vec![], ends: vec![0] }
    }
}

impl Texts {
    /// Number of texts.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// True when there is no text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The text of a code; empty for a code there is not.
    #[must_use]
    pub fn get(&self, code: u32) -> &[u8] {
        let end = |i: usize| self.ends.get(i).map_or(0, |end| *end as usize);
        self.bytes.get(end(code as usize)..end(code as usize + 1)).unwrap_or_default()
    }

    /// The texts as a column that string kernels read.
    #[must_use]
    pub fn strings(&self) -> Strings<'_> {
        Strings::Offsets64(&self.ends, &self.bytes)
    }

    fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.ends.push(self.bytes.len() as i64);
    }
}

/// Values and their codes. Nothing depends on the order in which the map holds them.
type Seen<K> = HashMap<K, u32, BuildHasherDefault<Mix>>;

/// The code of a value, and whether it is new.
#[inline]
fn code<K: Eq + Hash>(seen: &mut Seen<K>, value: K) -> (u32, bool) {
    let next = seen.len() as u32;
    let code = *seen.entry(value).or_insert(next);
    (code, code == next)
}

/// A quick hash: the data is the registry's own, and a flood of equal hashes only costs time.
#[derive(Default)]
struct Mix(u64);

impl Hasher for Mix {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.write_u64(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        self.write_u64(u64::from_le_bytes(last));
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0.rotate_left(5) ^ word) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product >> 64) as u64 ^ product as u64;
    }

    #[inline]
    fn write_u32(&mut self, word: u32) {
        self.write_u64(word.into());
    }

    #[inline]
    fn write_usize(&mut self, word: usize) {
        self.write_u64(word as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::Values;

    #[test]
    fn equal_values_have_equal_codes_in_order_of_appearance() {
        let ends = [0i64, 3, 3, 6, 12, 15];
        let strings = Strings::Offsets64(&ends, b"AliAmnAbdulAAli");
        let column = Column { values: Values::Str(strings), validity: None };
        let (codes, texts) = Codes::of_texts(&column);
        assert_eq!(codes.rows, [0, NULL, 1, 2, 0]);
        assert_eq!(codes.counts(), [2, 1, 1]);
        assert_eq!((texts.len(), texts.get(2), texts.get(3)), (3, &b"AbdulA"[..], &b""[..]));
        assert_eq!(Codes::of_column(&column).rows, codes.rows);

        let numbers = [0.0, -0.0, f64::NAN, 1.5, 0.0];
        let numbers = Column { values: Values::F64(&numbers), validity: None };
        let numbers = Codes::of_column(&numbers);
        assert_eq!(numbers.rows, [0, 0, NULL, 1, 0]);
        assert_eq!(codes.with(&numbers).rows, [0, NULL, NULL, 1, 0]);
    }
}
