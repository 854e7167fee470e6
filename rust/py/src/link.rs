//! Linkage: columns and a plan -> core -> pairs, patterns, counts.

use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::types::UInt8Type;
use arrow_array::{
    ArrayRef, DictionaryArray, Float64Array, LargeStringArray, UInt8Array, UInt32Array, UInt64Array,
};
use arrow_buffer::{BooleanBuffer, NullBuffer};
use arrow_schema::{DataType, Field};
use nser_core::cnic::{Kind, each_reading};
use nser_core::column::{Column, Value};
use nser_core::isa::Isa;
use nser_core::link::block::{Blocking, Blocks, Rows, Rule, Unit};
use nser_core::link::compare::{
    Comparison, DateLevel, Dates, IdentityNumbers, Measure, NameLevel, Names, NumberLevel, Numbers,
    Pairs, Scheme, SetLevel, Sets, Texts,
};
use nser_core::link::em;
use nser_core::link::encode::{self, Codes};
use nser_core::link::packed::PackedDigits;
use nser_core::link::patterns::Patterns;
use nser_core::link::weigh::{LevelWeights, Rarity, Weights};
use nser_core::link::{self, Sample, Scored, Workspace, frequency};
use nser_core::name::NameDictionary;
use nser_core::text::{Distance, Edit, Grams, Metric, Overlap, Similarity};
use pyo3::prelude::*;
use serde::Deserialize;

use crate::arrow::{ArrowStream, Chunked, column, enum_field, export};
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};

/// Pairs that take about as long as a cell of a frame.
const CELLS_PER_PAIR: u64 = 8;

#[derive(Deserialize)]
struct Plan {
    /// Rows of the left frame, when there are two.
    left: Option<u32>,
    comparisons: Vec<ComparisonSpec>,
    rules: Vec<RuleSpec>,
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
    Name { levels: Vec<NameSpec> },
    Similarity { metric: String, cutoffs: Vec<f64> },
    Distance { metric: String, cutoffs: Vec<u32> },
    Date { levels: Vec<DateSpec> },
    Number { levels: Vec<NumberSpec> },
    Set { levels: Vec<SetSpec> },
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

/// What the levels of all comparisons weigh.
#[derive(Deserialize)]
pub struct WeightsSpec {
    pub prior: f64,
    least: Option<f64>,
    pub comparisons: Vec<LevelsSpec>,
}

/// What the levels of one comparison weigh.
#[derive(Deserialize)]
pub struct LevelsSpec {
    name: String,
    labels: Vec<String>,
    weights: Vec<f64>,
    frequency: Option<FrequencySpec>,
}

#[derive(Deserialize)]
struct FrequencySpec {
    log2_u: f64,
    scale: f64,
    last_level: u8,
}

impl LevelsSpec {
    pub fn level_weights(&self) -> LevelWeights {
        let frequency = self.frequency.as_ref().map(|frequency| {
            let FrequencySpec { log2_u, scale, last_level } = *frequency;
            Rarity { log2_u, scale, last_level }
        });
        LevelWeights::new(&self.weights, frequency)
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|_| Failure::internal("a plan of linkage is not valid"))
}

/// A plan on the rows of one or two frames.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct Linker(Arc<Prepared>);

struct Prepared {
    linker: link::Linker<'static>,
    /// For each comparison, the share of pairs that agree exactly, and whether it is known how rare
    /// values are.
    agreement: Vec<Option<f64>>,
    has_rarity: Vec<bool>,
    isa: Isa,
    threads: usize,
}

#[pymethods]
impl Linker {
    #[new]
    #[pyo3(signature = (series, rows, plan, *, threads=None, control=None, timeout=None))]
    fn new(
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
        plan: &str,
        threads: Option<usize>,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let plan: Plan = parse(plan)?;
        let columns = series.iter().map(|one| Chunked::from_stream("values", one, rows));
        let columns = columns.collect::<PyResult<Vec<_>>>()?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick: None };
        let threads = threads_for(rows, threads);
        let cells = rows.saturating_mul(8 * columns.len());
        let work = || prepare(&plan, &columns, rows, threads, state);
        Ok(Self(Arc::new(run(py, cells, state, &limits, work)?)))
    }

    /// For each comparison, the share of pairs with values that agree exactly.
    #[getter]
    fn agreement(&self) -> Vec<Option<f64>> {
        self.0.agreement.clone()
    }

    /// Number of pairs of rows.
    #[getter]
    fn all_pairs(&self) -> u64 {
        self.0.linker.blocking.rows().pairs()
    }

    /// The blocks of a rule.
    fn rule(&self, py: Python<'_>, rule: usize) -> PyResult<RuleRun> {
        let prepared = Arc::clone(&self.0);
        let state = RunState::default();
        let cells = usize::MAX; // unknown before it is done
        let blocks = run(py, cells, &state, &Limits::default(), || {
            let found = prepared.linker.blocking.blocks(rule);
            found.ok_or_else(|| Failure::internal("there is no such rule"))
        })?;
        Ok(RuleRun { prepared, blocks })
    }

    /// Patterns of `pairs` pairs drawn at random.
    #[pyo3(signature = (pairs, seed, *, control=None, timeout=None))]
    fn random_patterns(
        &self,
        py: Python<'_>,
        pairs: u64,
        seed: u64,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        const PART: u64 = 1 << 17;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let limits = Limits { timeout, tick: None };
        let prepared = &self.0;
        let parts: Vec<u64> = (0..pairs).step_by(PART as usize).collect();
        run(py, cells(pairs), state, &limits, || {
            gather(prepared, state, &parts, |from, space| {
                let count = PART.min(pairs - from);
                prepared.linker.random_patterns(seed, *from, count, space)
            })
        })
    }

    /// Given pairs with their weights and levels.
    fn score_pairs(
        &self,
        py: Python<'_>,
        left: &Bound<'_, PyAny>,
        right: &Bound<'_, PyAny>,
        pairs: usize,
        weights: &str,
    ) -> PyResult<ArrowStream> {
        let spec: WeightsSpec = parse(weights)?;
        let left = rows_of(left, pairs)?;
        let right = rows_of(right, pairs)?;
        let (prepared, state) = (&self.0, RunState::default());
        run(py, cells(pairs as u64), &state, &Limits::default(), || {
            let weights = prepared.weights(&spec)?;
            let pairs = Pairs { left: &left, right: &right };
            table(prepared.linker.score_pairs(pairs, &weights, prepared.isa), &spec)
        })
    }
}

fn cells(pairs: u64) -> usize {
    usize::try_from(pairs.saturating_mul(CELLS_PER_PAIR)).unwrap_or(usize::MAX)
}

fn rows_of(series: &Bound<'_, PyAny>, pairs: usize) -> PyResult<Vec<u32>> {
    let chunked = Chunked::from_stream("pairs", series, pairs)?;
    let mut rows = Vec::with_capacity(pairs);
    for chunk in &chunked.chunks {
        let column = column("pairs", chunk)?;
        rows.extend((0..column.len()).map(|i| match column.value(i) {
            Value::Int(row) => u32::try_from(row).unwrap_or(u32::MAX),
            _ => u32::MAX,
        }));
    }
    Ok(rows)
}

impl Prepared {
    fn weights(&self, spec: &WeightsSpec) -> Result<Weights, Failure> {
        let missing = |(spec, has): (&LevelsSpec, &bool)| spec.frequency.is_some() && !has;
        if spec.comparisons.iter().zip(&self.has_rarity).any(missing) {
            return Err(Failure::internal("no value frequencies"));
        }
        let comparisons = spec.comparisons.iter().map(LevelsSpec::level_weights).collect();
        let least = spec.least.unwrap_or(f64::NEG_INFINITY);
        Ok(Weights { prior: spec.prior, comparisons, least })
    }
}

/// One rule of a plan at work.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct RuleRun {
    prepared: Arc<Prepared>,
    blocks: Blocks,
}

#[pymethods]
impl RuleRun {
    /// Pairs of each part of the work, before any are left out as another rule's.
    #[getter]
    fn units(&self) -> Vec<u64> {
        self.blocks.units.iter().map(|unit| unit.pairs).collect()
    }

    /// Blocks, rows and pairs that the cap left out.
    #[getter]
    fn dropped(&self) -> (u64, u64, u64) {
        let dropped = self.blocks.dropped;
        (dropped.blocks, dropped.rows, dropped.pairs)
    }

    /// Rows of the largest blocks.
    #[getter]
    fn largest(&self) -> Vec<u32> {
        self.blocks.largest.clone()
    }

    /// Number of pairs; without those of earlier rules unless `alone`.
    #[pyo3(signature = (*, alone, control=None, timeout=None, tick=None))]
    fn count(
        &self,
        py: Python<'_>,
        alone: bool,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<u64> {
        self.run(py, 0..usize::MAX, control, Limits { timeout, tick }, |units, state| {
            let mut counts = vec![0u64; units.len()];
            self.for_each(state, units.iter().zip(&mut counts), |(unit, count)| {
                self.blocks.each_pair(unit, alone, |_, _| *count += 1);
                Ok(())
            })?;
            Ok(counts.iter().sum())
        })
    }

    /// Patterns of a sample of the pairs that are no earlier rule's.
    #[pyo3(signature = (*, share, seed, control=None, timeout=None))]
    fn patterns(
        &self,
        py: Python<'_>,
        share: f64,
        seed: u64,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let (sample, prepared) = (Sample { share, seed }, &self.prepared);
        let limits = Limits { timeout, tick: None };
        self.run(py, 0..usize::MAX, control, limits, |units, state| {
            gather(prepared, state, units, |unit, space| {
                prepared.linker.patterns(&self.blocks, unit, sample, space)
            })
        })
    }

    /// Pairs of some parts with their weights and levels.
    #[pyo3(signature = (start, stop, weights, *, control=None, timeout=None, tick=None))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
    fn score(
        &self,
        py: Python<'_>,
        start: usize,
        stop: usize,
        weights: &str,
        control: Option<&Control>,
        timeout: Option<f64>,
        tick: Option<Py<PyAny>>,
    ) -> PyResult<ArrowStream> {
        let spec: WeightsSpec = parse(weights)?;
        let prepared = &self.prepared;
        self.run(py, start..stop, control, Limits { timeout, tick }, |units, state| {
            let weights = prepared.weights(&spec)?;
            let mut found = vec![Scored::default(); units.len()];
            let spaces = Spaces::new(prepared);
            self.for_each(state, units.iter().zip(&mut found), |(unit, found)| {
                *found =
                    spaces.with(|space| prepared.linker.score(&self.blocks, unit, &weights, space));
                Ok(())
            })?;
            let mut all = Scored::default();
            found.iter_mut().for_each(|found| all.append(found));
            table(all, &spec)
        })
    }
}

impl RuleRun {
    fn run<T: Send>(
        &self,
        py: Python<'_>,
        range: std::ops::Range<usize>,
        control: Option<&Control>,
        limits: Limits,
        work: impl FnOnce(&[Unit], &RunState) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let end = range.end.min(self.blocks.units.len());
        let units = self.blocks.units.get(range.start.min(end)..end).unwrap_or_default();
        let pairs = units.iter().map(|unit| unit.pairs).sum();
        run(py, cells(pairs), state, &limits, || work(units, state))
    }

    fn for_each<J: Send>(
        &self,
        state: &RunState,
        jobs: impl Iterator<Item = J> + Send,
        work: impl Fn(J) -> Result<(), Failure> + Sync,
    ) -> Result<(), Failure> {
        for_each_job(self.prepared.threads, state, jobs, work)
    }
}

/// Workspaces of the threads of one call: what one remembers serves its next job.
struct Spaces<'p> {
    prepared: &'p Prepared,
    idle: Mutex<Vec<Workspace<'p>>>,
}

impl<'p> Spaces<'p> {
    fn new(prepared: &'p Prepared) -> Self {
        Self { prepared, idle: Mutex::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Workspace<'p>) -> T) -> T {
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle().pop();
        let Prepared { linker, isa, .. } = self.prepared;
        let mut space = found.unwrap_or_else(|| linker.workspace(*isa));
        let done = work(&mut space);
        idle().push(space);
        done
    }
}

/// The patterns of all parts together.
fn gather<'p, J: Sync>(
    prepared: &'p Prepared,
    state: &RunState,
    jobs: &[J],
    patterns: impl Fn(&J, &mut Workspace<'p>) -> Option<Patterns> + Sync,
) -> Result<ArrowStream, Failure> {
    let spaces = Spaces::new(prepared);
    let mut found: Vec<Option<Patterns>> = vec![None; jobs.len()];
    for_each_job(prepared.threads, state, jobs.iter().zip(&mut found), |(job, slot)| {
        let too_many = "the comparisons have too many levels together";
        let found = spaces.with(|space| patterns(job, space));
        *slot = Some(found.ok_or_else(|| Failure::domain("too_many_levels", too_many))?);
        Ok(())
    })?;
    let levels = prepared.linker.levels();
    let mut all = Patterns::new(&levels);
    if let Some(all) = &mut all {
        found.iter().flatten().for_each(|found| all.merge(found));
    }
    let rows: Vec<(Vec<u8>, u64, u64)> = all.iter().flat_map(Patterns::iter).collect();
    let mut fields = vec![];
    let mut columns: Vec<ArrayRef> = vec![];
    for k in 0..levels.len() {
        let level = |(levels, ..): &(Vec<u8>, u64, u64)| levels.get(k).copied().unwrap_or(0);
        fields.push(Field::new(format!("{k}"), DataType::UInt8, false));
        columns.push(Arc::new(UInt8Array::from_iter_values(rows.iter().map(level))));
    }
    fields.push(Field::new("rules", DataType::UInt64, false));
    columns.push(Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(_, rules, _)| *rules))));
    fields.push(Field::new("pairs", DataType::UInt64, false));
    columns.push(Arc::new(UInt64Array::from_iter_values(rows.iter().map(|(.., n)| *n))));
    export(fields, columns)
}

/// Pairs as columns.
fn table(scored: Scored, spec: &WeightsSpec) -> Result<ArrowStream, Failure> {
    let row = |name| Field::new(name, DataType::UInt32, false);
    let mut fields = vec![row("left"), row("right")];
    fields.push(Field::new("match_weight", DataType::Float64, false));
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from(scored.left)),
        Arc::new(UInt32Array::from(scored.right)),
        Arc::new(Float64Array::from(scored.weights)),
    ];
    add_levels(&mut fields, &mut columns, scored.levels, spec)?;
    export(fields, columns)
}

/// Adds a column of labels for each comparison.
pub fn add_levels(
    fields: &mut Vec<Field>,
    columns: &mut Vec<ArrayRef>,
    levels: Vec<Vec<u8>>,
    spec: &WeightsSpec,
) -> Result<(), Failure> {
    for (levels, spec) in levels.into_iter().zip(&spec.comparisons) {
        let name = format!("level_{}", spec.name);
        fields.push(enum_field(&name, DataType::UInt8, spec.labels.iter().map(String::as_str)));
        let missing = levels.contains(&0);
        let valid = missing.then(|| {
            let of = |i: usize| levels.get(i).is_some_and(|level| *level > 0);
            NullBuffer::new(BooleanBuffer::collect_bool(levels.len(), of))
        });
        let codes = levels.iter().map(|level| level.saturating_sub(1)).collect::<Vec<u8>>();
        let labels = Arc::new(LargeStringArray::from_iter_values(&spec.labels));
        let codes = UInt8Array::new(codes.into(), valid);
        let levels = DictionaryArray::<UInt8Type>::try_new(codes, labels);
        columns.push(Arc::new(levels.map_err(|_| Failure::internal("a level has no label"))?));
    }
    Ok(())
}

/// A column in one chunk.
pub fn whole(chunked: &Chunked) -> Result<Column<'_>, Failure> {
    match chunked.chunks.as_slice() {
        [] => Ok(Column::null(0)),
        [chunk] => column(&chunked.name, chunk),
        _ => Err(Failure::internal("a column was not in one chunk")),
    }
}

/// A column as it is compared or blocked on.
struct Encoded<'a> {
    column: Column<'a>,
    codes: Codes,
    texts: encode::Texts,
}

impl<'a> Encoded<'a> {
    fn new(chunked: &'a Chunked) -> Result<Self, Failure> {
        let column = whole(chunked)?;
        let (codes, texts) = match chunked.kind() {
            nser_core::column::Kind::Text => Codes::of_texts(&column),
            _ => (Codes::of_column(&column), encode::Texts::default()),
        };
        Ok(Self { column, codes, texts })
    }

    fn numbers(&self) -> Vec<Option<PackedDigits>> {
        numbers(&self.column)
    }

    fn floats(&self) -> impl Iterator<Item = Option<f64>> {
        (0..self.column.len()).map(|i| match self.column.value(i) {
            Value::Int(n) => Some(n as f64),
            Value::Float(x) => Some(x),
            Value::Float32(x) => Some(x.into()),
            _ => None,
        })
    }

    /// Sets of a column of texts that are members between separators.
    fn sets(&self, levels: Vec<SetLevel>) -> Sets {
        let mut members = std::collections::BTreeMap::new();
        let codes = 0..self.texts.len() as u32;
        let distinct = codes.map(|code| link::compare::members(self.texts.get(code), &mut members));
        let distinct: Vec<Vec<u32>> = distinct.collect();
        let of_row = |code: &u32| distinct.get(*code as usize).cloned().unwrap_or_default();
        Sets::new(self.codes.rows.iter().map(of_row), levels)
    }
}

/// Identity numbers as they are compared.
pub fn numbers(column: &Column<'_>) -> Vec<Option<PackedDigits>> {
    let mut numbers = Vec::with_capacity(column.len());
    each_reading(column, column.len(), |reading| {
        let usable = matches!(reading.kind, Kind::Cnic | Kind::Malformed);
        numbers.push(usable.then(|| PackedDigits::of_digits(reading.digits)).flatten());
    });
    numbers
}

fn prepare(
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
            let (costs, frequencies, guard) = crate::name_similarity::tables_for_link()?;
            let texts = (0..values.texts.len() as u32).map(|code| values.texts.get(code));
            let names = NameDictionary::new(texts, costs, frequencies, guard);
            Comparison::Name(Names { codes: values.codes.clone(), names, levels })
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

/// How the values of a comparison are compared.
pub fn scheme(spec: &KindSpec) -> Result<Scheme, Failure> {
    Ok(match spec {
        KindSpec::Exact => Scheme::Exact,
        KindSpec::Cnic => Scheme::Digits,
        KindSpec::Name { levels } => {
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

#[derive(Deserialize)]
struct TrainingSpec {
    patterns: Vec<(Vec<u8>, f64)>,
    u: Vec<Vec<f64>>,
    m: Vec<Vec<f64>>,
    used: Vec<bool>,
    fixed: Vec<bool>,
    matching: f64,
    change: f64,
    rounds: usize,
}

/// Learns chances of agreement from patterns: m, the share that matches, log-likelihood, rounds, and
/// the last change.
#[pyfunction]
#[expect(clippy::type_complexity, reason = "a tuple for Python")]
pub fn learn_matches(spec: &str) -> PyResult<(Vec<Vec<f64>>, f64, f64, usize, f64)> {
    let spec: TrainingSpec = parse(spec)?;
    let until = em::Until { change: spec.change, rounds: spec.rounds };
    let TrainingSpec { patterns, u, m, used, fixed, matching, .. } = &spec;
    let part = |(used, fixed): (&bool, &bool)| match (used, fixed) {
        (false, _) => em::Part::None,
        (true, true) => em::Part::Fixed,
        (true, false) => em::Part::Learned,
    };
    let parts: Vec<em::Part> = used.iter().zip(fixed).map(part).collect();
    let found = em::learn(patterns, u, m, &parts, *matching, until);
    Ok((found.m, found.matching, found.likelihood, found.rounds, found.change))
}
