//! The most similar strings of a dictionary, exactly, without scoring every pair.
//!
//! A [`Dictionary`] is prepared once, then asked by a [`Search`]: the `k` best rows for each query,
//! the same as after scoring all pairs, on any [`Isa`](crate::isa::Isa).
//!
//! # How
//!
//! Let a query have `n` characters and a string `m`, `c` of them in common in any order. Both
//! measures are bounded from above by a function of `n`, `m`, `c` and the length of the common
//! prefix. So, turned round, a similarity that would still change the answer needs some number of
//! characters in common, and most strings do not have it.
//!
//! * Equal strings are held once, with their rows.
//! * Strings are held by length, and sorted by their first characters: all strings of a range have
//!   the same `m` and the same most of a prefix, so one number of characters that they need.
//! * `c` is counted for 512 strings at a time, by bits: see `planes`. Characters are counted by
//!   class, of which frequent characters have one each. Classes can only add to `c`.
//! * What is left is scored exactly, on symbols that stand for characters one to one.
//! * Strings that begin like the query come first, and lengths near its own. They raise the
//!   similarity of the `k`-th best, below which nothing matters any more.
//! * Queries go in batches, so that a part of the dictionary is fetched once for all of them.
//!
//! # Complexity
//!
//! A query of `n` characters takes about `n / 100` instructions a string with 512-bit registers, and
//! scores far less than 1 % of realistic names. At worst (a cutoff of 0 with `k` as large as the
//! dictionary) every distinct string is scored. A distinct string takes about 30 bytes, and one for
//! each character (four when the dictionary has more than 255 different ones).
//!
//! # Examples
//!
//! ```
//! use nser_core::isa::Isa;
//! use nser_core::text::top_k::{Dictionary, Match, Scorer, Search};
//!
//! let names = [Some(&b"Ahmed Raza"[..]), None, Some("محمد علی".as_bytes())];
//! let dictionary = Dictionary::new(&&names[..]);
//! let search = Search { scorer: Scorer::Levenshtein, k: 1, cutoff: 0.5, isa: Isa::best() };
//! let found = search.run(&dictionary, &[b"Ahmad Raza"], || Ok::<(), ()>(())).unwrap();
//! assert_eq!(found, [[Match { row: 0, score: 0.9 }]]);
//! ```

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
pub use search::Search;

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
