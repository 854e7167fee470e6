//! Estimation, calibration and what-if analysis of scoring models.

pub mod scenario;
