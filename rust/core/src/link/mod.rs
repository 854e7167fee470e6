//! Which rows of one or two frames are the same person: block, compare, learn, weigh.

pub mod block;
pub mod compare;
pub mod em;
pub mod encode;
pub mod frequency;
mod packed;
pub mod patterns;
mod score;
pub mod weigh;

pub use packed::{MAX_LEN, PackedDigits};
pub use score::{Linker, Sample, Scored};
