//! Logit and probit by iteratively reweighted least squares.
//!
//! A pass over the rows gives linear predictor, mean, working weights, their Gram matrix, the score
//! and the likelihood together. Survey weights are quasi-likelihood weights, as in R's `svyglm`
//! with `quasibinomial()`: they scale rows and are no counts.

mod fit;
mod link;
mod pass;
mod scores;

pub use fit::{Fault, Fitted, Options, Round, fit};
pub use link::Link;
pub use pass::Problem;
pub use scores::{group_sums, score_weights};
