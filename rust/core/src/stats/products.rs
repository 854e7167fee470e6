//! Products of a whole design with row values.

use super::cpu::{Kernel, run};
use super::design::{BLOCK, Design, PANEL, Rows, padded};
use super::jobs::Jobs;
use super::moments::triangle;
use super::panel::{Sums, gram, predict, project};
use crate::isa::Isa;

/// `X b`: the linear predictor of each row.
///
/// # Errors
///
/// The caller asked to stop.
pub fn predictions<J: Jobs>(
    design: &Design<'_>,
    coefficients: &[f64],
    isa: Isa,
    jobs: &J,
) -> Result<Vec<f64>, J::Stop> {
    let mut out = vec![0.0; design.rows()];
    let mut blocks: Vec<&mut [f64]> = out.chunks_mut(BLOCK).collect();
    jobs.map(&mut blocks, |block, out| run(isa, Predict { design, coefficients, block, out }))?;
    Ok(out)
}

struct Predict<'a, 'd> {
    design: &'a Design<'d>,
    coefficients: &'a [f64],
    block: usize,
    out: &'a mut [f64],
}

impl Kernel for Predict<'_, '_> {
    type Out = ();

    #[inline(always)]
    fn run<const TILE: usize>(self) {
        let mut views = vec![];
        let slots = self.out.chunks_mut(PANEL);
        for (number, slots) in self.design.panels(self.block).zip(slots) {
            let found = predict(&self.design.panel(number, &mut views), self.coefficients);
            slots.iter_mut().zip(&found).for_each(|(slot, value)| *slot = *value);
        }
    }
}

/// `X' v` for row values.
///
/// # Errors
///
/// The caller asked to stop.
pub fn projection<J: Jobs>(
    design: &Design<'_>,
    values: &[f64],
    isa: Isa,
    jobs: &J,
) -> Result<Vec<f64>, J::Stop> {
    let parts = jobs.map(&mut vec![(); design.blocks()], |block, ()| {
        run(isa, Project { design, values, block })
    })?;
    Ok(merged(design.width(), &parts))
}

struct Project<'a, 'd> {
    design: &'a Design<'d>,
    values: &'a [f64],
    block: usize,
}

impl Kernel for Project<'_, '_> {
    type Out = Sums;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Sums {
        let mut sums = Sums::new(self.design.width());
        let mut found = vec![0.0; self.design.width()];
        let mut views = vec![];
        for number in self.design.panels(self.block) {
            let panel = self.design.panel(number, &mut views);
            project(&panel, &padded(self.values, panel.start), &mut found);
            sums.add(&found);
        }
        sums
    }
}

/// `X' q X` for row weights: the lower triangle by rows.
///
/// # Errors
///
/// The caller asked to stop.
pub fn weighted_gram<J: Jobs>(
    design: &Design<'_>,
    weights: &[f64],
    isa: Isa,
    jobs: &J,
) -> Result<Vec<f64>, J::Stop> {
    let parts = jobs.map(&mut vec![(); design.blocks()], |block, ()| {
        run(isa, Gram { design, weights, block })
    })?;
    Ok(merged(triangle(design.width()), &parts))
}

struct Gram<'a, 'd> {
    design: &'a Design<'d>,
    weights: &'a [f64],
    block: usize,
}

impl Kernel for Gram<'_, '_> {
    type Out = Sums;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Sums {
        let products = triangle(self.design.width());
        let mut sums = Sums::new(products);
        let mut found = vec![0.0; products];
        let mut views = vec![];
        for number in self.design.panels(self.block) {
            let panel = self.design.panel(number, &mut views);
            let weights: Rows = padded(self.weights, panel.start);
            gram::<TILE>(&panel, &weights, &mut found);
            sums.add(&found);
        }
        sums
    }
}

/// Totals of the sums of all blocks, added in order.
pub(super) fn merged(length: usize, parts: &[Sums]) -> Vec<f64> {
    let mut sums = Sums::new(length);
    parts.iter().for_each(|part| sums.merge(part));
    sums.totals()
}
