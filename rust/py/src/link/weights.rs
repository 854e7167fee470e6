//! What levels weigh.

use nser_core::link::weigh::{LevelWeights, Rarity, Weights};
use serde::Deserialize;

use super::prepared::Prepared;
use crate::error::Failure;

/// What the levels of all comparisons weigh.
#[derive(Deserialize)]
pub struct WeightsSpec {
    pub prior: f64,
    least: Option<f64>,
    pub comparisons: Vec<LevelsSpec>,
}

/// What the levels of one comparison weigh.
#[derive(Deserialize)]
pub struct LevelsSpec {
    pub(super) name: String,
    pub(super) labels: Vec<String>,
    weights: Vec<f64>,
    frequency: Option<FrequencySpec>,
}

#[derive(Deserialize)]
struct FrequencySpec {
    log2_u: f64,
    scale: f64,
    last_level: u8,
}

impl LevelsSpec {
    pub fn level_weights(&self) -> LevelWeights {
        let frequency = self.frequency.as_ref().map(|frequency| {
            let FrequencySpec { log2_u, scale, last_level } = *frequency;
            Rarity { log2_u, scale, last_level }
        });
        LevelWeights::new(&self.weights, frequency)
    }
}

impl Prepared {
    pub(super) fn weights(&self, spec: &WeightsSpec) -> Result<Weights, Failure> {
        let missing = |(spec, has): (&LevelsSpec, &bool)| spec.frequency.is_some() && !has;
        if spec.comparisons.iter().zip(&self.has_rarity).any(missing) {
            return Err(Failure::internal("no value frequencies"));
        }
        let comparisons = spec.comparisons.iter().map(LevelsSpec::level_weights).collect();
        let least = spec.least.unwrap_or(f64::NEG_INFINITY);
        Ok(Weights { prior: spec.prior, comparisons, least })
    }
}
