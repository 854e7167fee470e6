//! The index of persons: columns or values of a record -> core -> matches; the file, and who may
//! read while another changes it.

mod plan;
mod values;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arrow_array::{ArrayRef, Float64Array, Int64Array, LargeStringArray, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field as ArrowField};
use memmap2::Mmap;
use nser_core::column::{self, Column};
use nser_core::isa::Isa;
use nser_core::link::index::{
    Blocks, Builder, Datum, Encoded, EncodedRule, Fault, Field, Found, Id, IdKind, Kind, People,
    RuleOf, Schema, Searcher, Segment, Wanted,
};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::arrow::{ArrowStream, Chunked, export};
use crate::error::Failure;
use crate::link::add_levels;
use crate::mapped::map;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};
use plan::{About, Wiring, parse};
use values::{Given, Persons, Read, id_at, id_kind, kind_of, name_of, persons};

/// Queries that a thread takes at once.
const QUERIES: usize = 32;
/// A query takes about as long as so many cells of a frame.
const CELLS_PER_QUERY: usize = 4096;
/// Pairs of words that a searcher remembers.
const PAIRS: usize = 1 << 14;

/// A person that was found: id, weight, and levels.
type Match<'py> = (Bound<'py, PyAny>, f64, Bound<'py, PyBytes>);

/// The bytes of a segment.
enum Memory {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Mapped(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Memory {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Owned(bytes)
    }
}

/// An index of persons.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct PersonIndex {
    people: RwLock<Arc<People<Memory>>>,
    /// Held by the one who changes the persons.
    writer: Mutex<()>,
    about: About,
    wiring: Wiring,
    schema: Schema,
    searchers: Mutex<Vec<Searcher<'static>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn streams(series: &[Bound<'_, PyAny>], names: &[String], rows: usize) -> PyResult<Vec<Chunked>> {
    let of = |(one, name): (&Bound<'_, PyAny>, &String)| Chunked::from_stream(name, one, rows);
    series.iter().zip(names).map(of).collect()
}

/// Encodes persons on several threads.
fn encode(
    schema: &Schema,
    persons: &Persons<'_>,
    threads: usize,
    state: &RunState,
) -> Result<Vec<u8>, Failure> {
    let builder = Builder::new(schema, persons);
    let mut columns: Vec<Option<Encoded>> = schema.fields.iter().map(|_| None).collect();
    for_each_job(threads, state, columns.iter_mut().enumerate(), |(k, slot)| {
        *slot = Some(builder.column(k)?);
        Ok(())
    })?;
    let columns: Vec<Encoded> = columns.into_iter().flatten().collect();
    let mut rules: Vec<Option<EncodedRule>> = schema.rules.iter().map(|_| None).collect();
    for_each_job(threads, state, rules.iter_mut().enumerate(), |(k, slot)| {
        *slot = Some(builder.rule(k, &columns)?);
        Ok(())
    })?;
    state.check()?;
    Ok(builder.finish(columns, rules.into_iter().flatten().collect())?)
}

#[pymethods]
impl PersonIndex {
    #[new]
    #[pyo3(signature = (series, ids, rows, about, *, threads=None, control=None, timeout=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a run")]
    fn new(
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        ids: &Bound<'_, PyAny>,
        rows: usize,
        about: &str,
        threads: Option<usize>,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<Self> {
        let (parsed, wiring) = parse(about)?;
        let columns = streams(&series, &parsed.columns, rows)?;
        let ids = Chunked::from_stream("id", ids, rows)?;
        let fields =
            wiring.stored.iter().zip(&wiring.coded).map(|((source, of_numbers), coded)| {
                let chunked = columns.get(*source);
                let chunked =
                    chunked.ok_or_else(|| Failure::internal("there is no such column"))?;
                let kind = if *of_numbers { Kind::Number } else { kind_of(chunked) };
                Ok::<_, Failure>(Field { name: chunked.name.clone(), kind, coded: *coded })
            });
        let rules = wiring.rules.iter().zip(&parsed.caps);
        let rules = rules.map(|(rule, cap)| RuleOf {
            rule: rule.clone(),
            cap: *cap,
            blocks: Blocks::default(),
        });
        let schema = Schema {
            ids: id_kind(&ids)?,
            fields: fields.collect::<Result<_, _>>()?,
            rules: rules.collect(),
            about: about.to_owned(),
        };
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let threads = threads_for(rows, threads);
        let cells = rows.saturating_mul(8 * columns.len());
        let segment = run(py, cells, state, &Limits { timeout, tick: None }, || {
            let persons = persons(&wiring, &columns, &ids, rows)?;
            let bytes = encode(&schema, &persons, threads, state)?;
            Ok(Segment::open(Memory::Owned(bytes), false)?)
        })?;
        Ok(Self::of(segment, parsed, wiring))
    }

    /// Maps the file that [`PersonIndex::save`] wrote.
    #[staticmethod]
    fn open(py: Python<'_>, path: &str, verify: bool) -> PyResult<Self> {
        let map = map(path)?;
        let cells = if verify { usize::MAX } else { 0 };
        let state = RunState::default();
        let segment = run(py, cells, &state, &Limits::default(), || {
            Ok(Segment::open(Memory::Mapped(map), verify)?)
        })?;
        let (about, wiring) = parse(segment.about())?;
        let same = segment.fields().len() == wiring.stored.len()
            && segment.rules().iter().map(|rule| &rule.rule).eq(&wiring.rules)
            && segment.fields().iter().map(|field| field.coded).eq(wiring.coded.iter().copied());
        if !same {
            return Err(Failure::from(Fault::Corrupt("the plan")).into());
        }
        Ok(Self::of(segment, about, wiring))
    }

    /// Writes all persons to a file, which must not be the mapped one.
    fn save(&self, py: Python<'_>, path: &str) -> PyResult<()> {
        let state = RunState::default();
        let written = run(py, usize::MAX, &state, &Limits::default(), || {
            let people = self.snapshot();
            Ok(match people.only() {
                Some(segment) => std::fs::write(path, segment.bytes()),
                None => std::fs::write(path, people.merged(&self.schema)?),
            })
        })?;
        Ok(written?)
    }

    /// What Python gave to keep.
    #[getter]
    fn about(&self) -> &str {
        &self.schema.about
    }

    fn __len__(&self, py: Python<'_>) -> usize {
        py.detach(|| self.snapshot().len())
    }

    /// Of each rule: persons with a key, keys, persons of the largest block, blocks above the cap, and
    /// the persons in them. Persons that came or went since the file was made are not counted.
    #[getter]
    fn blocks(&self) -> Vec<(u64, u64, u64, u64, u64)> {
        let of = |rule: &RuleOf| {
            let Blocks { items, keys, largest, capped, capped_items } = rule.blocks;
            (items, keys, largest, capped, capped_items)
        };
        self.schema.rules.iter().map(of).collect()
    }

    /// Takes in persons whose ids are not there yet; ids ascend.
    fn add(
        &self,
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        ids: &Bound<'_, PyAny>,
        rows: usize,
    ) -> PyResult<()> {
        let columns = streams(&series, &self.about.columns, rows)?;
        let ids = Chunked::from_stream("id", ids, rows)?;
        self.check_kinds(&columns)?;
        self.check_ids(&ids)?;
        let state = RunState::default();
        run(py, rows.saturating_mul(64), &state, &Limits::default(), || {
            let persons = persons(&self.wiring, &columns, &ids, rows)?;
            let bytes = Builder::new(&self.schema, &persons).build()?;
            let segment = Segment::open(Memory::Owned(bytes), false)?;
            let _writer = lock(&self.writer);
            let mut people = People::clone(&self.snapshot());
            people.add(segment)?;
            self.replace(people);
            Ok(())
        })
    }

    /// Takes persons out, and gives their number.
    fn remove(&self, py: Python<'_>, ids: &Bound<'_, PyAny>, rows: usize) -> PyResult<usize> {
        let ids = Chunked::from_stream("id", ids, rows)?;
        self.check_ids(&ids)?;
        let state = RunState::default();
        run(py, rows.saturating_mul(64), &state, &Limits::default(), || {
            let column = ids.whole()?;
            let _writer = lock(&self.writer);
            let mut people = self.people.write().unwrap_or_else(PoisonError::into_inner);
            // A copy only if someone is searching.
            let people = Arc::make_mut(&mut people);
            Ok((0..column.len()).filter(|row| people.remove(id_at(&column, *row))).count())
        })
    }

    /// The persons that a record may be of, best first: id, weight and levels of each. `values` are
    /// those of the columns, in order.
    fn search_one<'py>(
        &self,
        py: Python<'py>,
        values: Vec<Option<Bound<'py, PyAny>>>,
        count: usize,
        least: f64,
    ) -> PyResult<Vec<Match<'py>>> {
        let given =
            values.iter().zip(&self.about.columns).map(|(value, name)| Given::new(name, value));
        let given = given.collect::<Result<Vec<_>, _>>()?;
        let query = self.query(&given)?;
        let wanted = Wanted { count, least };
        let (people, found) = py.detach(|| {
            crate::runtime::guarded(|| {
                let people = self.snapshot();
                let mut searcher = self.searcher()?;
                let found = people.search(&self.wiring.plan, &query, wanted, &mut searcher);
                lock(&self.searchers).push(searcher);
                Ok((people, found))
            })
        })?;
        let matched = |found: Found| {
            let id = match people.id(found.part, found.row) {
                Id::Text(text) => PyString::new(py, &String::from_utf8_lossy(text)).into_any(),
                Id::Number(number) if self.schema.ids == IdKind::Unsigned => {
                    number.into_pyobject(py)?.into_any()
                }
                id => id.signed().into_pyobject(py)?.into_any(),
            };
            Ok((id, found.weight, PyBytes::new(py, &found.levels)))
        };
        found.into_iter().map(matched).collect()
    }

    /// The same for each row of columns: its number, rank, id, weight, and levels.
    #[pyo3(signature = (series, rows, count, least, *, threads=None, control=None, timeout=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of a run")]
    fn search(
        &self,
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
        count: usize,
        least: f64,
        threads: Option<usize>,
        control: Option<&Control>,
        timeout: Option<f64>,
    ) -> PyResult<ArrowStream> {
        let columns = streams(&series, &self.about.columns, rows)?;
        self.check_kinds(&columns)?;
        let unseen = RunState::default();
        let state = control.map_or(&unseen, |control| &*control.state);
        let cells = rows.saturating_mul(CELLS_PER_QUERY);
        let threads = threads_for(cells, threads);
        let wanted = Wanted { count, least };
        run(py, cells, state, &Limits { timeout, tick: None }, || {
            let people = self.snapshot();
            let views = columns.iter().map(Chunked::whole).collect::<Result<Vec<_>, _>>()?;
            let read = self.read(&views)?;
            let mut found: Vec<Vec<Found>> = vec![vec![]; rows];
            let jobs = found.chunks_mut(QUERIES).zip((0..).step_by(QUERIES));
            for_each_job(threads, state, jobs, |(found, start)| {
                let mut searcher = self.searcher()?;
                for (to, row) in found.iter_mut().zip(start..) {
                    let query: Vec<Datum<'_>> = read.iter().map(|column| column.get(row)).collect();
                    *to = people.search(&self.wiring.plan, &query, wanted, &mut searcher);
                }
                lock(&self.searchers).push(searcher);
                Ok(())
            })?;
            self.table(&people, &found)
        })
    }
}

impl PersonIndex {
    fn of(segment: Segment<Memory>, about: About, wiring: Wiring) -> Self {
        let schema = segment.schema();
        Self {
            people: RwLock::new(Arc::new(People::new(segment))),
            writer: Mutex::new(()),
            about,
            wiring,
            schema,
            searchers: Mutex::new(vec![]),
        }
    }

    /// The persons as they are now.
    fn snapshot(&self) -> Arc<People<Memory>> {
        Arc::clone(&self.people.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn replace(&self, people: People<Memory>) {
        *self.people.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(people);
    }

    /// One that is not in use, which knows the words it has met.
    fn searcher(&self) -> Result<Searcher<'static>, Failure> {
        let found = lock(&self.searchers).pop();
        let new = || Ok(Searcher::new(crate::name_similarity::comparer(PAIRS)?, Isa::best()));
        found.map_or_else(new, Ok)
    }

    fn fields(&self) -> impl Iterator<Item = (&Field, usize, bool)> {
        let stored = self.schema.fields.iter().zip(&self.wiring.stored);
        stored.map(|(field, (source, of_numbers))| (field, *source, *of_numbers))
    }

    /// Refuses columns that hold something else than those of the index.
    fn check_kinds(&self, columns: &[Chunked]) -> Result<(), Failure> {
        for (field, source, of_numbers) in self.fields() {
            let Some(chunked) = columns.get(source) else {
                return Err(Failure::internal("there is no such column"));
            };
            let nothing = chunked.kind() == column::Kind::Null || chunked.len() == 0;
            if !of_numbers && !nothing && kind_of(chunked) != field.kind {
                let message = format!("expected {}, as in the index", name_of(field.kind));
                return Err(Failure::schema(&field.name, message));
            }
        }
        Ok(())
    }

    fn check_ids(&self, ids: &Chunked) -> Result<(), Failure> {
        if ids.len() > 0 && id_kind(ids)? != self.schema.ids {
            return Err(Failure::schema(&ids.name, "expected ids of the type that the index has"));
        }
        Ok(())
    }

    fn read<'a>(&self, views: &[Column<'a>]) -> Result<Vec<Read<'a>>, Failure> {
        let of = |(_, source, of_numbers): (&Field, usize, bool)| {
            let view = views.get(source);
            let view = view.ok_or_else(|| Failure::internal("there is no such column"))?;
            Ok(Read::new(view, of_numbers))
        };
        self.fields().map(of).collect()
    }

    fn query<'g>(&self, given: &'g [Given]) -> Result<Vec<Datum<'g>>, Failure> {
        let of = |(field, source, of_numbers): (&Field, usize, bool)| {
            let given = given.get(source).unwrap_or(&Given::Nothing);
            if of_numbers {
                return Ok(given.number());
            }
            given.datum(field.kind).ok_or_else(|| {
                let message = format!("expected {}, as in the index", name_of(field.kind));
                Failure::schema(&field.name, message)
            })
        };
        self.fields().map(of).collect()
    }

    fn table(&self, people: &People<Memory>, found: &[Vec<Found>]) -> Result<ArrowStream, Failure> {
        let all = || found.iter().flatten();
        let queries =
            (0u32..).zip(found).flat_map(|(query, found)| found.iter().map(move |_| query));
        let ranks = found.iter().flat_map(|found| 1..=found.len() as u32);
        let id = |found: &Found| people.id(found.part, found.row);
        let number = |found: &Found| match id(found) {
            Id::Number(number) => number,
            Id::Text(_) => 0,
        };
        let (id_type, ids): (DataType, ArrayRef) = match self.schema.ids {
            IdKind::Text => {
                let text = |found: &Found| match id(found) {
                    Id::Text(text) => String::from_utf8_lossy(text).into_owned(),
                    Id::Number(_) => String::new(),
                };
                let texts = LargeStringArray::from_iter_values(all().map(text));
                (DataType::LargeUtf8, Arc::new(texts))
            }
            IdKind::Unsigned => {
                (DataType::UInt64, Arc::new(UInt64Array::from_iter_values(all().map(number))))
            }
            IdKind::Signed => {
                let ids = all().map(|found| id(found).signed());
                (DataType::Int64, Arc::new(Int64Array::from_iter_values(ids)))
            }
        };
        let mut fields = vec![
            ArrowField::new("query_index", DataType::UInt32, false),
            ArrowField::new("rank", DataType::UInt32, false),
            ArrowField::new("id", id_type, false),
            ArrowField::new("match_weight", DataType::Float64, false),
        ];
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(queries)),
            Arc::new(UInt32Array::from_iter_values(ranks)),
            ids,
            Arc::new(Float64Array::from_iter_values(all().map(|found| found.weight))),
        ];
        let levels = (0..self.wiring.plan.comparisons.len())
            .map(|k| all().map(|found| found.levels.get(k).copied().unwrap_or(0)).collect());
        add_levels(&mut fields, &mut columns, levels.collect(), &self.about.weights)?;
        export(fields, columns)
    }
}
