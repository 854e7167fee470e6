//! The sums over the tokens of two names, and what they come to.

use super::costs::Script;
use super::item::{Item, Kind};
use super::likeness::SPELLING;
use super::similarity::{Comparison, Match};

/// Tokens agree from this likeness on.
pub(super) const AGREES: f64 = 0.5;
/// What a token counts that the other name lacks, in parts of what it says: one of the name, another.
const MISSING: (f64, f64) = (0.35, 0.1);
/// How much more a contradiction counts than an agreement, in names of more than one token.
const CONTRADICTION: f64 = 1.5;
/// Factor of the similarity when the order differs.
const REORDERED: f64 = 0.98;

/// Factor of a contradiction between names, the shorter of which has so many tokens.
#[inline(always)]
pub(super) fn contradiction(shorter: usize) -> f64 {
    if shorter > 1 { CONTRADICTION } else { 1.0 }
}

/// What a token counts that the other name lacks, in parts of what it says.
#[inline(always)]
pub(super) fn missing(own_name: bool) -> f64 {
    let (name, other) = MISSING;
    if own_name { name } else { other }
}

#[derive(Debug, Default)]
pub(super) struct Evidence {
    contradiction: f64,
    agree: f64,
    against: f64,
    lacking: f64,
    agreeing: bool,
    conflict: bool,
    initial: bool,
    names_missing: bool,
    optional_missing: bool,
    cross: bool,
    reordered: bool,
    last: usize,
}

impl Evidence {
    /// Of names, the shorter of which has so many tokens.
    pub(super) fn new(shorter: usize) -> Self {
        Self { contradiction: contradiction(shorter), ..Self::default() }
    }

    /// Takes in a token and its partner, which is number `at` of the other name.
    #[inline(always)]
    pub(super) fn pair(&mut self, x: &Item, y: &Item, likeness: f64, at: usize) {
        let weight = (x.weight + y.weight) / 2.0;
        self.agree += weight * likeness;
        self.against += weight * (1.0 - likeness) * self.contradiction;
        if likeness < AGREES {
            self.conflict = true;
        } else if x.is_initial() || y.is_initial() {
            self.initial = true;
        } else {
            self.agreeing = true;
        }
        self.reordered |= at < self.last;
        self.last = at;
        self.cross |= Script::of_first(x.first) != Script::of_first(y.first);
    }

    /// Takes in a token without a partner.
    #[inline(always)]
    pub(super) fn missing(&mut self, item: &Item) {
        let own_name = item.kind == Kind::Name && !item.relative;
        self.names_missing |= own_name;
        self.optional_missing |= !own_name;
        self.lacking += item.weight * missing(own_name);
    }

    #[inline(always)]
    pub(super) fn sum_up(&self) -> Comparison {
        let all = self.agree + self.against + self.lacking;
        let order = if self.reordered { REORDERED } else { 1.0 };
        let similarity = if all > 0.0 { self.agree / all * order } else { 0.0 };
        let kind = if !self.agreeing && !self.initial {
            Match::Different
        } else if self.conflict {
            Match::Conflicting
        } else if self.initial {
            Match::Initial
        } else if self.names_missing {
            Match::Subset
        } else if self.cross {
            Match::CrossScript
        } else if self.reordered {
            Match::Reordered
        } else if self.optional_missing {
            Match::OptionalMissing
        } else {
            Match::SpellingVariant
        };
        Comparison { similarity: similarity.min(SPELLING), kind }
    }
}
