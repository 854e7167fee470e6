//! Sixteen pairs at a time, for ASCII texts of at most 32 characters.
//!
//! A pair takes one 32-bit lane. First each text character is compared with the whole pattern,
//! pair by pair; then the recurrence runs over the characters of all texts together. Other pairs
//! go to the scalar twin at once, so a long text delays nobody.

mod avx2;
mod avx512;
mod sweep;
mod vector;

use std::arch::x86_64::{__m256i, __m512i};

use self::vector::Vector;
use super::batch::Side;
use super::edit::Edit;
use super::jaro::Matches;
use super::similarity::{Distance, Metric, Room, Scorer, Similarity, score};

/// Pairs that run together.
const LANES: usize = 16;

/// Longest text of a pair in a lane.
const LONGEST: usize = 32;

/// Longest shorter text of a pair in each block.
const LENGTHS: [usize; 3] = [12, 20, LONGEST];

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Aligned<T>(T);

/// What follows a pattern and a text: no ASCII, and not the same.
const AFTER_PATTERN: u8 = 0x80;
const AFTER_TEXT: u8 = 0xFF;

/// Pairs that wait for the others, and what came of them.
pub(super) struct Block {
    /// The longer text of each pair, and the other.
    patterns: [Aligned<[u8; LONGEST]>; LANES],
    texts: [Aligned<[u8; LONGEST]>; LANES],
    /// Where text characters `2 j` and `2 j + 1` stand in the pattern: 32 bits each.
    masks: Aligned<[[u64; LANES]; LONGEST / 2]>,
    /// Lengths.
    pattern: Aligned<[u32; LANES]>,
    text: Aligned<[u32; LANES]>,
    rows: [usize; LANES],
    used: usize,
    /// Distances or matches.
    found: Aligned<[u32; LANES]>,
    /// Matches in another order.
    moved: Aligned<[u32; LANES]>,
}

/// Which recurrence fills the lanes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kernel {
    Jaro,
    Levenshtein,
    Osa,
}

/// A scorer that may have a kernel.
pub(super) trait Lanes: Scorer {
    fn kernel(self) -> Option<Kernel>;

    /// The number of a pair of such lengths, when no text can change it.
    fn by_lengths(self, a: u32, b: u32) -> Option<Self::Out>;

    /// The numbers of the pairs of a block.
    fn finish(self, block: &Block) -> [Self::Out; LANES];
}

impl Lanes for Similarity {
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

    /// Loops without branches, which compilers turn into vectors.
    #[inline(always)]
    fn finish(self, block: &Block) -> [f64; LANES] {
        let mut out = [0.0; LANES];
        let found = out.iter_mut().zip(&block.found.0);
        let all = found.zip(block.pattern.0.iter().zip(&block.text.0));
        if let Metric::Edit(_) = self.metric {
            for ((to, distance), (m, n)) in all {
                *to = self.of_distance(*distance, *m, *n);
            }
            return out;
        }
        let mut prefixes = [0; LANES];
        let texts = block.patterns.iter().zip(&block.texts);
        for (to, (pattern, text)) in prefixes.iter_mut().zip(texts) {
            // What follows the one text never equals what follows the other.
            let [p, t] = [pattern, text].map(|row| row.0.first_chunk().copied().unwrap_or([0; 4]));
            *to = (u32::from_le_bytes(p) ^ u32::from_le_bytes(t)).trailing_zeros() / 8;
        }
        for (((to, common), (m, n)), (moved, prefix)) in
            all.zip(block.moved.0.iter().zip(&prefixes))
        {
            let matches = Matches { common: *common, moved: *moved };
            *to = self.of_matches(matches, *m, *n, *prefix);
        }
        out
    }
}

impl Lanes for Distance {
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
    fn finish(self, block: &Block) -> [u32; LANES] {
        block.found.0.map(|distance| self.limited(distance))
    }
}

/// Whether texts of a side may run in lanes.
pub(super) fn fits(side: &Side<'_>) -> bool {
    !matches!(side, Side::One(text) if text.len() > LONGEST || !text.is_ascii())
}

/// # Safety
///
/// The CPU has the features of [`crate::isa::Isa::Avx2`].
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
pub(super) unsafe fn fill_avx2<S: Lanes>(
    scorer: S,
    kernel: Kernel,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    // SAFETY: the features are those that the vectors need.
    unsafe { fill::<S, [__m256i; 2]>(scorer, kernel, a, b, room, out) }
}

/// # Safety
///
/// The CPU has the features of [`crate::isa::Isa::Avx512Vbmi`].
#[target_feature(
    enable = "avx512vbmi,avx512vbmi2,avx512vpopcntdq,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt"
)]
pub(super) unsafe fn fill_avx512<S: Lanes>(
    scorer: S,
    kernel: Kernel,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    // SAFETY: the features are those that the vectors need.
    unsafe { fill::<S, __m512i>(scorer, kernel, a, b, room, out) }
}

/// # Safety
///
/// See [`Vector`].
#[inline(always)]
unsafe fn fill<S: Lanes, V: Vector>(
    scorer: S,
    kernel: Kernel,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    // Texts of about one length together: the longest of a block sets the time of all.
    let mut blocks = LENGTHS.map(|_| Block::new());
    for i in 0..out.len() {
        let (left, right) = (a.get(i), b.get(i));
        let shorter = left.len().min(right.len());
        let class = LENGTHS.iter().filter(|length| shorter > **length).count();
        let short = left.len().max(right.len()) <= LONGEST;
        // No closure here: into one, the intrinsics would not be inlined.
        // SAFETY: promised by the caller.
        let now = if let Some(block) = blocks.get_mut(class)
            && short
            && unsafe { block.place::<V>(left, right, i) }
        {
            // The pair has as many characters as bytes.
            let early = scorer.by_lengths(left.len() as u32, right.len() as u32);
            block.used += usize::from(early.is_none());
            if block.used == LANES {
                // SAFETY: promised by the caller.
                unsafe { block.flush::<S, V>(scorer, kernel, out) };
            }
            early
        } else {
            Some(score(scorer, left, right, room))
        };
        if let Some(number) = now
            && let Some(to) = out.get_mut(i)
        {
            *to = number;
        }
    }
    for block in &mut blocks {
        // SAFETY: promised by the caller.
        unsafe { block.flush::<S, V>(scorer, kernel, out) };
    }
}

impl Block {
    fn new() -> Self {
        let zeros = Aligned([0; LANES]);
        Self {
            patterns: [Aligned([AFTER_PATTERN; LONGEST]); LANES],
            texts: [Aligned([AFTER_TEXT; LONGEST]); LANES],
            masks: Aligned([[0; LANES]; LONGEST / 2]),
            pattern: zeros,
            text: zeros,
            rows: [0; LANES],
            used: 0,
            found: zeros,
            moved: zeros,
        }
    }

    /// Writes a pair of at most 32 bytes each to the next free lane, which stays free; false when
    /// it is not ASCII.
    ///
    /// # Safety
    ///
    /// See [`Vector`].
    #[inline(always)]
    unsafe fn place<V: Vector>(&mut self, a: &[u8], b: &[u8], row: usize) -> bool {
        let (pattern, text) = if a.len() >= b.len() { (a, b) } else { (b, a) };
        let lane = self.used;
        let rows = (self.patterns.get_mut(lane), self.texts.get_mut(lane));
        let lengths = (self.pattern.0.get_mut(lane), self.text.0.get_mut(lane));
        if let ((Some(own_pattern), Some(own_text)), (Some(m), Some(n))) = (rows, lengths)
            && let Some(own_row) = self.rows.get_mut(lane)
        {
            (*m, *n, *own_row) = (pattern.len() as u32, text.len() as u32, row);
            // SAFETY: promised by the caller.
            unsafe {
                V::place(own_pattern, pattern, AFTER_PATTERN) & V::place(own_text, text, AFTER_TEXT)
            }
        } else {
            false
        }
    }

    /// Runs what waits and writes the results.
    ///
    /// # Safety
    ///
    /// See [`Vector`].
    #[inline(always)]
    unsafe fn flush<S: Lanes, V: Vector>(&mut self, scorer: S, kernel: Kernel, out: &mut [S::Out]) {
        let longest = self.text.0.iter().take(self.used).max().map_or(0, |n| *n as usize);
        // SAFETY: promised by the caller.
        unsafe { sweep::run::<V>(kernel, self, longest) };
        let numbers = scorer.finish(self);
        for (number, row) in numbers.iter().zip(&self.rows).take(self.used) {
            if let Some(to) = out.get_mut(*row) {
                *to = *number;
            }
        }
        self.used = 0;
    }
}
