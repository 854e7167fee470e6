//! A calibration from rows to weights.

use super::cells::{Cells, MOST_COLUMNS};
use super::factor::Factor;
use super::newton::{Each, Layout, Pass, Problem, Sums};
use super::reach;
use super::sparse::Sparse;
use super::spread::Spread;
use super::trim::trim;
use super::{Curve, Distance, NONE, Options, Rows, Solution, Target, Term, Trouble};

/// Relative difference up to which totals that fix each other agree.
const AGREE: f64 = 1e-9;

/// A total much smaller than what adds up to it is judged by this share of that.
const SMALL: f64 = 1e-6;

/// Calibrates the rows to the targets, one for each total that the terms name. `each` runs the
/// blocks of a pass on any threads; what it returns as an error stops the work.
///
/// # Errors
///
/// What `each` gives. Why there is no solution is the inner error.
///
/// # Complexity
///
/// Each step takes time in the number of units times the square of the terms (not of the totals),
/// and the cube of the number of totals.
pub fn calibrate<E>(
    rows: &Rows<'_>,
    terms: &[Term],
    targets: &[Target],
    options: &Options,
    each: &Each<'_, E>,
) -> Result<Result<Solution, Trouble>, E> {
    let own = Own::new(terms, targets);
    let limits = match limits(rows, options) {
        Ok(limits) => limits,
        Err(trouble) => return Ok(Err(trouble)),
    };
    let summed = || own.terms.iter().filter(|term| term.of.is_some());
    let listed = rows.clusters.is_some()
        || summed().count() > MOST_COLUMNS
        || summed().any(|term| !term.variables.is_empty());
    let size = own.targets.len();
    let found = if listed {
        match Sparse::new(rows, &own.terms, size, &limits) {
            Ok(layout) => match layout.cramped(&options.distance) {
                Some(row) => Err(Trouble::NoRoom { row }),
                None => own.solve(rows, &layout, options, each)?,
            },
            Err(trouble) => Err(trouble),
        }
    } else {
        match Cells::new(rows, &own.terms, size, &limits) {
            Ok(layout) => own.solve(rows, &layout, options, each)?,
            Err(trouble) => Err(trouble),
        }
    };
    Ok(match found {
        Ok(solution) => Ok(own.in_all(solution)),
        Err(trouble) => Err(own.named(trouble)),
    })
}

/// Bounds of the factor of each row; none where they are the same for all.
fn limits(rows: &Rows<'_>, options: &Options) -> Result<Vec<(f64, f64)>, Trouble> {
    let Some((low, high)) = options.weight_bounds else { return Ok(vec![]) };
    let d = options.distance;
    let own = |w: &f64| ((low / w).max(d.low), (high / w).min(d.high));
    let all: Vec<(f64, f64)> = rows.weights.iter().map(own).collect();
    match all.iter().position(|limits| !d.room(*limits)) {
        Some(row) => Err(Trouble::NoRoom { row }),
        None => Ok(all),
    }
}

/// The totals that are wanted, those to be hit first, and the terms that count for them.
struct Own {
    targets: Vec<Target>,
    /// Number of each among all.
    number: Vec<usize>,
    all: usize,
    terms: Vec<Term>,
    /// Number of each term among all.
    term: Vec<usize>,
}

impl Own {
    fn new(terms: &[Term], targets: &[Target]) -> Self {
        let wanted = |exact: bool| {
            let fits = move |t: &Target| !t.total.is_nan() && t.cost.is_infinite() == exact;
            targets.iter().enumerate().filter(move |(_, t)| fits(t))
        };
        let (number, targets_own): (Vec<usize>, Vec<Target>) =
            wanted(true).chain(wanted(false)).map(|(k, t)| (k, *t)).unzip();
        let mut place = vec![NONE; targets.len()];
        for (own, &k) in (0..).zip(&number) {
            if let Some(place) = place.get_mut(k) {
                *place = own;
            }
        }
        let of = |&t: &u32| place.get(t as usize).copied().unwrap_or(NONE);
        let own = terms
            .iter()
            .map(|term| Term { totals: term.totals.iter().map(of).collect(), ..term.clone() });
        // A term of which no total is wanted says nothing.
        let used = own.enumerate().filter(|(_, term)| term.totals.iter().any(|&t| t != NONE));
        let (term, terms) = used.unzip();
        Self { targets: targets_own, number, all: targets.len(), terms, term }
    }

    fn solve<L: Layout, E>(
        &self,
        rows: &Rows<'_>,
        layout: &L,
        options: &Options,
        each: &Each<'_, E>,
    ) -> Result<Result<Solution, Trouble>, E> {
        let given = options.distance;
        let limited = given.bounded() || options.weight_bounds.is_some();
        let line = given.curve == Curve::Linear && !limited;
        let distance = if line { Distance::LINE } else { given };
        let mut pass = Pass::new(layout, each);
        let zeros = vec![0.0; self.targets.len()];
        let plain = pass.sums(&zeros, &Distance::LINE)?;
        let spread = Spread::of(rows.weights);
        let Setup { totals, scale, sizes, slack } = self.setup(&plain, spread.sum);
        let active = match self.independent(&plain, &scale, &slack) {
            Ok(active) => active,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let problem = Problem {
            distance,
            targets: &totals,
            sizes: &sizes,
            slack: &slack,
            active: &active,
            scale: &scale,
            tolerance: options.tolerance,
            max_iterations: options.max_iterations,
        };
        let before = plain.totals.clone();
        let start = self.start(rows, &before, distance.curve, &active);
        let end = problem.solve(&mut pass, start, line.then_some(plain))?;
        if !end.solved {
            let near = reach::explain(&mut pass, &problem, spread.sum)?;
            return Ok(Err(match near {
                Some((nearest, free)) => Trouble::OutOfReach { nearest, free },
                None => Trouble::NotConverged { trace: end.trace },
            }));
        }
        let mut weights = layout.factors(&end.multipliers, &distance);
        let factors = Spread::of(&weights);
        let at_bound = if limited { at_bound(&weights, rows.weights, options) } else { 0 };
        weights.iter_mut().zip(rows.weights).for_each(|(g, d)| *g *= d);
        if let Some((low, high)) = options.weight_bounds {
            // The bound over the design weight, times the design weight, may be off by a last bit.
            weights.iter_mut().for_each(|weight| *weight = weight.max(low).min(high));
        }
        let mut achieved = end.achieved;
        let mut trimmed = 0;
        if let Some(bounds) = options.trim {
            let Some(cut) = trim(&mut weights, bounds) else {
                return Ok(Err(Trouble::TrimTooTight { sum: Spread::of(&weights).sum }));
            };
            trimmed = cut;
            achieved = self.sums(rows, &weights);
        }
        Ok(Ok(Solution {
            at_bound,
            spread: [spread, Spread::of(&weights)],
            factors: (factors.min, factors.max),
            weights,
            before,
            achieved,
            trace: end.trace,
            trimmed,
            units: layout.units(),
        }))
    }

    /// What the targets are measured by.
    fn setup(&self, plain: &Sums, weight: f64) -> Setup {
        let size = self.targets.len();
        let squares: Vec<f64> = plain.slopes.iter().step_by(size + 1).copied().collect();
        let totals: Vec<f64> = self.targets.iter().map(|t| t.total).collect();
        // By Cauchy and Schwarz no less than the sum of absolute values.
        let typical: Vec<f64> = squares.iter().map(|s| (s * weight).sqrt()).collect();
        let both = || totals.iter().zip(&typical);
        let sizes: Vec<f64> = both().map(|(t, typical)| t.abs().max(SMALL * typical)).collect();
        let priced = self.targets.iter().zip(&typical).map(|(t, typical)| {
            let unit = if t.total == 0.0 { *typical } else { t.total };
            if t.cost.is_infinite() { 0.0 } else { unit * unit / (t.cost * weight) }
        });
        let scale = squares.iter().map(|s| s.sqrt()).collect();
        Setup { slack: priced.collect(), totals, scale, sizes }
    }

    /// Totals that do not follow from others; what follows must agree.
    fn independent(
        &self,
        plain: &Sums,
        scale: &[f64],
        slack: &[f64],
    ) -> Result<Vec<bool>, Trouble> {
        let size = self.targets.len();
        let empty = scale.iter().zip(&self.targets).position(|(s, t)| *s == 0.0 && t.total != 0.0);
        if let Some(total) = empty {
            return Err(Trouble::Empty { total });
        }
        let mut slopes = plain.slopes.clone();
        slopes.iter_mut().step_by(size + 1).zip(slack).for_each(|(slope, slack)| *slope += slack);
        let own: Vec<f64> = slopes.iter().step_by(size + 1).map(|d| d.sqrt()).collect();
        let factor = Factor::new(&slopes, &own, &vec![true; size]);
        let left_out = factor.kept().iter().zip(&self.targets).enumerate();
        for (total, (_, target)) in
            left_out.filter(|(_, (kept, t))| !**kept && t.cost.is_infinite())
        {
            let dependency = factor.dependency(total);
            let (mut implied, mut size) = (0.0, target.total.abs());
            for &(other, coefficient) in &dependency.others {
                let part = coefficient * self.targets.get(other).map_or(0.0, |t| t.total);
                implied += part;
                size = f64::max(size, part.abs());
            }
            if (implied - target.total).abs() > AGREE * size {
                let others = dependency.others.iter().map(|other| other.0).collect();
                return Err(Trouble::Contradiction { total, implied, others });
            }
        }
        Ok(factor.kept().to_vec())
    }

    /// Multipliers to begin with. Raking begins with one step of the classic procedure: the first
    /// margin is hit, and so the size of the population, however small the sample.
    fn start(&self, rows: &Rows<'_>, before: &[f64], curve: Curve, active: &[bool]) -> Vec<f64> {
        let mut start = vec![0.0; self.targets.len()];
        let margin = self.terms.iter().find(|term| term.of.is_none());
        let Some(margin) = margin.filter(|_| {
            curve == Curve::Raking && rows.variance.is_none() && rows.clusters.is_none()
        }) else {
            return start;
        };
        let own = margin.totals.iter().map(|&t| t as usize);
        for total in own.filter(|&t| active.get(t).copied().unwrap_or(false)) {
            let parts = (start.get_mut(total), self.targets.get(total), before.get(total));
            if let (Some(start), Some(target), Some(&before)) = parts
                && target.total > 0.0
                && before > 0.0
            {
                *start = (target.total / before).ln();
            }
        }
        start
    }

    /// Totals under any weights.
    fn sums(&self, rows: &Rows<'_>, weights: &[f64]) -> Vec<f64> {
        let mut sums = vec![0.0; self.targets.len()];
        for (row, weight) in weights.iter().enumerate() {
            for term in &self.terms {
                if let Some(sum) = sums.get_mut(term.total(rows, row) as usize) {
                    *sum += weight * term.amount(rows, row);
                }
            }
        }
        sums
    }

    /// Totals of a solution among all totals; NaN where there is none.
    fn in_all(&self, solution: Solution) -> Solution {
        let place = |own: &[f64]| {
            let mut all = vec![f64::NAN; self.all];
            for (&k, value) in self.number.iter().zip(own) {
                if let Some(slot) = all.get_mut(k) {
                    *slot = *value;
                }
            }
            all
        };
        let mut trace = solution.trace;
        trace.iter_mut().for_each(|step| step.total = self.name(step.total));
        Solution {
            before: place(&solution.before),
            achieved: place(&solution.achieved),
            trace,
            ..solution
        }
    }

    fn name(&self, total: usize) -> usize {
        self.number.get(total).copied().unwrap_or(total)
    }

    fn named(&self, trouble: Trouble) -> Trouble {
        match trouble {
            Trouble::Uncovered { term, row } => {
                Trouble::Uncovered { term: self.term.get(term).copied().unwrap_or(term), row }
            }
            Trouble::Empty { total } => Trouble::Empty { total: self.name(total) },
            Trouble::Contradiction { total, implied, others } => Trouble::Contradiction {
                total: self.name(total),
                implied,
                others: others.into_iter().map(|k| self.name(k)).collect(),
            },
            Trouble::OutOfReach { nearest, free } => Trouble::OutOfReach {
                nearest: nearest.into_iter().map(|(k, sum)| (self.name(k), sum)).collect(),
                free,
            },
            Trouble::NotConverged { mut trace } => {
                trace.iter_mut().for_each(|step| step.total = self.name(step.total));
                Trouble::NotConverged { trace }
            }
            other => other,
        }
    }
}

/// Targets, and what they are measured by: see [`Problem`].
struct Setup {
    totals: Vec<f64>,
    scale: Vec<f64>,
    sizes: Vec<f64>,
    slack: Vec<f64>,
}

/// Rows whose factor or weight is at a bound.
fn at_bound(factors: &[f64], weights: &[f64], options: &Options) -> usize {
    let (low, high) = options.weight_bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let d = options.distance;
    let at = |(g, w): &(&f64, &f64)| **g <= d.low.max(low / *w) || **g >= d.high.min(high / *w);
    factors.iter().zip(weights).filter(at).count()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::newton::Work;
    use super::*;

    fn margin(variable: usize, first: u32) -> Term {
        Term {
            variables: vec![variable],
            levels: vec![2],
            of: None,
            totals: vec![first, first + 1],
        }
    }

    fn solved(
        clusters: Option<&[u32]>,
        totals: &[f64],
        curve: Curve,
        bounds: (f64, f64),
    ) -> Result<Solution, Trouble> {
        let weights = [1.0, 2.0, 3.0, 4.0];
        let rows = Rows {
            weights: &weights,
            codes: vec![&[0, 0, 1, 1], &[0, 1, 0, 1]],
            values: vec![&[1.0, 0.0, 2.0, 5.0]],
            variance: None,
            clusters,
        };
        let whole = Term { variables: vec![], levels: vec![], of: Some(0), totals: vec![4] };
        let terms = [margin(0, 0), margin(1, 2), whole];
        let exact = |&total| Target { total, cost: f64::INFINITY };
        let options = Options {
            distance: Distance { curve, low: bounds.0, high: bounds.1 },
            weight_bounds: None,
            trim: None,
            tolerance: 1e-13,
            max_iterations: 50,
        };
        let serial = |parts: &mut [Sums], work: &Work<'_>| -> Result<(), Infallible> {
            parts.iter_mut().enumerate().for_each(|(block, sums)| work(block, sums));
            Ok(())
        };
        let terms = terms.get(..totals.len().div_ceil(2)).unwrap_or(&terms);
        let targets: Vec<Target> = totals.iter().map(exact).collect();
        match calibrate(&rows, terms, &targets, &options, &serial) {
            Ok(found) => found,
        }
    }

    const OPEN: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    #[test]
    fn raking_keeps_the_odds_ratio_and_hits_both_margins() {
        let found = solved(None, &[4.0, 6.0, 5.0, 5.0], Curve::Raking, OPEN).unwrap();
        let [a, b, c, d] = found.weights[..] else { panic!() };
        for (sum, total) in [(a + b, 4.0), (c + d, 6.0), (a + c, 5.0), (b + d, 5.0)] {
            assert!((sum - total).abs() < 1e-12);
        }
        assert!((a * d / (b * c) - 4.0 / 6.0).abs() < 1e-12);
    }

    #[test]
    fn rows_in_a_list_have_the_weights_of_rows_in_cells() {
        let totals = [4.0, 6.0, 5.0, 5.0, 28.0];
        for curve in [Curve::Linear, Curve::Raking] {
            let cells = solved(None, &totals, curve, OPEN).unwrap();
            let listed = solved(Some(&[3, 2, 1, 0]), &totals, curve, OPEN).unwrap();
            for (a, b) in cells.weights.iter().zip(&listed.weights) {
                assert!((a - b).abs() < 1e-11);
            }
        }
    }

    #[test]
    fn what_cannot_be_hit_is_said() {
        let far = solved(None, &[1.0, 9.0], Curve::Linear, (0.8, 1.5));
        let Err(Trouble::OutOfReach { nearest, free }) = far else { panic!("{far:?}") };
        assert!(nearest.iter().any(|(total, sum)| *total == 0 && (sum - 2.4).abs() < 1e-3));
        assert!((free.0 - 1.0 / 3.0).abs() < 1e-12 && (free.1 - 9.0 / 7.0).abs() < 1e-12);
        let apart = solved(None, &[4.0, 6.0, 5.0, 6.0], Curve::Raking, OPEN);
        let Err(Trouble::Contradiction { total: 3, implied, others }) = apart else {
            panic!("{apart:?}")
        };
        assert!((implied - 5.0).abs() < 1e-12 && others == [0, 1, 2]);
        let uncovered = solved(None, &[4.0, f64::NAN], Curve::Raking, OPEN);
        assert_eq!(uncovered.unwrap_err(), Trouble::Uncovered { term: 0, row: 2 });
    }
}
