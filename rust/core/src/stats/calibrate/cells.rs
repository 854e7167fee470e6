//! Rows grouped by what the totals see of them.
//!
//! Rows with the same levels are a cell; without numbers to add up they are one unit with the sum of
//! their weights. With numbers, the rows of a cell lie together: the multipliers of its levels are
//! added up once, and its sums go to the slopes once.

use std::collections::HashMap;

use super::distance::{Curve, Distance};
use super::newton::{Layout, Sums};
use super::{NONE, Rows, Term, Trouble};

/// Units of a cell that are summed before the sums go on.
const RUN: usize = 4096;

/// Runs of a block, and most blocks; fewer when there are so many totals that their slopes are large.
const BLOCK: usize = 4096;
const BLOCKS: usize = 32;
const SLOPES: usize = 1 << 25;

/// Combinations of levels that may have a place in a table: so many, or so many for each row.
const TABLE: usize = 1 << 16;
const TABLE_PER_ROW: usize = 4;

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
    weights: Vec<f64>,
    /// Total of each column of numbers.
    columns: Vec<u32>,
    /// Numbers of each unit.
    numbers: Vec<f64>,
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
        let found = Found::new(rows, &counted);
        let mut totals = Vec::with_capacity(found.first.len() * counted.len());
        for &row in &found.first {
            let start = totals.len();
            for term in &counted {
                totals.push(term.total(rows, row as usize));
            }
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
            weights: vec![],
            columns,
            numbers: vec![],
            gain: vec![],
            limits: vec![],
            unit_of_row: vec![],
            blocks: 1,
        };
        if merged {
            cells.merge(rows, found);
        } else {
            cells.arrange(rows, &found, &values, limits);
        }
        cells.blocks = blocks(cells.runs.len().max(cells.weights.len() / 4), size);
        Ok(cells)
    }

    /// Makes each cell one unit.
    #[expect(clippy::indexing_slicing, reason = "cells were counted")]
    fn merge(&mut self, rows: &Rows<'_>, found: Found) {
        self.weights = vec![0.0; found.first.len()];
        for (&cell, weight) in found.cells.iter().zip(rows.weights) {
            self.weights[cell as usize] += weight;
        }
        let cells = 0..u32::try_from(found.first.len()).unwrap_or(NONE);
        self.runs = cells.map(|cell| Run { cell, start: cell, end: cell + 1 }).collect();
        self.unit_of_row = found.cells;
    }

    /// Makes each row a unit, those of a cell together in the order of the rows.
    #[expect(clippy::indexing_slicing, reason = "cells were counted")]
    fn arrange(
        &mut self,
        rows: &Rows<'_>,
        found: &Found,
        values: &[&[f64]],
        limits: &[(f64, f64)],
    ) {
        let mut next = vec![0u32; found.first.len() + 1];
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
        let width = values.len();
        self.weights = vec![0.0; found.cells.len()];
        self.numbers = vec![0.0; width * found.cells.len()];
        self.unit_of_row = found.cells.clone();
        if rows.variance.is_some() {
            self.gain = vec![1.0; found.cells.len()];
        }
        self.limits = limits.to_vec();
        for (row, unit) in self.unit_of_row.iter_mut().enumerate() {
            let place = &mut next[*unit as usize];
            *unit = *place;
            *place += 1;
            let at = *unit as usize;
            self.weights[at] = rows.weights[row];
            for (number, column) in self.numbers[at * width..].iter_mut().zip(values) {
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

    /// Adds the sums of a block, with the factor and slope of a unit by `at(sum, unit)`.
    #[expect(clippy::indexing_slicing, reason = "runs, cells and totals were counted")]
    #[inline(always)]
    fn add_with(
        &self,
        block: usize,
        multipliers: &[f64],
        sums: &mut Sums,
        at: impl Fn(f64, usize) -> (f64, f64),
    ) {
        let (size, width) = (self.size, self.columns.len());
        let slopes_of = |m: &[u32]| m.iter().map(|&t| multipliers[t as usize]).collect::<Vec<_>>();
        let own = slopes_of(&self.columns);
        // For a run: the sum of the numbers under weights and under slopes, and of their products.
        let mut first = vec![0.0; width];
        let mut second = vec![0.0; width];
        let mut third = vec![0.0; width * width];
        for run in &self.runs[part(self.runs.len(), block, self.blocks)] {
            let cell = run.cell as usize * self.terms;
            let totals = &self.totals[cell..cell + self.terms];
            let base: f64 = totals.iter().map(|&t| multipliers[t as usize]).sum();
            let (mut weight, mut slope) = (0.0, 0.0);
            if width == 0 && self.gain.is_empty() {
                for unit in run.start as usize..run.end as usize {
                    let (g, s) = at(base, unit);
                    weight += self.weights[unit] * g;
                    slope += self.weights[unit] * s;
                }
            } else {
                first.fill(0.0);
                second.fill(0.0);
                third.fill(0.0);
                for unit in run.start as usize..run.end as usize {
                    let numbers = &self.numbers[unit * width..unit * width + width];
                    let u: f64 = base + numbers.iter().zip(&own).map(|(x, m)| x * m).sum::<f64>();
                    let gain = self.gain.get(unit).copied().unwrap_or(1.0);
                    let (g, s) = at(u * gain, unit);
                    let (w, h) = (self.weights[unit] * g, self.weights[unit] * gain * s);
                    weight += w;
                    slope += h;
                    for i in 0..width {
                        first[i] += w * numbers[i];
                        second[i] += h * numbers[i];
                        for j in 0..=i {
                            third[i * width + j] += h * numbers[i] * numbers[j];
                        }
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
                    sums.slopes[lower(column, other, size)] += third[i * width + j];
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
        self.weights.len()
    }

    fn add(&self, block: usize, multipliers: &[f64], distance: &Distance, sums: &mut Sums) {
        // One loop for each curve, so that the curve is part of it.
        let d = *distance;
        if !self.limits.is_empty() && *distance != Distance::LINE {
            let limits = |unit| self.limits.get(unit).copied().unwrap_or((d.low, d.high));
            self.add_with(block, multipliers, sums, |u, unit| d.within(limits(unit)).at(u));
        } else if d == Distance::LINE {
            self.add_with(block, multipliers, sums, |u, _| (1.0 + u, 1.0));
        } else if d.curve == Curve::Raking && d.smooth() {
            self.add_with(block, multipliers, sums, |u, _| {
                let g = u.exp();
                (g, g)
            });
        } else {
            self.add_with(block, multipliers, sums, |u, _| d.at(u));
        }
    }

    #[expect(clippy::indexing_slicing, reason = "runs, cells and totals were counted")]
    fn factors(&self, multipliers: &[f64], distance: &Distance) -> Vec<f64> {
        let width = self.columns.len();
        let own: Vec<f64> = self.columns.iter().map(|&t| multipliers[t as usize]).collect();
        let mut factors = vec![0.0; self.weights.len()];
        for run in &self.runs {
            let cell = run.cell as usize * self.terms;
            let totals = &self.totals[cell..cell + self.terms];
            let base: f64 = totals.iter().map(|&t| multipliers[t as usize]).sum();
            for unit in run.start as usize..run.end as usize {
                let numbers = self.numbers.get(unit * width..unit * width + width).unwrap_or(&[]);
                let u: f64 = base + numbers.iter().zip(&own).map(|(x, m)| x * m).sum::<f64>();
                let gain = self.gain.get(unit).copied().unwrap_or(1.0);
                let limits = self.limits.get(unit).filter(|_| *distance != Distance::LINE);
                let curve = limits.map_or(*distance, |limits| distance.within(*limits));
                factors[unit] = curve.at(u * gain).0;
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

/// Cells of rows: by combination of levels, or by first appearance where there are too many of them.
struct Found {
    cells: Vec<u32>,
    first: Vec<u32>,
}

impl Found {
    fn new(rows: &Rows<'_>, terms: &[&Term]) -> Self {
        let n = rows.weights.len();
        let mut variables: Vec<(usize, usize)> = vec![];
        for term in terms {
            variables.extend(term.variables.iter().copied().zip(term.levels.iter().copied()));
        }
        variables.sort_unstable();
        variables.dedup();
        let most = TABLE.max(TABLE_PER_ROW.saturating_mul(n)).min(NONE as usize);
        let mut keys = vec![0u32; n];
        let mut places = 1usize;
        for (variable, levels) in variables {
            // One more place for a row without a level, which is found out later.
            let levels = levels + 1;
            if places.saturating_mul(levels) > most {
                places = distinct(&mut keys);
            }
            let codes = rows.codes.get(variable).copied().unwrap_or(&[]);
            if places.saturating_mul(levels) > most {
                places = together(&mut keys, codes, levels);
            } else {
                let (times, last) = (levels as u32, levels as u32 - 1);
                for (key, &code) in keys.iter_mut().zip(codes) {
                    *key = *key * times + code.min(last);
                }
                places *= levels;
            }
        }
        Self::number(keys, places)
    }

    /// Numbers the keys that occur.
    #[expect(clippy::indexing_slicing, reason = "keys are below the number of places")]
    fn number(mut keys: Vec<u32>, places: usize) -> Self {
        let mut table = vec![NONE; places];
        for (&key, row) in keys.iter().zip(0u32..) {
            let first = &mut table[key as usize];
            *first = (*first).min(row);
        }
        let mut first = vec![];
        for place in table.iter_mut().filter(|place| **place != NONE) {
            first.push(*place);
            *place = first.len() as u32 - 1;
        }
        keys.iter_mut().for_each(|key| *key = table[*key as usize]);
        Self { cells: keys, first }
    }
}

/// Replaces keys by the number of their first appearance.
fn distinct(keys: &mut [u32]) -> usize {
    let mut seen: HashMap<u32, u32> = HashMap::new();
    for key in keys {
        let fresh = seen.len() as u32;
        *key = *seen.entry(*key).or_insert(fresh);
    }
    seen.len()
}

/// The same for keys and codes together.
fn together(keys: &mut [u32], codes: &[u32], levels: usize) -> usize {
    let mut seen: HashMap<u64, u32> = HashMap::new();
    for (key, &code) in keys.iter_mut().zip(codes) {
        let both = u64::from(*key) * levels as u64 + u64::from(code.min(levels as u32 - 1));
        let fresh = seen.len() as u32;
        *key = *seen.entry(both).or_insert(fresh);
    }
    seen.len()
}
