//! The column path's functions, compiled once for each instruction set.

use super::block::{BLOCK, Bound, Kernel};
use super::look_up::{SmallTable, add_small};
use super::loops::scale;
use super::program::Step;
use crate::column::Column;

/// The loops, compiled once for each instruction set. They are outlined on purpose: inlined into
/// each other they took two minutes to compile and ran no faster.
pub(super) trait Cpu {
    /// Adds a term's points to the sums.
    fn add(
        bound: &Bound<'_, '_>,
        kernel: &Kernel<'_, '_>,
        start: usize,
        sums: &mut [f64],
        buffers: &mut Buffers,
    );

    /// A block of a column as `f64`.
    fn numbers<'b>(column: &'b Column<'_>, start: usize, out: &'b mut [f64]) -> &'b [f64];

    /// Puts finished sums through steps; whether all are numbers.
    fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool;

    /// Look-ups in several small tables.
    #[inline(always)]
    fn add_small<const N: usize>(codes: [&[u8]; N], tables: &[SmallTable; N], sums: &mut [f64]) {
        add_small(codes, tables, sums);
    }
}

macro_rules! cpu {
    ($(#[$gate:meta])* $name:ident $(, $features:literal, $add_small:path)?) => {
        $(#[$gate])*
        pub(super) struct $name;

        $(#[$gate])*
        impl Cpu for $name {
            fn add(
                bound: &Bound<'_, '_>,
                kernel: &Kernel<'_, '_>,
                start: usize,
                sums: &mut [f64],
                buffers: &mut Buffers,
            ) {
                $(#[target_feature(enable = $features)])?
                fn outlined(
                    bound: &Bound<'_, '_>,
                    kernel: &Kernel<'_, '_>,
                    start: usize,
                    sums: &mut [f64],
                    buffers: &mut Buffers,
                ) {
                    bound.add::<$name>(kernel, start, sums, buffers);
                }
                // SAFETY: `score_into` names this type only when the CPU has its features.
                #[allow(unused_unsafe)]
                unsafe { outlined(bound, kernel, start, sums, buffers) }
            }

            fn numbers<'b>(column: &'b Column<'_>, start: usize, out: &'b mut [f64]) -> &'b [f64] {
                $(#[target_feature(enable = $features)])?
                fn outlined<'b>(
                    column: &'b Column<'_>,
                    start: usize,
                    out: &'b mut [f64],
                ) -> &'b [f64] {
                    column.numbers(start, out)
                }
                // SAFETY: as above.
                #[allow(unused_unsafe)]
                unsafe { outlined(column, start, out) }
            }

            fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
                $(#[target_feature(enable = $features)])?
                fn outlined(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
                    scale(steps, sums)
                }
                // SAFETY: as above.
                #[allow(unused_unsafe)]
                unsafe { outlined(steps, sums) }
            }

            $(
                #[inline(always)]
                fn add_small<const N: usize>(
                    codes: [&[u8]; N],
                    tables: &[SmallTable; N],
                    sums: &mut [f64],
                ) {
                    $add_small(codes, tables, sums);
                }
            )?
        }
    };
}

pub(super) struct Buffers {
    pub a: [f64; BLOCK],
    pub b: [f64; BLOCK],
    pub c: [f64; BLOCK],
    pub bytes: [u8; BLOCK],
}

impl Buffers {
    /// The number buffers, cut to the length of the block.
    #[inline(always)]
    pub fn numbers(&mut self, n: usize) -> [&mut [f64]; 3] {
        let Self { a, b, c, .. } = self;
        [a, b, c].map(|buffer| buffer.get_mut(..n).unwrap_or(&mut []))
    }
}

cpu!(
    /// The safe twin.
    Portable
);
cpu!(
    #[cfg(target_arch = "x86_64")]
    Avx2,
    "avx2",
    add_small
);
cpu!(
    #[cfg(target_arch = "x86_64")]
    Avx512,
    "avx512f,avx512bw,avx512dq,avx512vl",
    super::look_up::add_small_avx512
);
