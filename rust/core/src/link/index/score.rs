//! Levels and weights of candidates: first what is quick, then texts of those still in question.

use super::Datum;
use super::column::codes_of_texts;
use super::people::{Part, People};
use super::plan::{Compared, Plan};
use super::search::{Found, Searcher};
use crate::link::compare::{
    Comparison, Dates, EXACT, IdentityNumbers, MISSING, Numbers, Pairs, Scheme, Sets, Texts,
    UNKNOWN, members, name_level,
};
use crate::link::encode::NULL;
use crate::link::packed::PackedDigits;
use crate::link::records::Records;

/// What rounding may take from a bound of a weight.
const SLACK: f64 = 1e-6;

/// A query, for one part.
#[derive(Clone, Copy)]
pub(super) struct Task<'a> {
    pub(super) plan: &'a Plan,
    pub(super) query: &'a [Datum<'a>],
    /// Codes of the values of the query in the part.
    pub(super) codes: &'a [u32],
    /// How rare they are.
    pub(super) rarity: &'a [f32],
    pub(super) least: f64,
}

/// `-log2` of a share; infinite for a value that nobody has.
pub(super) fn rarity(count: u32, all: u32) -> f32 {
    (f64::from(all) / f64::from(count)).log2() as f32
}

impl<B: AsRef<[u8]>> People<B> {
    /// Compares a query with persons of one part.
    pub(super) fn score(
        &self,
        k: usize,
        rows: &[u32],
        task: &Task<'_>,
        searcher: &mut Searcher<'_>,
        out: &mut Vec<Found>,
    ) {
        let Some(part) = self.parts.get(k).filter(|_| !rows.is_empty()) else { return };
        let Task { plan, query, codes, least, .. } = *task;
        // The query is row 0, the candidates are the rows from 1 on.
        let left = vec![0; rows.len()];
        let right: Vec<u32> = (1..=rows.len() as u32).collect();
        let pairs = Pairs { left: &left, right: &right };
        let own = plan.comparisons.iter().zip(task.rarity);
        let rarities: Vec<_> = own.map(|(c, own)| self.rarities(c, *own, k, rows)).collect();
        let mut state = State::new(plan, &rarities, least, rows.len());
        let mut sets = vec![];
        for compared in &plan.comparisons {
            let mut levels = vec![MISSING; rows.len()];
            sets.push(quick(part, compared, query, codes, rows, pairs, &mut levels));
            state.levels.push(levels);
        }
        state.bound();
        for (k, (compared, sets)) in plan.comparisons.iter().zip(&sets).enumerate() {
            state.resolve(k, |open, found| {
                slow(part, compared, query, rows, sets.as_ref(), open, searcher, found);
            });
        }
        for place in &state.alive {
            let at = *place as usize;
            let levels = state.levels.iter().map(|levels| levels.get(at).copied().unwrap_or(0));
            let levels: Vec<u8> = levels.collect();
            let Some(&row) = rows.get(at) else { continue };
            // One order of summing up, that of the plan.
            let of_levels = plan.comparisons.iter().zip(&rarities).zip(&levels);
            let weight = of_levels.fold(plan.prior, |sum, ((compared, rarity), level)| {
                sum + compared.weights.of(*level, rarity.get(at).copied().unwrap_or_default())
            });
            if weight >= least {
                out.push(Found { part: k as u32, row, weight, levels });
            }
        }
    }

    /// How rare the more frequent value of the query and of each candidate is. That of the query will
    /// do where only equal values are adjusted.
    fn rarities(&self, compared: &Compared, own: f32, part: usize, rows: &[u32]) -> Vec<f32> {
        let Some(frequency) = compared.weights.frequency() else { return vec![0.0; rows.len()] };
        let column = self.parts.get(part).and_then(|part| part.segment.column(compared.column));
        let of_row = |row: &u32| match column.filter(|_| frequency.last_level > EXACT) {
            Some(column) => {
                let count = self.count_of_code(compared.column, part, column.code(*row));
                own.min(rarity(count, self.present(compared.column)))
            }
            None => own,
        };
        rows.iter().map(of_row).collect()
    }
}

/// Levels that take no text; the rest is [`UNKNOWN`]. Gives sets back, which are compared later on.
fn quick<B: AsRef<[u8]>>(
    part: &Part<B>,
    compared: &Compared,
    query: &[Datum<'_>],
    codes: &[u32],
    rows: &[u32],
    pairs: Pairs<'_>,
    levels: &mut [u8],
) -> Option<Comparison<'static>> {
    let k = compared.column;
    let kind = part.segment.fields().get(k)?.kind;
    let column = part.segment.column(k)?;
    let own = query.get(k).copied().unwrap_or(Datum::Missing);
    let values = || std::iter::once(own).chain(rows.iter().map(|row| column.value(*row)));
    let comparison = match &compared.scheme {
        Scheme::Exact | Scheme::Name(_) | Scheme::Text(_) => {
            let exact = matches!(compared.scheme, Scheme::Exact);
            let other = if exact { EXACT + 1 } else { UNKNOWN };
            let own = codes.get(k).copied().unwrap_or(NULL);
            for (row, to) in rows.iter().zip(levels) {
                let code = column.code(*row);
                *to = match code {
                    _ if own == NULL || code == NULL => MISSING,
                    _ if code == own => EXACT,
                    _ => other,
                };
            }
            return None;
        }
        Scheme::Digits => {
            let number = |value| match value {
                Datum::Word(bits) => PackedDigits::of_bits(bits),
                _ => None,
            };
            Comparison::Digits(IdentityNumbers::new(values().map(number)))
        }
        Scheme::Date(levels) => {
            let days = values().map(|value| value.number(kind).map(|day| day as i32));
            Comparison::Date(Dates::new(days, levels.clone()))
        }
        Scheme::Number(levels) => {
            let values = values().map(|value| value.number(kind).unwrap_or(f64::NAN)).collect();
            Comparison::Number(Numbers { values, levels: levels.clone() })
        }
        Scheme::Set(levels) => {
            let mut known = Default::default();
            let rows = values().map(|value| members(value.text(), &mut known));
            Comparison::Set(Sets::new(rows, levels.clone()))
        }
    };
    let records = Records::new(std::slice::from_ref(&comparison), &[], rows.len() + 1);
    comparison.quick(records.view(0), pairs, levels);
    Some(comparison)
}

/// The levels that [`quick`] left open at some places.
#[expect(clippy::too_many_arguments, reason = "one call")]
fn slow<B: AsRef<[u8]>>(
    part: &Part<B>,
    compared: &Compared,
    query: &[Datum<'_>],
    rows: &[u32],
    sets: Option<&Comparison<'_>>,
    open: &[u32],
    searcher: &mut Searcher<'_>,
    found: &mut [u8],
) {
    let Some(column) = part.segment.column(compared.column) else { return };
    let own = query.get(compared.column).copied().unwrap_or(Datum::Missing);
    let at =
        |place: &u32| rows.get(*place as usize).map_or(Datum::Missing, |row| column.value(*row));
    match (&compared.scheme, sets) {
        (Scheme::Name(levels), _) => {
            for (place, to) in open.iter().zip(found) {
                *to = name_level(levels, searcher.comparer.compare(own.text(), at(place).text()));
            }
        }
        (Scheme::Text(measure), _) => {
            let texts = std::iter::once(own).chain(open.iter().map(at));
            let (codes, texts) = codes_of_texts(texts);
            let texts = Texts { codes, texts, measure: measure.clone() };
            let comparison = Comparison::Text(texts);
            let left = vec![0; open.len()];
            let right: Vec<u32> = (1..=open.len() as u32).collect();
            let pairs = Pairs { left: &left, right: &right };
            comparison.slow(pairs, &mut comparison.room(searcher.isa), found);
        }
        (Scheme::Set(_), Some(sets)) => {
            let left = vec![0; open.len()];
            let right: Vec<u32> = open.iter().map(|place| place + 1).collect();
            let pairs = Pairs { left: &left, right: &right };
            sets.slow(pairs, &mut sets.room(searcher.isa), found);
        }
        _ => {}
    }
}

/// Candidates with what is known of them.
struct State<'s> {
    plan: &'s Plan,
    /// For each comparison, see [`People::rarities`].
    rarities: &'s [Vec<f32>],
    least: f64,
    levels: Vec<Vec<u8>>,
    bounds: Vec<f64>,
    /// Places of those still in question.
    alive: Vec<u32>,
}

impl<'s> State<'s> {
    fn new(plan: &'s Plan, rarities: &'s [Vec<f32>], least: f64, rows: usize) -> Self {
        let alive = (0..rows as u32).collect();
        Self { plan, rarities, least, levels: vec![], bounds: vec![plan.prior; rows], alive }
    }

    /// Bounds the weights by what is known, and drops those that are out of reach.
    fn bound(&mut self) {
        let comparisons = self.plan.comparisons.iter().zip(self.rarities).zip(&self.levels);
        for ((compared, rarities), levels) in comparisons {
            for ((level, bound), rarity) in levels.iter().zip(&mut self.bounds).zip(rarities) {
                *bound += compared.weights.bound(*level, || *rarity);
            }
        }
        self.drop_hopeless();
    }

    fn drop_hopeless(&mut self) {
        let (bounds, least) = (&self.bounds, self.least - SLACK);
        self.alive.retain(|place| bounds.get(*place as usize).is_some_and(|bound| *bound >= least));
    }

    /// Finds the open levels of one comparison by `compare`.
    fn resolve(&mut self, k: usize, compare: impl FnOnce(&[u32], &mut [u8])) {
        let parts = (self.levels.get_mut(k), self.plan.comparisons.get(k), self.rarities.get(k));
        let (Some(levels), Some(compared), Some(rarities)) = parts else { return };
        let is_open = |place: &u32| levels.get(*place as usize) == Some(&UNKNOWN);
        let open: Vec<u32> = self.alive.iter().copied().filter(is_open).collect();
        if open.is_empty() {
            return;
        }
        let mut found = vec![MISSING; open.len()];
        compare(&open, &mut found);
        for (place, level) in open.iter().zip(found) {
            let at = *place as usize;
            levels.get_mut(at).into_iter().for_each(|to| *to = level);
            if let (Some(bound), Some(rarity)) = (self.bounds.get_mut(at), rarities.get(at)) {
                let weight = |level| compared.weights.bound(level, || *rarity);
                *bound += weight(level) - weight(UNKNOWN);
            }
        }
        self.drop_hopeless();
    }
}
