//! Estimation, calibration and what-if analysis: one file for each kernel.

pub mod scenario;
