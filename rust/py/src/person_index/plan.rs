//! What Python says of an index, and how its columns are wired to those it hands over.

use nser_core::link::compare::Scheme;
use nser_core::link::index::{Compared, Fault, Plan, Rule};
use serde::Deserialize;

use crate::error::Failure;
use crate::link::{ComparisonSpec, RuleSpec, WeightsSpec, scheme};

/// What Python says of an index; the file keeps it.
#[derive(Deserialize)]
pub(super) struct About {
    /// Names of the columns that Python hands over.
    pub(super) columns: Vec<String>,
    pub(super) comparisons: Vec<ComparisonSpec>,
    pub(super) rules: Vec<RuleSpec>,
    /// Most rows of a block, by rule.
    pub(super) caps: Vec<u32>,
    pub(super) weights: WeightsSpec,
}

/// How the columns that Python hands over become columns of the index.
pub(super) struct Wiring {
    /// Column handed over, and whether its identity numbers are kept or its values.
    pub(super) stored: Vec<(usize, bool)>,
    pub(super) coded: Vec<bool>,
    pub(super) rules: Vec<Rule>,
    pub(super) plan: Plan,
}

impl Wiring {
    fn new(about: &About) -> Result<Self, Failure> {
        let broken = || Failure::from(Fault::Corrupt("the plan"));
        let mut stored: Vec<(usize, bool)> = vec![];
        let mut coded = vec![];
        let mut place = |column: usize, of_numbers: bool, is_coded: bool| {
            if column >= about.columns.len() {
                return Err(broken());
            }
            let found = stored.iter().position(|one| *one == (column, of_numbers));
            let at = found.unwrap_or(stored.len());
            if found.is_none() {
                stored.push((column, of_numbers));
                coded.push(false);
            }
            coded.get_mut(at).into_iter().for_each(|coded| *coded |= is_coded);
            Ok(at)
        };
        let mut comparisons = vec![];
        if about.comparisons.len() != about.weights.comparisons.len()
            || about.rules.len() != about.caps.len()
        {
            return Err(broken());
        }
        for (spec, weights) in about.comparisons.iter().zip(&about.weights.comparisons) {
            let scheme = scheme(&spec.kind)?;
            let of_numbers = matches!(scheme, Scheme::Digits);
            let is_coded = !of_numbers || spec.rarity;
            let column = place(spec.column, of_numbers, is_coded)?;
            comparisons.push(Compared { column, scheme, weights: weights.level_weights() });
        }
        let mut rules = vec![];
        for rule in &about.rules {
            rules.push(match rule {
                RuleSpec::Equal { columns, .. } => {
                    let keys = columns.iter().map(|k| place(*k, false, true).map(|k| k as u32));
                    Rule::Equal(keys.collect::<Result<_, _>>()?)
                }
                RuleSpec::CnicWithin { column } => {
                    Rule::WithinOne(place(*column, true, false)? as u32)
                }
                RuleSpec::Near { .. } => {
                    let message = "an index has no sorted neighbourhoods";
                    return Err(Failure::domain("invalid_option", message));
                }
            });
        }
        Ok(Self { stored, coded, rules, plan: Plan { prior: about.weights.prior, comparisons } })
    }
}

pub(super) fn parse(about: &str) -> Result<(About, Wiring), Failure> {
    let found: About =
        serde_json::from_str(about).map_err(|_| Failure::from(Fault::Corrupt("the plan")))?;
    let wiring = Wiring::new(&found)?;
    Ok((found, wiring))
}
