//! What estimation and reweighting need and NumPy cannot do fast enough.

mod lane_math;
mod panel;
mod square;
pub mod calibrate;
pub mod cholesky;
pub mod cpu;
pub mod design;
pub mod double;
pub mod glm;
pub mod jobs;
pub mod least_squares;
pub mod moments;
pub mod path;
pub mod products;
pub mod quantile;
pub mod random;
pub mod resample;
pub mod sandwich;
pub mod scenario;
pub mod stepwise;
pub mod student;
pub mod symmetric;
pub mod targeting;
