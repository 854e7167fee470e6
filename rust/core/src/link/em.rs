//! Chances of agreement among matches, learned without labels: expectation maximisation over
//! patterns of agreement (M. Jaro, Advances in Record-Linkage Methodology, 1989).

/// What is learned, and how it went.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// For each comparison, the chance of each level from 1 on among matches. Those of comparisons
    /// that were left out stay as they were.
    pub m: Vec<Vec<f64>>,
    /// Share of the pairs that match.
    pub matching: f64,
    /// Log-likelihood of the patterns.
    pub likelihood: f64,
    /// Rounds done.
    pub rounds: usize,
    /// Largest change of a chance in the last round.
    pub change: f64,
}

/// How long to go on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Until {
    /// The largest change of a chance is below this.
    pub change: f64,
    /// So many rounds are done.
    pub rounds: usize,
}

/// Least chance of a level.
const LEAST: f64 = 1e-7;

/// What a comparison has to do with the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Nothing: the blocks are made of it.
    None,
    /// It tells matches from others, and stays as it is.
    Fixed,
    /// It does, and is learned.
    Learned,
}

/// Learns from patterns (levels of each comparison, 0 for a missing value, and a count). `u` has the
/// chances among pairs that do not match and stays; `m` and `matching` are where to begin. A missing
/// value says nothing.
#[must_use]
pub fn learn(
    patterns: &[(Vec<u8>, f64)],
    u: &[Vec<f64>],
    m: &[Vec<f64>],
    parts: &[Part],
    matching: f64,
    until: Until,
) -> Learned {
    let mut out = Learned { m: m.to_vec(), matching, likelihood: 0.0, rounds: 0, change: 1.0 };
    let total: f64 = patterns.iter().map(|(_, count)| count).sum();
    while total > 0.0 && out.rounds < until.rounds && out.change >= until.change {
        let mut sums: Vec<Vec<f64>> = m.iter().map(|levels| vec![0.0; levels.len()]).collect();
        let mut matches = 0.0;
        out.likelihood = 0.0;
        for (levels, count) in patterns {
            let (mut if_match, mut if_not) = (out.matching, 1.0 - out.matching);
            for (((level, m), u), part) in levels.iter().zip(&out.m).zip(u).zip(parts) {
                if let (Some(at), true) = (usize::from(*level).checked_sub(1), *part != Part::None)
                {
                    if_match *= m.get(at).copied().unwrap_or(1.0);
                    if_not *= u.get(at).copied().unwrap_or(1.0);
                }
            }
            let both = if_match + if_not;
            let share = if both > 0.0 { if_match / both } else { 0.0 };
            out.likelihood += count * both.max(f64::MIN_POSITIVE).ln();
            matches += count * share;
            for (level, sums) in levels.iter().zip(&mut sums) {
                let sum = usize::from(*level).checked_sub(1).and_then(|at| sums.get_mut(at));
                sum.into_iter().for_each(|sum| *sum += count * share);
            }
        }
        out.change = (matches / total - out.matching).abs();
        out.matching = (matches / total).clamp(LEAST, 1.0 - LEAST);
        for ((m, sums), part) in out.m.iter_mut().zip(&sums).zip(parts) {
            let all: f64 = sums.iter().sum();
            if *part != Part::Learned || all <= 0.0 {
                continue;
            }
            for (m, sum) in m.iter_mut().zip(sums) {
                let next = (sum / all).max(LEAST);
                out.change = out.change.max((next - *m).abs());
                *m = next;
            }
        }
        out.rounds += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Expected counts of patterns of three comparisons for known chances.
    fn patterns(m: &[Vec<f64>], u: &[Vec<f64>], matching: f64) -> Vec<(Vec<u8>, f64)> {
        let mut out = vec![];
        for a in 0..3u8 {
            for b in 0..4u8 {
                for c in 0..3u8 {
                    let levels = [a, b, c];
                    // One in ten values is missing.
                    let chance = |of: &[Vec<f64>]| -> f64 {
                        let one = |(k, level): (usize, &u8)| match level {
                            0 => 0.1,
                            level => 0.9 * of[k][usize::from(*level) - 1],
                        };
                        levels.iter().enumerate().map(one).product()
                    };
                    let count = 1e6 * (matching * chance(m) + (1.0 - matching) * chance(u));
                    out.push((levels.to_vec(), count));
                }
            }
        }
        out
    }

    #[test]
    fn chances_that_made_the_patterns_are_found_again() {
        let m = [vec![0.9, 0.1], vec![0.7, 0.2, 0.1], vec![0.95, 0.05]].to_vec();
        let u = [vec![0.01, 0.99], vec![0.02, 0.08, 0.9], vec![0.1, 0.9]].to_vec();
        let patterns = patterns(&m, &u, 0.05);
        let start = [vec![0.8, 0.2], vec![0.8, 0.1, 0.1], vec![0.8, 0.2]].to_vec();
        let until = Until { change: 1e-12, rounds: 10_000 };
        let found = learn(&patterns, &u, &start, &[Part::Learned; 3], 0.3, until);
        assert!((found.matching - 0.05).abs() < 1e-6 && found.change < 1e-12);
        for (found, m) in found.m.iter().flatten().zip(m.iter().flatten()) {
            assert!((found - m).abs() < 1e-5, "{found} {m}");
        }
        let better = found.likelihood;
        let early =
            learn(&patterns, &u, &start, &[Part::Learned; 3], 0.3, Until { rounds: 2, ..until });
        assert!(early.rounds == 2 && early.likelihood < better);

        let parts = [Part::Fixed, Part::Learned, Part::None];
        let fixed = learn(&patterns, &u, &m, &parts, 0.3, until);
        assert_eq!((&fixed.m[0], &fixed.m[2]), (&m[0], &m[2]));
        assert!((fixed.matching - 0.05).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_learned_from_nothing() {
        let until = Until { change: 1e-6, rounds: 10 };
        let m = vec![vec![0.5, 0.5]];
        let found = learn(&[], &m, &m, &[Part::Learned], 0.2, until);
        assert_eq!((found.m, found.matching, found.rounds), (m, 0.2, 0));
    }
}
