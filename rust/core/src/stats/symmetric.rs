//! Symmetric positive definite systems in `f64`, held as the lower triangle by rows: for steps of
//! methods that go round, and for changes from a known solution.
//!
//! Normal equations that are solved once are factored in double-double, by [`super::cholesky`].

use super::moments::triangle;

/// Share of its own size that must be left of a column once the columns before it are taken out.
const LEAST_PIVOT: f64 = 1e-12;

/// A Cholesky factor.
#[derive(Debug, Clone)]
pub struct Factor {
    lower: Vec<f64>,
    width: usize,
}

/// Index of the first column that follows from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collinear(pub usize);

fn row(lower: &[f64], i: usize) -> &[f64] {
    lower.get(triangle(i)..triangle(i + 1)).unwrap_or(&[])
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    // Not fused: this is compiled for the baseline too, where `mul_add` is a call.
    a.iter().zip(b).fold(0.0, |sum, (a, b)| sum + a * b)
}

impl Factor {
    /// Factors a matrix of `width` columns.
    ///
    /// # Errors
    ///
    /// A column that is zero, not a number, or follows from those before it.
    pub fn new(matrix: &[f64], width: usize) -> Result<Self, Collinear> {
        let mut lower: Vec<f64> = Vec::with_capacity(triangle(width));
        for i in 0..width {
            let given = row(matrix, i);
            for (j, &value) in given.iter().enumerate() {
                let current = lower.get(triangle(i)..).unwrap_or(&[]);
                let next = if j == i {
                    let left = value - dot(current, current);
                    // A NaN is refused, too.
                    if !(left > LEAST_PIVOT * value && left.is_finite()) {
                        return Err(Collinear(i));
                    }
                    left.sqrt()
                } else {
                    let above = row(&lower, j);
                    let pivot = above.last().copied().unwrap_or(1.0);
                    (value - dot(current, above.get(..j).unwrap_or(&[]))) / pivot
                };
                lower.push(next);
            }
        }
        Ok(Self { lower, width })
    }

    /// `L^-1 x`, in place.
    pub fn forward(&self, x: &mut [f64]) {
        for i in 0..self.width.min(x.len()) {
            let (before, rest) = x.split_at_mut(i);
            if let (Some(value), Some((pivot, factors))) =
                (rest.first_mut(), row(&self.lower, i).split_last())
            {
                *value = (*value - dot(factors, before)) / pivot;
            }
        }
    }

    /// Solves for one right side, in place.
    pub fn solve(&self, x: &mut [f64]) {
        self.forward(x);
        for i in (0..self.width.min(x.len())).rev() {
            let (before, rest) = x.split_at_mut(i);
            if let (Some(value), Some((pivot, factors))) =
                (rest.first_mut(), row(&self.lower, i).split_last())
            {
                *value /= pivot;
                for (slot, factor) in before.iter_mut().zip(factors) {
                    *slot -= factor * *value;
                }
            }
        }
    }

    /// The inverse, whole, by rows.
    #[must_use]
    pub fn inverse(&self) -> Vec<f64> {
        let mut out = Vec::with_capacity(self.width * self.width);
        for i in 0..self.width {
            let mut unit: Vec<f64> = (0..self.width).map(|j| f64::from(i == j)).collect();
            self.solve(&mut unit);
            out.extend(unit);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_inverts_and_names_a_column() {
        // The squares of (1, 2; 0, 3; 4, 1) and a third column.
        let lower = [17.0, 6.0, 14.0, 1.0, 2.0, 5.0];
        let whole = [[17.0, 6.0, 1.0], [6.0, 14.0, 2.0], [1.0, 2.0, 5.0]];
        let factor = Factor::new(&lower, 3).unwrap();
        let mut x: Vec<f64> = whole.iter().map(|row| dot(row, &[1.0, -2.0, 0.5])).collect();
        factor.solve(&mut x);
        assert!(x.iter().zip([1.0, -2.0, 0.5]).all(|(x, y)| (x - y).abs() < 1e-14));
        let inverse = factor.inverse();
        let product = dot(&whole[1], &[inverse[1], inverse[4], inverse[7]]);
        assert!((product - 1.0).abs() < 1e-14);
        assert_eq!(Factor::new(&[1.0, 2.0, 4.0], 2).unwrap_err(), Collinear(1));
        assert_eq!(Factor::new(&[f64::NAN], 1).unwrap_err(), Collinear(0));
    }
}
