//! Who is in before and after, counted by group.

use super::BLOCK;
use super::codes::Codes;
use super::line::Line;

/// Class of a household without a score.
pub const NULL: u8 = 0;
/// Class of a household that is not in.
pub const OUT: u8 = 1;
/// Class of a household that is in.
pub const IN: u8 = 2;

/// Cells of a group: three times the class before, plus the class after.
pub const CELLS: usize = 9;

/// Counts of households by group and cell.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Rows of each cell, group by group.
    pub rows: Vec<u64>,
    /// Weights of the rows of each cell; empty where each weighs one.
    pub weights: Vec<f64>,
}

impl Tally {
    /// No counts yet of so many groups.
    #[must_use]
    pub fn new(groups: usize, weighted: bool) -> Self {
        let cells = groups * CELLS;
        Self { rows: vec![0; cells], weights: vec![0.0; if weighted { cells } else { 0 }] }
    }

    /// Adds the counts of other rows. Weights are added in the order of the calls.
    pub fn merge(&mut self, other: &Self) {
        self.rows.iter_mut().zip(&other.rows).for_each(|(all, rows)| *all += rows);
        self.weights.iter_mut().zip(&other.weights).for_each(|(all, w)| *all += w);
    }

    /// Counts cells of a block by group.
    fn add(&mut self, cells: &[u8], groups: &[u16], weights: Option<&[f64]>) {
        let places = || {
            let both = groups.iter().zip(cells);
            both.map(|(&group, &cell)| {
                usize::from(group).wrapping_mul(CELLS).wrapping_add(cell.into())
            })
        };
        for place in places() {
            if let Some(rows) = self.rows.get_mut(place) {
                *rows = rows.wrapping_add(1);
            }
        }
        for (place, weight) in places().zip(weights.unwrap_or(&[])) {
            if let Some(sum) = self.weights.get_mut(place) {
                *sum += weight;
            }
        }
    }
}

/// A scenario for a tally: its sums and its cut-off.
pub type Cut<'a> = (&'a [i32], &'a Line<'a>);

/// Counts rows by some of the groupings of the codes, and then by tenths of the scores before: one
/// tally each, empty ones of the right sizes being given.
///
/// `tenths` are cut-offs that admit what is poorer than the second tenth, the third and so on.
#[must_use]
pub fn tally(
    codes: &Codes,
    before: Cut<'_>,
    after: Cut<'_>,
    groupings: &[usize],
    tenths: &[Line<'_>],
    mut tallies: Vec<Tally>,
    rows: std::ops::Range<usize>,
) -> Vec<Tally> {
    let mut room = Cells::default();
    let mut tenth = [0u16; BLOCK];
    for start in rows.clone().step_by(BLOCK) {
        let n = BLOCK.min(rows.end - start);
        let cells = room.fill(codes, before, after, start, n);
        let weights = codes.weights.as_ref().and_then(|w| w.get(start..start + n));
        let mut each = tallies.iter_mut();
        for (&grouping, tally) in groupings.iter().zip(&mut each) {
            let groups = codes.groups.get(grouping).and_then(|g| g.get(start..start + n));
            tally.add(cells, groups.unwrap_or(&[]), weights);
        }
        if let (Some(tally), false) = (each.next(), tenths.is_empty()) {
            let tenth = tenth.get_mut(..n).unwrap_or(&mut []);
            tenth.fill(1);
            let mut class = [NULL; BLOCK];
            let class = class.get_mut(..n).unwrap_or(&mut []);
            for line in tenths {
                line.classify(codes, before.0, start, class);
                tenth
                    .iter_mut()
                    .zip(&*class)
                    .for_each(|(t, c)| *t = t.wrapping_add((*c == OUT).into()));
            }
            // Households without a score are in no tenth.
            tenth.iter_mut().zip(&*class).filter(|(_, c)| **c == NULL).for_each(|(t, _)| *t = 0);
            tally.add(cells, tenth, weights);
        }
    }
    tallies
}

/// Cells that are looked at together for movers: most hold none.
const FEW: usize = 64;

/// Rows that enter or leave, with the cell of each.
pub fn movers(
    codes: &Codes,
    before: Cut<'_>,
    after: Cut<'_>,
    rows: std::ops::Range<usize>,
) -> Vec<(u32, u8)> {
    // The cells of those who are in before are the last three.
    let moves = |cell: u8, after: u8| (cell >= 3 * IN) != (after == IN);
    let mut found = vec![];
    let mut room = Cells::default();
    for start in rows.clone().step_by(BLOCK) {
        let n = BLOCK.min(rows.end - start);
        room.fill(codes, before, after, start, n);
        let both = room.before.chunks(FEW).zip(room.after.chunks(FEW));
        for ((cells, after), first) in both.zip((start..start + n).step_by(FEW)) {
            let pairs = || cells.iter().zip(after).take(start + n - first);
            if pairs().fold(false, |any, (&cell, &after)| any | moves(cell, after)) {
                let moved = (first..).zip(pairs()).filter(|(_, (c, a))| moves(**c, **a));
                found.extend(moved.map(|(row, (&cell, _))| (row as u32, cell)));
            }
        }
    }
    found
}

struct Cells {
    before: [u8; BLOCK],
    after: [u8; BLOCK],
}

impl Default for Cells {
    fn default() -> Self {
        Self { before: [NULL; BLOCK], after: [NULL; BLOCK] }
    }
}

impl Cells {
    /// The cells of rows `start .. start + n`, where `n` is at most a block.
    fn fill(
        &mut self,
        codes: &Codes,
        before: Cut<'_>,
        after: Cut<'_>,
        start: usize,
        n: usize,
    ) -> &[u8] {
        let first = self.before.get_mut(..n).unwrap_or(&mut []);
        let second = self.after.get_mut(..n).unwrap_or(&mut []);
        before.1.classify(codes, before.0, start, first);
        after.1.classify(codes, after.0, start, second);
        for (cell, after) in first.iter_mut().zip(&*second) {
            *cell = cell.wrapping_mul(3).wrapping_add(*after); // at most 8
        }
        first
    }
}
