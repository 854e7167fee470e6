//! Identity numbers, by errors of entry.

use super::{EXACT, MISSING, join, split};
use crate::cnic;
use crate::link::packed::PackedDigits;
use crate::link::within_one::is_within_one;

/// Levels between equal and everything else: one error of entry (see [`cnic::distance`]), and two.
pub(super) const BETWEEN: usize = 2;

/// A number for each row.
#[derive(Debug)]
pub struct Numbers {
    rows: Vec<Counted>,
}

/// A number, and how often it has each digit: four bits a digit, 0 lowest.
#[derive(Debug, Clone, Copy, Default)]
struct Counted {
    number: Option<PackedDigits>,
    counts: u64,
}

impl Counted {
    fn new(number: Option<PackedDigits>) -> Self {
        let digits = number.map(|number| number.digits());
        let digits = digits.iter().flat_map(|digits| digits.array().into_iter().take(digits.len));
        // More than fifteen of a digit count as fifteen: the counts stay a bound.
        let counts = digits.fold(0, |counts, digit| {
            let full = counts >> (4 * digit) & 15 == 15;
            counts + (u64::from(!full) << (4 * digit))
        });
        Self { number, counts }
    }
}

impl Numbers {
    /// Numbers of any length.
    pub fn new(numbers: impl Iterator<Item = Option<PackedDigits>>) -> Self {
        Self { rows: numbers.map(Counted::new).collect() }
    }

    /// The numbers.
    pub fn numbers(&self) -> impl Iterator<Item = Option<PackedDigits>> {
        self.rows.iter().map(|row| row.number)
    }

    /// Words of a row.
    pub(super) const WORDS: usize = 4;

    /// The number of a row, zero for none, and its counts.
    pub(super) fn words(&self, row: usize) -> [u32; Self::WORDS] {
        let Counted { number, counts } = self.rows.get(row).copied().unwrap_or_default();
        let [low, high] = split(number.map_or(0, PackedDigits::bits));
        let [first, last] = split(counts);
        [low, high, first, last]
    }

    #[inline(always)]
    pub(super) fn level(a: [u32; Self::WORDS], b: [u32; Self::WORDS]) -> u8 {
        let parts = |[low, high, first, last]: [u32; 4]| (join(low, high), join(first, last));
        let ((x, of_x), (y, of_y)) = (parts(a), parts(b));
        if x == 0 || y == 0 {
            MISSING
        } else if x == y {
            EXACT
        } else if apart(of_x, of_y) <= 4 {
            errors(x, y)
        } else {
            EXACT + BETWEEN as u8 + 1
        }
    }
}

/// Sum of the differences of sixteen counts. A substitution changes two by one, an omission or an
/// insertion one, a swap none, and a twin, which counts as one error, two by two: so two errors of
/// the optimal string alignment, or a twin, make 4 at most.
#[inline(always)]
fn apart(a: u64, b: u64) -> u32 {
    const LOW: u64 = 0x0F0F_0F0F_0F0F_0F0F;
    const TOP: u64 = 0x8080_8080_8080_8080;
    let bytes = |a: u64, b: u64| {
        // Bytes of 128 + a - b: the top bit says which is larger.
        let d = (a | TOP) - b;
        let larger = (d & TOP) >> 7;
        let mask = larger * 0xFF;
        // a - b where a is larger, b - a elsewhere; neither borrows from its neighbour.
        ((a & mask) - (b & mask)) + ((b & !mask) - (a & !mask))
    };
    let sum = bytes(a & LOW, b & LOW) + bytes(a >> 4 & LOW, b >> 4 & LOW);
    (sum.wrapping_mul(0x0101_0101_0101_0101) >> 56) as u32
}

/// The level of two numbers that differ.
#[cold]
fn errors(a: u64, b: u64) -> u8 {
    let (Some(a), Some(b)) = (PackedDigits::of_own_bits(a), PackedDigits::of_own_bits(b)) else {
        return MISSING;
    };
    if is_within_one(a, b) {
        return EXACT + 1;
    }
    match cnic::distance(a.digits(), b.digits()).1 {
        0..=2 => EXACT + 2,
        _ => EXACT + 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_those_of_the_distance() {
        let mut state = 7u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        let mut texts = vec![];
        for _ in 0..60 {
            let len = 11 + random(4) as usize;
            let mut text: Vec<u8> = (0..len).map(|_| random(3) as u8).collect();
            texts.push(text.clone());
            for _ in 0..3 {
                let (i, j) = (random(len as u64) as usize, random(len as u64) as usize);
                match random(4) {
                    0 => text[i] = random(10) as u8,
                    1 => text.swap(i, j),
                    2 => text[i..].rotate_left(1),
                    _ => text[i.min(j)..=i.max(j)].fill(4),
                }
                texts.push(text.clone());
            }
        }
        let value = |t: &Vec<u8>| t.iter().fold(0u64, |v, d| v * 10 + u64::from(*d));
        let numbers: Vec<_> = texts.iter().map(|t| PackedDigits::new(value(t), t.len())).collect();
        let column = Numbers::new(numbers.iter().copied().chain([None]));
        let rows = numbers.len() as u32;
        let mut seen = [0; 5];
        for a in 0..rows {
            for b in 0..=rows {
                let level = Numbers::level(column.words(a as usize), column.words(b as usize));
                let (x, y) = (numbers[a as usize], numbers.get(b as usize).copied().flatten());
                let expected =
                    y.map_or(0, |y| cnic::distance(x.unwrap().digits(), y.digits()).1.min(3) + 1);
                assert_eq!(level, expected);
                seen[level as usize] += 1;
            }
        }
        assert!(seen.iter().all(|n| *n > 20), "{seen:?}");
        let all = |digit: u64| PackedDigits::new(digit * 1_111_111_111_111_111, 16);
        let column = Numbers::new([all(1), all(2)].into_iter());
        assert_eq!(Numbers::level(column.words(0), column.words(1)), 4);
    }
}
