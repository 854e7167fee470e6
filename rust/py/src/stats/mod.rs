//! Estimation and reweighting: one file for each kernel.

mod calibration;
mod dense;
mod glm;
mod jobs;
mod moments;
mod path;
mod quantile;
mod replicates;
mod scenario;
mod targeting;

pub use calibration::calibrate;
pub use dense::{group_scores, inverse, weighted_gram};
pub use glm::{glm_factors, glm_fit};
pub use moments::{Moments, Scores, robust_meat, sandwich_variance, student_limit, student_p};
pub use path::{choose_terms, penalised_path};
pub use quantile::{quantile_fit, quantile_refits};
pub use replicates::{bootstrap, cross_validate, jackknife};
pub use scenario::{ScenarioCoder, ScenarioCodes, ScenarioCurve, ScenarioScores};
pub use targeting::{concentration_curve, rank_correlation, targeting_bootstrap, targeting_curve};
