//! Columns and a plan made ready: values as codes, comparisons, blocks.

use std::sync::Arc;

use nser_core::isa::Isa;
use nser_core::link::block::{Blocking, Rows, Rule};
use nser_core::link::compare::{Comparison, Dates, IdentityNumbers, Names, Numbers, Scheme, Texts};
use nser_core::link::encode::{self, Codes};
use nser_core::link::packed::PackedDigits;
use nser_core::link::{self, frequency};
use nser_core::name::NameDictionary;

use super::columns::Encoded;
use super::plan::{KindSpec, Plan, RuleSpec, scheme};
use crate::arrow::Chunked;
use crate::error::Failure;
use crate::runtime::{RunState, for_each_job};

pub(super) struct Prepared {
    pub(super) linker: link::Linker<'static>,
    /// For each comparison, the share of pairs that agree exactly, and whether it is known how rare
    /// values are.
    pub(super) agreement: Vec<Option<f64>>,
    pub(super) has_rarity: Vec<bool>,
    pub(super) isa: Isa,
    pub(super) threads: usize,
}

pub(super) fn prepare(
    plan: &Plan,
    columns: &[Chunked],
    rows: usize,
    threads: usize,
    state: &RunState,
) -> Result<Prepared, Failure> {
    let too_many = || Failure::schema("id", "expected less than 2^32 - 2 rows");
    let all = u32::try_from(rows).ok().filter(|n| *n < u32::MAX - 1).ok_or_else(too_many)?;
    let rows = Rows { all, left: plan.left };
    let mut encoded: Vec<Option<Encoded<'_>>> = (0..columns.len()).map(|_| None).collect();
    for_each_job(threads, state, columns.iter().zip(&mut encoded), |(chunked, slot)| {
        *slot = Some(Encoded::new(chunked)?);
        Ok(())
    })?;
    let encoded: Vec<Encoded<'_>> = encoded.into_iter().flatten().collect();
    let of = |k: usize| encoded.get(k).ok_or_else(|| Failure::internal("there is no such column"));

    type Parts = (Comparison<'static>, Option<f64>, Option<Vec<f32>>);
    let mut compared: Vec<Option<Parts>> = plan.comparisons.iter().map(|_| None).collect();
    for_each_job(threads, state, plan.comparisons.iter().zip(&mut compared), |(spec, slot)| {
        let values = of(spec.column)?;
        let comparison = comparison(&spec.kind, values)?;
        let other;
        let codes = match &comparison {
            Comparison::Digits(numbers) => {
                other = Codes::of(numbers.numbers().map(|n| n.map(PackedDigits::bits)));
                &other
            }
            Comparison::Name(names) => &names.codes,
            _ => &values.codes,
        };
        let agreement = frequency::agreement(codes, rows);
        let rarity = spec.rarity.then(|| frequency::rarity(codes));
        *slot = Some((comparison, agreement, rarity));
        Ok(())
    })?;
    let mut rules: Vec<Option<Rule>> = plan.rules.iter().map(|_| None).collect();
    for_each_job(threads, state, plan.rules.iter().zip(&mut rules), |(spec, slot)| {
        *slot = Some(match spec {
            RuleSpec::Equal { columns, .. } => {
                let mut codes = columns.iter().map(|k| of(*k).map(|values| &values.codes));
                let first = codes.next().unwrap_or_else(|| Err(Failure::internal("no key")))?;
                Rule::Equal(
                    codes.try_fold(first.clone(), |all, next| next.map(|next| all.with(next)))?,
                )
            }
            RuleSpec::Near { column, window } => {
                let places = of(*column)?.floats().map(|x| x.map_or(encode::NULL, |x| x as u32));
                Rule::Near { places: places.collect(), window: *window }
            }
            RuleSpec::CnicWithin { column } => Rule::WithinOne(of(*column)?.numbers()),
        });
        Ok(())
    })?;
    let mut parts = (vec![], vec![], vec![]);
    for (comparison, agreement, rarity) in compared.into_iter().flatten() {
        parts.0.push(comparison);
        parts.1.push(agreement);
        parts.2.push(rarity);
    }
    let (comparisons, agreement, rarity) = parts;
    let cap = |spec: &RuleSpec| match spec {
        RuleSpec::Equal { max_block, .. } => *max_block,
        _ => None,
    };
    let rules = rules.into_iter().flatten().zip(plan.rules.iter().map(cap)).collect();
    let blocking = Arc::new(Blocking::new(rows, rules));
    let has_rarity = rarity.iter().map(Option::is_some).collect();
    let linker = link::Linker::new(blocking, comparisons, &rarity);
    Ok(Prepared { linker, agreement, has_rarity, isa: Isa::best(), threads })
}

fn comparison(spec: &KindSpec, values: &Encoded<'_>) -> Result<Comparison<'static>, Failure> {
    Ok(match scheme(spec)? {
        Scheme::Exact => Comparison::Exact(values.codes.clone()),
        Scheme::Digits => Comparison::Digits(IdentityNumbers::new(values.numbers().into_iter())),
        Scheme::Name(levels) => {
            let (costs, of_package, guard) = crate::name_similarity::tables_for_link()?;
            let frequencies = match spec {
                KindSpec::Name { token_frequencies: Some(given), .. } => {
                    Arc::new(given.frequencies())
                }
                _ => of_package,
            };
            let (codes, texts) = values.folded();
            let texts = (0..texts.len() as u32).map(|code| texts.get(code));
            let names = NameDictionary::new(texts, costs, frequencies, guard);
            Comparison::Name(Names { codes, names, levels })
        }
        Scheme::Text(measure) => {
            let (codes, texts) = (values.codes.clone(), values.texts.clone());
            Comparison::Text(Texts { codes, texts, measure })
        }
        Scheme::Date(levels) => {
            let days = values.floats().map(|day| day.map(|day| day as i32));
            Comparison::Date(Dates::new(days, levels))
        }
        Scheme::Number(levels) => {
            let values = values.floats().map(|x| x.unwrap_or(f64::NAN)).collect();
            Comparison::Number(Numbers { values, levels })
        }
        Scheme::Set(levels) => Comparison::Set(values.sets(levels)),
    })
}
