//! Sums by score where there are few distinct scores.

use super::curve::Steps;

/// Places of the table: a power of two.
const PLACES: usize = 1 << 15;

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    rows: u64,
    poor: u64,
    other: u64,
}

/// A table of sums by key, with open addressing; at most a quarter full.
#[derive(Debug)]
pub(super) struct Tally {
    /// One more than the place of the entry; 0 where there is none.
    places: Vec<u16>,
    entries: Vec<Entry>,
}

impl Tally {
    /// Most distinct keys.
    pub const MOST: usize = PLACES / 4;

    pub fn new() -> Self {
        Self { places: vec![0; PLACES], entries: vec![] }
    }

    /// Adds rows with a key; none if there are too many keys.
    #[inline]
    pub fn add(&mut self, key: u64, rows: u64, poor: u64, other: u64) -> Option<()> {
        let hash = key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PLACES.trailing_zeros());
        let (mut at, known) = (hash as usize, self.entries.len());
        loop {
            let place = self.places.get_mut(at)?;
            match self.entries.get_mut(usize::from(*place).wrapping_sub(1)) {
                Some(entry) if entry.key == key => {
                    entry.rows += rows;
                    entry.poor += poor;
                    entry.other += other;
                    return Some(());
                }
                Some(_) => at = (at + 1) % PLACES,
                None if known < Self::MOST => {
                    self.entries.push(Entry { key, rows, poor, other });
                    *place = known as u16 + 1;
                    return Some(());
                }
                None => return None,
            }
        }
    }

    /// The sums in order of the keys.
    pub fn steps(mut self) -> Steps {
        self.entries.sort_unstable_by_key(|entry| entry.key);
        let mut steps = Steps::default();
        for entry in self.entries {
            steps.push(entry.key, entry.rows, entry.poor, entry.other);
        }
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_keys_are_refused_and_no_sooner() {
        let mut tally = Tally::new();
        for round in 0..2 {
            for key in 0..Tally::MOST as u64 {
                assert_eq!(tally.add(key << 40, 1, key, round), Some(()));
            }
        }
        assert_eq!(tally.add(1, 1, 1, 1), None);
        assert_eq!(tally.add(0, 1, 1, 1), Some(()));
    }
}
