//! A matrix of sums of products, in double-double.

use crate::stats::double::Double;

/// Entries of the lower triangle of a matrix of `width` rows.
#[must_use]
pub fn triangle(width: usize) -> usize {
    width * (width + 1) / 2
}

/// A symmetric matrix: the lower triangle by rows. Of the columns of a regression with the target
/// last it is `[X y]' W [X y]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gram {
    width: usize,
    high: Vec<f64>,
    low: Vec<f64>,
}

impl Gram {
    /// A matrix of zeros.
    #[must_use]
    pub fn zeros(width: usize) -> Self {
        Self { width, high: vec![0.0; triangle(width)], low: vec![0.0; triangle(width)] }
    }

    /// From both halves of the lower triangle; none if they do not have the right length.
    #[must_use]
    pub fn from_parts(width: usize, high: Vec<f64>, low: Vec<f64>) -> Option<Self> {
        let fits = high.len() == triangle(width) && low.len() == triangle(width);
        fits.then_some(Self { width, high, low })
    }

    /// Number of rows.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The lower triangle, rounded to `f64`, and what the rounding left.
    #[must_use]
    pub fn parts(&self) -> (&[f64], &[f64]) {
        (&self.high, &self.low)
    }

    /// An entry; zero outside the matrix.
    #[must_use]
    #[inline]
    pub fn get(&self, i: usize, j: usize) -> Double {
        let (row, column) = (i.max(j), i.min(j));
        let at = triangle(row) + column;
        let (high, low) = (self.high.get(at), self.low.get(at));
        Double { high: high.copied().unwrap_or(0.0), low: low.copied().unwrap_or(0.0) }
    }

    /// `X'WX` of the columns `keep` (by rows), `X'Wy` and `y'Wy`, in plain `f64`, of a matrix whose
    /// last column is the target.
    #[must_use]
    pub fn dense(&self, keep: &[usize]) -> (Vec<f64>, Vec<f64>, f64) {
        let target = self.width.saturating_sub(1);
        let row = |&i: &usize| keep.iter().map(move |&j| self.get(i, j).value());
        let own = keep.iter().map(|&i| self.get(i, target).value()).collect();
        (keep.iter().flat_map(row).collect(), own, self.get(target, target).value())
    }

    /// `b' G b` for coefficients of some columns: a sum of squares, so what cancels is carried in
    /// double-double.
    #[must_use]
    pub fn quadratic(&self, columns: &[usize], coefficients: &[f64]) -> f64 {
        let pairs = || columns.iter().zip(coefficients);
        let along =
            |i: usize| -> Double { pairs().map(|(&j, &b)| self.get(i, j) * Double::from(b)).sum() };
        pairs().map(|(&i, &b)| along(i) * Double::from(b)).sum::<Double>().value()
    }

    /// Adds another matrix, given as both halves of its lower triangle.
    pub fn add(&mut self, high: &[f64], low: &[f64]) {
        let slots = self.high.iter_mut().zip(&mut self.low);
        for ((own_high, own_low), (&high, &low)) in slots.zip(high.iter().zip(low)) {
            let sum = Double { high: *own_high, low: *own_low } + Double { high, low };
            (*own_high, *own_low) = (sum.high, sum.low);
        }
    }

    /// Adds `factor` times another matrix, given as both halves of its lower triangle.
    pub fn add_scaled(&mut self, factor: f64, high: &[f64], low: &[f64]) {
        let slots = self.high.iter_mut().zip(&mut self.low);
        for ((own_high, own_low), (&high, &low)) in slots.zip(high.iter().zip(low)) {
            let own = Double { high: *own_high, low: *own_low };
            let sum = own + Double { high, low } * Double::from(factor);
            (*own_high, *own_low) = (sum.high, sum.low);
        }
    }

    /// The first row on the diagonal that is not a number: the column has values that are not
    /// finite, or too large for their squares.
    #[must_use]
    pub fn not_finite(&self) -> Option<usize> {
        (0..self.width).find(|&i| !self.get(i, i).high.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_squares_keeps_what_is_left_of_terms_that_cancel() {
        let tiny = 2f64.powi(-60);
        let gram = Gram::from_parts(2, vec![1.0, 1.0, 1.0], vec![0.0, 0.0, tiny]).unwrap();
        assert_eq!(gram.quadratic(&[0, 1], &[1.0, -1.0]), tiny);
        assert_eq!(gram.quadratic(&[1], &[3.0]), 9.0);
    }
}
