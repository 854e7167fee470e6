//! The most similar strings of a dictionary, exactly, without scoring every pair.

mod alphabet;
mod best;
mod bound;
mod dictionary;
mod exact;
mod features;
mod group;
mod lanes;
mod planes;
mod queries;
mod search;

pub use best::Match;
pub use dictionary::{Dictionary, Draft, Part};
pub use queries::Queries;
pub use search::{STATS, Search};

/// A measure of similarity in [0, 1].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scorer {
    /// Jaro-Winkler with prefix weight 0.1.
    JaroWinkler,
    /// 1 - Levenshtein distance / length of the longer string.
    Levenshtein,
}

/// A column of strings.
pub trait Texts: Sync {
    /// Number of rows.
    fn len(&self) -> usize;

    /// True when there is no row.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string of a row, in UTF-8; `None` for a null.
    fn get(&self, row: usize) -> Option<&[u8]>;
}

impl Texts for &[Option<&[u8]>] {
    fn len(&self) -> usize {
        (**self).len()
    }

    fn get(&self, row: usize) -> Option<&[u8]> {
        (**self).get(row).copied().flatten()
    }
}
