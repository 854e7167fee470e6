//! Refits on given weights of the units.

use super::{Fitted, solve};
use crate::isa::Isa;
use crate::stats::cpu::{Kernel, run};
use crate::stats::jobs::Jobs;
use crate::stats::moments::{narrow, triangle};

/// Sums that a job makes for each refit.
const CHUNK: usize = 16;

/// Refits that share a look at the units.
const TILE: usize = 4;

impl Fitted<'_> {
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
