//! The column path: a plan bound to columns, 4,096 rows at a time.
//!
//! Each term adds to the block's sums in model order. Whatever a term cannot compute becomes NaN,
//! and a row whose sum is not finite goes to [`Plan::score_row`], which decides what it means. So
//! the fast path holds no policy at all, and clean data never pays for dirty data.

use super::bins::Width;
#[cfg(target_arch = "x86_64")]
use super::cpu::{Avx2, Avx512};
use super::cpu::{Buffers, Cpu, Portable};
use super::levels::{Levels, UNKNOWN};
use super::look_up::{SmallTable, add256};
use super::loops::{
    FUSED, add_codes, add_plain_columns, add_small_columns, add_text, all_finite, by_count, poison,
    select,
};
use super::numbers::NumberSource;
use super::plan::{Compiled, Plan, SubModel, Term, linear, product};
use super::program::{EVERYTHING, Transform};
use crate::column::{Bits, Codes, Column, Strings, Value, Values};
use crate::error::{Error, RowError};
use crate::isa::Isa;

pub(super) const BLOCK: usize = 4096;

/// Integer levels spread wider than this are looked up row by row.
const WIDEST_TABLE: i64 = 65_536;

/// A plan bound to the columns of one piece of a frame. Shareable between threads.
#[derive(Debug)]
pub struct Bound<'p, 'c> {
    plan: &'p Plan,
    columns: &'c [Column<'c>],
    rows: usize,
    models: Vec<Vec<BoundTerm<'p, 'c>>>,
    isa: Isa,
}

#[derive(Debug)]
struct BoundTerm<'p, 'c> {
    kernel: Kernel<'p, 'c>,
    /// Validity of the columns that have nulls.
    nulls: Vec<Bits<'c>>,
    /// What a null adds: stated points, or NaN.
    missing: f64,
}

#[derive(Debug)]
pub(super) enum Kernel<'p, 'c> {
    /// The same for every row: all columns are literals.
    Constant(f64),
    /// Byte codes of dictionaries of at most fifteen entries, up to [`FUSED`] columns at once.
    Small {
        columns: Vec<&'c [u8]>,
        tables: Vec<SmallTable>,
    },
    /// Byte codes.
    Byte {
        codes: &'c [u8],
        table: Box<[f64; 256]>,
    },
    /// Wider codes.
    Code {
        codes: Codes<'c>,
        table: Vec<f64>,
    },
    /// Text. The last of `points` is for unknown text.
    Text {
        strings: &'c Strings<'c>,
        levels: &'p Levels,
        points: Vec<f64>,
    },
    Flag {
        bits: Bits<'c>,
        points: [f64; 2],
    },
    /// Integer levels in `first .. first + table.len()`.
    Integer {
        number: NumberSource<'c>,
        first: f64,
        table: Vec<f64>,
        unknown: f64,
    },
    Bins {
        number: NumberSource<'c>,
        cuts: &'p [f64],
        points: Vec<f64>,
    },
    /// `x * coefficient` for up to [`FUSED`] columns at once.
    Plain {
        columns: Vec<&'c [f64]>,
        coefficients: Vec<f64>,
    },
    Linear {
        number: NumberSource<'c>,
        coefficient: f64,
        transform: Transform,
        clip: [f64; 2],
    },
    Product {
        a: NumberSource<'c>,
        b: NumberSource<'c>,
        coefficient: f64,
    },
    /// Anything else: the row path for this term.
    Row(&'p Term),
}

/// Room for one block, allocated once per call.
struct Scratch {
    model: [f64; BLOCK],
    term: [f64; BLOCK],
    buffers: Buffers,
}

impl Scratch {
    fn new() -> Self {
        let empty = [0.0; BLOCK];
        let buffers = Buffers { a: empty, b: empty, c: empty, bytes: [0; BLOCK] };
        Self { model: empty, term: empty, buffers }
    }
}

impl Plan {
    /// Binds the plan to columns, in the order of [`Plan::columns`]. A column of one row stands
    /// for a literal.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] when a column has a type or a length that cannot be used.
    pub fn bind<'p, 'c>(
        &'p self,
        columns: &'c [Column<'c>],
        rows: usize,
    ) -> Result<Bound<'p, 'c>, Error> {
        if columns.len() != self.columns.len() {
            return Err(Error::Schema {
                column: String::new(),
                message: format!("{} columns given, {} needed", columns.len(), self.columns.len()),
            });
        }
        for (i, (column, name)) in columns.iter().zip(&self.columns).enumerate() {
            self.check_kind(i, column.kind())?;
            if column.len() != rows && column.len() != 1 {
                return Err(Error::Schema {
                    column: name.clone(),
                    message: format!("{} rows, expected {rows}", column.len()),
                });
            }
        }
        let mut bound = Bound { plan: self, columns, rows, models: vec![], isa: Isa::best() };
        bound.models = self
            .models
            .iter()
            .map(|model| fuse(model.terms.iter().map(|term| bound.bind_term(term))))
            .collect();
        Ok(bound)
    }
}

impl<'p, 'c> Bound<'p, 'c> {
    /// The same, on a given instruction set; unchanged when the CPU does not have it.
    #[must_use]
    pub fn with_isa(mut self, isa: Isa) -> Self {
        if isa.is_available() {
            self.isa = isa;
        }
        self
    }

    /// Scores rows `start .. start + scores.len()`. A score that cannot be computed is NaN;
    /// `status` holds [`Status`] codes and must be zero on entry.
    ///
    /// # Errors
    ///
    /// The first row that the model says is an error; rows before it are scored.
    pub fn score_into(
        &self,
        start: usize,
        scores: &mut [f64],
        status: &mut [u8],
    ) -> Result<(), RowError> {
        match self.isa {
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 | Isa::Avx512Vbmi => score::<Avx512>(self, start, scores, status),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => score::<Avx2>(self, start, scores, status),
            _ => score::<Portable>(self, start, scores, status),
        }
    }

    /// Value of column `c` in row `row`.
    #[inline]
    fn value(&self, c: usize, row: usize) -> Value<'_> {
        self.columns.get(c).map_or(Value::Missing, |column| {
            column.value(if self.literal(column) { 0 } else { row })
        })
    }

    fn literal(&self, column: &Column<'_>) -> bool {
        column.len() == 1 && self.rows != 1
    }

    fn bind_term(&self, term: &'p Term) -> BoundTerm<'p, 'c> {
        let inputs = || term.inputs.iter().filter_map(|&i| self.plan.inputs.get(i));
        let columns: Vec<&'c Column<'c>> = inputs()
            .flat_map(|input| input.source.parts())
            .filter_map(|part| self.columns.get(part.column))
            .collect();
        let missing = term.missing.points_or_nan();
        let literals = columns.iter().filter(|c| self.literal(c)).count();
        let kernel = if columns.iter().any(|c| matches!(c.values, Values::Null(_))) {
            Kernel::Constant(missing)
        } else if literals == columns.len() {
            let points = term.points(self.plan, &|c| self.value(c, 0));
            Kernel::Constant(points.unwrap_or(f64::NAN))
        } else if literals > 0 {
            Kernel::Row(term)
        } else {
            let numbers: Vec<_> =
                inputs().filter_map(|input| NumberSource::new(input, self.columns)).collect();
            self.bind_kernel(term, &columns, &numbers).unwrap_or(Kernel::Row(term))
        };
        let by_row = matches!(kernel, Kernel::Row(_) | Kernel::Constant(_));
        let nulls =
            if by_row { vec![] } else { columns.iter().filter_map(|c| c.validity).collect() };
        BoundTerm { kernel, nulls, missing }
    }

    fn bind_kernel(
        &self,
        term: &'p Term,
        columns: &[&'c Column<'c>],
        numbers: &[NumberSource<'c>],
    ) -> Option<Kernel<'p, 'c>> {
        let invalid = term.invalid.points_or_nan();
        match &term.kind {
            Compiled::Levels { levels, points } => {
                bind_levels(columns.first()?, levels, points, invalid)
            }
            Compiled::Bins { double, single, points } => {
                let &number = numbers.first()?;
                let regions = if number.width() == Width::Single { single } else { double };
                let of = |bin: &Option<usize>| bin.and_then(|b| points.get(b).copied());
                Some(Kernel::Bins {
                    number,
                    cuts: &regions.cuts,
                    points: regions.bins.iter().map(|b| of(b).unwrap_or(invalid)).collect(),
                })
            }
            &Compiled::Linear { coefficient, transform, clip } => {
                let &number = numbers.first()?;
                let plain = transform == Transform::None && clip == EVERYTHING;
                Some(match number.doubles().filter(|_| plain) {
                    Some(values) => {
                        Kernel::Plain { columns: vec![values], coefficients: vec![coefficient] }
                    }
                    None => Kernel::Linear { number, coefficient, transform, clip },
                })
            }
            &Compiled::Product { coefficient } => {
                Some(Kernel::Product { a: *numbers.first()?, b: *numbers.get(1)?, coefficient })
            }
            Compiled::Table { .. } => None,
        }
    }

    /// Sums of one sub-model over a block.
    fn sum<C: Cpu>(
        &self,
        model: &SubModel,
        terms: &[BoundTerm<'p, 'c>],
        start: usize,
        sums: &mut [f64],
        (own, buffers): (&mut [f64; BLOCK], &mut Buffers),
    ) {
        let n = sums.len();
        sums.fill(model.intercept);
        for term in terms {
            if term.nulls.iter().all(|bits| bits.slice(start, n).all()) {
                C::add(self, &term.kernel, start, sums, buffers);
                continue;
            }
            let own = own.get_mut(..n).unwrap_or(&mut []);
            own.fill(0.0);
            C::add(self, &term.kernel, start, own, buffers);
            for bits in &term.nulls {
                bits.slice(start, n).for_each_zero(|i| {
                    if let Some(points) = own.get_mut(i) {
                        *points = term.missing;
                    }
                });
            }
            for (sum, points) in sums.iter_mut().zip(own.iter()) {
                *sum += points;
            }
        }
    }

    /// Adds a term's points to the sums: the body of [`Cpu::add`].
    #[inline(always)]
    pub(super) fn add<C: Cpu>(
        &self,
        kernel: &Kernel<'p, 'c>,
        start: usize,
        sums: &mut [f64],
        buffers: &mut Buffers,
    ) {
        let n = sums.len();
        match kernel {
            Kernel::Constant(points) => sums.iter_mut().for_each(|sum| *sum += points),
            Kernel::Small { columns, tables } => {
                by_count!(columns.len(), N => add_small_columns::<C, N>(columns, tables, start, sums));
            }
            Kernel::Byte { codes, table } => {
                add256(codes.get(start..start + n).unwrap_or(&[]), table, sums);
            }
            Kernel::Code { codes: Codes::U8(codes), table } => add_codes(codes, table, start, sums),
            Kernel::Code { codes: Codes::U16(codes), table } => {
                add_codes(codes, table, start, sums)
            }
            Kernel::Code { codes: Codes::U32(codes), table } => {
                add_codes(codes, table, start, sums)
            }
            Kernel::Text { strings, levels, points } => {
                add_text(strings, levels, points, start, sums);
            }
            Kernel::Flag { bits, points: [no, yes] } => {
                let bytes = buffers.bytes.get_mut(..n).unwrap_or(&mut []);
                bits.slice(start, n).unpack(bytes);
                for (sum, &bit) in sums.iter_mut().zip(bytes.iter()) {
                    *sum += if bit == 1 { *yes } else { *no };
                }
            }
            Kernel::Integer { number, first, table, unknown } => {
                let [buffer, spare, _] = buffers.numbers(n);
                for (sum, &x) in sums.iter_mut().zip(number.block::<C>(start, buffer, spare)) {
                    let offset = x - first;
                    let found = if offset >= 0.0 { table.get(offset as usize) } else { None };
                    // A fraction or a NaN is for the row path to judge.
                    let whole = x as i64 as f64 == x;
                    *sum += if whole { *found.unwrap_or(unknown) } else { f64::NAN };
                }
            }
            Kernel::Bins { number, cuts, points } => {
                let Some((first, rest)) = points.split_first() else { return };
                let [buffer, spare, found] = buffers.numbers(n);
                let numbers = number.block::<C>(start, buffer, spare);
                found.fill(*first);
                for (cut, points) in cuts.iter().zip(rest) {
                    for (to, &x) in found.iter_mut().zip(numbers) {
                        *to = select(x >= *cut, *points, *to);
                    }
                }
                for ((sum, &points), &x) in sums.iter_mut().zip(found.iter()).zip(numbers) {
                    *sum += points + poison(x);
                }
            }
            Kernel::Plain { columns, coefficients } => {
                by_count!(columns.len(), N => add_plain_columns::<N>(columns, coefficients, start, sums));
            }
            Kernel::Linear { number, coefficient, transform, clip } => {
                let [buffer, spare, _] = buffers.numbers(n);
                let numbers = number.block::<C>(start, buffer, spare);
                for (sum, &x) in sums.iter_mut().zip(numbers) {
                    *sum += linear(x, *coefficient, *transform, *clip) + poison(x);
                }
            }
            Kernel::Product { a, b, coefficient } => {
                let [buffer, spare, left] = buffers.numbers(n);
                for (to, &x) in left.iter_mut().zip(a.block::<C>(start, buffer, spare)) {
                    *to = x;
                }
                let right = b.block::<C>(start, buffer, spare);
                for ((sum, &a), &b) in sums.iter_mut().zip(left.iter()).zip(right) {
                    *sum += product(*coefficient, a, b);
                }
            }
            Kernel::Row(term) => {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let points = term.points(self.plan, &|c| self.value(c, start + i));
                    *sum += points.unwrap_or(f64::NAN);
                }
            }
        }
    }

    /// The scores of each row's own sub-model; NaN where the row has none.
    fn score_strata<C: Cpu>(&self, start: usize, sums: &mut [f64], scratch: &mut Scratch) {
        let n = sums.len();
        let own: Vec<Option<&SubModel>> =
            (start..start + n).map(|row| self.plan.stratum(&|c| self.value(c, row)).ok()).collect();
        sums.fill(f64::NAN);
        for (model, terms) in self.plan.models.iter().zip(&self.models) {
            let here = |of: &Option<&SubModel>| of.is_some_and(|m| std::ptr::eq(m, model));
            if !own.iter().any(here) {
                continue;
            }
            let Scratch { model: block, term, buffers } = scratch;
            let block = block.get_mut(..n).unwrap_or(&mut []);
            self.sum::<C>(model, terms, start, block, (term, buffers));
            C::scale([&model.steps, &self.plan.steps], block);
            for ((sum, &x), of) in sums.iter_mut().zip(block.iter()).zip(&own) {
                if here(of) {
                    *sum = x;
                }
            }
        }
    }
}

/// Puts neighbouring terms of a kind together: the sums stay in registers while up to [`FUSED`]
/// columns are read side by side, in the same order of addition. Column by column, the processor's
/// prefetcher starts anew with every block.
fn fuse<'p, 'c>(terms: impl Iterator<Item = BoundTerm<'p, 'c>>) -> Vec<BoundTerm<'p, 'c>> {
    let mut fused: Vec<BoundTerm<'p, 'c>> = vec![];
    for mut term in terms {
        let last = fused.last_mut().filter(|last| last.nulls.is_empty() && term.nulls.is_empty());
        let joined = match (last.map(|last| &mut last.kernel), &mut term.kernel) {
            (
                Some(Kernel::Plain { columns: all, coefficients: factors }),
                Kernel::Plain { columns, coefficients },
            ) if all.len() < FUSED => {
                all.append(columns);
                factors.append(coefficients);
                true
            }
            (
                Some(Kernel::Small { columns: all, tables: points }),
                Kernel::Small { columns, tables },
            ) if all.len() < FUSED => {
                all.append(columns);
                points.append(tables);
                true
            }
            _ => false,
        };
        if !joined {
            fused.push(term);
        }
    }
    fused
}

fn score<C: Cpu>(
    bound: &Bound<'_, '_>,
    start: usize,
    scores: &mut [f64],
    status: &mut [u8],
) -> Result<(), RowError> {
    let mut scratch = Scratch::new();
    let plan = bound.plan;
    for (sums, (codes, first)) in
        scores.chunks_mut(BLOCK).zip(status.chunks_mut(BLOCK).zip((start..).step_by(BLOCK)))
    {
        let clean = match (plan.strata.is_some(), plan.models.first(), bound.models.first()) {
            (false, Some(model), Some(terms)) => {
                let Scratch { term, buffers, .. } = &mut scratch;
                bound.sum::<C>(model, terms, first, sums, (term, buffers));
                C::scale([&model.steps, &plan.steps], sums)
            }
            _ => {
                bound.score_strata::<C>(first, sums, &mut scratch);
                all_finite(sums)
            }
        };
        if clean {
            continue;
        }
        for (i, (sum, code)) in sums.iter_mut().zip(codes).enumerate() {
            if sum.is_finite() {
                continue;
            }
            let row = first + i;
            let found = plan
                .score_row(|c| bound.value(c, row))
                .map_err(|error| RowError { row, ..error })?;
            *sum = found.score.unwrap_or(f64::NAN);
            *code = found.status as u8;
        }
    }
    Ok(())
}

/// A table of a fixed length; the entries that it does not have are NaN.
fn padded<const N: usize>(table: &[f64]) -> [f64; N] {
    let mut entries = table.iter().copied();
    std::array::from_fn(|_| entries.next().unwrap_or(f64::NAN))
}

fn bind_levels<'p, 'c>(
    column: &'c Column<'c>,
    levels: &'p Levels,
    points: &[f64],
    invalid: f64,
) -> Option<Kernel<'p, 'c>> {
    let of = |level: u32| points.get(level as usize).copied().unwrap_or(invalid);
    Some(match &column.values {
        Values::Dict(codes, strings) => {
            let table: Vec<f64> =
                (0..strings.len()).map(|i| of(levels.texts.of(strings.get(i)))).collect();
            match codes {
                Codes::U8(codes) if table.len() < 16 => {
                    // Entries that no code should have are for the row path.
                    Kernel::Small { columns: vec![codes], tables: vec![padded(&table)] }
                }
                Codes::U8(codes) => Kernel::Byte { codes, table: Box::new(padded(&table)) },
                &codes => Kernel::Code { codes, table },
            }
        }
        Values::Str(strings) => {
            let mut points = points.to_vec();
            points.push(invalid);
            Kernel::Text { strings, levels, points }
        }
        &Values::Bool(bits) => {
            Kernel::Flag { bits, points: [false, true].map(|b| of(levels.boolean(b))) }
        }
        _ => {
            let (first, last) = (levels.integers().min()?, levels.integers().max()?);
            if last.checked_sub(first)? > WIDEST_TABLE {
                return None;
            }
            let table = (first..=last).map(|i| of(levels.integer(i))).collect();
            Kernel::Integer {
                number: NumberSource::plain(column),
                first: first as f64,
                table,
                unknown: invalid,
            }
        }
    })
}

const _: () = assert!(UNKNOWN as usize > u16::MAX as usize, "no model has that many levels");
