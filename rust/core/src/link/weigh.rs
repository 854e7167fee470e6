//! Match weights (I. Fellegi and A. Sunter, A Theory for Record Linkage, 1969).

use super::compare::{EXACT, MISSING, UNKNOWN};

/// What the levels of one comparison say.
#[derive(Debug, Clone, PartialEq)]
pub struct LevelWeights {
    /// Weight of every level there may be, and for [`UNKNOWN`] of the best unequal one, unadjusted.
    levels: Box<[f64; LEVELS]>,
    frequency: Option<Rarity>,
    /// The best unequal levels that are adjusted, and that are not.
    unequal: [f64; 2],
}

const LEVELS: usize = UNKNOWN as usize + 1;

/// An adjustment for term frequency: `scale * (log2(u) - log2(f))`, where `u` is the share of pairs
/// that agree exactly by chance and `f` the share of rows that have the more frequent of the two
/// values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rarity {
    /// `log2(u)`.
    pub log2_u: f64,
    /// How much of it counts.
    pub scale: f64,
    /// Levels from 1 to this one are adjusted.
    pub last_level: u8,
}

impl LevelWeights {
    /// `levels` has `log2(m / u)` of each level; 0 for level 0, a missing value. `frequency` adjusts
    /// them for how frequent the agreeing values are.
    #[must_use]
    pub fn new(levels: &[f64], frequency: Option<Rarity>) -> Self {
        let adjusted = frequency.map_or(0, |frequency| usize::from(frequency.last_level) + 1);
        let first = usize::from(EXACT) + 1;
        let best = |levels: &[f64]| levels.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let split = adjusted.clamp(first, levels.len().max(first));
        let unequal = [first..split, split..levels.len()];
        let unequal = unequal.map(|range| best(levels.get(range).unwrap_or_default()));
        let mut of_level = Box::new([0.0; LEVELS]);
        of_level.iter_mut().zip(levels).for_each(|(to, weight)| *to = *weight);
        let [with, without] = unequal;
        of_level.last_mut().into_iter().for_each(|to| *to = with.max(without));
        Self { levels: of_level, frequency, unequal }
    }

    /// The adjustment for frequency, if there is one.
    pub(super) fn frequency(&self) -> Option<Rarity> {
        self.frequency
    }

    /// The weight of a pair at a level; `rarity` is `-log2(f)` of its more frequent value.
    #[must_use]
    #[inline(always)]
    pub fn of(&self, level: u8, rarity: f32) -> f64 {
        self.bound(level, || rarity)
    }

    /// The weight of a pair, or the most it can have when its level is unknown and not exact.
    #[inline(always)]
    pub(super) fn bound(&self, level: u8, rarity: impl Fn() -> f32) -> f64 {
        let weight = self.levels.get(usize::from(level)).copied().unwrap_or_default();
        let Some(frequency) = self.frequency else { return weight };
        let [adjusted, plain] = self.unequal;
        let adjustment = frequency.scale * (frequency.log2_u + f64::from(rarity()));
        if level == UNKNOWN {
            (adjusted + adjustment).max(plain)
        } else if level != MISSING && level <= frequency.last_level {
            weight + adjustment
        } else {
            weight
        }
    }
}

/// What all comparisons say, and the weight from which on a pair is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights {
    /// `log2` of the odds that two rows match before anything is compared.
    pub prior: f64,
    /// The comparisons, in order.
    pub comparisons: Vec<LevelWeights>,
    /// The least weight of a pair that is kept; minus infinity keeps all.
    pub least: f64,
}
