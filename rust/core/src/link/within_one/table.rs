//! An open-addressing table that finds equal keys in a group of numbers.

const VACANT: u32 = u32::MAX;

/// An open-addressing table of the numbers of a group.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<u32>,
    shift: u32,
    keys: Vec<u64>,
    /// The number before with the same key.
    before: Vec<u32>,
}

impl Table {
    fn clear(&mut self, numbers: usize) {
        let slots = (numbers * 4).next_power_of_two().max(2);
        self.shift = 64 - slots.trailing_zeros();
        self.slots.clear();
        self.slots.resize(slots, VACANT);
    }

    /// Calls `pair` for every two numbers whose keys are equal.
    #[expect(clippy::indexing_slicing, reason = "slots are masked; what they hold is an index")]
    pub(super) fn equal_keys(
        &mut self,
        bits: &[u64],
        key: impl Fn(u64) -> u64,
        pair: &mut impl FnMut(usize, usize),
    ) {
        self.clear(bits.len());
        self.keys.clear();
        self.keys.extend(bits.iter().map(|&bits| key(bits)));
        self.before.resize(bits.len(), VACANT);
        let (slots, keys) = (self.slots.as_mut_slice(), self.keys.as_slice());
        let mask = slots.len() - 1;
        for (i, &key) in (0_u32..).zip(keys) {
            let mut slot = hash(key, self.shift);
            let before = loop {
                let found = slots[slot & mask];
                if found == VACANT || keys[found as usize] == key {
                    break found;
                }
                slot += 1;
            };
            slots[slot & mask] = i;
            self.before[i as usize] = before;
            let mut other = before;
            while other != VACANT {
                pair(i as usize, other as usize);
                other = self.before[other as usize];
            }
        }
    }

    /// Makes the table one of distinct numbers.
    pub(super) fn fill(&mut self, bits: &[u64]) {
        self.clear(bits.len());
        let mask = self.slots.len() - 1;
        for (i, &bits) in (0_u32..).zip(bits) {
            let start = hash(bits, self.shift);
            let free = (start..).find(|slot| self.slots.get(slot & mask) == Some(&VACANT));
            let free = free.and_then(|slot| self.slots.get_mut(slot & mask));
            free.into_iter().for_each(|slot| *slot = i);
        }
    }

    /// Index of a number that the table was made of.
    #[inline]
    pub(super) fn find(&self, key: u64, bits: &[u64]) -> Option<usize> {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key, self.shift);
        loop {
            let found = bits.get(*self.slots.get(slot & mask)? as usize)?;
            if *found == key {
                return self.slots.get(slot & mask).map(|&i| i as usize);
            }
            slot += 1;
        }
    }
}

#[inline(always)]
fn hash(key: u64, shift: u32) -> usize {
    (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize
}
