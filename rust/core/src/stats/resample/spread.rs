//! Squares of the changes of coefficients from refit to refit.

/// Mean of the products of each two changes, by rows; refits without a solution do not count.
#[must_use]
pub fn mean_square(changes: &[Option<Vec<f64>>], width: usize) -> Vec<f64> {
    let usable = changes.iter().flatten().count().max(1) as f64;
    let mut out = vec![0.0; width * width];
    for change in changes.iter().flatten() {
        add_square(&mut out, change, 1.0 / usable);
    }
    out
}

/// Adds `scale` times the product of each two entries.
pub(super) fn add_square(out: &mut [f64], x: &[f64], scale: f64) {
    for (row, &a) in out.chunks_exact_mut(x.len().max(1)).zip(x) {
        row.iter_mut().zip(x).for_each(|(slot, &b)| *slot += scale * a * b);
    }
}
