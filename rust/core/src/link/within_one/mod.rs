//! All pairs of numbers that are one error of entry apart: exact, complete, and never all against all.
//!
//! One error is what [`crate::cnic::distance`] counts as one: a substitution, a swap of neighbours
//! or over one digit, a twin error (33 for 44), a jump twin (313 for 414), an omission or insertion.
//!
//! Such an error leaves either the first half of the digits as they are (the *head*), or nearly the
//! whole second half (the *tail*). So numbers are compared only with those of the same head, which
//! stand together in ascending order, and with those of the same tail, which a counting sort brings
//! together. Within a group, a number has one key for each place and kind of error, and two numbers
//! are a pair if they share one: the digits but for that place, with the two digits of a swap in
//! ascending order, and those of a twin taken out. A pair differs in one way only, so it shares
//! one key only. A group fits a small table in cache.

mod order;
mod table;

use std::ops::Range;

use super::packed::{MAX_LEN, PackedDigits};
use order::{Class, Group, Order, Shared};
use table::Table;

/// Numbers of a part, about.
const PART: usize = 1 << 16;

/// Groups up to this size are compared number by number, as that takes less than making keys.
const SMALL: usize = 64;

/// Of two lengths, the same for the smaller side.
const FEW: usize = 16;

/// Whether two numbers are equal or one error of entry apart.
#[must_use]
#[inline]
pub fn is_within_one(a: PackedDigits, b: PackedDigits) -> bool {
    let (short, long) = (a.min(b), a.max(b));
    match long.len() - short.len() {
        0 => same_length(long.bits(), short.bits()),
        1 => omits_one(long.bits(), short.bits()),
        _ => false,
    }
}

/// [`is_within_one`] of numbers of one length.
#[inline(always)]
fn same_length(a: u64, b: u64) -> bool {
    let differs = a ^ b;
    let lowest = differs.trailing_zeros() & 60; // 0 for equal numbers
    let (a, differs) = (a >> lowest, differs >> lowest);
    let change = differs & 15;
    let step = if differs > 0xFF { 8 } else { 4 };
    // Digits that change in the same bits were swapped if they differ by those bits, and are twins
    // if they are equal.
    let apart = (a ^ a >> step) & 15;
    differs <= 15 || (differs == change | change << step && (apart == change || apart == 0))
}

/// Whether `short` is `long` without one digit.
#[inline(always)]
fn omits_one(long: u64, short: u64) -> bool {
    let lowest = (long ^ short).trailing_zeros() & 60;
    long >> lowest >> 4 == short >> lowest
}

/// Some groups: those that start in a stretch of the order of their class.
#[derive(Debug)]
struct Part {
    class: usize,
    /// Compared with each other, or with the numbers that have one digit more.
    longer: bool,
    shared: Shared,
    stretch: Range<usize>,
}

/// Pairs of numbers within one error of entry, found part by part.
///
/// The parts may be worked in any order and on several threads. Together they hold each pair once.
/// A part takes milliseconds; where all numbers are in use, each has some hundred neighbours, so
/// that a part has some millions of pairs, unless very many numbers share a head or a tail.
///
/// Needs 12 bytes a number.
///
/// # Example
///
/// ```
/// use nser_core::link::packed::PackedDigits;
/// use nser_core::link::within_one::WithinOne;
///
/// let numbers: Vec<_> = [(352021234567, 12), (3520212345671, 13), (3520212346571, 13)]
///     .into_iter()
///     .filter_map(|(value, len)| PackedDigits::new(value, len))
///     .collect();
/// let join = WithinOne::new(numbers).ok_or("not ascending")?;
/// assert_eq!(join.pairs(), [(0, 1), (1, 2)]);
/// # Ok::<(), &str>(())
/// ```
#[derive(Debug)]
pub struct WithinOne {
    numbers: Vec<PackedDigits>,
    classes: Vec<Class>,
    parts: Vec<Part>,
}

impl WithinOne {
    /// Prepares the join; `None` unless the numbers ascend without repeats, or for 2^32 - 1 or more.
    #[must_use]
    pub fn new(numbers: Vec<PackedDigits>) -> Option<Self> {
        let fits = u32::try_from(numbers.len()).is_ok_and(|count| count < u32::MAX);
        if !fits || !numbers.is_sorted_by(|a, b| a < b) {
            return None;
        }
        let mut classes = vec![];
        for len in 1..=MAX_LEN {
            let range = numbers.partition_point(|n| n.len() < len)
                ..numbers.partition_point(|n| n.len() <= len);
            if !range.is_empty() {
                classes.push(Class::new(&numbers, range, len));
            }
        }
        let mut parts = vec![];
        for (i, class) in classes.iter().enumerate() {
            let next = classes.get(i + 1).is_some_and(|next| next.len == class.len + 1);
            for longer in [false, true].into_iter().filter(|longer| next || !longer) {
                for shared in [Shared::Head, Shared::Tail] {
                    if shared == Shared::Tail && class.head == 0 {
                        continue;
                    }
                    parts.extend((0..class.range.len()).step_by(PART).map(|start| {
                        let end = (start + PART).min(class.range.len());
                        Part { class: i, longer, shared, stretch: start..end }
                    }));
                }
            }
        }
        Some(Self { numbers, classes, parts })
    }

    /// Number of parts.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Calls `emit(a, b)`, `a < b`, for the indices of each pair of a part. The order is fixed but not
    /// sorted.
    pub fn for_each(&self, part: usize, mut emit: impl FnMut(u32, u32)) {
        let Some(part) = self.parts.get(part) else { return };
        let Some(class) = self.classes.get(part.class) else { return };
        if !part.longer {
            return self.same_length(part, class, &mut emit);
        }
        if let Some(longer) = self.classes.get(part.class + 1) {
            self.one_longer(part, class, longer, &mut emit);
        }
    }

    /// The numbers.
    #[must_use]
    pub fn numbers(&self) -> &[PackedDigits] {
        &self.numbers
    }

    /// All pairs, sorted.
    #[must_use]
    pub fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs = vec![];
        (0..self.parts()).for_each(|part| self.for_each(part, |a, b| pairs.push((a, b))));
        pairs.sort_unstable();
        pairs
    }

    fn same_length(&self, part: &Part, class: &Class, emit: &mut impl FnMut(u32, u32)) {
        let digits = if part.shared == Shared::Head { class.head } else { class.tail };
        let order = Order { numbers: &self.numbers, class, shared: part.shared, digits };
        let (mut group, mut table) = (Group::default(), Table::default());
        let head_at = 4 * (class.len - class.head);
        for (_, range) in order.groups(part.stretch.clone()).filter(|(_, range)| range.len() > 1) {
            let small = range.len() <= SMALL;
            order.gather(range, &mut group);
            let mut pair = |i, j| {
                let (a, b) = (group.place(i), group.place(j));
                emit(a.min(b), a.max(b));
            };
            if small {
                // With one tail, a pair of one head is found there.
                let elsewhere =
                    |a: u64, b: u64| part.shared == Shared::Tail && (a ^ b) >> head_at == 0;
                for (i, &a) in group.bits.iter().enumerate() {
                    for (j, &b) in group.bits.iter().enumerate().take(i) {
                        if same_length(a, b) && !elsewhere(a, b) {
                            pair(i, j);
                        }
                    }
                }
                continue;
            }
            let firsts = match part.shared {
                Shared::Head => 0..class.len - class.head,
                Shared::Tail => class.len - class.head..class.len,
            };
            for first in firsts {
                for step in 0..=first.min(2) {
                    table.equal_keys(&group.bits, key_without(first, first - step), &mut pair);
                }
            }
        }
    }

    /// Pairs of a number of `class` and one that has one digit more.
    fn one_longer(
        &self,
        part: &Part,
        class: &Class,
        longer: &Class,
        emit: &mut impl FnMut(u32, u32),
    ) {
        let digits = match part.shared {
            Shared::Head => class.head,
            Shared::Tail => class.tail.min(longer.tail),
        };
        let order = |class| Order { numbers: &self.numbers, class, shared: part.shared, digits };
        let (order, others) = (order(class), order(longer));
        let (mut shorts, mut longs, mut table) =
            (Group::default(), Group::default(), Table::default());
        let head_at = 4 * (class.len - class.head);
        for (key, range) in order.groups(part.stretch.clone()) {
            let found = others.group(key);
            if found.is_empty() {
                continue;
            }
            order.gather(range, &mut shorts);
            others.gather(found, &mut longs);
            // Shorter numbers stand before longer ones.
            let mut pair = |short, long| emit(shorts.place(short), longs.place(long));
            if shorts.bits.len().min(longs.bits.len()) <= FEW {
                let elsewhere = |long: u64, short: u64| {
                    part.shared == Shared::Tail && long >> 4 >> head_at == short >> head_at
                };
                for (j, &long) in longs.bits.iter().enumerate() {
                    for (i, &short) in shorts.bits.iter().enumerate() {
                        if omits_one(long, short) && !elsewhere(long, short) {
                            pair(i, j);
                        }
                    }
                }
                continue;
            }
            let left_out = match part.shared {
                Shared::Head => 0..=class.len - class.head,
                Shared::Tail => class.len - class.head + 1..=class.len,
            };
            table.fill(&shorts.bits);
            for place in left_out {
                for (j, &long) in longs.bits.iter().enumerate() {
                    // Of equal neighbours any may be left out: that is one pair.
                    let (low, digit) = (long & ((1 << (4 * place)) - 1), long >> (4 * place) & 15);
                    if place > 0 && low >> (4 * (place - 1)) == digit {
                        continue;
                    }
                    let short = (long >> (4 * place) >> 4) << (4 * place) | low;
                    if let Some(i) = table.find(short, &shorts.bits) {
                        pair(i, j);
                    }
                }
            }
        }
    }
}

/// The key that two numbers share if they are one error apart in two places (from the end), or in
/// one place given twice.
#[inline(always)]
fn key_without(a: usize, b: usize) -> impl Fn(u64) -> u64 {
    let (a, b) = (4 * a, 4 * b);
    let others = !(15 << a | 15 << b);
    move |bits| {
        let (p, q) = (bits >> a & 15, bits >> b & 15);
        let (low, high) = (p.min(q), p.max(q));
        bits & others | if p == q { 0 } else { low << a | high << b }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cnic::distance;

    /// A multiplicative generator: the tests need no better.
    fn random(state: &mut u64) -> u64 {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    /// Distinct numbers of the given lengths whose digits are less than `digits` beyond a stem of
    /// `stem` fixed digits in front and behind.
    fn numbers(
        seed: u64,
        count: usize,
        lens: &[usize],
        digits: u64,
        stem: (usize, usize),
    ) -> Vec<PackedDigits> {
        let mut state = seed;
        let mut found: Vec<_> = (0..count)
            .map(|_| {
                let len = lens[random(&mut state) as usize % lens.len()];
                let value = (0..len).fold(0, |value, i| {
                    let fixed = i < stem.0 || i + stem.1 >= len;
                    value * 10 + if fixed { 3 } else { random(&mut state) % digits }
                });
                PackedDigits::new(value, len).unwrap()
            })
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    fn naive(numbers: &[PackedDigits]) -> Vec<(u32, u32)> {
        let mut pairs = vec![];
        for (i, a) in numbers.iter().enumerate() {
            for (j, b) in numbers.iter().enumerate().skip(i + 1) {
                let within = distance(a.digits(), b.digits()).1 <= 1;
                assert_eq!(is_within_one(*a, *b), within);
                assert_eq!(is_within_one(*b, *a), within);
                if within {
                    pairs.push((i as u32, j as u32));
                }
            }
        }
        pairs
    }

    #[track_caller]
    fn check(numbers: &[PackedDigits]) -> usize {
        let found = WithinOne::new(numbers.to_vec()).unwrap().pairs();
        assert_eq!(found, naive(numbers));
        found.len()
    }

    #[test]
    fn every_pair_once_where_digits_are_few() {
        let mut total = 0;
        for (seed, lens) in (1..).zip([
            &[13][..],
            &[12, 13],
            &[13, 14],
            &[11, 12, 13, 14],
            &[12, 14],
            &[1, 2, 3, 4, 5],
            &[5, 6, 7, 8, 9, 10],
            &[15, 16],
            &[16],
        ]) {
            for digits in [2, 3, 10] {
                total += check(&numbers(seed, 400, lens, digits, (0, 0)));
            }
        }
        assert!(total > 3_000, "{total}");
    }

    #[test]
    fn large_groups_of_one_head_or_one_tail() {
        let stems = [(8, 0), (7, 1), (6, 2), (5, 3), (4, 4), (2, 5), (0, 8), (1, 7)];
        let mut total = 0;
        for (seed, stem) in (1..).zip(stems) {
            for (lens, digits) in
                [(&[12, 13][..], 10), (&[13, 14], 4), (&[11, 12], 3), (&[16, 15], 2)]
            {
                total += check(&numbers(seed, 400, lens, digits, stem));
            }
        }
        assert!(total > 10_000, "{total}");
    }

    #[test]
    fn small_sets() {
        for seed in 1..200 {
            check(&numbers(seed, seed as usize % 7, &[12, 13], 2, (4, 4)));
        }
        check(&numbers(1, 1000, &[1, 2, 3], 10, (0, 0)));
    }

    #[test]
    fn parts_share_out_the_pairs() {
        let numbers = numbers(7, 300_000, &[12, 13], 10, (5, 2));
        let join = WithinOne::new(numbers.to_vec()).unwrap();
        let mut pairs = vec![];
        for part in (0..join.parts()).rev() {
            join.for_each(part, |a, b| {
                assert!(a < b && is_within_one(numbers[a as usize], numbers[b as usize]));
                pairs.push((a, b));
            });
        }
        join.for_each(join.parts(), |_, _| unreachable!());
        pairs.sort_unstable();
        assert!(join.parts() > 8 && pairs.is_sorted_by(|a, b| a < b));
        // Complete: every substitution that is there, by a look at each.
        let substitutions = numbers.iter().enumerate().flat_map(|(i, number)| {
            let digits = number.digits();
            (0..digits.len as u32).flat_map(move |place| {
                let unit = 10_u64.pow(place);
                let digit = digits.value / unit % 10;
                (digit + 1..10).map(move |other| (i, digits.value + (other - digit) * unit))
            })
        });
        let mut known = 0;
        for (i, value) in substitutions {
            let other = PackedDigits::new(value, numbers[i].len()).unwrap();
            if let Ok(j) = numbers.binary_search(&other) {
                known += 1;
                assert!(pairs.binary_search(&(i as u32, j as u32)).is_ok());
            }
        }
        assert!(known > 100_000, "{known}");
    }

    #[test]
    fn what_is_not_ascending_is_refused() {
        let [a, b] = [(1, 2), (2, 2)].map(|(value, len)| PackedDigits::new(value, len).unwrap());
        assert!(WithinOne::new(vec![b, a]).is_none() && WithinOne::new(vec![a, a]).is_none());
        let empty = WithinOne::new(vec![]).unwrap();
        assert_eq!((empty.parts(), empty.pairs()), (0, vec![]));
        assert_eq!(WithinOne::new(vec![a]).unwrap().pairs(), []);
    }
}
