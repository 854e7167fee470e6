//! An index of numbers: 64-bit keys in ascending order, each with a row of fixed width, in one file
//! that is read where it lies in memory. A key may have several rows: they stand together, in the
//! order in which they were given.
//!
//! Above the keys stands a tree of nodes of 16 numbers (a B+ tree without pointers): of 35 million
//! keys the levels above the last two stay in the processor's caches, whatever the keys are like.
//!
//! # Example
//!
//! ```
//! use nser_core::column::{Column, Values};
//! use nser_core::registry::keys::{KeyIndex, Table};
//!
//! let keys = Column { values: Values::U64(&[30, 10, 20, 10]), validity: None };
//! let rows = Column { values: Values::U32(&[0, 1, 2, 3]), validity: None };
//! let table = Table { keys: &keys, columns: &[rows], texts: &[], about: "" };
//! let index = KeyIndex::open(table.build()?.concat(), true)?;
//! let found: Vec<Option<u64>> = index.find(10).map(|place| index.number(place)).collect();
//! assert_eq!(found, [Some(1), Some(3)]);
//! # Ok::<(), nser_core::store::Fault>(())
//! ```

mod build;
#[cfg(test)]
mod tests;
mod tree;

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::store::Fault;
use crate::store::bytes::{TextsOf, U32s, U64s};
use crate::store::file::{self, Header as _, Section};

pub use build::Table;
use tree::{LEVELS, Tree, sizes};

/// What the file says of itself. Its sections: keys, rows, levels of the tree from the lowest up,
/// and of each dictionary where the texts end, and the texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    rows: u32,
    /// Bytes of a row.
    width: u32,
    dictionaries: u32,
    about: String,
    sections: Vec<Section>,
}

impl file::Header for Header {
    const MAGIC: [u8; 8] = *b"NSERKEY\n";
    const FORMAT: u64 = 1;

    fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn set_sections(&mut self, sections: Vec<Section>) {
        self.sections = sections;
    }
}

/// Keys and their rows, in the bytes of a file.
#[derive(Debug)]
pub struct KeyIndex<B> {
    bytes: B,
    header: Header,
    ranges: Vec<Range<usize>>,
}

impl<B: AsRef<[u8]>> KeyIndex<B> {
    /// Reads what [`Table::build`] made. The header is checked, and that all parts have the lengths
    /// that it says; with `verify`, every byte.
    ///
    /// # Errors
    ///
    /// For any other bytes. Without `verify`, bytes that changed beyond the header may go unseen:
    /// they lead to wrong answers, to nothing worse.
    pub fn open(bytes: B, verify: bool) -> Result<Self, Fault> {
        let (header, ranges) = file::read::<Header>(bytes.as_ref())?;
        if verify {
            file::verify(bytes.as_ref(), &header, &ranges)?;
        }
        let rows = header.rows as usize;
        let levels = sizes(rows).map(|n| Some(8 * n));
        let width = (header.width as usize).checked_mul(rows);
        let mut lengths: Vec<Option<usize>> = vec![rows.checked_mul(8), width];
        lengths.extend(levels);
        let parts = lengths.len() + 2 * header.dictionaries as usize;
        let fit = lengths.iter().zip(&ranges).all(|(len, range)| *len == Some(range.len()));
        if fit && ranges.len() == parts && header.sections().len() == parts {
            Ok(Self { bytes, header, ranges })
        } else {
            Err(Fault::Corrupt("the table of sections"))
        }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.header.rows as usize
    }

    /// Bytes of a row.
    pub fn width(&self) -> usize {
        self.header.width as usize
    }

    /// What the caller wanted back.
    pub fn about(&self) -> &str {
        &self.header.about
    }

    /// Where the rows of a key are; empty when it has none.
    #[inline]
    pub fn find(&self, key: u64) -> Range<usize> {
        self.tree().find(key)
    }

    /// The same for many keys: calls `each` with the number of each key, and where its rows are.
    /// Memory serves many looks at a time; keys in ascending order are faster still.
    pub fn find_all(&self, keys: &[u64], each: impl FnMut(usize, Range<usize>)) {
        self.tree().find_all(keys, each);
    }

    /// The key at a place.
    pub fn key(&self, place: usize) -> Option<u64> {
        U64s::new(self.section(0)).get(place)
    }

    /// The row at a place; empty for one there is not.
    pub fn row(&self, place: usize) -> &[u8] {
        let width = self.width();
        let range = place.checked_mul(width).and_then(|a| Some(a..a.checked_add(width)?));
        range.and_then(|range| self.section(1).get(range)).unwrap_or_default()
    }

    /// The row at a place, where rows are one number of 4 or 8 bytes.
    #[inline]
    pub fn number(&self, place: usize) -> Option<u64> {
        let bytes = self.section(1);
        match self.header.width {
            4 => U32s::new(bytes).get(place).map(u64::from),
            8 => U64s::new(bytes).get(place),
            _ => None,
        }
    }

    /// A text of a dictionary; empty for one there is not.
    pub fn text(&self, dictionary: usize, code: u32) -> &[u8] {
        let first = 2 + sizes(self.rows()).count() + 2 * dictionary;
        let texts = TextsOf { ends: U32s::new(self.section(first)), text: self.section(first + 1) };
        texts.get(code as usize)
    }

    fn section(&self, k: usize) -> &[u8] {
        let range = self.ranges.get(k).cloned().unwrap_or_default();
        self.bytes.as_ref().get(range).unwrap_or_default()
    }

    fn tree(&self) -> Tree<'_> {
        let mut levels = [U64s::default(); LEVELS];
        let count = sizes(self.rows()).count();
        for (k, level) in levels.iter_mut().take(count).enumerate() {
            *level = U64s::new(self.section(2 + count - 1 - k));
        }
        Tree::new(U64s::new(self.section(0)), levels, count)
    }
}
