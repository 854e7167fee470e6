//! Strata of primary sampling units, and how a bootstrap draws from them.

use crate::stats::random::Random;

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
    pub(super) fn stratum(&self, unit: usize) -> usize {
        self.of.get(unit).map_or(0, |&stratum| stratum as usize)
    }

    /// The units of each stratum.
    pub(super) fn members(&self) -> Vec<Vec<usize>> {
        let count = self.of.iter().max().map_or(1, |&last| last as usize + 1);
        let mut out = vec![vec![]; count];
        for unit in 0..self.units {
            out.get_mut(self.stratum(unit)).into_iter().for_each(|own| own.push(unit));
        }
        out
    }

    /// Share of the units of a stratum that were not drawn.
    pub(super) fn left(&self, stratum: usize) -> f64 {
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
