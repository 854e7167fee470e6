//! Lorenz and concentration curves.

use super::sorted;
use crate::stats::float_sum::Sum;

/// How an amount is spread over people in order of a rank.
#[derive(Debug, PartialEq)]
pub struct Concentration {
    /// Twice the area between the curve and the line of equality: the Gini index if the rank is the
    /// amount itself. Negative where the amount goes to low ranks. None if the amounts add up to 0.
    pub index: Option<f64>,
    /// Share of the amount that the lowest k / n people have, k from 0 to n. Of people with equal
    /// ranks, a part has that part of their amount.
    pub shares: Vec<f64>,
}

/// Spreads `amounts`, one to each unit of weight, in ascending order of `ranks`, over `points`
/// equal shares of the people. Ranks hold no NaN.
#[must_use]
pub fn concentration(
    ranks: &[f64],
    amounts: &[f64],
    weights: &[f64],
    points: usize,
) -> Concentration {
    let total: f64 = weights.iter().copied().collect::<Sum>().value();
    let all: f64 = weights.iter().zip(amounts).map(|(w, a)| w * a).collect::<Sum>().value();
    if !(total > 0.0 && all != 0.0) {
        return Concentration { index: None, shares: vec![] };
    }
    let order = sorted::order(ranks);
    let (mut people, mut amount, mut area) = (Sum::default(), Sum::default(), Sum::default());
    let (mut p0, mut a0) = (0.0, 0.0);
    let mut shares = vec![0.0];
    for run in sorted::runs(&order) {
        for &(_, row) in run {
            let (w, a) = (weights.get(row as usize), amounts.get(row as usize));
            let (w, a) = (w.copied().unwrap_or(0.0), a.copied().unwrap_or(0.0));
            people.add(w);
            amount.add(w * a);
        }
        let (p1, a1) = (people.value() / total, amount.value() / all);
        area.add((p1 - p0) * (a1 + a0));
        while shares.len() < points && shares.len() as f64 <= p1 * points as f64 && p1 > p0 {
            let p = shares.len() as f64 / points as f64;
            shares.push(a0 + (a1 - a0) * (p - p0) / (p1 - p0));
        }
        (p0, a0) = (p1, a1);
    }
    shares.resize(points, 1.0);
    shares.push(1.0);
    Concentration { index: Some(1.0 - area.value()), shares }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_one_owner_and_the_definition() {
        let equal = concentration(&[3.0, 1.0, 2.0], &[5.0; 3], &[1.0, 2.0, 0.5], 4);
        assert!(equal.index.unwrap().abs() < 1e-15);
        assert!(
            equal
                .shares
                .iter()
                .zip([0.0, 0.25, 0.5, 0.75, 1.0])
                .all(|(a, b)| (a - b).abs() < 1e-15)
        );
        let owner = concentration(&[1.0, 2.0, 3.0, 4.0], &[0.0, 0.0, 0.0, 9.0], &[1.0; 4], 2);
        assert_eq!((owner.index, owner.shares), (Some(0.75), vec![0.0, 0.0, 1.0]));
        assert_eq!(concentration(&[1.0], &[0.0], &[1.0], 4).index, None);
        // Mean absolute difference over twice the mean.
        let (y, w) = ([4.0, 1.0, 9.0, 1.0, 6.0], [1.0, 2.0, 0.5, 1.0, 3.0]);
        let (mut difference, mut n, mut sum) = (0.0, 0.0, 0.0);
        for (a, u) in y.iter().zip(w) {
            (n, sum) = (n + u, sum + u * a);
            difference += y.iter().zip(w).map(|(b, v)| u * v * f64::abs(a - b)).sum::<f64>();
        }
        let gini = concentration(&y, &y, &w, 10).index.unwrap();
        assert!((gini - difference / (2.0 * n * sum)).abs() < 1e-14);
    }
}
