//! Sixteen pairs at a time with AVX-512, for ASCII texts of at most 32 characters.
//!
//! A pair takes one 32-bit lane. Its masks, for each character of the text the positions of that
//! character in the pattern, come two at a time from one byte permutation and one comparison.
//! Other pairs go to the scalar twin at once, so a long text delays nobody.

use std::arch::x86_64::{
    __m256i, __m512i, _MM_CMPINT_LT, _mm256_cmpneq_epi8_mask, _mm256_load_si256,
    _mm256_mask_loadu_epi8, _mm256_maskz_compress_epi8, _mm256_movepi8_mask, _mm256_set1_epi8,
    _mm256_store_si256, _mm512_add_epi32, _mm512_and_si512, _mm512_andnot_si512,
    _mm512_broadcast_i64x4, _mm512_castsi256_si512, _mm512_cmp_epi32_mask, _mm512_cmpeq_epi8_mask,
    _mm512_load_si512, _mm512_mask_and_epi32, _mm512_mask_mov_epi32, _mm512_mask_or_epi32,
    _mm512_max_epi32, _mm512_or_si512, _mm512_permutex2var_epi32, _mm512_permutexvar_epi8,
    _mm512_popcnt_epi32, _mm512_set1_epi32, _mm512_setr_epi32, _mm512_setzero_si512,
    _mm512_slli_epi32, _mm512_sllv_epi32, _mm512_srli_epi32, _mm512_store_si512, _mm512_sub_epi32,
    _mm512_ternarylogic_epi32, _mm512_test_epi32_mask,
};

use super::batch::{Batch, Side};
use super::edit::Edit;
use super::jaro::Matches;
use super::similarity::{Distance, Metric, Room, Scorer, Similarity, score};

/// Pairs that run together.
const LANES: usize = 16;

/// Longest text of a pair in a lane.
const LONGEST: usize = 32;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Aligned<T>(T);

/// Pairs that wait for the others, and what came of them.
struct Block {
    /// The longer text of each pair, then bytes that are in no ASCII text.
    patterns: Aligned<[[u8; LONGEST]; LANES]>,
    /// The other, then other such bytes: what follows the one never equals what follows the other.
    texts: Aligned<[[u8; LONGEST]; LANES]>,
    /// Masks of two characters of each text a row.
    masks: Aligned<[[u64; LANES]; LONGEST / 2]>,
    /// Lengths.
    pattern: Aligned<[u32; LANES]>,
    text: Aligned<[u32; LANES]>,
    rows: [usize; LANES],
    used: usize,
    /// Distances or matches.
    found: Aligned<[u32; LANES]>,
    /// Of matches: those in another order, and the common prefix.
    moved: Aligned<[u32; LANES]>,
    prefix: Aligned<[u32; LANES]>,
}

impl Block {
    fn new() -> Self {
        let zeros = Aligned([0; LANES]);
        Self {
            patterns: Aligned([[0; LONGEST]; LANES]),
            texts: Aligned([[u8::MAX; LONGEST]; LANES]),
            masks: Aligned([[0; LANES]; LONGEST / 2]),
            pattern: zeros,
            text: zeros,
            rows: [0; LANES],
            used: 0,
            found: zeros,
            moved: zeros,
            prefix: zeros,
        }
    }
}

/// Which recurrence fills the lanes.
#[derive(Debug, Clone, Copy)]
enum Kernel {
    Jaro,
    Levenshtein,
    Osa,
}

/// A scorer that has a kernel.
trait Lanes: Scorer {
    fn kernel(self) -> Option<Kernel>;

    /// The number of a pair of such lengths, when no text can change it.
    fn by_lengths(self, a: u32, b: u32) -> Option<Self::Out>;

    fn finish(self, block: &Block, out: &mut [Self::Out; LANES]);

    const NOTHING: Self::Out;
}

impl Lanes for Similarity {
    const NOTHING: f64 = 0.0;

    fn kernel(self) -> Option<Kernel> {
        match self.metric {
            Metric::Jaro | Metric::JaroWinkler => Some(Kernel::Jaro),
            Metric::Edit(Edit::Levenshtein) => Some(Kernel::Levenshtein),
            Metric::Edit(Edit::Osa) => Some(Kernel::Osa),
            _ => None,
        }
    }

    #[inline(always)]
    fn by_lengths(self, a: u32, b: u32) -> Option<f64> {
        self.hopeless(a, b).then_some(0.0)
    }

    #[inline(always)]
    fn finish(self, block: &Block, out: &mut [f64; LANES]) {
        let lengths = block.pattern.0.iter().zip(&block.text.0);
        let found = out.iter_mut().zip(&block.found.0).zip(lengths);
        if !matches!(self.metric, Metric::Edit(_)) {
            let order = block.moved.0.iter().zip(&block.prefix.0);
            for (((to, common), (a, b)), (moved, prefix)) in found.zip(order) {
                let matches = Matches { common: *common, moved: *moved };
                *to = self.of_matches(matches, *a, *b, *prefix);
            }
        } else {
            for ((to, distance), (a, b)) in found {
                *to = self.of_distance(*distance, *a, *b);
            }
        }
    }
}

impl Lanes for Distance {
    const NOTHING: u32 = 0;

    fn kernel(self) -> Option<Kernel> {
        match self.edit {
            Edit::Levenshtein => Some(Kernel::Levenshtein),
            Edit::Osa => Some(Kernel::Osa),
            Edit::DamerauLevenshtein => None,
        }
    }

    #[inline(always)]
    fn by_lengths(self, a: u32, b: u32) -> Option<u32> {
        (a.abs_diff(b) > self.cutoff).then(|| self.limited(u32::MAX))
    }

    #[inline(always)]
    fn finish(self, block: &Block, out: &mut [u32; LANES]) {
        for (to, distance) in out.iter_mut().zip(&block.found.0) {
            *to = self.limited(*distance);
        }
    }
}

impl<S: Lanes> Batch for S {
    fn fill_lanes(
        self,
        a: &Side<'_>,
        b: &Side<'_>,
        room: &mut Room,
        out: &mut [Self::Out],
    ) -> bool {
        let Some(kernel) = self.kernel() else { return false };
        // SAFETY: only called for `Isa::Avx512Vbmi`, which has these features.
        unsafe {
            match kernel {
                Kernel::Jaro => fill::<S, Jaro>(self, a, b, room, out),
                Kernel::Levenshtein => fill::<S, Levenshtein>(self, a, b, room, out),
                Kernel::Osa => fill::<S, Osa>(self, a, b, room, out),
            }
        }
        true
    }
}

#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
fn fill<S: Lanes, R: Recurrence>(
    scorer: S,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    let mut block = Block::new();
    for i in 0..out.len() {
        let (left, right) = (a.get(i), b.get(i));
        let now = if left.len() > LONGEST || right.len() > LONGEST {
            Some(score(scorer, left, right, room))
        } else if block.push(left, right, i) {
            // The lengths are known to be those in characters.
            let early = scorer.by_lengths(left.len() as u32, right.len() as u32);
            block.used += usize::from(early.is_none());
            early
        } else {
            Some(score(scorer, left, right, room))
        };
        if let Some(number) = now
            && let Some(to) = out.get_mut(i)
        {
            *to = number;
        }
        if block.used == LANES {
            block.flush::<S, R>(scorer, out);
        }
    }
    block.flush::<S, R>(scorer, out);
}

/// All bits below `n`.
#[inline(always)]
fn low(n: usize) -> u32 {
    if n >= 32 { u32::MAX } else { (1 << n) - 1 }
}

impl Block {
    /// Writes a pair to the next free lane, which stays free; false when it is not ASCII. Both
    /// texts have at most 32 bytes.
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    fn push(&mut self, a: &[u8], b: &[u8], row: usize) -> bool {
        let (pattern, text) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        let lane = self.used;
        let (Some(own_pattern), Some(own_text)) =
            (self.patterns.0.get_mut(lane), self.texts.0.get_mut(lane))
        else {
            return false;
        };
        let (in_pattern, in_text) = (low(pattern.len()), low(text.len()));
        // SAFETY: the masks leave out every byte beyond the slices, and what a mask leaves out
        // is not accessed. Rows of 32 bytes in an array aligned to 64 are aligned to 32.
        unsafe {
            let (after_pattern, after_text) = (_mm256_set1_epi8(-128), _mm256_set1_epi8(-1));
            let p = _mm256_mask_loadu_epi8(after_pattern, in_pattern, pattern.as_ptr().cast());
            let t = _mm256_mask_loadu_epi8(after_text, in_text, text.as_ptr().cast());
            let wide = (_mm256_movepi8_mask(p) & in_pattern) | (_mm256_movepi8_mask(t) & in_text);
            if wide != 0 {
                return false;
            }
            _mm256_store_si256(own_pattern.as_mut_ptr().cast(), p);
            _mm256_store_si256(own_text.as_mut_ptr().cast(), t);
        }
        let own = (self.pattern.0.get_mut(lane), self.text.0.get_mut(lane));
        if let (Some(m), Some(n)) = own
            && let Some(own_row) = self.rows.get_mut(lane)
        {
            (*m, *n) = (pattern.len() as u32, text.len() as u32);
            *own_row = row;
        }
        true
    }

    /// Runs what waits and writes the results.
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    fn flush<S: Lanes, R: Recurrence>(&mut self, scorer: S, out: &mut [S::Out]) {
        let longest = self.text.0.iter().take(self.used).max().map_or(0, |n| *n as usize);
        self.compare(longest);
        // SAFETY: the features are those of this function.
        unsafe { R::run(self, longest) };
        let mut numbers = [S::NOTHING; LANES];
        scorer.finish(self, &mut numbers);
        for (number, row) in numbers.iter().zip(&self.rows).take(self.used) {
            if let Some(to) = out.get_mut(*row) {
                *to = *number;
            }
        }
        self.used = 0;
    }

    /// Fills the masks for the first `longest` characters of the texts.
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    fn compare(&mut self, longest: usize) {
        for (lane, (pattern, text)) in self.patterns.0.iter().zip(&self.texts.0).enumerate() {
            // SAFETY: rows of 32 bytes, aligned as in `push`; the indices have 64 bytes.
            unsafe {
                let pattern = load(pattern);
                let pattern = _mm512_broadcast_i64x4(pattern);
                let text = _mm512_castsi256_si512(load(text));
                for (masks, pair) in self.masks.0.iter_mut().zip(&PAIRS.0).take(longest.div_ceil(2))
                {
                    let pair = _mm512_load_si512(pair.as_ptr().cast());
                    let two = _mm512_permutexvar_epi8(pair, text);
                    if let Some(mask) = masks.get_mut(lane) {
                        *mask = _mm512_cmpeq_epi8_mask(pattern, two);
                    }
                }
            }
        }
    }
}

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

/// # Safety
///
/// The row is aligned to 32 bytes.
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
unsafe fn load(row: &[u8; LONGEST]) -> __m256i {
    // SAFETY: promised by the caller.
    unsafe { _mm256_load_si256(row.as_ptr().cast()) }
}

#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn read(lanes: &Aligned<[u32; LANES]>) -> __m512i {
    // SAFETY: 64 bytes, aligned to 64.
    unsafe { _mm512_load_si512(lanes.0.as_ptr().cast()) }
}

#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn write(lanes: &mut Aligned<[u32; LANES]>, values: __m512i) {
    // SAFETY: 64 bytes, aligned to 64.
    unsafe { _mm512_store_si512(lanes.0.as_mut_ptr().cast(), values) }
}

/// Masks of text characters `2 j` and `2 j + 1`, a lane a pair.
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn split(masks: &[u64; LANES]) -> [__m512i; 2] {
    let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    let odd = _mm512_or_si512(even, _mm512_set1_epi32(1));
    // SAFETY: a row of masks has 128 bytes in an array aligned to 64.
    let (low, high) = unsafe {
        let start = masks.as_ptr();
        (_mm512_load_si512(start.cast()), _mm512_load_si512(start.add(LANES / 2).cast()))
    };
    [_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)]
}

/// A recurrence over the characters of the texts.
trait Recurrence {
    /// # Safety
    ///
    /// The CPU has the features of [`fill`].
    unsafe fn run(block: &mut Block, longest: usize);
}

struct Levenshtein;
struct Osa;
struct Jaro;

impl Recurrence for Levenshtein {
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    unsafe fn run(block: &mut Block, longest: usize) {
        distances::<false>(block, longest);
    }
}

impl Recurrence for Osa {
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    unsafe fn run(block: &mut Block, longest: usize) {
        distances::<true>(block, longest);
    }
}

impl Recurrence for Jaro {
    #[target_feature(
        enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
    )]
    #[inline]
    unsafe fn run(block: &mut Block, longest: usize) {
        matches(block, longest);
    }
}

/// Truth tables of three bits, for [`_mm512_ternarylogic_epi32`].
const XOR_OR: i32 = 0xBE; // (a ^ b) | c
const OR_NOR: i32 = 0xF1; // a | !(b | c)
const OR_AND: i32 = 0xF8; // a | (b & c)

/// The columns of [`super::column::Levenshtein`] and [`super::column::Osa`].
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn distances<const SWAPS: bool>(block: &mut Block, longest: usize) {
    let (pattern, text) = (read(&block.pattern), read(&block.text));
    let one = _mm512_set1_epi32(1);
    let (mut plus, mut minus) = (_mm512_set1_epi32(-1), _mm512_setzero_si512());
    let (mut same, mut last) = (minus, minus);
    let mut j = _mm512_setzero_si512();
    for masks in block.masks.0.iter().take(longest.div_ceil(2)) {
        for equal in split(masks) {
            let x = _mm512_or_si512(equal, minus);
            let sum = _mm512_add_epi32(_mm512_and_si512(x, plus), plus);
            let mut now = _mm512_ternarylogic_epi32::<XOR_OR>(sum, plus, x);
            if SWAPS {
                let swappable = _mm512_slli_epi32::<1>(_mm512_andnot_si512(same, equal));
                now = _mm512_ternarylogic_epi32::<OR_AND>(now, swappable, last);
                (same, last) = (now, equal);
            }
            let grows = _mm512_ternarylogic_epi32::<OR_NOR>(minus, now, plus);
            let shrinks = _mm512_slli_epi32::<1>(_mm512_and_si512(now, plus));
            let grows = _mm512_or_si512(_mm512_slli_epi32::<1>(grows), one);
            // Where the text has ended nothing changes any more.
            let more = _mm512_cmp_epi32_mask::<_MM_CMPINT_LT>(j, text);
            let next = _mm512_ternarylogic_epi32::<OR_NOR>(shrinks, now, grows);
            plus = _mm512_mask_mov_epi32(plus, more, next);
            minus = _mm512_mask_and_epi32(minus, more, grows, now);
            j = _mm512_add_epi32(j, one);
        }
    }
    let rows = _mm512_sub_epi32(_mm512_sllv_epi32(one, pattern), one);
    let up = _mm512_popcnt_epi32(_mm512_and_si512(plus, rows));
    let down = _mm512_popcnt_epi32(_mm512_and_si512(minus, rows));
    write(&mut block.found, _mm512_sub_epi32(_mm512_add_epi32(text, up), down));
}

/// [`super::jaro::matches_word`].
#[target_feature(enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
#[inline]
fn matches(block: &mut Block, longest: usize) {
    let (pattern, text) = (read(&block.pattern), read(&block.text));
    let (zero, one) = (_mm512_setzero_si512(), _mm512_set1_epi32(1));
    let half = _mm512_srli_epi32::<1>(_mm512_max_epi32(pattern, text));
    let reach = _mm512_max_epi32(_mm512_sub_epi32(half, one), zero);
    let two = _mm512_set1_epi32(2);
    let mut window = _mm512_sub_epi32(_mm512_sllv_epi32(two, reach), one);
    let (mut taken, mut matched) = (zero, zero);
    let (mut j, mut bit) = (zero, one);
    for masks in block.masks.0.iter().take(longest.div_ceil(2)) {
        for equal in split(masks) {
            let free = _mm512_and_si512(_mm512_andnot_si512(taken, equal), window);
            let first = _mm512_sub_epi32(zero, free);
            taken = _mm512_ternarylogic_epi32::<OR_AND>(taken, free, first);
            let any = _mm512_test_epi32_mask(free, free);
            matched = _mm512_mask_or_epi32(matched, any, matched, bit);
            bit = _mm512_slli_epi32::<1>(bit);
            let grows = _mm512_cmp_epi32_mask::<_MM_CMPINT_LT>(j, reach);
            window = _mm512_slli_epi32::<1>(window);
            window = _mm512_mask_or_epi32(window, grows, window, one);
            j = _mm512_add_epi32(j, one);
        }
    }
    write(&mut block.found, _mm512_popcnt_epi32(taken));
    let mut flags = [Aligned([0; LANES]); 2];
    let [in_pattern, in_text] = &mut flags;
    write(in_pattern, taken);
    write(in_text, matched);
    let flags = in_pattern.0.iter().zip(&in_text.0);
    let texts = block.patterns.0.iter().zip(&block.texts.0);
    let order = block.moved.0.iter_mut().zip(&mut block.prefix.0);
    for (((p, t), (pattern, text)), (moved, prefix)) in flags.zip(texts).zip(order) {
        // SAFETY: rows of 32 bytes, aligned as in `push`.
        let (pattern, text) = unsafe { (load(pattern), load(text)) };
        // As many of one as of the other; zeros follow.
        let (p, t) =
            (_mm256_maskz_compress_epi8(*p, pattern), _mm256_maskz_compress_epi8(*t, text));
        *moved = _mm256_cmpneq_epi8_mask(p, t).count_ones();
        *prefix = (_mm256_cmpneq_epi8_mask(pattern, text) | 1 << 4).trailing_zeros();
    }
}
