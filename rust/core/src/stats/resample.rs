//! Refits of least squares on other weights of the primary sampling units, from their moments.
//!
//! A refit solves for the change of the coefficients, `(sum a G) d = sum a s`, where `s` are the
//! scores at the coefficients of all: so plain `f64` is exact enough.

use super::cpu::{Kernel, run};
use super::double::Double;
use super::jobs::Jobs;
use super::moments::{Gram, Moments, narrow, triangle};
use super::random::Random;
use crate::isa::Isa;

/// Sums that a job makes for each refit.
const CHUNK: usize = 16;

/// Refits that share a look at the units.
const TILE: usize = 4;

/// Which primary sampling units belong together.
#[derive(Debug, Clone, Copy)]
pub struct Strata<'a> {
    /// The stratum of each unit; if empty, there is one stratum.
    pub of: &'a [u32],
    /// Share of each stratum's units that were drawn; zeros if empty.
    pub fraction: &'a [f64],
    /// Number of units.
    pub units: usize,
}

impl Strata<'_> {
    fn stratum(&self, unit: usize) -> usize {
        self.of.get(unit).map_or(0, |&stratum| stratum as usize)
    }

    /// The units of each stratum.
    fn members(&self) -> Vec<Vec<usize>> {
        let count = self.of.iter().max().map_or(1, |&last| last as usize + 1);
        let mut out = vec![vec![]; count];
        for unit in 0..self.units {
            out.get_mut(self.stratum(unit)).into_iter().for_each(|own| own.push(unit));
        }
        out
    }

    fn left(&self, stratum: usize) -> f64 {
        1.0 - self.fraction.get(stratum).copied().unwrap_or(0.0)
    }

    /// Factors of the rescaled bootstrap (Rao, Wu and Yue, 1992): of `n` units of a stratum,
    /// `n - 1` are drawn with replacement. One row of factors for each of the `replicates`. The
    /// only unit of a stratum stays as it is.
    #[must_use]
    pub fn bootstrap(&self, replicates: usize, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        let members = self.members();
        let mut out = vec![1.0; replicates * self.units];
        for factors in out.chunks_exact_mut(self.units.max(1)) {
            for (stratum, members) in members.iter().enumerate() {
                let Ok(n) = u32::try_from(members.len()) else { continue };
                if n < 2 {
                    continue;
                }
                let spread = self.left(stratum).max(0.0).sqrt();
                let drawn = f64::from(n) / f64::from(n - 1) * spread;
                for &unit in members {
                    factors.get_mut(unit).into_iter().for_each(|f| *f = 1.0 - spread);
                }
                for _ in 1..n {
                    let unit = members.get(random.below(n) as usize).copied();
                    let slot = unit.and_then(|unit| factors.get_mut(unit));
                    slot.into_iter().for_each(|f| *f += drawn);
                }
            }
        }
        out
    }
}

/// A fit, and the moments and scores of its units.
#[derive(Debug, Clone, Copy)]
pub struct Fitted<'a> {
    /// Moments of all and of each unit.
    pub moments: &'a Moments,
    /// Columns of the fit.
    pub keep: &'a [usize],
    /// Its coefficients.
    pub coefficients: &'a [Double],
    /// Its scores: one column for each coefficient.
    pub scores: &'a [Vec<f64>],
}

impl Fitted<'_> {
    fn entries(&self) -> impl Iterator<Item = usize> {
        let at = |i: usize, j: usize| triangle(i.max(j)) + i.min(j);
        let keep = self.keep;
        keep.iter()
            .enumerate()
            .flat_map(move |(n, &i)| keep.iter().take(n + 1).map(move |&j| at(i, j)))
    }

    /// The sums that a refit is made of, of each unit, in chunks of [`CHUNK`].
    fn chunks(&self) -> Vec<Vec<[f64; CHUNK]>> {
        let groups: Vec<&[f64]> = self.moments.each_group().map(|(high, _)| high).collect();
        let entries: Vec<usize> = self.entries().collect();
        let width = entries.len() + self.scores.len();
        let value = |unit: usize, place: usize| match place.checked_sub(entries.len()) {
            None => entries.get(place).and_then(|&at| groups.get(unit)?.get(at)),
            Some(own) => self.scores.get(own).and_then(|column| column.get(unit)),
        };
        (0..width)
            .step_by(CHUNK)
            .map(|from| {
                (0..groups.len())
                    .map(|unit| {
                        std::array::from_fn(|i| value(unit, from + i).copied().unwrap_or(0.0))
                    })
                    .collect()
            })
            .collect()
    }

    /// Changes of the coefficients for each row of `factors`, one for each unit; none where the
    /// columns become dependent.
    ///
    /// # Errors
    ///
    /// The caller asked to stop.
    pub fn refits<J: Jobs>(
        &self,
        factors: &[f64],
        isa: Isa,
        jobs: &J,
    ) -> Result<Vec<Option<Vec<f64>>>, J::Stop> {
        let units = self.moments.groups().max(1);
        let mut chunks = self.chunks();
        let sums = jobs.map(&mut chunks, |_, chunk| one_job(chunk, factors, units, isa))?;
        let entries = triangle(self.keep.len());
        let mut replicates: Vec<usize> = (0..factors.len() / units).collect();
        jobs.map(&mut replicates, |_, &mut n| {
            let own = sums.iter().filter_map(|chunk| chunk.get(n)).flatten().copied();
            let own: Vec<f64> = own.collect();
            let (matrix, rest) = own.split_at_checked(entries)?;
            solve(matrix, rest.get(..self.keep.len())?)
        })
    }

    /// Changes of the coefficients without each unit in turn, the others of its stratum weighing
    /// more in its stead; none where the columns become dependent.
    ///
    /// # Errors
    ///
    /// The caller asked to stop.
    pub fn jackknife<J: Jobs>(
        &self,
        strata: Strata<'_>,
        jobs: &J,
    ) -> Result<Vec<Option<Vec<f64>>>, J::Stop> {
        let entries: Vec<usize> = self.entries().collect();
        let groups: Vec<&[f64]> = self.moments.each_group().map(|(high, _)| high).collect();
        let sums = |unit: usize| {
            let group = groups.get(unit).copied().unwrap_or(&[]);
            let matrix = entries.iter().map(|&at| group.get(at).copied().unwrap_or(0.0));
            matrix.chain(self.scores.iter().map(move |c| c.get(unit).copied().unwrap_or(0.0)))
        };
        let width = entries.len() + self.scores.len();
        let add = |mut total: Vec<f64>, unit: usize| {
            total.iter_mut().zip(sums(unit)).for_each(|(total, own)| *total += own);
            total
        };
        let members = strata.members();
        let of_strata: Vec<Vec<f64>> = members
            .iter()
            .map(|members| members.iter().fold(vec![0.0; width], |sum, &unit| add(sum, unit)))
            .collect();
        let whole = of_strata.iter().fold(vec![0.0; width], |mut whole, own| {
            whole.iter_mut().zip(own).for_each(|(whole, own)| *whole += own);
            whole
        });
        let mut units: Vec<usize> = (0..groups.len()).collect();
        jobs.map(&mut units, |_, &mut unit| {
            let stratum = strata.stratum(unit);
            let others = members.get(stratum)?.len() as f64 - 1.0;
            if others < 1.0 {
                return Some(vec![0.0; self.keep.len()]);
            }
            let left: Vec<f64> = whole
                .iter()
                .zip(of_strata.get(stratum)?)
                .zip(sums(unit))
                .map(|((whole, all), own)| whole + all / others - own * (others + 1.0) / others)
                .collect();
            let (matrix, rest) = left.split_at_checked(entries.len())?;
            solve(matrix, rest)
        })
    }

    /// Variance of the coefficients from the changes that [`Self::jackknife`] found: by rows.
    #[must_use]
    pub fn jackknife_variance(&self, strata: Strata<'_>, changes: &[Option<Vec<f64>>]) -> Vec<f64> {
        let members = strata.members();
        let scale = |unit: usize| {
            let stratum = strata.stratum(unit);
            let n = members.get(stratum).map_or(1.0, |members| members.len() as f64);
            strata.left(stratum) * (n - 1.0) / n
        };
        let width = self.keep.len();
        let mut out = vec![0.0; width * width];
        for (unit, change) in changes.iter().enumerate() {
            add_square(&mut out, change.as_deref().unwrap_or(&[]), scale(unit));
        }
        out
    }

    /// For each of so many folds of units: the squared residuals of its rows, under the
    /// coefficients of all, and under those of the other folds; none where these are dependent.
    #[must_use]
    pub fn cross_validate(&self, fold: &[u32], folds: usize) -> Vec<(f64, Option<f64>)> {
        let width = self.moments.total.width();
        let mut sums = vec![Gram::zeros(width); folds];
        for ((high, low), &fold) in self.moments.each_group().zip(fold) {
            let slot = sums.get_mut(fold as usize);
            slot.into_iter().for_each(|sum| sum.add(high, low));
        }
        sums.iter().map(|own| self.fold(own)).collect()
    }

    fn fold(&self, own: &Gram) -> (f64, Option<f64>) {
        let target = own.width().saturating_sub(1);
        let pairs = || self.keep.iter().zip(self.coefficients);
        let fitted = |i: usize| pairs().map(|(&j, &b)| own.get(i, j) * b).sum::<Double>();
        let score: Vec<Double> =
            self.keep.iter().map(|&i| own.get(i, target) - fitted(i)).collect();
        let within: Double = pairs()
            .zip(&score)
            .map(|((&i, &b), &score)| -(b * (own.get(i, target) + score)))
            .sum::<Double>()
            + own.get(target, target);
        let total = &self.moments.total;
        let places = || {
            let keep = self.keep;
            keep.iter()
                .enumerate()
                .flat_map(move |(n, &i)| keep.iter().take(n + 1).map(move |&j| (i, j)))
        };
        let others: Vec<f64> =
            places().map(|(i, j)| (total.get(i, j) - own.get(i, j)).value()).collect();
        // The scores of all add up to zero.
        let rest: Vec<f64> = score.iter().map(|s| -s.value()).collect();
        let without = solve(&others, &rest).map(|change| {
            let mut out = within.value();
            for ((&i, d), score) in self.keep.iter().zip(&change).zip(&score) {
                let along: f64 =
                    self.keep.iter().zip(&change).map(|(&j, e)| own.get(i, j).value() * e).sum();
                out += d * (along - 2.0 * score.value());
            }
            out
        });
        (within.value(), without)
    }
}

/// Adds `scale` times the product of each two entries.
pub fn add_square(out: &mut [f64], x: &[f64], scale: f64) {
    for (row, &a) in out.chunks_exact_mut(x.len().max(1)).zip(x) {
        row.iter_mut().zip(x).for_each(|(slot, &b)| *slot += scale * a * b);
    }
}

/// Not generic, so that it is compiled in this crate, where one unit of code is all of it.
#[inline(never)]
fn one_job(chunk: &[[f64; CHUNK]], factors: &[f64], units: usize, isa: Isa) -> Vec<[f64; CHUNK]> {
    run(narrow(isa), Product { chunk, factors, units })
}

/// Sums of a chunk over all units, times each row of factors.
struct Product<'a> {
    chunk: &'a [[f64; CHUNK]],
    factors: &'a [f64],
    units: usize,
}

impl Kernel for Product<'_> {
    type Out = Vec<[f64; CHUNK]>;

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn run<const WIDTH: usize>(self) -> Self::Out {
        let mut out = vec![];
        for rows in self.factors.chunks(self.units * TILE) {
            let mut own = rows.chunks_exact(self.units);
            let tile: [&[f64]; TILE] = std::array::from_fn(|_| own.next().unwrap_or(&[]));
            let count = tile.iter().filter(|row| !row.is_empty()).count();
            // Rows beyond the last repeat the first.
            let [first, ..] = tile;
            let [a, b, c, d] = tile.map(|row| if row.is_empty() { first } else { row });
            let mut sums = [[0.0; CHUNK]; TILE];
            let factors = a.iter().zip(b).zip(c.iter().zip(d));
            for (unit, ((a, b), (c, d))) in self.chunk.iter().zip(factors) {
                let factors = [*a, *b, *c, *d];
                for i in 0..TILE {
                    for lane in 0..CHUNK {
                        sums[i][lane] = unit[lane].mul_add(factors[i], sums[i][lane]);
                    }
                }
            }
            out.extend(sums.into_iter().take(count));
        }
        out
    }
}

/// Solves a positive system, given the lower triangle of its matrix by rows; none if it is
/// singular to `f64`.
fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    let width = right.len();
    let mut factor: Vec<f64> = Vec::with_capacity(matrix.len());
    for i in 0..width {
        let from = factor.len();
        for j in 0..=i {
            let own = factor.get(from..)?;
            let other = if i == j { own } else { factor.get(triangle(j)..triangle(j + 1))? };
            let known: f64 = own.iter().zip(other).map(|(a, b)| a * b).sum();
            let entry = *matrix.get(triangle(i) + j)?;
            let rest = entry - known;
            if i == j {
                if rest.is_nan() || rest <= 1e-13 * entry {
                    return None;
                }
                factor.push(rest.sqrt());
            } else {
                factor.push(rest / other.last()?);
            }
        }
    }
    let mut x: Vec<f64> = Vec::with_capacity(width);
    for (i, right) in right.iter().enumerate() {
        let row = factor.get(triangle(i)..triangle(i + 1))?;
        let known: f64 = x.iter().zip(row).map(|(x, l)| x * l).sum();
        x.push((right - known) / row.last()?);
    }
    for i in (0..width).rev() {
        let row = factor.get(triangle(i)..triangle(i + 1))?;
        let (own, before) = x.get_mut(..=i)?.split_last_mut()?;
        *own /= row.last()?;
        before.iter_mut().zip(row).for_each(|(x, l)| *x -= l * *own);
    }
    Some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::column::{Column, Values};
    use crate::stats::jobs::Serial;
    use crate::stats::least_squares;
    use crate::stats::moments::{Rows, moments, scores_of_moments};

    fn survey(units: usize, each: usize) -> Moments {
        let mut random = Random::new(3);
        let rows = units * each;
        let mut number = || f64::from(random.below(1 << 20)) / f64::from(1 << 20);
        let x: Vec<f64> = (0..rows).map(|_| number()).collect();
        let z: Vec<f64> = (0..rows).map(|_| number() * 30.0).collect();
        let y: Vec<f64> = x.iter().zip(&z).map(|(x, z)| 1.0 + 2.0 * x - z + number()).collect();
        let columns = [&[1.0][..], &x, &z, &y];
        let columns = columns.map(|c| Column { values: Values::F64(c), validity: None });
        let starts: Vec<usize> = (0..rows).step_by(each).collect();
        let rows = Rows { columns: &columns, rows, weights: &[], starts: &starts };
        moments(rows, Isa::best(), &Serial, |_| ()).unwrap()
    }

    #[test]
    fn refits_are_fits_on_other_weights() {
        let moments = survey(23, 11);
        let keep = [0, 1, 2];
        let fit = least_squares::solve(&moments.total, &keep, Some(0)).unwrap();
        let scores = scores_of_moments(&moments, &keep, &fit.coefficients, Isa::best());
        let fitted = Fitted {
            moments: &moments,
            keep: &keep,
            coefficients: &fit.coefficients,
            scores: &scores,
        };
        let of: Vec<u32> = (0..23).map(|unit| unit / 6).collect();
        let strata = Strata { of: &of, fraction: &[0.1, 0.0, 0.5, 0.2], units: 23 };
        let expected = |factors: &[f64]| -> Vec<f64> {
            let refit =
                least_squares::solve(&moments.scaled(factors).total, &keep, Some(0)).unwrap();
            let pairs = refit.coefficients.iter().zip(&fit.coefficients);
            pairs.map(|(a, b)| a.value() - b.value()).collect()
        };
        let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12);

        let factors = strata.bootstrap(9, 5);
        let found = fitted.refits(&factors, Isa::best(), &Serial).unwrap();
        assert_eq!(found.len(), 9);
        for (own, change) in factors.chunks(23).zip(&found) {
            // The factors of a stratum have its number of units as their sum.
            for (stratum, n) in [(0, 6.0), (1, 6.0), (2, 6.0), (3, 5.0)] {
                let sum: f64 =
                    own.iter().zip(&of).filter(|(_, s)| **s == stratum).map(|p| p.0).sum();
                assert!((sum - n).abs() < 1e-12);
            }
            assert!(close(change.as_ref().unwrap(), &expected(own)));
        }
        for isa in Isa::available() {
            assert_eq!(fitted.refits(&factors, isa, &Serial).unwrap(), found);
        }

        let found = fitted.jackknife(strata, &Serial).unwrap();
        for (unit, change) in found.iter().enumerate() {
            let n = if of[unit] == 3 { 5.0 } else { 6.0 };
            let factors: Vec<f64> = (0..23)
                .map(|other| match other {
                    other if other == unit => 0.0,
                    other if of[other] == of[unit] => n / (n - 1.0),
                    _ => 1.0,
                })
                .collect();
            assert!(close(change.as_ref().unwrap(), &expected(&factors)));
        }

        let fold: Vec<u32> = (0..23).map(|unit| unit % 4).collect();
        for (k, (within, without)) in fitted.cross_validate(&fold, 4).iter().enumerate() {
            let on = |wanted: bool| -> Vec<f64> {
                fold.iter().map(|&f| f64::from(u8::from((f as usize == k) == wanted))).collect()
            };
            let others = least_squares::solve(&moments.scaled(&on(false)).total, &keep, Some(0));
            let own = moments.scaled(&on(true)).total;
            let squares = |b: &[Double]| -> f64 {
                let b: Vec<Double> = b.iter().copied().chain([Double::from(-1.0)]).collect();
                let pairs = (0..4).flat_map(|i| (0..4).map(move |j| (i, j)));
                pairs.map(|(i, j)| own.get(i, j) * b[i] * b[j]).sum::<Double>().value()
            };
            assert!((within - squares(&fit.coefficients)).abs() < 1e-10);
            assert!((without.unwrap() - squares(&others.unwrap().coefficients)).abs() < 1e-10);
        }
    }

    #[test]
    fn dependent_columns_give_no_refit() {
        assert_eq!(solve(&[1.0, 1.0, 1.0], &[1.0, 1.0]), None);
        assert_eq!(solve(&[4.0, 2.0, 5.0], &[2.0, 5.0]), Some(vec![0.0, 1.0]));
    }
}
