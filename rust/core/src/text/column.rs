//! One column of a dynamic-programming table, 64 rows a word: bit-parallel recurrences.
//!
//! Levenshtein: Myers 1999 in Hyyrö's form (2003). OSA: Hyyrö 2003 with adjacent transpositions.
//! Longest common subsequence: Hyyrö 2004. Words are chained by what crosses their border.

/// 64 rows of a column; stepping goes to the next column.
pub(super) trait Column: Copy {
    /// The column left of the table.
    const FIRST: Self;

    /// What comes from above the first row.
    const ABOVE: u8;

    /// Length of the table's first row for a text of `n` characters.
    fn top(n: usize) -> usize;

    /// To the next column: `equal` has the rows whose character is the column's, `above` is what
    /// the word above let through. Returns what goes to the word below.
    fn step(&mut self, equal: u64, above: u8) -> u8;

    /// What these rows add to the value at the column's upper end.
    fn sum(&self, rows: u64) -> isize;

    /// What a border value adds from one column to the next.
    fn across(border: u8) -> isize;
}

/// Bits of a border: the value grows, shrinks; OSA: a transposition may end below.
const GROWS: u8 = 1;
const SHRINKS: u8 = 2;
const SWAPS: u8 = 4;

/// Levenshtein: rows where the value grows and shrinks from the row above.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levenshtein {
    plus: u64,
    minus: u64,
}

impl Column for Levenshtein {
    const FIRST: Self = Self { plus: u64::MAX, minus: 0 };
    const ABOVE: u8 = GROWS;

    #[inline(always)]
    fn top(n: usize) -> usize {
        n
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: u8) -> u8 {
        let equal = equal | u64::from(above & SHRINKS != 0);
        let same = diagonal(equal, self.plus) | equal | self.minus;
        self.finish(same, above)
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        (self.plus & rows).count_ones() as isize - (self.minus & rows).count_ones() as isize
    }

    #[inline(always)]
    fn across(border: u8) -> isize {
        isize::from(border & GROWS != 0) - isize::from(border & SHRINKS != 0)
    }
}

/// Rows whose value is the one up and to the left, by way of runs of growing rows.
#[inline(always)]
fn diagonal(equal: u64, plus: u64) -> u64 {
    (equal & plus).wrapping_add(plus) ^ plus
}

impl Levenshtein {
    /// The next column from the rows whose value is the one up and to the left.
    #[inline(always)]
    fn finish(&mut self, same: u64, above: u8) -> u8 {
        let grows = self.minus | !(same | self.plus);
        let shrinks = same & self.plus;
        let below = (grows >> 63) as u8 | ((shrinks >> 63) as u8) << 1;
        let grows = grows << 1 | u64::from(above & GROWS);
        let shrinks = shrinks << 1 | u64::from(above & SHRINKS != 0);
        self.plus = shrinks | !(same | grows);
        self.minus = grows & same;
        below
    }
}

/// Optimal string alignment: also what the last column was, for transpositions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Osa {
    rows: Levenshtein,
    same: u64,
    equal: u64,
}

impl Column for Osa {
    const FIRST: Self = Self { rows: Levenshtein::FIRST, same: 0, equal: 0 };
    const ABOVE: u8 = GROWS;

    #[inline(always)]
    fn top(n: usize) -> usize {
        n
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: u8) -> u8 {
        let swappable = !self.same & equal;
        let swaps = (swappable << 1 | u64::from(above & SWAPS != 0)) & self.equal;
        self.equal = equal;
        let equal = equal | u64::from(above & SHRINKS != 0);
        self.same = diagonal(equal, self.rows.plus) | equal | self.rows.minus | swaps;
        self.rows.finish(self.same, above) | ((swappable >> 63) as u8) << 2
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        self.rows.sum(rows)
    }

    #[inline(always)]
    fn across(border: u8) -> isize {
        Levenshtein::across(border)
    }
}

/// Longest common subsequence: rows where the length does not grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subsequence(u64);

impl Column for Subsequence {
    const FIRST: Self = Self(u64::MAX);
    const ABOVE: u8 = 0;

    #[inline(always)]
    fn top(_: usize) -> usize {
        0
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: u8) -> u8 {
        let both = self.0 & equal;
        let (sum, over) = self.0.overflowing_add(both);
        let (sum, more) = sum.overflowing_add(u64::from(above));
        self.0 = sum | (self.0 & !both);
        u8::from(over | more)
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        (!self.0 & rows).count_ones() as isize
    }

    #[inline(always)]
    fn across(border: u8) -> isize {
        border.into()
    }
}

/// The first `n` rows of a word.
#[inline(always)]
pub(super) fn rows(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}
