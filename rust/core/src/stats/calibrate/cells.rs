//! Rows grouped by what the totals see of them.
//!
//! Rows with the same levels are a cell; without numbers to add up they are one unit with the sum of
//! their weights. With numbers, the rows of a cell lie together: the multipliers of its levels are
//! added up once, and its sums go to the slopes once.

use super::distance::{Curve, Distance};
use super::keys::Keys;
use super::newton::{Layout, Sums};
use super::{NONE, Rows, Term, Trouble};

/// Units of a cell that are summed before the sums go on.
const RUN: usize = 4096;

/// Runs of a block, and most blocks; fewer when there are so many totals that their slopes are large.
const BLOCK: usize = 4096;
const BLOCKS: usize = 8;
const SLOPES: usize = 1 << 25;

/// Numbers that a unit may have: the loops are compiled for each.
const WIDTHS: [usize; 5] = [0, 1, 2, 4, 8];

/// Columns of numbers that [`Cells`] can add up.
pub const MOST_COLUMNS: usize = 8;

/// Units `start..end` that share the totals of their levels.
#[derive(Debug, Clone, Copy)]
struct Run {
    cell: u32,
    start: u32,
    end: u32,
}

/// Rows grouped in cells.
#[derive(Debug)]
pub struct Cells {
    size: usize,
    /// Totals of each cell, in ascending order.
    totals: Vec<u32>,
    terms: usize,
    runs: Vec<Run>,
    /// Total of each column of numbers.
    columns: Vec<u32>,
    /// Units one after another: the weight, then [`Cells::width`] numbers.
    units: Vec<f64>,
    /// Numbers of a unit: as many as there are columns, and zeros up to one of [`WIDTHS`].
    width: usize,
    /// One over the variance factor of each unit, if there are any.
    gain: Vec<f64>,
    /// Bounds of the factor of each unit, if they differ.
    limits: Vec<(f64, f64)>,
    unit_of_row: Vec<u32>,
    blocks: usize,
}

/// Number of blocks for so many pieces of work and so many totals.
pub(super) fn blocks(pieces: usize, totals: usize) -> usize {
    let most = (SLOPES / (totals * totals).max(1)).clamp(1, BLOCKS);
    pieces.div_ceil(BLOCK).clamp(1, most)
}

/// The part of `pieces` pieces that block `block` of `blocks` does.
pub(super) fn part(pieces: usize, block: usize, blocks: usize) -> std::ops::Range<usize> {
    let each = pieces.div_ceil(blocks);
    (block * each).min(pieces)..((block + 1) * each).min(pieces)
}

impl Cells {
    /// Groups rows. A term that adds up a column must not have variables. `limits` are the bounds of
    /// the factor of each row, where they differ.
    ///
    /// # Errors
    ///
    /// A row whose levels have no total.
    pub fn new(
        rows: &Rows<'_>,
        terms: &[Term],
        size: usize,
        limits: &[(f64, f64)],
    ) -> Result<Self, Trouble> {
        let counted: Vec<&Term> = terms.iter().filter(|term| term.of.is_none()).collect();
        let summed = || terms.iter().filter_map(|term| Some((term.of?, term)));
        let columns: Vec<u32> = summed().map(|(_, term)| only(term)).collect();
        let values: Vec<&[f64]> =
            summed().map(|(of, _)| rows.values.get(of).copied().unwrap_or(&[])).collect();
        let merged = values.is_empty() && rows.variance.is_none() && limits.is_empty();
        let width = WIDTHS.into_iter().find(|&w| w >= values.len()).unwrap_or(MOST_COLUMNS);
        let found = Keys::new(rows, &counted);
        let mut totals = Vec::with_capacity(found.count * counted.len());
        for cell in 0..found.count {
            let start = totals.len();
            let code = |variable| found.code(cell, variable);
            totals.extend(counted.iter().map(|term| term.total_of(code)));
            totals.get_mut(start..).unwrap_or(&mut []).sort_unstable();
        }
        if totals.contains(&NONE) {
            return Err(uncovered(rows, terms));
        }
        let mut cells = Self {
            size,
            totals,
            terms: counted.len(),
            runs: vec![],
            columns,
            units: vec![],
            width,
            gain: vec![],
            limits: vec![],
            unit_of_row: vec![],
            blocks: 1,
        };
        if merged {
            cells.merge(rows, found);
        } else {
            cells.arrange(rows, found, &values, limits);
        }
        cells.blocks = blocks(cells.runs.len().max(cells.units() / 4), size);
        Ok(cells)
    }

    /// Makes each cell one unit.
    #[expect(clippy::indexing_slicing, reason = "cells were counted")]
    fn merge(&mut self, rows: &Rows<'_>, found: Keys) {
        self.units = vec![0.0; found.count];
        for (&cell, weight) in found.cells.iter().zip(rows.weights) {
            self.units[cell as usize] += weight;
        }
        let cells = 0..u32::try_from(found.count).unwrap_or(NONE);
        self.runs = cells.map(|cell| Run { cell, start: cell, end: cell + 1 }).collect();
        self.unit_of_row = found.cells;
    }

    /// Makes each row a unit, those of a cell together in the order of the rows.
    #[expect(clippy::indexing_slicing, reason = "cells were counted")]
    fn arrange(&mut self, rows: &Rows<'_>, found: Keys, values: &[&[f64]], limits: &[(f64, f64)]) {
        let n = found.cells.len();
        let mut next = vec![0u32; found.count + 1];
        found.cells.iter().for_each(|&cell| next[cell as usize + 1] += 1);
        for cell in 1..next.len() {
            next[cell] += next[cell - 1];
        }
        for (cell, ends) in (0u32..).zip(next.windows(2)) {
            let (start, end) = (ends[0], ends[1]);
            let starts = (start..end).step_by(RUN);
            self.runs.extend(starts.map(|start| Run {
                cell,
                start,
                end: end.min(start.saturating_add(RUN as u32)),
            }));
        }
        let stride = 1 + self.width;
        self.units = vec![0.0; stride * n];
        if rows.variance.is_some() {
            self.gain = vec![1.0; n];
        }
        self.limits = limits.to_vec();
        self.unit_of_row = found.cells;
        for (row, unit) in self.unit_of_row.iter_mut().enumerate() {
            let place = &mut next[*unit as usize];
            *unit = *place;
            *place += 1;
            let at = *unit as usize;
            let record = &mut self.units[at * stride..][..stride];
            record[0] = rows.weights[row];
            for (number, column) in record[1..].iter_mut().zip(values) {
                *number = column[row];
            }
            if let Some(variance) = rows.variance {
                self.gain[at] = 1.0 / variance[row];
            }
            if let Some(limits) = limits.get(row) {
                self.limits[at] = *limits;
            }
        }
    }

    /// Units of a run.
    #[expect(clippy::indexing_slicing, reason = "units were counted")]
    fn of(&self, run: &Run) -> &[f64] {
        let stride = 1 + self.width;
        &self.units[run.start as usize * stride..run.end as usize * stride]
    }

    /// Totals of the levels of a run.
    #[expect(clippy::indexing_slicing, reason = "cells were counted")]
    fn totals_of(&self, run: &Run) -> &[u32] {
        let cell = run.cell as usize * self.terms;
        &self.totals[cell..cell + self.terms]
    }

    /// Multipliers of the columns, and zeros.
    fn own<const W: usize>(&self, multipliers: &[f64]) -> [f64; W] {
        let mut own = [0.0; W];
        for (own, &total) in own.iter_mut().zip(&self.columns) {
            *own = multipliers.get(total as usize).copied().unwrap_or(0.0);
        }
        own
    }

    /// Adds the sums of a block, with the factor and slope of a unit by `at(sum, unit)`.
    fn add_with(
        &self,
        block: usize,
        multipliers: &[f64],
        sums: &mut Sums,
        at: impl Fn(f64, usize) -> (f64, f64),
    ) {
        match self.width {
            0 => self.add_width::<0, 1>(block, multipliers, sums, at),
            1 => self.add_width::<1, 2>(block, multipliers, sums, at),
            2 => self.add_width::<2, 3>(block, multipliers, sums, at),
            4 => self.add_width::<4, 5>(block, multipliers, sums, at),
            _ => self.add_width::<8, 9>(block, multipliers, sums, at),
        }
    }

    /// The same for units of `W` numbers; `S` is one more.
    #[expect(clippy::indexing_slicing, reason = "runs, cells and totals were counted")]
    #[inline(always)]
    fn add_width<const W: usize, const S: usize>(
        &self,
        block: usize,
        multipliers: &[f64],
        sums: &mut Sums,
        at: impl Fn(f64, usize) -> (f64, f64),
    ) {
        let size = self.size;
        let own: [f64; W] = self.own(multipliers);
        for run in &self.runs[part(self.runs.len(), block, self.blocks)] {
            let totals = self.totals_of(run);
            let base: f64 = totals.iter().map(|&t| multipliers[t as usize]).sum();
            // Of the run: sums of the numbers under weights and under slopes, and of their products.
            let (mut weight, mut slope) = (0.0, 0.0);
            let (mut first, mut second, mut third) = ([0.0; W], [0.0; W], [[0.0; W]; W]);
            let (units, _) = self.of(run).as_chunks::<S>();
            for (unit, record) in (run.start as usize..).zip(units) {
                let mut u = base;
                for i in 0..W {
                    u += record[i + 1] * own[i];
                }
                let gain = self.gain.get(unit).copied().unwrap_or(1.0);
                let (g, s) = at(u * gain, unit);
                let (w, h) = (record[0] * g, record[0] * gain * s);
                weight += w;
                slope += h;
                for i in 0..W {
                    first[i] += w * record[i + 1];
                    second[i] += h * record[i + 1];
                    for j in 0..=i {
                        third[i][j] += h * record[i + 1] * record[j + 1];
                    }
                }
            }
            for (k, &t) in totals.iter().enumerate() {
                sums.totals[t as usize] += weight;
                let row = &mut sums.slopes[t as usize * size..][..size];
                totals[..=k].iter().for_each(|&other| row[other as usize] += slope);
            }
            for (i, &column) in self.columns.iter().enumerate() {
                sums.totals[column as usize] += first[i];
                for &t in totals {
                    sums.slopes[lower(column, t, size)] += second[i];
                }
                for (j, &other) in self.columns[..=i].iter().enumerate() {
                    sums.slopes[lower(column, other, size)] += third[i][j];
                }
            }
        }
    }
}

/// Place in the lower triangle.
#[inline]
pub(super) fn lower(a: u32, b: u32, size: usize) -> usize {
    a.max(b) as usize * size + a.min(b) as usize
}

impl Layout for Cells {
    fn totals(&self) -> usize {
        self.size
    }

    fn blocks(&self) -> usize {
        self.blocks
    }

    fn units(&self) -> usize {
        self.units.len() / (1 + self.width)
    }

    fn add(&self, block: usize, multipliers: &[f64], distance: &Distance, sums: &mut Sums) {
        // One loop for each curve, so that the curve is part of it.
        let d = *distance;
        if !self.limits.is_empty() && d.curve != Curve::Line {
            let limits = |unit| self.limits.get(unit).copied().unwrap_or((d.low, d.high));
            self.add_with(block, multipliers, sums, |u, unit| d.within(limits(unit)).at(u));
        } else if d.curve == Curve::Line {
            self.add_with(block, multipliers, sums, |u, _| (1.0 + u, 1.0));
        } else if d.curve == Curve::Raking && !d.bounded() {
            self.add_with(block, multipliers, sums, |u, _| {
                let g = u.exp();
                (g, g)
            });
        } else {
            self.add_with(block, multipliers, sums, |u, _| d.at(u));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "units and totals were counted")]
    fn factors(&self, multipliers: &[f64], distance: &Distance) -> Vec<f64> {
        let own: [f64; MOST_COLUMNS] = self.own(multipliers);
        let mut factors = Vec::with_capacity(self.units());
        for run in &self.runs {
            let base: f64 = self.totals_of(run).iter().map(|&t| multipliers[t as usize]).sum();
            for record in self.of(run).chunks_exact(1 + self.width) {
                let u = record[1..].iter().zip(&own).fold(base, |u, (x, m)| u + x * m);
                let unit = factors.len();
                let gain = self.gain.get(unit).copied().unwrap_or(1.0);
                let limits = self.limits.get(unit).filter(|_| distance.curve != Curve::Line);
                let curve = limits.map_or(*distance, |limits| distance.within(*limits));
                factors.push(curve.at(u * gain).0);
            }
        }
        self.unit_of_row.iter().map(|&unit| factors[unit as usize]).collect()
    }
}

/// The total of a term without variables.
fn only(term: &Term) -> u32 {
    term.totals.first().copied().unwrap_or(NONE)
}

/// The first row that has no total, and the term.
pub(super) fn uncovered(rows: &Rows<'_>, terms: &[Term]) -> Trouble {
    let found = (0..rows.weights.len()).find_map(|row| {
        let term = terms.iter().position(|term| term.total(rows, row) == NONE)?;
        Some(Trouble::Uncovered { term, row })
    });
    found.unwrap_or(Trouble::Uncovered { term: 0, row: 0 })
}
