//! How candidates are compared and weighed.

use crate::link::compare::Scheme;
use crate::link::weigh::LevelWeights;

/// One comparison of a query with a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The column of the index.
    pub column: usize,
    /// How its values are compared.
    pub scheme: Scheme,
    /// What the levels say; adjusted for how frequent agreeing values are among the persons of the
    /// index.
    pub weights: LevelWeights,
}

/// All comparisons.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// `log2` of the odds that two records match before anything is compared.
    pub prior: f64,
    /// The comparisons, in order.
    pub comparisons: Vec<Compared>,
}

/// What is wanted of a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted {
    /// At most so many persons.
    pub count: usize,
    /// The least weight; minus infinity for any.
    pub least: f64,
}
