//! Scores of groups of rows: what errors by cluster and survey design are made of.

use super::link::{Link, Row, logit, probit};
use super::pass::Problem;
use crate::stats::cpu::{Kernel, run};
use crate::stats::design::{BLOCK, Design};
use crate::stats::jobs::Jobs;

/// The factor of each row by which its numbers enter the score: weight times derivative of the
/// log-likelihood.
///
/// # Errors
///
/// The caller asked to stop.
pub fn score_weights<J: Jobs>(
    problem: &Problem<'_>,
    coefficients: &[f64],
    jobs: &J,
) -> Result<Vec<f64>, J::Stop> {
    let mut out = vec![0.0; problem.design.rows()];
    let mut blocks: Vec<&mut [f64]> = out.chunks_mut(BLOCK).collect();
    jobs.map(&mut blocks, |block, out| match problem.link {
        Link::Logit => run(problem.isa, Pass { problem, coefficients, block, out, row: logit }),
        Link::Probit => run(problem.isa, Pass { problem, coefficients, block, out, row: probit }),
    })?;
    Ok(out)
}

struct Pass<'a, 'b, F> {
    problem: &'a Problem<'b>,
    coefficients: &'a [f64],
    block: usize,
    out: &'a mut [f64],
    row: F,
}

impl<F: Fn(f64, f64) -> Row + Copy> Kernel for Pass<'_, '_, F> {
    type Out = ();

    #[inline(always)]
    fn run<const TILE: usize>(self) {
        let mut views = vec![];
        for number in self.problem.design.panels(self.block) {
            let panel = self.problem.design.panel(number, &mut views);
            let [_, score, _] = self.problem.rows(&panel, self.coefficients, self.row);
            let from = panel.start - self.block * BLOCK;
            let slots = self.out.get_mut(from..).unwrap_or(&mut []);
            slots.iter_mut().zip(score).for_each(|(slot, score)| *slot = score);
        }
    }
}

/// Sums by group of each column times a factor: `groups` times as many numbers as there are columns,
/// column by column. Rows are added in their order. A group outside `0..groups` is left out.
///
/// # Errors
///
/// The caller asked to stop.
pub fn group_sums<J: Jobs>(
    design: &Design<'_>,
    factors: &[f64],
    ids: &[u32],
    groups: usize,
    jobs: &J,
) -> Result<Vec<f64>, J::Stop> {
    let mut columns = vec![(); design.width()];
    let sums = jobs.map(&mut columns, |index, ()| {
        let mut out = vec![0.0; groups];
        let mut add = |id: u32, value: f64| {
            if let Some(slot) = out.get_mut(id as usize) {
                *slot += value;
            }
        };
        match design.column(index) {
            Some(column) => {
                let rows = ids.iter().zip(factors).zip(column);
                rows.for_each(|((&id, factor), x)| add(id, factor * x));
            }
            None => ids.iter().zip(factors).for_each(|(&id, &factor)| add(id, factor)),
        }
        out
    })?;
    Ok(sums.concat())
}
