//! Scores of least squares, `x w (y - x b)`, summed by group: what sandwich errors are made of.

use super::gram::{Gram, triangle};
use super::groups::{JOB, Moments, Part, Rows, Stop, moments};
use super::panel::{LANES, Lanes, Panel, ROWS, narrow};
use crate::isa::Isa;
use crate::stats::cpu::{Kernel, run};
use crate::stats::double::{Double, two_sum};
use crate::stats::jobs::Jobs;

/// Sums of scores by group, from a pass over the rows: one column for each coefficient.
///
/// # Errors
///
/// The caller asked to stop.
pub fn scores<J: Jobs>(
    rows: Rows<'_>,
    coefficients: &[f64],
    isa: Isa,
    jobs: &J,
    done: impl Fn(usize) + Sync,
) -> Result<Vec<Vec<f64>>, J::Stop> {
    let width = coefficients.len();
    let mut parts = rows.cut();
    let made = jobs.map(&mut parts, |_, part| {
        let out = one_job(rows, coefficients, isa, part);
        done(part.end - part.start);
        out
    })?;
    let mut columns: Vec<Vec<f64>> =
        (0..width).map(|_| Vec::with_capacity(rows.starts.len())).collect();
    for part in made {
        for group in part.chunks_exact(width.div_ceil(LANES).max(1)) {
            for (column, score) in columns.iter_mut().zip(group.as_flattened()) {
                column.push(*score);
            }
        }
    }
    Ok(columns)
}

/// Not generic, so that it is compiled in this crate; see [`moments`].
#[inline(never)]
fn one_job(rows: Rows<'_>, coefficients: &[f64], isa: Isa, part: &Part) -> Vec<Lanes> {
    run(narrow(isa), Pass { rows, coefficients, part })
}

/// One job.
struct Pass<'a> {
    rows: Rows<'a>,
    coefficients: &'a [f64],
    part: &'a Part,
}

impl Kernel for Pass<'_> {
    /// The sums of each group, padded with what belongs to the target.
    type Out = Vec<Lanes>;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn run<const TILE: usize>(self) -> Vec<Lanes> {
        let Self { rows, coefficients, part } = self;
        let factors = factors(coefficients);
        let mut panel = Panel::new(rows.columns.len());
        let (first, last) = part.groups;
        let blocks = coefficients.len().div_ceil(LANES).max(1);
        let mut out = vec![[0.0; LANES]; blocks * (last - first)];
        let mut groups = out.chunks_exact_mut(blocks);
        let mut ends = rows.starts.get(first + 1..last).unwrap_or(&[]).iter().chain([&part.end]);
        let (mut group, mut end) = (groups.next(), ends.next());
        for start in (part.start..part.end).step_by(ROWS) {
            let count = ROWS.min(part.end - start);
            panel.read(rows.columns, start, count);
            let weights = rows.weights.get(start..start + count);
            let residuals = weighted_residuals(&panel, &factors, weights);
            let mut from = 0;
            while from < count {
                let until = end.map_or(count, |&end| (end - start).min(count));
                let residuals = residuals.get(from..until).unwrap_or(&[]);
                for (block, sums) in panel.blocks().zip(group.iter_mut().flat_map(|g| g.iter_mut()))
                {
                    let mut own = *sums;
                    for (x, &e) in block.get(from..until).unwrap_or(&[]).iter().zip(residuals) {
                        for lane in 0..LANES {
                            own[lane] = x[lane].mul_add(e, own[lane]);
                        }
                    }
                    *sums = own;
                }
                if end.is_some_and(|&end| end == start + until) {
                    (group, end) = (groups.next(), ends.next());
                }
                from = until;
            }
        }
        out
    }
}

/// What the columns are multiplied with: their sum is minus the residual.
fn factors(coefficients: &[f64]) -> Vec<Lanes> {
    let mut out = vec![[0.0; LANES]; (coefficients.len() + 1).div_ceil(LANES)];
    let given = coefficients.iter().chain(&[-1.0]);
    out.as_flattened_mut().iter_mut().zip(given).for_each(|(slot, value)| *slot = *value);
    out
}

/// Residuals of the packed rows times their weights.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant bounds")]
fn weighted_residuals(panel: &Panel, factors: &[Lanes], weights: Option<&[f64]>) -> [f64; ROWS] {
    let mut partial = [[0.0; LANES]; ROWS];
    for (block, factors) in panel.blocks().zip(factors) {
        for (sums, x) in partial.iter_mut().zip(block) {
            for lane in 0..LANES {
                sums[lane] = x[lane].mul_add(factors[lane], sums[lane]);
            }
        }
    }
    let mut out = [0.0; ROWS];
    for (out, [a, b, c, d, e, f, g, h]) in out.iter_mut().zip(partial) {
        *out = -(((a + e) + (c + g)) + ((b + f) + (d + h)));
    }
    for (residual, weight) in out.iter_mut().zip(weights.unwrap_or(&[])) {
        *residual *= weight;
    }
    out
}

/// Sum of the squares of the scores of each row, `(w e)^2 x x'`: what HC errors are made of.
///
/// # Errors
///
/// See [`Stop`].
pub fn robust_meat<J: Jobs>(
    rows: Rows<'_>,
    coefficients: &[f64],
    isa: Isa,
    jobs: &J,
    done: impl Fn(usize) + Sync,
) -> Result<Gram, Stop<J::Stop>> {
    let mut squares = vec![0.0; rows.rows];
    let mut parts: Vec<(usize, &mut [f64])> =
        (0..rows.rows).step_by(JOB).zip(squares.chunks_mut(JOB)).collect();
    jobs.map(&mut parts, |_, (start, out)| {
        one_job_of_squares(rows, coefficients, isa, *start, out);
    })
    .map_err(Stop::Stopped)?;
    let columns = rows.columns.get(..coefficients.len()).unwrap_or(rows.columns);
    let rows = Rows { columns, weights: &squares, starts: &[], ..rows };
    Ok(moments(rows, isa, jobs, done)?.total)
}

/// As [`one_job`].
#[inline(never)]
fn one_job_of_squares(
    rows: Rows<'_>,
    coefficients: &[f64],
    isa: Isa,
    start: usize,
    out: &mut [f64],
) {
    run(narrow(isa), Squares { rows, coefficients, start, out });
}

/// Squares of weighted residuals of the rows from `start` on.
struct Squares<'a> {
    rows: Rows<'a>,
    coefficients: &'a [f64],
    start: usize,
    out: &'a mut [f64],
}

impl Kernel for Squares<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const TILE: usize>(self) {
        let Self { rows, coefficients, start, out } = self;
        let factors = factors(coefficients);
        let mut panel = Panel::new(rows.columns.len());
        for (start, out) in (start..).step_by(ROWS).zip(out.chunks_mut(ROWS)) {
            panel.read(rows.columns, start, out.len());
            let weights = rows.weights.get(start..start + out.len());
            let residuals = weighted_residuals(&panel, &factors, weights);
            for (out, residual) in out.iter_mut().zip(residuals) {
                *out = residual * residual;
            }
        }
    }
}

/// Sums of scores by group, from the moments of the groups: one column for each of the
/// `coefficients`, which belong to the columns `keep`.
#[must_use]
pub fn scores_of_moments(
    moments: &Moments,
    keep: &[usize],
    coefficients: &[Double],
    isa: Isa,
) -> Vec<Vec<f64>> {
    run(narrow(isa), FromMoments { moments, keep, coefficients })
}

struct FromMoments<'a> {
    moments: &'a Moments,
    keep: &'a [usize],
    coefficients: &'a [Double],
}

impl Kernel for FromMoments<'_> {
    type Out = Vec<Vec<f64>>;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Vec<Vec<f64>> {
        let Self { moments, keep, coefficients } = self;
        let Some(target) = moments.total.width().checked_sub(1) else { return vec![] };
        let at = |i: usize, j: usize| triangle(i.max(j)) + i.min(j);
        let rows: Vec<(usize, Vec<usize>)> = keep
            .iter()
            .map(|&i| (at(i, target), keep.iter().map(|&j| at(i, j)).collect()))
            .collect();
        let mut out: Vec<Vec<f64>> =
            keep.iter().map(|_| Vec::with_capacity(moments.groups())).collect();
        for (high, low) in moments.each_group() {
            for ((own, places), column) in rows.iter().zip(&mut out) {
                column.push(score((high, low), *own, places, coefficients));
            }
        }
        out
    }
}

/// An entry less the sum of others times coefficients (Ogita, Rump and Oishi's compensated sum).
#[inline(always)]
fn score(group: (&[f64], &[f64]), own: usize, places: &[usize], coefficients: &[Double]) -> f64 {
    let (mut sum, mut rest) = entry(group, own);
    for (&place, b) in places.iter().zip(coefficients) {
        let (high, low) = entry(group, place);
        let product = -high * b.high;
        let lost = (-high).mul_add(b.high, -product);
        let (next, error) = two_sum(sum, product);
        sum = next;
        rest += error + lost - high.mul_add(b.low, low * b.high);
    }
    sum + rest
}

#[inline(always)]
fn entry((high, low): (&[f64], &[f64]), place: usize) -> (f64, f64) {
    (high.get(place).copied().unwrap_or(0.0), low.get(place).copied().unwrap_or(0.0))
}
