//! One column of a dynamic-programming table, 64 rows a word: bit-parallel recurrences.
//!
//! Levenshtein: Myers 1999 in Hyyrö's form (2003). OSA: Hyyrö 2003 with adjacent transpositions.
//! Longest common subsequence: Hyyrö 2004. Words are chained by what crosses their border.

/// 64 rows of a column; stepping goes to the next column.
pub(super) trait Column: Copy {
    /// What crosses the border between two words.
    type Border: Border;

    /// The column left of the table.
    const FIRST: Self;

    /// Words that step together; their state should fit the registers.
    const WORDS: usize;

    /// The table's last value in its first row, for a text of `n` characters.
    fn top(n: usize) -> usize;

    /// To the next column: `equal` has the rows whose character is the column's, `above` is what
    /// the word above let through. Returns what goes to the word below.
    ///
    /// `last` is 63, but the compiler should not know: where it can shift a bit from word to word
    /// it takes SHRD, which is six micro-operations on AMD.
    fn step(&mut self, equal: u64, above: Self::Border, last: u32) -> Self::Border;

    /// What these rows add to the value at the column's upper end.
    fn sum(&self, rows: u64) -> isize;
}

/// Single bits, each in a word of its own while it is used.
pub(super) trait Border: Copy {
    /// What comes from above the first row.
    const ABOVE: Self;

    /// The bits in a byte.
    fn pack(self) -> u8;

    /// The bits of a byte.
    fn unpack(byte: u8) -> Self;

    /// What the value at the border adds from one column to the next.
    fn across(self) -> isize;
}

/// The value at the border grows, or shrinks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    grows: u64,
    shrinks: u64,
}

impl Border for Change {
    const ABOVE: Self = Self { grows: 1, shrinks: 0 };

    #[inline(always)]
    fn pack(self) -> u8 {
        (self.grows | self.shrinks << 1) as u8
    }

    #[inline(always)]
    fn unpack(byte: u8) -> Self {
        Self { grows: u64::from(byte & 1), shrinks: u64::from(byte >> 1 & 1) }
    }

    #[inline(always)]
    fn across(self) -> isize {
        self.grows as isize - self.shrinks as isize
    }
}

/// Levenshtein: rows where the value does not grow, and where it shrinks, from the row above. The
/// first is the inverse of the literature's: that takes two instructions less.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levenshtein {
    not_plus: u64,
    minus: u64,
}

impl Column for Levenshtein {
    type Border = Change;

    const FIRST: Self = Self { not_plus: 0, minus: 0 };
    const WORDS: usize = 4;

    #[inline(always)]
    fn top(n: usize) -> usize {
        n
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: Change, last: u32) -> Change {
        let equal = equal | above.shrinks;
        let same = self.diagonal(equal) | equal | self.minus;
        self.finish(same, above, last)
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        (!self.not_plus & rows).count_ones() as isize - (self.minus & rows).count_ones() as isize
    }
}

impl Levenshtein {
    /// Rows whose value is the one up and to the left, by way of runs of growing rows.
    #[inline(always)]
    fn diagonal(&self, equal: u64) -> u64 {
        // Where `plus` is the inverse: ((equal & plus) + plus) ^ plus.
        self.not_plus.wrapping_sub(equal & !self.not_plus) ^ self.not_plus
    }

    /// The next column from the rows whose value is the one up and to the left.
    #[inline(always)]
    fn finish(&mut self, same: u64, above: Change, last: u32) -> Change {
        let grows = self.minus | (!same & self.not_plus);
        let shrinks = same & !self.not_plus;
        let below = Change { grows: grows.wrapping_shr(last), shrinks: shrinks.wrapping_shr(last) };
        let grows = grows << 1 | above.grows;
        let shrinks = shrinks << 1 | above.shrinks;
        self.not_plus = (same | grows) & !shrinks;
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

/// [`Change`], and whether a transposition may end below.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChangeOrSwap {
    change: Change,
    swaps: u64,
}

impl Border for ChangeOrSwap {
    const ABOVE: Self = Self { change: Change::ABOVE, swaps: 0 };

    #[inline(always)]
    fn pack(self) -> u8 {
        self.change.pack() | (self.swaps << 2) as u8
    }

    #[inline(always)]
    fn unpack(byte: u8) -> Self {
        Self { change: Change::unpack(byte), swaps: u64::from(byte >> 2) }
    }

    #[inline(always)]
    fn across(self) -> isize {
        self.change.across()
    }
}

impl Column for Osa {
    type Border = ChangeOrSwap;

    const FIRST: Self = Self { rows: Levenshtein::FIRST, same: 0, equal: 0 };
    const WORDS: usize = 2;

    #[inline(always)]
    fn top(n: usize) -> usize {
        n
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: ChangeOrSwap, last: u32) -> ChangeOrSwap {
        let swappable = !self.same & equal;
        let swaps = (swappable << 1 | above.swaps) & self.equal;
        self.equal = equal;
        let equal = equal | above.change.shrinks;
        self.same = self.rows.diagonal(equal) | equal | self.rows.minus | swaps;
        let change = self.rows.finish(self.same, above.change, last);
        ChangeOrSwap { change, swaps: swappable.wrapping_shr(last) }
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        self.rows.sum(rows)
    }
}

/// Longest common subsequence: rows where the length does not grow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subsequence(u64);

/// The length at the border grows.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth(bool);

impl Border for Growth {
    const ABOVE: Self = Self(false);

    #[inline(always)]
    fn pack(self) -> u8 {
        self.0.into()
    }

    #[inline(always)]
    fn unpack(byte: u8) -> Self {
        Self(byte != 0)
    }

    #[inline(always)]
    fn across(self) -> isize {
        self.0.into()
    }
}

impl Column for Subsequence {
    type Border = Growth;

    const FIRST: Self = Self(u64::MAX);
    const WORDS: usize = 4;

    #[inline(always)]
    fn top(_: usize) -> usize {
        0
    }

    #[inline(always)]
    fn step(&mut self, equal: u64, above: Growth, _: u32) -> Growth {
        let both = self.0 & equal;
        let (sum, over) = self.0.overflowing_add(both);
        let (sum, more) = sum.overflowing_add(above.0.into());
        self.0 = sum | (self.0 & !both);
        Growth(over | more)
    }

    #[inline(always)]
    fn sum(&self, rows: u64) -> isize {
        (!self.0 & rows).count_ones() as isize
    }
}

/// The first `n` rows of a word.
#[inline(always)]
pub(super) fn rows(n: usize) -> u64 {
    if n >= 64 { u64::MAX } else { (1 << n) - 1 }
}
