//! A registry as byte codes.

use super::coding::NO_STRATUM;

/// One code for each household and slot. Immutable once made; scenarios share it.
///
/// A slot is a question, or, in a model with strata, a question of each stratum.
#[derive(Debug, Default)]
pub struct Codes {
    /// Number of households.
    pub rows: usize,
    /// Codes of each slot.
    pub slots: Vec<Vec<u8>>,
    /// Whether a code of a slot occurs.
    pub seen: Vec<[bool; 256]>,
    /// Sub-model of each household, [`NO_STRATUM`] or the one above it where there is none; `None`
    /// for a model without strata.
    pub strata: Option<Vec<u8>>,
    /// Groups of each household, one vector for each grouping.
    pub groups: Vec<Vec<u16>>,
    /// How many households a row stands for; `None` means one.
    pub weights: Option<Vec<f64>>,
}

impl Codes {
    /// Sub-model of a row.
    #[inline]
    pub(super) fn stratum(&self, row: usize) -> Option<usize> {
        match &self.strata {
            None => Some(0),
            Some(strata) => {
                strata.get(row).filter(|&&code| code < NO_STRATUM).map(|&code| code.into())
            }
        }
    }

    /// How many households a row stands for.
    #[inline]
    pub(super) fn weight(&self, row: usize) -> f64 {
        match &self.weights {
            None => 1.0,
            Some(weights) => weights.get(row).copied().unwrap_or(0.0),
        }
    }

    /// Bytes held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let slots: usize = self.slots.iter().map(Vec::capacity).sum();
        let groups: usize = self.groups.iter().map(|group| 2 * group.capacity()).sum();
        let strata = self.strata.as_ref().map_or(0, Vec::capacity);
        slots + groups + strata + self.weights.as_ref().map_or(0, |w| 8 * w.capacity())
    }
}
