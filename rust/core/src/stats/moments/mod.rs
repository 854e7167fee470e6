//! Weighted moments of the columns of a regression: `X'WX`, `X'Wy` and `y'Wy`, of all rows and of
//! each group, in double-double.

mod gram;
mod groups;
mod panel;
mod scores;
mod tile;

pub use gram::{Gram, triangle};
pub use groups::{Moments, Rows, Stop, moments};
pub(crate) use panel::narrow;
pub use scores::{robust_meat, scores, scores_of_moments};
