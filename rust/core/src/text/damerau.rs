//! Unrestricted Damerau-Levenshtein distance: swapped characters may be edited again.
//!
//! Linear-space algorithm of Zhao and Sahni (2019): time |a| x |b|.

use super::chars::Ids;

/// Room for the computation.
#[derive(Debug, Default)]
pub(super) struct Damerau {
    columns: Vec<Cell>,
    /// Last row, counted from 1, whose character has this id; 0 when none.
    seen: Vec<u32>,
}

/// A column of the table, as far as the next row needs it.
#[derive(Debug, Clone, Copy)]
struct Cell {
    id: u32,
    /// Value in the row above, and above that.
    above: u32,
    two_above: u32,
    /// Value that a transposition which ends in this column starts from.
    start: u32,
}

impl Damerau {
    /// The distance, or more than `most` when it is more.
    pub fn distance(&mut self, ids: &Ids, most: usize) -> usize {
        let (a, b) = (&ids.pattern, &ids.text);
        // No value is larger than this: nothing starts from there.
        let far = (a.len() + b.len()) as u32 + 1;
        self.columns.clear();
        let first = |(j, id): (u32, &u32)| Cell { id: *id, above: j, two_above: far, start: far };
        self.columns.extend((1u32..).zip(b).map(first));
        self.seen.clear();
        self.seen.resize(ids.count, 0);
        for (i, id) in (1u32..).zip(a) {
            if self.row(i, *id, far) as usize > most {
                return most.saturating_add(1);
            }
            if let Some(seen) = self.seen.get_mut(*id as usize) {
                *seen = i;
            }
        }
        self.columns.last().map_or(a.len(), |cell| cell.above as usize)
    }

    /// Fills row `i`, whose character is `id`; returns its least value.
    ///
    /// Without branches: which characters are equal is as good as random. A transposition is the
    /// last match in this row, at `column`, with the last row `k` that has this column's character,
    /// when nothing stands between the one pair or the other.
    fn row(&mut self, i: u32, id: u32, far: u32) -> u32 {
        let Self { columns, seen } = self;
        let (mut left, mut least) = (i, i);
        let (mut above_left_left, mut above_left) = (far, i - 1);
        let mut two_above_left = if i > 1 { i - 2 } else { far };
        let (mut column, mut row_start) = (0, far);
        for (j, cell) in (1u32..).zip(columns) {
            let k = seen.get(cell.id as usize).copied().unwrap_or(0);
            let equal = cell.id == id;
            let across = cell.start.wrapping_add(i.wrapping_sub(k));
            let across = if column == j.wrapping_sub(1) { across } else { far };
            let down = row_start.wrapping_add(j.wrapping_sub(column));
            let down = if k == i.wrapping_sub(1) { down } else { far };
            let edited = above_left.wrapping_add(u32::from(!equal));
            let value = edited.min(cell.above.wrapping_add(1)).min(across.min(down));
            left = value.min(left.wrapping_add(1));
            least = least.min(left);
            cell.start = if equal { above_left_left } else { cell.start };
            row_start = if equal { two_above_left } else { row_start };
            column = if equal { j } else { column };
            (above_left_left, above_left, two_above_left) =
                (above_left, cell.above, cell.two_above);
            (cell.two_above, cell.above) = (cell.above, left);
        }
        least
    }
}
