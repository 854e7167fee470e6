//! From a sum of a key to the items that have it: buckets by the first bits, tags in order within a
//! bucket. A look touches memory three times: the bucket's start, its tags, and the item.

use std::ops::Range;

use crate::store::bytes::{U32s, of_u32s};

/// Items of a bucket, about.
const ITEMS: usize = 3;
const MOST_BITS: u32 = 28;
/// So many tags are looked at one after the other, which takes no guess of a branch.
const SHORT: usize = 12;

/// The parts of a table, as they stand in a file.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) starts: Vec<u8>,
    pub(super) tags: Vec<u8>,
    pub(super) items: Vec<u8>,
    pub(super) blocks: Blocks,
}

/// What the items of one key are like.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Blocks {
    /// Items in all.
    pub items: u64,
    /// Distinct keys.
    pub keys: u64,
    /// Items of the largest block.
    pub largest: u64,
    /// Blocks with more items than the cap, and the items in them.
    pub capped: u64,
    /// Items of capped blocks.
    pub capped_items: u64,
}

impl Table {
    /// The table of items below `count`, each with the sum of its key, if it has one. Blocks of more
    /// than `most` items are counted as capped.
    pub(super) fn new(count: u32, most: u64, sum: impl Fn(u32) -> Option<u64>) -> Self {
        let bits = (count as usize / ITEMS).max(1).ilog2().min(MOST_BITS);
        let mut ends = vec![0u32; (1 << bits) + 1];
        for sum in (0..count).filter_map(&sum) {
            // The start of a bucket stands where the end of the one before will.
            ends.get_mut(bucket(sum, bits) + 1).into_iter().for_each(|n| *n += 1);
        }
        let mut total = 0;
        for end in &mut ends {
            total += *end;
            *end = total;
        }
        let starts = of_u32s(ends.iter().copied());
        let mut entries = vec![0u64; total as usize];
        for (item, sum) in (0..count).filter_map(|item| Some((item, sum(item)?))) {
            if let Some(place) = ends.get_mut(bucket(sum, bits)) {
                let entry = u64::from(sum as u32) << 32 | u64::from(item);
                entries.get_mut(*place as usize).into_iter().for_each(|to| *to = entry);
                *place += 1;
            }
        }
        drop(ends);
        let mut blocks = Blocks { items: total.into(), ..Blocks::default() };
        let bounds = U32s::new(&starts);
        for at in 0..1usize << bits {
            let range = bounds.get(at).zip(bounds.get(at + 1)).unwrap_or_default();
            let found = entries.get_mut(range.0 as usize..range.1 as usize).unwrap_or_default();
            found.sort_unstable();
            for block in found.chunk_by(|a, b| a >> 32 == b >> 32) {
                let size = block.len() as u64;
                blocks.keys += 1;
                blocks.largest = blocks.largest.max(size);
                if size > most {
                    blocks.capped += 1;
                    blocks.capped_items += size;
                }
            }
        }
        let tags = of_u32s(entries.iter().map(|entry| (entry >> 32) as u32));
        let items = of_u32s(entries.iter().map(|entry| *entry as u32));
        Self { starts, tags, items, blocks }
    }
}

#[inline(always)]
fn bucket(sum: u64, bits: u32) -> usize {
    (sum >> 1 >> (63 - bits)) as usize
}

/// A table in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    starts: U32s<'a>,
    tags: U32s<'a>,
    items: U32s<'a>,
    bits: u32,
}

impl<'a> Lookup<'a> {
    /// `None` when the parts do not fit each other.
    pub(super) fn new(starts: &'a [u8], tags: &'a [u8], items: &'a [u8]) -> Option<Self> {
        let (starts, tags, items) = (U32s::new(starts), U32s::new(tags), U32s::new(items));
        let buckets = starts.len().checked_sub(1).filter(|n| n.is_power_of_two())?;
        let bits = buckets.ilog2();
        (tags.len() == items.len() && bits <= MOST_BITS).then_some(Self {
            starts,
            tags,
            items,
            bits,
        })
    }

    /// Where the items stand whose key has a sum; items of another key only if the first bits and
    /// the last 32 agree.
    #[inline]
    pub(super) fn find(&self, sum: u64) -> Range<usize> {
        let bucket = bucket(sum, self.bits);
        let (start, end) =
            self.starts.get(bucket).zip(self.starts.get(bucket + 1)).unwrap_or((0, 0));
        self.find_between(sum, start as usize, end as usize)
    }

    #[inline(always)]
    fn find_between(&self, sum: u64, start: usize, end: usize) -> Range<usize> {
        let (tags, tag) = (self.tags.slice(start, end), sum as u32);
        let from = if tags.len() <= SHORT { tags.count_below(tag) } else { tags.below(tag) };
        let mut count = 0;
        if tags.get(from) == Some(tag) {
            let rest = tags.slice(from, tags.len());
            count = if rest.get(1) == Some(tag) {
                tag.checked_add(1).map_or(rest.len(), |next| rest.below(next))
            } else {
                1
            };
        }
        start + from..start + from + count
    }

    /// Calls `each` with the number of each sum that has items, and where they stand. Memory serves
    /// many looks at a time: first all starts, then all tags.
    pub(super) fn find_all(&self, sums: &[u64], mut each: impl FnMut(usize, Range<usize>)) {
        const AHEAD: usize = 64;
        for (k, some) in sums.chunks(AHEAD).enumerate() {
            let mut bounds = [(0, 0); AHEAD];
            for (sum, to) in some.iter().zip(&mut bounds) {
                let at = bucket(*sum, self.bits);
                *to = self.starts.get(at).zip(self.starts.get(at + 1)).unwrap_or_default();
            }
            let first = bounds.iter().filter_map(|(start, _)| self.tags.get(*start as usize));
            std::hint::black_box(first.fold(0, |all, tag| all ^ tag));
            for (i, (sum, (start, end))) in some.iter().zip(bounds).enumerate() {
                let found = self.find_between(*sum, start as usize, end as usize);
                if !found.is_empty() {
                    each(k * AHEAD + i, found);
                }
            }
        }
    }

    /// The items at some places.
    pub(super) fn items(&self, places: Range<usize>) -> impl Iterator<Item = u32> + use<'a> {
        self.items.slice(places.start, places.end).iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bytes::sum_of_word;

    #[test]
    fn every_item_is_found_by_its_key() {
        for count in [0u32, 1, 5, 1000, 5000] {
            let key = |item: u32| (!item.is_multiple_of(7)).then_some(u64::from(item * item % 301));
            let sum = |item: u32| key(item).map(sum_of_word);
            let Table { starts, tags, items, blocks } = Table::new(count, 20, sum);
            let table = Lookup::new(&starts, &tags, &items).unwrap();
            let (mut keys, mut largest, mut capped) = (0, 0, 0);
            let mut sums = vec![];
            for wanted in 0..400 {
                let expected: Vec<u32> =
                    (0..count).filter(|item| key(*item) == Some(wanted)).collect();
                let found: Vec<u32> = table.items(table.find(sum_of_word(wanted))).collect();
                assert_eq!(found, expected);
                let size = expected.len() as u64;
                keys += u64::from(size > 0);
                largest = largest.max(size);
                capped += u64::from(size > 20);
                sums.push(sum_of_word(wanted));
            }
            assert_eq!((blocks.keys, blocks.largest, blocks.capped), (keys, largest, capped));
            let mut all = 0;
            table.find_all(&sums, |i, found| {
                assert_eq!(found, table.find(sums[i]));
                all += found.len() as u64;
            });
            assert_eq!(all, blocks.items);
        }
        assert!(Lookup::new(&[0; 16], &[], &[]).is_none());
        assert!(Lookup::new(&[0; 8], &[0; 4], &[]).is_none());
        let wild = Lookup::new(&[255; 12], &[0; 4], &[0; 4]).unwrap();
        assert_eq!(wild.items(wild.find(7)).count(), 0);
    }
}
