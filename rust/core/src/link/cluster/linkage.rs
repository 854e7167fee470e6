//! Average and complete linkage inside a component, on the pairs that there are.
//!
//! A cluster keeps what it has in common with its neighbours only, so memory grows with the pairs.
//! Both linkages are reducible: the value of a merged cluster is never above the better of its two
//! halves, as long as a missing pair counts no more than the threshold. So a candidate's value in
//! the heap is an upper bound, and is put right when it comes to the top.

use std::cmp::{Ordering, Reverse};
use std::collections::{BinaryHeap, HashMap};

use super::{Edge, Growing, Method};

/// What two clusters have in common.
#[derive(Debug, Clone, Copy)]
struct Link {
    /// Sum of the weights between them, or the lowest.
    weight: f64,
    pairs: u64,
}

/// Two clusters that may be joined.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    value: f64,
    /// Their lowest records.
    low: u32,
    high: u32,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        let ids = |c: &Self| Reverse((c.low, c.high));
        self.value.total_cmp(&other.value).then_with(|| ids(self).cmp(&ids(other)))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Joins the clusters of a component, best linkage first, of equal ones that of the lower records.
/// `edges` holds no pair twice.
pub(super) fn agglomerate<E>(
    edges: &[Edge],
    method: Method,
    threshold: f64,
    growing: &mut Growing<'_>,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<(), E> {
    let mut links = Links { method, links: HashMap::new(), neighbours: HashMap::new() };
    let mut heap = BinaryHeap::new();
    for edge in edges {
        links.insert(edge);
        if edge.weight >= threshold {
            heap.push(Candidate { value: edge.weight, low: edge.left, high: edge.right });
        }
    }
    for step in 0_u64.. {
        let Some(top) = heap.pop() else { break };
        if step % 4096 == 0 {
            check()?;
        }
        let (a, b) = (growing.handle(top.low), growing.handle(top.high));
        if a == b {
            continue;
        }
        let Some(value) = links.value(a, b, growing.size(a) * growing.size(b)) else { continue };
        if value < threshold {
            continue; // and so it stays
        }
        let (p, q) = (growing.root(a), growing.root(b));
        let now = Candidate { value, low: p.min(q), high: p.max(q) };
        if now != top {
            heap.push(now);
        } else if growing.allow(p, q) {
            let (keep, gone) = if links.degree(a) >= links.degree(b) { (a, b) } else { (b, a) };
            growing.join(keep, gone);
            links.join(keep, gone, growing);
        }
    }
    Ok(())
}

struct Links {
    method: Method,
    links: HashMap<(u32, u32), Link>,
    /// Neighbours of a cluster, by the handles that they had.
    neighbours: HashMap<u32, Vec<u32>>,
}

fn key(a: u32, b: u32) -> (u32, u32) {
    (a.min(b), a.max(b))
}

impl Links {
    fn insert(&mut self, edge: &Edge) {
        self.links.insert(key(edge.left, edge.right), Link { weight: edge.weight, pairs: 1 });
        self.neighbours.entry(edge.left).or_default().push(edge.right);
        self.neighbours.entry(edge.right).or_default().push(edge.left);
    }

    fn degree(&self, cluster: u32) -> usize {
        self.neighbours.get(&cluster).map_or(0, Vec::len)
    }

    /// The linkage of two clusters between which there are so many pairs, given or not.
    fn value(&self, a: u32, b: u32, pairs: u64) -> Option<f64> {
        let link = self.links.get(&key(a, b))?;
        match self.method {
            Method::Average { missing } => {
                let absent = pairs.saturating_sub(link.pairs) as f64;
                Some((link.weight + missing * absent) / pairs as f64)
            }
            _ => (link.pairs == pairs).then_some(link.weight),
        }
    }

    /// Gives the links of a cluster to another that has at least as many.
    fn join(&mut self, keep: u32, gone: u32, growing: &mut Growing<'_>) {
        self.links.remove(&key(keep, gone));
        for other in self.neighbours.remove(&gone).unwrap_or_default() {
            let other = growing.handle(other);
            let Some(link) = self.links.remove(&key(gone, other)) else { continue };
            match self.links.get_mut(&key(keep, other)) {
                Some(kept) => {
                    kept.pairs += link.pairs;
                    kept.weight = match self.method {
                        Method::Average { .. } => kept.weight + link.weight,
                        _ => kept.weight.min(link.weight),
                    };
                }
                None => {
                    self.links.insert(key(keep, other), link);
                    self.neighbours.entry(keep).or_default().push(other);
                }
            }
        }
    }
}
