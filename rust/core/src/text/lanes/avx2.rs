//! Sixteen lanes in two registers: AVX2.

use std::arch::x86_64::{
    __m256, __m256i, _mm256_add_epi8, _mm256_add_epi32, _mm256_and_si256, _mm256_andnot_si256,
    _mm256_blendv_epi8, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cmpeq_epi8,
    _mm256_cmpeq_epi32, _mm256_cmpgt_epi32, _mm256_load_si256, _mm256_madd_epi16,
    _mm256_maddubs_epi16, _mm256_max_epi32, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_permute4x64_epi64, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setr_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_shuffle_ps,
    _mm256_sllv_epi32, _mm256_srli_epi16, _mm256_srli_epi32, _mm256_store_si256, _mm256_sub_epi32,
    _mm256_xor_si256,
};

use super::vector::Vector;
use super::{Aligned, Block, LANES, LONGEST};

type Two = [__m256i; 2];

/// The same for both registers.
macro_rules! operations {
    ($($name:ident($this:ident $(, $argument:ident)*) = $one:path;)*) => {
        $(
            #[inline(always)]
            unsafe fn $name($this $(, $argument: Self)*) -> Self {
                // SAFETY: see the trait; no memory is touched.
                unsafe { [$one($this[0] $(, $argument[0])*), $one($this[1] $(, $argument[1])*)] }
            }
        )*
    };
}

/// What is more than one instruction.
macro_rules! composed {
    ($($name:ident($($argument:ident),*) = $body:expr;)*) => {
        $(
            #[inline(always)]
            unsafe fn $name($($argument: __m256i),*) -> __m256i {
                // SAFETY: see the trait; no memory is touched.
                unsafe { $body }
            }
        )*
    };
}

composed! {
    not(a) = _mm256_andnot_si256(a, _mm256_set1_epi32(-1));
    xor_or(a, b, c) = _mm256_or_si256(_mm256_xor_si256(a, b), c);
    or_nor(a, b, c) = _mm256_or_si256(a, not(_mm256_or_si256(b, c)));
    or_and(a, b, c) = _mm256_or_si256(a, _mm256_and_si256(b, c));
    double(a) = _mm256_add_epi32(a, a);
    half(a) = _mm256_srli_epi32::<1>(a);
    less(a, b) = _mm256_cmpgt_epi32(b, a);
    meets(a, b) = not(_mm256_cmpeq_epi32(_mm256_and_si256(a, b), _mm256_setzero_si256()));
    put(a, choice, yes) = _mm256_blendv_epi8(a, yes, choice);
    ones(a) = {
        // Each half of a byte looks up its count (Muła); then the four bytes are added.
        let counts = _mm256_setr_epi8(
            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
            0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
        );
        let low = _mm256_set1_epi8(15);
        let high = _mm256_shuffle_epi8(counts, _mm256_and_si256(_mm256_srli_epi16::<4>(a), low));
        let low = _mm256_shuffle_epi8(counts, _mm256_and_si256(a, low));
        let twos = _mm256_maddubs_epi16(_mm256_add_epi8(low, high), _mm256_set1_epi8(1));
        _mm256_madd_epi16(twos, _mm256_set1_epi16(1))
    };
}

impl Vector for Two {
    /// All ones where the choice is made.
    type Mask = Two;

    operations! {
        and(self, b) = _mm256_and_si256;
        or(self, b) = _mm256_or_si256;
        not_and(self, b) = _mm256_andnot_si256;
        xor_or(self, b, c) = xor_or;
        or_nor(self, b, c) = or_nor;
        or_and(self, b, c) = or_and;
        add(self, b) = _mm256_add_epi32;
        sub(self, b) = _mm256_sub_epi32;
        max(self, b) = _mm256_max_epi32;
        double(self) = double;
        half(self) = half;
        shift(self, bits) = _mm256_sllv_epi32;
        ones(self) = ones;
        less(self, b) = less;
        meets(self, b) = meets;
        put(self, choice, yes) = put;
    }

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see the trait.
        unsafe { [_mm256_set1_epi32(number as i32); 2] }
    }

    #[inline(always)]
    unsafe fn load(lanes: &Aligned<[u32; LANES]>) -> Self {
        let start = lanes.0.as_ptr();
        // SAFETY: see the trait; two times 32 bytes in an array aligned to 64.
        unsafe { [_mm256_load_si256(start.cast()), _mm256_load_si256(start.add(LANES / 2).cast())] }
    }

    #[inline(always)]
    unsafe fn store(self, lanes: &mut Aligned<[u32; LANES]>) {
        let start = lanes.0.as_mut_ptr();
        // SAFETY: see the trait; two times 32 bytes in an array aligned to 64.
        unsafe {
            _mm256_store_si256(start.cast(), self[0]);
            _mm256_store_si256(start.add(LANES / 2).cast(), self[1]);
        }
    }

    #[inline(always)]
    unsafe fn place(row: &mut Aligned<[u8; LONGEST]>, text: &[u8], after: u8) -> bool {
        row.0 = [after; LONGEST];
        // Two copies that may overlap: there is no masked load of bytes, and a copy of any length
        // is a call.
        let _ = both_ends::<16>(&mut row.0, text)
            || both_ends::<8>(&mut row.0, text)
            || both_ends::<4>(&mut row.0, text)
            || both_ends::<2>(&mut row.0, text)
            || both_ends::<1>(&mut row.0, text);
        text.is_ascii()
    }

    #[inline(always)]
    unsafe fn compare(block: &mut Block, longest: usize) {
        let texts = block.patterns.iter().zip(&block.texts);
        for (lane, (pattern, text)) in texts.enumerate() {
            let (pairs, _) = text.0.as_chunks::<2>();
            // SAFETY: see the trait; rows of 32 bytes, aligned to 64.
            unsafe {
                let pattern = _mm256_load_si256(pattern.0.as_ptr().cast());
                let rows = block.masks.0.iter_mut().zip(pairs).take(longest.div_ceil(2));
                for (masks, pair) in rows {
                    let two = equal(pattern, pair[0]) | equal(pattern, pair[1]) << 32;
                    if let Some(mask) = masks.get_mut(lane) {
                        *mask = two;
                    }
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn masks(block: &Block, j: usize) -> [Self; 2] {
        let Some(masks) = block.masks.0.get(j) else {
            // SAFETY: see the trait.
            return unsafe { [Self::splat(0); 2] };
        };
        let start = masks.as_ptr();
        // SAFETY: see the trait; four times 32 bytes in an array aligned to 64.
        unsafe {
            let a = _mm256_castsi256_ps(_mm256_load_si256(start.cast()));
            let b = _mm256_castsi256_ps(_mm256_load_si256(start.add(4).cast()));
            let c = _mm256_castsi256_ps(_mm256_load_si256(start.add(8).cast()));
            let d = _mm256_castsi256_ps(_mm256_load_si256(start.add(12).cast()));
            let even = [_mm256_shuffle_ps::<0x88>(a, b), _mm256_shuffle_ps::<0x88>(c, d)];
            let odd = [_mm256_shuffle_ps::<0xDD>(a, b), _mm256_shuffle_ps::<0xDD>(c, d)];
            [[in_order(even[0]), in_order(even[1])], [in_order(odd[0]), in_order(odd[1])]]
        }
    }
}

/// Copies the first and the last `N` bytes of a text; false when it has fewer.
#[inline(always)]
fn both_ends<const N: usize>(row: &mut [u8; LONGEST], text: &[u8]) -> bool {
    let (Some(first), Some(last)) = (text.first_chunk::<N>(), text.last_chunk::<N>()) else {
        return false;
    };
    if let Some(to) = row.first_chunk_mut::<N>() {
        *to = *first;
    }
    let end = row.get_mut(text.len() - N..).and_then(|rest| rest.first_chunk_mut::<N>());
    if let Some(to) = end {
        *to = *last;
    }
    true
}

/// Where a character stands in a pattern.
///
/// # Safety
///
/// See [`Vector`].
#[inline(always)]
unsafe fn equal(pattern: __m256i, c: u8) -> u64 {
    // SAFETY: promised by the caller.
    unsafe {
        let equal = _mm256_cmpeq_epi8(pattern, _mm256_set1_epi8(c as i8));
        u64::from(_mm256_movemask_epi8(equal) as u32)
    }
}

/// Lanes as they were before a shuffle, which works in halves.
///
/// # Safety
///
/// See [`Vector`].
#[inline(always)]
unsafe fn in_order(shuffled: __m256) -> __m256i {
    // SAFETY: promised by the caller.
    unsafe { _mm256_permute4x64_epi64::<0xD8>(_mm256_castps_si256(shuffled)) }
}
