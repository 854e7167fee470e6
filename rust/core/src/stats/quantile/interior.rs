//! The interior point method of R. Frisch and Newton, with Mehrotra's predictor and corrector.

use super::{Fault, Problem};
use crate::stats::cpu::{Kernel, run};
use crate::stats::design::{Design, PANEL, Rows, padded};
use crate::stats::jobs::Jobs;
use crate::stats::moments::triangle;
use crate::stats::panel::{Sums, gram, predict, project, total};
use crate::stats::products::{merged, projection, weighted_gram};
use crate::stats::symmetric::{Collinear, Factor};

/// Most rounds.
const ROUNDS: usize = 60;

/// Share of the way to the nearest wall.
const NEARLY: f64 = 0.9995;

/// Gap between the two objectives, against the loss, at which the exact steps take over.
const GAP: f64 = 1e-8;

/// Coefficients near the best, and the number of rounds.
pub(super) type Near = (Vec<f64>, usize);

/// Comes near the best coefficients.
pub(super) fn approach<J: Jobs>(
    problem: &Problem<'_>,
    jobs: &J,
) -> Result<Result<Near, Fault>, J::Stop> {
    let design = problem.design;
    let width = design.width();
    // From least squares.
    let matrix = weighted_gram(design, problem.weights, problem.isa, jobs)?;
    let weighted: Vec<f64> =
        problem.target.iter().zip(problem.weights).map(|(y, w)| y * w).collect();
    let mut at = projection(design, &weighted, problem.isa, jobs)?;
    match Factor::new(&matrix, width) {
        Ok(factor) => factor.solve(&mut at),
        Err(Collinear(column)) => return Ok(Err(Fault::Collinear(column))),
    }
    let mut walk = Walk::new(problem, &at, jobs)?;
    let mut best = at.clone();
    for round in 1..=ROUNDS {
        // The multipliers are minus the coefficients: the programme minimises -y'a.
        let (matrix, right, gap) = walk.affine(jobs)?;
        if !gap.is_finite() {
            return Ok(Err(Fault::NotConverged(round)));
        }
        best.clone_from(&at);
        if gap <= GAP * walk.scale {
            return Ok(Ok((best, round)));
        }
        // Near the end only the rows on the plane count, and they may be too few for a factor.
        let Ok(factor) = Factor::new(&matrix, width) else {
            return Ok(Ok((best, round)));
        };
        let mut step = right.clone();
        factor.solve(&mut step);
        let mut lengths = walk.predict(&step, jobs)?;
        if lengths.primal.min(lengths.dual) < 1.0 {
            let left = lengths.left();
            let centre = left * (left / gap).powi(2) / (2.0 * design.rows() as f64);
            let more = walk.correct(centre, jobs)?;
            step = right.iter().zip(&more).map(|(a, b)| a + b).collect();
            factor.solve(&mut step);
            lengths = walk.turn(&step, centre, jobs)?;
        }
        walk.lengths = (lengths.primal, lengths.dual);
        at.iter_mut().zip(&step).for_each(|(at, step)| *at -= lengths.dual * step);
    }
    Ok(Ok((best, ROUNDS)))
}

/// Row values of a panel.
struct State {
    /// `a`, and what is left to the weight.
    x: Rows,
    s: Rows,
    /// Multipliers of the two walls.
    z: Rows,
    w: Rows,
    /// Steps; that of `s` is `-dx`.
    dx: Rows,
    dz: Rows,
    dw: Rows,
    /// `1 / (z / x + w / s)`; 0 beyond the last row.
    q: Rows,
}

struct Walk<'a, 'd> {
    design: &'a Design<'d>,
    isa: crate::isa::Isa,
    blocks: Vec<Vec<State>>,
    /// Share of the last step that was taken by `a`, and by the multipliers.
    lengths: (f64, f64),
    /// Weighted absolute residuals of least squares.
    scale: f64,
}

/// How far a step may go, and the complementarity it leads to.
struct Lengths {
    primal: f64,
    dual: f64,
    /// Sums of z x + w s; (z - w) dx; dz x + dw s; (dz - dw) dx.
    sums: [f64; 4],
}

impl Lengths {
    fn left(&self) -> f64 {
        let [now, first, second, both] = self.sums;
        now + self.primal * first + self.dual * second + self.primal * self.dual * both
    }
}

impl<'a, 'd> Walk<'a, 'd> {
    fn new<J: Jobs>(problem: &Problem<'a>, at: &[f64], jobs: &J) -> Result<Walk<'a, 'a>, J::Stop> {
        let design = problem.design;
        let fitted = crate::stats::products::predictions(design, at, problem.isa, jobs)?;
        let (mut scale, mut weight) = (0.0, 0.0);
        for ((fit, y), w) in fitted.iter().zip(problem.target).zip(problem.weights) {
            scale += w * (y - fit).abs();
            weight += w;
        }
        // Far enough from the walls not to be stopped at once.
        let inside = 0.01 * scale / weight + f64::MIN_POSITIVE;
        let start = |number: usize| {
            let from = number * PANEL;
            let rows = problem.design.rows().saturating_sub(from);
            let (fit, y) = (padded(&fitted, from), padded(problem.target, from));
            let weights = padded(problem.weights, from);
            let mut state = State {
                x: [1.0; PANEL],
                s: [1.0; PANEL],
                z: [1.0; PANEL],
                w: [1.0; PANEL],
                dx: [0.0; PANEL],
                dz: [0.0; PANEL],
                dw: [0.0; PANEL],
                q: [0.0; PANEL],
            };
            let State { x, s, z, w, .. } = &mut state;
            let slots = x.iter_mut().zip(s).zip(z.iter_mut().zip(w));
            let given = fit.iter().zip(&y).zip(&weights);
            for (((x, s), (z, w)), ((fit, y), weight)) in slots.zip(given).take(rows) {
                *x = (1.0 - problem.tau) * weight;
                *s = problem.tau * weight;
                let r = fit - y; // c - A'd, where c = -y and d = -coefficients
                *z = r.max(0.0) + inside;
                *w = (-r).max(0.0) + inside;
            }
            state
        };
        let block = |n| design.panels(n).map(start).collect();
        let blocks = (0..design.blocks()).map(block).collect();
        Ok(Walk { design, isa: problem.isa, blocks, lengths: (0.0, 0.0), scale })
    }

    /// Takes the last step; `X' q X`, `X' q (z - w)` and the gap there.
    fn affine<J: Jobs>(&mut self, jobs: &J) -> Result<(Vec<f64>, Vec<f64>, f64), J::Stop> {
        let (design, isa, lengths) = (self.design, self.isa, self.lengths);
        let parts = jobs.map(&mut self.blocks, |block, states| {
            run(isa, Affine { design, block, states, lengths })
        })?;
        let products = triangle(design.width());
        let mut matrix = merged(products + design.width() + 1, &parts);
        let mut right = matrix.split_off(products);
        let gap = right.pop().unwrap_or(f64::NAN);
        Ok((matrix, right, gap))
    }

    /// The affine step.
    fn predict<J: Jobs>(&mut self, step: &[f64], jobs: &J) -> Result<Lengths, J::Stop> {
        self.steps(step, None, jobs)
    }

    /// What centring and the errors of the affine step add to the right side.
    fn correct<J: Jobs>(&mut self, centre: f64, jobs: &J) -> Result<Vec<f64>, J::Stop> {
        let (design, isa) = (self.design, self.isa);
        let parts = jobs.map(&mut self.blocks, |block, states| {
            run(isa, Correct { design, block, states, centre })
        })?;
        Ok(merged(design.width(), &parts))
    }

    /// The corrected step.
    fn turn<J: Jobs>(&mut self, step: &[f64], centre: f64, jobs: &J) -> Result<Lengths, J::Stop> {
        self.steps(step, Some(centre), jobs)
    }

    fn steps<J: Jobs>(
        &mut self,
        step: &[f64],
        centre: Option<f64>,
        jobs: &J,
    ) -> Result<Lengths, J::Stop> {
        let (design, isa) = (self.design, self.isa);
        let parts = jobs.map(&mut self.blocks, |block, states| {
            run(isa, Steps { design, block, states, step, centre })
        })?;
        let mut walls = [f64::INFINITY; 2];
        let mut sums = Sums::new(4);
        for (near, part) in &parts {
            sums.merge(part);
            walls.iter_mut().zip(near).for_each(|(wall, near)| *wall = wall.min(*near));
        }
        let [primal, dual] = walls.map(|wall| (NEARLY * wall).min(1.0));
        let mut found = [0.0; 4];
        found.iter_mut().zip(sums.totals()).for_each(|(slot, sum)| *slot = sum);
        Ok(Lengths { primal, dual, sums: found })
    }
}

struct Affine<'a, 'd> {
    design: &'a Design<'d>,
    block: usize,
    states: &'a mut [State],
    lengths: (f64, f64),
}

impl Kernel for Affine<'_, '_> {
    type Out = Sums;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn run<const TILE: usize>(self) -> Sums {
        let width = self.design.width();
        let products = triangle(width);
        let mut sums = Sums::new(products + width + 1);
        let mut found = vec![0.0; products + width + 1];
        let (primal, dual) = self.lengths;
        let mut views = vec![];
        for (number, state) in self.design.panels(self.block).zip(self.states) {
            let panel = self.design.panel(number, &mut views);
            let State { x, s, z, w, dx, dz, dw, q } = state;
            let mut right = [0.0; PANEL];
            let mut gap = [0.0; PANEL];
            for i in 0..PANEL {
                x[i] += primal * dx[i];
                s[i] -= primal * dx[i];
                z[i] += dual * dz[i];
                w[i] += dual * dw[i];
                q[i] = x[i] * s[i] / (z[i] * s[i] + w[i] * x[i]);
                gap[i] = z[i] * x[i] + w[i] * s[i];
            }
            let rows = self.design.rows() - panel.start;
            for i in rows.min(PANEL)..PANEL {
                (q[i], gap[i]) = (0.0, 0.0);
            }
            for i in 0..PANEL {
                right[i] = q[i] * (z[i] - w[i]);
            }
            let (first, rest) = found.split_at_mut(products);
            let (second, third) = rest.split_at_mut(width);
            gram::<TILE>(&panel, q, first);
            project(&panel, &right, second);
            third.fill(total(&gap));
            sums.add(&found);
        }
        sums
    }
}

struct Correct<'a, 'd> {
    design: &'a Design<'d>,
    block: usize,
    states: &'a [State],
    centre: f64,
}

impl Kernel for Correct<'_, '_> {
    type Out = Sums;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn run<const TILE: usize>(self) -> Sums {
        let mut sums = Sums::new(self.design.width());
        let mut found = vec![0.0; self.design.width()];
        let mut views = vec![];
        for (number, state) in self.design.panels(self.block).zip(self.states) {
            let panel = self.design.panel(number, &mut views);
            let State { x, s, dx, dz, dw, q, .. } = state;
            let mut right = [0.0; PANEL];
            for i in 0..PANEL {
                let near = (dx[i] * dz[i] - self.centre) / x[i];
                let far = (dx[i] * dw[i] + self.centre) / s[i];
                right[i] = q[i] * (near + far);
            }
            project(&panel, &right, &mut found);
            sums.add(&found);
        }
        sums
    }
}

struct Steps<'a, 'd> {
    design: &'a Design<'d>,
    block: usize,
    states: &'a mut [State],
    step: &'a [f64],
    centre: Option<f64>,
}

/// The nearer of a wall and where a step meets another.
#[inline(always)]
fn nearer(wall: f64, from: f64, step: f64) -> f64 {
    let reach = -from / step;
    if step < 0.0 && reach < wall { reach } else { wall }
}

impl Kernel for Steps<'_, '_> {
    type Out = ([f64; 2], Sums);

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn run<const TILE: usize>(self) -> ([f64; 2], Sums) {
        const LANES: usize = 8;
        let mut walls = [[f64::INFINITY; LANES]; 2];
        let mut sums = Sums::new(4);
        let mut views = vec![];
        let (centre, corrects) = (self.centre.unwrap_or(0.0), self.centre.is_some());
        for (number, state) in self.design.panels(self.block).zip(self.states) {
            let panel = self.design.panel(number, &mut views);
            let e = predict(&panel, self.step);
            let State { x, s, z, w, dx, dz, dw, q } = state;
            let mut parts = [[0.0; PANEL]; 4];
            for i in 0..PANEL {
                // Errors of the affine step, to be made good by the corrected one.
                let (near, far) = if corrects {
                    ((centre - dx[i] * dz[i]) / x[i], (centre + dx[i] * dw[i]) / s[i])
                } else {
                    (0.0, 0.0)
                };
                let d = q[i] * (e[i] - (z[i] - w[i]) + near - far);
                dx[i] = d;
                dz[i] = near - z[i] - z[i] * d / x[i];
                dw[i] = far - w[i] + w[i] * d / s[i];
            }
            let rows = self.design.rows() - panel.start;
            for i in rows.min(PANEL)..PANEL {
                (dz[i], dw[i]) = (0.0, 0.0);
            }
            for i in 0..PANEL {
                parts[0][i] = z[i] * x[i] + w[i] * s[i];
                parts[1][i] = (z[i] - w[i]) * dx[i];
                parts[2][i] = dz[i] * x[i] + dw[i] * s[i];
                parts[3][i] = (dz[i] - dw[i]) * dx[i];
            }
            let [primal, dual] = &mut walls;
            for start in (0..PANEL).step_by(LANES) {
                for (lane, (primal, dual)) in primal.iter_mut().zip(dual.iter_mut()).enumerate() {
                    let i = start + lane;
                    *primal = nearer(nearer(*primal, x[i], dx[i]), s[i], -dx[i]);
                    *dual = nearer(nearer(*dual, z[i], dz[i]), w[i], dw[i]);
                }
            }
            let [now, first, second, both] = &mut parts;
            now.iter_mut().skip(rows).for_each(|pad| *pad = 0.0);
            sums.add(&[total(now), total(first), total(second), total(both)]);
        }
        let least = |lanes: [f64; LANES]| lanes.into_iter().fold(f64::INFINITY, f64::min);
        (walls.map(least), sums)
    }
}
