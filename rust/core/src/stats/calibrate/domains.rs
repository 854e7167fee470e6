//! Rows split by group, each to be calibrated by itself.

use super::Rows;

/// The rows of each group, in their order.
#[derive(Debug)]
pub struct Domains {
    order: Vec<u32>,
    ends: Vec<usize>,
}

impl Domains {
    /// Splits rows by the number of their group, which is below `groups`.
    #[must_use]
    #[expect(clippy::indexing_slicing, reason = "groups were counted")]
    pub fn new(of_rows: &[u32], groups: usize) -> Self {
        let last = groups.saturating_sub(1);
        let mut ends = vec![0usize; groups.max(1)];
        of_rows.iter().for_each(|&group| ends[(group as usize).min(last)] += 1);
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum; // where the group starts, until its rows have moved it to where it ends
            sum += count;
        }
        let mut order = vec![0u32; of_rows.len()];
        for (&group, row) in of_rows.iter().zip(0u32..) {
            let place = &mut ends[(group as usize).min(last)];
            order[*place] = row;
            *place += 1;
        }
        Self { order, ends }
    }

    /// Rows of a group.
    #[must_use]
    pub fn of(&self, group: usize) -> &[u32] {
        let end = |group: usize| self.ends.get(group).copied().unwrap_or(0);
        self.order.get(group.checked_sub(1).map_or(0, end)..end(group)).unwrap_or(&[])
    }
}

/// Copies of some rows.
#[derive(Debug)]
pub struct Picked {
    weights: Vec<f64>,
    codes: Vec<Vec<u32>>,
    values: Vec<Vec<f64>>,
    variance: Option<Vec<f64>>,
    clusters: Option<Vec<u32>>,
}

impl Picked {
    /// Copies the rows with these numbers.
    #[must_use]
    pub fn new(rows: &Rows<'_>, picked: &[u32]) -> Self {
        Self {
            weights: pick(rows.weights, picked),
            codes: rows.codes.iter().map(|codes| pick(codes, picked)).collect(),
            values: rows.values.iter().map(|values| pick(values, picked)).collect(),
            variance: rows.variance.map(|values| pick(values, picked)),
            clusters: rows.clusters.map(|values| pick(values, picked)),
        }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> Rows<'_> {
        Rows {
            weights: &self.weights,
            codes: self.codes.iter().map(Vec::as_slice).collect(),
            values: self.values.iter().map(Vec::as_slice).collect(),
            variance: self.variance.as_deref(),
            clusters: self.clusters.as_deref(),
        }
    }
}

fn pick<T: Copy>(values: &[T], picked: &[u32]) -> Vec<T> {
    picked.iter().filter_map(|&row| values.get(row as usize).copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_order_within_a_group() {
        let domains = Domains::new(&[2, 0, 2, 3, 0], 4);
        let groups: Vec<&[u32]> = (0..4).map(|group| domains.of(group)).collect();
        assert_eq!(groups, [&[1, 4][..], &[], &[0, 2], &[3]]);
    }
}
