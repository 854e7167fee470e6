//! Two names as tokens: which token stands for which, and what they come to.

use super::assign::{MOST, Pairing};
use super::ceiling::{Agreeing, Outline, may_reach};
use super::costs::CostTable;
use super::evidence::{AGREES, Evidence};
use super::frequency::Frequencies;
use super::guard::GuardPairs;
use super::item::{Item, Kind, is_before};
use super::likeness::Likenesses;
use super::memo::Fetched;
use super::similarity::{Comparison, Match};
use super::tokens::{Compound, Part, Role};
use super::vocabulary::Vocabulary;

/// Two tokens joined are a token of the other name from this likeness on, and when they have as many
/// bytes but for so many.
const JOINED: f64 = 0.9;
const SLACK: u16 = 2;

/// Two tokens that may agree, by their places in their names.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    row: u8,
    column: u8,
    fetched: Fetched,
}

/// Compares names whose words are in its vocabulary.
#[derive(Debug, Clone)]
pub(super) struct Matcher<'a> {
    pub vocabulary: Vocabulary<'a>,
    frequencies: &'a Frequencies,
    likenesses: Likenesses<'a>,
    candidates: Vec<Candidate>,
    pairing: Box<Pairing>,
}

impl<'a> Matcher<'a> {
    /// For about `pairs` pairs of words with numbers below `numbers`.
    pub(super) fn new(
        costs: &'a CostTable,
        frequencies: &'a Frequencies,
        guard: &'a GuardPairs,
        pairs: usize,
        numbers: u32,
    ) -> Self {
        Self {
            vocabulary: Vocabulary::default(),
            frequencies,
            likenesses: Likenesses::new(costs, guard, pairs, numbers),
            candidates: vec![],
            pairing: Box::default(),
        }
    }

    /// Forgets all words but those of the base of its vocabulary.
    pub(super) fn clear(&mut self) {
        self.vocabulary.clear();
        self.likenesses.clear();
    }

    /// Compares two names; `None` when one has no token.
    pub(super) fn compare(&mut self, a: &[Item], b: &[Item]) -> Option<Comparison> {
        if a.is_empty() || b.is_empty() {
            return None;
        }
        if a == b {
            return Some(Comparison::EXACT);
        }
        // One order for both ways round: the answer is symmetric.
        let (a, b) = if is_before(a, b) { (a, b) } else { (b, a) };
        let mut answer = self.pair_up(a, b);
        if matches!(answer.kind, Match::Different | Match::Conflicting | Match::Subset)
            && let Some((a, b)) = self.joined(a, b)
        {
            let joined = self.pair_up(&a, &b);
            if joined.similarity > answer.similarity {
                answer = joined;
            }
        }
        Some(answer)
    }

    /// Whether two names, none of them joined, can have a similarity of at least `lowest`.
    #[inline(always)]
    pub(super) fn may_reach(
        &self,
        a: (&Outline, &[Item]),
        b: (&Outline, &[Item]),
        lowest: f64,
    ) -> bool {
        // What is remembered is looked at only when the sounds leave it open.
        may_reach(a, b, lowest, |_, _, _| 1.0)
            && may_reach(a, b, lowest, |x, y, initial| self.likenesses.most(x, y, initial))
    }

    /// Fetches what is known of some tokens of two names, for a later look.
    #[inline(always)]
    pub(super) fn touch(&self, a: &Outline, b: &Outline, agreeing: Agreeing) -> u64 {
        agreeing.pairs().fold(0, |all, pair| {
            let (x, y, initial) = a.words(b, pair);
            all | self.likenesses.entry(x, y, initial)
        })
    }

    /// [`Matcher::may_reach`] of two whole outlines, when the tokens that may agree are known.
    #[inline(always)]
    pub(super) fn may_reach_with(
        &self,
        a: &Outline,
        b: &Outline,
        lowest: f64,
        agreeing: Agreeing,
    ) -> bool {
        a.may_reach(b, lowest, agreeing, |x, y, initial| self.likenesses.most(x, y, initial))
    }

    /// Pairs the tokens of two names and sums up.
    fn pair_up(&mut self, a: &[Item], b: &[Item]) -> Comparison {
        self.candidates.clear();
        for (row, x) in (0..).zip(a) {
            for (column, y) in (0..).zip(b) {
                if x.may_agree(y) {
                    let fetched = self.likenesses.fetch(x, y);
                    self.candidates.push(Candidate { row, column, fetched });
                }
            }
        }
        let pairing = &mut *self.pairing;
        pairing.begin(a.len(), b.len());
        for Candidate { row, column, fetched } in &self.candidates {
            let (i, j) = (usize::from(*row), usize::from(*column));
            let (Some(x), Some(y)) = (a.get(i), b.get(j)) else { continue };
            let likeness = if x.number == y.number {
                1.0
            } else {
                let found = fetched.likeness();
                found.unwrap_or_else(|| self.likenesses.find_out(x, y, &self.vocabulary))
            };
            let names = x.kind != Kind::Optional && y.kind != Kind::Optional;
            if likeness >= AGREES || names {
                pairing.set(i, j, likeness, likeness * (x.weight + y.weight));
            }
        }
        if !pairing.gains() {
            return Comparison::NOTHING;
        }
        pairing.solve();
        oppose(pairing, a, b);
        let mut seen = Evidence::new(a.len().min(b.len()));
        for (i, x) in a.iter().enumerate() {
            match pairing.partner(i).and_then(|j| Some((j, b.get(j)?))) {
                Some((j, y)) => seen.pair(x, y, pairing.likeness(i, j), j),
                None => seen.missing(x),
            }
        }
        for (j, y) in b.iter().enumerate() {
            if !pairing.is_taken(j) {
                seen.missing(y);
            }
        }
        seen.sum_up()
    }

    /// The names with two neighbours of one read as one token that the other has: Noor Jahan and
    /// Noorjahan.
    fn joined(&mut self, a: &[Item], b: &[Item]) -> Option<(Vec<Item>, Vec<Item>)> {
        self.join(a, b)
            .map(|a| (a, b.to_vec()))
            .or_else(|| self.join(b, a).map(|b| (a.to_vec(), b)))
    }

    fn join(&mut self, apart: &[Item], whole: &[Item]) -> Option<Vec<Item>> {
        for (k, pair) in apart.windows(2).enumerate().take(MOST) {
            let [x, y] = pair else { continue };
            let Some(candidate) = whole.iter().take(MOST).find(|z| may_join(x, y, z)) else {
                continue;
            };
            let mut alike = |x| self.likenesses.of(x, candidate, &self.vocabulary);
            if alike(x).max(alike(y)) >= AGREES {
                continue;
            }
            let word = |item: &Item| self.vocabulary.word(item.number);
            let (first, second) = (word(x)?, word(y)?);
            let text = [self.vocabulary.text(first), self.vocabulary.text(second)].concat();
            let number = self.vocabulary.number(&text, &text, Compound::None, self.frequencies);
            let known = self.vocabulary.known(number);
            let item = Item::new(&known, Role::Name, Part::Own)?;
            let joined = Item { weight: x.weight + y.weight, relative: x.relative, ..item };
            if joined.may_agree(candidate)
                && self.likenesses.of(&joined, candidate, &self.vocabulary) >= JOINED
            {
                let mut out = apart.to_vec();
                out.splice(k..k + 2, [joined]);
                return Some(out);
            }
        }
        None
    }
}

/// Whether two neighbours look like one token of another name.
#[inline(always)]
pub(super) fn may_join(x: &Item, y: &Item, whole: &Item) -> bool {
    let len = u16::from(x.len) + u16::from(y.len);
    whole.first == x.first
        && whole.last == y.last
        && u16::from(whole.len).abs_diff(len) <= SLACK
        && [x, y, whole].iter().all(|i| i.kind == Kind::Name && i.relative == x.relative)
}

/// Pairs the names that are left on both sides, in order: they contradict each other.
#[inline(always)]
fn oppose(pairing: &mut Pairing, a: &[Item], b: &[Item]) {
    let contrary = |x: &Item, y: &Item| {
        x.relative == y.relative && x.kind != Kind::Optional && y.kind != Kind::Optional
    };
    for (i, x) in a.iter().enumerate() {
        if pairing.partner(i).is_none()
            && let Some(j) = (0..b.len())
                .find(|j| !pairing.is_taken(*j) && b.get(*j).is_some_and(|y| contrary(x, y)))
        {
            pairing.pair(i, j);
        }
    }
}
