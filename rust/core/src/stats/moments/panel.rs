//! Rows of all columns of any type, packed for the kernel in [`super::tile`].
//!
//! `stats::panel` has plain products of dense columns, for methods that go round.

use super::tile::Tile;
use crate::column::Column;
use crate::isa::Isa;

/// Rows of a panel, at most.
pub(super) const ROWS: usize = 256;

/// Columns that lie side by side.
pub(super) const LANES: usize = 8;

pub(super) type Lanes = [f64; LANES];

/// What these kernels are compiled for, at most: in registers of eight numbers compilers shuffle
/// more than they multiply, and processors that split those registers gain nothing from them.
pub(crate) fn narrow(isa: Isa) -> Isa {
    if isa == Isa::Portable { isa } else { Isa::Avx2 }
}

/// Eight columns of a panel, row by row.
pub(super) struct Block {
    pub x: Vec<Lanes>,
    /// The weight times `x`, rounded.
    pub product: Vec<Lanes>,
    /// What the rounding left.
    pub rest: Vec<Lanes>,
    /// Where sums of this block's `x`, or products, start; to be multiplied with each other.
    pub start_x: Lanes,
    pub start_product: Lanes,
    /// Whether all of `rest` is zero.
    exact: bool,
}

/// Rows of all columns, packed for the processor, and room for their products.
pub(super) struct Panel {
    blocks: Vec<Block>,
    width: usize,
    rows: usize,
    buffers: Vec<f64>,
}

/// Sums of products of two columns: rows of eight columns, in the order of [`tiles`].
#[derive(Debug, Clone)]
pub(super) struct Sums {
    pub high: Vec<Lanes>,
    pub low: Vec<Lanes>,
}

impl Sums {
    pub fn new(width: usize) -> Self {
        let blocks = width.div_ceil(LANES);
        let rows = LANES * blocks * (blocks + 1) / 2;
        Self { high: vec![[0.0; LANES]; rows], low: vec![[0.0; LANES]; rows] }
    }

    /// Appends the lower triangle of the first `width` columns, by rows.
    pub fn write(&self, width: usize, high: &mut Vec<f64>, low: &mut Vec<f64>) {
        for row in 0..width {
            let block = row / LANES;
            let from = LANES * (block * (block + 1) / 2) + row % LANES;
            let parts = [(&self.high, &mut *high), (&self.low, &mut *low)];
            for (lanes, out) in parts {
                let rows = lanes.get(from..).unwrap_or(&[]).iter().step_by(LANES);
                out.extend(rows.flatten().take(row + 1));
            }
        }
    }

    pub fn clear(&mut self) {
        self.high.fill([0.0; LANES]);
        self.low.fill([0.0; LANES]);
    }
}

impl Panel {
    pub fn new(width: usize) -> Self {
        let block = || Block {
            x: vec![[0.0; LANES]; ROWS],
            product: vec![[0.0; LANES]; ROWS],
            rest: vec![[0.0; LANES]; ROWS],
            start_x: [0.0; LANES],
            start_product: [0.0; LANES],
            exact: true,
        };
        let blocks = (0..width.div_ceil(LANES)).map(|_| block()).collect();
        Self { blocks, width, rows: 0, buffers: vec![0.0; LANES * ROWS] }
    }

    /// Packs rows `start .. start + rows`, at most [`ROWS`]. A column of one value counts for all.
    #[inline(always)]
    pub fn read(&mut self, columns: &[Column<'_>], start: usize, rows: usize) {
        self.rows = rows;
        for (block, columns) in self.blocks.iter_mut().zip(columns.chunks(LANES)) {
            block.read(columns, start, rows, &mut self.buffers);
        }
    }

    /// Multiplies the packed rows with their weights; by one if there are none.
    #[inline(always)]
    pub fn weigh(&mut self, weights: Option<&[f64]>) {
        // A loop: a closure would be compiled without the wide instructions.
        for block in &mut self.blocks {
            block.weigh(weights, self.rows);
        }
    }

    /// The packed rows, eight columns at a time.
    #[inline(always)]
    pub fn blocks(&self) -> impl Iterator<Item = &[Lanes]> {
        self.blocks.iter().map(|block| block.x.get(..self.rows).unwrap_or(&[]))
    }

    /// Adds the products of the packed rows to `sums`.
    #[inline(always)]
    pub fn add_to<const TILE: usize>(&self, sums: &mut Sums) {
        let mut slots = sums.high.chunks_exact_mut(TILE).zip(sums.low.chunks_exact_mut(TILE));
        for (n, left) in self.blocks.iter().enumerate() {
            for right in self.blocks.iter().take(n + 1) {
                for from in (0..LANES).step_by(TILE) {
                    let Some((high, low)) = slots.next() else { return };
                    if n * LANES + from >= self.width {
                        continue; // there are no such columns
                    }
                    let tile = Tile { left, right, from, rows: self.rows };
                    if right.exact {
                        tile.add_to::<TILE, true>(high, low);
                    } else {
                        tile.add_to::<TILE, false>(high, low);
                    }
                }
            }
        }
    }
}

impl Block {
    #[inline(always)]
    fn read(&mut self, columns: &[Column<'_>], start: usize, rows: usize, buffers: &mut [f64]) {
        static ZEROS: [f64; ROWS] = [0.0; ROWS];
        let mut views: [&[f64]; LANES] = [&ZEROS; LANES];
        let buffers = buffers.chunks_exact_mut(ROWS);
        for ((view, column), buffer) in views.iter_mut().zip(columns).zip(buffers) {
            let Some(buffer) = buffer.get_mut(..rows) else { return };
            if column.len() == 1 {
                let mut value = [0.0];
                buffer.fill(column.numbers(0, &mut value).first().copied().unwrap_or(0.0));
                *view = buffer;
            } else {
                *view = column.numbers(start, buffer);
            }
        }
        let [a, b, c, d, e, f, g, h] = views;
        let left = a.iter().zip(b).zip(c.iter().zip(d));
        let right = e.iter().zip(f).zip(g.iter().zip(h));
        let values = left.zip(right);
        for (slot, (((a, b), (c, d)), ((e, f), (g, h)))) in self.x.iter_mut().zip(values) {
            *slot = [*a, *b, *c, *d, *e, *f, *g, *h];
        }
    }

    /// Products with the weights (ones if there are none), and where sums start.
    #[inline(always)]
    fn weigh(&mut self, weights: Option<&[f64]>, rows: usize) {
        let mut largest = [0.0; LANES];
        let mut largest_product = [0.0; LANES];
        let mut inexact = [0.0; LANES];
        let slots = self.product.iter_mut().zip(&mut self.rest).zip(&self.x).take(rows);
        static ONES: [f64; ROWS] = [1.0; ROWS];
        let weights = weights.unwrap_or(&ONES);
        for (((product, rest), x), &weight) in slots.zip(weights) {
            // Whole rows of lanes: what is stored lane by lane is not vectorised.
            let mut own = [0.0; LANES];
            let mut left = [0.0; LANES];
            #[expect(clippy::indexing_slicing, reason = "constant bounds")]
            for lane in 0..LANES {
                own[lane] = weight * x[lane];
                left[lane] = weight.mul_add(x[lane], -own[lane]);
                largest[lane] = larger(largest[lane], x[lane].abs());
                largest_product[lane] = larger(largest_product[lane], own[lane].abs());
                inexact[lane] = larger(inexact[lane], left[lane].abs());
            }
            (*product, *rest) = (own, left);
        }
        self.exact = inexact == [0.0; LANES];
        self.start_x = largest.map(power_above);
        self.start_product = largest_product.map(|x| power_above(x) * ROWS as f64);
    }
}

/// One instruction, unlike `f64::max`. What is not a number is passed over: sums will tell.
#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if b > a { b } else { a }
}

/// A power of two that is at least twice as large, and at most four times; no larger than can be.
#[inline(always)]
fn power_above(x: f64) -> f64 {
    f64::from_bits(((x.to_bits() >> 52) + 2).min(2046) << 52)
}
