//! What estimation and reweighting need and NumPy cannot do fast enough.

pub mod calibrate;
pub mod cholesky;
pub mod cpu;
pub mod design;
pub mod double;
mod float_sum;
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
pub mod scenario;
mod square;
pub mod stepwise;
pub mod student;
pub mod symmetric;
pub mod targeting;
