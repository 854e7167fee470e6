//! Estimation: one file for each kernel of `nser_core::stats`.

mod jobs;
mod moments;
mod replicates;

pub use moments::{Moments, Scores, robust_meat, sandwich_variance, student_limit, student_p};
pub use replicates::{bootstrap, cross_validate, jackknife};
