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
    ///
    /// Without branches: which characters are equal is as good as random. A transposition is the
    /// last match in this row, at `column`, with the last row `k` that has this column's character,
    /// when nothing stands between the one pair or the other; a start that is `far` means that
    /// there is none.
    fn fill(&mut self, i: u32, x: u32, b: &[u32], far: u32) -> u32 {
        let Self { row, last, before, seen } = self;
        let (mut above_left_left, mut above_left) = (far, last.get(1).copied().unwrap_or(far));
        // The row still holds that of i - 2 where it has not been filled.
        let mut two_above_left = row.get(1).copied().unwrap_or(far);
        if let Some(first) = row.get_mut(1) {
            *first = i;
        }
        let (mut left, mut least, mut start, mut column) = (i, i, far, 0);
        let cells = row.iter_mut().skip(2).zip(last.iter().skip(2)).zip(before.iter_mut().skip(2));
        for ((j, y), ((cell, &above), before)) in (1u32..).zip(b).zip(cells) {
            let k = seen.get(*y as usize).copied().unwrap_or(0);
            let equal = x == *y;
            let edited = above_left.wrapping_add(u32::from(!equal)).min(left.wrapping_add(1));
            let rows = before.wrapping_add(i.wrapping_sub(k));
            let columns = start.wrapping_add(j.wrapping_sub(column));
            let rows = if column.wrapping_add(1) == j { rows } else { far };
            let columns = if k.wrapping_add(1) == i { columns } else { far };
            let value = edited.min(above.wrapping_add(1)).min(rows).min(columns);
            *before = if equal { above_left_left } else { *before };
            start = if equal { two_above_left } else { start };
            column = if equal { j } else { column };
            least = least.min(value);
            (above_left_left, above_left) = (above_left, above);
            two_above_left = *cell;
            left = value;
            *cell = value;
        }
        least
    }
}
