//! Look-ups of fixed-point points by code: the widest each instruction set has.

use crate::isa::Isa;

/// `sums[i] += table[codes[i]]`. The sums must not overflow; if they do, they wrap.
///
/// `width` is one above the largest code: small tables fit in registers.
pub(super) fn add(codes: &[u8], table: &[i32; 256], width: usize, sums: &mut [i32], isa: Isa) {
    match isa {
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 | Isa::Avx512Vbmi if width <= 64 => {
            // SAFETY: the caller's `isa` was found on this CPU.
            unsafe { wide::add_avx512(codes, table, width, sums) }
        }
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 | Isa::Avx512 | Isa::Avx512Vbmi if width <= 16 => {
            // SAFETY: as above; every CPU with AVX-512 has AVX2.
            unsafe { wide::add_avx2(codes, table, sums) }
        }
        _ => add_portable(codes, table, sums),
    }
}

/// The safe twin.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte indexes 256 entries")]
fn add_portable(codes: &[u8], table: &[i32; 256], sums: &mut [i32]) {
    for (sum, &code) in sums.iter_mut().zip(codes) {
        *sum = sum.wrapping_add(table[usize::from(code)]);
    }
}

#[cfg(target_arch = "x86_64")]
mod wide {
    use std::arch::x86_64::{
        __m512i, _mm_loadl_epi64, _mm_loadu_si128, _mm256_add_epi32, _mm256_blendv_ps,
        _mm256_castps_si256, _mm256_castsi256_ps, _mm256_cvtepu8_epi32, _mm256_loadu_si256,
        _mm256_permutevar8x32_epi32, _mm256_slli_epi32, _mm256_storeu_si256, _mm512_add_epi32,
        _mm512_cvtepu8_epi32, _mm512_loadu_si512, _mm512_mask_mov_epi32, _mm512_permutex2var_epi32,
        _mm512_permutexvar_epi32, _mm512_set1_epi32, _mm512_storeu_si512, _mm512_test_epi32_mask,
    };

    use super::add_portable;

    /// Sixteen rows at a time; the table is one, two or four registers. Codes are below 64.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub(super) fn add_avx512(codes: &[u8], table: &[i32; 256], width: usize, sums: &mut [i32]) {
        match width {
            0..=16 => add_by(codes, table, sums, |[a, ..], code| _mm512_permutexvar_epi32(code, a)),
            17..=32 => {
                add_by(codes, table, sums, |[a, b, ..], code| _mm512_permutex2var_epi32(a, code, b))
            }
            _ => add_by(codes, table, sums, |[a, b, c, d], code| {
                let upper = _mm512_test_epi32_mask(code, _mm512_set1_epi32(32));
                let low = _mm512_permutex2var_epi32(a, code, b);
                _mm512_mask_mov_epi32(low, upper, _mm512_permutex2var_epi32(c, code, d))
            }),
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    #[inline]
    fn add_by(
        codes: &[u8],
        table: &[i32; 256],
        sums: &mut [i32],
        points: impl Fn([__m512i; 4], __m512i) -> __m512i,
    ) {
        let (codes16, codes_tail) = codes.as_chunks::<16>();
        let (sums16, sums_tail) = sums.as_chunks_mut::<16>();
        let entries = table.as_ptr();
        // SAFETY: each load takes 16 of the table's 256 entries, from 0, 16, 32 and 48 on; the
        // others touch exactly the 16-element arrays they are given. None needs alignment.
        unsafe {
            let table = [0, 16, 32, 48].map(|from| _mm512_loadu_si512(entries.add(from).cast()));
            for (sums, codes) in sums16.iter_mut().zip(codes16) {
                let code = _mm512_cvtepu8_epi32(_mm_loadu_si128(codes.as_ptr().cast()));
                let own = _mm512_loadu_si512(sums.as_ptr().cast());
                let own = _mm512_add_epi32(own, points(table, code));
                _mm512_storeu_si512(sums.as_mut_ptr().cast(), own);
            }
        }
        add_portable(codes_tail, table, sums_tail);
    }

    /// Eight rows at a time; the table is two registers. Codes are below 16.
    #[target_feature(enable = "avx2")]
    pub(super) fn add_avx2(codes: &[u8], table: &[i32; 256], sums: &mut [i32]) {
        let (codes8, codes_tail) = codes.as_chunks::<8>();
        let (sums8, sums_tail) = sums.as_chunks_mut::<8>();
        // SAFETY: the loads take entries 0 to 15 of the table; the others touch exactly the
        // 8-element arrays they are given. None needs alignment.
        unsafe {
            let low = _mm256_loadu_si256(table.as_ptr().cast());
            let high = _mm256_loadu_si256(table.as_ptr().add(8).cast());
            for (sums, codes) in sums8.iter_mut().zip(codes8) {
                let code = _mm256_cvtepu8_epi32(_mm_loadl_epi64(codes.as_ptr().cast()));
                let below = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(low, code));
                let above = _mm256_castsi256_ps(_mm256_permutevar8x32_epi32(high, code));
                // The bit of eight, moved to the sign.
                let upper = _mm256_castsi256_ps(_mm256_slli_epi32::<28>(code));
                let points = _mm256_castps_si256(_mm256_blendv_ps(below, above, upper));
                let own = _mm256_loadu_si256(sums.as_ptr().cast());
                _mm256_storeu_si256(sums.as_mut_ptr().cast(), _mm256_add_epi32(own, points));
            }
        }
        add_portable(codes_tail, table, sums_tail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_gives_the_sums_of_the_portable_twin() {
        let table: [i32; 256] = std::array::from_fn(|i| (i as i32 * 7919) % 1000 - 500);
        for width in [1, 2, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200, 256] {
            for n in [0, 1, 7, 8, 15, 16, 17, 100, 4096] {
                let codes: Vec<u8> = (0..n).map(|i| (i * 37 % width) as u8).collect();
                let start: Vec<i32> = (0..n as i32).collect();
                let mut naive = start.clone();
                add_portable(&codes, &table, &mut naive);
                for isa in Isa::available() {
                    let mut sums = start.clone();
                    add(&codes, &table, width, &mut sums, isa);
                    assert_eq!(naive, sums, "{isa:?} {width} {n}");
                }
            }
        }
    }
}
