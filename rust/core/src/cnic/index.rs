//! The numbers of a registry.

/// A set of numbers that says at which rows each one stands.
#[derive(Debug, Clone)]
pub struct Index {
    /// Ascending; a number on several rows stands there several times.
    numbers: Vec<u64>,
    rows: Vec<u32>,
    /// Where each five-digit prefix starts.
    starts: Vec<u32>,
    distinct: usize,
}

impl Index {
    /// An index of the numbers of rows; rows without a number are left out. `None` for more than
    /// 2^32 - 1 rows.
    #[must_use]
    pub fn new(numbers: impl IntoIterator<Item = Option<u64>>) -> Option<Self> {
        let mut pairs = vec![];
        for (row, number) in numbers.into_iter().enumerate() {
            if let Some(number) = number {
                pairs.push((number, u32::try_from(row).ok()?));
            }
        }
        pairs.sort_unstable();
        let (numbers, rows): (Vec<u64>, Vec<u32>) = pairs.into_iter().unzip();
        let count = u32::try_from(numbers.len()).ok()?;
        let mut starts = Vec::with_capacity(100_001);
        for (i, number) in (0_u32..count).zip(&numbers) {
            let prefix = usize::try_from(number / 100_000_000).ok()?.min(99_999);
            while starts.len() <= prefix {
                starts.push(i);
            }
        }
        starts.resize(100_001, count);
        let distinct = numbers.chunk_by(|a, b| a == b).count();
        Some(Self { numbers, rows, starts, distinct })
    }

    /// Number of distinct numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.distinct
    }

    /// True when there is no number.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.distinct == 0
    }

    /// The rows of a number; none for one that is not registered.
    #[must_use]
    pub fn rows(&self, number: u64) -> &[u32] {
        self.find(number).unwrap_or(&[])
    }

    /// Whether the number is registered.
    #[must_use]
    pub fn contains(&self, number: u64) -> bool {
        !self.rows(number).is_empty()
    }

    fn find(&self, number: u64) -> Option<&[u32]> {
        let prefix = usize::try_from(number / 100_000_000).ok()?;
        let &[start, end] = self.starts.get(prefix..prefix + 2)? else { return None };
        let (start, end) = (start as usize, end as usize);
        let bucket = self.numbers.get(start..end)?;
        let first = start + bucket.partition_point(|n| *n < number);
        let same = self.numbers.get(first..end)?.iter().take_while(|n| **n == number).count();
        self.rows.get(first..first + same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_each_number() {
        let numbers = [3520212345671, 1110112345672, 3520212345671, 9999999999999, 1110112345673];
        let index = Index::new(numbers.map(Some).into_iter().chain([None])).unwrap();
        assert_eq!((index.len(), index.rows(3520212345671)), (4, &[0_u32, 2][..]));
        assert!(index.contains(9999999999999) && index.contains(1110112345673));
        for absent in [0, 1110112345671, 3520212345672, 9999999999998, u64::MAX] {
            assert!(!index.contains(absent));
        }
        assert!(Index::new([]).unwrap().is_empty());
    }
}
