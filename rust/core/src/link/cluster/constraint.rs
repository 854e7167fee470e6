//! What may not be in one cluster.

use std::collections::{BTreeSet, HashMap};

use crate::link::packed::PackedDigits;
use crate::link::within_one::is_within_one;

/// A rule about the labels of the records in a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// No label twice: at most one record of each source.
    OnePer,
    /// No two labels: one sex.
    OneValue,
    /// No two labels beyond one error of entry; labels are [`PackedDigits::bits`].
    OneNumber,
}

/// A rule and the label of every record; a record with the label 0 breaks no rule.
#[derive(Debug, Clone)]
pub struct Constraint {
    /// The rule.
    pub rule: Rule,
    /// Labels by record.
    pub labels: Vec<u64>,
}

impl Constraint {
    fn label(&self, record: u32) -> u64 {
        self.labels.get(record as usize).copied().unwrap_or(0)
    }

    /// Whether two labels may be in one cluster.
    fn allows(&self, a: u64, b: u64) -> bool {
        match self.rule {
            Rule::OnePer => a != b,
            Rule::OneValue => a == b,
            Rule::OneNumber => match (PackedDigits::of_bits(a), PackedDigits::of_bits(b)) {
                (Some(a), Some(b)) => is_within_one(a, b),
                _ => false,
            },
        }
    }

    /// Roots of the clusters that break the rule, ascending.
    pub(super) fn broken(&self, roots: &[u32]) -> Vec<u32> {
        let mut labels: Vec<(u32, u64)> = roots
            .iter()
            .zip(&self.labels)
            .filter(|(_, label)| **label != 0)
            .map(|(&root, &label)| (root, label))
            .collect();
        labels.sort_unstable();
        if self.rule != Rule::OnePer {
            labels.dedup();
        }
        let mut broken = vec![];
        for cluster in labels.chunk_by(|a, b| a.0 == b.0) {
            let clash = match self.rule {
                Rule::OnePer => cluster.windows(2).any(|two| matches!(two, [a, b] if a == b)),
                Rule::OneValue => cluster.len() > 1,
                Rule::OneNumber => cluster
                    .iter()
                    .enumerate()
                    .any(|(i, a)| cluster.iter().take(i).any(|b| !self.allows(a.1, b.1))),
            };
            broken.extend(cluster.first().filter(|_| clash).map(|(root, _)| *root));
        }
        broken
    }
}

/// The labels of growing clusters.
pub(super) struct Labels<'a> {
    constraint: &'a Constraint,
    /// Of clusters of two records or more, by their lowest record. Never read in hash order.
    sets: HashMap<u32, BTreeSet<u64>>,
}

impl<'a> Labels<'a> {
    pub(super) fn new(constraint: &'a Constraint) -> Self {
        Self { constraint, sets: HashMap::new() }
    }

    fn each(&self, root: u32) -> impl Iterator<Item = u64> {
        let set = self.sets.get(&root);
        let own = Some(self.constraint.label(root)).filter(|&label| label != 0 && set.is_none());
        set.into_iter().flatten().copied().chain(own)
    }

    fn count(&self, root: u32) -> usize {
        self.sets.get(&root).map_or(1, BTreeSet::len)
    }

    fn has(&self, root: u32, label: u64) -> bool {
        self.sets
            .get(&root)
            .map_or(self.constraint.label(root) == label, |set| set.contains(&label))
    }

    /// Whether two clusters may be one.
    pub(super) fn allow(&self, a: u32, b: u32) -> bool {
        let (few, many) = if self.count(a) <= self.count(b) { (a, b) } else { (b, a) };
        if self.constraint.rule == Rule::OnePer {
            return self.each(few).all(|label| !self.has(many, label));
        }
        self.each(few).all(|p| self.each(many).all(|q| self.constraint.allows(p, q)))
    }

    /// Takes note that two clusters are one.
    pub(super) fn join(&mut self, a: u32, b: u32) {
        let own = |record| {
            let label = self.constraint.label(record);
            BTreeSet::from_iter(Some(label).filter(|&label| label != 0))
        };
        let (mut x, mut y) = (
            self.sets.remove(&a).unwrap_or_else(|| own(a)),
            self.sets.remove(&b).unwrap_or_else(|| own(b)),
        );
        if x.len() < y.len() {
            std::mem::swap(&mut x, &mut y);
        }
        x.extend(y);
        self.sets.insert(a.min(b), x);
    }
}
