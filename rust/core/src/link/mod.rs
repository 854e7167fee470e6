//! Which rows of one or two frames are the same person: block, compare, learn, weigh, cluster.

pub mod assign;
pub mod block;
pub mod cluster;
pub mod compare;
pub mod em;
pub mod encode;
pub mod frequency;
pub mod index;
pub mod packed;
pub mod patterns;
pub mod rank;
mod records;
mod score;
pub mod weigh;
pub mod within_one;

pub use score::{Linker, Sample, Scored, Workspace};

/// Pairs of records and their weights, in three columns of one length. Records are numbers that
/// ascend as their ids do.
#[derive(Debug, Clone, Copy)]
pub struct Pairs<'a> {
    /// One record of each pair.
    pub left: &'a [u32],
    /// The other.
    pub right: &'a [u32],
    /// Match weights: finite.
    pub weight: &'a [f64],
}

impl Pairs<'_> {
    /// The pairs in order of their rows.
    fn iter(&self) -> impl Iterator<Item = (u32, u32, f64)> {
        let records = self.left.iter().zip(self.right);
        records.zip(self.weight).map(|((&left, &right), &weight)| (left, right, weight))
    }
}
