//! Rows that matter: the band around the plane, and two rows for all others.

use super::interior::approach;
use super::vertex::finish;
use super::{Fault, Fitted, Problem};
use crate::stats::design::Design;
use crate::stats::jobs::Jobs;
use crate::stats::products::{predictions, projection};

/// Rows above which a band is worth its while.
const MANY: usize = 10_000;

/// Bands tried before all rows are taken.
const TRIES: usize = 12;

/// Fits. `near` are coefficients to begin with, if there are any: of the same rows with other
/// weights, for example.
///
/// # Errors
///
/// The caller asked to stop.
pub fn fit<J: Jobs>(
    problem: &Problem<'_>,
    near: Option<&[f64]>,
    jobs: &J,
) -> Result<Result<Fitted, Fault>, J::Stop> {
    let rows = problem.design.rows();
    let some: Vec<u32> =
        (0u32..).zip(problem.weights).filter(|(_, w)| **w > 0.0).map(|(row, _)| row).collect();
    if some.is_empty() {
        return Ok(Err(Fault::NoWeight));
    }
    if problem.target.iter().any(|y| !y.is_finite()) {
        return Ok(Err(Fault::NotConverged(0)));
    }
    if some.len() == rows {
        return fit_weighted(problem, near, jobs);
    }
    // A row of no weight has no say, and no place between two walls.
    let part = Part::new(problem, &some, &[]);
    let found = part.with(problem, |part| fit_weighted(part, near, jobs))?;
    Ok(found.map(|found| {
        let mut dual = vec![0.0; rows];
        scatter_into(&mut dual, &some, &found.dual);
        Fitted { dual, basis: rows_of(&some, &found.basis), ..found }
    }))
}

fn fit_weighted<J: Jobs>(
    problem: &Problem<'_>,
    near: Option<&[f64]>,
    jobs: &J,
) -> Result<Result<Fitted, Fault>, J::Stop> {
    if problem.design.rows() > MANY
        && let Some(found) = by_bands(problem, near, jobs)?
    {
        return Ok(Ok(found));
    }
    solve(problem, jobs)
}

/// Fits all rows of a problem.
fn solve<J: Jobs>(problem: &Problem<'_>, jobs: &J) -> Result<Result<Fitted, Fault>, J::Stop> {
    match approach(problem, jobs)? {
        Ok((near, rounds)) => finish(problem, &near, rounds, jobs),
        Err(fault) => Ok(Err(fault)),
    }
}

/// A number in [0, 1) for each row, the same every time.
pub(super) fn scatter(row: u64) -> f64 {
    let mut bits = row.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((bits ^ (bits >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

/// None if no band of reasonable size holds.
fn by_bands<J: Jobs>(
    problem: &Problem<'_>,
    near: Option<&[f64]>,
    jobs: &J,
) -> Result<Option<Fitted>, J::Stop> {
    let design = problem.design;
    let (rows, width) = (design.rows(), design.width());
    // Portnoy and Koenker's sample size.
    let sample = (width as f64).sqrt() * (rows as f64).powf(2.0 / 3.0);
    let mut rounds = 0;
    let mut pivots = 0;
    let mut at = match near {
        Some(near) => near.to_vec(),
        None => {
            let share = sample / rows as f64;
            let some: Vec<u32> =
                (0u32..).take(rows).filter(|&row| scatter(u64::from(row)) < share).collect();
            match Part::new(problem, &some, &[]).with(problem, |part| approach(part, jobs))? {
                Ok((at, found)) => {
                    rounds += found;
                    at
                }
                Err(_) => return Ok(None), // too few rows of some level
            }
        }
    };
    let mut size = if near.is_some() { 0.4 * sample } else { 0.8 * sample } as usize;
    let mut band = Band::new(problem, &at, size, jobs)?;
    for _ in 0..TRIES {
        if 2 * band.inside.len() > rows {
            return Ok(None);
        }
        let Some(found) = band.solve(problem, jobs)? else {
            size *= 2;
            band = Band::new(problem, &at, size, jobs)?;
            continue;
        };
        rounds += found.rounds;
        pivots += found.pivots;
        let residuals = residuals(problem, &found.coefficients, jobs)?;
        let wrong = band.wrong(&residuals);
        if wrong.is_empty() {
            return Ok(Some(band.answer(problem, found, &residuals, rounds, pivots)));
        }
        at.clone_from(&found.coefficients);
        if wrong.len() > band.inside.len() / 5 {
            size *= 2;
            band = Band::new(problem, &at, size, jobs)?;
        } else {
            band.take(&wrong);
        }
    }
    Ok(None)
}

fn residuals<J: Jobs>(problem: &Problem<'_>, at: &[f64], jobs: &J) -> Result<Vec<f64>, J::Stop> {
    let mut out = predictions(problem.design, at, problem.isa, jobs)?;
    out.iter_mut().zip(problem.target).for_each(|(r, y)| *r = y - *r);
    Ok(out)
}

fn rows_of(rows: &[u32], places: &[u32]) -> Vec<u32> {
    let mut out: Vec<u32> =
        places.iter().filter_map(|&place| rows.get(place as usize).copied()).collect();
    out.sort_unstable();
    out
}

fn scatter_into(out: &mut [f64], rows: &[u32], values: &[f64]) {
    for (&row, &value) in rows.iter().zip(values) {
        if let Some(slot) = out.get_mut(row as usize) {
            *slot = value;
        }
    }
}

/// A problem of its own, of some rows and of sums of others.
struct Part {
    columns: Vec<Vec<f64>>,
    target: Vec<f64>,
    weights: Vec<f64>,
}

/// Weighted sums of the columns of some rows, and of their target.
struct Pile {
    columns: Vec<f64>,
    target: f64,
}

impl Part {
    fn new(problem: &Problem<'_>, rows: &[u32], piles: &[Pile]) -> Self {
        let pick = |values: &[f64]| -> Vec<f64> {
            rows.iter().filter_map(|&row| values.get(row as usize).copied()).collect()
        };
        let mut columns = problem.design.gather(rows);
        if problem.design.has_intercept() {
            columns.insert(0, vec![1.0; rows.len()]);
        }
        let mut part =
            Self { columns, target: pick(problem.target), weights: pick(problem.weights) };
        for pile in piles {
            for (column, sum) in part.columns.iter_mut().zip(&pile.columns) {
                column.push(*sum);
            }
            part.target.push(pile.target);
            part.weights.push(1.0);
        }
        part
    }

    fn with<T>(&self, problem: &Problem<'_>, work: impl FnOnce(&Problem<'_>) -> T) -> T {
        let columns: Vec<&[f64]> = self.columns.iter().map(Vec::as_slice).collect();
        let design = Design::sized(&columns, self.target.len());
        work(&Problem { design: &design, target: &self.target, weights: &self.weights, ..*problem })
    }
}

/// Where a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Inside,
    Above,
    Below,
}

struct Band {
    sides: Vec<Side>,
    inside: Vec<u32>,
}

impl Band {
    /// The `size` rows nearest to the plane.
    fn new<J: Jobs>(
        problem: &Problem<'_>,
        at: &[f64],
        size: usize,
        jobs: &J,
    ) -> Result<Self, J::Stop> {
        let residuals = residuals(problem, at, jobs)?;
        let mut distances: Vec<f64> = residuals.iter().map(|r| r.abs()).collect();
        let size = size.clamp(2 * problem.design.width(), distances.len()) - 1;
        let (_, &mut far, _) = distances.select_nth_unstable_by(size, f64::total_cmp);
        let side = |r: &f64| match r {
            r if r.abs() <= far => Side::Inside,
            r if *r > 0.0 => Side::Above,
            _ => Side::Below,
        };
        let sides: Vec<Side> = residuals.iter().map(side).collect();
        let mut band = Self { sides, inside: vec![] };
        band.list();
        Ok(band)
    }

    fn list(&mut self) {
        let inside = |(row, side): (u32, &Side)| (*side == Side::Inside).then_some(row);
        self.inside = (0u32..).zip(&self.sides).filter_map(inside).collect();
    }

    fn take(&mut self, rows: &[u32]) {
        for &row in rows {
            if let Some(side) = self.sides.get_mut(row as usize) {
                *side = Side::Inside;
            }
        }
        self.list();
    }

    /// Rows outside that are on the other side of the plane, or on it.
    fn wrong(&self, residuals: &[f64]) -> Vec<u32> {
        let rows = (0u32..).zip(self.sides.iter().zip(residuals));
        let is_wrong = |(row, (side, r)): (u32, (&Side, &f64))| {
            let wrong = match side {
                Side::Inside => false,
                Side::Above => *r <= 0.0,
                Side::Below => *r >= 0.0,
            };
            wrong.then_some(row)
        };
        rows.filter_map(is_wrong).collect()
    }

    /// Fits the rows inside and the two piles.
    fn solve<J: Jobs>(&self, problem: &Problem<'_>, jobs: &J) -> Result<Option<Fitted>, J::Stop> {
        let mut piles = vec![];
        for side in [Side::Above, Side::Below] {
            let weights: Vec<f64> = self
                .sides
                .iter()
                .zip(problem.weights)
                .map(|(s, w)| if *s == side { *w } else { 0.0 })
                .collect();
            if self.sides.contains(&side) {
                let columns = projection(problem.design, &weights, problem.isa, jobs)?;
                let target = problem.target.iter().zip(&weights).map(|(y, w)| y * w).sum();
                piles.push(Pile { columns, target });
            }
        }
        let part = Part::new(problem, &self.inside, &piles);
        part.with(problem, |part| Ok(solve(part, jobs)?.ok()))
    }

    /// The answer of all rows from that of the rows inside.
    fn answer(
        &self,
        problem: &Problem<'_>,
        found: Fitted,
        residuals: &[f64],
        rounds: usize,
        pivots: usize,
    ) -> Fitted {
        let mut dual: Vec<f64> = self
            .sides
            .iter()
            .zip(problem.weights)
            .map(|(side, w)| if *side == Side::Above { *w } else { 0.0 })
            .collect();
        scatter_into(&mut dual, &self.inside, &found.dual);
        let loss = residuals
            .iter()
            .zip(problem.weights)
            .map(|(r, w)| w * if *r > 0.0 { problem.tau * r } else { (problem.tau - 1.0) * r });
        Fitted {
            basis: rows_of(&self.inside, &found.basis),
            dual,
            loss: loss.sum(),
            rounds,
            pivots,
            ..found
        }
    }
}
