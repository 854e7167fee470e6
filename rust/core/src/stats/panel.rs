//! Products of a panel of dense columns in `f64`, and their sums over panels: for methods that go
//! round until they converge, where a step need not be exact.
//!
//! `moments::panel` is for sums that are taken once and solved as they are: it packs columns side by
//! side, row by row, and keeps what rounding leaves of each product, at a few times the cost.

use super::design::{PANEL, Panel, Rows};
use super::double::two_sum;
use super::moments::triangle;

/// Partial sums of a panel, side by side.
const LANES: usize = 8;

type Lanes = [f64; LANES];

#[inline(always)]
fn lanes(rows: &Rows) -> &[Lanes] {
    rows.as_chunks::<LANES>().0
}

/// Sum of lanes, in halves.
#[inline(always)]
fn sum(lanes: Lanes) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Sum of a panel of row values.
#[inline(always)]
pub(super) fn total(rows: &Rows) -> f64 {
    let mut out = [0.0; LANES];
    for chunk in lanes(rows) {
        for (out, value) in out.iter_mut().zip(chunk) {
            *out += value;
        }
    }
    sum(out)
}

/// Linear predictor: the sum of columns times coefficients, in the order of the columns.
#[inline(always)]
pub(super) fn predict(panel: &Panel<'_>, coefficients: &[f64]) -> Rows {
    let mut out = [0.0; PANEL];
    for (column, &coefficient) in panel.columns.iter().zip(coefficients) {
        for (out, x) in out.iter_mut().zip(column.iter()) {
            *out = x.mul_add(coefficient, *out);
        }
    }
    out
}

/// `A' B` of `M` and `N` columns, `WIDE` lanes at a time.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant bounds: unrolled, the sums in registers")]
fn tile<const M: usize, const N: usize, const WIDE: usize>(
    a: [&Rows; M],
    b: [&Rows; N],
) -> [[f64; N]; M] {
    let mut sums = [[[0.0; LANES]; N]; M];
    for from in (0..LANES).step_by(WIDE) {
        let mut some = [[[0.0; WIDE]; N]; M];
        for step in 0..PANEL / LANES {
            let start = step * LANES + from;
            let mut right = [[0.0; WIDE]; N];
            for j in 0..N {
                right[j] = at(b[j], start);
            }
            for i in 0..M {
                let left: [f64; WIDE] = at(a[i], start);
                for j in 0..N {
                    for lane in 0..WIDE {
                        some[i][j][lane] = left[lane].mul_add(right[j][lane], some[i][j][lane]);
                    }
                }
            }
        }
        for i in 0..M {
            for j in 0..N {
                for lane in 0..WIDE {
                    sums[i][j][from + lane] = some[i][j][lane];
                }
            }
        }
    }
    let mut out = [[0.0; N]; M];
    for i in 0..M {
        for j in 0..N {
            out[i][j] = sum(sums[i][j]);
        }
    }
    out
}

/// Some lanes of a panel; `start + WIDE` is at most its length.
#[inline(always)]
fn at<const WIDE: usize>(rows: &Rows, start: usize) -> [f64; WIDE] {
    match rows.get(start..start + WIDE).map(<[f64; WIDE]>::try_from) {
        Some(Ok(found)) => found,
        _ => [0.0; WIDE],
    }
}

/// `X' q X` of a panel: the lower triangle by rows. `TILE` is that of the kernel.
#[inline(always)]
pub(super) fn gram<const TILE: usize>(panel: &Panel<'_>, q: &Rows, out: &mut [f64]) {
    // Registers of eight numbers hold 4 x 4 sums of eight lanes, those of four 3 x 3 of four lanes.
    if TILE == 4 { by_tiles::<4, 8>(panel, q, out) } else { by_tiles::<3, 4>(panel, q, out) }
}

#[inline(always)]
fn by_tiles<const TILE: usize, const WIDE: usize>(panel: &Panel<'_>, q: &Rows, out: &mut [f64]) {
    let columns = panel.columns;
    let mut scaled = [[0.0; PANEL]; TILE];
    for first in (0..columns.len()).step_by(TILE) {
        for (scaled, column) in scaled.iter_mut().zip(some::<TILE>(columns, first)) {
            for ((scaled, x), q) in scaled.iter_mut().zip(column).zip(q) {
                *scaled = x * q;
            }
        }
        for second in (0..=first).step_by(TILE) {
            let products = tile::<TILE, TILE, WIDE>(scaled.each_ref(), some(columns, second));
            for (i, row) in (first..columns.len()).zip(&products) {
                let from = triangle(i) + second;
                let until = triangle(i + 1).min(from + TILE);
                let slots = out.get_mut(from..until).unwrap_or(&mut []);
                for (slot, product) in slots.iter_mut().zip(row) {
                    *slot = *product;
                }
            }
        }
    }
}

/// Columns from one on; zeros beyond the last.
#[inline(always)]
fn some<'a, const N: usize>(columns: &[&'a Rows], from: usize) -> [&'a Rows; N] {
    static ZEROS: Rows = [0.0; PANEL];
    let mut out = [&ZEROS; N];
    for (slot, column) in out.iter_mut().zip(columns.iter().skip(from)) {
        *slot = column;
    }
    out
}

/// `X' v` of a panel.
#[inline(always)]
pub(super) fn project(panel: &Panel<'_>, v: &Rows, out: &mut [f64]) {
    for (columns, slots) in panel.columns.chunks(4).zip(out.chunks_mut(4)) {
        if let Ok(four) = <[&Rows; 4]>::try_from(columns) {
            let sums = tile::<4, 1, LANES>(four, [v]);
            slots.iter_mut().zip(sums.as_flattened()).for_each(|(slot, sum)| *slot = *sum);
        } else {
            for (column, slot) in columns.iter().zip(slots) {
                let [[sum]] = tile::<1, 1, LANES>([column], [v]);
                *slot = sum;
            }
        }
    }
}

/// Sums with compensation (Neumaier): the order of adding is the order of the calls.
#[derive(Debug, Clone)]
pub(super) struct Sums {
    high: Vec<f64>,
    low: Vec<f64>,
}

impl Sums {
    pub fn new(length: usize) -> Self {
        Self { high: vec![0.0; length], low: vec![0.0; length] }
    }

    /// Adds one number to each sum.
    #[inline(always)]
    pub fn add(&mut self, values: &[f64]) {
        for ((high, low), &value) in self.high.iter_mut().zip(&mut self.low).zip(values) {
            let (total, error) = two_sum(*high, value);
            *low += error;
            *high = total;
        }
    }

    /// Adds other sums.
    pub fn merge(&mut self, other: &Self) {
        self.add(&other.high);
        self.low.iter_mut().zip(&other.low).for_each(|(low, other)| *low += other);
    }

    /// The sums.
    pub fn totals(&self) -> Vec<f64> {
        self.high.iter().zip(&self.low).map(|(high, low)| high + low).collect()
    }
}
