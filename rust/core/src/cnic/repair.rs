//! Which number was meant: Bayes over every number that one slip turns into what was written.
//!
//! posterior ~ channel (how people mistype) x prior of the number (prefix table, fourth digit, last
//! digit, registry) x sex x evidence about the person. That nothing is wrong is one of the
//! hypotheses, and so is an error in several digits; neither is ever a candidate.

use super::channel::{self, Source};
use super::digits::{POW10, fourth_digit, pow10};
use super::edit::Edit;
use super::index::Index;
use super::kind::{Issue, Kind, Sex, named};
use super::prefix::PrefixTable;
use super::read::Reading;

/// Share of genuine numbers whose prefix is in the table. Of 2,464 numbers on a published list, 10
/// had a fourth digit of 0 and a prefix outside the first table; the prefixes of at least 7 of them
/// are in it now.
const LISTED: f64 = 0.998_9;
/// Of the others: three digits as in the table, fourth digit 0, and any prefix at all.
const IN_KNOWN_GROUP: f64 = 0.000_7;
const IN_NEW_GROUP: f64 = 0.000_3;
const ANYWHERE: f64 = 0.000_1;
/// Share of genuine numbers that end in 0.
const ENDS_IN_0: f64 = 0.001;
/// Share of people whose last digit contradicts their recorded sex.
const SEX_WRONG: f64 = 0.005;
/// Candidates below this are not worth a look.
const LEAST_POSTERIOR: f64 = 0.001;

named! {
    /// Why there are candidates, or none.
    Outcome {
        /// The first candidate reaches the threshold.
        Found = "found",
        /// No candidate reaches the threshold: the likeliest reading is that nothing is wrong.
        Plausible = "plausible",
        /// As `plausible`, and the number is in the registry.
        Registered = "registered",
        /// No candidate reaches the threshold, but something is wrong.
        Ambiguous = "ambiguous",
        /// The best candidate is the number of a registered person, and nothing but the digits says
        /// that it is the same person.
        RegisteredNeighbour = "registered_neighbour",
        /// There is no number to repair: missing, a dummy, another document, digits lost.
        NotRepairable = "not_repairable",
    }
}

/// A number that may have been meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate {
    /// Thirteen digits.
    pub number: u64,
    /// Probability in [0, 1], given what was written and all that is known.
    pub posterior: f64,
    /// The slip that makes what was written of this number.
    pub edit: Edit,
}

/// Candidates, the likeliest first, and why there are no more.
#[derive(Debug, Clone, PartialEq)]
pub struct Repair {
    /// Empty unless the outcome is [`Outcome::Found`].
    pub candidates: Vec<Candidate>,
    /// Why.
    pub outcome: Outcome,
}

/// The model and its settings.
#[derive(Debug, Clone, Copy)]
pub struct Repairer<'a> {
    /// Prefixes.
    pub table: &'a PrefixTable,
    /// Numbers of a registry, when there is one.
    pub index: Option<&'a Index>,
    /// Share of numbers that are written wrongly.
    pub error_rate: f64,
    /// Share of people who are in the registry.
    pub coverage: f64,
    /// Least posterior of the first candidate.
    pub threshold: f64,
    /// Most candidates.
    pub limit: usize,
}

impl Repairer<'_> {
    /// Candidates for what was read. `sex`: as recorded of the person. `evidence`: log likelihood
    /// ratio of the person being the one registered under a number; `None` when nothing is known.
    #[must_use]
    pub fn repair(
        &self,
        reading: &Reading,
        sex: Option<Sex>,
        evidence: impl Fn(u64) -> Option<f64>,
    ) -> Repair {
        let none = |outcome| Repair { candidates: vec![], outcome };
        let usable = match (reading.kind, reading.issue) {
            (Kind::Cnic, _) => true,
            (Kind::Malformed, Issue::OcrLetters) => reading.digits.len == 13,
            (Kind::Malformed, Issue::DigitMissing | Issue::DigitExtra) => true,
            _ => false,
        };
        if !usable {
            return none(Outcome::NotRepairable);
        }
        let written = reading.digits;
        // Without a registry or a sex a clean number stands: the error rate times all its neighbours
        // is far below a half of its own weight.
        let clean = reading.kind == Kind::Cnic
            && (self.index.is_none() && sex.is_none())
            && self.error_rate <= 0.1
            && self.threshold >= 0.2
            && self.table.judge(reading, None).issue == Issue::None;
        if clean {
            return none(Outcome::Plausible);
        }
        let weigh = |source: &Source| {
            let known =
                if self.is_registered(source.number) { evidence(source.number) } else { None };
            source.likelihood
                * self.prior(source.number)
                * sex.map_or(1.0, |sex| sex_likelihood(source.number, sex))
                * known.map_or(1.0, f64::exp)
        };
        let sources = channel::sources(written, self.error_rate);
        // Digits from nowhere are equally likely.
        let unexplained = self.error_rate * channel::OTHER / pow10(written.len) as f64;
        let weights: Vec<f64> = sources.iter().map(weigh).collect();
        let total = weights.iter().fold(unexplained, |sum, weight| sum + weight);
        let mut genuine = 0.0;
        let mut candidates = vec![];
        for (source, weight) in sources.iter().zip(&weights) {
            let posterior = weight / total;
            if source.edit == Edit::Equal {
                genuine = posterior;
            } else if posterior >= LEAST_POSTERIOR {
                let Source { number, edit, .. } = *source;
                candidates.push(Candidate { number, posterior, edit });
            }
        }
        // Ties in the order of the numbers: the sort is stable.
        candidates.sort_by(|a, b| b.posterior.total_cmp(&a.posterior));
        match candidates.first() {
            Some(best) if best.posterior >= self.threshold => {
                let supported = evidence(best.number).is_some_and(|ratio| ratio > 0.0);
                if self.is_registered(best.number) && !supported {
                    return none(Outcome::RegisteredNeighbour);
                }
                candidates.truncate(self.limit);
                Repair { candidates, outcome: Outcome::Found }
            }
            best if best.is_none_or(|best| genuine >= best.posterior) && genuine > 0.0 => {
                let registered = self.is_registered(written.value);
                none(if registered { Outcome::Registered } else { Outcome::Plausible })
            }
            _ => none(Outcome::Ambiguous),
        }
    }

    fn is_registered(&self, number: u64) -> bool {
        self.index.is_some_and(|index| index.contains(number))
    }

    /// Probability of drawing this number among all genuine ones.
    fn prior(&self, number: u64) -> f64 {
        match self.index {
            Some(index) if index.contains(number) => self.coverage / index.len() as f64,
            Some(index) if !index.is_empty() => (1.0 - self.coverage) * self.issued(number),
            _ => self.issued(number),
        }
    }

    /// Probability of this number among all that have been issued.
    fn issued(&self, number: u64) -> f64 {
        if number < POW10[12] {
            return 0.0; // none starts with 0
        }
        let groups = self.table.group_count() as f64;
        let listed = self.table.len() as f64;
        let prefix = if self.table.find(number) != 0 {
            LISTED / listed
        } else if fourth_digit(number) != 0 {
            ANYWHERE / 81_000.0
        } else if self.table.has_group(number) {
            IN_KNOWN_GROUP / (groups * 10.0 - listed).max(1.0)
        } else {
            IN_NEW_GROUP / (9_000.0 - groups * 10.0).max(1.0)
        };
        let last = if number.is_multiple_of(10) { ENDS_IN_0 } else { (1.0 - ENDS_IN_0) / 9.0 };
        prefix * last / POW10[7] as f64
    }
}

fn sex_likelihood(number: u64, sex: Sex) -> f64 {
    if Sex::of_number(number) == sex { 1.0 - SEX_WRONG } else { SEX_WRONG }
}
