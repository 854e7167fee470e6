//! Disjoint sets of records.

/// Sets of the records `0..n`, each known by its lowest record.
#[derive(Debug, Clone)]
pub struct UnionFind(Vec<u32>);

impl UnionFind {
    /// Every record in a set of its own.
    #[must_use]
    pub fn new(records: u32) -> Self {
        Self((0..records).collect())
    }

    /// The lowest record of a set; a record beyond the last stands for itself. Halves the path.
    #[inline]
    #[expect(clippy::indexing_slicing, reason = "parents are records")]
    pub fn find(&mut self, mut record: u32) -> u32 {
        let parents = self.0.as_mut_slice();
        if record as usize >= parents.len() {
            return record;
        }
        loop {
            let parent = parents[record as usize];
            let above = parents[parent as usize];
            if parent == above {
                return parent;
            }
            parents[record as usize] = above;
            record = above;
        }
    }

    /// Joins two sets.
    #[inline]
    pub fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.find(a), self.find(b));
        self.hang(a.max(b), a.min(b));
    }

    /// Puts the set of one root under another root.
    #[inline]
    pub(super) fn hang(&mut self, root: u32, under: u32) {
        if (under as usize) < self.0.len() {
            self.0.get_mut(root as usize).into_iter().for_each(|parent| *parent = under);
        }
    }

    /// The lowest record of every record's set.
    #[must_use]
    pub fn into_roots(mut self) -> Vec<u32> {
        // A parent is never higher, so it has its root before its children look.
        for record in 0..self.0.len() {
            let parent =
                self.0.get(record).and_then(|&parent| self.0.get(parent as usize)).copied();
            parent.zip(self.0.get_mut(record)).into_iter().for_each(|(root, to)| *to = root);
        }
        self.0
    }
}
