//! Borrowed, typed views of a column: what every kernel reads.
//!
//! A column is read in its own width. Nothing here copies the data; out-of-range reads give a
//! null or an empty string, never a panic.

/// Packed bits, least significant first, as in Arrow validity and boolean buffers.
#[derive(Debug, Clone, Copy)]
pub struct Bits<'a> {
    bytes: &'a [u8],
    offset: usize,
    len: usize,
}

impl<'a> Bits<'a> {
    /// `len` bits of `bytes`, starting at bit `offset`; `None` when `bytes` is too short.
    #[must_use]
    pub fn new(bytes: &'a [u8], offset: usize, len: usize) -> Option<Self> {
        (offset.checked_add(len)? <= bytes.len().checked_mul(8)?).then_some(Self {
            bytes,
            offset,
            len,
        })
    }

    /// Bit `i`; false beyond the end.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> bool {
        let k = self.offset + i;
        i < self.len && self.bytes.get(k >> 3).is_some_and(|b| (b >> (k & 7)) & 1 == 1)
    }

    /// Bits `start .. start + len`, cut to what there is.
    #[must_use]
    pub fn slice(&self, start: usize, len: usize) -> Self {
        let start = start.min(self.len);
        Self { bytes: self.bytes, offset: self.offset + start, len: len.min(self.len - start) }
    }

    /// Number of bits.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when there is no bit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// 64 bits from bit `i` on; bits beyond the end are zero.
    #[inline]
    fn word(&self, i: usize) -> u64 {
        let k = self.offset + i;
        let tail = self.bytes.get(k >> 3..).unwrap_or(&[]);
        let bytes = tail.first_chunk::<16>().copied().unwrap_or_else(|| {
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(tail).for_each(|(to, from)| *to = *from);
            bytes
        });
        let word = (u128::from_le_bytes(bytes) >> (k & 7)) as u64;
        let left = self.len.saturating_sub(i);
        if left >= 64 { word } else { word & ((1 << left) - 1) }
    }

    /// True when every bit is one.
    #[must_use]
    #[inline]
    pub fn all(&self) -> bool {
        let mut all = true;
        self.for_each_zero(|_| all = false);
        all
    }

    /// Calls `f(i)` for each zero bit, in order.
    #[inline]
    pub fn for_each_zero(&self, mut f: impl FnMut(usize)) {
        let mut start = 0;
        while start < self.len {
            let width = (self.len - start).min(64);
            let full = if width == 64 { u64::MAX } else { (1 << width) - 1 };
            let mut zeros = !self.word(start) & full;
            while zeros != 0 {
                f(start + zeros.trailing_zeros() as usize);
                zeros &= zeros - 1;
            }
            start += width;
        }
    }

    /// Writes one byte (0 or 1) per bit.
    #[inline]
    pub fn unpack(&self, out: &mut [u8]) {
        for (block, start) in out.chunks_mut(64).zip((0..).step_by(64)) {
            let word = self.word(start);
            for (bit, to) in block.iter_mut().enumerate() {
                *to = (word >> bit) as u8 & 1;
            }
        }
    }
}

/// Text in one of the three Arrow layouts. Bytes are taken as they are: not checked for UTF-8.
#[derive(Debug, Clone)]
pub enum Strings<'a> {
    /// String views: 16 bytes a value, up to 12 bytes inline.
    View {
        /// The views: length, then the text or its prefix, buffer and offset.
        views: &'a [[u8; 16]],
        /// Buffers of the long values.
        buffers: Vec<&'a [u8]>,
    },
    /// 32-bit offsets into one buffer.
    Offsets32(&'a [i32], &'a [u8]),
    /// 64-bit offsets into one buffer.
    Offsets64(&'a [i64], &'a [u8]),
}

impl<'a> Strings<'a> {
    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::View { views, .. } => views.len(),
            Self::Offsets32(offsets, _) => offsets.len().saturating_sub(1),
            Self::Offsets64(offsets, _) => offsets.len().saturating_sub(1),
        }
    }

    /// True when there is no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of value `i`; empty beyond the end.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> &[u8] {
        let found = match self {
            Self::View { views, buffers } => views.get(i).and_then(|v| view_bytes(v, buffers)),
            Self::Offsets32(offsets, data) => window(offsets, i, data, |o| usize::try_from(o).ok()),
            Self::Offsets64(offsets, data) => window(offsets, i, data, |o| usize::try_from(o).ok()),
        };
        found.unwrap_or(&[])
    }

    fn slice(&self, start: usize, len: usize) -> Self {
        match self {
            Self::View { views, buffers } => {
                Self::View { views: cut(views, start, len), buffers: buffers.clone() }
            }
            Self::Offsets32(offsets, data) => Self::Offsets32(cut(offsets, start, len + 1), data),
            Self::Offsets64(offsets, data) => Self::Offsets64(cut(offsets, start, len + 1), data),
        }
    }
}

fn view_bytes<'b>(view: &'b [u8; 16], buffers: &[&'b [u8]]) -> Option<&'b [u8]> {
    let [a, b, c, d, inline @ ..] = view;
    let len = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
    if len <= 12 {
        return inline.get(..len);
    }
    let [_, _, _, _, location @ ..] = inline;
    let location = u64::from_le_bytes(*location);
    let (buffer, offset) = (location as u32 as usize, (location >> 32) as usize);
    buffers.get(buffer)?.get(offset..offset.checked_add(len)?)
}

fn window<'b, T: Copy>(
    offsets: &[T],
    i: usize,
    data: &'b [u8],
    to: impl Fn(T) -> Option<usize>,
) -> Option<&'b [u8]> {
    data.get(to(*offsets.get(i)?)?..to(*offsets.get(i + 1)?)?)
}

fn cut<T>(values: &[T], start: usize, len: usize) -> &[T] {
    let start = start.min(values.len());
    values.get(start..start.saturating_add(len).min(values.len())).unwrap_or(&[])
}

/// Dictionary codes in their own width.
#[derive(Debug, Clone, Copy)]
pub enum Codes<'a> {
    /// Up to 256 values.
    U8(&'a [u8]),
    /// Up to 65,536 values.
    U16(&'a [u16]),
    /// More.
    U32(&'a [u32]),
}

impl Codes<'_> {
    /// Code `i`.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize) -> Option<usize> {
        match self {
            Self::U8(c) => c.get(i).map(|&c| c.into()),
            Self::U16(c) => c.get(i).map(|&c| c.into()),
            Self::U32(c) => c.get(i).map(|&c| c as usize),
        }
    }
}

/// Values of a column. The variant names are the types.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Values<'a> {
    Null(usize),
    Bool(Bits<'a>),
    I8(&'a [i8]),
    I16(&'a [i16]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    U16(&'a [u16]),
    U32(&'a [u32]),
    U64(&'a [u64]),
    F32(&'a [f32]),
    F64(&'a [f64]),
    /// Unscaled values and the number of decimals (0 for a 128-bit integer).
    Decimal(&'a [i128], u8),
    Str(Strings<'a>),
    Dict(Codes<'a>, Strings<'a>),
}

/// Dispatches over the numeric variants of [`Values`].
macro_rules! for_numbers {
    ($values:expr, $v:ident => $body:expr, else $other:expr) => {
        match $values {
            Values::I8($v) => $body,
            Values::I16($v) => $body,
            Values::I32($v) => $body,
            Values::I64($v) => $body,
            Values::U8($v) => $body,
            Values::U16($v) => $body,
            Values::U32($v) => $body,
            Values::U64($v) => $body,
            Values::F32($v) => $body,
            Values::F64($v) => $body,
            _ => $other,
        }
    };
}

/// What a column is, as far as a model cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Every value is null.
    Null,
    /// Boolean.
    Boolean,
    /// Any integer width.
    Integer,
    /// Floating point or decimal.
    Number,
    /// Text, enumerated or categorical.
    Text,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Null, Self::Boolean, Self::Integer, Self::Number, Self::Text];
}

/// One value of a column, or one answer of a household.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    /// Null.
    Missing,
    /// Boolean.
    Bool(bool),
    /// Integer.
    Int(i64),
    /// Number; NaN counts as missing.
    Float(f64),
    /// Single-precision number: compared with edges rounded to its own width.
    Float32(f32),
    /// Text.
    Str(&'a [u8]),
}

/// A column of one piece of a frame.
#[derive(Debug, Clone)]
pub struct Column<'a> {
    /// The values; under a null they mean nothing.
    pub values: Values<'a>,
    /// Zero bits are nulls; `None` when there are none.
    pub validity: Option<Bits<'a>>,
}

impl<'a> Column<'a> {
    /// A column of `len` nulls.
    #[must_use]
    pub fn null(len: usize) -> Self {
        Self { values: Values::Null(len), validity: None }
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        for_numbers!(&self.values, v => v.len(), else match &self.values {
            Values::Bool(bits) => bits.len(),
            Values::Decimal(v, _) => v.len(),
            Values::Str(s) => s.len(),
            Values::Dict(Codes::U8(c), _) => c.len(),
            Values::Dict(Codes::U16(c), _) => c.len(),
            Values::Dict(Codes::U32(c), _) => c.len(),
            Values::Null(n) => *n,
            _ => 0,
        })
    }

    /// True when there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the column is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self.values {
            Values::Null(_) => Kind::Null,
            Values::Bool(_) => Kind::Boolean,
            Values::F32(_) | Values::F64(_) => Kind::Number,
            Values::Decimal(_, scale) if scale > 0 => Kind::Number,
            Values::Str(_) | Values::Dict(..) => Kind::Text,
            _ => Kind::Integer,
        }
    }

    /// Rows `start .. start + len`.
    #[must_use]
    pub fn slice(&self, start: usize, len: usize) -> Self {
        let values = match &self.values {
            Values::Null(n) => Values::Null(len.min(n.saturating_sub(start))),
            Values::Bool(bits) => Values::Bool(bits.slice(start, len)),
            Values::I8(v) => Values::I8(cut(v, start, len)),
            Values::I16(v) => Values::I16(cut(v, start, len)),
            Values::I32(v) => Values::I32(cut(v, start, len)),
            Values::I64(v) => Values::I64(cut(v, start, len)),
            Values::U8(v) => Values::U8(cut(v, start, len)),
            Values::U16(v) => Values::U16(cut(v, start, len)),
            Values::U32(v) => Values::U32(cut(v, start, len)),
            Values::U64(v) => Values::U64(cut(v, start, len)),
            Values::F32(v) => Values::F32(cut(v, start, len)),
            Values::F64(v) => Values::F64(cut(v, start, len)),
            Values::Decimal(v, scale) => Values::Decimal(cut(v, start, len), *scale),
            Values::Str(s) => Values::Str(s.slice(start, len)),
            Values::Dict(codes, strings) => {
                let codes = match codes {
                    Codes::U8(c) => Codes::U8(cut(c, start, len)),
                    Codes::U16(c) => Codes::U16(cut(c, start, len)),
                    Codes::U32(c) => Codes::U32(cut(c, start, len)),
                };
                Values::Dict(codes, strings.clone())
            }
        };
        Self { values, validity: self.validity.map(|bits| bits.slice(start, len)) }
    }

    /// Value of row `i`.
    #[must_use]
    pub fn value(&self, i: usize) -> Value<'_> {
        if self.validity.is_some_and(|bits| !bits.get(i)) {
            return Value::Missing;
        }
        let found = match &self.values {
            Values::Null(_) => None,
            Values::Bool(bits) => Some(Value::Bool(bits.get(i))),
            Values::I8(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::I16(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::I32(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::I64(v) => v.get(i).map(|&x| Value::Int(x)),
            Values::U8(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::U16(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::U32(v) => v.get(i).map(|&x| Value::Int(x.into())),
            Values::U64(v) => {
                v.get(i).map(|&x| i64::try_from(x).map_or(Value::Float(x as f64), Value::Int))
            }
            Values::F32(v) => v.get(i).map(|&x| Value::Float32(x)),
            Values::F64(v) => v.get(i).map(|&x| Value::Float(x)),
            Values::Decimal(v, scale) => v.get(i).map(|&x| Value::Float(decimal(x, *scale))),
            Values::Str(s) => (i < s.len()).then(|| Value::Str(s.get(i))),
            Values::Dict(codes, s) => codes.get(i).map(|code| Value::Str(s.get(code))),
        };
        found.unwrap_or(Value::Missing)
    }

    /// Value of row `i` of a call: a column of one value counts for all rows.
    #[must_use]
    #[inline]
    pub fn value_for(&self, i: usize) -> Value<'_> {
        self.value(if self.len() == 1 { 0 } else { i })
    }

    /// Rows `start ..` as `f64`, into `buffer` unless they are `f64` already.
    #[inline(always)]
    #[expect(clippy::unnecessary_cast, reason = "one macro for every width")]
    pub(crate) fn numbers<'b>(&'b self, start: usize, buffer: &'b mut [f64]) -> &'b [f64] {
        let n = buffer.len();
        if let Values::F64(v) = &self.values {
            return cut(v, start, n);
        }
        for_numbers!(&self.values, v => {
            for (to, &from) in buffer.iter_mut().zip(cut(v, start, n)) {
                *to = from as f64;
            }
        }, else match &self.values {
            Values::Decimal(v, scale) => {
                for (to, &from) in buffer.iter_mut().zip(cut(v, start, n)) {
                    *to = decimal(from, *scale);
                }
            }
            Values::Bool(bits) => {
                for (i, to) in buffer.iter_mut().enumerate() {
                    *to = f64::from(u8::from(bits.get(start + i)));
                }
            }
            _ => buffer.fill(f64::NAN),
        });
        buffer
    }
}

/// `unscaled / 10^scale`, the division Polars makes when it casts a decimal to a float.
#[inline]
fn decimal(unscaled: i128, scale: u8) -> f64 {
    if scale == 0 { unscaled as f64 } else { unscaled as f64 / 10f64.powi(i32::from(scale)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_read_across_bytes_and_never_beyond_the_end() {
        let bytes: Vec<u8> = (0..40).map(|i| (i * 37 + 11) as u8).collect();
        for offset in [0, 1, 7, 8, 13] {
            for len in [0, 1, 63, 64, 65, 200] {
                let bits = Bits::new(&bytes, offset, len).unwrap();
                let naive: Vec<bool> = (0..len)
                    .map(|i| (bytes[(offset + i) / 8] >> ((offset + i) % 8)) & 1 == 1)
                    .collect();
                let mut zeros = vec![];
                bits.for_each_zero(|i| zeros.push(i));
                let expected: Vec<usize> = (0..len).filter(|&i| !naive[i]).collect();
                assert_eq!(zeros, expected);
                let mut unpacked = vec![9u8; len];
                bits.unpack(&mut unpacked);
                assert!(unpacked.iter().zip(&naive).all(|(&u, &n)| (u == 1) == n));
                assert!(!bits.get(len) && (0..len).all(|i| bits.get(i) == naive[i]));
            }
        }
        assert!(Bits::new(&bytes, 1, 320).is_none());
    }

    #[test]
    fn strings_give_the_same_bytes_in_every_layout() {
        let texts: [&[u8]; 4] = [b"", b"Sindh", b"Balochistan!", b"Khyber Pakhtunkhwa"];
        let data = texts.concat();
        let mut ends = vec![0i32];
        let mut views = vec![];
        for text in texts {
            let start = *ends.last().unwrap();
            ends.push(start + text.len() as i32);
            let mut raw = [0u8; 16];
            raw[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
            if text.len() <= 12 {
                raw[4..4 + text.len()].copy_from_slice(text);
            } else {
                raw[4..8].copy_from_slice(&text[..4]);
                raw[12..].copy_from_slice(&(start as u32).to_le_bytes());
            }
            views.push(raw);
        }
        let wide: Vec<i64> = ends.iter().map(|&e| e.into()).collect();
        let view = Strings::View { views: &views, buffers: vec![&data] };
        for strings in [view, Strings::Offsets32(&ends, &data), Strings::Offsets64(&wide, &data)] {
            assert_eq!(strings.len(), 4);
            assert!((0..4).all(|i| strings.get(i) == texts[i]));
            assert_eq!(strings.get(4), b"");
            assert_eq!(strings.slice(2, 2).get(1), texts[3]);
        }
    }
}
