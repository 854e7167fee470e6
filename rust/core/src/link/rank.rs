//! Ids to their places among the distinct ids.

/// Places of values, and a row of each place.
#[derive(Debug, PartialEq, Eq)]
pub struct Ranks {
    /// How many distinct values are lower, for each row.
    pub ranks: Vec<u32>,
    /// The first row of each distinct value, ascending by value.
    pub rows: Vec<u32>,
}

/// Bits of the range of values for each row below which a bit for each possible value takes less
/// time than a sort.
const DENSE: u64 = 64;

/// The ranks of values; `None` for more than 2^32 - 1 rows.
///
/// # Complexity
///
/// Linear where the values are close together, as numbered records are; else a sort, and a hash
/// table of the distinct values.
#[must_use]
pub fn rank(values: &[u64]) -> Option<Ranks> {
    let count = u32::try_from(values.len()).ok()?;
    let Some(&low) = values.iter().min() else {
        return Some(Ranks { ranks: vec![], rows: vec![] });
    };
    let span = values.iter().max()?.checked_sub(low)?;
    let (distinct, ranks) = if span / DENSE < u64::from(count) {
        by_bits(values, low, usize::try_from(span).ok()?)
    } else {
        by_hash(values)
    };
    let mut rows = vec![u32::MAX; distinct];
    for (row, &rank) in (0..count).zip(&ranks).rev() {
        rows.get_mut(rank as usize).into_iter().for_each(|to| *to = row);
    }
    Some(Ranks { ranks, rows })
}

#[expect(clippy::indexing_slicing, reason = "every value is at most `span` above `low`")]
fn by_bits(values: &[u64], low: u64, span: usize) -> (usize, Vec<u32>) {
    let mut bits = vec![0_u64; span / 64 + 1];
    for value in values {
        let at = (value - low) as usize;
        bits[at / 64] |= 1 << (at % 64);
    }
    let mut total = 0;
    let before: Vec<u32> = bits
        .iter()
        .map(|word| {
            let before = total;
            total += word.count_ones();
            before
        })
        .collect();
    let rank = |value: &u64| {
        let at = (value - low) as usize;
        let lower = bits[at / 64] & ((1 << (at % 64)) - 1);
        before[at / 64] + lower.count_ones()
    };
    (total as usize, values.iter().map(rank).collect())
}

#[expect(clippy::indexing_slicing, reason = "slots are masked")]
fn by_hash(values: &[u64]) -> (usize, Vec<u32>) {
    let mut distinct = values.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let slots = (distinct.len() * 2).next_power_of_two().max(2);
    let (mask, shift) = (slots - 1, 64 - slots.trailing_zeros());
    let hash = |value: u64| (value.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize;
    let mut table = vec![(0_u64, u32::MAX); slots];
    for (rank, &value) in (0_u32..).zip(&distinct) {
        let mut slot = hash(value);
        while table[slot].1 != u32::MAX {
            slot = (slot + 1) & mask;
        }
        table[slot] = (value, rank);
    }
    let rank = |&value: &u64| {
        let mut slot = hash(value);
        while table[slot].0 != value || table[slot].1 == u32::MAX {
            slot = (slot + 1) & mask;
        }
        table[slot].1
    };
    (distinct.len(), values.iter().map(rank).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_places_among_the_distinct() {
        for values in [
            &[][..],
            &[7],
            &[0, u64::MAX, 0, 5],
            &[9, 3, 3, 9, 4, 200],
            &[3_000_000_000_000, 5, 3_000_000_000_000, 0, 5, 1 << 63],
        ] {
            let mut distinct = values.to_vec();
            distinct.sort_unstable();
            distinct.dedup();
            let found = rank(values).unwrap();
            let ranks = values.iter().map(|v| distinct.binary_search(v).unwrap() as u32);
            assert_eq!(found.ranks, ranks.collect::<Vec<_>>());
            let first = |v| values.iter().position(|w| w == v).unwrap() as u32;
            assert_eq!(found.rows, distinct.iter().map(first).collect::<Vec<_>>());
        }
        let many: Vec<u64> = (0..5000_u64).map(|i| i * i % 4999 + 70).collect();
        let sparse: Vec<u64> = many.iter().map(|v| v << 40).collect();
        assert_eq!(rank(&many), rank(&sparse));
    }
}
