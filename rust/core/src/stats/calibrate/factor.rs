//! Cholesky factors of a matrix that may be singular: what depends on earlier rows is left out.

/// Pivots below this share of their diagonal are zero.
const ZERO: f64 = 1e-11;

/// The factor of a symmetric matrix, scaled to a diagonal of about one.
#[derive(Debug)]
pub struct Factor {
    size: usize,
    lower: Vec<f64>,
    scale: Vec<f64>,
    kept: Vec<bool>,
}

/// A row that is a combination of earlier ones.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependency {
    /// The row.
    pub row: usize,
    /// Earlier rows and their coefficients; none for a row of zeros.
    pub others: Vec<(usize, f64)>,
}

impl Factor {
    /// Factors the lower triangle of `matrix`, stored by rows of `scale.len()`. Rows and columns are
    /// divided by `scale` first; those not in `wanted` are left out, as are those that depend on
    /// earlier ones.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "rows and columns below the size of the matrix")]
    pub fn new(matrix: &[f64], scale: &[f64], wanted: &[bool]) -> Self {
        let size = scale.len();
        let mut lower = vec![0.0; size * size];
        let mut kept = vec![false; size];
        for i in 0..size {
            if !wanted[i] || scale[i] <= 0.0 {
                continue;
            }
            let (above, row) = lower.split_at_mut(i * size);
            for j in 0..i {
                if kept[j] {
                    let other = &above[j * size..=j * size + j];
                    let rest = matrix[i * size + j] / (scale[i] * scale[j]);
                    row[j] = (rest - dot(&row[..j], &other[..j])) / other[j];
                }
            }
            let diagonal = matrix[i * size + i] / (scale[i] * scale[i]);
            let pivot = diagonal - dot(&row[..i], &row[..i]);
            if pivot > ZERO {
                kept[i] = true;
                row[i] = pivot.sqrt();
            }
        }
        Self { size, lower, scale: scale.to_vec(), kept }
    }

    /// Rows that were not left out.
    #[must_use]
    pub fn kept(&self) -> &[bool] {
        &self.kept
    }

    /// What a row that was left out is made of.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "rows and columns below the size of the matrix")]
    pub fn dependency(&self, row: usize) -> Dependency {
        let mut rest = self.lower[row * self.size..row * self.size + row].to_vec();
        let mut others = vec![];
        for j in (0..row).rev().filter(|&j| self.kept[j]) {
            let coefficient = rest[j] / self.lower[j * self.size + j];
            for (k, rest) in rest.iter_mut().enumerate().take(j) {
                *rest -= coefficient * self.lower[j * self.size + k];
            }
            if coefficient.abs() > 1e-7 {
                others.push((j, coefficient * self.scale[row] / self.scale[j]));
            }
        }
        others.reverse();
        Dependency { row, others }
    }

    /// The solution for a right-hand side; zero for what was left out.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "rows and columns below the size of the matrix")]
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (size, lower) = (self.size, &self.lower);
        let mut x = vec![0.0; size];
        for i in (0..size).filter(|&i| self.kept[i]) {
            let sum = dot(&lower[i * size..i * size + i], &x[..i]);
            x[i] = (right[i] / self.scale[i] - sum) / lower[i * size + i];
        }
        for i in (0..size).rev().filter(|&i| self.kept[i]) {
            x[i] /= lower[i * size + i];
            let solved = x[i];
            for (x, l) in x[..i].iter_mut().zip(&lower[i * size..]) {
                *x -= solved * l;
            }
        }
        for ((x, scale), kept) in x.iter_mut().zip(&self.scale).zip(&self.kept) {
            *x = if *kept { *x / scale } else { 0.0 };
        }
        x
    }
}

/// Sum of products in eight lanes, which a compiler may keep in registers.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependent_row_is_left_out_and_explained() {
        // Rows of X'X for x3 = x1 + 2 x2 with orthogonal x1, x2 of lengths 4 and 9.
        let matrix = [4.0, 0.0, 0.0, 0.0, 9.0, 0.0, 4.0, 18.0, 40.0];
        let scale = [2.0, 3.0, 40f64.sqrt()];
        let factor = Factor::new(&matrix, &scale, &[true; 3]);
        assert_eq!(factor.kept(), [true, true, false]);
        let found = factor.dependency(2);
        assert_eq!(found.others.iter().map(|o| o.0).collect::<Vec<_>>(), [0, 1]);
        for ((_, found), expected) in found.others.iter().zip([1.0, 2.0]) {
            assert!((found - expected).abs() < 1e-12);
        }
        assert_eq!(factor.solve(&[8.0, 27.0, 0.0]), [2.0, 3.0, 0.0]);
    }

    #[test]
    fn a_full_matrix_is_solved() {
        let n = 19;
        let entry = |i: usize, j: usize| 1.0 / (1.0 + i.abs_diff(j) as f64) + f64::from(i == j);
        let matrix: Vec<f64> = (0..n * n).map(|k| entry(k / n, k % n)).collect();
        let x: Vec<f64> = (0..n).map(|i| i as f64 - 7.5).collect();
        let right: Vec<f64> =
            (0..n).map(|i| (0..n).map(|j| matrix[i * n + j] * x[j]).sum()).collect();
        let found = Factor::new(&matrix, &vec![2f64.sqrt(); n], &vec![true; n]).solve(&right);
        assert!(found.iter().zip(&x).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
