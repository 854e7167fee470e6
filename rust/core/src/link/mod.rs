//! Which rows of one or two frames are the same person: block, compare, learn, weigh.

pub mod block;
pub mod compare;
pub mod em;
pub mod encode;
pub mod frequency;
pub mod packed;
pub mod patterns;
mod score;
pub mod weigh;
pub mod within_one;

pub use score::{Linker, Sample, Scored};
