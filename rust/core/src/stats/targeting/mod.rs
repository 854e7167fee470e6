//! How well scores find the poor: every cut-off from one sorted pass, resampling by primary
//! sampling unit, concentration, rank correlation.
//!
//! Sums of weights are exact. Weights are held as whole numbers of units (see [`units`]), so a sum
//! is the same for any order of the rows and any number of threads, and "reaches the share of the
//! poor" is a comparison of whole numbers.

pub mod bootstrap;
pub mod concentration;
pub mod curve;
pub mod rank;
mod replicate;
mod sorted;
mod sweep;
mod tally;
pub mod units;

pub use bootstrap::{Bootstrap, Line, Rows, Target};
pub use curve::{Curve, Split};
