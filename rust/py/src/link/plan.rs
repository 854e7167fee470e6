//! What Python says of a plan, and what it means to the core.

use nser_core::link::compare::{DateLevel, Measure, NameLevel, NumberLevel, Scheme, SetLevel};
use nser_core::text::{Distance, Edit, Grams, Metric, Overlap, Similarity};
use serde::Deserialize;

use crate::error::Failure;
use crate::name_similarity::Counts;

#[derive(Deserialize)]
pub(super) struct Plan {
    /// Rows of the left frame, when there are two.
    pub(super) left: Option<u32>,
    pub(super) comparisons: Vec<ComparisonSpec>,
    pub(super) rules: Vec<RuleSpec>,
}

/// A comparison of a plan.
#[derive(Deserialize)]
pub struct ComparisonSpec {
    pub column: usize,
    /// Whether how rare values are will be asked for.
    pub rarity: bool,
    #[serde(flatten)]
    pub kind: KindSpec,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KindSpec {
    Exact,
    Cnic,
    Name {
        levels: Vec<NameSpec>,
        /// How common tokens are; those of the package without.
        token_frequencies: Option<Counts>,
    },
    Similarity {
        metric: String,
        cutoffs: Vec<f64>,
    },
    Distance {
        metric: String,
        cutoffs: Vec<u32>,
    },
    Date {
        levels: Vec<DateSpec>,
    },
    Number {
        levels: Vec<NumberSpec>,
    },
    Set {
        levels: Vec<SetSpec>,
    },
}

#[derive(Deserialize)]
pub struct NameSpec {
    least: f64,
    code: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateSpec {
    DayMonthSwap,
    OneSlip,
    SameYearHeaped,
    SameYear,
    Days(u32),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NumberSpec {
    Within(f64),
    WithinShare(f64),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetSpec {
    Shares(u32),
    Jaccard(f64),
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RuleSpec {
    Equal { columns: Vec<usize>, max_block: Option<u32> },
    Near { column: usize, window: u32 },
    CnicWithin { column: usize },
}

pub(super) fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::internal("a plan of linkage is not valid"))
}

/// How the values of a comparison are compared.
pub fn scheme(spec: &KindSpec) -> Result<Scheme, Failure> {
    Ok(match spec {
        KindSpec::Exact => Scheme::Exact,
        KindSpec::Cnic => Scheme::Digits,
        KindSpec::Name { levels, .. } => {
            Scheme::Name(levels.iter().map(name_level).collect::<Result<_, _>>()?)
        }
        KindSpec::Similarity { metric, cutoffs } => {
            let lowest = cutoffs.iter().copied().fold(1.0, f64::min);
            let similarity = Similarity::new(self::metric(metric)?).with_cutoff(lowest);
            Scheme::Text(Measure::Similarity(similarity, cutoffs.clone()))
        }
        KindSpec::Distance { metric, cutoffs } => {
            let most = cutoffs.iter().copied().max().unwrap_or(0);
            let distance = Distance::new(edit(metric)?).with_cutoff(most);
            Scheme::Text(Measure::Distance(distance, cutoffs.clone()))
        }
        KindSpec::Date { levels } => {
            let level = |level: &DateSpec| match level {
                DateSpec::DayMonthSwap => DateLevel::DayMonthSwap,
                DateSpec::OneSlip => DateLevel::OneSlip,
                DateSpec::SameYearHeaped => DateLevel::SameYearHeaped,
                DateSpec::SameYear => DateLevel::SameYear,
                DateSpec::Days(days) => DateLevel::Days(*days),
            };
            Scheme::Date(levels.iter().map(level).collect())
        }
        KindSpec::Number { levels } => {
            let level = |level: &NumberSpec| match level {
                NumberSpec::Within(most) => NumberLevel::Within(*most),
                NumberSpec::WithinShare(most) => NumberLevel::WithinShare(*most),
            };
            Scheme::Number(levels.iter().map(level).collect())
        }
        KindSpec::Set { levels } => {
            let level = |level: &SetSpec| match level {
                SetSpec::Shares(least) => SetLevel::Shares(*least),
                SetSpec::Jaccard(least) => SetLevel::Jaccard(*least),
            };
            Scheme::Set(levels.iter().map(level).collect())
        }
    })
}

fn name_level(spec: &NameSpec) -> Result<NameLevel, Failure> {
    use nser_core::name::Match;
    let find = |code: &String| {
        let found = Match::NAMES.iter().find(|(_, name)| name == code);
        found.map(|(kind, _)| *kind).ok_or_else(|| Failure::internal("there is no such match code"))
    };
    Ok(NameLevel { least: spec.least, code: spec.code.as_ref().map(find).transpose()? })
}

fn metric(name: &str) -> Result<Metric, Failure> {
    Ok(match name {
        "jaro" => Metric::Jaro,
        "jaro_winkler" => Metric::JaroWinkler,
        "token_sort" => Metric::TokenSort,
        "token_set" => Metric::TokenSet,
        "jaccard" => Metric::Grams(Overlap::Jaccard, bigrams()?),
        "dice" => Metric::Grams(Overlap::Dice, bigrams()?),
        other => Metric::Edit(edit(other)?),
    })
}

fn bigrams() -> Result<Grams, Failure> {
    Grams::new(2, false, false).ok_or_else(|| Failure::internal("no q-grams of that length"))
}

fn edit(name: &str) -> Result<Edit, Failure> {
    match name {
        "levenshtein" => Ok(Edit::Levenshtein),
        "osa" => Ok(Edit::Osa),
        "damerau_levenshtein" => Ok(Edit::DamerauLevenshtein),
        _ => Err(Failure::internal("there is no such measure")),
    }
}
