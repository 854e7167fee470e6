//! Values as numbers: each distinct value of a column is known by its place of first appearance.

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
    /// Codes of numbers; `None` has none.
    pub fn of(values: impl Iterator<Item = Option<u64>>) -> Self {
        let mut table = Table::for_rows(values.size_hint().0);
        let mut seen: Vec<u64> = vec![];
        let rows = in_blocks(values, |values| {
            table.make_room(BLOCK);
            let hashes = values.each_ref().map(|value| value.map(hash_of_number));
            table.touch(&hashes);
            std::array::from_fn(|k| {
                let (Some(Some(value)), Some(Some(hash))) = (values.get(k), hashes.get(k)) else {
                    return NULL;
                };
                let (code, new) = table.code(*hash, |code| seen.get(code as usize) == Some(value));
                if new {
                    seen.push(*value);
                }
                code
            })
        });
        Self { rows, distinct: seen.len() }
    }

    /// Codes of a column of numbers, dates or booleans. NaN is no value.
    #[must_use]
    pub fn of_column(column: &Column<'_>) -> Self {
        let float = |x: f64| (!x.is_nan()).then(|| (x + 0.0).to_bits());
        Self::of((0..column.len()).map(|i| match column.value(i) {
            Value::Bool(is) => Some(is.into()),
            Value::Int(n) => Some(n as u64),
            Value::Float(x) => float(x),
            Value::Float32(x) => float(x.into()),
            Value::Str(_) | Value::Missing => None,
        }))
    }

    /// Codes of a column of texts, and the texts. An empty text is no value.
    #[must_use]
    pub fn of_texts(column: &Column<'_>) -> (Self, Texts) {
        let mut table = Table::for_rows(column.len());
        let mut texts = Texts::default();
        let values = (0..column.len()).map(|i| match column.value(i) {
            Value::Str(text) if !text.is_empty() => Some(text),
            _ => None,
        });
        let rows = in_blocks(values, |values| {
            table.make_room(BLOCK);
            let hashes = values.map(|value| value.map(hash_of_text));
            table.touch(&hashes);
            std::array::from_fn(|k| {
                let (Some(Some(text)), Some(Some(hash))) = (values.get(k), hashes.get(k)) else {
                    return NULL;
                };
                let (code, new) = table.code(*hash, |code| texts.get(code) == *text);
                if new {
                    texts.push(text);
                }
                code
            })
        });
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

/// Values looked up together.
const BLOCK: usize = 32;

/// Codes of values, [`BLOCK`] at a time.
fn in_blocks<T: Copy>(
    values: impl Iterator<Item = Option<T>>,
    mut codes: impl FnMut([Option<T>; BLOCK]) -> [u32; BLOCK],
) -> Vec<u32> {
    let mut rows = Vec::with_capacity(values.size_hint().0);
    let mut values = values.peekable();
    while values.peek().is_some() {
        let mut count = 0;
        let block = std::array::from_fn(|_| {
            let value = values.next();
            count += usize::from(value.is_some());
            value.flatten()
        });
        rows.extend(codes(block).into_iter().take(count));
    }
    rows
}

/// Codes by hash: open addressing, at most half full. A slot holds a hash above a code plus one; 0 is
/// vacant.
#[derive(Debug, Clone)]
struct Table {
    slots: Vec<u64>,
    count: usize,
}

impl Table {
    /// A table that grows for more than so many values. Slots that are never used take no memory: the
    /// system hands out zeros page by page, when they are first written.
    fn for_rows(rows: usize) -> Self {
        Self { slots: vec![0; (2 * (rows + BLOCK)).next_power_of_two()], count: 0 }
    }

    /// Room for so many more values.
    fn make_room(&mut self, more: usize) {
        if 2 * (self.count + more) <= self.slots.len() {
            return;
        }
        let longer = vec![0; 4 * self.slots.len()];
        for slot in std::mem::replace(&mut self.slots, longer) {
            if slot != 0 {
                let at = self.place((slot >> 32) as u32, |found| found == 0);
                self.slots.get_mut(at).into_iter().for_each(|to| *to = slot);
            }
        }
    }

    /// The first slot from a hash's own on for which `is` holds.
    #[inline(always)]
    fn place(&self, hash: u32, is: impl Fn(u64) -> bool) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        while !self.slots.get(at).is_none_or(|slot| is(*slot)) {
            at = (at + 1) & mask;
        }
        at
    }

    /// Fetches the slots of some hashes: side by side, memory takes no longer than for one.
    #[inline(always)]
    fn touch(&self, hashes: &[Option<u32>]) {
        let slot = |hash: u32| self.slots.get(hash as usize & (self.slots.len() - 1));
        let all = hashes.iter().flatten().filter_map(|hash| slot(*hash));
        std::hint::black_box(all.fold(0, |all, slot| all | slot));
    }

    /// The code of a value with such a hash, for which `is` holds; a new one, if there is none.
    #[inline(always)]
    fn code(&mut self, hash: u32, is: impl Fn(u32) -> bool) -> (u32, bool) {
        let same = |slot: u64| (slot >> 32) as u32 == hash && is(slot as u32 - 1);
        let at = self.place(hash, |slot| slot == 0 || same(slot));
        let next = self.count as u32;
        match self.slots.get_mut(at) {
            Some(slot) if *slot != 0 => (*slot as u32 - 1, false),
            slot => {
                slot.into_iter().for_each(|to| *to = u64::from(hash) << 32 | u64::from(next + 1));
                self.count += 1;
                (next, true)
            }
        }
    }
}

#[inline(always)]
fn mix(hash: u64, word: u64) -> u64 {
    let product = u128::from(hash.rotate_left(5) ^ word) * 0x9E37_79B9_7F4A_7C15;
    (product >> 64) as u64 ^ product as u64
}

#[inline(always)]
fn hash_of_number(number: u64) -> u32 {
    (mix(0xC2B2_AE3D_27D4_EB4F, number) >> 16) as u32
}

/// A quick hash: the data is the registry's own, and a flood of equal hashes only costs time.
#[inline(always)]
pub(crate) fn hash_of_text(text: &[u8]) -> u32 {
    let (words, rest) = text.as_chunks::<8>();
    let start = mix(0xC2B2_AE3D_27D4_EB4F, text.len() as u64);
    let hash = words.iter().fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    (mix(hash, u64::from_le_bytes(last)) >> 16) as u32
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

        let numbers = [0.0, -0.0, f64::NAN, 1.5, 0.0];
        let numbers = Column { values: Values::F64(&numbers), validity: None };
        let numbers = Codes::of_column(&numbers);
        assert_eq!(numbers.rows, [0, 0, NULL, 1, 0]);
        assert_eq!(codes.with(&numbers).rows, [0, NULL, NULL, 1, 0]);
    }

    #[test]
    fn many_values_keep_their_codes() {
        let values: Vec<Option<u64>> =
            (0..20_000).map(|k: u64| (!k.is_multiple_of(7)).then(|| k * k % 5003)).collect();
        let codes = Codes::of(values.iter().copied());
        let mut known = std::collections::BTreeMap::new();
        for (value, code) in values.iter().zip(&codes.rows) {
            let next = known.len() as u32;
            let expected = value.map_or(NULL, |value| *known.entry(value).or_insert(next));
            assert_eq!(*code, expected);
        }
        assert_eq!((codes.rows.len(), codes.distinct), (values.len(), known.len()));
    }
}
