//! Rows, or clusters of rows, as lists of the totals that they add to.

use super::cells::{blocks, lower, part, uncovered};
use super::distance::{Curve, Distance};
use super::newton::{Layout, Sums};
use super::{NONE, Rows, Term, Trouble};

/// Units, each with the totals it adds to.
#[derive(Debug)]
pub struct Sparse {
    size: usize,
    /// Where the entries of each unit end.
    ends: Vec<usize>,
    /// Total and what is added to it, in ascending order of the totals.
    entries: Vec<(u32, f64)>,
    weights: Vec<f64>,
    gain: Vec<f64>,
    limits: Vec<(f64, f64)>,
    unit_of_row: Vec<u32>,
    blocks: usize,
}

impl Sparse {
    /// Lists rows, or clusters if there are any. A cluster has the weight of all its rows, and adds
    /// the mean of what they add under their weights (Lemaitre and Dufour, 1987).
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
        let n = rows.weights.len();
        let mut order: Vec<u32> = (0..u32::try_from(n).unwrap_or(NONE)).collect();
        let cluster = |row: u32| rows.clusters.and_then(|c| c.get(row as usize)).copied();
        if rows.clusters.is_some() {
            order.sort_by_key(|&row| cluster(row)); // stable: rows stay in their order
        }
        let mut all = Self {
            size,
            ends: vec![],
            entries: vec![],
            weights: vec![],
            gain: vec![],
            limits: vec![],
            unit_of_row: vec![0; n],
            blocks: 1,
        };
        let same = |a: &u32, b: &u32| rows.clusters.is_some() && cluster(*a) == cluster(*b);
        let mut entries = vec![];
        for members in order.chunk_by(same) {
            let sum: f64 = members.iter().filter_map(|&r| rows.weights.get(r as usize)).sum();
            entries.clear();
            for &row in members {
                let row = row as usize;
                let share = rows.weights.get(row).map_or(1.0, |weight| weight / sum);
                for term in terms {
                    let total = term.total(rows, row);
                    if total == NONE {
                        return Err(uncovered(rows, terms));
                    }
                    entries.push((total, share * term.amount(rows, row)));
                }
                if let Some(unit) = all.unit_of_row.get_mut(row) {
                    *unit = all.weights.len() as u32;
                }
            }
            entries.sort_by_key(|entry| entry.0);
            all.push(&entries);
            all.weights.push(sum);
            let own = |&row: &u32| limits.get(row as usize).copied();
            all.limits
                .extend(members.iter().filter_map(own).reduce(|a, b| (a.0.max(b.0), a.1.min(b.1))));
            let row = members.first().map_or(0, |&row| row as usize);
            all.gain.extend(rows.variance.and_then(|v| v.get(row)).map(|v| 1.0 / v));
        }
        all.blocks = blocks(all.entries.len(), size);
        Ok(all)
    }

    /// The first row of a cluster whose rows leave its factor no room together.
    pub fn cramped(&self, distance: &Distance) -> Option<usize> {
        let unit = self.limits.iter().position(|limits| !distance.room(*limits))?;
        self.unit_of_row.iter().position(|&own| own as usize == unit)
    }

    /// Adds a unit, with entries of one total in one.
    fn push(&mut self, entries: &[(u32, f64)]) {
        for same in entries.chunk_by(|a, b| a.0 == b.0) {
            let sum = same.iter().map(|entry| entry.1).sum();
            self.entries.extend(same.first().map(|entry| (entry.0, sum)));
        }
        self.ends.push(self.entries.len());
    }

    /// Entries of a unit.
    fn of(&self, unit: usize) -> &[(u32, f64)] {
        let end = |unit: usize| self.ends.get(unit).copied().unwrap_or(0);
        let start = unit.checked_sub(1).map_or(0, end);
        self.entries.get(start..end(unit)).unwrap_or(&[])
    }

    /// Factor and slope of a unit.
    #[expect(clippy::indexing_slicing, reason = "totals were counted")]
    fn at(&self, unit: usize, multipliers: &[f64], distance: &Distance) -> (f64, f64) {
        let sum: f64 = self.of(unit).iter().map(|&(t, x)| multipliers[t as usize] * x).sum();
        let gain = self.gain.get(unit).copied().unwrap_or(1.0);
        let limits = self.limits.get(unit).filter(|_| distance.curve != Curve::Line);
        let curve = limits.map_or(*distance, |limits| distance.within(*limits));
        let (g, slope) = curve.at(sum * gain);
        (g, slope * gain)
    }
}

impl Layout for Sparse {
    fn totals(&self) -> usize {
        self.size
    }

    fn blocks(&self) -> usize {
        self.blocks
    }

    fn units(&self) -> usize {
        self.weights.len()
    }

    #[expect(clippy::indexing_slicing, reason = "units and totals were counted")]
    fn add(&self, block: usize, multipliers: &[f64], distance: &Distance, sums: &mut Sums) {
        for unit in part(self.weights.len(), block, self.blocks) {
            let (g, slope) = self.at(unit, multipliers, distance);
            let (weight, slope) = (self.weights[unit] * g, self.weights[unit] * slope);
            let entries = self.of(unit);
            for (k, &(total, x)) in entries.iter().enumerate() {
                sums.totals[total as usize] += weight * x;
                for &(other, y) in &entries[..=k] {
                    sums.slopes[lower(total, other, self.size)] += slope * x * y;
                }
            }
        }
    }

    #[expect(clippy::indexing_slicing, reason = "units were counted")]
    fn factors(&self, multipliers: &[f64], distance: &Distance) -> Vec<f64> {
        let units = 0..self.weights.len();
        let factors: Vec<f64> = units.map(|unit| self.at(unit, multipliers, distance).0).collect();
        self.unit_of_row.iter().map(|&unit| factors[unit as usize]).collect()
    }
}
