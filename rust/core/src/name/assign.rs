//! Which token of one name stands for which of the other: the pairing of the greatest gain.

/// Names of at most this many tokens are paired optimally; longer ones greedily, best pairs first.
pub(super) const MOST: usize = 8;

/// Likeness and gain of every pair of a row and a column that may be, and the pairing found.
#[derive(Debug, Clone, Default)]
pub(super) struct Pairing {
    columns: usize,
    cells: Vec<(f64, f64)>,
    partners: Vec<Option<usize>>,
    taken: u64,
    /// Columns and rows with a gain, and whether one has two.
    gaining: [u64; 2],
    contested: bool,
}

impl Pairing {
    /// Begins anew; no pair may be. At most 64 rows and columns.
    pub(super) fn begin(&mut self, rows: usize, columns: usize) {
        self.columns = columns;
        self.cells.clear();
        self.cells.resize(rows * columns, (0.0, 0.0));
        self.partners.clear();
        self.partners.resize(rows, None);
        self.taken = 0;
        self.gaining = [0; 2];
        self.contested = false;
    }

    #[inline]
    pub(super) fn set(&mut self, row: usize, column: usize, likeness: f64, gain: f64) {
        if let Some(cell) = self.cells.get_mut(row * self.columns + column) {
            *cell = (likeness, gain);
            if gain > 0.0 {
                let [columns, rows] = &mut self.gaining;
                self.contested |= (*columns >> column | *rows >> row) & 1 == 1;
                *columns |= 1 << column;
                *rows |= 1 << row;
            }
        }
    }

    fn cell(&self, row: usize, column: usize) -> (f64, f64) {
        self.cells.get(row * self.columns + column).copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn likeness(&self, row: usize, column: usize) -> f64 {
        self.cell(row, column).0
    }

    #[inline]
    pub(super) fn partner(&self, row: usize) -> Option<usize> {
        self.partners.get(row).copied().flatten()
    }

    #[inline]
    pub(super) fn is_taken(&self, column: usize) -> bool {
        self.taken >> column & 1 == 1
    }

    /// Pairs a row with a column.
    pub(super) fn pair(&mut self, row: usize, column: usize) {
        if let Some(partner) = self.partners.get_mut(row) {
            *partner = Some(column);
            self.taken |= 1 << column;
        }
    }

    /// Finds the pairing; of equal ones, the first in order of rows and columns.
    pub(super) fn solve(&mut self) {
        if !self.contested {
            return self.all();
        }
        match self.partners.len().max(self.columns) {
            0..=2 => self.optimal::<2, 4>(),
            3 => self.optimal::<3, 8>(),
            4 => self.optimal::<4, 16>(),
            5..=MOST => self.optimal::<MOST, 256>(),
            _ => self.greedy(),
        }
    }

    /// Every pair that gains: none is in the way of another.
    fn all(&mut self) {
        for k in 0..self.cells.len() {
            if self.cells.get(k).is_some_and(|cell| cell.1 > 0.0) {
                self.pair(k / self.columns, k % self.columns);
            }
        }
    }

    /// Best gain of the rows so far with the columns of a mask, row by row.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are at most SIZE, masks below 2^SIZE"
    )]
    fn optimal<const SIZE: usize, const MASKS: usize>(&mut self) {
        let (rows, columns) = (self.partners.len(), self.columns);
        let mut best = [0.0; MASKS];
        let mut choice = [[MOST as u8; MASKS]; SIZE];
        for (row, choice) in choice.iter_mut().enumerate().take(rows) {
            // From the fullest mask down: smaller ones still hold the rows before.
            for mask in (0..1 << columns).rev() {
                let without = best[mask];
                let mut top = without;
                choice[mask] = MOST as u8;
                for column in 0..columns {
                    let gain = self.cells[row * columns + column].1;
                    if mask >> column & 1 == 1 && best[mask ^ (1 << column)] + gain > top {
                        top = best[mask ^ (1 << column)] + gain;
                        choice[mask] = column as u8;
                    }
                }
                best[mask] = top;
            }
        }
        let mut mask = (1 << columns) - 1;
        for row in (0..rows).rev() {
            let column = usize::from(choice[row][mask]);
            if column < MOST {
                self.pair(row, column);
                mask ^= 1 << column;
            }
        }
    }

    fn greedy(&mut self) {
        let mut order: Vec<usize> = (0..self.cells.len())
            .filter(|k| self.cells.get(*k).is_some_and(|c| c.1 > 0.0))
            .collect();
        order.sort_by(|a, b| {
            let gain = |k: &usize| self.cells.get(*k).map_or(0.0, |c| c.1);
            gain(b).total_cmp(&gain(a)).then(a.cmp(b))
        });
        for k in order {
            let (row, column) = (k / self.columns, k % self.columns);
            if self.partner(row).is_none() && !self.is_taken(column) {
                self.pair(row, column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gain(cells: &[&[f64]], partners: &[Option<usize>]) -> f64 {
        cells.iter().zip(partners).filter_map(|(row, p)| Some(row[(*p)?])).sum()
    }

    fn brute(cells: &[&[f64]], used: u64) -> f64 {
        let Some((row, rest)) = cells.split_first() else { return 0.0 };
        let skip = brute(rest, used);
        let take = (0..row.len())
            .filter(|j| used >> j & 1 == 0)
            .map(|j| row[j] + brute(rest, used | 1 << j));
        take.fold(skip, f64::max)
    }

    #[test]
    fn optimal_is_as_good_as_every_pairing() {
        let mut state = 1u64;
        let mut random = || {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            ((state >> 33) % 5) as f64
        };
        for (rows, columns) in [(1, 1), (2, 2), (3, 2), (2, 4), (4, 4), (5, 3)] {
            for _ in 0..50 {
                let cells: Vec<Vec<f64>> =
                    (0..rows).map(|_| (0..columns).map(|_| random()).collect()).collect();
                let cells: Vec<&[f64]> = cells.iter().map(Vec::as_slice).collect();
                let mut pairing = Pairing::default();
                pairing.begin(rows, columns);
                for (i, row) in cells.iter().enumerate() {
                    for (j, value) in row.iter().enumerate() {
                        pairing.set(i, j, 1.0, *value);
                    }
                }
                pairing.solve();
                assert_eq!(gain(&cells, &pairing.partners), brute(&cells, 0));
            }
        }
    }

    #[test]
    fn long_names_are_paired_best_first() {
        let mut pairing = Pairing::default();
        pairing.begin(9, 9);
        for k in 0..9 {
            pairing.set(k, 8 - k, 1.0, 1.0 + k as f64);
        }
        pairing.solve();
        assert!((0..9).all(|k| pairing.partner(k) == Some(8 - k)));
    }
}
