//! Weighted least squares from moments.

use super::cholesky::{Dependent, Factor, factor};
use super::double::Double;
use super::moments::Gram;

/// What least squares gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Solution {
    /// One for each column that was kept.
    pub coefficients: Vec<Double>,
    /// Inverse of `X'WX`, by rows.
    pub inverse: Vec<f64>,
    /// Weighted sum of squared residuals.
    pub residual: f64,
    /// Weighted sum of squares of the target: about its mean if there is a constant.
    pub total: f64,
    /// Variance inflation factors; that of the constant is NaN.
    pub vif: Vec<f64>,
    /// Condition number (the 2-norm) of the weighted columns, each of length one.
    pub condition: f64,
}

/// Solves for the columns `keep` of a matrix whose last column is the target. `constant` is the
/// place in `keep` of a column of ones.
///
/// # Errors
///
/// A column (its place in `keep`) that depends on those before it.
pub fn solve(gram: &Gram, keep: &[usize], constant: Option<usize>) -> Result<Solution, Dependent> {
    let target = gram.width().saturating_sub(1);
    let column = |i: usize| keep.get(i).copied().unwrap_or(usize::MAX);
    let entry = |i: usize, j: usize| gram.get(column(i), column(j));
    let factor = factor(keep.len(), entry)?;
    let own: Vec<Double> = keep.iter().map(|&i| gram.get(i, target)).collect();
    let coefficients = factor.solve(&own);
    // (y - X b)' W (y - X b): an error of b counts only squared.
    let whole = gram.get(target, target);
    let rest: Double = (0..keep.len())
        .map(|i| {
            let fitted: Double =
                coefficients.iter().enumerate().map(|(j, &b)| entry(i, j) * b).sum();
            let own = own.get(i).copied().unwrap_or_default();
            coefficients.get(i).copied().unwrap_or_default() * (fitted - own - own)
        })
        .sum();
    let about = |i: usize, whole: Double| match constant {
        None => whole,
        Some(ones) => {
            let sum = gram.get(column(ones), i);
            whole - sum * sum / entry(ones, ones)
        }
    };
    let inverse = factor.inverse();
    let vif = (0..keep.len()).map(|i| {
        let variance = inverse.get(i * keep.len() + i).copied().unwrap_or_default();
        let inflated = (about(column(i), entry(i, i)) * variance).value();
        if constant == Some(i) { f64::NAN } else { inflated }
    });
    Ok(Solution {
        residual: (whole + rest).value().max(0.0),
        total: about(target, whole).value().max(0.0),
        vif: vif.collect(),
        condition: condition(keep.len(), entry, &factor),
        coefficients,
        inverse: inverse.iter().map(|x| x.value()).collect(),
    })
}

/// Root of the ratio of the largest to the smallest eigenvalue of the matrix with ones on its
/// diagonal, both by iteration.
fn condition(width: usize, entry: impl Fn(usize, usize) -> Double, factor: &Factor) -> f64 {
    let scale: Vec<f64> = (0..width).map(|i| entry(i, i).value().sqrt()).collect();
    let scaled: Vec<f64> = (0..width)
        .flat_map(|i| (0..width).map(move |j| (i, j)))
        .map(|(i, j)| {
            let of = |i: usize| scale.get(i).copied().unwrap_or(1.0);
            entry(i, j).value() / (of(i) * of(j))
        })
        .collect();
    let largest = iterate(width, |x| {
        let row = |row: &[f64]| row.iter().zip(x).map(|(a, x)| a * x).sum();
        scaled.chunks_exact(width).map(row).collect()
    });
    let smallest = iterate(width, |x| {
        let right: Vec<Double> = x.iter().zip(&scale).map(|(x, s)| Double::from(x * s)).collect();
        factor.solve(&right).iter().zip(&scale).map(|(x, s)| x.value() * s).collect()
    });
    (largest * smallest).sqrt()
}

/// The largest eigenvalue of a positive matrix, to about six digits.
fn iterate(width: usize, product: impl Fn(&[f64]) -> Vec<f64>) -> f64 {
    // Not orthogonal to any eigenvector, but for odd luck.
    let mut x: Vec<f64> = (0..width).map(|i| 1.0 + (i as f64).sin()).collect();
    let mut found = 0.0;
    for _ in 0..300 {
        let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
        x.iter_mut().for_each(|x| *x /= length);
        let next = product(&x);
        let value: f64 = next.iter().zip(&x).map(|(a, b)| a * b).sum();
        let change = (value - found).abs();
        (found, x) = (value, next);
        if change <= 1e-8 * found {
            break;
        }
    }
    found
}
