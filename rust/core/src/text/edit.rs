//! Edit distances of two texts of any length.

use super::chars::{Char, Ids, without_affixes};
use super::column::{self, Border, Column, rows};
use super::damerau::Damerau;
use super::masks::{Masks, WORD};
use super::strips::Strips;

/// An edit distance. Every edit costs one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// Insertions, deletions, substitutions.
    Levenshtein,
    /// Also swaps of neighbours, which are not edited again: optimal string alignment.
    Osa,
    /// Also swaps of neighbours, without that limit.
    DamerauLevenshtein,
}

/// Room for the computation.
#[derive(Debug, Default)]
pub(super) struct Edits {
    ids: Ids,
    strips: Strips,
    damerau: Damerau,
}

/// Up to this length comparing costs no more than looking for what is common at both ends.
const NAME: usize = 16;

/// Patterns up to this length go in one piece: they are too short for a band to pay.
const SHORT: usize = 1024;

impl Edits {
    /// The distance, or more than `most` when it is more.
    pub fn distance<C: Char>(
        &mut self,
        edit: Edit,
        masks: &mut Masks,
        a: &[C],
        b: &[C],
        most: usize,
    ) -> usize {
        let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let apart = text.len() - pattern.len();
        if apart > most {
            return apart;
        }
        match edit {
            Edit::Levenshtein => {
                self.by_columns::<column::Levenshtein, C>(masks, pattern, text, most)
            }
            Edit::Osa => self.by_columns::<column::Osa, C>(masks, pattern, text, most),
            Edit::DamerauLevenshtein => {
                let (pattern, text, _) = without_affixes(pattern, text);
                if pattern.len() <= WORD {
                    masks.set(pattern);
                    let osa = word::<column::Osa, C>(masks, pattern.len(), text);
                    masks.clear(pattern);
                    // Where they differ, at least a swap and another edit are needed, and OSA needs
                    // more than these two.
                    if osa <= 2 {
                        return osa;
                    }
                }
                self.ids.set(pattern, text);
                self.damerau.distance(&self.ids, most)
            }
        }
    }

    #[inline(always)]
    fn by_columns<'a, S: Column, C: Char>(
        &mut self,
        masks: &mut Masks,
        mut pattern: &'a [C],
        mut text: &'a [C],
        most: usize,
    ) -> usize {
        if pattern.len() > NAME {
            (pattern, text, _) = without_affixes(pattern, text);
        }
        if pattern.len() <= WORD {
            masks.set(pattern);
            let found = word::<S, C>(masks, pattern.len(), text);
            masks.clear(pattern);
            return found;
        }
        self.ids.set(pattern, text);
        self.widening::<S>(most)
    }

    /// Tries narrow bands first when the texts are long. Texts that differ much leave a band early,
    /// and then a wider one is not worth trying.
    #[inline(always)]
    fn widening<S: Column>(&mut self, most: usize) -> usize {
        let (height, width) = (self.ids.pattern.len(), self.ids.text.len());
        let apart = width - height;
        let most = most.min(width);
        for band in [apart + WORD, apart + height / 8] {
            // A band of half the text costs half as much as the whole table.
            if height <= SHORT || 2 * band > most {
                break;
            }
            let found = self.strips.run::<S>(&self.ids, band);
            if found <= band {
                return found;
            }
            if self.strips.reached < height / 2 {
                break;
            }
        }
        self.strips.run::<S>(&self.ids, most)
    }

    /// Length of the longest common subsequence.
    pub fn common<C: Char>(&mut self, masks: &mut Masks, a: &[C], b: &[C]) -> usize {
        let (a, b, affixes) = without_affixes(a, b);
        let (pattern, text) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        if pattern.len() <= WORD {
            masks.set(pattern);
            let found = word::<column::Subsequence, C>(masks, pattern.len(), text);
            masks.clear(pattern);
            return affixes + found;
        }
        self.ids.set(pattern, text);
        affixes + self.strips.run::<column::Subsequence>(&self.ids, usize::MAX)
    }
}

/// The table's last value for a pattern of at most 64 characters, in a table, and any text.
#[inline(always)]
pub(super) fn word<S: Column, C: Char>(masks: &Masks, pattern: usize, text: &[C]) -> usize {
    let mut column = S::FIRST;
    for c in text {
        column.step(masks.of(*c), S::Border::ABOVE, u64::BITS - 1);
    }
    (S::top(text.len()) as isize + column.sum(rows(pattern))).max(0) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recurrences themselves (for Damerau-Levenshtein: Lowrance and Wagner 1975).
    fn naive(edit: Edit, a: &[u32], b: &[u32]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..=a.len() {
            for j in 0..=b.len() {
                if i == 0 || j == 0 {
                    table[i][j] = i + j;
                    continue;
                }
                let replaced = table[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
                let mut best = replaced.min(table[i - 1][j] + 1).min(table[i][j - 1] + 1);
                let swap = |k: usize, l: usize| {
                    let meets = a[k - 1] == b[j - 1] && a[i - 1] == b[l - 1];
                    meets.then(|| table[k - 1][l - 1] + (i - k - 1) + 1 + (j - l - 1))
                };
                let swaps: Vec<usize> = match edit {
                    Edit::Levenshtein => vec![],
                    Edit::Osa if i > 1 && j > 1 => swap(i - 1, j - 1).into_iter().collect(),
                    Edit::Osa => vec![],
                    Edit::DamerauLevenshtein => {
                        (1..i).flat_map(|k| (1..j).filter_map(move |l| swap(k, l))).collect()
                    }
                };
                best = swaps.into_iter().fold(best, usize::min);
                table[i][j] = best;
            }
        }
        table[a.len()][b.len()]
    }

    fn naive_common(a: &[u32], b: &[u32]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let last = row.clone();
            for (j, y) in b.iter().enumerate() {
                row[j + 1] = if x == y { last[j] + 1 } else { last[j + 1].max(row[j]) };
            }
        }
        row[b.len()]
    }

    const ALL: [Edit; 3] = [Edit::Levenshtein, Edit::Osa, Edit::DamerauLevenshtein];

    fn draws() -> impl FnMut(usize) -> usize {
        let mut state = 11u64;
        move |n| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % n as u64) as usize
        }
    }

    /// A text, and it or another after some edits.
    fn pair(draw: &mut impl FnMut(usize) -> usize, longest: usize) -> (Vec<u32>, Vec<u32>) {
        let letters = [2, 3, 26, 1000][draw(4)];
        let mut text =
            |n: usize| -> Vec<u32> { (0..n).map(|_| 0x600 + draw(letters) as u32).collect() };
        let n = text(1)[0] as usize * 7919 % (longest + 1);
        let (a, other) = (text(n), text(longest / 2));
        if draw(3) == 0 {
            return (a, other);
        }
        let mut b = a.clone();
        for _ in 0..draw(1 + longest / 8) {
            let at = draw(b.len() + 1);
            match draw(3) {
                0 => b.insert(at, 0x600 + draw(letters) as u32),
                1 if at < b.len() => drop(b.remove(at)),
                _ if at + 1 < b.len() => b.swap(at, at + 1),
                _ => {}
            }
        }
        (a, b)
    }

    #[test]
    fn distances_are_those_of_the_table() {
        let mut draw = draws();
        let (mut edits, mut masks) = (Edits::default(), Masks::default());
        for round in 0..3000 {
            let (a, b) = pair(&mut draw, [6, 20, 70, 140, 300][round % 5 / (1 + round % 2)]);
            assert_eq!(edits.common(&mut masks, &a, &b), naive_common(&a, &b));
            for edit in ALL {
                if edit == Edit::DamerauLevenshtein && a.len().max(b.len()) > 30 {
                    continue; // the plain table is of the fourth order
                }
                let expected = naive(edit, &a, &b);
                for (x, y) in [(&a, &b), (&b, &a)] {
                    let found = edits.distance(edit, &mut masks, x, y, usize::MAX);
                    assert_eq!(found, expected, "{edit:?} {x:?} {y:?}");
                    for most in [0, 1, expected.saturating_sub(1), expected, expected + 1] {
                        let found = edits.distance(edit, &mut masks, x, y, most);
                        let right = if expected <= most { found == expected } else { found > most };
                        assert!(right, "{edit:?} at most {most}: {found}, not {expected}");
                    }
                }
            }
        }
    }

    #[test]
    fn narrow_bands_are_exact_within_them() {
        let mut draw = draws();
        let (mut ids, mut strips) = (Ids::default(), Strips::default());
        for _ in 0..400 {
            let (a, b) = pair(&mut draw, 700);
            let (a, b) = if a.len() <= b.len() { (a, b) } else { (b, a) };
            ids.set(&a, &b);
            let expected = [naive(Edit::Levenshtein, &a, &b), naive(Edit::Osa, &a, &b)];
            for band in [0, 1, 5, 40, 63, 64, 65, 200, 700] {
                let found = [
                    strips.run::<column::Levenshtein>(&ids, band),
                    strips.run::<column::Osa>(&ids, band),
                ];
                for (found, expected) in found.into_iter().zip(expected) {
                    let within = expected <= band;
                    assert!(if within { found == expected } else { found > band });
                }
            }
        }
    }

    #[test]
    fn long_texts_widen_their_band() {
        let mut draw = draws();
        let (mut edits, mut masks) = (Edits::default(), Masks::default());
        let a: Vec<u32> = (0..2500).map(|_| draw(30) as u32).collect();
        for (changes, length) in [(0, 2500), (3, 2500), (100, 2500), (900, 2500), (900, 1100)] {
            let mut b = a.clone();
            b.truncate(length);
            for _ in 0..changes {
                let at = draw(b.len());
                b[at] = draw(30) as u32;
                b.insert(draw(at + 1), 5);
            }
            for edit in [Edit::Levenshtein, Edit::Osa] {
                let found = edits.distance(edit, &mut masks, &a, &b, usize::MAX);
                assert_eq!(found, naive(edit, &a, &b), "{changes} {length}");
            }
        }
    }
}
