//! On which side of a cut-off a household lies.

use super::codes::Codes;
use super::formula::Formula;
use super::sums::INVALID;
use super::tally::{IN, NULL, OUT};
use crate::isa::Isa;
use crate::stats::cpu::{Kernel, run};

/// Which scores are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Up to and with the cut-off.
    AtMost,
    /// Below it.
    Below,
    /// From the cut-off up.
    AtLeast,
    /// Above it.
    Above,
}

/// A cut-off on the score.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cutoff {
    /// The score.
    pub value: f64,
    /// Who is in.
    pub side: Side,
}

impl Cutoff {
    /// Whether a score is in.
    #[must_use]
    #[inline]
    pub fn admits(self, score: f64) -> bool {
        match self.side {
            Side::AtMost => score <= self.value,
            Side::Below => score < self.value,
            Side::AtLeast => score >= self.value,
            Side::Above => score > self.value,
        }
    }
}

/// The fixed-point sums, both ends with them, that are surely in and surely out. For the sums
/// between, a household's doubles decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sides {
    inside: [i32; 2],
    outside: [i32; 2],
}

/// No sum at all.
const NOTHING: [i32; 2] = [i32::MAX, i32::MIN];

/// A cut-off on fixed-point sums, for each sub-model.
#[derive(Debug)]
pub struct Line<'f> {
    formula: &'f Formula,
    cutoff: Cutoff,
    sides: Vec<Sides>,
    isa: Isa,
}

/// To be asked of the doubles.
const ASK: u8 = 3;

impl<'f> Line<'f> {
    /// The cut-off for the households of a formula.
    #[must_use]
    pub fn new(formula: &'f Formula, cutoff: Cutoff) -> Self {
        let sides = (0..formula.models()).map(|model| sides(formula, model, cutoff)).collect();
        Self { formula, cutoff, sides, isa: Isa::best() }
    }

    /// The same, on a given instruction set; unchanged when the CPU does not have it.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        if isa.is_available() {
            self.isa = isa;
        }
        self
    }

    /// Puts [`NULL`], [`OUT`] or [`IN`] for rows `start ..`; `sums` are all the sums.
    pub fn classify(&self, codes: &Codes, sums: &[i32], start: usize, classes: &mut [u8]) {
        let own = sums.get(start..start + classes.len()).unwrap_or(&[]);
        match (&codes.strata, self.sides.as_slice()) {
            (None, [sides, ..]) => run(self.isa, Classify { sides: *sides, sums: own, classes }),
            (Some(strata), sides) => {
                let strata = strata.get(start..).unwrap_or(&[]);
                for (class, (&sum, &stratum)) in classes.iter_mut().zip(own.iter().zip(strata)) {
                    *class = sides.get(usize::from(stratum)).map_or(NULL, |sides| sides.of(sum));
                }
            }
            (None, []) => classes.fill(NULL),
        }
        if !classes.contains(&ASK) {
            return;
        }
        for (i, class) in classes.iter_mut().enumerate() {
            if *class == ASK {
                let score = self.formula.score_row(codes, start + i);
                *class = score.map_or(NULL, |score| self.class(score));
            }
        }
    }

    fn class(&self, score: f64) -> u8 {
        if self.cutoff.admits(score) { IN } else { OUT }
    }
}

impl Sides {
    #[inline(always)]
    fn of(self, sum: i32) -> u8 {
        let within = |[low, high]: [i32; 2]| i32::from((sum >= low) & (sum <= high));
        let (inside, outside) = (within(self.inside), within(self.outside));
        // In and out never hold together, and no sum that means null lies in either.
        let ask = i32::from(sum > INVALID) & !(inside | outside);
        (inside * i32::from(IN) + outside * i32::from(OUT) + ask * i32::from(ASK)) as u8
    }
}

/// Sides of many sums.
struct Classify<'a> {
    sides: Sides,
    sums: &'a [i32],
    classes: &'a mut [u8],
}

impl Kernel for Classify<'_> {
    type Out = ();

    #[inline(always)]
    fn run<const TILE: usize>(self) {
        for (class, &sum) in self.classes.iter_mut().zip(self.sums) {
            *class = self.sides.of(sum);
        }
    }
}

/// Steps are monotone, so the sums whose score is surely on one side are neighbours.
fn sides(formula: &Formula, model: usize, cutoff: Cutoff) -> Sides {
    let [first, last] = formula.reach;
    let score = |sum: i32, end: usize| {
        let raw = formula.raw(model, sum);
        formula.scaled(model, raw.get(end).copied().unwrap_or(f64::NAN))
    };
    let ends = [score(first, 0), score(last, 1)];
    if !ends.iter().all(|end| end.is_finite()) {
        return Sides { inside: NOTHING, outside: NOTHING };
    }
    let [first_in, last_in] = ends.map(|end| cutoff.admits(end));
    // The sums that belong where the first one does, as far as both of its doubles do.
    let same = |sum: i32| (0..2).all(|end| cutoff.admits(score(sum, end)) == first_in);
    let other = |sum: i32| (0..2).all(|end| cutoff.admits(score(sum, end)) == last_in);
    let all = [first, last];
    let (lower, upper) = if first_in == last_in {
        (all, NOTHING)
    } else {
        let end = first_where(all, |sum| !same(sum));
        let start = first_where(all, other);
        let (first, last) = (i64::from(first), i64::from(last));
        (range(first, end - 1), range(start, last))
    };
    if first_in {
        Sides { inside: lower, outside: upper }
    } else {
        Sides { inside: upper, outside: lower }
    }
}

fn range(from: i64, to: i64) -> [i32; 2] {
    match (i32::try_from(from), i32::try_from(to)) {
        (Ok(from), Ok(to)) if from <= to => [from, to],
        _ => NOTHING,
    }
}

/// The first sum for which `holds`, which never stops to hold; one above the last if there is none.
fn first_where([first, last]: [i32; 2], holds: impl Fn(i32) -> bool) -> i64 {
    let (mut low, mut high) = (i64::from(first), i64::from(last) + 1);
    while low < high {
        let middle = (low + high).div_euclid(2);
        if i32::try_from(middle).is_ok_and(&holds) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::super::sample::{PARTS, STEPS, codes, formula};
    use super::super::sums::sums_into;
    use super::*;

    #[test]
    fn every_row_lies_where_its_own_score_does() {
        let codes = codes(5000, 7);
        for (parts, steps) in PARTS.iter().flat_map(|parts| STEPS.map(|steps| (*parts, steps))) {
            let formula = formula(&codes, parts, 0, steps);
            let mut sums = vec![0; codes.rows];
            sums_into(&formula, &codes, 0, &mut sums, Isa::best());
            let scores: Vec<_> =
                (0..codes.rows).map(|row| formula.score_row(&codes, row)).collect();
            // Scores that occur, their neighbours, and what lies beyond all.
            let some: Vec<f64> = scores.iter().flatten().step_by(400).copied().collect();
            let near = some.iter().flat_map(|s| [s.next_down(), *s, s.next_up()]);
            for value in near.chain([f64::NEG_INFINITY, f64::INFINITY]) {
                for side in [Side::AtMost, Side::Below, Side::AtLeast, Side::Above] {
                    let cutoff = Cutoff { value, side };
                    for isa in Isa::available() {
                        let line = Line::new(&formula, cutoff).with_isa(isa);
                        let mut classes = vec![9; codes.rows];
                        line.classify(&codes, &sums, 0, &mut classes);
                        let class = |score: &Option<f64>| score.map_or(NULL, |s| line.class(s));
                        assert!(classes.iter().copied().eq(scores.iter().map(class)));
                    }
                }
            }
        }
    }

    #[test]
    fn sums_that_doubles_hold_never_ask() {
        let codes = codes(100, 5);
        let formula = formula(&codes, 2.0, 0, "");
        assert!(formula.is_exact());
        let [first, last] = formula.reach;
        let sides = sides(&formula, 0, Cutoff { value: 20.0, side: Side::AtMost });
        assert_eq!((sides.inside[0], sides.outside[1]), (first, last));
        assert_eq!(sides.inside[1] + 1, sides.outside[0]);
    }
}
