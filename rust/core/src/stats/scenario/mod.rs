//! What-if scoring: a registry held as byte codes, scored anew whenever points change.
//!
//! * `coding`: answers to codes, by the compiled model's own reading; `codes` is what comes of it.
//! * `formula`: the points of every code, in doubles and in fixed point.
//! * `sums`: the fixed-point sum of every household, from scratch or by what has changed;
//!   `look_up` holds what only wide registers do.
//! * `line`: on which side of a cut-off a sum lies; `scores`: the scores themselves.
//! * `tally`: who is in before and after, by group; `distribution`: scores in rising order with
//!   counts, by group.
//!
//! # Numerics
//!
//! The score of a household is that of [`crate::pmt`] to the bit: a sum of doubles in model order.
//! Fixed-point sums stand in for it wherever they decide. The distance between the two has a bound,
//! which is zero for points such as whole numbers and quarters. A household that lies nearer to a
//! cut-off than that has its doubles added up in model order.

mod codes;
mod coding;
mod distribution;
mod formula;
mod line;
mod look_up;
#[cfg(test)]
mod sample;
mod scores;
mod sums;
mod tally;

pub use codes::Codes;
pub use coding::{Coder, NO_STRATUM, Question, Slot};
pub use distribution::{Distribution, Histogram, Ties, sorted};
pub use formula::{Formula, Points};
pub use line::{Cutoff, Line, Side};
pub use scores::scores_into;
pub use sums::{Change, INVALID, MISSING, sums_into};
pub use tally::{CELLS, Cut, IN, NULL, OUT, Tally, movers, tally};

/// Rows that are worked on at a time: their sums and the codes of a few questions fit the first
/// cache.
const BLOCK: usize = 4096;
