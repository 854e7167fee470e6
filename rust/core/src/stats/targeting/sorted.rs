//! Numbers in order: keys of doubles, a radix sort, and runs of equal keys.

/// A number that sorts as the double does. The two zeros are one number; there must be no NaN.
#[inline]
pub(super) fn key(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    bits ^ (((bits as i64 >> 63) as u64) | 1 << 63)
}

/// The double of a [`key`].
#[inline]
pub(super) fn number(key: u64) -> f64 {
    f64::from_bits(key ^ (((!key as i64 >> 63) as u64) | 1 << 63))
}

/// A key and what goes with it.
pub(super) type Pair = (u64, u64);

/// Rows below which comparing is faster than counting bytes.
const FEW: usize = 256;

/// Sorts pairs by key; what goes with equal keys stays in order.
pub(super) fn sort(pairs: &mut Vec<Pair>) {
    if pairs.len() <= FEW {
        pairs.sort_by_key(|pair| pair.0);
        return;
    }
    let Some(&(first, _)) = pairs.first() else { return };
    let differing = pairs.iter().fold(0, |all, pair| all | (pair.0 ^ first));
    let mut other = vec![(0, 0); pairs.len()];
    for shift in (0..64).step_by(8).filter(|shift| differing >> shift & 0xff != 0) {
        by_byte(pairs, &mut other, shift);
        std::mem::swap(pairs, &mut other);
    }
}

#[expect(clippy::indexing_slicing, reason = "a byte is below 256; places count to the length")]
fn by_byte(from: &[Pair], to: &mut [Pair], shift: u32) {
    let mut places = [0usize; 256];
    for pair in from {
        places[(pair.0 >> shift) as usize & 0xff] += 1;
    }
    let mut before = 0;
    for place in &mut places {
        before += std::mem::replace(place, before);
    }
    for &pair in from {
        let place = &mut places[(pair.0 >> shift) as usize & 0xff];
        to[*place] = pair;
        *place += 1;
    }
}

/// The rows in ascending order of their numbers, each with its key; equal ones by row.
pub(super) fn order(numbers: &[f64]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = (0u64..).zip(numbers).map(|(row, &x)| (key(x), row)).collect();
    sort(&mut pairs);
    pairs
}

/// Runs of pairs with equal keys.
pub(super) fn runs(pairs: &[Pair]) -> impl Iterator<Item = &[Pair]> {
    pairs.chunk_by(|a, b| a.0 == b.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_numbers_and_come_back() {
        let numbers =
            [f64::NEG_INFINITY, -1e300, -2.5, -5e-324, 0.0, 5e-324, 1.0, 1e10, f64::INFINITY];
        assert!(numbers.windows(2).all(|w| key(w[0]) < key(w[1])));
        assert!(numbers.iter().all(|&x| number(key(x)) == x));
        assert_eq!(key(-0.0), key(0.0));
    }

    #[test]
    fn the_radix_sort_is_the_stable_sort() {
        let mut state = 1u64;
        for rows in [0, 1, 3, FEW, FEW + 1, 5000] {
            let mut pairs: Vec<Pair> = (0..rows as u64)
                .map(|row| {
                    state = state.wrapping_mul(6364136223846793005).wrapping_add(1);
                    (key(((state >> 33) % 700) as f64 / 7.0 - 40.0), row)
                })
                .collect();
            let mut expected = pairs.clone();
            expected.sort_by_key(|pair| pair.0);
            sort(&mut pairs);
            assert_eq!(pairs, expected);
            assert!(runs(&pairs).all(|run| run.iter().all(|pair| pair.0 == run[0].0)));
        }
    }
}
