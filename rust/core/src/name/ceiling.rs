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

/// Room for rounding, in parts of the weight of all tokens.
const ROUNDING: f64 = 1e-9;

/// Whether two names, none of them joined, can have a similarity of at least `lowest`; `most` says
/// what two tokens of different words are alike at most.
#[inline(always)]
pub(super) fn may_reach(
    a: &[Item],
    b: &[Item],
    lowest: f64,
    most: impl Fn(&Item, &Item) -> f64,
) -> bool {
    if a.len().max(b.len()) > MOST {
        return true;
    }
    let (least, more) = (lowest.clamp(0.0, 1.0), contradiction(a.len().min(b.len())));
    let (mut sum, mut all) = (0.0, 0.0);
    let mut add = |item: &Item, top: f64| {
        let partner = (top * (1.0 - least + least * more) - least * more) / 2.0;
        sum += item.weight * partner.max(-least * missing(item));
        all += item.weight;
    };
    let mut others = [0.0_f64; MOST];
    for x in a {
        let mut top = 0.0_f64;
        for (y, other) in b.iter().zip(&mut others) {
            if x.may_agree(y) {
                let here = if x.number == y.number { 1.0 } else { most(x, y) };
                top = top.max(here);
                *other = other.max(here);
            }
        }
        add(x, top);
    }
    for (y, top) in b.iter().zip(&others) {
        add(y, *top);
    }
    // What is no number is not below.
    !(sum < -ROUNDING * all)
}

/// Ends of words, hashed to one bit each: of the names of a name, and of two neighbours together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ends {
    names: u32,
    neighbours: u32,
}

impl Ends {
    pub(super) fn of(items: &[Item]) -> Self {
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
pub(super) fn may_be_joined(a: (&[Item], Ends), b: (&[Item], Ends)) -> bool {
    let one_way = |apart: &[Item], whole: &[Item]| {
        apart.windows(2).any(|pair| match pair {
            [x, y] => whole.iter().any(|z| may_join(x, y, z)),
            _ => false,
        })
    };
    a.1.may_join(b.1) && (one_way(a.0, b.0) || one_way(b.0, a.0))
}
