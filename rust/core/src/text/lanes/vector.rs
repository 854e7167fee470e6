//! What the sweeps need of a vector of sixteen 32-bit lanes.

use super::{Aligned, Block, LANES, LONGEST};

/// Sixteen lanes of 32 bits.
///
/// # Safety
///
/// Every function must only run where its instruction set was detected: inside [`super::fill_avx2`]
/// or [`super::fill_avx512`], into which all of them are inlined.
pub(super) trait Vector: Copy {
    /// A choice for each lane.
    type Mask: Copy;

    /// The same number in each lane.
    unsafe fn splat(number: u32) -> Self;

    unsafe fn load(lanes: &Aligned<[u32; LANES]>) -> Self;

    unsafe fn store(self, lanes: &mut Aligned<[u32; LANES]>);

    unsafe fn and(self, other: Self) -> Self;

    unsafe fn or(self, other: Self) -> Self;

    /// `!self & other`.
    unsafe fn not_and(self, other: Self) -> Self;

    /// `(self ^ b) | c`.
    unsafe fn xor_or(self, b: Self, c: Self) -> Self;

    /// `self | !(b | c)`.
    unsafe fn or_nor(self, b: Self, c: Self) -> Self;

    /// `self | (b & c)`.
    unsafe fn or_and(self, b: Self, c: Self) -> Self;

    unsafe fn add(self, other: Self) -> Self;

    unsafe fn sub(self, other: Self) -> Self;

    /// The larger of two signed numbers.
    unsafe fn max(self, other: Self) -> Self;

    /// Twice the number.
    unsafe fn double(self) -> Self;

    /// Half the number, rounded down.
    unsafe fn half(self) -> Self;

    /// `self << bits`; 0 when that is all of them.
    unsafe fn shift(self, bits: Self) -> Self;

    /// Number of ones.
    unsafe fn ones(self) -> Self;

    /// Whether a signed number is less than another.
    unsafe fn less(self, other: Self) -> Self::Mask;

    /// Whether two numbers have a bit in common.
    unsafe fn meets(self, other: Self) -> Self::Mask;

    /// `yes` where the choice is made, else `self`.
    unsafe fn put(self, choice: Self::Mask, yes: Self) -> Self;

    /// Copies a text of at most 32 bytes, and fills the rest of its row; false when it is not ASCII.
    unsafe fn place(row: &mut Aligned<[u8; LONGEST]>, text: &[u8], after: u8) -> bool;

    /// Makes the masks of the first `longest` characters of the texts.
    unsafe fn compare(block: &mut Block, longest: usize);

    /// Masks of text characters `2 j` and `2 j + 1`.
    unsafe fn masks(block: &Block, j: usize) -> [Self; 2];
}
