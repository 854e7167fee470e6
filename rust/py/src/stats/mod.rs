//! Statistics of a survey.

pub mod targeting;
