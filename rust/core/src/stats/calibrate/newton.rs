//! Newton's method on the dual of a calibration, damped and with a line search.

use super::distance::{Curve, Distance};
use super::factor::Factor;

/// Sums over the rows of a block, or over all.
#[derive(Debug, Clone)]
pub struct Sums {
    /// For each total: sum under the weights of the multipliers.
    pub totals: Vec<f64>,
    /// Slopes of those sums: the lower triangle, by rows of as many as there are totals.
    pub slopes: Vec<f64>,
}

impl Sums {
    /// Zeros for so many totals.
    #[must_use]
    pub fn zeros(totals: usize) -> Self {
        Self { totals: vec![0.0; totals], slopes: vec![0.0; totals * totals] }
    }

    fn clear(&mut self) {
        self.totals.fill(0.0);
        self.slopes.fill(0.0);
    }

    fn add(&mut self, other: &Self) {
        self.totals.iter_mut().zip(&other.totals).for_each(|(a, b)| *a += b);
        self.slopes.iter_mut().zip(&other.slopes).for_each(|(a, b)| *a += b);
    }
}

/// Rows in a form that can be summed for given multipliers.
pub trait Layout: Sync {
    /// Number of totals.
    fn totals(&self) -> usize;
    /// Number of blocks, a matter of the data only.
    fn blocks(&self) -> usize;
    /// Rows that can be told apart.
    fn units(&self) -> usize;
    /// Adds the sums of a block.
    fn add(&self, block: usize, multipliers: &[f64], distance: &Distance, sums: &mut Sums);
    /// The factor of each row, in the order of the rows.
    fn factors(&self, multipliers: &[f64], distance: &Distance) -> Vec<f64>;
}

/// The work on one block, with its number.
pub type Work<'w> = dyn Fn(usize, &mut Sums) + Sync + 'w;

/// Does the work on every block, on any threads in any order; Err stops the solver.
pub type Each<'e, E> = dyn Fn(&mut [Sums], &Work<'_>) -> Result<(), E> + Sync + 'e;

/// One step of the solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Largest miss of a total, relative to its size.
    pub worst: f64,
    /// The total missed most.
    pub total: usize,
    /// Share of the Newton step that was taken; 0 before the first.
    pub length: f64,
}

/// What is to be solved.
#[derive(Debug)]
pub struct Problem<'p> {
    /// The curve.
    pub distance: Distance,
    /// Totals wanted.
    pub targets: &'p [f64],
    /// What a miss of 1 is relative to.
    pub sizes: &'p [f64],
    /// For each total: by how much it may be missed for each unit of its multiplier; 0 for exact.
    pub slack: &'p [f64],
    /// Totals that take part; the others follow from them.
    pub active: &'p [bool],
    /// Square roots of the diagonal of the slopes where no factor is cut off.
    pub scale: &'p [f64],
    /// Largest relative miss.
    pub tolerance: f64,
    /// Most steps.
    pub max_iterations: usize,
}

/// Where the solver ended.
#[derive(Debug)]
pub struct End {
    /// True when the totals are hit.
    pub solved: bool,
    /// Multipliers.
    pub multipliers: Vec<f64>,
    /// Sums of the totals.
    pub achieved: Vec<f64>,
    /// All steps.
    pub trace: Vec<Step>,
}

/// A miss that rounding may leave where no step gains any more.
const FLOOR: f64 = 1e-9;

/// A step is good enough when no more than this share of the slope along it is left, or when it halves
/// the worst miss. Where factors are cut off the slopes jump from step to step, and a
/// search that stops early goes to and fro: the first is for those.
const LEFT: (f64, f64) = (0.1, 0.5);

/// Trials of the length of a step.
const TRIALS: usize = 40;

/// First share of the diagonal that is added where the slopes are singular, and by how much it grows.
const DAMPING: (f64, f64, usize) = (1e-8, 100.0, 5);

/// Sums and evaluations of a layout.
pub struct Pass<'l, L, E> {
    layout: &'l L,
    each: &'l Each<'l, E>,
    parts: Vec<Sums>,
}

impl<'l, L: Layout, E> Pass<'l, L, E> {
    /// A place for the sums of a layout.
    pub fn new(layout: &'l L, each: &'l Each<'l, E>) -> Self {
        Self { layout, each, parts: vec![Sums::zeros(layout.totals()); layout.blocks()] }
    }

    /// The rows.
    pub fn layout(&self) -> &'l L {
        self.layout
    }

    /// Sums over all rows, block after block.
    ///
    /// # Errors
    ///
    /// What `each` gives.
    pub fn sums(&mut self, multipliers: &[f64], distance: &Distance) -> Result<Sums, E> {
        (self.each)(&mut self.parts, &|block, sums| {
            sums.clear();
            self.layout.add(block, multipliers, distance, sums);
        })?;
        let mut all = Sums::zeros(self.layout.totals());
        self.parts.iter().for_each(|part| all.add(part));
        Ok(all)
    }
}

/// A place on the way: multipliers, the sums there, and how far they are from the targets.
struct Place {
    multipliers: Vec<f64>,
    sums: Sums,
    gradient: Vec<f64>,
    worst: f64,
    total: usize,
}

impl Problem<'_> {
    /// Solves from the given multipliers on, with the sums there if they are known.
    ///
    /// # Errors
    ///
    /// What the evaluation gives, to stop.
    pub fn solve<L: Layout, E>(
        &self,
        pass: &mut Pass<'_, L, E>,
        start: Vec<f64>,
        known: Option<Sums>,
    ) -> Result<End, E> {
        let mut here = match known {
            Some(sums) => self.place(start, sums),
            None => self.go(pass, start)?,
        };
        let mut trace = vec![Step { worst: here.worst, total: here.total, length: 0.0 }];
        let mut solved = here.worst <= self.tolerance;
        while !solved && trace.len() <= self.max_iterations {
            let Some(direction) = self.direction(&here) else { break };
            let Some((next, length)) = self.search(pass, &here, &direction)? else {
                solved = here.worst <= FLOOR; // rounding is all that is left
                break;
            };
            trace.push(Step { worst: next.worst, total: next.total, length });
            here = next;
            solved = here.worst <= self.tolerance;
        }
        Ok(End { solved, multipliers: here.multipliers, achieved: here.sums.totals, trace })
    }

    fn go<L: Layout, E>(
        &self,
        pass: &mut Pass<'_, L, E>,
        multipliers: Vec<f64>,
    ) -> Result<Place, E> {
        let sums = pass.sums(&multipliers, &self.distance)?;
        Ok(self.place(multipliers, sums))
    }

    fn place(&self, multipliers: Vec<f64>, sums: Sums) -> Place {
        let parts = sums.totals.iter().zip(self.targets).zip(&multipliers).zip(self.slack);
        let gradient: Vec<f64> = parts.map(|(((sum, t), m), slack)| sum - t + slack * m).collect();
        let (mut worst, mut total) = (0.0, 0);
        let misses = gradient.iter().zip(self.sizes).zip(self.active).enumerate();
        for (k, ((gradient, size), _)) in misses.filter(|(_, (_, active))| **active) {
            let miss = gradient.abs() / size;
            // Not a number counts as the worst of all.
            if miss > worst || miss.is_nan() {
                (worst, total) = (if miss.is_nan() { f64::INFINITY } else { miss }, k);
            }
        }
        Place { multipliers, sums, gradient, worst, total }
    }

    /// The Newton step, damped as far as the slopes are singular.
    fn direction(&self, here: &Place) -> Option<Vec<f64>> {
        let size = self.targets.len();
        let (mut share, growth, tries) = DAMPING;
        let right: Vec<f64> = here.gradient.iter().map(|g| -g).collect();
        for attempt in 0..=tries {
            let mut slopes = here.sums.slopes.clone();
            let damping = if attempt == 0 { 0.0 } else { share };
            let diagonal = slopes.iter_mut().step_by(size + 1);
            for ((slope, slack), scale) in diagonal.zip(self.slack).zip(self.scale) {
                *slope += slack + damping * scale * scale;
            }
            // Scaled by itself: a pivot is small for what depends on others, not for what is small.
            let own =
                slopes.iter().step_by(size + 1).map(|d| d.max(0.0).sqrt()).collect::<Vec<_>>();
            let factor = Factor::new(&slopes, &own, self.active);
            if factor.kept() == self.active {
                let step = factor.solve(&right);
                return step.iter().all(|x| x.is_finite()).then_some(step);
            }
            if attempt > 0 {
                share *= growth;
            }
        }
        None
    }

    /// The next place along a direction, and how much of it was gone; none if no step gains.
    ///
    /// The dual is convex, so the slope along the direction rises from below zero through zero at
    /// the best length: gradients tell where to look, and no values are lost to cancellation.
    fn search<L: Layout, E>(
        &self,
        pass: &mut Pass<'_, L, E>,
        here: &Place,
        direction: &[f64],
    ) -> Result<Option<(Place, f64)>, E> {
        let along = |gradient: &[f64]| gradient.iter().zip(direction).map(|(g, d)| g * d).sum();
        let first: f64 = along(&here.gradient);
        let left = if self.distance.curve == Curve::Linear { LEFT.0 } else { LEFT.1 };
        let (mut short, mut long) = ((0.0, first), None::<f64>);
        let mut length = 1.0;
        for _ in 0..TRIALS {
            let moved = here.multipliers.iter().zip(direction).map(|(m, d)| m + length * d);
            let next = self.go(pass, moved.collect())?;
            let slope: f64 = along(&next.gradient);
            let finite = slope.is_finite() && next.worst.is_finite();
            if finite && (slope.abs() <= left * first.abs() || next.worst <= 0.5 * here.worst) {
                return Ok((next.worst < here.worst || slope.abs() < first.abs())
                    .then_some((next, length)));
            }
            if here.worst <= FLOOR {
                break; // no step gains where the sums are as near as rounding lets them be
            }
            if finite && slope < 0.0 {
                short = (length, slope);
                length = long.map_or(4.0 * length, |long| f64::midpoint(length, long));
                continue;
            }
            long = Some(length);
            let width = length - short.0;
            // Where the slope would be zero if it rose in a line; not too near to either end.
            let share = if finite { -short.1 / (slope - short.1) } else { 0.1 };
            length = short.0 + width * share.clamp(0.05, 0.5);
        }
        Ok(None)
    }
}
