//! Which totals are out of reach: the weights within the bounds that miss by the least.

use super::distance::{Curve, Distance};
use super::newton::{End, Layout, Pass, Problem};

/// Prices of a miss, each solved from where the last ended: at once the highest would be too steep. A
/// miss that can be avoided shrinks as the price grows.
const COSTS: [f64; 4] = [1e2, 1e4, 1e6, 1e8];
const STAYS: f64 = 0.3;

/// Relative misses below this are none, and below this share of the largest are not named.
const MISS: f64 = 1e-8;
const NAMED: f64 = 0.01;

const TOLERANCE: f64 = 1e-7;
const ITERATIONS: usize = 100;

/// Totals that are missed, the worst first, with the nearest sums; and the range of the factors of
/// the linear method without bounds.
pub(super) type Near = (Vec<(usize, f64)>, (f64, f64));

/// Looks for totals that no weights within the bounds hit. None if there are none.
///
/// # Errors
///
/// What the evaluation gives, to stop.
pub(super) fn explain<L: Layout, E>(
    pass: &mut Pass<'_, L, E>,
    problem: &Problem<'_>,
    weight: f64,
) -> Result<Option<Near>, E> {
    let given = problem.distance;
    let low = if given.curve == Curve::Raking { given.low.max(0.0) } else { given.low };
    let distance = Distance { curve: Curve::Linear, low, high: given.high };
    if given.curve == Curve::Line {
        return Ok(None); // what does not contradict itself can be reached
    }
    let mut start = vec![0.0; problem.targets.len()];
    let mut misses: Vec<Vec<f64>> = vec![];
    let mut sums = vec![];
    for cost in COSTS {
        let priced = problem.slack.iter().zip(problem.sizes);
        let slack: Vec<f64> = priced
            .map(|(slack, size)| if *slack > 0.0 { *slack } else { size * size / (cost * weight) })
            .collect();
        let relaxed = Problem {
            distance,
            slack: &slack,
            tolerance: TOLERANCE,
            max_iterations: ITERATIONS,
            ..*problem
        };
        let End { solved, multipliers, achieved, .. } = relaxed.solve(pass, start, None)?;
        if !solved {
            break;
        }
        let parts = multipliers.iter().zip(&slack).zip(problem.sizes).zip(problem.slack);
        misses.push(
            parts
                .map(|(((m, s), size), own)| if *own > 0.0 { 0.0 } else { (m * s / size).abs() })
                .collect(),
        );
        (start, sums) = (multipliers, achieved);
    }
    let [.., first, second] = misses.as_slice() else { return Ok(None) };
    let stays: Vec<f64> = first
        .iter()
        .zip(second)
        .map(|(a, b)| if *b > STAYS * a && *b > MISS { *b } else { 0.0 })
        .collect();
    let most = stays.iter().copied().fold(0.0, f64::max);
    let mut named: Vec<(usize, f64)> =
        stays.iter().copied().enumerate().filter(|(_, m)| *m > NAMED * most).collect();
    if named.is_empty() {
        return Ok(None);
    }
    named.sort_by(|a, b| b.1.total_cmp(&a.1));
    let nearest = |(total, _): (usize, f64)| (total, sums.get(total).copied().unwrap_or(f64::NAN));
    let nearest = named.into_iter().map(nearest).collect();
    let free = Problem { distance: Distance::LINE, tolerance: TOLERANCE, ..*problem };
    let end = free.solve(pass, vec![0.0; problem.targets.len()], None)?;
    let factors = pass.layout().factors(&end.multipliers, &Distance::LINE);
    let low = factors.iter().copied().fold(f64::INFINITY, f64::min);
    let high = factors.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Ok(Some((nearest, (low, high))))
}
