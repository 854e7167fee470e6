//! Names in Urdu and Roman script: folding, tokens, keys, similarity.
//!
//! Everything starts from the match form ([`fold_into`]) and its tokens ([`Tokens`]): both scripts,
//! every keyboard and every way to write Abdul Rehman come to one form there.
//!
//! ```
//! use nser_core::name::{KeyTokens, Tokens, fold, key, romanize};
//!
//! assert_eq!(fold("محمّد آصف".as_bytes()), "محمد اصف");
//! let mut tokens = Tokens::default();
//! tokens.read("محمد آصف خان".as_bytes());
//! assert_eq!(romanize(&tokens), "Muhammad Asif Khan");
//! let urdu = key(&tokens, KeyTokens::All);
//! tokens.read(b"Mohd. Aasif");
//! assert_eq!(key(&tokens, KeyTokens::All), urdu);
//! ```

mod align;
mod arabic;
mod assign;
mod bound;
mod ceiling;
mod classes;
mod compound;
mod costs;
mod dictionary;
mod evidence;
mod fold;
mod frequency;
mod grammar;
mod guard;
mod item;
mod key;
mod letters;
mod lexicon;
mod likeness;
mod matcher;
mod memo;
mod reader;
mod romanize;
mod shortcuts;
mod similarity;
mod sounds;
mod spelling;
mod tokens;
mod vocabulary;
mod words;

pub use costs::{CostTable, FaultyLine, Script};
pub use dictionary::{NameDictionary, PreparedComparer};
pub use fold::{fold, fold_into};
pub use frequency::Frequencies;
pub use guard::GuardPairs;
pub use key::{Key, KeyTokens, key};
pub use romanize::{romanize, romanize_into};
pub use similarity::{Comparer, Comparison, Match};
pub use tokens::{Compound, LABELS, Part, Role, Token, Tokens};
