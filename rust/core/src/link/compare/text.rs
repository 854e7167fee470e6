//! Texts, by any similarity or distance of [`crate::text`].

use super::{NULL, Pairs};
use crate::column::Codes as Places;
use crate::isa::Isa;
use crate::link::encode::{self, Codes};
use crate::text::{Distance, Side, Similarity};

/// The measure, and what it must reach at each level between equal and everything else.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// At least these similarities, highest first. What is below the last need not be computed.
    Similarity(Similarity, Vec<f64>),
    /// At most these distances, lowest first.
    Distance(Distance, Vec<u32>),
}

impl Measure {
    pub(super) fn levels(&self) -> usize {
        match self {
            Self::Similarity(_, levels) => levels.len(),
            Self::Distance(_, levels) => levels.len(),
        }
    }
}

/// A text for each row, each distinct one kept once.
#[derive(Debug)]
pub struct Texts {
    /// Codes of the rows.
    pub codes: Codes,
    /// Texts of the codes.
    pub texts: encode::Texts,
    /// How they are compared.
    pub measure: Measure,
}

/// Buffers for pairs.
#[derive(Debug)]
pub(super) struct TextRoom {
    isa: Isa,
    left: Vec<u32>,
    right: Vec<u32>,
    similarities: Vec<f64>,
    distances: Vec<u32>,
}

impl TextRoom {
    pub(super) fn new(isa: Isa) -> Self {
        let (left, right, similarities, distances) = Default::default();
        Self { isa, left, right, similarities, distances }
    }
}

impl Texts {
    pub(super) fn fill(&self, pairs: Pairs<'_>, room: &mut TextRoom, out: &mut [u8]) {
        let code = |row: usize| self.codes.rows.get(row).copied().unwrap_or(NULL);
        room.left.clear();
        room.right.clear();
        for (a, b) in pairs.iter() {
            room.left.push(code(a));
            room.right.push(code(b));
        }
        let strings = self.texts.strings();
        let (left, right) = (Places::U32(&room.left), Places::U32(&room.right));
        let (left, right) = (Side::Coded(&left, &strings), Side::Coded(&right, &strings));
        match &self.measure {
            Measure::Similarity(similarity, least) => {
                room.similarities.resize(pairs.len(), 0.0);
                similarity.fill(room.isa, &left, &right, &mut room.similarities);
                for (to, found) in out.iter_mut().zip(&room.similarities) {
                    *to = level(least, |least| found >= least);
                }
            }
            Measure::Distance(distance, most) => {
                room.distances.resize(pairs.len(), 0);
                distance.fill(room.isa, &left, &right, &mut room.distances);
                for (to, found) in out.iter_mut().zip(&room.distances) {
                    *to = level(most, |most| found <= most);
                }
            }
        }
    }
}

/// The first level that holds, or the one for everything else.
fn level<T>(levels: &[T], holds: impl Fn(&T) -> bool) -> u8 {
    levels.iter().position(holds).unwrap_or(levels.len()) as u8 + 2
}
