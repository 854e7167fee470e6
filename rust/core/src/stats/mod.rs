//! Statistics of a survey: what NumPy cannot do fast enough, or not in a fixed order.

pub mod targeting;
