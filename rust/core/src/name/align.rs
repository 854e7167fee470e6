//! The best alignment of two spelled words: a weighted edit distance over segments of up to three
//! letters, in integers, so that every twin of it gives the same number.

use super::costs::{LETTERS, LONGEST, Letter, NEVER, Spot, Weights};

/// Below every worth, and far above overflow when weights are added.
const NOTHING: i32 = i32::MIN / 4;
const WIDTH: usize = LETTERS + 1;
/// The first cells of a row, which no word reaches: a segment may reach back over the edge.
const EDGE: usize = LONGEST;

/// One row of cells, with an edge of [`NOTHING`] before the first.
type Row = [i32; WIDTH + EDGE];

/// Log-odds, in thousandths, that two words spell one name: the worth of their best alignment plus
/// the constant of their length. `x` is the Urdu word when one of two is.
///
/// # Complexity
///
/// Letters of `x` times letters of `y`, at most 15 operations in each cell.
#[expect(clippy::indexing_slicing, reason = "words are cut to 32 letters, rows have 36 cells")]
pub(super) fn log_odds(x: &[Letter], y: &[Letter], weights: &Weights) -> i32 {
    let (x, y) = (&x[..x.len().min(LETTERS)], &y[..y.len().min(LETTERS)]);
    let mut gone_y = [[NEVER; LONGEST]; LETTERS];
    for (to, letter) in gone_y.iter_mut().zip(y) {
        *to = letter.ends.map(|spot| weights.gone(1, spot));
    }
    // The last four rows, each at its number modulo four.
    let mut rows: [Row; 4] = [[NOTHING; WIDTH + EDGE]; 4];
    let mut row = rows[0];
    row[EDGE] = 0;
    insert(&mut row, &gone_y, y.len());
    rows[0] = row;
    for (i, above) in x.iter().enumerate() {
        row = [NOTHING; WIDTH + EDGE];
        for (k, &a) in above.ends.iter().enumerate() {
            if a.id == 0 {
                continue;
            }
            let old = &rows[i.wrapping_sub(k) % 4];
            let gone = i32::from(weights.gone(0, a));
            for j in 0..=y.len() {
                row[EDGE + j] = row[EDGE + j].max(old[EDGE + j].wrapping_add(gone));
            }
            for (j, left) in y.iter().enumerate() {
                let mut worth = row[EDGE + j + 1];
                for (m, &b) in left.ends.iter().enumerate() {
                    if b.id != 0 && above.other == left.other {
                        let step = i32::from(weights.both(a, b));
                        worth = worth.max(old[EDGE + j - m].wrapping_add(step));
                    }
                }
                row[EDGE + j + 1] = worth;
            }
        }
        insert(&mut row, &gone_y, y.len());
        rows[(i + 1) % 4] = row;
    }
    row[EDGE + y.len()] + weights.constant(x.len().min(y.len()))
}

/// Lets letters of `y` stand without a partner, along a row.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "len is at most 32, rows have 36 cells")]
fn insert(row: &mut Row, gone: &[[i16; LONGEST]; LETTERS], len: usize) {
    for (j, steps) in gone[..len].iter().enumerate() {
        let mut worth = row[EDGE + j + 1];
        for (m, step) in steps.iter().enumerate() {
            worth = worth.max(row[EDGE + j - m].wrapping_add((*step).into()));
        }
        row[EDGE + j + 1] = worth;
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
