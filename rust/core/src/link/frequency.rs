//! How common values are: chance agreement, and what agreeing on a rare value adds.

use super::block::Rows;
use super::encode::Codes;

/// The share of pairs of rows with values in which the values are equal: the exact number, from the
/// counts. `None` when there is no such pair.
#[must_use]
pub fn agreement(codes: &Codes, rows: Rows) -> Option<f64> {
    let both = |counts: &[u32]| counts.iter().map(|count| f64::from(*count)).sum::<f64>();
    let (agreeing, all) = match rows.left {
        None => {
            let counts = codes.counts();
            let pairs = |n: f64| n * (n - 1.0);
            (counts.iter().map(|n| pairs(f64::from(*n))).sum(), pairs(both(&counts)))
        }
        Some(left) => {
            let (left, right) = codes.rows.split_at_checked(left as usize)?;
            let count =
                |rows: &[u32]| Codes { rows: rows.to_vec(), distinct: codes.distinct }.counts();
            let (left, right) = (count(left), count(right));
            let products = left.iter().zip(&right).map(|(a, b)| f64::from(*a) * f64::from(*b));
            (products.sum::<f64>(), both(&left) * both(&right))
        }
    };
    (all > 0.0).then(|| agreeing / all)
}

/// `-log2` of the share of rows that have each row's value, among rows with a value; 0 without one.
#[must_use]
pub fn rarity(codes: &Codes) -> Vec<f32> {
    let counts = codes.counts();
    let all: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let of_value: Vec<f32> =
        counts.iter().map(|count| (all / f64::from(*count)).log2() as f32).collect();
    let of_row = |code: &u32| of_value.get(*code as usize).copied().unwrap_or(0.0);
    codes.rows.iter().map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_all_pairs() {
        let codes = Codes::of([Some(1), Some(1), None, Some(2), Some(1)].into_iter());
        let within = Rows { all: 5, left: None };
        assert_eq!(agreement(&codes, within), Some(3.0 / 6.0));
        let between = Rows { all: 5, left: Some(2) };
        assert_eq!(agreement(&codes, between), Some(2.0 / 4.0));
        assert_eq!(agreement(&codes, Rows { all: 5, left: Some(9) }), None);
        assert_eq!(agreement(&Codes::of([Some(1)].into_iter()), Rows { all: 1, left: None }), None);
        let common = (4.0f64 / 3.0).log2() as f32;
        assert_eq!(rarity(&codes), [common, common, 0.0, 2.0, common]);
    }
}
