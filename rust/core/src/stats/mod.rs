//! Estimation: what NumPy cannot do fast or exactly enough.
//!
//! # Numerics
//!
//! Sums over rows are taken in fixed panels of 256 rows, and panels are added in a fixed order. So
//! an answer has the same bits for any number of threads, and on any processor: every kernel uses
//! the fused multiply-add, also where the processor has none.

pub mod cholesky;
pub mod cpu;
pub mod design;
pub mod double;
pub mod glm;
pub mod jobs;
mod lane_math;
pub mod least_squares;
pub mod moments;
mod panel;
pub mod path;
pub mod products;
pub mod quantile;
pub mod random;
pub mod resample;
pub mod sandwich;
mod square;
pub mod stepwise;
pub mod student;
pub mod symmetric;
