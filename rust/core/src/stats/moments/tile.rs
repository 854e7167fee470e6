//! Products of 256 rows, without rounding errors that matter.
//!
//! A sum starts at a power of two far above it. So the fused multiply-add `t = s + x z` leaves the
//! error `x z - (t - s)`, where `t - s` is exact and the rest is again one fused multiply-add: four
//! operations a product instead of ten. What is lost is below 2^-90 of the largest product times
//! the number of rows. A sum takes its rows one after the other, so its bits do not depend on how
//! many columns a register holds.

use super::panel::{Block, LANES, Lanes};
use crate::stats::double::Double;

/// Some columns of a block, from `from` on, times eight of another.
pub(super) struct Tile<'a> {
    pub left: &'a Block,
    pub right: &'a Block,
    pub from: usize,
    pub rows: usize,
}

impl Tile<'_> {
    /// Adds the products of `TILE` columns. `EXACT` says that the weights left no rest.
    #[inline(always)]
    pub fn add_to<const TILE: usize, const EXACT: bool>(
        &self,
        high: &mut [Lanes],
        low: &mut [Lanes],
    ) {
        let mut starts = [[0.0; LANES]; TILE];
        for (starts, own) in starts.iter_mut().zip(self.left.start_x.iter().skip(self.from)) {
            for (start, other) in starts.iter_mut().zip(&self.right.start_product) {
                *start = own * other;
            }
        }
        let mut sums = starts;
        let mut lows = [[0.0; LANES]; TILE];
        self.sum::<TILE, EXACT>(&mut sums, &mut lows);
        let slots = high.iter_mut().zip(low.iter_mut());
        let found = sums.iter().zip(&starts).zip(&lows);
        for ((high, low), ((sum, start), rest)) in slots.zip(found) {
            // Whole rows of lanes: what is stored lane by lane is not vectorised.
            let (mut new_high, mut new_low) = (*high, *low);
            #[expect(clippy::indexing_slicing, reason = "constant bounds")]
            for lane in 0..LANES {
                let panel = Double::of(sum[lane] - start[lane], rest[lane]);
                let total = Double { high: new_high[lane], low: new_low[lane] } + panel;
                (new_high[lane], new_low[lane]) = (total.high, total.low);
            }
            (*high, *low) = (new_high, new_low);
        }
    }

    #[inline(always)]
    #[expect(clippy::indexing_slicing, reason = "constant bounds")]
    fn sum<const TILE: usize, const EXACT: bool>(
        &self,
        sums: &mut [Lanes; TILE],
        lows: &mut [Lanes; TILE],
    ) {
        let products = self.right.product.iter().zip(&self.right.rest);
        for (x, (product, rest)) in self.left.x.iter().zip(products).take(self.rows) {
            let Some(x) = x.get(self.from..self.from + TILE) else { return };
            for i in 0..TILE {
                for lane in 0..LANES {
                    let sum = x[i].mul_add(product[lane], sums[i][lane]);
                    let added = sum - sums[i][lane];
                    sums[i][lane] = sum;
                    let mut lost = x[i].mul_add(product[lane], -added);
                    if !EXACT {
                        lost = x[i].mul_add(rest[lane], lost);
                    }
                    lows[i][lane] += lost;
                }
            }
        }
    }
}
