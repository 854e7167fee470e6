//! Names in Urdu and Roman script: folding, tokens, keys, similarity.

mod arabic;
mod compound;
mod fold;
mod grammar;
mod lexicon;
mod tokens;
mod words;

pub use fold::{fold, fold_into};
pub use tokens::{Compound, Part, Role, Token, Tokens};
