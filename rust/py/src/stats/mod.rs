//! Estimation and reweighting: one file for each kernel.

pub mod calibrate;
pub mod scenario;
pub mod targeting;
