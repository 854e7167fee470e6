//! Which token of one name stands for which of the other: the pairing of the greatest gain.

/// Names of at most this many tokens are paired optimally; longer ones greedily, best pairs first.
pub(super) const MOST: usize = 8;

/// Rows and columns at most.
const SIDE: usize = 32;
const NOBODY: u8 = u8::MAX;

/// Likeness and gain of every pair of a row and a column that may be, and the pairing found.
#[derive(Debug, Clone)]
pub(super) struct Pairing {
    rows: usize,
    columns: usize,
    /// Valid where `set` says so.
    cells: [(f64, f64); SIDE * SIDE],
    /// By row, the columns that were set.
    set: [u32; SIDE],
    partners: [u8; SIDE],
    taken: u32,
    /// Columns and rows with a gain, and whether one has two.
    gaining: [u32; 2],
    contested: bool,
}

impl Default for Pairing {
    fn default() -> Self {
        Self {
            rows: 0,
            columns: 0,
            cells: [(0.0, 0.0); SIDE * SIDE],
            set: [0; SIDE],
            partners: [NOBODY; SIDE],
            taken: 0,
            gaining: [0; 2],
            contested: false,
        }
    }
}

impl Pairing {
    /// Begins anew; no pair may be. At most 32 rows and columns.
    #[inline(always)]
    pub(super) fn begin(&mut self, rows: usize, columns: usize) {
        (self.rows, self.columns) = (rows, columns);
        for (set, partner) in self.set.iter_mut().zip(&mut self.partners).take(rows) {
            (*set, *partner) = (0, NOBODY);
        }
        self.taken = 0;
        self.gaining = [0; 2];
        self.contested = false;
    }

    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, column: usize, likeness: f64, gain: f64) {
        let cell = self.cells.get_mut(row * self.columns + column);
        if let (Some(cell), Some(set)) = (cell, self.set.get_mut(row)) {
            *cell = (likeness, gain);
            *set |= 1 << column;
            if gain > 0.0 {
                let [columns, rows] = &mut self.gaining;
                self.contested |= (*columns >> column | *rows >> row) & 1 == 1;
                *columns |= 1 << column;
                *rows |= 1 << row;
            }
        }
    }

    /// Whether some pair has a gain.
    #[inline(always)]
    pub(super) fn gains(&self) -> bool {
        self.gaining != [0; 2]
    }

    #[inline(always)]
    fn cell(&self, row: usize, column: usize) -> (f64, f64) {
        let set = self.set.get(row).is_some_and(|set| set >> column & 1 == 1);
        let cell = self.cells.get(row * self.columns + column).filter(|_| set);
        cell.copied().unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn likeness(&self, row: usize, column: usize) -> f64 {
        self.cell(row, column).0
    }

    #[inline(always)]
    pub(super) fn partner(&self, row: usize) -> Option<usize> {
        self.partners.get(row).filter(|partner| **partner != NOBODY).map(|p| (*p).into())
    }

    #[inline(always)]
    pub(super) fn is_taken(&self, column: usize) -> bool {
        self.taken >> column & 1 == 1
    }

    /// Pairs a row with a column.
    #[inline(always)]
    pub(super) fn pair(&mut self, row: usize, column: usize) {
        if let Some(partner) = self.partners.get_mut(row) {
            *partner = column as u8;
            self.taken |= 1 << column;
        }
    }

    /// Finds the pairing; of equal ones, the first in order of rows and columns.
    #[inline]
    pub(super) fn solve(&mut self) {
        if !self.contested {
            return self.all();
        }
        if self.rows.max(self.columns) > MOST {
            return self.greedy();
        }
        // Rows and columns without a gain pair with none.
        let [columns, rows] = self.gaining.map(u32::count_ones);
        match rows.max(columns) {
            0..=2 => self.optimal::<2, 4>(),
            3 => self.optimal::<3, 8>(),
            4 => self.optimal::<4, 16>(),
            _ => self.optimal::<MOST, 256>(),
        }
    }

    /// Every pair that gains: none is in the way of another.
    #[inline(always)]
    fn all(&mut self) {
        let [columns, rows] = self.gaining;
        for row in bits(rows) {
            let gains = |column: &usize| self.cell(row, *column).1 > 0.0;
            if let Some(column) = bits(columns).find(gains) {
                self.pair(row, column);
            }
        }
    }

    /// Best gain of the rows so far with the columns of a mask, row by row.
    #[expect(
        clippy::indexing_slicing,
        reason = "rows and columns are at most SIZE, masks below 2^SIZE"
    )]
    fn optimal<const SIZE: usize, const MASKS: usize>(&mut self) {
        let [of_columns, of_rows] = self.gaining;
        let mut columns = [0; SIZE];
        for (to, column) in columns.iter_mut().zip(bits(of_columns)) {
            *to = column;
        }
        let count = of_columns.count_ones() as usize;
        let mut best = [0.0; MASKS];
        let mut choice = [[MOST as u8; MASKS]; SIZE];
        for (row, choice) in bits(of_rows).zip(&mut choice) {
            let gains: [f64; SIZE] = columns.map(|column| self.cell(row, column).1);
            // From the fullest mask down: smaller ones still hold the rows before.
            for mask in (0..1 << count).rev() {
                let without = best[mask];
                let mut top = without;
                for (column, gain) in gains.iter().enumerate().take(count) {
                    if mask >> column & 1 == 1 && best[mask ^ (1 << column)] + gain > top {
                        top = best[mask ^ (1 << column)] + gain;
                        choice[mask] = column as u8;
                    }
                }
                best[mask] = top;
            }
        }
        let mut mask = (1 << count) - 1;
        let mut rows = of_rows;
        for at in (0..of_rows.count_ones() as usize).rev() {
            let row = rows.ilog2() as usize;
            rows ^= 1 << row;
            let column = usize::from(choice[at][mask]);
            if column < MOST {
                self.pair(row, columns[column]);
                mask ^= 1 << column;
            }
        }
    }

    fn greedy(&mut self) {
        let gain = |(row, column): (usize, usize)| self.cell(row, column).1;
        let cells = (0..self.rows).flat_map(|row| (0..self.columns).map(move |c| (row, c)));
        let mut order: Vec<(usize, usize)> = cells.filter(|k| gain(*k) > 0.0).collect();
        order.sort_by(|a, b| gain(*b).total_cmp(&gain(*a)).then(a.cmp(b)));
        for (row, column) in order {
            if self.partner(row).is_none() && !self.is_taken(column) {
                self.pair(row, column);
            }
        }
    }
}

/// Places of the bits that are set, the lowest first.
#[inline(always)]
fn bits(mut mask: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let at = mask.trailing_zeros();
        mask &= mask.wrapping_sub(1);
        (at < u32::BITS).then_some(at as usize)
    })
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
                let partners: Vec<_> = (0..rows).map(|row| pairing.partner(row)).collect();
                assert_eq!(gain(&cells, &partners), brute(&cells, 0));
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
