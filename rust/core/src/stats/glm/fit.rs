//! Newton's method (logit) or Fisher scoring (probit) with step halving, and what can go wrong.

use super::link::Link;
use super::pass::{Problem, Sample};
use crate::stats::jobs::Jobs;
use crate::stats::symmetric::{Collinear, Factor};

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Most rounds.
    pub rounds: usize,
    /// Converged when the gain that a step promises, for each unit of weight, is below this.
    pub tolerance: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 30, tolerance: 1e-22 }
    }
}

/// A round of the search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Round {
    /// Deviance before its step.
    pub deviance: f64,
    /// Twice the gain in log-likelihood that its step promises, for each unit of weight.
    pub gain: f64,
    /// How often its step was halved.
    pub halvings: u32,
}

/// A fit that converged.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// One for each column of the design.
    pub coefficients: Vec<f64>,
    /// Expected information at the coefficients: the lower triangle by rows.
    pub information: Vec<f64>,
    /// Deviance.
    pub deviance: f64,
    /// Deviance of the weighted mean of the target.
    pub null_deviance: f64,
    /// All rounds.
    pub rounds: Vec<Round>,
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No weight is above zero.
    NoWeight,
    /// The target is 0 everywhere, or 1 everywhere.
    ConstantTarget,
    /// A column follows from those before it, or is zero, or holds what is not a number.
    Collinear(usize),
    /// Some coefficients grow without bound: their columns tell rows with 0 or 1 for certain.
    Separated {
        /// Columns at fault.
        columns: Vec<usize>,
        /// Whether all rows are told, not only some.
        complete: bool,
    },
    /// So many rounds were not enough.
    NotConverged(usize),
}

/// Change of a linear predictor in one step that shows separation: there, each step adds about 1.
const DIVERGING: f64 = 0.05;

/// Most halvings of a step.
const HALVINGS: u32 = 30;

/// Rows for each column above which the search begins on a sample of them.
const MANY: usize = 5_000;

/// Of so many panels the sample has one.
const STRIDE: usize = 16;

/// Fits from zero; of many rows, from the answer of a sample.
///
/// # Errors
///
/// The caller asked to stop.
pub fn fit<J: Jobs>(
    problem: &Problem<'_>,
    options: Options,
    jobs: &J,
) -> Result<Result<Fitted, Fault>, J::Stop> {
    let margins = Margins::new(problem);
    if margins.weight.is_nan() || margins.weight <= 0.0 {
        return Ok(Err(Fault::NoWeight));
    }
    if margins.mean <= 0.0 || margins.mean >= 1.0 {
        return Ok(Err(Fault::ConstantTarget));
    }
    let mut search = Search { problem, margins, stride: STRIDE, options };
    let mut start = vec![0.0; problem.design.width()];
    if problem.design.rows() > MANY * problem.design.width() {
        search.options.tolerance = 1e-6;
        if let Ok(found) = search.climb(start.clone(), jobs)? {
            start = found.coefficients;
        }
    }
    search = Search { stride: 1, options, ..search };
    search.climb(start, jobs)
}

struct Search<'a, 'b> {
    problem: &'a Problem<'b>,
    margins: Margins,
    stride: usize,
    options: Options,
}

impl Search<'_, '_> {
    fn deviance(&self, sample: &Sample) -> f64 {
        2.0 * (self.margins.saturated - sample.likelihood)
    }

    fn climb<J: Jobs>(&self, mut at: Vec<f64>, jobs: &J) -> Result<Result<Fitted, Fault>, J::Stop> {
        let mut rounds = vec![];
        let mut sample = self.problem.sample(&at, self.stride, jobs)?;
        let mut last = vec![0.0; at.len()];
        for _ in 0..self.options.rounds {
            let factor = match Factor::new(&sample.information, at.len()) {
                Ok(factor) => factor,
                // Of a design that was sound at first: the weights of some rows have vanished.
                Err(Collinear(column)) => {
                    let separated = self.separation(&at, &last, &sample);
                    return Ok(Err(separated.unwrap_or(Fault::Collinear(column))));
                }
            };
            let mut step = sample.score.clone();
            factor.solve(&mut step);
            let gain: f64 = step.iter().zip(&sample.score).map(|(a, b)| a * b).sum();
            let gain = gain * self.stride as f64 / self.margins.weight;
            let mut round = Round { deviance: self.deviance(&sample), gain, halvings: 0 };
            if gain < self.options.tolerance {
                if let Some(fault) = self.separation(&at, &step, &sample) {
                    return Ok(Err(fault));
                }
                rounds.push(round);
                at.iter_mut().zip(&step).for_each(|(at, step)| *at += step);
                return Ok(Ok(self.found(at, sample, rounds)));
            }
            let least = sample.likelihood - 1e-12 * sample.likelihood.abs();
            loop {
                let scale = 0.5f64.powi(round.halvings as i32);
                let next: Vec<f64> =
                    at.iter().zip(&step).map(|(at, s)| s.mul_add(scale, *at)).collect();
                let found = self.problem.sample(&next, self.stride, jobs)?;
                if found.likelihood >= least || round.halvings == HALVINGS {
                    (at, sample) = (next, found);
                    break;
                }
                round.halvings += 1;
            }
            rounds.push(round);
            last = step;
            if round.halvings == HALVINGS {
                break;
            }
        }
        let separated = self.separation(&at, &last, &sample);
        Ok(Err(separated.unwrap_or(Fault::NotConverged(rounds.len()))))
    }

    fn found(&self, coefficients: Vec<f64>, sample: Sample, rounds: Vec<Round>) -> Fitted {
        let Margins { weight, mean, saturated } = self.margins;
        let null_deviance = 2.0 * (saturated - weight * Link::saturated(mean));
        let deviance = self.deviance(&sample);
        Fitted { coefficients, information: sample.information, deviance, null_deviance, rounds }
    }

    /// Separation, if the last step shows it: coefficients that still move by a good part of their
    /// size and with them the linear predictor of some row.
    fn separation(&self, at: &[f64], step: &[f64], sample: &Sample) -> Option<Fault> {
        let moves = |(index, (step, at)): (usize, (&f64, &f64))| {
            let column = self.problem.design.column(index)?;
            if step.abs() <= 1e-4 * at.abs() {
                return None;
            }
            let reach = column.iter().fold(0.0, |reach: f64, x| reach.max(x.abs()));
            (step.abs() * reach > DIVERGING).then_some(index)
        };
        let columns: Vec<usize> = step.iter().zip(at).enumerate().filter_map(moves).collect();
        let left = (self.margins.saturated - sample.likelihood) / self.margins.weight;
        (!columns.is_empty()).then_some(Fault::Separated { columns, complete: left < 1e-6 })
    }
}

/// Sums of weights and target.
#[derive(Debug, Clone, Copy)]
struct Margins {
    weight: f64,
    mean: f64,
    /// Log-likelihood of the target by itself.
    saturated: f64,
}

impl Margins {
    fn new(problem: &Problem<'_>) -> Self {
        let (mut weight, mut successes, mut saturated) = (0.0, 0.0, 0.0);
        for (&y, &w) in problem.target.iter().zip(problem.weights) {
            weight += w;
            successes += w * y;
            if y > 0.0 && y < 1.0 {
                saturated += w * Link::saturated(y);
            }
        }
        Self { weight, mean: successes / weight, saturated }
    }
}
