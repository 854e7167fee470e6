//! How common a token is: agreeing on a rare name says more than agreeing on Muhammad.

use std::collections::BTreeMap;

use super::costs::FaultyLine;

/// Shares of names that contain a token, as rarities.
#[derive(Debug, Clone)]
pub struct Frequencies {
    rarity: BTreeMap<Box<[u8]>, f64>,
    unknown: f64,
}

/// An unknown token counts as seen this often.
const UNKNOWN: f64 = 2.0;
/// No token says less than this, in nats.
const LEAST: f64 = 0.5;

impl Frequencies {
    /// From the number of names and of those that contain each token (in match form).
    pub fn new<'a>(names: f64, counts: impl IntoIterator<Item = (&'a [u8], f64)>) -> Self {
        let rarity = |count: f64| {
            let share = names.max(1.0) / count.max(1.0);
            share.ln().max(LEAST)
        };
        Self {
            rarity: counts.into_iter().map(|(token, n)| (token.into(), rarity(n))).collect(),
            unknown: rarity(UNKNOWN),
        }
    }

    /// Reads `token,count` lines after comment lines (`#`) and a header; the row with an empty token
    /// is the number of names.
    ///
    /// # Errors
    ///
    /// [`FaultyLine`] for a line without two fields or with a count that is no number.
    pub fn parse(text: &str) -> Result<Self, FaultyLine> {
        let mut names = 1.0;
        let mut counts = vec![];
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        for (at, line) in lines.skip(1) {
            let row = line.split_once(',').and_then(|(t, n)| Some((t, n.parse::<f64>().ok()?)));
            match row.ok_or(FaultyLine { line: at + 1 })? {
                ("", n) => names = n,
                (token, n) => counts.push((token.as_bytes(), n)),
            }
        }
        Ok(Self::new(names, counts))
    }

    /// Minus the logarithm of a token's share, in nats. A compound that is unknown is as rare as its
    /// stem: Abdul Rehman as Rehman.
    #[must_use]
    pub fn rarity(&self, token: &[u8], stem: &[u8]) -> f64 {
        let of_stem = || if stem == token { None } else { self.rarity.get(stem) };
        let known = self.rarity.get(token).or_else(of_stem);
        known.copied().unwrap_or(self.unknown)
    }
}
