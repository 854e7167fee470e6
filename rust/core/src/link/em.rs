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
