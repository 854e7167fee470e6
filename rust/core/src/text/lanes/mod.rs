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
use super::jaro::{self, Matches};
use super::similarity::{Distance, Metric, Room, Scorer, Similarity, score};

/// Pairs that run together.
const LANES: usize = 16;

/// Longest text of a pair in a lane.
const LONGEST: usize = 32;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Aligned<T>(T);

/// What follows a pattern and a text: no ASCII, and not the same.
const AFTER_PATTERN: u8 = 0x80;
const AFTER_TEXT: u8 = 0xFF;

/// Pairs that wait for the others, and what came of them.
struct Block {
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

    /// The number of a pair of such lengths, from the distance or matches, and the common prefix.
    fn finish(self, found: u32, moved: u32, prefix: u32, a: u32, b: u32) -> Self::Out;
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

    #[inline(always)]
    fn finish(self, found: u32, moved: u32, prefix: u32, a: u32, b: u32) -> f64 {
        if let Metric::Edit(_) = self.metric {
            self.of_distance(found, a, b)
        } else {
            self.of_matches(Matches { common: found, moved }, a, b, prefix)
        }
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
    fn finish(self, found: u32, _: u32, _: u32, _: u32, _: u32) -> u32 {
        self.limited(found)
    }
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
    let mut block = Block::new();
    for i in 0..out.len() {
        let (left, right) = (a.get(i), b.get(i));
        let short = left.len() <= LONGEST && right.len() <= LONGEST;
        // SAFETY: promised by the caller.
        let now = if short && unsafe { block.place::<V>(left, right, i) } {
            // The pair has as many characters as bytes.
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
            // SAFETY: promised by the caller.
            unsafe { block.flush::<S, V>(scorer, kernel, out) };
        }
    }
    // SAFETY: promised by the caller.
    unsafe { block.flush::<S, V>(scorer, kernel, out) };
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
        let lengths = self.pattern.0.iter().zip(&self.text.0);
        let found = self.found.0.iter().zip(&self.moved.0).zip(lengths);
        let texts = self.patterns.iter().zip(&self.texts);
        let lanes = found.zip(texts).zip(&self.rows);
        for ((((found, moved), (m, n)), (pattern, text)), row) in lanes.take(self.used) {
            if let Some(to) = out.get_mut(*row) {
                // What follows the one text never equals what follows the other.
                let prefix = jaro::prefix(&pattern.0, &text.0);
                *to = scorer.finish(*found, *moved, prefix, *m, *n);
            }
        }
        self.used = 0;
    }
}
