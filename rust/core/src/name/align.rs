//! The best alignment of two spelled words: a weighted edit distance over segments of up to three
//! letters, in integers, so that every twin of it gives the same number.

use super::costs::{LETTERS, LONGEST, Letter, NEVER, Spot, Weights};

/// Below every worth.
const NOTHING: i32 = i32::MIN / 4;
const WIDTH: usize = LETTERS + 1;

/// Log-odds, in thousandths, that two words spell one name: the worth of their best alignment plus
/// the constant of their length. `x` is the Urdu word when one of two is.
///
/// # Complexity
///
/// Letters of `x` times letters of `y`, at most 15 operations in each cell.
#[expect(clippy::indexing_slicing, reason = "i <= 32 and j <= 32 in arrays of 33")]
pub(super) fn log_odds(x: &[Letter], y: &[Letter], weights: &Weights) -> i32 {
    let (x, y) = (&x[..x.len().min(LETTERS)], &y[..y.len().min(LETTERS)]);
    let mut best = [[NOTHING; WIDTH]; WIDTH];
    let mut gone_y = [[NEVER; LONGEST]; WIDTH];
    for (to, letter) in gone_y[1..].iter_mut().zip(y) {
        *to = letter.ends.map(|spot| if spot.id == 0 { NEVER } else { weights.gone(1, spot) });
    }
    best[0][0] = 0;
    for i in 0..=x.len() {
        let no_letter = None;
        let above = if i == 0 { no_letter } else { x.get(i - 1) };
        let gone_x = above.map(|l| l.ends.map(|spot| if spot.id == 0 { NEVER } else { weights.gone(0, spot) }));
        for j in 0..=y.len() {
            let mut worth = best[i][j];
            for (k, &step) in gone_x.iter().flatten().enumerate() {
                if step != NEVER && k < i {
                    worth = worth.max(best[i - k - 1][j] + i32::from(step));
                }
            }
            if j > 0 {
                for (m, &step) in gone_y[j].iter().enumerate() {
                    if step != NEVER && m < j {
                        worth = worth.max(best[i][j - m - 1] + i32::from(step));
                    }
                }
                if let Some(above) = above {
                    let left = &y[j - 1];
                    for (k, &a) in above.ends.iter().enumerate() {
                        if a.id == 0 {
                            continue;
                        }
                        for (m, &b) in left.ends.iter().enumerate() {
                            if b.id == 0 || (k == 0 && m == 0 && above.other != left.other) {
                                continue;
                            }
                            let step = weights.both(a, b);
                            if step != NEVER {
                                worth = worth.max(best[i - k - 1][j - m - 1] + i32::from(step));
                            }
                        }
                    }
                }
            }
            best[i][j] = worth;
        }
    }
    best[x.len()][y.len()] + weights.constant(x.len().min(y.len()))
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
