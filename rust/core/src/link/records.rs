//! What a first look at a row needs, side by side: one look at memory serves all comparisons.

use super::compare::{Comparison, Pairs};

/// Words of a line of the cache.
const WORDS: usize = 16;

#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Line([u32; WORDS]);

/// A record for each row: what [`Comparison::quick`] reads of each comparison, then how rare the row's
/// value is. No comparison's part crosses a line.
#[derive(Debug, Default)]
pub(super) struct Records {
    lines: Vec<Line>,
    /// Lines of a record.
    height: usize,
    parts: Vec<Part>,
}

/// Where a comparison's words are in each record.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    line: usize,
    start: usize,
    words: usize,
    has_rarity: bool,
}

impl Records {
    /// Records of so many rows; `rarity` has `-log2(f)` of each row's value for comparisons that are
    /// adjusted for it.
    pub(super) fn new(
        comparisons: &[Comparison<'_>],
        rarity: &[Option<Vec<f32>>],
        rows: usize,
    ) -> Self {
        let mut parts: Vec<Part> = vec![];
        let (mut line, mut start) = (0, 0);
        let rarities = || rarity.iter().map(Option::as_deref).chain(std::iter::repeat(None));
        for (comparison, rarity) in comparisons.iter().zip(rarities()) {
            let (words, has_rarity) = (comparison.words(), rarity.is_some());
            let len = words + usize::from(has_rarity);
            if start + len > WORDS {
                (line, start) = (line + 1, 0);
            }
            parts.push(Part { line, start, words, has_rarity });
            start += len;
        }
        let height = line + 1;
        let mut lines = vec![Line::default(); height * rows];
        for (row, record) in lines.chunks_exact_mut(height).enumerate() {
            for ((part, comparison), rarity) in parts.iter().zip(comparisons).zip(rarities()) {
                let slot = record.get_mut(part.line).and_then(|line| line.0.get_mut(part.start..));
                let Some((own, after)) = slot.and_then(|s| s.split_at_mut_checked(part.words))
                else {
                    continue;
                };
                comparison.write(row, own);
                if let (Some(rarity), Some(to)) = (rarity, after.first_mut()) {
                    *to = rarity.get(row).copied().unwrap_or(0.0).to_bits();
                }
            }
        }
        Self { lines, height, parts }
    }

    /// The part of one comparison.
    #[inline(always)]
    pub(super) fn view(&self, comparison: usize) -> View<'_> {
        View { records: self, part: self.parts.get(comparison).copied().unwrap_or_default() }
    }
}

/// What one comparison reads of the records.
#[derive(Debug, Clone, Copy)]
pub(super) struct View<'r> {
    records: &'r Records,
    part: Part,
}

impl View<'_> {
    #[inline(always)]
    fn words_at<const N: usize>(&self, row: usize, start: usize) -> Option<[u32; N]> {
        let line = self.records.lines.get(row * self.records.height + self.part.line)?;
        line.0.get(start..)?.first_chunk().copied()
    }

    /// The first words of a row; `None` for a row there is not.
    #[inline(always)]
    pub(super) fn words<const N: usize>(&self, row: usize) -> Option<[u32; N]> {
        self.words_at(row, self.part.start)
    }

    /// `-log2` of the share of rows that have the more frequent of two rows' values; 0 when that is
    /// not kept.
    #[inline(always)]
    pub(super) fn rarity(&self, a: u32, b: u32) -> f32 {
        let of = |row: u32| {
            let word = self.words_at(row as usize, self.part.start + self.part.words);
            word.map_or(0.0, |[word]| f32::from_bits(word))
        };
        if self.part.has_rarity { of(a).min(of(b)) } else { 0.0 }
    }

    /// Calls `level` with the words of both rows of each pair for its level; `missing` is that of
    /// rows there are not.
    #[inline(always)]
    pub(super) fn fill<const N: usize>(
        &self,
        pairs: Pairs<'_>,
        out: &mut [u8],
        missing: u8,
        level: impl Fn([u32; N], [u32; N]) -> u8,
    ) {
        for ((a, b), to) in pairs.iter().zip(out) {
            *to = match (self.words(a), self.words(b)) {
                (Some(a), Some(b)) => level(a, b),
                _ => missing,
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::compare::Dates;
    use super::super::encode::Codes;
    use super::*;

    #[test]
    fn parts_of_many_comparisons_are_all_there() {
        let rows = 5;
        let codes = |k: u64| Codes::of((0..rows).map(move |row| Some(row * k % 3)));
        let dates = |k: i32| {
            let days = (0..rows as i32).map(move |row| (row != k).then_some(row * k));
            Comparison::Date(Dates::new(days, vec![]))
        };
        let mut comparisons = vec![];
        for k in 1..9 {
            comparisons.push(Comparison::Exact(codes(k)));
            comparisons.push(dates(k as i32));
        }
        let rarity: Vec<Option<Vec<f32>>> = (0..comparisons.len())
            .map(|k| {
                (k % 3 != 1).then(|| (0..rows).map(|row| (k as u64 * 10 + row) as f32).collect())
            })
            .collect();
        let records = Records::new(&comparisons, &rarity, rows as usize);
        assert!(records.height > 1);
        for (k, comparison) in comparisons.iter().enumerate() {
            let view = records.view(k);
            for row in 0..rows as usize {
                match comparison {
                    Comparison::Exact(codes) => {
                        assert_eq!(view.words(row), Some([codes.rows[row]]));
                    }
                    comparison => {
                        let mut expected = [0; 2];
                        comparison.write(row, &mut expected);
                        assert_eq!(view.words(row), Some(expected));
                    }
                }
                let expected = rarity[k].as_ref().map_or(0.0, |r| r[row].min(r[4]));
                assert_eq!(view.rarity(row as u32, 4), expected);
            }
            assert_eq!(view.words::<1>(rows as usize), None);
        }
    }
}
