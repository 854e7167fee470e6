//! One pass over the rows: all that a step needs.

use super::link::{Link, Row, logit, probit};
use crate::isa::Isa;
use crate::stats::cpu::{Kernel, run};
use crate::stats::design::{Design, PANEL, Panel, Rows, padded};
use crate::stats::jobs::Jobs;
use crate::stats::moments::triangle;
use crate::stats::panel::{Sums, gram, predict, project, total};

/// A weighted regression of a target from 0 to 1.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Regressors.
    pub design: &'a Design<'a>,
    /// A number from 0 to 1 for each row.
    pub target: &'a [f64],
    /// A weight for each row, none negative.
    pub weights: &'a [f64],
    /// Link.
    pub link: Link,
    /// Instructions to use; the answer is the same.
    pub isa: Isa,
}

/// The likelihood and its derivatives at some coefficients.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Lower triangle by rows.
    pub information: Vec<f64>,
    pub score: Vec<f64>,
    pub likelihood: f64,
}

impl Problem<'_> {
    /// All rows, or one panel of `stride`.
    pub(super) fn sample<J: Jobs>(
        &self,
        at: &[f64],
        stride: usize,
        jobs: &J,
    ) -> Result<Sample, J::Stop> {
        let width = self.design.width();
        let parts = jobs.map(&mut vec![(); self.design.blocks()], |block, ()| match self.link {
            Link::Logit => run(self.isa, Pass { problem: self, at, block, stride, row: logit }),
            Link::Probit => run(self.isa, Pass { problem: self, at, block, stride, row: probit }),
        })?;
        let mut sums = Sums::new(triangle(width) + width + 1);
        parts.iter().for_each(|part| sums.merge(part));
        let mut information = sums.totals();
        let mut score = information.split_off(triangle(width));
        let likelihood = score.pop().unwrap_or(f64::NAN);
        Ok(Sample { information, score, likelihood })
    }

    /// Linear predictors of a panel, and what each row adds.
    #[inline(always)]
    pub(super) fn rows(
        &self,
        panel: &Panel<'_>,
        at: &[f64],
        row: impl Fn(f64, f64) -> Row,
    ) -> [Rows; 3] {
        let eta = predict(panel, at);
        let target = padded(self.target, panel.start);
        let weights = padded(self.weights, panel.start);
        let mut out = [[0.0; PANEL]; 3];
        let [information, score, likelihood] = &mut out;
        for ((((eta, y), w), information), (score, likelihood)) in (eta.iter().zip(&target))
            .zip(&weights)
            .zip(information)
            .zip(score.iter_mut().zip(likelihood))
        {
            let row = row(*eta, *y);
            *information = w * row.information;
            *score = w * row.score;
            *likelihood = w * row.likelihood;
        }
        out
    }
}

struct Pass<'a, 'b, F> {
    problem: &'a Problem<'b>,
    at: &'a [f64],
    block: usize,
    stride: usize,
    row: F,
}

impl<F: Fn(f64, f64) -> Row + Copy> Kernel for Pass<'_, '_, F> {
    type Out = Sums;

    #[inline(always)]
    fn run<const TILE: usize>(self) -> Sums {
        let design = self.problem.design;
        let (products, width) = (triangle(design.width()), design.width());
        let mut sums = Sums::new(products + width + 1);
        let mut values = vec![0.0; products + width + 1];
        let mut views = vec![];
        for number in design.panels(self.block).step_by(self.stride) {
            let panel = design.panel(number, &mut views);
            let [information, score, likelihood] = self.problem.rows(&panel, self.at, self.row);
            let (first, rest) = values.split_at_mut(products);
            let (second, third) = rest.split_at_mut(width);
            gram::<TILE>(&panel, &information, first);
            project(&panel, &score, second);
            third.fill(total(&likelihood));
            sums.add(&values);
        }
        sums
    }
}
