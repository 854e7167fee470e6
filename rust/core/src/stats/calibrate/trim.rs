//! Trimming of weights, as `trimWeights(strict = TRUE)` of R's survey package does it.

/// Rounds after which the rest is left.
const ROUNDS: usize = 10_000;

/// Cuts weights to `low..=high` and shares what was cut off equally among the weights that were
/// within, again and again until none is outside. The sum of the weights stays. A weight that was
/// cut may get a share in a later round, as in R. Returns how many weights were cut; none if
/// there is no room for the sum.
#[must_use]
#[expect(clippy::indexing_slicing, reason = "flags and weights have one length")]
pub fn trim(weights: &mut [f64], (low, high): (f64, f64)) -> Option<usize> {
    let sum: f64 = weights.iter().sum();
    let rows = weights.len() as f64;
    // With no room at all the shares never end.
    if !(low <= high && sum <= high * rows && sum >= low * rows) {
        return None;
    }
    let mut cut = vec![false; weights.len()];
    for _ in 0..ROUNDS {
        let (mut excess, mut within) = (0.0, 0usize);
        for (k, weight) in weights.iter().enumerate() {
            if (low..=high).contains(weight) {
                within += 1;
            } else {
                excess += weight - weight.clamp(low, high);
                cut[k] = true;
            }
        }
        if within == weights.len() {
            return Some(cut.iter().filter(|&&cut| cut).count());
        }
        // Where every weight was cut, all of them share.
        let all = within == 0;
        let share = excess / if all { rows } else { within as f64 };
        for weight in weights.iter_mut() {
            let kept = (low..=high).contains(weight);
            *weight = weight.clamp(low, high) + if kept || all { share } else { 0.0 };
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_shared_equally_and_the_sum_stays() {
        let mut weights = [1.0, 2.0, 3.0, 10.0];
        assert_eq!(trim(&mut weights, (0.0, 7.0)), Some(1));
        assert_eq!(weights, [2.0, 3.0, 4.0, 7.0]);
    }

    #[test]
    fn a_share_that_lifts_a_weight_over_the_bound_is_shared_again() {
        let mut weights = [1.0, 5.9, 6.0, 12.0];
        let cut = trim(&mut weights, (0.0, 7.0));
        assert!(cut.is_some_and(|cut| cut >= 2) && weights.iter().all(|w| *w <= 7.0));
        assert!((weights.iter().sum::<f64>() - 24.9).abs() < 1e-12);
    }

    #[test]
    fn where_all_are_cut_all_share() {
        let mut weights = [1.0, 1.0, 13.0];
        assert_eq!(trim(&mut weights, (4.0, 6.0)), Some(3));
        assert!((weights.iter().sum::<f64>() - 15.0).abs() < 1e-12);
        assert!(weights.iter().all(|w| (4.0..=6.0).contains(w)));
    }

    #[test]
    fn no_room_is_said() {
        assert_eq!(trim(&mut [1.0, 9.0], (0.0, 4.0)), None);
        assert_eq!(trim(&mut [1.0, 9.0], (6.0, 10.0)), None);
    }
}
