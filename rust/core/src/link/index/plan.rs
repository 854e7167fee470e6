//! How candidates are compared and weighed.

use crate::link::compare::Scheme;

/// One comparison of a query with a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The column of the index.
    pub column: usize,
    /// How its values are compared.
    pub scheme: Scheme,
    /// Weight of each level, 0 for a missing value first.
    pub levels: Vec<f64>,
    /// Adjustment for how frequent agreeing values are among the persons of the index.
    pub frequency: Option<Frequency>,
}

/// See [`crate::link::weigh::Rarity`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequency {
    /// `log2` of the share of pairs that agree exactly by chance.
    pub log2_u: f64,
    /// How much counts.
    pub scale: f64,
    /// Levels from 1 to this one are adjusted.
    pub last_level: u8,
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
