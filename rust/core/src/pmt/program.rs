//! The wire form of a compiled model: strict JSON, written by the Python side after it has
//! checked the model file. Names of fields are those of the model file where they mean the same.

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    pub inputs: Vec<Input>,
    #[serde(default)]
    pub strata: Option<Strata>,
    pub models: Vec<SubModel>,
    #[serde(default)]
    pub steps: Vec<Step>,
}

/// A column, or the ratio of two. A ratio outside `range` is invalid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    pub name: String,
    pub parts: Vec<Part>,
    #[serde(default)]
    pub range: Bounds,
}

/// A column that is read as a number outside `range`, or as a fraction where `integer` is set, is
/// invalid.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Part {
    pub column: String,
    pub integer: bool,
    #[serde(default)]
    pub range: Bounds,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Strata {
    pub input: usize,
    /// Levels of the n-th sub-model.
    pub levels: Vec<Vec<Scalar>>,
    pub missing: Policy,
    pub invalid: Policy,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SubModel {
    pub intercept: f64,
    pub terms: Vec<Term>,
    #[serde(default)]
    pub steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Term {
    pub id: String,
    pub inputs: Vec<usize>,
    pub missing: Policy,
    pub invalid: Policy,
    #[serde(flatten)]
    pub kind: TermKind,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum TermKind {
    Levels {
        levels: Vec<Level>,
    },
    Bins {
        bins: Vec<Bin>,
    },
    Linear {
        coefficient: f64,
        #[serde(default)]
        transform: Transform,
        #[serde(default)]
        clip: Bounds,
    },
    Product {
        coefficient: f64,
    },
    Table {
        rows: Vec<Vec<Scalar>>,
        columns: Vec<Vec<Scalar>>,
        /// Points, row by row; `None` is a cell the model does not have.
        cells: Vec<Option<f64>>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Level {
    pub values: Vec<Scalar>,
    pub points: f64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum Scalar {
    Bool(bool),
    Int(i64),
    Str(String),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bin {
    pub ge: Option<f64>,
    pub gt: Option<f64>,
    pub le: Option<f64>,
    pub lt: Option<f64>,
    pub points: f64,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Bounds {
    pub min: Option<f64>,
    pub max: Option<f64>,
}

/// Bounds that bound nothing.
pub(super) const EVERYTHING: [f64; 2] = [f64::NEG_INFINITY, f64::INFINITY];

impl Bounds {
    /// The two ends, infinite where there is none.
    pub fn ends(self) -> [f64; 2] {
        let [below, above] = EVERYTHING;
        [self.min.unwrap_or(below), self.max.unwrap_or(above)]
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Transform {
    #[default]
    None,
    Log,
    Sqrt,
    Square,
}

impl Transform {
    #[inline(always)]
    pub fn apply(self, x: f64) -> f64 {
        match self {
            Self::None => x,
            Self::Log => x.ln(),
            Self::Sqrt => x.sqrt(),
            Self::Square => x * x,
        }
    }
}

/// What a missing value, or one outside the model, means.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Policy {
    Points(f64),
    Named(NamedPolicy),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum NamedPolicy {
    Null,
    Error,
}

impl Policy {
    /// Stated points, or NaN: the mark of a row that the row path must look at.
    pub fn points_or_nan(self) -> f64 {
        match self {
            Self::Points(points) => points,
            Self::Named(_) => f64::NAN,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Step {
    Affine { multiply: f64, add: f64 },
    MinMax { from: [f64; 2], to: [f64; 2] },
    Clip { min: Option<f64>, max: Option<f64> },
    Round { digits: i32, mode: Rounding },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rounding {
    HalfEven,
    HalfAwayFromZero,
    Floor,
    Ceil,
    Truncate,
}
