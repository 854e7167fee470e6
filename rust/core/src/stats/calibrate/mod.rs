//! Calibration: weights as near as possible to the design weights that hit known totals.
//!
//! Every method is one problem. Find multipliers, one for each total, so that the weights
//! `d g(x'm q)` add up to the totals, where `d` is the design weight, `x` what a row adds to each
//! total, `q` one over its variance factor, and `g` the curve of the method ([`Distance`]). It is solved by
//! Newton's method on the dual ([`newton`]). Rows that no total tells apart are one ([`cells`]); rows
//! of one cluster move together ([`sparse`]). No matrix of rows by totals is ever made.
//!
//! The same bits for any number of threads: sums are made in blocks that depend on the data only,
//! and added up in order.

pub mod cells;
pub mod distance;
pub mod domains;
pub mod encode;
pub mod factor;
mod keys;
pub mod newton;
mod reach;
mod solve;
pub mod sparse;
pub mod spread;
pub mod trim;

pub use distance::{Curve, Distance};
pub use newton::{Each, Step};
pub use solve::calibrate;
pub use spread::Spread;

/// No total: in the table of a term, and the end of a search.
pub const NONE: u32 = u32::MAX;

/// The rows of a sample. All slices have one length.
#[derive(Debug, Clone)]
pub struct Rows<'a> {
    /// Design weights, positive and finite.
    pub weights: &'a [f64],
    /// Codes of the levels of each categorical variable; [`encode::UNKNOWN`] for none.
    pub codes: Vec<&'a [u32]>,
    /// Columns of finite numbers.
    pub values: Vec<&'a [f64]>,
    /// Variance factors, positive and finite: the larger, the further a weight may move.
    pub variance: Option<&'a [f64]>,
    /// Cluster of each row; rows of one cluster get one factor.
    pub clusters: Option<&'a [u32]>,
}

/// What each row adds to the totals: a one, or a value, at the total of its levels.
#[derive(Debug, Clone)]
pub struct Term {
    /// Variables that are crossed, the last one running fastest; none for a total over all rows.
    pub variables: Vec<usize>,
    /// Levels of each variable.
    pub levels: Vec<usize>,
    /// The column that is added up; none to count rows.
    pub of: Option<usize>,
    /// The total of each combination of levels, or [`NONE`].
    pub totals: Vec<u32>,
}

impl Term {
    /// Total that row `row` counts for.
    #[inline]
    fn total(&self, rows: &Rows<'_>, row: usize) -> u32 {
        self.total_of(|variable| rows.codes.get(variable).and_then(|codes| codes.get(row)).copied())
    }

    /// Total of a combination of codes.
    #[inline]
    fn total_of(&self, code: impl Fn(usize) -> Option<u32>) -> u32 {
        let mut at = 0usize;
        for (&variable, &levels) in self.variables.iter().zip(&self.levels) {
            match code(variable) {
                Some(code) if (code as usize) < levels => at = at * levels + code as usize,
                _ => return NONE,
            }
        }
        self.totals.get(at).copied().unwrap_or(NONE)
    }

    /// What row `row` adds.
    #[inline]
    fn amount(&self, rows: &Rows<'_>, row: usize) -> f64 {
        let Some(of) = self.of else { return 1.0 };
        rows.values.get(of).and_then(|values| values.get(row)).copied().unwrap_or(f64::NAN)
    }
}

/// What is wanted of one total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    /// The total; NaN where there is no such total.
    pub total: f64,
    /// Price of missing it by its own size, where moving every weight by its own size costs one
    /// half; infinity to hit it.
    pub cost: f64,
}

/// How to calibrate.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Distance, with the bounds of the factors.
    pub distance: Distance,
    /// Bounds of the weights themselves.
    pub weight_bounds: Option<(f64, f64)>,
    /// Bounds to which the calibrated weights are trimmed in the end.
    pub trim: Option<(f64, f64)>,
    /// Largest miss of a total, relative to its size.
    pub tolerance: f64,
    /// Most steps.
    pub max_iterations: usize,
}

/// What was found.
#[derive(Debug, Clone)]
pub struct Solution {
    /// Calibrated weights, one for each row.
    pub weights: Vec<f64>,
    /// For each total: its sum under the design weights.
    pub before: Vec<f64>,
    /// For each total: its sum under the calibrated weights.
    pub achieved: Vec<f64>,
    /// One for each step, with the state before the first.
    pub trace: Vec<Step>,
    /// How unequal the design weights and the calibrated weights are.
    pub spread: [Spread; 2],
    /// Smallest and largest factor.
    pub factors: (f64, f64),
    /// Rows at a bound of the factor or of the weight.
    pub at_bound: usize,
    /// Rows whose weights were trimmed.
    pub trimmed: usize,
    /// Groups of rows that could be told apart.
    pub units: usize,
}

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// A row whose levels have no total in the term.
    Uncovered {
        /// The term.
        term: usize,
        /// The row.
        row: usize,
    },
    /// No row counts for this total, and it is not zero.
    Empty {
        /// The total.
        total: usize,
    },
    /// A total that others fix at another value.
    Contradiction {
        /// The total.
        total: usize,
        /// What the others make of it.
        implied: f64,
        /// The others.
        others: Vec<usize>,
    },
    /// A row whose bounds leave the curve no room on both sides of the design weight.
    NoRoom {
        /// The row.
        row: usize,
    },
    /// No weights within the bounds hit the totals.
    OutOfReach {
        /// Totals that are missed, the worst first, and the nearest sums that can be had.
        nearest: Vec<(usize, f64)>,
        /// Smallest and largest factor of the linear method without bounds.
        free: (f64, f64),
    },
    /// Not solved after so many steps.
    NotConverged {
        /// What was tried.
        trace: Vec<Step>,
    },
    /// The bounds of trimming leave no room for the sum of the weights.
    TrimTooTight {
        /// Sum of the weights.
        sum: f64,
    },
}
