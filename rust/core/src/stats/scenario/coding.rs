//! Answers to codes, by the compiled model's own reading of them.
//!
//! A question is a plan of one term whose "points" are the numbers of its levels, so a code is a
//! score: categories, bins, ratios, widths and ranges mean here what they mean there.

use std::collections::BTreeMap;

use super::BLOCK;
use super::codes::Codes;
use crate::column::Column;
use crate::error::Error;
use crate::pmt::{Plan, Status};

/// The first code of a household that has no sub-model: its stratum is missing. The next one is of
/// a stratum that the model does not know.
pub const NO_STRATUM: u8 = 254;

/// Codes of a question before those of its levels: missing, and outside the model.
const NULLS: usize = 2;

/// A term of a sub-model, and where its codes are.
#[derive(Debug)]
pub struct Question {
    /// Plan of one term, and where its columns are among those of the model.
    pub plan: Plan,
    /// Where the columns of `plan` are among those given.
    pub columns: Vec<usize>,
    /// Sub-model, in a model with strata.
    pub stratum: Option<u8>,
    /// Code of a missing answer; the next one is of an answer outside the model, then come levels.
    pub first: u8,
    /// The numbers found, for a term that multiplies a number: their order is that of their levels.
    pub numbers: Option<Vec<f64>>,
}

/// The questions that share a slot, and its codes so far.
#[derive(Debug)]
pub struct Slot {
    /// The questions, each of another stratum.
    pub questions: Vec<Question>,
    codes: Vec<u8>,
    seen: [bool; 256],
}

impl Slot {
    /// A slot without codes.
    #[must_use]
    pub fn new(questions: Vec<Question>) -> Self {
        Self { questions, codes: vec![], seen: [false; 256] }
    }

    /// Makes room for more households.
    pub fn grow(&mut self, rows: usize) {
        self.codes.reserve_exact(rows);
        self.codes.resize(self.codes.len() + rows, 0);
    }

    /// Writes the codes of rows `start ..`, for which there is room; `strata` are those of the
    /// given rows. The number of the question that has more than a byte can tell apart, if there
    /// is one.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when a column has a type that cannot be used.
    pub fn write(
        &mut self,
        columns: &[Column<'_>],
        rows: usize,
        strata: Option<&[u8]>,
        start: usize,
    ) -> Result<Option<usize>, Error> {
        let codes = self.codes.get_mut(start..start + rows).unwrap_or(&mut []);
        for (n, question) in self.questions.iter_mut().enumerate() {
            if !question.write(columns, rows, strata, codes)? {
                return Ok(Some(n));
            }
        }
        for &code in codes.iter() {
            if let Some(seen) = self.seen.get_mut(usize::from(code)) {
                *seen = true;
            }
        }
        Ok(None)
    }
}

impl Question {
    /// Writes the codes of its stratum's rows; false when there are more than a byte can hold.
    fn write(
        &mut self,
        columns: &[Column<'_>],
        rows: usize,
        strata: Option<&[u8]>,
        codes: &mut [u8],
    ) -> Result<bool, Error> {
        let own: Vec<Column<'_>> =
            self.columns.iter().filter_map(|&c| columns.get(c).cloned()).collect();
        let bound = self.plan.bind(&own, rows)?;
        let mut dictionary = self.numbers.as_mut().map(Dictionary::new);
        let room = usize::from(u8::MAX) + 1 - NULLS - usize::from(self.first);
        let (mut levels, mut status) = ([0.0; BLOCK], [0; BLOCK]);
        for (codes, start) in codes.chunks_mut(BLOCK).zip((0..).step_by(BLOCK)) {
            let n = codes.len();
            let (levels, status) =
                (levels.get_mut(..n).unwrap_or(&mut []), status.get_mut(..n).unwrap_or(&mut []));
            status.fill(0);
            bound.score_into(start, levels, status)?;
            let strata = strata.map(|strata| strata.get(start..start + n).unwrap_or(&[]));
            for (i, (code, (&level, &status))) in
                codes.iter_mut().zip(levels.iter().zip(status.iter())).enumerate()
            {
                if strata.is_some_and(|strata| strata.get(i).copied() != self.stratum) {
                    continue;
                }
                let place = match (status, &mut dictionary) {
                    (MISSING, _) => 0,
                    (INVALID, _) => 1,
                    (_, None) => NULLS + level as usize,
                    (_, Some(dictionary)) => NULLS + dictionary.place(level),
                };
                if place >= room + NULLS {
                    return Ok(false);
                }
                *code = self.first + place as u8;
            }
        }
        Ok(true)
    }
}

const MISSING: u8 = Status::Missing as u8;
const INVALID: u8 = Status::OutOfDomain as u8;

/// The places of numbers in a list that grows.
struct Dictionary<'n> {
    numbers: &'n mut Vec<f64>,
    places: BTreeMap<u64, usize>,
    last: (u64, usize),
}

impl<'n> Dictionary<'n> {
    fn new(numbers: &'n mut Vec<f64>) -> Self {
        let places = numbers.iter().enumerate().map(|(i, x)| (x.to_bits(), i)).collect();
        Self { numbers, places, last: (f64::NAN.to_bits(), 0) } // no answer is NaN
    }

    #[inline]
    fn place(&mut self, x: f64) -> usize {
        let key = x.to_bits();
        if self.last.0 != key {
            let numbers = &mut *self.numbers;
            let place = *self.places.entry(key).or_insert_with(|| {
                numbers.push(x);
                numbers.len() - 1
            });
            self.last = (key, place);
        }
        self.last.1
    }
}

/// Codes in the making.
#[derive(Debug)]
pub struct Coder {
    /// The question that chooses the sub-model.
    pub strata: Option<Question>,
    /// The questions.
    pub slots: Vec<Slot>,
    /// What else is known of the households, and how many there are so far.
    pub codes: Codes,
}

impl Coder {
    /// Writes the strata of more households, after those there are.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when a column has a type that cannot be used.
    pub fn write_strata(&mut self, columns: &[Column<'_>], rows: usize) -> Result<(), Error> {
        let Some(question) = &mut self.strata else { return Ok(()) };
        let strata = self.codes.strata.get_or_insert_default();
        let start = strata.len();
        strata.reserve_exact(rows);
        strata.resize(start + rows, 0);
        let codes = strata.get_mut(start..).unwrap_or(&mut []);
        question.write(columns, rows, None, codes)?;
        for code in codes {
            // Missing and unknown become the last two codes.
            *code = code.wrapping_sub(NULLS as u8);
        }
        Ok(())
    }

    /// The codes, with the numbers that the questions of each slot have found.
    #[must_use]
    pub fn finish(self) -> (Codes, Vec<Vec<Option<Vec<f64>>>>) {
        let mut codes = self.codes;
        let mut numbers = vec![];
        for slot in self.slots {
            codes.slots.push(slot.codes);
            codes.seen.push(slot.seen);
            numbers.push(slot.questions.into_iter().map(|question| question.numbers).collect());
        }
        (codes, numbers)
    }
}
