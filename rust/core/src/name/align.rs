//! The best alignment of two spelled words: a weighted edit distance over segments of up to three
//! letters, in integers, so that every twin of it gives the same number.

use super::bound::Rest;
use super::costs::{LETTERS, LONGEST, Letter, NEVER, NO_LETTER, Spot, Weights};

/// Below every worth, and far above overflow when weights are added.
const NOTHING: i32 = i32::MIN / 4;
const WIDTH: usize = LETTERS + 1;
/// Cells of a row: the best alignment of some letters of `x` with 0, 1, 2 ... letters of `y`.
type Row = [i32; WIDTH];

/// A segment of two or three letters of `y`.
#[derive(Debug, Clone, Copy, Default)]
struct Long {
    /// Letters of `y` up to its end.
    end: u8,
    size: u8,
    spot: Spot,
    gone: i16,
}

/// The second word: its letters and longer segments, taken apart once for all rows.
struct Columns<'a> {
    letters: &'a [Letter],
    ids: [u16; LETTERS],
    gone: [i16; LETTERS],
    long: [Long; 2 * LETTERS],
    longs: usize,
    /// Some letter is in no alphabet.
    strange: bool,
}

/// Log-odds, in thousandths, that two words spell one name: the worth of their best alignment plus
/// the constant of their length. `x` is the Urdu word when one of two is. Something less than
/// `least` when they are worth less: `rest` tells early.
///
/// # Complexity
///
/// Letters of `x` times letters of `y`, at most 15 operations in each cell.
#[expect(clippy::indexing_slicing, reason = "words are cut to 32 letters, rows have 33 cells")]
pub(super) fn log_odds(
    x: &[Letter],
    y: &[Letter],
    weights: &Weights,
    rest: &Rest,
    least: i32,
) -> i32 {
    let (x, y) = (&x[..x.len().min(LETTERS)], &y[..y.len().min(LETTERS)]);
    let mut columns = Columns {
        letters: y,
        ids: [0; LETTERS],
        gone: [NEVER; LETTERS],
        long: [Long::default(); 2 * LETTERS],
        longs: 0,
        strange: false,
    };
    columns.read(weights);
    // The last four rows, each at its number modulo four.
    let mut rows: [Row; 4] = [[NOTHING; WIDTH]; 4];
    rows[0][0] = 0;
    columns.insert(&mut rows[0]);
    let mut hopeless = 0;
    for (i, above) in x.iter().enumerate() {
        let mut row = [NOTHING; WIDTH];
        columns.letter(above, &rows[i % 4], &mut row, weights);
        for (k, &a) in above.ends.iter().enumerate() {
            if k > 0 && a.id != 0 {
                columns.segment(a, &rows[(i - k) % 4], &mut row, weights);
            }
        }
        columns.insert(&mut row);
        rows[(i + 1) % 4] = row;
        // A segment may lead past two rows.
        let top = row[..=y.len()].iter().fold(NOTHING, |top, worth| top.max(*worth));
        hopeless = if top.saturating_add(rest[i + 1]) < least { hopeless + 1 } else { 0 };
        if hopeless == LONGEST {
            return NOTHING;
        }
    }
    rows[x.len() % 4][y.len()] + weights.constant(x.len().min(y.len()))
}

impl Columns<'_> {
    fn read(&mut self, weights: &Weights) {
        for (k, letter) in self.letters.iter().enumerate() {
            let [single, longer @ ..] = letter.ends;
            if let (Some(id), Some(gone)) = (self.ids.get_mut(k), self.gone.get_mut(k)) {
                (*id, *gone) = (single.id, weights.gone(1, single));
            }
            self.strange |= letter.other != NO_LETTER;
            for (size, spot) in (2..).zip(longer) {
                if spot.id != 0
                    && let Some(long) = self.long.get_mut(self.longs)
                {
                    *long = Long { end: k as u8 + 1, size, spot, gone: weights.gone(1, spot) };
                    self.longs += 1;
                }
            }
        }
    }

    fn long(&self) -> &[Long] {
        self.long.get(..self.longs).unwrap_or_default()
    }

    /// One letter of `x`, behind the letters of row `old`.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "at most 32 columns in rows of 33 cells")]
    fn letter(&self, above: &Letter, old: &Row, row: &mut Row, weights: &Weights) {
        let [a, ..] = above.ends;
        let gone = i32::from(weights.gone(0, a));
        let len = self.letters.len();
        row[0] = old[0].wrapping_add(gone);
        let plain = a.place == 0 && !self.strange && above.other == NO_LETTER;
        if let Some(inside) = weights.inside(a.id).filter(|_| plain) {
            for j in 0..len {
                let step = inside.get(usize::from(self.ids[j])).copied().unwrap_or(NEVER);
                let both = old[j].wrapping_add(step.into());
                row[j + 1] = both.max(old[j + 1].wrapping_add(gone));
            }
        } else {
            for (j, left) in self.letters.iter().enumerate() {
                let [b, ..] = left.ends;
                let step = if above.other == left.other { weights.both(a, b) } else { NEVER };
                let both = old[j].wrapping_add(step.into());
                row[j + 1] = both.max(old[j + 1].wrapping_add(gone));
            }
        }
        self.longs(a, old, row, weights);
    }

    /// A longer segment of `x`, behind the letters of row `old`.
    #[expect(clippy::indexing_slicing, reason = "at most 32 columns in rows of 33 cells")]
    fn segment(&self, a: Spot, old: &Row, row: &mut Row, weights: &Weights) {
        let gone = i32::from(weights.gone(0, a));
        for j in 0..=self.letters.len() {
            row[j] = row[j].max(old[j].wrapping_add(gone));
        }
        for (j, left) in self.letters.iter().enumerate() {
            let [b, ..] = left.ends;
            row[j + 1] = row[j + 1].max(old[j].wrapping_add(weights.both(a, b).into()));
        }
        self.longs(a, old, row, weights);
    }

    /// A segment of `x` against the longer ones of `y`.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "a segment ends where it has begun or later")]
    fn longs(&self, a: Spot, old: &Row, row: &mut Row, weights: &Weights) {
        for long in self.long() {
            let (start, end) = (usize::from(long.end - long.size), usize::from(long.end));
            let both = old[start].wrapping_add(weights.both(a, long.spot).into());
            row[end] = row[end].max(both);
        }
    }

    /// Letters of `y` without a partner, along a row.
    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "at most 32 columns in rows of 33 cells")]
    fn insert(&self, row: &mut Row) {
        let mut long = self.long().iter().peekable();
        for j in 0..self.letters.len() {
            let mut worth = row[j + 1].max(row[j].wrapping_add(self.gone[j].into()));
            while let Some(found) = long.next_if(|l| usize::from(l.end) == j + 1) {
                let start = usize::from(found.end - found.size);
                worth = worth.max(row[start].wrapping_add(found.gone.into()));
            }
            row[j + 1] = worth;
        }
    }
}

/// What first segments must be worth to sound alike: about what two vowels of one sound are.
const ALIKE: i16 = 300;

/// Whether two words may begin with one sound.
pub(super) fn begin_alike(x: &[Letter], y: &[Letter], weights: &Weights) -> bool {
    let first = |word: &[Letter]| {
        let mut spots = [Spot::default(); LONGEST];
        for (k, (to, letter)) in spots.iter_mut().zip(word).enumerate() {
            *to = letter.ends.get(k).copied().unwrap_or_default();
        }
        spots
    };
    let alike = |a: Spot, b: Spot| a.id > 0 && b.id > 0 && weights.both(a, b) >= ALIKE;
    first(x).iter().any(|a| first(y).iter().any(|b| alike(*a, *b)))
}
