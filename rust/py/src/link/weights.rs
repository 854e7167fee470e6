//! What levels weigh.

use nser_core::link::weigh::{LevelWeights, Rarity, Weights};
use serde::Deserialize;

use super::prepared::Prepared;
use crate::error::Failure;

/// What the levels of all comparisons weigh.
#[derive(Deserialize)]
pub struct WeightsSpec {
    pub prior: f64,
    pub(super) least: Option<f64>,
    pub comparisons: Vec<LevelsSpec>,
}

/// What the levels of one comparison weigh.
#[derive(Deserialize)]
pub struct LevelsSpec {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    pub weights: Vec<f64>,
    pub frequency: Option<FrequencySpec>,
}

#[derive(Deserialize)]
pub struct FrequencySpec {
    pub log2_u: f64,
    pub scale: f64,
    pub last_level: u8,
}

impl Prepared {
    pub(super) fn weights<'r>(&'r self, spec: &WeightsSpec) -> Result<Weights<'r>, Failure> {
        let one = |(spec, rarity): (&LevelsSpec, &'r Option<Vec<f32>>)| {
            let frequency = match (&spec.frequency, rarity) {
                (Some(f), Some(rows)) => {
                    let FrequencySpec { log2_u, scale, last_level } = *f;
                    Some(Rarity { rows, log2_u, scale, last_level })
                }
                (None, _) => None,
                (Some(_), None) => return Err(Failure::internal("no value frequencies")),
            };
            Ok(LevelWeights { levels: spec.weights.clone(), frequency })
        };
        let comparisons = spec.comparisons.iter().zip(&self.rarity).map(one);
        let least = spec.least.unwrap_or(f64::NEG_INFINITY);
        Ok(Weights {
            prior: spec.prior,
            comparisons: comparisons.collect::<Result<_, _>>()?,
            least,
        })
    }
}
