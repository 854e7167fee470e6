//! Names in Urdu and Roman script: folding, tokens, keys, similarity.

mod align;
mod arabic;
mod assign;
mod bound;
mod compound;
mod costs;
mod fold;
mod frequency;
mod grammar;
mod guard;
mod lexicon;
mod similarity;
mod tokens;
mod vocabulary;
mod words;

pub use costs::{CostTable, FaultyLine, Script};
pub use fold::{fold, fold_into};
pub use frequency::Frequencies;
pub use guard::GuardPairs;
pub use similarity::{Comparer, Comparison, Match};
pub use tokens::{Compound, Part, Role, Token, Tokens};
