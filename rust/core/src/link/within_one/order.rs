//! Numbers of one length in the two orders that bring those with a common half together.

use std::ops::Range;

use super::PackedDigits;

/// Most digits of a tail: a counting sort has a counter for each tail.
const MAX_TAIL: usize = 6;

/// Numbers of one length.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) len: usize,
    /// Where they stand.
    pub(super) range: Range<usize>,
    /// Digits of the head, and of the tail: two digits between them are in neither, because an
    /// error that starts in the head may reach them.
    pub(super) head: usize,
    pub(super) tail: usize,
    /// Their places in order of the tails, the last digit first. Empty when there is no head.
    by_tail: Vec<u32>,
}

impl Class {
    pub(super) fn new(numbers: &[PackedDigits], range: Range<usize>, len: usize) -> Self {
        let outer = len.saturating_sub(2);
        let tail = (outer / 2).min(MAX_TAIL);
        let head = if tail == 0 { 0 } else { outer - tail };
        let mut class = Self { len, range, head, tail, by_tail: vec![] };
        if head > 0 {
            class.by_tail = class.sorted_by_tail(numbers);
        }
        class
    }

    fn sorted_by_tail(&self, numbers: &[PackedDigits]) -> Vec<u32> {
        let numbers = numbers.get(self.range.clone()).unwrap_or(&[]);
        let code = |number: &PackedDigits| tail_code(number.bits(), self.tail) as usize;
        let mut ends = vec![0_u32; 10_usize.pow(self.tail as u32)];
        for number in numbers {
            ends.get_mut(code(number)).into_iter().for_each(|count| *count += 1);
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        let mut sorted = vec![0; numbers.len()];
        for (place, number) in self.range.clone().zip(numbers).rev() {
            let end = ends.get_mut(code(number)).map(|end| {
                *end -= 1;
                *end as usize
            });
            end.and_then(|end| sorted.get_mut(end)).into_iter().for_each(|to| *to = place as u32);
        }
        sorted
    }
}

/// The last digits as a number that starts with the very last.
#[inline]
fn tail_code(bits: u64, tail: usize) -> u64 {
    (0..tail).fold(0, |code, place| code * 10 + (bits >> (4 * place) & 15) - 1)
}

/// What the numbers of a group have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shared {
    Head,
    Tail,
}

/// A class in the order that brings its groups together.
#[derive(Clone, Copy)]
pub(super) struct Order<'a> {
    pub(super) numbers: &'a [PackedDigits],
    pub(super) class: &'a Class,
    pub(super) shared: Shared,
    /// Digits in common.
    pub(super) digits: usize,
}

impl Order<'_> {
    fn len(&self) -> usize {
        self.class.range.len()
    }

    /// Where the number stands among all.
    #[inline]
    pub(super) fn place(&self, i: usize) -> u32 {
        match self.shared {
            Shared::Head => (self.class.range.start + i) as u32,
            Shared::Tail => self.class.by_tail.get(i).copied().unwrap_or(u32::MAX),
        }
    }

    #[inline]
    fn bits(&self, i: usize) -> u64 {
        self.numbers.get(self.place(i) as usize).map_or(0, |number| number.bits())
    }

    /// What a group has in common; ascending.
    #[inline]
    fn key(&self, i: usize) -> u64 {
        match self.shared {
            // No head: a shift by all 64 bits, in two steps.
            Shared::Head => self.bits(i) >> 1 >> (4 * (self.class.len - self.digits) - 1),
            Shared::Tail => tail_code(self.bits(i), self.digits),
        }
    }

    /// Groups that start in a stretch.
    pub(super) fn groups(
        &self,
        stretch: Range<usize>,
    ) -> impl Iterator<Item = (u64, Range<usize>)> {
        let mut next = stretch.start;
        if let Some(before) = next.checked_sub(1) {
            let key = self.key(before);
            while next < stretch.end && self.key(next) == key {
                next += 1;
            }
        }
        std::iter::from_fn(move || {
            let start = next;
            (start < stretch.end).then(|| {
                let key = self.key(start);
                while next < self.len() && self.key(next) == key {
                    next += 1;
                }
                (key, start..next)
            })
        })
    }

    /// The group of a key, which may be empty.
    pub(super) fn group(&self, key: u64) -> Range<usize> {
        let first = |beyond: &dyn Fn(u64) -> bool| {
            let (mut low, mut high) = (0, self.len());
            while low < high {
                let middle = low.midpoint(high);
                if beyond(self.key(middle)) { high = middle } else { low = middle + 1 }
            }
            low
        };
        first(&|other| other >= key)..first(&|other| other > key)
    }

    pub(super) fn gather(&self, group: Range<usize>, into: &mut Group) {
        into.places.clear();
        into.places.extend(group.clone().map(|i| self.place(i)));
        into.bits.clear();
        into.bits.extend(group.map(|i| self.bits(i)));
    }
}

/// The numbers of a group, and where they stand among all.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) places: Vec<u32>,
    pub(super) bits: Vec<u64>,
}

impl Group {
    pub(super) fn place(&self, i: usize) -> u32 {
        self.places.get(i).copied().unwrap_or(u32::MAX)
    }
}
