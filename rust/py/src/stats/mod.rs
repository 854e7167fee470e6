//! Estimation and reweighting: one file for each kernel.

pub mod calibrate;
pub mod targeting;
