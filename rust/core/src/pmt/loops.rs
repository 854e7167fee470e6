//! The loops of the column path. Everything here is inlined into the functions of `cpu`, which are
//! compiled for each instruction set.

use super::block::BLOCK;
use super::cpu::Cpu;
use super::levels::Levels;
use super::look_up::SmallTable;
use super::program::Step;
use crate::column::Strings;

/// Most columns that are read side by side: as many streams as processors prefetch well.
pub(super) const FUSED: usize = 5;

/// Runs `$body` with the constant `$count` set to `$n`. A call in each arm, not one through a
/// pointer: it has to be inlined where the wide instructions are.
macro_rules! by_count {
    ($n:expr, $count:ident => $body:expr) => {
        by_count!(@ $n, $count, $body, 1 2 3 4 5)
    };
    (@ $n:expr, $count:ident, $body:expr, $($arm:literal)*) => {
        match $n {
            $($arm => { const $count: usize = $arm; $body })*
            _ => const { assert!(FUSED == 5, "one arm for each number of columns") },
        }
    };
}

pub(super) use by_count;

/// The block of each of `N` columns.
#[inline(always)]
fn blocks<'v, T, const N: usize>(columns: &[&'v [T]], start: usize, n: usize) -> [&'v [T]; N] {
    let mut columns = columns.iter();
    std::array::from_fn(|_| columns.next().and_then(|c| c.get(start..start + n)).unwrap_or(&[]))
}

/// `sums[i] += tables[0][columns[0][i]]`, then the next column, and so on.
#[inline(always)]
pub(super) fn add_small_columns<C: Cpu, const N: usize>(
    columns: &[&[u8]],
    tables: &[SmallTable],
    start: usize,
    sums: &mut [f64],
) {
    if let Ok(tables) = tables.try_into() {
        C::add_small::<N>(blocks(columns, start, sums.len()), tables, sums);
    }
}

/// `sums[i] += columns[0][i] * coefficients[0]`, then the next column, and so on.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant bounds")]
pub(super) fn add_plain_columns<const N: usize>(
    columns: &[&[f64]],
    coefficients: &[f64],
    start: usize,
    sums: &mut [f64],
) {
    let blocks = blocks::<f64, N>(columns, start, sums.len());
    let whole = blocks.map(|column| column.first_chunk::<BLOCK>());
    // Arrays of a known length: no bounds to check, so eight rows go at a time.
    if let (Ok(sums), Ok(coefficients), true) = (
        <&mut [f64; BLOCK]>::try_from(&mut *sums),
        <[f64; N]>::try_from(coefficients),
        whole.iter().all(Option::is_some),
    ) {
        let whole = whole.map(|column| column.unwrap_or(&[0.0; BLOCK]));
        for i in 0..BLOCK {
            let mut sum = sums[i];
            for k in 0..N {
                sum += whole[k][i] * coefficients[k];
            }
            sums[i] = sum;
        }
        return;
    }
    for (column, coefficient) in blocks.iter().zip(coefficients) {
        sums.iter_mut().zip(*column).for_each(|(sum, x)| *sum += x * coefficient);
    }
}

/// `if choose { a } else { b }` in bits, which compilers turn into a blend and never into a branch.
#[inline(always)]
pub(super) fn select(choose: bool, a: f64, b: f64) -> f64 {
    let mask = u64::from(choose).wrapping_neg();
    f64::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
}

/// Zero for a number, NaN for NaN and infinity.
#[inline(always)]
#[expect(clippy::eq_op, reason = "not always zero")]
pub(super) fn poison(x: f64) -> f64 {
    x - x
}

/// The body of [`Cpu::scale`].
#[inline(always)]
pub(super) fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
    if steps.iter().all(|steps| steps.is_empty()) {
        return all_finite(sums);
    }
    for sum in &mut *sums {
        *sum += poison(*sum); // no step may turn infinity back into a number
    }
    steps.into_iter().flatten().for_each(|step| step.apply_all(sums));
    all_finite(sums)
}

/// Whether all are numbers. No early exit: the compiler can then look at eight at a time.
#[inline(always)]
pub(super) fn all_finite(sums: &[f64]) -> bool {
    sums.iter().fold(true, |all, x| all & x.is_finite())
}

/// Look-ups by a wide code; a code beyond the dictionary is for the row path.
#[inline(always)]
pub(super) fn add_codes<T: Copy + Into<u32>>(
    codes: &[T],
    table: &[f64],
    start: usize,
    sums: &mut [f64],
) {
    for (sum, &code) in sums.iter_mut().zip(codes.get(start..).unwrap_or(&[])) {
        *sum += table.get(code.into() as usize).copied().unwrap_or(f64::NAN);
    }
}

#[inline(always)]
pub(super) fn add_text(
    strings: &Strings<'_>,
    levels: &Levels,
    points: &[f64],
    start: usize,
    sums: &mut [f64],
) {
    let unknown = points.last().copied().unwrap_or(f64::NAN);
    let of = |level: u32| points.get(level as usize).copied().unwrap_or(unknown);
    levels.texts.of_each(strings, start, sums, |sum, level| *sum += of(level));
}
