//! The points of every code, in doubles and in fixed point.

use std::sync::Arc;

use super::codes::Codes;
use crate::pmt::{Plan, Status, add256};

/// Points of the codes of a slot.
#[derive(Debug, Clone)]
pub struct Points {
    /// Points; NaN where the answer makes the score null.
    pub points: [f64; 256],
    /// [`Status`] of such an answer.
    pub status: [u8; 256],
}

/// Fixed-point sums lie between plus and minus this, so that no sum of two overflows.
const LARGEST: f64 = (1 << 30) as f64;

/// Fixed-point units that are tried, as parts of one: first those that doubles hold exactly, then
/// those of decimals.
const UNITS: [f64; 17] = [
    1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 10.0, 100.0, 1e3, 1e4, 1e5,
    1e6,
];
/// Number of [`UNITS`] that doubles hold exactly.
const DYADIC: usize = 11;

/// A model's points on the codes of a registry.
#[derive(Debug)]
pub struct Formula {
    plan: Arc<Plan>,
    points: Vec<Points>,
    /// Points in units of 1 / `scale`; 0 where there are none.
    pub(super) fixed: Vec<[i32; 256]>,
    /// Codes that make the score null and do occur, with the status.
    pub(super) nulls: Vec<Vec<(u8, u8)>>,
    scale: f64,
    /// Most by which the sum of doubles and the fixed-point sum can differ.
    error: f64,
    /// Lowest and highest fixed-point sum of any household.
    pub(super) reach: [i32; 2],
}

impl Formula {
    /// The formula of a model: steps and intercepts are those of `plan`. It keeps the unit of
    /// `before` if that is as good as any, so that sums need not be made anew.
    #[must_use]
    pub fn new(plan: Arc<Plan>, points: Vec<Points>, codes: &Codes, before: Option<&Self>) -> Self {
        let seen = |slot: usize, code: usize| {
            codes.seen.get(slot).and_then(|seen| seen.get(code)).copied().unwrap_or(false)
        };
        // Points of the answers that occur.
        let used: Vec<Vec<f64>> = points
            .iter()
            .enumerate()
            .map(|(slot, table)| {
                let found = table.points.iter().enumerate();
                found.filter(|(c, p)| seen(slot, *c) && !p.is_nan()).map(|(_, &p)| p).collect()
            })
            .collect();
        let models = (0..).map_while(|m| plan.intercept(m));
        let intercepts: Vec<f64> = models.collect();
        let largest = |of: &[f64]| of.iter().fold(0.0f64, |most, p| most.max(p.abs()));
        let sum = used.iter().map(|points| largest(points)).sum::<f64>();
        let total = sum + largest(&intercepts);
        let (scale, off) = unit(&used, &intercepts, sum, before.map(|b| b.scale));
        // Doubles: each addition and each point is off by at most half a unit in the last place of
        // a number below `total`; four times that leaves room for the arithmetic here.
        let additions = used.len() as f64 + 4.0;
        let dyadic = scale.to_bits().trailing_zeros() >= 52 && off == 0.0;
        let whole = |p: &f64| (p * scale).fract() == 0.0 && (p * scale).abs() < LARGEST * 1e6;
        let error = if dyadic && intercepts.iter().all(whole) {
            0.0
        } else {
            additions * (2.0 * f64::EPSILON * total + off / scale)
        };
        let to_fixed = |p: f64| if p.is_nan() { 0 } else { (p * scale).round_ties_even() as i32 };
        let fixed: Vec<[i32; 256]> = points.iter().map(|t| t.points.map(to_fixed)).collect();
        let nulls = points.iter().enumerate().map(|(slot, table)| {
            let all = table.points.iter().zip(&table.status).zip(0u8..=u8::MAX);
            let null = all.filter(|((p, _), c)| p.is_nan() && seen(slot, usize::from(*c)));
            null.map(|((_, &status), code)| (code, status)).collect()
        });
        let nulls = nulls.collect();
        let mut reach = [0i32; 2];
        for points in &used {
            let [low, high] = &mut reach;
            let of = |pick: fn(f64, f64) -> f64| points.iter().copied().reduce(pick);
            *low = low.wrapping_add(of(f64::min).map_or(0, to_fixed));
            *high = high.wrapping_add(of(f64::max).map_or(0, to_fixed));
        }
        Self { plan, points, fixed, nulls, scale, error, reach }
    }

    /// Whether sums are right whatever their order, so that nobody's doubles are ever needed.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.error == 0.0
    }

    /// Whether sums in units of `other` are sums in units of this, and null for the same answers.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        self.scale.to_bits() == other.scale.to_bits() && self.nulls == other.nulls
    }

    /// Number of sub-models.
    pub(super) fn models(&self) -> usize {
        (0..).map_while(|m| self.plan.intercept(m)).count()
    }

    /// The raw sums, in doubles, that a fixed-point sum can stand for.
    pub(super) fn raw(&self, model: usize, fixed: i32) -> [f64; 2] {
        let x = self.plan.intercept(model).unwrap_or(0.0) + f64::from(fixed) / self.scale;
        [x - self.error, x + self.error]
    }

    /// A raw sum after all steps; not finite where there is no score.
    pub(super) fn scaled(&self, model: usize, raw: f64) -> f64 {
        // No step may turn infinity back into a number.
        let found = self.plan.scaled(model, raw).filter(|_| raw.is_finite());
        found.unwrap_or(f64::NAN)
    }

    /// The score that a fixed-point sum stands for, if it is the same for all raw sums that it can
    /// stand for.
    pub(super) fn score_of(&self, model: usize, fixed: i32) -> Option<f64> {
        let [low, high] = self.raw(model, fixed).map(|raw| self.scaled(model, raw));
        (low.to_bits() == high.to_bits() && low.is_finite()).then_some(low)
    }

    /// Writes the scores of rows `start ..` from their doubles; NaN where they are null.
    pub(super) fn scores_of_rows(&self, codes: &Codes, start: usize, scores: &mut [f64]) {
        let intercepts: Vec<f64> = (0..).map_while(|m| self.plan.intercept(m)).collect();
        for (score, row) in scores.iter_mut().zip(start..) {
            let model = codes.stratum(row).and_then(|model| intercepts.get(model));
            *score = model.copied().unwrap_or(f64::NAN);
        }
        for (slot, table) in codes.slots.iter().zip(&self.points) {
            add256(slot.get(start..).unwrap_or(&[]), &table.points, scores);
        }
        for (score, row) in scores.iter_mut().zip(start..) {
            let found = codes.stratum(row).map(|model| self.scaled(model, *score));
            *score = found.filter(|score| score.is_finite()).unwrap_or(f64::NAN);
        }
    }

    /// The score of a household from its doubles, added in model order; `None` if it is null.
    #[must_use]
    pub fn score_row(&self, codes: &Codes, row: usize) -> Option<f64> {
        let model = codes.stratum(row)?;
        let mut sum = self.plan.intercept(model)?;
        for (slot, table) in codes.slots.iter().zip(&self.points) {
            let code = usize::from(*slot.get(row)?);
            sum += table.points.get(code).copied().unwrap_or(f64::NAN);
        }
        Some(self.scaled(model, sum)).filter(|score| score.is_finite())
    }

    /// [`Status`] code of a household whose score is null.
    #[must_use]
    pub fn status_row(&self, codes: &Codes, row: usize) -> u8 {
        let invalid = Status::OutOfDomain as u8;
        let Some(_) = codes.stratum(row) else {
            let code = codes.strata.as_ref().and_then(|strata| strata.get(row));
            let missing = code == Some(&super::coding::NO_STRATUM);
            return if missing { Status::Missing as u8 } else { invalid };
        };
        let mut found = Status::Ok as u8;
        for (slot, table) in codes.slots.iter().zip(&self.points) {
            let code = usize::from(slot.get(row).copied().unwrap_or(0));
            if table.points.get(code).is_some_and(|p| p.is_nan()) {
                found = found.max(table.status.get(code).copied().unwrap_or(0));
            }
        }
        if found == Status::Ok as u8 { invalid } else { found }
    }
}

/// Parts of one in which all points are whole, and how far off the worst is, in parts; points are
/// rounded where no unit fits.
fn unit(points: &[Vec<f64>], intercepts: &[f64], sum: f64, before: Option<f64>) -> (f64, f64) {
    let fits = |scale: f64| sum * scale + (points.len() as f64) < LARGEST;
    // A decimal is the double nearest to a whole number divided by the unit.
    let is_whole = |p: f64, scale: f64| (p * scale).round_ties_even() / scale == p;
    let whole = |scale: f64| points.iter().flatten().all(|&p| is_whole(p, scale));
    // Intercepts are no part of the sums, but sums are exact only if these are whole too.
    let starts = |scale: f64| intercepts.iter().all(|&p| is_whole(p, scale));
    let kept = before.filter(|b| UNITS.contains(b));
    let dyadic = || UNITS.iter().take(DYADIC).copied();
    let exact = kept.filter(|b| dyadic().any(|d| d == *b)).into_iter();
    let exact = exact.chain(dyadic()).filter(|&scale| starts(scale));
    let wanted = exact.chain(kept).chain(UNITS);
    if let Some(scale) = { wanted }.find(|&scale| fits(scale) && whole(scale)) {
        return (scale, 0.0);
    }
    if let Some(scale) = before.filter(|&scale| fits(scale) && !fits(scale * 16.0)) {
        return (scale, 0.5);
    }
    // The finest power of two that fits, with a bit to spare for what may be changed.
    let exponent = (LARGEST / 4.0 / (sum + f64::MIN_POSITIVE)).log2().floor();
    (exponent.clamp(-1000.0, 1000.0).exp2(), 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_the_coarsest_in_which_all_points_are_whole() {
        assert_eq!(unit(&[vec![1.0, 7.0], vec![-12.0]], &[], 19.0, None), (1.0, 0.0));
        assert_eq!(unit(&[vec![1.25, 7.5]], &[3.0], 7.5, None), (4.0, 0.0));
        assert_eq!(unit(&[vec![0.1, 16.17]], &[], 16.17, None), (100.0, 0.0));
        assert_eq!(unit(&[vec![3.0]], &[0.25], 3.0, None), (4.0, 0.0));
        assert_eq!(unit(&[vec![3.0]], &[0.1], 3.0, None), (1.0, 0.0));
        assert_eq!(unit(&[vec![3.0]], &[0.1], 3.0, Some(100.0)), (100.0, 0.0));
        assert_eq!(unit(&[vec![3.0]], &[], 3.0, Some(8.0)), (8.0, 0.0));
        let (scale, off) = unit(&[vec![1.0 / 3.0]], &[], 1.0 / 3.0, None);
        assert!(off == 0.5 && scale >= 2f64.powi(26) && scale / 3.0 < LARGEST);
        for sum in [0.0, 5e-324, 1e308, f64::MAX] {
            assert!(unit(&[vec![sum], vec![0.3]], &[sum], sum, None).0 > 0.0);
        }
    }
}
