//! Square systems by elimination with row exchanges.

/// `A = P L U`.
#[derive(Debug, Clone)]
pub(super) struct Lu {
    /// Both factors, by rows.
    rows: Vec<Vec<f64>>,
    order: Vec<usize>,
}

impl Lu {
    /// None if the matrix, given by rows, is singular.
    pub fn new(mut rows: Vec<Vec<f64>>) -> Option<Self> {
        let width = rows.len();
        let mut order: Vec<usize> = (0..width).collect();
        for step in 0..width {
            let size = |row: &Vec<f64>| row.get(step).map_or(0.0, |x| x.abs());
            let (best, largest) = rows
                .iter()
                .enumerate()
                .skip(step)
                .map(|(i, row)| (i, size(row)))
                .fold((step, 0.0), |best, next| if next.1 > best.1 { next } else { best });
            if !(largest > 0.0 && largest.is_finite()) {
                return None;
            }
            rows.swap(step, best);
            order.swap(step, best);
            let (above, below) = rows.split_at_mut(step + 1);
            let pivots = above.last().map_or(&[][..], |row| row.get(step..).unwrap_or(&[]));
            let Some((pivot, pivots)) = pivots.split_first() else { continue };
            for row in below {
                let Some((first, rest)) = row.get_mut(step..).and_then(<[f64]>::split_first_mut)
                else {
                    continue;
                };
                *first /= pivot;
                for (slot, value) in rest.iter_mut().zip(pivots) {
                    *slot = value.mul_add(-*first, *slot);
                }
            }
        }
        Some(Self { rows, order })
    }

    /// `A^-1 b`.
    pub fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> =
            self.order.iter().map(|&i| b.get(i).copied().unwrap_or(0.0)).collect();
        for (i, row) in self.rows.iter().enumerate() {
            let (before, rest) = x.split_at_mut(i);
            if let Some(value) = rest.first_mut() {
                *value -= dot(row, before);
            }
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (before, after) = x.split_at_mut(i + 1);
            if let (Some(value), Some((pivot, factors))) =
                (before.last_mut(), row.get(i..).and_then(<[f64]>::split_first))
            {
                *value = (*value - dot(factors, after)) / pivot;
            }
        }
        x
    }

    /// `A'^-1 b`.
    pub fn solve_transposed(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for (i, row) in self.rows.iter().enumerate() {
            let (before, after) = x.split_at_mut(i + 1);
            if let (Some(value), Some((pivot, factors))) =
                (before.last_mut(), row.get(i..).and_then(<[f64]>::split_first))
            {
                *value /= pivot;
                take(after, factors, *value);
            }
        }
        for (i, row) in self.rows.iter().enumerate().rev() {
            let (before, after) = x.split_at_mut(i);
            if let Some(value) = after.first() {
                take(before, row, *value);
            }
        }
        let mut out = vec![0.0; x.len()];
        for (&i, value) in self.order.iter().zip(x) {
            if let Some(slot) = out.get_mut(i) {
                *slot = value;
            }
        }
        out
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).fold(0.0, |sum, (a, b)| a.mul_add(*b, sum))
}

fn take(from: &mut [f64], factors: &[f64], times: f64) {
    for (slot, factor) in from.iter_mut().zip(factors) {
        *slot = factor.mul_add(-times, *slot);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solves_both_ways() {
        let a = [[0.0, 2.0, 1.0], [1.0, -2.0, -3.0], [-1.0, 1.0, 2.0]];
        let x = [3.0, -1.0, 2.0];
        let lu = Lu::new(a.map(Vec::from).to_vec()).unwrap();
        let b: Vec<f64> = a.iter().map(|row| dot(row, &x)).collect();
        let c: Vec<f64> = (0..3).map(|j| (0..3).map(|i| a[i][j] * x[i]).sum()).collect();
        for found in [lu.solve(&b), lu.solve_transposed(&c)] {
            assert!(found.iter().zip(x).all(|(f, x)| (f - x).abs() < 1e-14), "{found:?}");
        }
        assert!(Lu::new(vec![vec![1.0, 2.0], vec![2.0, 4.0]]).is_none());
    }
}
