//! What an alignment can be worth at most, without aligning: most pairs of words are so unlike that
//! this is enough.
//!
//! Every operation's weight is dealt out evenly to the letters of one side. A letter of one word then
//! gets at most the best of its shares over the operations that the other word has letters for. The
//! sum over the letters of either side bounds every alignment.

use super::costs::{KINDS, Kinds, LONGEST, Letter, NEVER, NO_LETTER, OTHER, Segments, Weights};

/// Best share of a letter when the other word has a given letter; the last column needs none.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    shares: Vec<[i16; KINDS + 1]>,
}

/// An operation needs nothing of the other word.
const NOTHING: usize = KINDS;

impl Bounds {
    pub(super) fn new() -> Self {
        Self { shares: vec![[NEVER; KINDS + 1]; KINDS] }
    }

    /// Takes in the weights between two scripts.
    pub(super) fn add(&mut self, weights: &Weights, x: &Segments, y: &Segments, kinds: &Kinds) {
        for (a, &i) in &x.ids {
            for (b, &j) in &y.ids {
                if let Some(worth) = weights.most_both(i, j) {
                    self.deal(a, needs(b, kinds), worth, kinds);
                    self.deal(b, needs(a, kinds), worth, kinds);
                }
            }
        }
        for (side, segments) in [(0, x), (1, y)] {
            for (a, &i) in &segments.ids {
                if let Some(worth) = weights.most_gone(side, i) {
                    self.deal(a, NOTHING, worth, kinds);
                }
            }
        }
    }

    fn deal(&mut self, segment: &[char; LONGEST], needs: usize, worth: i16, kinds: &Kinds) {
        let letters = segment.iter().filter(|c| **c != NO_LETTER);
        let count = letters.clone().count().max(1) as i32;
        // Rounded up, for a bound.
        let share = (-(-i32::from(worth)).div_euclid(count)) as i16;
        for letter in letters {
            let row = kinds.get(letter).copied().unwrap_or(0);
            if let Some(cell) = self.shares.get_mut(usize::from(row)).and_then(|r| r.get_mut(needs)) {
                *cell = share.max(*cell);
            }
        }
    }

    pub(super) fn profile(&self, word: &[Letter]) -> [i16; KINDS] {
        let mut out = [NEVER; KINDS];
        for (most, shares) in out.iter_mut().zip(&self.shares) {
            let of = |kind: usize| shares.get(kind).copied().unwrap_or(NEVER);
            *most = word.iter().fold(of(NOTHING), |most, letter| most.max(of(usize::from(letter.kind))));
        }
        out
    }
}

/// A letter that the segment has for certain.
fn needs(segment: &[char; LONGEST], kinds: &Kinds) -> usize {
    let [first, ..] = segment;
    let vowel = |c: &char| matches!(c, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'ا' | 'و' | 'ع' | 'ی');
    let letter = segment.iter().find(|c| **c != NO_LETTER && !vowel(c)).unwrap_or(first);
    if *letter == OTHER { 0 } else { kinds.get(letter).copied().unwrap_or(0).into() }
}

/// The most that aligning two words can be worth; `profile_x` and `profile_y` are theirs.
#[inline]
pub(super) fn most(x: &[Letter], profile_x: &[i16], y: &[Letter], profile_y: &[i16]) -> i32 {
    let sum = |word: &[Letter], profile: &[i16]| -> i32 {
        let share = |l: &Letter| i32::from(profile.get(usize::from(l.kind)).copied().unwrap_or(0));
        word.iter().fold(0, |sum, letter| sum + share(letter))
    };
    sum(x, profile_y).min(sum(y, profile_x))
}
