//! What estimation and reweighting need and NumPy cannot do fast enough.

pub mod calibrate;
pub mod scenario;
pub mod targeting;
