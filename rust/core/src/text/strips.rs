//! Tables of any size, a strip of up to four words of rows at a time.
//!
//! Each strip runs over the whole text with its own small table of masks, so memory is linear
//! however long the texts and however many different characters they have; what crosses the
//! border between two strips is kept, a byte a column.
//!
//! Distances may be computed in a band around the diagonal (Ukkonen 1985): cells outside it count
//! as one more than their neighbour, which is never too little, and exact as soon as the distance
//! is not above the band.

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
}

/// Rows `start ..` of a strip, and columns.
struct Place {
    start: usize,
    from: usize,
    to: usize,
}

impl Strips {
    /// The table's last value. With a `band`, a result above it only says that the value is above
    /// the band; the longer length or more is no band.
    pub fn run<S: Column>(&mut self, ids: &Ids, band: usize) -> usize {
        let (height, width) = (ids.pattern.len(), ids.text.len());
        let banded = band < height.max(width);
        if banded && height.abs_diff(width) > band {
            return band + 1;
        }
        self.border.clear();
        self.border.resize(width, S::Border::ABOVE.pack());
        // Two more: a transposition looks back two columns.
        let near = band.saturating_add(2);
        let (mut row, mut column, mut value) = (0, 0, 0isize);
        while row < height {
            let words = match (height - row).div_ceil(WORD) {
                1 => 1,
                2 => 2,
                _ => 4,
            };
            let end = height.min(row + words * WORD);
            let from = row.saturating_sub(near).min(width);
            let place = Place { start: row, from, to: end.saturating_add(near).min(width) };
            value += S::top(place.to) as isize - S::top(column) as isize;
            column = place.to;
            value += match words {
                1 => self.strip::<S, 1>(ids, &place),
                2 => self.strip::<S, 2>(ids, &place),
                _ => self.strip::<S, 4>(ids, &place),
            };
            if banded && end < height && self.least::<S>(&place, value) > band as isize {
                return band + 1;
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
        let border = self.border.get_mut(place.from..place.to).unwrap_or(&mut []);
        for (id, border) in text.iter().zip(border) {
            let equal = masks.get(*id as usize).copied().unwrap_or([0; W]);
            let mut crossing = S::Border::unpack(*border);
            for (column, equal) in columns.iter_mut().zip(equal) {
                crossing = column.step(equal, crossing);
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
