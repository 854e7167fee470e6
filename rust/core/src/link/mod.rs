//! Record linkage: which records are of one person.

pub mod packed;
pub mod within_one;
