//! Exact steps to the best vertex (simplex steps with a weighted median as their length; I. Barrodale
//! and F. Roberts, SIAM J. Numer. Anal. 10, 1973).

use super::{Fault, Fitted, Problem};
use crate::stats::jobs::Jobs;
use crate::stats::products::{predictions, projection};
use crate::stats::square::Lu;

/// Share of its weight by which a dual may miss its bounds, and below which an answer has an equal.
const SLACK: f64 = 1e-9;

/// Share of a row that must be left once the rows of the basis are taken out.
const INDEPENDENT: f64 = 1e-7;

/// Steps without progress before the target is moved a little, to get out of a tie.
const STALLED: usize = 50;

/// The best vertex, from coefficients near it.
pub(super) fn finish<J: Jobs>(
    problem: &Problem<'_>,
    near: &[f64],
    rounds: usize,
    jobs: &J,
) -> Result<Result<Fitted, Fault>, J::Stop> {
    let mut search = match Search::new(problem, near, jobs)? {
        Ok(search) => search,
        Err(fault) => return Ok(Err(fault)),
    };
    let width = problem.design.width();
    let most = 1_000 + 50 * width;
    let mut stalled = 0;
    for pivots in 0..most {
        let Some(lu) = search.factor() else { break };
        let Some(dual) = search.dual(&lu, jobs)? else { break };
        let Some((place, below)) = search.worst(&dual) else {
            return Ok(Ok(search.answer(&lu, &dual, rounds, pivots, jobs)?));
        };
        let moved = search.pivot(&lu, &dual, place, below, jobs)?;
        match moved {
            None => break,
            Some(true) => stalled = 0,
            Some(false) => stalled += 1,
        }
        if stalled > STALLED + width {
            search.shake();
            stalled = 0;
        }
    }
    Ok(Err(Fault::NotConverged(most)))
}

struct Search<'a, 'b> {
    problem: &'a Problem<'b>,
    /// The target, moved a little after a shake.
    target: Vec<f64>,
    /// Rows on the plane.
    basis: Vec<u32>,
    is_basic: Vec<bool>,
    /// Target minus prediction; 0 in the basis.
    residuals: Vec<f64>,
    /// Whether a row counts as above the plane.
    above: Vec<bool>,
    /// Residuals below this are rounding errors.
    noise: f64,
    /// `X' ((1 - tau) w)`.
    right: Vec<f64>,
}

fn get(values: &[f64], row: u32) -> f64 {
    values.get(row as usize).copied().unwrap_or(0.0)
}

impl<'a, 'b> Search<'a, 'b> {
    fn new<J: Jobs>(
        problem: &'a Problem<'b>,
        near: &[f64],
        jobs: &J,
    ) -> Result<Result<Self, Fault>, J::Stop> {
        let design = problem.design;
        let mut residuals = predictions(design, near, problem.isa, jobs)?;
        let mut size: f64 = 0.0;
        for (r, y) in residuals.iter_mut().zip(problem.target) {
            *r = y - *r;
            size = size.max(y.abs());
        }
        let basis = match independent(problem, &residuals) {
            Ok(basis) => basis,
            Err(fault) => return Ok(Err(fault)),
        };
        let mut is_basic = vec![false; design.rows()];
        for &row in &basis {
            if let Some(flag) = is_basic.get_mut(row as usize) {
                *flag = true;
            }
        }
        let shares: Vec<f64> = problem.weights.iter().map(|w| (1.0 - problem.tau) * w).collect();
        let right = projection(design, &shares, problem.isa, jobs)?;
        let above = residuals.iter().map(|r| *r > 0.0).collect();
        let noise = size * 1e-13;
        let target = problem.target.to_vec();
        let search = Self { problem, target, basis, is_basic, residuals, above, noise, right };
        Ok(Ok(search))
    }

    fn factor(&self) -> Option<Lu> {
        Lu::new(
            self.basis.iter().map(|&row| self.problem.design.row(row as usize).collect()).collect(),
        )
    }

    /// Coefficients of the plane through the basis, refined once.
    fn coefficients(&self, lu: &Lu, target: &[f64]) -> Vec<f64> {
        let values: Vec<f64> = self.basis.iter().map(|&row| get(target, row)).collect();
        let mut at = lu.solve(&values);
        let left: Vec<f64> = self
            .basis
            .iter()
            .zip(&values)
            .map(|(&row, value)| {
                self.problem
                    .design
                    .row(row as usize)
                    .zip(&at)
                    .fold(*value, |sum, (x, b)| x.mul_add(-b, sum))
            })
            .collect();
        at.iter_mut().zip(lu.solve(&left)).for_each(|(at, more)| *at += more);
        at
    }

    /// New residuals, and the duals of the basis. None if they are no numbers.
    fn dual<J: Jobs>(&mut self, lu: &Lu, jobs: &J) -> Result<Option<Vec<f64>>, J::Stop> {
        let at = self.coefficients(lu, &self.target);
        let fitted = predictions(self.problem.design, &at, self.problem.isa, jobs)?;
        let slots = self.residuals.iter_mut().zip(&mut self.above).zip(&self.is_basic);
        for (((r, above), basic), (y, fit)) in slots.zip(self.target.iter().zip(&fitted)) {
            *r = if *basic { 0.0 } else { y - fit };
            if r.abs() > self.noise {
                *above = *r > 0.0;
            }
        }
        let taken = self.outside();
        let out = projection(self.problem.design, &taken, self.problem.isa, jobs)?;
        let left: Vec<f64> = self.right.iter().zip(out).map(|(a, b)| a - b).collect();
        let dual = lu.solve_transposed(&left);
        Ok(dual.iter().all(|a| a.is_finite()).then_some(dual))
    }

    /// The duals of the rows outside the basis: their weight above the plane, 0 below.
    fn outside(&self) -> Vec<f64> {
        let rows = self.problem.weights.iter().zip(&self.above).zip(&self.is_basic);
        rows.map(|((w, above), basic)| if *above && !*basic { *w } else { 0.0 }).collect()
    }

    /// The place in the basis whose dual misses its bounds most, and whether it is below 0.
    fn worst(&self, dual: &[f64]) -> Option<(usize, bool)> {
        let mut worst = None;
        let mut most = SLACK;
        for (place, (a, &row)) in dual.iter().zip(&self.basis).enumerate() {
            let share = a / get(self.problem.weights, row);
            let miss = (-share).max(share - 1.0);
            if miss > most {
                most = miss;
                worst = Some((place, share < 0.0));
            }
        }
        worst
    }

    /// Takes a row out of the basis and the best one in. Whether the plane moved; none if it could
    /// move for ever.
    fn pivot<J: Jobs>(
        &mut self,
        lu: &Lu,
        dual: &[f64],
        place: usize,
        below: bool,
        jobs: &J,
    ) -> Result<Option<bool>, J::Stop> {
        // Along the edge, the leaving row falls below the plane or rises above it.
        let direction = if below { 1.0 } else { -1.0 };
        let mut unit = vec![0.0; dual.len()];
        if let Some(slot) = unit.get_mut(place) {
            *slot = direction;
        }
        let edge = lu.solve(&unit);
        let rises = predictions(self.problem.design, &edge, self.problem.isa, jobs)?;
        let Some((&leaving, &a)) = self.basis.get(place).zip(dual.get(place)) else {
            return Ok(None);
        };
        let mut slope = if below { a } else { get(self.problem.weights, leaving) - a };
        let mut crossings: Vec<(f64, u32)> = vec![];
        let largest = rises.iter().fold(0.0, |most: f64, g| most.max(g.abs()));
        let rows = self.residuals.iter().zip(&rises).zip(self.above.iter().zip(&self.is_basic));
        for (row, ((r, g), (above, basic))) in (0u32..).zip(rows) {
            if !*basic && g.abs() > INDEPENDENT * 1e-3 * largest && (*g > 0.0) == *above {
                crossings.push(((r / g).max(0.0), row));
            }
        }
        crossings.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (length, row) in crossings {
            slope += get(self.problem.weights, row) * get(&rises, row).abs();
            if slope >= 0.0 {
                self.exchange(place, leaving, row, !below);
                return Ok(Some(length * largest > self.noise));
            }
            if let Some(above) = self.above.get_mut(row as usize) {
                *above = !*above;
            }
        }
        Ok(None)
    }

    fn exchange(&mut self, place: usize, leaving: u32, entering: u32, above: bool) {
        if let Some(slot) = self.basis.get_mut(place) {
            *slot = entering;
        }
        for (row, basic) in [(leaving, false), (entering, true)] {
            if let Some(flag) = self.is_basic.get_mut(row as usize) {
                *flag = basic;
            }
        }
        if let Some(flag) = self.above.get_mut(leaving as usize) {
            *flag = above;
        }
    }

    /// Moves the target by less than anyone could see, another way for each row: no ties are left,
    /// and the best basis of the moved target is a best one of the target itself.
    fn shake(&mut self) {
        for (row, y) in (0u64..).zip(&mut self.target) {
            *y += self.noise * 1e3 * (super::band::scatter(row) - 0.5);
        }
    }

    fn answer<J: Jobs>(
        &mut self,
        lu: &Lu,
        dual: &[f64],
        rounds: usize,
        pivots: usize,
        jobs: &J,
    ) -> Result<Fitted, J::Stop> {
        let problem = self.problem;
        let mut all = self.outside();
        let mut unique = true;
        for (&row, &a) in self.basis.iter().zip(dual) {
            let weight = get(problem.weights, row);
            unique &= a.min(weight - a) > SLACK * weight;
            if let Some(slot) = all.get_mut(row as usize) {
                *slot = a.clamp(0.0, weight);
            }
        }
        // In the order of the rows: the bits of the answer do not tell how it was found.
        self.basis.sort_unstable();
        let sorted = self.factor();
        let coefficients = self.coefficients(sorted.as_ref().unwrap_or(lu), problem.target);
        let fitted = predictions(problem.design, &coefficients, problem.isa, jobs)?;
        let losses =
            problem.target.iter().zip(&fitted).zip(problem.weights).map(|((y, fit), w)| {
                let r = y - fit;
                w * if r > 0.0 { problem.tau * r } else { (problem.tau - 1.0) * r }
            });
        let loss = losses.sum();
        let basis = self.basis.clone();
        Ok(Fitted { coefficients, basis, dual: all, loss, unique, rounds, pivots })
    }
}

/// As many independent rows as columns, those nearest to the plane first.
fn independent(problem: &Problem<'_>, residuals: &[f64]) -> Result<Vec<u32>, Fault> {
    let width = problem.design.width();
    let distance = |row: &u32| get(residuals, *row).abs();
    let mut order: Vec<u32> = (0u32..).take(residuals.len()).collect();
    let mut basis: Vec<u32> = vec![];
    let mut span: Vec<Vec<f64>> = vec![];
    let mut sorted = 0;
    while basis.len() < width && sorted < order.len() {
        // Few rows are looked at, so few are sorted.
        let more = (8 * width + sorted).min(order.len() - sorted);
        let rest = order.get_mut(sorted..).unwrap_or(&mut []);
        let by_distance = |a: &u32, b: &u32| distance(a).total_cmp(&distance(b)).then(a.cmp(b));
        if more < rest.len() {
            rest.select_nth_unstable_by(more, by_distance);
        }
        let nearest = rest.get_mut(..more).unwrap_or(&mut []);
        nearest.sort_unstable_by(by_distance);
        for &row in nearest.iter() {
            if basis.len() == width {
                break;
            }
            let mut vector: Vec<f64> = problem.design.row(row as usize).collect();
            let before = dot(&vector, &vector);
            for _ in 0..2 {
                for unit in &span {
                    let along = dot(&vector, unit);
                    vector.iter_mut().zip(unit).for_each(|(v, u)| *v -= along * u);
                }
            }
            let left = dot(&vector, &vector);
            if left > INDEPENDENT * INDEPENDENT * before {
                vector.iter_mut().for_each(|v| *v /= left.sqrt());
                span.push(vector);
                basis.push(row);
            }
        }
        sorted += more;
    }
    if basis.len() == width { Ok(basis) } else { Err(Fault::Collinear(basis.len())) }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
