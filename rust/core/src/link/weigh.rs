//! Match weights (I. Fellegi and A. Sunter, A Theory for Record Linkage, 1969).

/// What the levels of one comparison say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LevelWeights<'r> {
    /// `log2(m / u)` of each level; 0 for level 0, a missing value.
    pub levels: Vec<f64>,
    /// Adjustment for how frequent the agreeing values are.
    pub frequency: Option<Rarity<'r>>,
}

/// An adjustment for term frequency: `scale * (log2(u) - log2(f))`, where `u` is the share of pairs
/// that agree exactly by chance and `f` the share of rows that have the more frequent of the two
/// values.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rarity<'r> {
    /// `-log2(f)` of each row's value.
    pub rows: &'r [f32],
    /// `log2(u)`.
    pub log2_u: f64,
    /// How much of it counts.
    pub scale: f64,
    /// Levels from 1 to this one are adjusted.
    pub last_level: u8,
}

impl Rarity<'_> {
    #[inline(always)]
    fn of(&self, level: u8, a: u32, b: u32) -> f64 {
        if level == 0 || level > self.last_level {
            return 0.0;
        }
        let at = |row: u32| self.rows.get(row as usize).copied().unwrap_or(0.0);
        self.scale * (self.log2_u + f64::from(at(a).min(at(b))))
    }
}

impl LevelWeights<'_> {
    /// The weight of a pair at a level.
    #[must_use]
    #[inline(always)]
    pub fn of(&self, level: u8, a: u32, b: u32) -> f64 {
        let weight = self.levels.get(usize::from(level)).copied().unwrap_or(0.0);
        self.frequency.as_ref().map_or(weight, |rarity| weight + rarity.of(level, a, b))
    }

    /// The most that a pair can have whose values are not equal.
    #[inline(always)]
    pub(super) fn most_unequal(&self, a: u32, b: u32) -> f64 {
        let levels = self.levels.iter().zip(0u8..).skip(2);
        match &self.frequency {
            None => levels.map(|(weight, _)| *weight).fold(f64::NEG_INFINITY, f64::max),
            Some(rarity) => levels
                .map(|(weight, level)| weight + rarity.of(level, a, b))
                .fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// What all comparisons say, and the weight from which on a pair is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Weights<'r> {
    /// `log2` of the odds that two rows match before anything is compared.
    pub prior: f64,
    /// The comparisons, in order.
    pub comparisons: Vec<LevelWeights<'r>>,
    /// The least weight of a pair that is kept; minus infinity keeps all.
    pub least: f64,
}
