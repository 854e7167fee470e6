//! Look-ups of points by code: the widest loads each instruction set has.

/// `sums[i] += table[codes[i]]`: the safe twin of the wider look-ups.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "a byte indexes 256 entries")]
pub(crate) fn add256(codes: &[u8], table: &[f64; 256], sums: &mut [f64]) {
    for (sum, &code) in sums.iter_mut().zip(codes) {
        *sum += table[usize::from(code)];
    }
}

/// Points of codes 0 to 14, then what any other code gives.
pub(super) type SmallTable = [f64; 16];

/// `sums[i] += tables[0][codes[0][i]]`, then the next column, and so on: the safe twin of the wider
/// look-up.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "at most 15 indexes 16 entries")]
pub(super) fn add_small<const N: usize>(
    codes: [&[u8]; N],
    tables: &[SmallTable; N],
    sums: &mut [f64],
) {
    for (codes, table) in codes.iter().zip(tables) {
        for (sum, &code) in sums.iter_mut().zip(*codes) {
            *sum += table[usize::from(code.min(15))];
        }
    }
}

/// [`add_small`], eight rows at a time: each table is two registers, and the sums stay in a third
/// while the columns go by. The one kernel that compilers do not vectorise by themselves.
///
/// Must only run where AVX-512 F was detected: it is called from [`crate::isa::Isa::Avx512`]'s kernels alone.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(super) fn add_small_avx512<const N: usize>(
    codes: [&[u8]; N],
    tables: &[SmallTable; N],
    sums: &mut [f64],
) {
    use std::arch::x86_64::{
        _mm_loadl_epi64, _mm_min_epu8, _mm_set1_epi8, _mm512_add_pd, _mm512_cvtepu8_epi64,
        _mm512_loadu_pd, _mm512_permutex2var_pd, _mm512_storeu_pd,
    };
    let blocks = codes.map(|codes| codes.as_chunks::<8>());
    let (sums8, sums_tail) = sums.as_chunks_mut::<8>();
    // SAFETY: see above for the instructions. The loads and stores touch exactly the 8- and
    // 16-element arrays they are given; none needs alignment.
    unsafe {
        let halves = tables
            .each_ref()
            .map(|table| (_mm512_loadu_pd(table.as_ptr()), _mm512_loadu_pd(table.as_ptr().add(8))));
        let last = _mm_set1_epi8(15);
        for (i, sums) in sums8.iter_mut().enumerate() {
            let mut own = _mm512_loadu_pd(sums.as_ptr());
            for ((rows, _), (low, high)) in blocks.iter().zip(halves) {
                let Some(row) = rows.get(i) else { return };
                let code = _mm_min_epu8(_mm_loadl_epi64(row.as_ptr().cast()), last);
                let points = _mm512_permutex2var_pd(low, _mm512_cvtepu8_epi64(code), high);
                own = _mm512_add_pd(own, points);
            }
            _mm512_storeu_pd(sums.as_mut_ptr(), own);
        }
    }
    add_small(blocks.map(|(_, tail)| tail), tables, sums_tail);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn permuted_look_up_equals_the_scalar_twin() {
        if !Isa::Avx512.is_available() {
            eprintln!("skipped: no AVX-512 on this machine");
            return;
        }
        let table = |k: usize| std::array::from_fn(|i| ((i * k) as f64).sqrt() - 1.5);
        let tables: [SmallTable; 3] = [table(1), table(2), table(3)];
        for n in [0, 1, 7, 8, 9, 16, 250] {
            let codes = [7, 11, 13].map(|k| (0..n).map(|i| (i * k % 19) as u8).collect::<Vec<_>>());
            let views = codes.each_ref().map(|c| c.as_slice());
            let mut naive: Vec<f64> = (0..n).map(|i| i as f64 * 0.1).collect();
            let mut fast = naive.clone();
            add_small(views, &tables, &mut naive);
            add_small_avx512(views, &tables, &mut fast);
            let bits = |v: &[f64]| v.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&naive), bits(&fast));
        }
    }
}
