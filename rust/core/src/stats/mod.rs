//! Estimation: what NumPy cannot do fast or exactly enough.
//!
//! # Numerics
//!
//! Sums over rows are taken in fixed panels of 256 rows, and panels are added in a fixed order. So
//! an answer has the same bits for any number of threads, and on any processor: every kernel uses
//! the fused multiply-add, also where the processor has none.

pub mod cholesky;
pub mod cpu;
pub mod double;
pub mod jobs;
pub mod least_squares;
pub mod moments;
pub mod random;
pub mod resample;
pub mod sandwich;
pub mod student;
