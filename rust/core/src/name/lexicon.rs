//! Small tables of words, read from their CSV files by the compiler.

/// A word of at most sixteen bytes as one number, its first byte lowest.
pub(super) type Key = u128;

/// The key of a word; `None` for a longer one.
#[inline]
pub(super) fn key(word: &[u8]) -> Option<Key> {
    let mut bytes = [0; 16];
    bytes.get_mut(..word.len())?.copy_from_slice(word);
    Some(Key::from_le_bytes(bytes))
}

/// The key of the `len` bytes that `padded` starts with; shorter words cost no more than long ones.
#[inline(always)]
pub(super) fn key_of_padded(padded: &[u8; 16], len: usize) -> Option<Key> {
    let all = Key::from_le_bytes(*padded);
    match len {
        0 => None,
        1..=15 => Some(all & ((1 << (8 * len)) - 1)),
        16 => Some(all),
        _ => None,
    }
}

/// Where a field lies in the file.
type Span = (u16, u16);

/// One row: the key of its first field, and up to two more fields.
#[derive(Clone, Copy)]
struct Row {
    key: Key,
    fields: [Span; 3],
}

/// A table of `N` words with `S` slots (a power of two, at least twice `N`), open addressing.
pub(super) struct Lexicon<const N: usize, const S: usize> {
    csv: &'static [u8],
    rows: [Row; N],
    slots: [u16; S],
}

const VACANT: u16 = u16::MAX;

const fn slot<const S: usize>(key: Key) -> usize {
    let mixed = (key as u64) ^ ((key >> 64) as u64).rotate_left(29);
    (mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - S.trailing_zeros())) as usize
}

/// Rows of a file, its header and comments aside: the `N` of its [`Lexicon`].
#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
pub(super) const fn count(csv: &[u8]) -> usize {
    let (mut rows, mut at, mut start) = (0, 0, 0);
    while at < csv.len() {
        if csv[at] == b'\n' {
            rows += (csv[start] != b'#') as usize;
            start = at + 1;
        }
        at += 1;
    }
    rows - 1
}

impl<const N: usize, const S: usize> Lexicon<N, S> {
    /// Reads `word,field,field` lines after comment lines and a header.
    #[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
    pub(super) const fn new(csv: &'static [u8]) -> Self {
        let mut rows = [Row { key: 0, fields: [(0, 0); 3] }; N];
        let mut slots = [VACANT; S];
        let (mut at, mut next, mut header) = (0, 0, true);
        while at < csv.len() {
            let comment = csv[at] == b'#';
            let mut row = Row { key: 0, fields: [(0, 0); 3] };
            let (mut field, mut start) = (0, at);
            while csv[at] != b'\n' {
                if csv[at] == b',' && !comment {
                    row.fields[field] = (start as u16, at as u16);
                    field += 1;
                    start = at + 1;
                } else if field == 0 && !comment && !header {
                    row.key |= (csv[at] as Key) << (8 * (at - start));
                }
                at += 1;
            }
            if !comment {
                row.fields[field] = (start as u16, at as u16);
                if !header {
                    rows[next] = row;
                    let mut k = slot::<S>(row.key);
                    while slots[k] != VACANT {
                        k = (k + 1) % S;
                    }
                    slots[k] = next as u16;
                    next += 1;
                }
                header = false;
            }
            at += 1;
        }
        Self { csv, rows, slots }
    }

    /// Row of a word.
    #[inline(always)]
    pub(super) fn find(&self, key: Key) -> Option<u16> {
        let mut k = slot::<S>(key);
        loop {
            let row = *self.slots.get(k)?;
            if self.rows.get(row as usize)?.key == key {
                return Some(row);
            }
            k = (k + 1) % S;
        }
    }

    /// Field `k` of a row, the word itself being field 0.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "k is below 3; the compiler stops at another")]
    pub(super) const fn field(&self, row: u16, k: usize) -> &'static [u8] {
        if (row as usize) < N {
            let (start, end) = self.rows[row as usize].fields[k];
            self.csv.split_at(end as usize).0.split_at(start as usize).1
        } else {
            &[]
        }
    }
}
