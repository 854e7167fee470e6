//! One-to-one matching of two sides with the largest total weight.
//!
//! Successive shortest augmenting paths with potentials (the Hungarian method on a sparse graph):
//! exact for components of any size. Every left record may also stay alone, at a gain of nothing.
//! Gains are whole numbers inside, so that no rounding can disturb the potentials.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::Pairs;

/// Bits of a whole-number gain: sums of a few still fit.
const BITS: i32 = 59;

/// Rows of the pairs that match each record at most once and have the largest sum of weights above
/// the threshold, ascending. Pairs below the threshold are left out. `lefts` and `rights` are the
/// numbers of records on the two sides. Of equally good matchings the records decide, not the order
/// of the pairs. Weights are rounded to 2^-58 of the largest. `check` is called every few
/// milliseconds.
///
/// # Errors
///
/// What `check` says.
///
/// # Complexity
///
/// For a component of `n` left records and `E` pairs `O(n E log E)` at worst; about `E log E` where
/// most records have one clear partner.
pub fn assign<E>(
    lefts: u32,
    rights: u32,
    pairs: &Pairs<'_>,
    threshold: f64,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<Vec<u32>, E> {
    let mut matching = Matching::new(lefts, rights, pairs, threshold);
    for left in 0..lefts {
        if left % 1024 == 0 {
            check()?;
        }
        matching.augment(left, &mut check)?;
    }
    Ok(matching.rows())
}

/// A pair as its left record sees it.
#[derive(Debug, Clone, Copy)]
struct Choice {
    right: u32,
    gain: i64,
    row: u32,
}

/// How a path ends.
#[derive(Debug, Clone, Copy)]
enum End {
    /// At a right record that has no partner.
    Free(u32),
    /// At a left record that gives up its partner.
    Alone(u32),
}

struct Matching {
    /// Choices of all left records, and where those of each start.
    choices: Vec<Choice>,
    starts: Vec<usize>,
    /// Potentials: for each choice their sum is at least its gain; equal for partners.
    left_price: Vec<i64>,
    right_price: Vec<i64>,
    /// Index in `choices` of the partner of each left record.
    chosen: Vec<Option<usize>>,
    partner: Vec<Option<u32>>,
    /// Of the search under way: distance of each right record, and the choice it was reached by.
    distance: Vec<i64>,
    reached_by: Vec<(u32, usize)>,
    touched: Vec<u32>,
    heap: BinaryHeap<Reverse<(i64, u32)>>,
}

#[expect(clippy::indexing_slicing, reason = "records and choices index the vectors made for them")]
impl Matching {
    fn new(lefts: u32, rights: u32, pairs: &Pairs<'_>, threshold: f64) -> Self {
        let used = || {
            pairs.iter().enumerate().filter(|(_, (left, right, weight))| {
                *weight >= threshold && *left < lefts && *right < rights
            })
        };
        let most = used().map(|(_, (_, _, weight))| weight - threshold).fold(0.0, f64::max);
        // A power of two: usual weights stay as exact as they are.
        let exponent = if most > 0.0 { most.log2().ceil() as i32 } else { 0 };
        let scale = 2_f64.powi((BITS - exponent).min(1000));
        let mut all: Vec<(u32, Choice)> = used()
            .map(|(row, (left, right, weight))| {
                let gain = ((weight - threshold) * scale) as i64;
                (left, Choice { right, gain, row: row as u32 })
            })
            .collect();
        let records = |(left, choice): &(u32, Choice)| (*left, choice.right);
        all.sort_unstable_by_key(|entry| (records(entry), Reverse(entry.1.gain), entry.1.row));
        all.dedup_by_key(|entry| records(entry));
        let starts = (0..=lefts).map(|left| all.partition_point(|entry| entry.0 < left)).collect();
        let mut left_price = vec![0; lefts as usize];
        for (left, choice) in &all {
            let price: &mut i64 = &mut left_price[*left as usize];
            *price = choice.gain.max(*price);
        }
        let rights = rights as usize;
        Self {
            choices: all.into_iter().map(|(_, choice)| choice).collect(),
            starts,
            left_price,
            right_price: vec![0; rights],
            chosen: vec![None; lefts as usize],
            partner: vec![None; rights],
            distance: vec![i64::MAX; rights],
            reached_by: vec![(0, 0); rights],
            touched: vec![],
            heap: BinaryHeap::new(),
        }
    }

    /// Looks at the choices of a left record at a distance.
    fn scan(&mut self, left: u32, base: i64) {
        let range = self.starts[left as usize]..self.starts[left as usize + 1];
        let price = self.left_price[left as usize];
        for at in range {
            let Choice { right, gain, .. } = self.choices[at];
            let distance = base + (price + self.right_price[right as usize] - gain);
            let known = &mut self.distance[right as usize];
            if distance < *known {
                if *known == i64::MAX {
                    self.touched.push(right);
                }
                *known = distance;
                self.reached_by[right as usize] = (left, at);
                self.heap.push(Reverse((distance, right)));
            }
        }
    }

    /// Finds the best change that gives a left record a partner, or leaves it or another alone.
    fn augment<E>(
        &mut self,
        source: u32,
        check: &mut impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        self.heap.clear();
        let mut length = self.left_price[source as usize];
        let mut end = End::Alone(source);
        let mut passed = vec![];
        self.scan(source, 0);
        while let Some(Reverse((distance, right))) = self.heap.pop() {
            if distance > length {
                break;
            }
            if distance > self.distance[right as usize] {
                continue;
            }
            let Some(left) = self.partner[right as usize] else {
                (length, end) = (distance, End::Free(right));
                break;
            };
            passed.push((right, left));
            if passed.len() % 4096 == 0 {
                check()?;
            }
            let alone = distance + self.left_price[left as usize];
            if alone < length {
                (length, end) = (alone, End::Alone(left));
            }
            self.scan(left, distance);
        }
        self.left_price[source as usize] -= length;
        for (right, left) in passed {
            let change = length - self.distance[right as usize];
            self.right_price[right as usize] += change;
            self.left_price[left as usize] -= change;
        }
        self.follow(end);
        for right in self.touched.drain(..) {
            self.distance[right as usize] = i64::MAX;
        }
        Ok(())
    }

    /// Changes partners along the path that was found.
    fn follow(&mut self, end: End) {
        let mut next = match end {
            End::Free(right) => Some(right),
            End::Alone(left) => self.chosen[left as usize].take().map(|at| self.choices[at].right),
        };
        while let Some(right) = next {
            let (left, at) = self.reached_by[right as usize];
            self.partner[right as usize] = Some(left);
            let before = self.chosen[left as usize].replace(at);
            next = before.map(|at| self.choices[at].right);
        }
    }

    fn rows(&self) -> Vec<u32> {
        let mut rows: Vec<u32> =
            self.chosen.iter().flatten().map(|&at| self.choices[at].row).collect();
        rows.sort_unstable();
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    fn random(state: &mut u64) -> u64 {
        *state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        *state >> 33
    }

    type Row = (u32, u32, f64);

    fn run(lefts: u32, rights: u32, rows: &[Row], threshold: f64) -> Vec<u32> {
        let left: Vec<u32> = rows.iter().map(|r| r.0).collect();
        let right: Vec<u32> = rows.iter().map(|r| r.1).collect();
        let weight: Vec<f64> = rows.iter().map(|r| r.2).collect();
        let pairs = Pairs { left: &left, right: &right, weight: &weight };
        let found = assign(lefts, rights, &pairs, threshold, || Ok::<(), Infallible>(())).unwrap();
        for side in [&left, &right] {
            let mut used: Vec<u32> = found.iter().map(|row| side[*row as usize]).collect();
            used.sort_unstable();
            assert!(used.is_sorted_by(|a, b| a < b));
        }
        assert!(found.iter().all(|row| weight[*row as usize] >= threshold));
        found
    }

    fn total(rows: &[Row], found: &[u32], threshold: f64) -> f64 {
        found.iter().map(|row| rows[*row as usize].2 - threshold).sum()
    }

    /// The best total of all matchings: every left record tries every partner, or none.
    fn best(lefts: u32, rows: &[Row], threshold: f64, left: u32, taken: u32) -> f64 {
        if left == lefts {
            return 0.0;
        }
        let alone = best(lefts, rows, threshold, left + 1, taken);
        rows.iter()
            .filter(|r| r.0 == left && r.2 >= threshold && taken >> r.1 & 1 == 0)
            .map(|r| r.2 - threshold + best(lefts, rows, threshold, left + 1, taken | 1 << r.1))
            .fold(alone, f64::max)
    }

    #[test]
    fn the_total_is_that_of_the_best_matching() {
        let mut greedy_is_worse = 0;
        for seed in 1..600 {
            let mut state = seed;
            let (lefts, rights) =
                (random(&mut state) as u32 % 6 + 1, random(&mut state) as u32 % 6 + 1);
            let count = random(&mut state) % 20;
            // Few weights, so that many matchings are equally good.
            let rows: Vec<Row> = (0..count)
                .map(|_| {
                    let (l, r) =
                        (random(&mut state) as u32 % lefts, random(&mut state) as u32 % rights);
                    (l, r, (random(&mut state) % 40) as f64 / 4.0 - 2.0)
                })
                .collect();
            let threshold = [-3.0, 0.0, 2.5][seed as usize % 3];
            let found = run(lefts, rights, &rows, threshold);
            assert_eq!(
                total(&rows, &found, threshold),
                best(lefts, &rows, threshold, 0, 0),
                "{rows:?}"
            );
            let pairs = |rows: &[Row], found: &[u32]| {
                let mut pairs: Vec<_> = found.iter().map(|r| rows[*r as usize]).collect();
                pairs.sort_by_key(|r| r.0);
                pairs
            };
            let mut turned = rows.clone();
            turned.reverse();
            let again = run(lefts, rights, &turned, threshold);
            assert_eq!(pairs(&turned, &again), pairs(&rows, &found));
            let mut order: Vec<u32> = (0..rows.len() as u32).collect();
            order.sort_by(|a, b| rows[*b as usize].2.total_cmp(&rows[*a as usize].2));
            let (mut used, mut greedy) = ((0_u32, 0_u32), vec![]);
            for row in order.into_iter().filter(|row| rows[*row as usize].2 >= threshold) {
                let (l, r, _) = rows[row as usize];
                if used.0 >> l & 1 == 0 && used.1 >> r & 1 == 0 {
                    used = (used.0 | 1 << l, used.1 | 1 << r);
                    greedy.push(row);
                }
            }
            greedy_is_worse +=
                u32::from(total(&rows, &greedy, threshold) < total(&rows, &found, threshold));
        }
        assert!(greedy_is_worse > 50, "{greedy_is_worse}");
    }

    #[test]
    fn a_long_chain_is_solved_as_a_whole() {
        let n = 20_000;
        // Left i takes right i + 1, a little better than right i, until the last wants right n.
        let little = 2_f64.powi(-20);
        let mut rows: Vec<Row> =
            (0..n).flat_map(|i| [(i, i, 2.0), (i, i + 1, 2.0 + little)]).collect();
        rows.push((n, n, 100.0));
        let found = run(n + 1, n + 1, &rows, 0.0);
        assert_eq!(total(&rows, &found, 0.0), 100.0 + 2.0 * f64::from(n));
    }

    #[test]
    fn nothing_to_match() {
        assert!(run(0, 0, &[], 0.0).is_empty());
        assert!(run(1, 1, &[(0, 0, -1.0)], 0.0).is_empty());
        assert_eq!(run(1, 1, &[(0, 0, 0.0)], 0.0), [0]);
        assert_eq!(run(2, 1, &[(0, 0, 1.0), (0, 0, 2.0), (1, 0, 2.0)], -1.0), [1]);
    }
}
