//! How many characters two strings must have in common to reach a similarity.

use super::Scorer;

/// More than rounding can add to any figure below.
const SLACK: f64 = 1e-6;

/// The fewest characters that strings of `n` and `m` characters, of which the first `prefix` at
/// most agree, have in common when their similarity is at least `cutoff`; none when that is out of
/// reach.
pub(super) fn need(
    scorer: Scorer,
    n: usize,
    m: usize,
    prefix: usize,
    cutoff: f64,
) -> Option<usize> {
    if n == 0 || m == 0 || cutoff <= 0.0 {
        return Some(0);
    }
    let (length, other) = (n as f64, m as f64);
    let shared = match scorer {
        // With c characters in common, Jaro is at most (c / n + c / m + 1) / 3, and 0 with none.
        // Above 0.7, each character of the prefix takes a tenth off what is missing to 1.
        Scorer::JaroWinkler => {
            let weight = 0.1 * prefix.min(n).min(m) as f64;
            let boosted = ((cutoff - weight) / (1.0 - weight)).max(0.7);
            let jaro = if cutoff > 0.7 { boosted } else { cutoff };
            ((3.0 * jaro - 1.0) / (1.0 / length + 1.0 / other)).max(1.0)
        }
        // The distance is at least the characters of the longer string that are not in common.
        Scorer::Levenshtein => cutoff * length.max(other),
    };
    let shared = (shared - SLACK).ceil() as usize;
    (shared <= n.min(m)).then_some(shared)
}
