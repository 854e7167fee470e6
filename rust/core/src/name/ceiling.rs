//! What the similarity of two names can be at most, seen from their tokens one by one: most pairs of
//! names of different persons are told apart without a pairing.
//!
//! A similarity of `s` is agreement in parts of all evidence, so `(1 - s) agree - s (against + lacking)`
//! is zero; for a lower `s` it is more. The two tokens of a pair share its evidence evenly. Each token
//! then adds the best of being left out and of its likeliest partner, whoever else wants that
//! partner; when even that sum is below zero, the similarity is below `s`.

use super::assign::MOST;
use super::evidence::{contradiction, missing};
use super::item::{Item, Kind};
use super::matcher::may_join;
use super::sounds::Sounds;

/// Room for rounding, in parts of the weight of all tokens: weights have 24 bits here.
const ROUNDING: f64 = 1e-6;
/// Tokens of an [`Outline`]; few names have more.
const FEW: usize = 4;

/// Tokens of two whole outlines that may agree: bit `FEW i + j` for token `i` of one and `j` of the
/// other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Agreeing(u16);

impl Agreeing {
    #[inline(always)]
    pub(super) fn pairs(self) -> impl Iterator<Item = (usize, usize)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let bit = rest.trailing_zeros() as usize;
            rest = rest.checked_sub(1)? & rest;
            Some((bit / FEW, bit % FEW))
        })
    }
}

/// What a first look at a name needs, in one line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Outline {
    tokens: [Token; FEW],
    ends: Ends,
    /// Number of its first item among those of all names.
    pub start: u32,
    sorts: Sorts,
    /// Tokens; those beyond [`FEW`] are not here.
    pub len: u8,
}

/// A token, as far as a first look needs it.
#[derive(Debug, Clone, Copy, Default)]
struct Token {
    number: u32,
    weight: f32,
    sounds: Sounds,
}

impl Token {
    fn of(item: &Item) -> Self {
        Self { number: item.number, weight: item.weight as f32, sounds: item.sounds }
    }
}

fn all_tokens(items: &[Item]) -> impl Iterator<Item = (Token, Sort)> + Clone {
    items.iter().map(|item| (Token::of(item), sort(item)))
}

/// Bits of what a token is.
type Sort = u8;
const RELATIVE: Sort = 1;
const INITIAL: Sort = 2;
const OWN_NAME: Sort = 4;

/// What each of [`FEW`] tokens is, four bits each.
#[derive(Debug, Clone, Copy, Default)]
struct Sorts(u16);

impl Sorts {
    fn set(&mut self, k: usize, sort: Sort) {
        self.0 |= u16::from(sort) << (4 * k);
    }

    #[inline(always)]
    fn iter(self) -> impl Iterator<Item = Sort> {
        (0..FEW).map(move |k| self.of(k))
    }

    #[inline(always)]
    fn of(self, k: usize) -> Sort {
        (self.0 >> (4 * k) & 15) as Sort
    }
}

fn sort(item: &Item) -> Sort {
    let bit = |is: bool, bit: Sort| if is { bit } else { 0 };
    bit(item.relative, RELATIVE)
        | bit(item.is_initial(), INITIAL)
        | bit(item.kind == Kind::Name && !item.relative, OWN_NAME)
}

impl Outline {
    /// Of a name whose items begin at `start`.
    pub(super) fn new(items: &[Item], start: usize) -> Self {
        let mut outline = Self {
            tokens: Default::default(),
            ends: Ends::of(items),
            start: start as u32,
            len: items.len() as u8,
            sorts: Default::default(),
        };
        for (k, (to, (token, sort))) in outline.tokens.iter_mut().zip(all_tokens(items)).enumerate()
        {
            *to = token;
            outline.sorts.set(k, sort);
        }
        outline
    }

    /// Whether all its tokens are here.
    #[inline(always)]
    pub(super) fn is_whole(&self) -> bool {
        usize::from(self.len) <= FEW
    }

    /// Which tokens of two whole outlines may agree.
    #[inline(always)]
    pub(super) fn agreeing(&self, other: &Self) -> Agreeing {
        let mut bits = 0;
        for (i, (x, of_x)) in (0..self.len).zip(self.tokens.iter().zip(self.sorts.iter())) {
            for (j, (y, of_y)) in (0..other.len).zip(other.tokens.iter().zip(other.sorts.iter())) {
                let initial = (of_x | of_y) & INITIAL != 0;
                let alike = initial | x.sounds.agree(y.sounds);
                let agree = alike & ((of_x ^ of_y) & RELATIVE == 0);
                bits |= u16::from(agree) << (FEW as u8 * i + j);
            }
        }
        Agreeing(bits)
    }

    /// The words of two tokens, and whether one is an initial.
    #[inline(always)]
    pub(super) fn words(&self, other: &Self, (i, j): (usize, usize)) -> (u32, u32, bool) {
        let number = |outline: &Self, k: usize| outline.tokens.get(k).map_or(0, |t| t.number);
        let initial = (self.sorts.of(i) | other.sorts.of(j)) & INITIAL != 0;
        (number(self, i), number(other, j), initial)
    }

    /// [`may_reach`] of two whole outlines, when the tokens that may agree are known.
    #[inline(always)]
    pub(super) fn may_reach(
        &self,
        other: &Self,
        lowest: f64,
        agreeing: Agreeing,
        most: impl Fn(u32, u32, bool) -> f64,
    ) -> bool {
        let mut tops = [[0.0_f64; FEW]; 2];
        for (i, j) in agreeing.pairs() {
            let (x, y, initial) = self.words(other, (i, j));
            let here = if x == y { 1.0 } else { most(x, y, initial) };
            let [of_self, of_other] = &mut tops;
            for top in of_self.get_mut(i).into_iter().chain(of_other.get_mut(j)) {
                *top = top.max(here);
            }
        }
        let mut sum = Sum::new(lowest, self.len.min(other.len));
        for (outline, tops) in [self, other].into_iter().zip(tops) {
            let tokens = outline.tokens.into_iter().zip(outline.sorts.iter());
            for (token, top) in tokens.zip(tops).take(outline.len.into()) {
                sum.add(token, top);
            }
        }
        sum.is_enough()
    }
}

/// Whether two names, none of them joined, can have a similarity of at least `lowest`: true for names
/// of very many tokens. `most` says what two words of these numbers are alike at most, its last
/// argument whether one is an initial.
#[inline(always)]
pub(super) fn may_reach(
    a: (&Outline, &[Item]),
    b: (&Outline, &[Item]),
    lowest: f64,
    most: impl Fn(u32, u32, bool) -> f64,
) -> bool {
    let sum = Sum::new(lowest, a.0.len.min(b.0.len));
    let (x, y) = (all_tokens(a.1), all_tokens(b.1));
    a.1.len().max(b.1.len()) > MOST || sum.may_reach(x, y, most)
}

/// What tokens add at most.
struct Sum {
    lowest: f64,
    more: f64,
    sum: f64,
    all: f64,
}

impl Sum {
    #[inline(always)]
    fn new(lowest: f64, shorter: u8) -> Self {
        let more = contradiction(shorter.into());
        Self { lowest: lowest.clamp(0.0, 1.0), more, sum: 0.0, all: 0.0 }
    }

    /// A token with a partner that is so like it at most.
    #[inline(always)]
    fn add(&mut self, (token, sort): (Token, Sort), top: f64) {
        let Self { lowest, more, .. } = *self;
        let weight = f64::from(token.weight);
        let partner = (top * (1.0 - lowest + lowest * more) - lowest * more) / 2.0;
        self.sum += weight * partner.max(-lowest * missing(sort & OWN_NAME != 0));
        self.all += weight;
    }

    /// Takes in all tokens of two names, of at most [`MOST`].
    #[inline(always)]
    fn may_reach(
        mut self,
        a: impl Iterator<Item = (Token, Sort)>,
        b: impl Iterator<Item = (Token, Sort)> + Clone,
        most: impl Fn(u32, u32, bool) -> f64,
    ) -> bool {
        let mut tops = [0.0_f64; MOST];
        for (x, of_x) in a {
            let mut top = 0.0_f64;
            for ((y, of_y), other) in b.clone().zip(&mut tops) {
                let initial = (of_x | of_y) & INITIAL != 0;
                if (of_x ^ of_y) & RELATIVE == 0 && (initial || x.sounds.agree(y.sounds)) {
                    let same = x.number == y.number;
                    let here = if same { 1.0 } else { most(x.number, y.number, initial) };
                    top = top.max(here);
                    *other = other.max(here);
                }
            }
            self.add((x, of_x), top);
        }
        for (y, top) in b.zip(tops) {
            self.add(y, top);
        }
        self.is_enough()
    }

    #[inline(always)]
    fn is_enough(&self) -> bool {
        // What is no number is not below.
        let below = self.sum.partial_cmp(&(-ROUNDING * self.all));
        below != Some(std::cmp::Ordering::Less)
    }
}

/// Ends of words, hashed to one bit each: of the names of a name, and of two neighbours together.
#[derive(Debug, Clone, Copy, Default)]
struct Ends {
    names: u32,
    neighbours: u32,
}

impl Ends {
    fn of(items: &[Item]) -> Self {
        let bit = |first: &Item, last: &Item| {
            let mixed = u32::from(first.first) * 0x9E37 + u32::from(last.last) * 0x85EB;
            1 << (mixed >> 7 & 31)
        };
        let names = items.iter().filter(|item| item.kind == Kind::Name);
        let neighbours = items.windows(2).filter_map(|pair| match pair {
            [x, y] => Some(bit(x, y)),
            _ => None,
        });
        Self {
            names: names.fold(0, |bits, item| bits | bit(item, item)),
            neighbours: neighbours.fold(0, |bits, bit| bits | bit),
        }
    }

    /// Whether two neighbours of one may be a name of the other; false is certain.
    #[inline(always)]
    fn may_join(self, other: Self) -> bool {
        (self.names & other.neighbours) | (other.names & self.neighbours) != 0
    }
}

/// Whether two neighbours of one name look like a token of the other.
#[inline(always)]
pub(super) fn may_be_joined(a: (&Outline, &[Item]), b: (&Outline, &[Item])) -> bool {
    let one_way = |apart: &[Item], whole: &[Item]| {
        apart.windows(2).any(|pair| match pair {
            [x, y] => whole.iter().any(|z| may_join(x, y, z)),
            _ => false,
        })
    };
    a.0.ends.may_join(b.0.ends) && (one_way(a.1, b.1) || one_way(b.1, a.1))
}
