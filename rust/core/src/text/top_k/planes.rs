//! Bit planes: one feature of every string, a bit each.
//!
//! The features that a query shares with 512 strings are counted with a few instructions for each
//! feature of the query, and no other plane is read.

use std::ops::Range;

use super::alphabet::Symbol;
use super::features::{FeatureSet, Layout, Wanted, for_features};
use super::lanes::{Counters, Lanes};
use crate::isa::Isa;

/// Fewer strings than this are scored at once: planes for them would be nearly empty.
const FEWEST: usize = 16;

/// The planes of strings.
#[derive(Debug, Clone)]
pub(super) struct Planes {
    width: usize,
    /// The planes of 512 strings, then those of the next 512; none for too few strings.
    lanes: Vec<Lanes>,
}

impl Planes {
    /// Makes the planes of strings and adds their features to `present`.
    pub fn new<'a, S: Symbol>(
        layout: &Layout,
        mut texts: impl ExactSizeIterator<Item = &'a [S]>,
        present: &mut FeatureSet,
    ) -> Self {
        if texts.len() < FEWEST {
            texts.for_each(|text| {
                for_features(text, |f| f.into_iter().for_each(|f| present.insert(f)))
            });
            return Self { width: layout.width, lanes: vec![] };
        }
        let mut lanes = vec![Lanes::NONE; texts.len().div_ceil(Lanes::COUNT) * layout.width];
        for lanes in lanes.chunks_mut(layout.width) {
            for (i, text) in texts.by_ref().take(Lanes::COUNT).enumerate() {
                for_features(text, |feature| {
                    let Some(feature) = feature else { return };
                    present.insert(feature);
                    let lane = lanes.get_mut(usize::from(layout.plane(feature)));
                    if let Some(word) = lane.and_then(|Lanes(words)| words.get_mut(i / 64)) {
                        *word |= 1 << (i % 64);
                    }
                });
            }
            // Features without a plane were put here.
            lanes.iter_mut().take(1).for_each(|empty| *empty = Lanes::NONE);
        }
        Self { width: layout.width, lanes }
    }

    /// Appends the strings of a range that may have `need` characters in common with a query: all
    /// that have, and some that have not.
    pub fn scan(
        &self,
        isa: Isa,
        wanted: &Wanted,
        need: usize,
        range: Range<usize>,
        out: &mut Vec<u32>,
    ) {
        let need = need.saturating_sub(wanted.unknown);
        if need == 0 || self.lanes.is_empty() {
            out.extend(range.map(|i| i as u32));
        } else if need <= wanted.count {
            match isa {
                Isa::Portable => self.scan_blocks(wanted, need, range, out),
                // SAFETY: whoever has an `Isa` has found it on this CPU.
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => unsafe { self.scan_avx2(wanted, need, range, out) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                _ => unsafe { self.scan_avx512(wanted, need, range, out) },
                #[cfg(not(target_arch = "x86_64"))]
                _ => self.scan_blocks(wanted, need, range, out),
            }
        }
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    fn scan_avx2(&self, wanted: &Wanted, need: usize, range: Range<usize>, out: &mut Vec<u32>) {
        self.scan_blocks(wanted, need, range, out);
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
    fn scan_avx512(&self, wanted: &Wanted, need: usize, range: Range<usize>, out: &mut Vec<u32>) {
        self.scan_blocks(wanted, need, range, out);
    }

    #[inline(always)]
    fn scan_blocks(&self, wanted: &Wanted, need: usize, range: Range<usize>, out: &mut Vec<u32>) {
        let blocks = range.start / Lanes::COUNT..range.end.div_ceil(Lanes::COUNT);
        let lanes = self.lanes.get(blocks.start * self.width..blocks.end * self.width);
        let start = Counters::looking_for(need);
        for (block, lanes) in blocks.zip(lanes.unwrap_or(&[]).chunks_exact(self.width)) {
            let mut counters = start;
            for planes in &wanted.planes {
                let lane = |plane: u8| lanes.get(usize::from(plane)).copied();
                counters.add(planes.map(|plane| lane(plane).unwrap_or(Lanes::NONE)));
            }
            let found = counters.over();
            if found.is_none() {
                continue;
            }
            let Lanes(words) = found;
            for (first, mut word) in (block * Lanes::COUNT..).step_by(64).zip(words) {
                while word != 0 {
                    let i = first + word.trailing_zeros() as usize;
                    word &= word - 1;
                    if range.contains(&i) {
                        out.push(i as u32);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters in common, each counted once for each pair of occurrences.
    fn common(a: &[u8], b: &[u8]) -> usize {
        let count = |text: &[u8], c: u8| text.iter().filter(|&&x| x == c).count();
        (0..u8::MAX).map(|c| count(a, c).min(count(b, c))).sum()
    }

    /// Words over a few symbols; a few of them long.
    fn words(n: usize, seed: usize) -> Vec<Vec<u8>> {
        let mut state = seed as u64;
        let mut next = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let word = |i| {
            let length = if i % 50 == 0 { next(150) } else { next(24) };
            (0..length).map(|_| (next(14) * next(14)) as u8).collect()
        };
        (0..n).map(word).collect()
    }

    #[test]
    fn a_scan_finds_every_string_with_enough_in_common() {
        let texts = words(1300, 1);
        let layout = Layout::of(&texts[..100]);
        let mut present = FeatureSet::default();
        let planes = Planes::new(&layout, texts.iter().map(|text| &text[..]), &mut present);
        let (mut kept, mut possible) = (0, 0);
        for query in words(40, 2) {
            let wanted = Wanted::new(&query, &layout, &present);
            let shared: Vec<usize> = texts.iter().map(|text| common(&query, text)).collect();
            for need in [0, 1, 2, 3, 5, 8, 12, 20, 60, 70] {
                for range in [0..1300, 511..1025, 512..1024, 37..40, 600..600] {
                    let mut expected = vec![];
                    for isa in Isa::available() {
                        let mut found = vec![];
                        planes.scan(isa, &wanted, need, range.clone(), &mut found);
                        assert!(found.is_sorted());
                        assert!(found.iter().all(|&i| range.contains(&(i as usize))));
                        let missed = |i: &usize| {
                            shared[*i] >= need && found.binary_search(&(*i as u32)).is_err()
                        };
                        assert_eq!(range.clone().find(missed), None);
                        if isa == Isa::Portable {
                            expected = found;
                            (kept, possible) = (kept + expected.len(), possible + range.len());
                        } else {
                            assert_eq!(found, expected);
                        }
                    }
                }
            }
        }
        assert!(kept * 2 < possible); // it also leaves some out
    }
}
