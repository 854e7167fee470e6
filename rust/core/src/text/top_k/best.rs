//! The best rows so far.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A row of the dictionary and its similarity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Match {
    /// Row of the dictionary.
    pub row: u32,
    /// Similarity in [0, 1].
    pub score: f64,
}

/// The `k` best rows: higher similarities first, then lower rows.
#[derive(Debug, Clone)]
pub(super) struct Best {
    k: usize,
    cutoff: f64,
    /// Bits of a similarity, which sort as it does for it is not negative; the worst row on top.
    heap: BinaryHeap<Reverse<(u64, Reverse<u32>)>>,
}

impl Best {
    /// None yet; similarities below `cutoff` will not count.
    pub fn new(k: usize, cutoff: f64) -> Self {
        let cutoff = if k == 0 { f64::INFINITY } else { cutoff };
        Self { k, cutoff, heap: BinaryHeap::new() }
    }

    /// The similarity below which nothing changes any more.
    pub fn cutoff(&self) -> f64 {
        self.cutoff
    }

    /// Takes rows, in ascending order, that share a similarity.
    pub fn add(&mut self, score: f64, rows: &[u32]) {
        if score.is_nan() || score < self.cutoff {
            return;
        }
        for &row in rows {
            let entry = Reverse((score.to_bits(), Reverse(row)));
            if self.heap.len() < self.k {
                self.heap.push(entry);
            } else if let Some(mut worst) = self.heap.peek_mut() {
                if entry >= *worst {
                    break;
                }
                *worst = entry;
            }
        }
        if self.heap.len() == self.k
            && let Some(Reverse((bits, _))) = self.heap.peek()
        {
            self.cutoff = self.cutoff.max(f64::from_bits(*bits));
        }
    }

    /// The matches, best first.
    pub fn into_matches(self) -> Vec<Match> {
        let sorted = self.heap.into_sorted_vec().into_iter();
        sorted
            .map(|Reverse((bits, Reverse(row)))| Match { row, score: f64::from_bits(bits) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_best_rows_and_the_lower_of_equals() {
        let mut best = Best::new(3, 0.5);
        best.add(0.4, &[0]);
        best.add(0.6, &[7, 9]);
        assert_eq!(best.cutoff(), 0.5);
        best.add(0.6, &[2, 8]);
        assert_eq!(best.cutoff(), 0.6);
        best.add(0.9, &[5]);
        best.add(0.5, &[1]);
        let found: Vec<_> = best.into_matches().iter().map(|m| (m.row, m.score)).collect();
        assert_eq!(found, [(5, 0.9), (2, 0.6), (7, 0.6)]);
    }

    #[test]
    fn keeps_nothing_when_nothing_is_wanted() {
        let mut best = Best::new(0, 0.0);
        best.add(1.0, &[0]);
        assert_eq!(best.into_matches(), []);
    }
}
