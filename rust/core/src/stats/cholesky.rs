//! Cholesky's factor of a symmetric matrix in double-double: for normal equations of which every
//! digit counts, and that name what a dependent column is made of.
//!
//! Steps of methods that go round are solved in `f64`, by [`super::symmetric`].

use super::double::Double;
use super::moments::triangle;

/// Share of a column's sum of squares that other columns must leave unexplained. Columns that
/// depend on each other up to the rounding of `f64` leave about 1e-32.
const LEAST_PIVOT: f64 = 1e-26;

/// The lower factor `L` of `A = L L'`.
#[derive(Debug, Clone)]
pub struct Factor {
    width: usize,
    rows: Vec<Double>,
}

/// A row of the matrix that is a combination of earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependent {
    /// The row; of earlier ones none is.
    pub row: usize,
    /// Earlier rows that it is made of, and how much of each; none if it is all zeros.
    pub of: Vec<(usize, f64)>,
}

/// Factors a matrix of `width` rows, given its entries `(i, j)` with `j <= i`.
///
/// # Errors
///
/// A row that depends on those before it.
pub fn factor(width: usize, entry: impl Fn(usize, usize) -> Double) -> Result<Factor, Dependent> {
    let mut factor = Factor { width, rows: Vec::with_capacity(triangle(width)) };
    for i in 0..width {
        let mut row: Vec<Double> = Vec::with_capacity(i + 1);
        for j in 0..i {
            let other = factor.row(j);
            let left = entry(i, j) - row.iter().zip(other).map(|(&a, &b)| a * b).sum();
            row.push(left / other.last().copied().unwrap_or_default());
        }
        let whole = entry(i, i);
        let pivot = whole - row.iter().map(|&a| a * a).sum();
        if pivot.high.is_nan() || pivot.high <= LEAST_PIVOT * whole.high {
            let of = factor.combination(&row, whole.high, &entry);
            return Err(Dependent { row: i, of });
        }
        row.push(pivot.sqrt());
        factor.rows.extend(row);
    }
    Ok(factor)
}

impl Factor {
    fn row(&self, i: usize) -> &[Double] {
        self.rows.get(triangle(i)..triangle(i + 1)).unwrap_or(&[])
    }

    fn entry(&self, i: usize, j: usize) -> Double {
        self.rows.get(triangle(i) + j).copied().unwrap_or_default()
    }

    /// What the row that begins like this, of this squared length, is made of.
    fn combination(
        &self,
        row: &[Double],
        square: f64,
        entry: &impl Fn(usize, usize) -> Double,
    ) -> Vec<(usize, f64)> {
        let mut part = Self { width: row.len(), rows: self.rows.clone() };
        part.rows.truncate(triangle(row.len()));
        let shares = part.backward(row);
        // What counts is the length of a share, compared with that of the whole.
        let counts = |&(j, share): &(usize, f64)| {
            share * share * entry(j, j).high > 1e-16 * square && share != 0.0
        };
        shares.iter().map(|share| share.value()).enumerate().filter(counts).collect()
    }

    /// Solves `L x = b`.
    fn forward(&self, b: &[Double]) -> Vec<Double> {
        let mut x: Vec<Double> = Vec::with_capacity(self.width);
        for (i, &b) in b.iter().enumerate().take(self.width) {
            let known = x.iter().zip(self.row(i)).map(|(&x, &l)| x * l).sum();
            x.push((b - known) / self.entry(i, i));
        }
        x
    }

    /// Solves `L' x = b`.
    fn backward(&self, b: &[Double]) -> Vec<Double> {
        let mut x = b.to_vec();
        for i in (0..self.width).rev() {
            let Some((own, before)) = x.get_mut(..=i).and_then(|x| x.split_last_mut()) else {
                continue;
            };
            *own = *own / self.entry(i, i);
            before.iter_mut().zip(self.row(i)).for_each(|(x, &l)| *x = *x - l * *own);
        }
        x
    }

    /// Solves `A x = b`.
    #[must_use]
    pub fn solve(&self, b: &[Double]) -> Vec<Double> {
        self.backward(&self.forward(b))
    }

    /// The inverse of `A`, by rows.
    #[must_use]
    pub fn inverse(&self) -> Vec<Double> {
        let mut out = Vec::with_capacity(self.width * self.width);
        for i in 0..self.width {
            let mut unit = vec![Double::ZERO; self.width];
            unit.iter_mut().skip(i).take(1).for_each(|one| *one = Double::from(1.0));
            out.extend(self.solve(&unit));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hilbert(i: usize, j: usize) -> Double {
        Double::from(1.0) / Double::from((i + j + 1) as f64)
    }

    #[test]
    fn an_ill_conditioned_matrix_is_solved() {
        // The Hilbert matrix of ten rows: its condition is 1.6e13.
        let factor = factor(10, hilbert).unwrap();
        let b: Vec<Double> = (0..10).map(|i| (0..10).map(|j| hilbert(i, j)).sum()).collect();
        assert!(factor.solve(&b).iter().all(|x| (x.value() - 1.0).abs() < 1e-15));
        let inverse = factor.inverse();
        assert!((inverse[0].value() - 100.0).abs() < 1e-11);
        assert!((inverse[1].value() + 4950.0).abs() < 1e-9);
    }

    #[test]
    fn a_dependent_row_is_named_with_what_it_is_made_of() {
        // Columns (1, 1, 1), (1, 0, 0), (0, 2, 2): the last is twice the first less the second.
        let x = [[1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.0, 2.0, 2.0]];
        let entry = |i: usize, j: usize| {
            Double::from(x[i].iter().zip(&x[j]).map(|(a, b)| a * b).sum::<f64>())
        };
        let found = factor(3, entry).unwrap_err();
        assert_eq!((found.row, found.of), (2, vec![(0, 2.0), (1, -2.0)]));
        let zero = factor(1, |_, _| Double::ZERO).unwrap_err();
        assert_eq!(zero, Dependent { row: 0, of: vec![] });
    }
}
