//! Clusters of records from weighted pairs.

mod constraint;
mod linkage;
mod union_find;

pub use constraint::{Constraint, Rule};
pub use union_find::UnionFind;

use super::Pairs;
use constraint::Labels;

/// When clusters are joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// By any pair at or above the threshold, strongest first.
    Connected,
    /// While the mean weight of all pairs between two clusters is at or above the threshold.
    Average {
        /// Weight of a pair that is not there: at most the threshold.
        missing: f64,
    },
    /// While all pairs between two clusters are there, and at or above the threshold.
    Complete,
}

/// What clusters are made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Lowest weight that joins.
    pub threshold: f64,
    /// When clusters are joined.
    pub method: Method,
    /// What may not be in one cluster.
    pub constraints: Vec<Constraint>,
}

/// Who is with whom.
#[derive(Debug, PartialEq, Eq)]
pub struct Clusters {
    /// The lowest record of each record's cluster.
    pub roots: Vec<u32>,
    /// For each constraint, pairs at or above the threshold between two clusters which it keeps
    /// apart.
    pub refused: Vec<u64>,
}

impl Clusters {
    /// How many clusters there are of each size, rising.
    #[must_use]
    pub fn sizes(&self) -> Vec<(u32, u32)> {
        let mut sizes = sizes(&self.roots);
        sizes.sort_unstable();
        let sizes = sizes.chunk_by(|a, b| a == b);
        sizes.filter_map(|s| s.first().filter(|n| **n > 0).map(|n| (*n, s.len() as u32))).collect()
    }
}

/// For each record that is a root, the size of its set; 0 for the others.
fn sizes(roots: &[u32]) -> Vec<u32> {
    let mut sizes = vec![0; roots.len()];
    for &root in roots {
        sizes.get_mut(root as usize).into_iter().for_each(|size| *size += 1);
    }
    sizes
}

/// A pair of two records, `left < right`.
#[derive(Debug, Clone, Copy)]
struct Edge {
    component: u32,
    left: u32,
    right: u32,
    weight: f64,
}

/// Clusters of the records `0..records`. Of a pair that is given twice the larger weight counts; a
/// pair of a record with itself or with one beyond the last says nothing. The order of the pairs
/// does not matter. `check` is called every few milliseconds; its error ends the call.
///
/// # Errors
///
/// What `check` says.
///
/// # Complexity
///
/// Linear in pairs and records for [`Method::Connected`]. Components that a constraint or a linkage
/// could divide are sorted and worked one by one: `O(E log E)` for their `E` pairs, times the size
/// of the clusters for [`Method::Average`]. Memory grows with `E`, never with the square of a
/// component.
pub fn cluster<E>(
    records: u32,
    pairs: &Pairs<'_>,
    plan: &Plan,
    mut check: impl FnMut() -> Result<(), E>,
) -> Result<Clusters, E> {
    let mut sets = UnionFind::new(records);
    for (row, (left, right, weight)) in pairs.iter().enumerate() {
        if weight >= plan.threshold {
            sets.join(left, right);
        }
        if row % (1 << 18) == 0 {
            check()?;
        }
    }
    let roots = sets.into_roots();
    let divisible = divisible(&roots, plan);
    if !divisible.contains(&true) {
        return Ok(Clusters { roots, refused: vec![0; plan.constraints.len()] });
    }
    let edges = edges(&roots, &divisible, pairs, plan);
    let mut growing = Growing::new(&roots, &divisible, &plan.constraints);
    for component in edges.chunk_by(|a, b| a.component == b.component) {
        check()?;
        if plan.method == Method::Connected {
            for edge in component {
                let (a, b) = (growing.root(edge.left), growing.root(edge.right));
                if a != b && growing.allow(a, b) {
                    growing.join(a, b);
                }
            }
        } else {
            linkage::agglomerate(component, plan.method, plan.threshold, &mut growing, &mut check)?;
        }
    }
    let mut refused = vec![0; plan.constraints.len()];
    for edge in edges.iter().filter(|edge| edge.weight >= plan.threshold) {
        let (a, b) = (growing.root(edge.left), growing.root(edge.right));
        if a != b {
            for (labels, count) in growing.labels.iter().zip(&mut refused) {
                *count += u64::from(!labels.allow(a, b));
            }
        }
    }
    Ok(Clusters { roots: growing.roots.into_roots(), refused })
}

/// For each record, whether it is the root of a component that may have to be divided.
fn divisible(roots: &[u32], plan: &Plan) -> Vec<bool> {
    let mut divisible = vec![false; roots.len()];
    let mut mark = |root: u32| {
        divisible.get_mut(root as usize).into_iter().for_each(|to| *to = true);
    };
    plan.constraints.iter().flat_map(|c| c.broken(roots)).for_each(&mut mark);
    if plan.method != Method::Connected {
        (0..).zip(sizes(roots)).filter(|(_, size)| *size > 2).for_each(|(root, _)| mark(root));
    }
    divisible
}

/// The pairs within components that may have to be divided, strongest first in each.
fn edges(roots: &[u32], divisible: &[bool], pairs: &Pairs<'_>, plan: &Plan) -> Vec<Edge> {
    let weaker_count = matches!(plan.method, Method::Average { .. });
    let root = |record: u32| roots.get(record as usize).copied();
    let mut edges: Vec<Edge> = pairs
        .iter()
        .filter(|(left, right, weight)| {
            left != right && (weaker_count || *weight >= plan.threshold)
        })
        .filter_map(|(a, b, weight)| {
            let component = root(a).filter(|at| divisible.get(*at as usize) == Some(&true))?;
            let edge = Edge { component, left: a.min(b), right: a.max(b), weight };
            (root(b) == Some(component)).then_some(edge)
        })
        .collect();
    let records = |e: &Edge| (e.component, e.left, e.right);
    edges.sort_unstable_by(|a, b| {
        records(a).cmp(&records(b)).then_with(|| b.weight.total_cmp(&a.weight))
    });
    edges.dedup_by_key(|edge| records(edge));
    edges.sort_unstable_by(|a, b| {
        let weights = b.weight.total_cmp(&a.weight);
        a.component.cmp(&b.component).then(weights).then_with(|| records(a).cmp(&records(b)))
    });
    edges
}

/// Clusters while they are made.
struct Growing<'a> {
    /// Sets by their lowest record.
    roots: UnionFind,
    /// The same sets by a record that stays the same while clusters with fewer links join.
    handles: UnionFind,
    /// Records of the set of a handle.
    sizes: Vec<u32>,
    labels: Vec<Labels<'a>>,
}

impl<'a> Growing<'a> {
    /// What cannot be divided is made; what can is in single records.
    fn new(roots: &[u32], divisible: &[bool], constraints: &'a [Constraint]) -> Self {
        let records = roots.len() as u32;
        let mut made = UnionFind::new(records);
        for (record, &root) in (0..records).zip(roots) {
            if divisible.get(root as usize) == Some(&false) {
                made.hang(record, root);
            }
        }
        Self {
            roots: made,
            handles: UnionFind::new(records),
            sizes: vec![1; roots.len()],
            labels: constraints.iter().map(Labels::new).collect(),
        }
    }

    fn root(&mut self, record: u32) -> u32 {
        self.roots.find(record)
    }

    fn handle(&mut self, record: u32) -> u32 {
        self.handles.find(record)
    }

    fn size(&self, handle: u32) -> u64 {
        self.sizes.get(handle as usize).copied().unwrap_or(0).into()
    }

    fn allow(&self, a: u32, b: u32) -> bool {
        self.labels.iter().all(|labels| labels.allow(a, b))
    }

    /// Joins the sets of two handles; the first stays one.
    fn join(&mut self, keep: u32, gone: u32) {
        let (a, b) = (self.root(keep), self.root(gone));
        self.labels.iter_mut().for_each(|labels| labels.join(a, b));
        self.roots.join(a, b);
        self.handles.hang(gone, keep);
        let size = self.sizes.get(gone as usize).copied().unwrap_or(0);
        self.sizes.get_mut(keep as usize).into_iter().for_each(|to| *to += size);
    }
}

#[cfg(test)]
mod tests;
