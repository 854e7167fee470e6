//! Sixteen lanes in one register: AVX-512 with VBMI, VBMI2 and VPOPCNTDQ.

use std::arch::x86_64::{
    __m512i, __mmask16, _MM_CMPINT_LT, _mm256_load_si256, _mm256_mask_loadu_epi8,
    _mm256_movepi8_mask, _mm256_set1_epi8, _mm256_store_si256, _mm512_add_epi32, _mm512_and_si512,
    _mm512_andnot_si512, _mm512_broadcast_i64x4, _mm512_castsi256_si512, _mm512_cmp_epi32_mask,
    _mm512_cmpeq_epi8_mask, _mm512_load_si512, _mm512_mask_mov_epi32, _mm512_max_epi32,
    _mm512_or_si512, _mm512_permutex2var_epi32, _mm512_permutexvar_epi8, _mm512_popcnt_epi32,
    _mm512_set1_epi32, _mm512_setr_epi32, _mm512_slli_epi32, _mm512_sllv_epi32, _mm512_srli_epi32,
    _mm512_store_si512, _mm512_sub_epi32, _mm512_ternarylogic_epi32, _mm512_test_epi32_mask,
};

use super::vector::Vector;
use super::{Aligned, Block, LANES, LONGEST};

/// Truth tables of three bits.
const XOR_OR: i32 = 0xBE;
const OR_NOR: i32 = 0xF1;
const OR_AND: i32 = 0xF8;

/// Indices that repeat text character `2 j` 32 times, and then the next one.
static PAIRS: Aligned<[[u8; 64]; LONGEST / 2]> = {
    let mut indices = [[0; 64]; LONGEST / 2];
    let mut i = 0;
    while i < 64 * LONGEST / 2 {
        #[expect(clippy::indexing_slicing, reason = "checked by the compiler: this is a constant")]
        {
            indices[i / 64][i % 64] = (2 * (i / 64) + (i % 64) / 32) as u8;
        }
        i += 1;
    }
    Aligned(indices)
};

macro_rules! operations {
    ($($name:ident($this:ident $(, $argument:ident: $kind:ty)*) -> $result:ty = $body:expr;)*) => {
        $(
            #[inline(always)]
            unsafe fn $name($this $(, $argument: $kind)*) -> $result {
                // SAFETY: see the trait; no memory is touched.
                unsafe { $body }
            }
        )*
    };
}

impl Vector for __m512i {
    type Mask = __mmask16;

    operations! {
        and(self, b: Self) -> Self = _mm512_and_si512(self, b);
        or(self, b: Self) -> Self = _mm512_or_si512(self, b);
        not_and(self, b: Self) -> Self = _mm512_andnot_si512(self, b);
        xor_or(self, b: Self, c: Self) -> Self = _mm512_ternarylogic_epi32::<XOR_OR>(self, b, c);
        or_nor(self, b: Self, c: Self) -> Self = _mm512_ternarylogic_epi32::<OR_NOR>(self, b, c);
        or_and(self, b: Self, c: Self) -> Self = _mm512_ternarylogic_epi32::<OR_AND>(self, b, c);
        add(self, b: Self) -> Self = _mm512_add_epi32(self, b);
        sub(self, b: Self) -> Self = _mm512_sub_epi32(self, b);
        max(self, b: Self) -> Self = _mm512_max_epi32(self, b);
        double(self) -> Self = _mm512_slli_epi32::<1>(self);
        half(self) -> Self = _mm512_srli_epi32::<1>(self);
        shift(self, bits: Self) -> Self = _mm512_sllv_epi32(self, bits);
        ones(self) -> Self = _mm512_popcnt_epi32(self);
        less(self, b: Self) -> __mmask16 = _mm512_cmp_epi32_mask::<_MM_CMPINT_LT>(self, b);
        meets(self, b: Self) -> __mmask16 = _mm512_test_epi32_mask(self, b);
        put(self, choice: __mmask16, yes: Self) -> Self = _mm512_mask_mov_epi32(self, choice, yes);
    }

    #[inline(always)]
    unsafe fn splat(number: u32) -> Self {
        // SAFETY: see the trait.
        unsafe { _mm512_set1_epi32(number as i32) }
    }

    #[inline(always)]
    unsafe fn load(lanes: &Aligned<[u32; LANES]>) -> Self {
        // SAFETY: see the trait; 64 bytes, aligned to 64.
        unsafe { _mm512_load_si512(lanes.0.as_ptr().cast()) }
    }

    #[inline(always)]
    unsafe fn store(self, lanes: &mut Aligned<[u32; LANES]>) {
        // SAFETY: see the trait; 64 bytes, aligned to 64.
        unsafe { _mm512_store_si512(lanes.0.as_mut_ptr().cast(), self) }
    }

    #[inline(always)]
    unsafe fn place(row: &mut Aligned<[u8; LONGEST]>, text: &[u8], after: u8) -> bool {
        let bytes = if text.len() < LONGEST { (1 << text.len()) - 1 } else { u32::MAX };
        // SAFETY: see the trait; the mask leaves out every byte beyond the text, and what a mask
        // leaves out is not accessed. A row has 32 bytes, aligned to 64.
        unsafe {
            let rest = _mm256_set1_epi8(after as i8);
            let whole = _mm256_mask_loadu_epi8(rest, bytes, text.as_ptr().cast());
            _mm256_store_si256(row.0.as_mut_ptr().cast(), whole);
            _mm256_movepi8_mask(whole) & bytes == 0
        }
    }

    /// Two characters at a time: one byte permutation, one comparison.
    #[inline(always)]
    unsafe fn compare(block: &mut Block, longest: usize) {
        let texts = block.patterns.iter().zip(&block.texts);
        for (lane, (pattern, text)) in texts.enumerate() {
            // SAFETY: see the trait; rows of 32 bytes, aligned to 64, and of 64.
            unsafe {
                let pattern = _mm256_load_si256(pattern.0.as_ptr().cast());
                let pattern = _mm512_broadcast_i64x4(pattern);
                let text = _mm512_castsi256_si512(_mm256_load_si256(text.0.as_ptr().cast()));
                let rows = block.masks.0.iter_mut().zip(&PAIRS.0);
                for (masks, pair) in rows.take(longest.div_ceil(2)) {
                    let pair = _mm512_load_si512(pair.as_ptr().cast());
                    let two = _mm512_permutexvar_epi8(pair, text);
                    if let Some(mask) = masks.get_mut(lane) {
                        *mask = _mm512_cmpeq_epi8_mask(pattern, two);
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
        // SAFETY: see the trait; a row has 128 bytes in an array aligned to 64.
        unsafe {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
            let low = _mm512_load_si512(masks.as_ptr().cast());
            let high = _mm512_load_si512(masks.as_ptr().add(LANES / 2).cast());
            [_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)]
        }
    }
}
