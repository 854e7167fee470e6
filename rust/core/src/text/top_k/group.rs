//! The strings of one length.

use std::cmp::Ordering;
use std::ops::Range;

use super::alphabet::{CLASSES, Symbol, class};
use super::features::{FeatureSet, Layout};
use super::planes::Planes;

/// Characters that make the prefix of a string.
pub(super) const PREFIX: usize = 4;

/// Bits of a class in a prefix.
const BITS: usize = 6;

/// Distinct strings of one length, sorted by prefix.
#[derive(Debug, Clone)]
pub(super) struct Group<S> {
    /// Their length in characters.
    pub length: usize,
    symbols: Vec<S>,
    prefixes: Vec<u32>,
    /// Where the strings begin whose first character is of each class.
    starts: Vec<usize>,
    /// The rows of the first string, then those of the next.
    rows: Vec<u32>,
    row_ends: Vec<u32>,
    pub planes: Planes,
    /// Features that some string has.
    pub present: FeatureSet,
}

/// Rows whose strings are all of one length, in ascending order.
#[derive(Debug)]
pub(super) struct Given<S> {
    /// The length in characters.
    pub length: usize,
    pub rows: Vec<u32>,
    /// The strings, one after the other.
    pub symbols: Vec<S>,
}

/// The classes of the first characters, six bits each, the first in the highest.
pub(super) fn prefix<S: Symbol>(text: &[S]) -> u32 {
    (0..PREFIX).fold(0, |all, i| {
        all << BITS | text.get(i).map_or(0, |&symbol| u32::from(class(symbol.into())))
    })
}

/// Sorts strings by prefix, equal strings side by side: most often, for it ends in a hash.
fn order<S: Symbol>(text: &[S]) -> u64 {
    let hash = text.iter().fold(0u64, |hash, &symbol| {
        (hash.rotate_left(5) ^ u64::from(symbol.into())).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    });
    u64::from(prefix(text)) << 40 | hash >> 24
}

impl<S: Symbol> Group<S> {
    /// Prepares strings.
    pub fn new(layout: &Layout, given: &Given<S>) -> Self {
        let Given { length, rows, symbols: given } = given;
        let length = *length;
        let text = |n: usize| cut(given, length, n);
        let mut sorted: Vec<(u64, u32, u32)> =
            rows.iter().zip(0..).map(|(&row, n)| (order(text(n as usize)), row, n)).collect();
        sorted.sort_unstable();
        let mut symbols: Vec<S> = Vec::with_capacity(given.len());
        let mut prefixes = Vec::with_capacity(sorted.len());
        let (mut rows, mut row_ends) = (Vec::with_capacity(sorted.len()), vec![0]);
        let mut last = None;
        for (order, row, n) in sorted {
            let text = text(n as usize);
            let end = symbols.len();
            if last != Some(order) || symbols.get(end - length..) != Some(text) {
                if last.is_some() {
                    row_ends.push(rows.len() as u32);
                }
                symbols.extend_from_slice(text);
                prefixes.push((order >> 40) as u32);
            }
            rows.push(row);
            last = Some(order);
        }
        row_ends.push(rows.len() as u32);
        let mut present = FeatureSet::default();
        let each = (0..prefixes.len()).map(|i| cut(&symbols, length, i));
        let planes = Planes::new(layout, each, &mut present);
        let starts = starts(&prefixes);
        Self { length, symbols, prefixes, starts, rows, row_ends, planes, present }
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.prefixes.len()
    }

    /// A string.
    #[inline]
    pub fn get(&self, i: usize) -> &[S] {
        cut(&self.symbols, self.length, i)
    }

    /// The rows that have a string, in ascending order.
    #[inline]
    pub fn rows(&self, i: usize) -> &[u32] {
        let ends = self.row_ends.get(i).zip(self.row_ends.get(i + 1));
        ends.and_then(|(&a, &b)| self.rows.get(a as usize..b as usize)).unwrap_or(&[])
    }

    /// The strings whose first character is of the same class as that of a prefix.
    pub fn begin_alike(&self, prefix: u32) -> Range<usize> {
        let class = (prefix >> (BITS * (PREFIX - 1))) as usize;
        let start = |class: usize| self.starts.get(class).copied().unwrap_or(self.len());
        start(class)..start(class + 1)
    }

    /// The strings of such a range whose first `length` classes are those of the prefix.
    pub fn narrow(&self, range: Range<usize>, prefix: u32, length: usize) -> Range<usize> {
        let shift = BITS * PREFIX.saturating_sub(length);
        let prefixes = self.prefixes.get(range.clone()).unwrap_or(&[]);
        let order = |other: &u32| (other >> shift).cmp(&(prefix >> shift));
        let start = prefixes.partition_point(|p| order(p) == Ordering::Less);
        let end = prefixes.partition_point(|p| order(p) != Ordering::Greater);
        range.start + start..range.start + end
    }
}

/// String `n` of strings that are all `length` long.
#[inline]
fn cut<S>(symbols: &[S], length: usize, n: usize) -> &[S] {
    symbols.get(n * length..(n + 1) * length).unwrap_or(&[])
}

/// Where each first class begins in sorted prefixes.
fn starts(prefixes: &[u32]) -> Vec<usize> {
    let class = |prefix: &u32| (prefix >> (BITS * (PREFIX - 1))) as usize;
    (0..=CLASSES).map(|c| prefixes.partition_point(|prefix| class(prefix) < c)).collect()
}
