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

/// The ranks of texts in the order of their bytes; `None` for more than 2^32 - 1 rows.
///
/// # Complexity
///
/// A hash table of the distinct texts, and a sort of them.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "slots are masked; they hold places of `rows`")]
pub fn rank_texts<'a>(rows: usize, text: impl Fn(usize) -> &'a [u8]) -> Option<Ranks> {
    let count = u32::try_from(rows).ok()?;
    let mut table: Vec<(u64, u32)> = vec![(0, VACANT); 1024];
    let mut firsts: Vec<u32> = vec![];
    let mut ranks = Vec::with_capacity(rows);
    for row in 0..count {
        if firsts.len() * 2 > table.len() {
            table = grown(&table);
        }
        let bytes = text(row as usize);
        let hash = hash_bytes(bytes);
        let mask = table.len() - 1;
        let mut slot = hash as usize & mask;
        let place = loop {
            let (known, place) = table[slot];
            if place == VACANT {
                table[slot] = (hash, firsts.len() as u32);
                firsts.push(row);
                break firsts.len() as u32 - 1;
            }
            if known == hash && text(firsts[place as usize] as usize) == bytes {
                break place;
            }
            slot = (slot + 1) & mask;
        };
        ranks.push(place);
    }
    // The bytes behind those that all have in common decide most comparisons.
    let whole = |place: u32| text(firsts[place as usize] as usize);
    let first = firsts.first().map_or(&[][..], |row| text(*row as usize));
    let common = firsts.iter().fold(first.len(), |most, row| {
        first.iter().zip(text(*row as usize)).take(most).take_while(|(a, b)| a == b).count()
    });
    let key = |row: &u32| prefix(text(*row as usize).get(common..).unwrap_or(&[]));
    let mut order: Vec<(u64, u32)> = firsts.iter().map(key).zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.cmp(&b.0).then_with(|| whole(a.1).cmp(whole(b.1))));
    let mut rank_of = vec![0; order.len()];
    for (rank, (_, place)) in (0_u32..).zip(&order) {
        rank_of[*place as usize] = rank;
    }
    ranks.iter_mut().for_each(|place| *place = rank_of[*place as usize]);
    Some(Ranks { ranks, rows: order.iter().map(|(_, place)| firsts[*place as usize]).collect() })
}

const VACANT: u32 = u32::MAX;

#[expect(clippy::indexing_slicing, reason = "slots are masked")]
fn grown(table: &[(u64, u32)]) -> Vec<(u64, u32)> {
    let mut larger = vec![(0, VACANT); table.len() * 4];
    let mask = larger.len() - 1;
    for entry in table.iter().filter(|entry| entry.1 != VACANT) {
        let mut slot = entry.0 as usize & mask;
        while larger[slot].1 != VACANT {
            slot = (slot + 1) & mask;
        }
        larger[slot] = *entry;
    }
    larger
}

/// The first eight bytes as a number that sorts as they do; zeros behind a shorter text.
fn prefix(bytes: &[u8]) -> u64 {
    (0..8).fold(0, |key, i| key << 8 | u64::from(bytes.get(i).copied().unwrap_or(0)))
}

/// A multiplicative hash whose low bits depend on every byte.
fn hash_bytes(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| {
        let product =
            u128::from(hash ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        (product >> 64) as u64 ^ product as u64
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let hash = words.iter().fold(bytes.len() as u64 + 1, |h, w| mix(h, u64::from_le_bytes(*w)));
    mix(mix(hash, prefix(rest)), 0x9E37_79B9_7F4A_7C15)
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
            // As text: numbers that are padded sort as they do.
            let texts: Vec<String> = values.iter().map(|v| format!("P{v:020}")).collect();
            assert_eq!(rank_texts(texts.len(), |row| texts[row].as_bytes()), Some(found));
        }
        let many: Vec<u64> = (0..5000_u64).map(|i| i * i % 4999 + 70).collect();
        let sparse: Vec<u64> = many.iter().map(|v| v << 40).collect();
        assert_eq!(rank(&many), rank(&sparse));
        let texts: Vec<String> = many.iter().map(|v| format!("{v:05}")).collect();
        assert_eq!(rank_texts(texts.len(), |row| texts[row].as_bytes()), rank(&many));
    }

    #[test]
    fn texts_of_any_length_sort_by_their_bytes() {
        let texts =
            ["b", "", "a", "a\0", "a", "سعید", "a longer text", "a longer text 2", "", "\0"];
        let mut distinct = texts.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let found = rank_texts(texts.len(), |row| texts[row].as_bytes()).unwrap();
        let ranks = texts.iter().map(|t| distinct.binary_search(t).unwrap() as u32);
        assert_eq!(found.ranks, ranks.collect::<Vec<_>>());
        assert!(found.rows.iter().map(|row| texts[*row as usize]).eq(distinct));
    }
}
