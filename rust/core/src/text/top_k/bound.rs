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

#[cfg(test)]
mod tests {
    use super::*;

    /// The highest similarity of strings with `c` characters in common.
    fn most(scorer: Scorer, n: usize, m: usize, prefix: usize, c: usize) -> f64 {
        let (length, other, common) = (n as f64, m as f64, c as f64);
        match scorer {
            Scorer::Levenshtein => 1.0 - (length.max(other) - common) / length.max(other),
            Scorer::JaroWinkler if c == 0 => 0.0,
            Scorer::JaroWinkler => {
                let jaro = (common / length + common / other + 1.0) / 3.0;
                let boosted = jaro + 0.1 * prefix.min(n).min(m) as f64 * (1.0 - jaro);
                if jaro > 0.7 { boosted } else { jaro }
            }
        }
    }

    #[test]
    fn what_is_needed_is_enough_and_no_less_is() {
        for scorer in [Scorer::JaroWinkler, Scorer::Levenshtein] {
            for (n, m) in (1..25).flat_map(|n| (1..25).map(move |m| (n, m))) {
                for prefix in 0..=4 {
                    let reached = |c| most(scorer, n, m, prefix, c);
                    // Every similarity that there is, and some others.
                    for cutoff in (0..=n.min(m)).map(reached).chain([0.01, 0.5, 0.7, 0.71, 1.0]) {
                        let first = (0..=n.min(m)).find(|&c| reached(c) >= cutoff);
                        let needed = need(scorer, n, m, prefix, cutoff);
                        assert!(first.is_none_or(|c| needed.is_some_and(|needed| needed <= c)));
                        let loose = needed.is_some_and(|c| c > 0 && reached(c) < cutoff - 1e-5);
                        assert!(!loose, "{scorer:?} {n} {m} {prefix} {cutoff}");
                    }
                }
            }
        }
    }

    #[test]
    fn empty_strings_are_never_left_out() {
        for (n, m) in [(0, 0), (0, 5), (5, 0)] {
            assert_eq!(need(Scorer::JaroWinkler, n, m, 4, 1.0), Some(0));
        }
    }
}
