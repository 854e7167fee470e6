//! Tables of any size, a strip of up to four words of rows at a time.
//!
//! Each strip runs over the whole text with its own small table of masks, so memory is linear
//! however long the texts and however many different characters they have; what crosses the
//! border between two strips is kept, a byte a column.
//!
//! A distance is computed in a band around the diagonal (Ukkonen 1985): what a path has cost so
//! far and what it costs at least to come back to the diagonal cannot be more than the distance may
//! be. Below each strip the band narrows to the columns of which that holds, by a limit that falls
//! as the distance becomes known. Cells outside count as one more than their neighbour, which is
//! never too little, and the result is exact as soon as it is not above what was allowed.

use super::chars::Ids;
use super::column::{Border, Column, rows};
use super::masks::WORD;

/// Room for the computation.
#[derive(Debug, Default)]
pub(super) struct Strips {
    /// Masks of the strip's characters, by id.
    masks: Vec<u64>,
    /// What crosses the border below the strip, by column.
    border: Vec<u8>,
    /// Rows that were computed.
    pub reached: usize,
}

/// Rows `start ..` of a strip, and columns.
struct Place {
    start: usize,
    from: usize,
    to: usize,
}

/// A value on the border below a strip, behind `column` characters of the text.
#[derive(Clone, Copy)]
struct Cell {
    column: usize,
    value: isize,
}

impl Cell {
    /// Least cost of a path through here that ends on the diagonal of column `goal`.
    fn path(self, goal: usize) -> isize {
        self.value + self.column.abs_diff(goal) as isize
    }
}

/// A transposition looks back two columns, of which each may cost two more.
const LOOK_BACK: usize = 4;

impl Strips {
    /// The table's last value, of texts of which the second is not shorter. A result above `most`
    /// only says that the value is above it; with `usize::MAX` the whole table is computed.
    #[inline(always)]
    pub fn run<S: Column>(&mut self, ids: &Ids, most: usize) -> usize {
        let (height, width) = (ids.pattern.len(), ids.text.len());
        let apart = width.saturating_sub(height);
        if apart > most {
            return apart;
        }
        self.border.clear();
        self.border.resize(width, S::Border::ABOVE.pack());
        let mut limit = most;
        let (mut left, mut right) = (Cell { column: 0, value: 0 }, Cell { column: 0, value: 0 });
        // The last column from which the diagonal may be followed.
        let mut last = limit.saturating_add(LOOK_BACK + apart) / 2;
        let mut row = 0;
        while row < height {
            let words = (height - row).div_ceil(WORD).min(S::WORDS);
            let end = height.min(row + words * WORD);
            self.move_to::<S>(&mut right, last.saturating_add(end - row).min(width));
            let place = Place { start: row, from: left.column, to: right.column };
            left.value += (end - row) as isize;
            right.value += match words {
                1 => self.strip::<S, 1>(ids, &place),
                2 => self.strip::<S, 2>(ids, &place),
                3 => self.strip::<S, 3>(ids, &place),
                _ => self.strip::<S, 4>(ids, &place),
            };
            self.reached = end;
            row = end;
            if most == usize::MAX || end == height {
                continue;
            }
            let goal = end + apart;
            limit = limit.min(self.at_most::<S>(right, goal.max(left.column), height - end));
            let allowed = (limit + LOOK_BACK) as isize;
            match self.narrowed::<S>(left, right, goal, allowed) {
                Some(narrowed) => (left, last) = narrowed,
                None => return most + 1,
            }
        }
        right.value.max(0) as usize
    }

    /// The first cell of the border that a path of at most `allowed` can cross, and the last column
    /// from which such a path can follow its diagonal; `None` when it cannot cross the border.
    #[inline(always)]
    fn narrowed<S: Column>(
        &self,
        mut left: Cell,
        mut right: Cell,
        goal: usize,
        allowed: isize,
    ) -> Option<(Cell, usize)> {
        let across = |border: &u8| S::Border::unpack(*border).across();
        let mut border = self.border.get(left.column..right.column)?;
        while left.path(goal) > allowed {
            let (first, rest) = border.split_first()?;
            left = Cell { column: left.column + 1, value: left.value + across(first) };
            border = rest;
        }
        while let Some((last, rest)) = border.split_last().filter(|_| right.path(goal) > allowed) {
            right = Cell { column: right.column - 1, value: right.value - across(last) };
            border = rest;
        }
        // A step away from the diagonal of the goal costs two: there and back.
        let spare = (allowed - right.path(goal)).max(0) as usize;
        Some((left, right.column.max(goal) + spare / 2))
    }

    /// Moves the right end of the border; columns beyond it are one more each.
    #[inline(always)]
    fn move_to<S: Column>(&mut self, right: &mut Cell, column: usize) {
        right.value += S::top(column) as isize - S::top(right.column) as isize;
        for border in self.border.get_mut(column..right.column).unwrap_or(&mut []) {
            right.value += S::Border::ABOVE.across() - S::Border::unpack(*border).across();
            *border = S::Border::ABOVE.pack();
        }
        right.column = column;
    }

    /// Runs one strip; returns what its rows add in its last column.
    #[inline(always)]
    fn strip<S: Column, const W: usize>(&mut self, ids: &Ids, place: &Place) -> isize {
        let pattern = ids.pattern.get(place.start..).unwrap_or(&[]);
        let pattern = pattern.get(..W * WORD).unwrap_or(pattern);
        let text = ids.text.get(place.from..place.to).unwrap_or(&[]);
        if self.masks.len() < ids.count * W {
            self.masks.resize(ids.count * W, 0);
        }
        let (masks, _) = self.masks.as_chunks_mut::<W>();
        for (word, part) in pattern.chunks(WORD).enumerate() {
            for (bit, id) in part.iter().enumerate() {
                if let Some(mask) = masks.get_mut(*id as usize).and_then(|m| m.get_mut(word)) {
                    *mask |= 1 << bit;
                }
            }
        }
        let mut columns = [S::FIRST; W];
        let last = std::hint::black_box(u64::BITS - 1);
        let border = self.border.get_mut(place.from..place.to).unwrap_or(&mut []);
        for (id, border) in text.iter().zip(border) {
            let equal = masks.get(*id as usize).copied().unwrap_or([0; W]);
            let mut crossing = S::Border::unpack(*border);
            for (column, equal) in columns.iter_mut().zip(equal) {
                crossing = column.step(equal, crossing, last);
            }
            *border = crossing.pack();
        }
        for id in pattern {
            if let Some(mask) = masks.get_mut(*id as usize) {
                *mask = [0; W];
            }
        }
        let left = |word: usize| pattern.len().saturating_sub(word * WORD);
        columns.iter().enumerate().map(|(word, column)| column.sum(rows(left(word)))).sum()
    }

    /// What the distance is at most: the value at `column` of the border and, for the `rows` below
    /// it, the longer of what is left of both texts.
    #[inline(always)]
    fn at_most<S: Column>(&self, right: Cell, column: usize, rows: usize) -> usize {
        let border = self.border.get(column..right.column).unwrap_or(&[]);
        let after: isize = border.iter().map(|b| S::Border::unpack(*b).across()).sum();
        let left = self.border.len().saturating_sub(column);
        (right.value - after).max(0) as usize + rows.max(left)
    }
}
