//! Ridge, lasso and elastic net from a Gram matrix, by coordinate descent along a path of penalties
//! (J. Friedman, T. Hastie and R. Tibshirani, J. Stat. Softw. 33(1), 2010).
//!
//! The objective is glmnet's, the weights scaled to add to 1: half the weighted mean square of the
//! residuals, plus `lambda` times (`alpha` times the sum of absolute coefficients plus
//! `(1 - alpha) / 2` times the sum of their squares over the standard deviation of the target). The
//! last part is what glmnet does, not what it says: it scales the target first. Columns are centred by their weighted means and
//! divided by their weighted standard deviations (denominator: the sum of weights) before they are
//! penalised; coefficients are returned for the columns as they are.

use super::cpu::{Kernel, run};
use super::symmetric::Factor;
use crate::isa::Isa;

/// Weighted moments of a target and of columns without an intercept.
#[derive(Debug, Clone, Copy)]
pub struct Moments<'a> {
    /// `X'WX`, whole, by rows.
    pub gram: &'a [f64],
    /// `X'Wy`.
    pub cross: &'a [f64],
    /// `y'Wy`.
    pub square: f64,
    /// `X'W1`.
    pub sums: &'a [f64],
    /// `y'W1`.
    pub sum: f64,
    /// Sum of weights.
    pub weight: f64,
}

/// What is penalised, and how much.
#[derive(Debug, Clone, Copy)]
pub struct Penalty<'a> {
    /// Share of the absolute part: 1 for the lasso, 0 for ridge.
    pub alpha: f64,
    /// Factor of each column's penalty; 0 for a column that is never penalised. glmnet rescales
    /// its factors to a mean of 1; these are used as they are.
    pub factors: &'a [f64],
    /// Whether columns are divided by their standard deviations.
    pub standardise: bool,
}

/// The fit at one penalty.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The penalty.
    pub lambda: f64,
    /// Intercept.
    pub intercept: f64,
    /// A coefficient for each column.
    pub coefficients: Vec<f64>,
    /// Share of the variance that is explained.
    pub r2: f64,
    /// Sweeps over the columns; none if they did not settle within the limit.
    pub sweeps: Option<usize>,
}

/// Most sweeps at one penalty.
const SWEEPS: usize = 100_000;

/// Largest change of a coefficient in a sweep, in units of scaled columns and target, that counts as
/// none; of a coefficient above 1, its share.
const SETTLED: f64 = 1e-13;

/// Least variance of a column, against its mean square, that is not rounding.
const CONSTANT: f64 = 1e-13;

/// Least alpha that the default path is made for, as in glmnet.
const LEAST_ALPHA: f64 = 1e-3;

/// Centred and scaled moments: all variances are 1.
#[derive(Debug)]
pub struct Path<'a> {
    penalty: Penalty<'a>,
    isa: Isa,
    width: usize,
    correlation: Vec<f64>,
    cross: Vec<f64>,
    /// Standard deviation of each column as it is penalised, and whether it has any.
    scales: Vec<f64>,
    moves: Vec<bool>,
    /// Factor of the penalty of each scaled column: of its absolute part and of its square.
    charges: Vec<[f64; 2]>,
    deviation: f64,
    means: Vec<f64>,
    mean: f64,
}

impl<'a> Path<'a> {
    /// Prepares the moments. None if their lengths differ, if there is no weight, or if the target
    /// is constant.
    #[must_use]
    pub fn new(moments: Moments<'_>, penalty: Penalty<'a>, isa: Isa) -> Option<Self> {
        let width = moments.cross.len();
        let fits = moments.gram.len() == width * width
            && moments.sums.len() == width
            && penalty.factors.len() == width;
        if !fits || moments.weight.is_nan() || moments.weight <= 0.0 {
            return None;
        }
        let weight = moments.weight;
        let mean = moments.sum / weight;
        let variance = moments.square / weight - mean * mean;
        if variance.is_nan() || variance <= CONSTANT * moments.square / weight {
            return None;
        }
        let deviation = variance.sqrt();
        let means: Vec<f64> = moments.sums.iter().map(|sum| sum / weight).collect();
        let mut scales = vec![];
        let mut moves = vec![];
        for (j, (row, mean)) in moments.gram.chunks(width.max(1)).zip(&means).enumerate() {
            let square = row.get(j).map_or(0.0, |square| square / weight);
            let variance = square - mean * mean;
            moves.push(variance > CONSTANT * square);
            scales.push(if variance > 0.0 { variance.sqrt() } else { 1.0 });
        }
        let mut correlation = Vec::with_capacity(width * width);
        for (row, (m, s)) in moments.gram.chunks(width.max(1)).zip(means.iter().zip(&scales)) {
            let others = row.iter().zip(means.iter().zip(&scales));
            correlation.extend(others.map(|(g, (n, t))| (g / weight - m * n) / (s * t)));
        }
        let columns = moments.cross.iter().zip(means.iter().zip(&scales));
        let cross = columns.map(|(c, (m, s))| (c / weight - m * mean) / (s * deviation)).collect();
        // In units of scaled columns a coefficient is its own times the scale.
        let charge = |(s, f): (&f64, &f64)| {
            if penalty.standardise { [*f; 2] } else { [f / s, f / (s * s)] }
        };
        let charges = scales.iter().zip(penalty.factors).map(charge).collect();
        Some(Self {
            penalty,
            isa,
            width,
            correlation,
            cross,
            scales,
            moves,
            charges,
            deviation,
            means,
            mean,
        })
    }

    /// Penalties from the least that leaves no penalised column in, down to `ratio` of it, evenly
    /// spaced in their logarithms.
    #[must_use]
    pub fn lambdas(&self, count: usize, ratio: f64) -> Vec<f64> {
        let gradient = self.unpenalised();
        let largest =
            gradient.iter().zip(&self.charges).fold(0.0, |most: f64, (g, [charge, _])| {
                if *charge > 0.0 { most.max(g.abs() / charge) } else { most }
            });
        let largest = largest * self.deviation / self.penalty.alpha.max(LEAST_ALPHA);
        let last = count.saturating_sub(1).max(1) as f64;
        (0..count).map(|i| largest * ratio.powf(i as f64 / last)).collect()
    }

    /// The gradient where only columns without a penalty are in.
    fn unpenalised(&self) -> Vec<f64> {
        let mut state = State::new(self);
        let free: Vec<usize> = self.columns().filter(|&j| self.charge(j) == [0.0; 2]).collect();
        self.settle(&mut state, &free, 0.0);
        state.gradient
    }

    /// Columns that vary.
    fn columns(&self) -> impl Iterator<Item = usize> {
        self.moves.iter().enumerate().filter(|(_, moves)| **moves).map(|(j, _)| j)
    }

    #[inline(always)]
    fn charge(&self, column: usize) -> [f64; 2] {
        self.charges.get(column).copied().unwrap_or_default()
    }

    /// Fits at each penalty, each from the one before: largest first is fastest.
    #[must_use]
    pub fn fit(&self, lambdas: &[f64]) -> Vec<Point> {
        let mut state = State::new(self);
        let mut before = f64::INFINITY;
        let fit = |&lambda: &f64| {
            let sweeps = self.at(&mut state, lambda, before);
            before = lambda;
            self.point(&state, lambda, sweeps)
        };
        lambdas.iter().map(fit).collect()
    }

    /// Settles at a penalty: first the columns that the strong rule (R. Tibshirani et al., J. R.
    /// Stat. Soc. B 74, 2012) leaves, then those that it left out wrongly.
    fn at(&self, state: &mut State, lambda: f64, before: f64) -> Option<usize> {
        let scaled = lambda / self.deviation;
        if self.penalty.alpha == 0.0 && scaled > 0.0 {
            return self.ridge(state, scaled);
        }
        let strong = self.penalty.alpha * (2.0 * scaled - before.min(f64::MAX) / self.deviation);
        let mut is_in: Vec<bool> = vec![false; self.width];
        for j in self.columns() {
            let [charge, _] = self.charge(j);
            let likely = state.gradient(j).abs() >= charge * strong || state.coefficient(j) != 0.0;
            if let Some(slot) = is_in.get_mut(j) {
                *slot = likely;
            }
        }
        let mut sweeps = 0;
        loop {
            let active: Vec<usize> =
                self.columns().filter(|&j| is_in.get(j) == Some(&true)).collect();
            sweeps += self.settle(state, &active, scaled)?;
            let mut complete = true;
            for j in self.columns() {
                let [charge, _] = self.charge(j);
                if let Some(slot) = is_in.get_mut(j)
                    && !*slot
                    && state.gradient(j).abs() > charge * self.penalty.alpha * scaled
                {
                    *slot = true;
                    complete = false;
                }
            }
            if complete {
                return Some(sweeps);
            }
        }
    }

    /// Ridge has a closed form.
    fn ridge(&self, state: &mut State, lambda: f64) -> Option<usize> {
        let columns: Vec<usize> = self.columns().collect();
        let mut lower = vec![];
        for (place, &i) in columns.iter().enumerate() {
            let row = self.row(i);
            let before = columns.iter().take(place + 1);
            lower.extend(before.map(|&j| row.get(j).copied().unwrap_or(0.0)));
            let [_, charge] = self.charge(i);
            lower.last_mut().into_iter().for_each(|own| *own += charge * lambda);
        }
        let mut found: Vec<f64> =
            columns.iter().filter_map(|&j| self.cross.get(j).copied()).collect();
        Factor::new(&lower, columns.len()).ok()?.solve(&mut found);
        for (&j, to) in columns.iter().zip(found) {
            let by = to - state.coefficient(j);
            state.change(j, to, by, self.row(j));
        }
        Some(1)
    }

    /// Coordinate descent over some columns until they stay where they are.
    fn settle(&self, state: &mut State, columns: &[usize], lambda: f64) -> Option<usize> {
        run(self.isa, Settle { path: self, state, columns, lambda })
    }

    #[inline(always)]
    fn row(&self, column: usize) -> &[f64] {
        self.correlation.get(column * self.width..(column + 1) * self.width).unwrap_or(&[])
    }

    fn point(&self, state: &State, lambda: f64, sweeps: Option<usize>) -> Point {
        let own = |(b, s): (&f64, &f64)| if *b == 0.0 { 0.0 } else { b * self.deviation / s };
        let coefficients: Vec<f64> = state.coefficients.iter().zip(&self.scales).map(own).collect();
        let shift: f64 = coefficients.iter().zip(&self.means).map(|(b, m)| b * m).sum();
        // 1 - RSS / TSS = b'(2 c - R b), and R b = c - gradient.
        let pieces = state.coefficients.iter().zip(self.cross.iter().zip(&state.gradient));
        let r2 = pieces.map(|(b, (c, g))| b * (c + g)).sum();
        Point { lambda, intercept: self.mean - shift, coefficients, r2, sweeps }
    }
}

/// Coordinate descent at one penalty.
struct Settle<'a> {
    path: &'a Path<'a>,
    state: &'a mut State,
    columns: &'a [usize],
    lambda: f64,
}

impl Kernel for Settle<'_> {
    type Out = Option<usize>;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Option<usize> {
        let Self { path, state, columns, lambda } = self;
        let alpha = path.penalty.alpha;
        for sweep in 1..=SWEEPS {
            let mut most: f64 = 0.0;
            for &j in columns {
                let [first, second] = path.charge(j);
                let now = state.coefficient(j);
                let wanted = state.gradient(j) + now; // variances are 1
                let threshold = first * alpha * lambda;
                let shrunk = (wanted.abs() - threshold).max(0.0).copysign(wanted);
                let next = shrunk / (1.0 + second * (1.0 - alpha) * lambda);
                let change = next - now;
                if change != 0.0 {
                    most = most.max(change.abs() / next.abs().max(1.0));
                    state.change(j, next, change, path.row(j));
                }
            }
            if most <= SETTLED {
                return Some(sweep);
            }
        }
        None
    }
}

/// Coefficients of scaled columns, and the correlation of each column with what is left.
struct State {
    coefficients: Vec<f64>,
    gradient: Vec<f64>,
}

impl State {
    fn new(path: &Path<'_>) -> Self {
        Self { coefficients: vec![0.0; path.width], gradient: path.cross.clone() }
    }

    #[inline(always)]
    fn coefficient(&self, column: usize) -> f64 {
        self.coefficients.get(column).copied().unwrap_or(0.0)
    }

    #[inline(always)]
    fn gradient(&self, column: usize) -> f64 {
        self.gradient.get(column).copied().unwrap_or(0.0)
    }

    #[inline(always)]
    fn change(&mut self, column: usize, to: f64, by: f64, row: &[f64]) {
        if let Some(slot) = self.coefficients.get_mut(column) {
            *slot = to;
        }
        for (gradient, r) in self.gradient.iter_mut().zip(row) {
            *gradient = r.mul_add(-by, *gradient);
        }
    }
}
