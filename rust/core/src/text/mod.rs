//! General string similarity.

pub mod top_k;
