//! Exact weighted quantile regression.
//!
//! The problem is a linear programme: `max y'a` where `X'a = (1 - tau) X'w` and `0 <= a <= w`; the
//! coefficients are its multipliers. An interior point method comes close to the answer, and a few
//! exact simplex steps end on it: at a vertex, where as many rows as columns lie on the fitted
//! plane. Of several best answers one vertex is given, and the answer says so.
//!
//! Of many rows, most are far from the plane: they are added into two rows, one above and one
//! below, and it is checked afterwards that each was on its side (S. Portnoy and R. Koenker, The
//! Gaussian hare and the Laplacian tortoise, Statistical Science 12, 1997).

mod band;
mod interior;
mod vertex;

use super::design::Design;
use crate::isa::Isa;

pub use band::fit;

/// A weighted quantile regression.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Regressors.
    pub design: &'a Design<'a>,
    /// A number for each row.
    pub target: &'a [f64],
    /// A weight for each row, none negative.
    pub weights: &'a [f64],
    /// Quantile, above 0 and below 1.
    pub tau: f64,
    /// Instructions to use; the answer is the same.
    pub isa: Isa,
}

/// A best answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// One for each column of the design.
    pub coefficients: Vec<f64>,
    /// Rows on the fitted plane that determine it, ascending.
    pub basis: Vec<u32>,
    /// The `a` of each row: its weight above the plane, 0 below, between them on it.
    pub dual: Vec<f64>,
    /// Sum of weights times check losses.
    pub loss: f64,
    /// Whether no other answer is as good.
    pub unique: bool,
    /// Rounds of the interior point method, all problems together.
    pub rounds: usize,
    /// Exact steps after it.
    pub pivots: usize,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No weight is above zero.
    NoWeight,
    /// A column follows from those before it, or is zero, or holds what is not a number.
    Collinear(usize),
    /// The target holds what is not a number, or the steps came to no end.
    NotConverged(usize),
}
