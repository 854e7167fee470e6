//! General string similarity: Jaro, Jaro-Winkler, Levenshtein, OSA, Damerau-Levenshtein, word and
//! q-gram ratios, on Unicode characters (code points).
//!
//! Every number equals RapidFuzz's to the bit; what RapidFuzz lacks (q-grams) is defined in
//! [`Grams`]. Bytes that are not UTF-8 count as U+FFFD. All metrics are symmetric.
//!
//! # Example
//!
//! ```
//! use nser_core::text::{Distance, Edit, Metric, Query, Room, Similarity};
//!
//! let (similarity, mut room) = (Similarity::new(Metric::JaroWinkler), Room::default());
//! assert_eq!(similarity.of(b"MARTHA", b"MARHTA", &mut room), 0.9611111111111111);
//!
//! // A text that many others are compared with is prepared once.
//! let query = Query::new("آمنہ".as_bytes());
//! let distance = Distance::new(Edit::Osa).with_cutoff(2);
//! assert_eq!(distance.of_query(&query, "امنہ".as_bytes(), &mut room), 1);
//! assert_eq!(distance.of_query(&query, b"Amina Bibi", &mut room), 3);
//! ```
//!
//! # Speed
//!
//! Patterns of up to 64 characters fit one machine word and are compared in time proportional to
//! the other text; longer ones take a word for each 64 characters. Jaro and Jaro-Winkler are linear
//! at any length, Damerau-Levenshtein is always of the order of |a| x |b|. On x86-64 with AVX2 or
//! AVX-512, ASCII pairs of up to 32 characters run sixteen at a time.

mod batch;
mod chars;
mod column;
mod damerau;
mod edit;
mod grams;
mod jaro;
#[cfg(target_arch = "x86_64")]
mod lanes;
mod masks;
mod similarity;
mod strips;
mod tokens;
pub mod top_k;

pub use batch::Side;
pub use edit::Edit;
pub use grams::{Grams, Overlap};
pub use similarity::{Distance, Metric, Query, Room, Similarity};
