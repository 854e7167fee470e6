//! Tables of any size, a strip of up to four words of rows at a time.
//!
//! Each strip runs over the whole text with its own small table of masks, so memory is linear
//! however long the texts and however many different characters they have; what crosses the
//! border between two strips is kept, a byte a column.
//!
//! A distance is computed in a band around the diagonal (Ukkonen 1985): a path that leaves it by
//! more than half of what the distance may be, beyond the difference in length, cannot come back
//! in time. Cells outside count as one more than their neighbour, which is never too little, and
//! the result is exact as soon as it is not above what was allowed.

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

impl Strips {
    /// The table's last value, of texts of which the second is not shorter. A result above `most`
    /// only says that the value is above it; with `usize::MAX` the whole table is computed.
    pub fn run<S: Column>(&mut self, ids: &Ids, most: usize) -> usize {
        let (height, width) = (ids.pattern.len(), ids.text.len());
        let apart = width.saturating_sub(height);
        if apart > most {
            return apart;
        }
        let banded = most < width;
        self.border.clear();
        self.border.resize(width, S::Border::ABOVE.pack());
        // Two more: a transposition looks back two columns.
        let before = (most - apart) / 2 + 2;
        let after = before.saturating_add(apart);
        let (mut row, mut column, mut value) = (0, 0, 0isize);
        while row < height {
            let words = match (height - row).div_ceil(WORD) {
                1 => 1,
                2 => 2,
                _ => S::WORDS,
            };
            let end = height.min(row + words * WORD);
            let from = row.saturating_sub(before).min(width);
            let place = Place { start: row, from, to: end.saturating_add(after).min(width) };
            value += S::top(place.to) as isize - S::top(column) as isize;
            column = place.to;
            value += match words {
                1 => self.strip::<S, 1>(ids, &place),
                2 => self.strip::<S, 2>(ids, &place),
                _ => self.strip::<S, 4>(ids, &place),
            };
            self.reached = end;
            if banded && end < height && self.least::<S>(&place, value) > most as isize {
                return most + 1;
            }
            row = end;
        }
        value.max(0) as usize
    }

    /// Runs one strip; returns what its rows add in its last column.
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
        let one = std::hint::black_box(1);
        let border = self.border.get_mut(place.from..place.to).unwrap_or(&mut []);
        for (id, border) in text.iter().zip(border) {
            let equal = masks.get(*id as usize).copied().unwrap_or([0; W]);
            let mut crossing = S::Border::unpack(*border);
            for (column, equal) in columns.iter_mut().zip(equal) {
                crossing = column.step(equal, crossing, one);
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

    /// Least value on the border below a strip whose last column has `value`.
    fn least<S: Column>(&self, place: &Place, value: isize) -> isize {
        let border = self.border.get(place.from..place.to).unwrap_or(&[]);
        let mut value = value;
        border.iter().rev().fold(value, |least, border| {
            value -= S::Border::unpack(*border).across();
            least.min(value)
        })
    }
}
