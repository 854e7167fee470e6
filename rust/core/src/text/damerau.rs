//! Unrestricted Damerau-Levenshtein distance: swapped characters may be edited again.
//!
//! Linear-space algorithm of Zhao and Sahni (2019): time |a| x |b|.

use super::chars::Ids;

/// Room for the computation.
#[derive(Debug, Default)]
pub(super) struct Damerau {
    /// Row, last row, and the values that a transposition ending in the column starts from.
    /// Column `j` is at `j + 1`.
    row: Vec<u32>,
    last: Vec<u32>,
    before: Vec<u32>,
    /// Last row, counted from 1, whose character has this id; 0 when none.
    seen: Vec<u32>,
}

impl Damerau {
    /// The distance, or more than `most` when it is more.
    pub fn distance(&mut self, ids: &Ids, most: usize) -> usize {
        let (a, b) = (&ids.pattern, &ids.text);
        // No cell is larger than this, and what no transposition can start from is.
        let far = (a.len() + b.len()) as u32 + 1;
        let columns = b.len() + 2;
        for cells in [&mut self.row, &mut self.last, &mut self.before] {
            cells.clear();
            cells.resize(columns, far);
        }
        for (cell, j) in self.row.iter_mut().skip(1).zip(0..) {
            *cell = j;
        }
        self.seen.clear();
        self.seen.resize(ids.count, 0);
        for (i, x) in (1u32..).zip(a) {
            std::mem::swap(&mut self.row, &mut self.last);
            let least = self.fill(i, *x, b, far);
            if least as usize > most {
                return most.saturating_add(1);
            }
            if let Some(seen) = self.seen.get_mut(*x as usize) {
                *seen = i;
            }
        }
        self.row.last().map_or(0, |&d| d as usize)
    }

    /// Fills row `i`, whose character is `x`; returns its least value.
    fn fill(&mut self, i: u32, x: u32, b: &[u32], far: u32) -> u32 {
        let Self { row, last, before, seen } = self;
        // Cells left of the first column, then each column with its left neighbours above.
        let mut above_left = last.get(1).copied().unwrap_or(far);
        let mut above_left_left = far;
        if let Some(first) = row.get_mut(1) {
            *first = i;
        }
        // `start` and `column`: the last match in this row, and what a transposition with it costs
        // up to there. The row is still that of i - 2 where it has not been filled.
        let (mut left, mut least, mut start, mut column) = (i, i, far, None::<u32>);
        let mut two_above_left = if i >= 2 { i - 2 } else { far };
        let cells = row.iter_mut().skip(2).zip(last.iter().skip(2)).zip(before.iter_mut().skip(2));
        for ((j, y), ((cell, &above), before)) in (1u32..).zip(b).zip(cells) {
            let mut value = (above_left + u32::from(x != *y)).min(left + 1).min(above + 1);
            if x == *y {
                column = Some(j);
                *before = above_left_left;
                start = two_above_left;
            } else {
                let k = seen.get(*y as usize).copied().unwrap_or(0);
                if column == Some(j - 1) && k > 0 {
                    value = value.min(*before + (i - k));
                } else if k > 0
                    && k == i - 1
                    && let Some(column) = column
                {
                    value = value.min(start + (j - column));
                }
            }
            least = least.min(value);
            two_above_left = *cell;
            above_left_left = above_left;
            above_left = above;
            left = value;
            *cell = value;
        }
        least
    }
}
