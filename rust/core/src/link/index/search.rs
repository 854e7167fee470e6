//! From a query to the persons it may be: candidates by the rules, then levels and weights, what is
//! quick first, and texts only of those still in question.

use super::Datum;
use super::near::each_within_one;
use super::people::{Part, People};
use super::plan::{Compared, Plan, Wanted};
use super::score::{Task, rarity};
use super::segment::{Rule, sum_of_codes};
use crate::isa::Isa;
use crate::link::encode::NULL;
use crate::link::packed::PackedDigits;
use crate::name::Comparer;
use crate::store::bytes::sum_of_word;

/// The code of a value that no person of a part has.
const ABSENT: u32 = NULL - 1;

/// A person that a query may be.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Where the person is: for [`People::id`].
    pub part: u32,
    /// The same.
    pub row: u32,
    /// Match weight, `log2` of the odds.
    pub weight: f64,
    /// Level of each comparison; 0 for a missing value.
    pub levels: Vec<u8>,
}

/// What one thread needs to search.
#[derive(Debug)]
pub struct Searcher<'t> {
    pub(super) comparer: Comparer<'t>,
    pub(super) isa: Isa,
    near: Vec<u64>,
    sums: Vec<u64>,
}

impl<'t> Searcher<'t> {
    /// With a comparer of names.
    #[must_use]
    pub fn new(comparer: Comparer<'t>, isa: Isa) -> Self {
        Self { comparer, isa, near: vec![], sums: vec![] }
    }
}

impl<B: AsRef<[u8]>> People<B> {
    /// The persons that a query is likeliest to be, best first, persons of one weight in the order of
    /// their ids. `query` has a value for each column of the index.
    pub fn search(
        &self,
        plan: &Plan,
        query: &[Datum<'_>],
        wanted: Wanted,
        searcher: &mut Searcher<'_>,
    ) -> Vec<Found> {
        let codes: Vec<Vec<u32>> = self.parts.iter().map(|part| codes(part, query)).collect();
        let rarity = self.rarity(plan, query);
        let mut found = vec![];
        for (part, mut rows) in self.candidates(query, &codes, searcher).into_iter().enumerate() {
            rows.sort_unstable();
            rows.dedup();
            let codes = codes.get(part).map(Vec::as_slice).unwrap_or_default();
            let task = Task { plan, query, codes, rarity: &rarity, least: wanted.least };
            self.score(part, &rows, &task, searcher, &mut found);
        }
        let id = |found: &Found| self.id(found.part, found.row);
        found
            .sort_unstable_by(|a, b| b.weight.total_cmp(&a.weight).then_with(|| id(a).cmp(&id(b))));
        found.truncate(wanted.count);
        found
    }

    /// Rows of each part that meet a rule, some more than once.
    fn candidates(
        &self,
        query: &[Datum<'_>],
        codes: &[Vec<u32>],
        searcher: &mut Searcher<'_>,
    ) -> Vec<Vec<u32>> {
        let mut rows = vec![vec![]; self.parts.len()];
        let rules = self.first().map(|first| first.rules()).unwrap_or_default();
        for (k, rule) in rules.iter().enumerate() {
            match &rule.rule {
                Rule::Equal(keys) => self.equal(k, keys, rule.cap, codes, &mut rows),
                Rule::WithinOne(key) => {
                    let value = query.get(*key as usize).copied();
                    if let Some(Datum::Word(bits)) = value
                        && let Some(number) = PackedDigits::of_bits(bits)
                    {
                        self.within_one(k, number, rule.cap, searcher, &mut rows);
                    }
                }
            }
        }
        rows
    }

    fn equal(
        &self,
        rule: usize,
        keys: &[u32],
        cap: u32,
        codes: &[Vec<u32>],
        rows: &mut [Vec<u32>],
    ) {
        let sum = |codes: &Vec<u32>| {
            let of_key = |key: &u32| codes.get(*key as usize).copied().unwrap_or(NULL);
            let known =
                keys.iter().map(of_key).map(|code| if code == ABSENT { NULL } else { code });
            sum_of_codes(known)
        };
        let (mut places, mut total) = (vec![], 1u64);
        for (part, codes) in self.parts.iter().zip(codes) {
            let found = sum(codes).zip(part.segment.table(rule));
            let found = found.map_or(0..0, |(sum, table)| {
                let found = table.find(sum);
                total += (found.len() as u64).saturating_sub(part.gone(rule, sum).into());
                found
            });
            places.push(found);
        }
        if total > cap.into() {
            return;
        }
        for (((part, places), codes), rows) in self.parts.iter().zip(places).zip(codes).zip(rows) {
            let Some(table) = part.segment.table(rule).filter(|_| !places.is_empty()) else {
                continue;
            };
            let columns = part.segment.keys(rule).unwrap_or_default();
            let same = |row: u32| {
                let mut keys = columns.iter().zip(keys);
                keys.all(|(column, key)| codes.get(*key as usize) == Some(&column.code(row)))
            };
            rows.extend(table.items(places).filter(|row| part.is_live(*row) && same(*row)));
        }
    }

    fn within_one(
        &self,
        rule: usize,
        number: PackedDigits,
        cap: u32,
        searcher: &mut Searcher<'_>,
        rows: &mut [Vec<u32>],
    ) {
        let Searcher { near, sums, .. } = searcher;
        near.clear();
        each_within_one(number, |bits| near.push(bits));
        sums.clear();
        sums.extend(near.iter().map(|bits| sum_of_word(*bits)));
        let (mut found, mut totals) = (vec![], vec![1u64; sums.len()]);
        for (k, part) in self.parts.iter().enumerate() {
            let Some(table) = part.segment.table(rule) else { continue };
            table.find_all(sums, |i, places| {
                let gone = sums.get(i).map_or(0, |sum| part.gone(rule, *sum));
                let size = (places.len() as u64).saturating_sub(gone.into());
                totals.get_mut(i).into_iter().for_each(|total| *total += size);
                found.push((k, i, places));
            });
        }
        for (k, i, places) in found {
            let fits = totals.get(i).is_some_and(|total| *total <= cap.into());
            let (Some(part), Some(rows)) = (self.parts.get(k).filter(|_| fits), rows.get_mut(k))
            else {
                continue;
            };
            let keys = part.segment.keys(rule).unwrap_or_default();
            let (Some(table), Some(key)) = (part.segment.table(rule), keys.first()) else {
                continue;
            };
            let number = near.get(i).map_or(Datum::Missing, |bits| Datum::Word(*bits));
            let same = |row: u32| key.value(row) == number;
            rows.extend(table.items(places).filter(|row| part.is_live(*row) && same(*row)));
        }
    }

    /// `-log2` of the share of persons that have the query's value, where it is asked for.
    fn rarity(&self, plan: &Plan, query: &[Datum<'_>]) -> Vec<f32> {
        let of = |compared: &Compared| {
            let value = query.get(compared.column).copied().unwrap_or(Datum::Missing);
            compared.weights.frequency().map_or(0.0, |_| {
                rarity(self.count(compared.column, value), self.present(compared.column))
            })
        };
        plan.comparisons.iter().map(of).collect()
    }
}

/// Codes of the values of a query in one part.
fn codes<B: AsRef<[u8]>>(part: &Part<B>, query: &[Datum<'_>]) -> Vec<u32> {
    let of = |(k, value): (usize, &Datum<'_>)| match (part.segment.column(k), value) {
        (None, _) | (_, Datum::Missing) => NULL,
        (Some(column), value) => column.find(*value).unwrap_or(ABSENT),
    };
    query.iter().enumerate().map(of).collect()
}
