//! A token as it is compared: its word, and how much it counts.

use super::sounds::Sounds;
use super::tokens::{Part, Role};

/// What is needed of a word to compare tokens of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Known {
    pub number: u32,
    /// See `Word::mixed`.
    pub mixed: u32,
    /// Of its stem.
    pub sounds: Sounds,
    pub rarity: f32,
    /// Bytes of its text, the first and the last.
    pub len: u8,
    pub first: u8,
    pub last: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Initial,
    Optional,
}

/// A token that counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Item {
    pub weight: f64,
    pub number: u32,
    pub mixed: u32,
    pub sounds: Sounds,
    pub len: u8,
    pub first: u8,
    pub last: u8,
    pub kind: Kind,
    pub relative: bool,
}

/// What an initial can say, in nats: about one letter in seven.
const INITIAL_WEIGHT: f64 = 2.0;
/// What a token says that people add and leave out, and one of another person's name, in parts of
/// its rarity.
const WEAK: f64 = 0.3;

impl Item {
    /// A token of a word; `None` when it counts for nothing, as relation words, particles and alias
    /// marks do.
    #[inline(always)]
    pub(super) fn new(word: &Known, role: Role, part: Part) -> Option<Self> {
        let kind = match (role, part) {
            (Role::Relation | Role::AliasMark | Role::Particle, _) => return None,
            (Role::Initial, Part::Own) => Kind::Initial,
            (Role::Name, Part::Own | Part::Relative) => Kind::Name,
            _ => Kind::Optional,
        };
        let rarity = f64::from(word.rarity);
        let weight = match (role, part) {
            (Role::Initial, _) => INITIAL_WEIGHT,
            (Role::Name | Role::Muhammad, Part::Own) => rarity,
            _ => rarity * WEAK,
        };
        let Known { number, mixed, sounds, len, first, last, .. } = *word;
        let relative = part == Part::Relative;
        Some(Self { weight, number, mixed, sounds, len, first, last, kind, relative })
    }

    #[inline(always)]
    pub(super) fn is_initial(&self) -> bool {
        self.kind == Kind::Initial
    }

    /// Whether two tokens can have a likeness above 0: they are of one person, and enough of their
    /// consonants agree.
    #[inline(always)]
    pub(super) fn may_agree(&self, other: &Self) -> bool {
        self.relative == other.relative
            && (self.is_initial() || other.is_initial() || self.sounds.agree(other.sounds))
    }
}

/// Longer names first, then in an order of their words.
pub(super) fn is_before(a: &[Item], b: &[Item]) -> bool {
    let words = || a.iter().map(|item| item.mixed).cmp(b.iter().map(|item| item.mixed));
    b.len().cmp(&a.len()).then_with(words).is_lt()
}
