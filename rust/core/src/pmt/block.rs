//! The column path: a plan bound to columns, 4,096 rows at a time.
//!
//! Each term adds to the block's sums in model order. Whatever a term cannot compute becomes NaN,
//! and a row whose sum is not finite goes to [`Plan::score_row`], which decides what it means. So
//! the fast path holds no policy at all, and clean data never pays for dirty data.

use super::bins::Width;
use super::isa::{Isa, SmallTable, add_small, add256};
use super::levels::{Levels, UNKNOWN, pack};
use super::plan::{Compiled, Input, Part, Plan, Source, SubModel, Term, linear, product};
use super::program::{EVERYTHING, Step, Transform};
use crate::column::{Bits, Codes, Column, Strings, Value, Values};
use crate::error::{Error, RowError};

const BLOCK: usize = 4096;

/// Most columns that are read side by side: as many streams as processors prefetch well.
const FUSED: usize = 5;

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
enum Kernel<'p, 'c> {
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

/// Where a block of numbers comes from: a column, or the ratio of two.
#[derive(Debug, Clone, Copy)]
struct NumberSource<'c> {
    dividend: Reader<'c>,
    divisor: Option<(Reader<'c>, [f64; 2])>,
}

/// A column with what a number in it must be.
#[derive(Debug, Clone, Copy)]
struct Reader<'c> {
    column: &'c Column<'c>,
    part: Part,
    width: Width,
}

/// Room for one block, allocated once per call.
struct Scratch {
    model: [f64; BLOCK],
    term: [f64; BLOCK],
    buffers: Buffers,
}

struct Buffers {
    a: [f64; BLOCK],
    b: [f64; BLOCK],
    c: [f64; BLOCK],
    bytes: [u8; BLOCK],
}

impl Scratch {
    fn new() -> Self {
        let empty = [0.0; BLOCK];
        let buffers = Buffers { a: empty, b: empty, c: empty, bytes: [0; BLOCK] };
        Self { model: empty, term: empty, buffers }
    }
}

impl Buffers {
    /// The number buffers, cut to the length of the block.
    #[inline(always)]
    fn numbers(&mut self, n: usize) -> [&mut [f64]; 3] {
        let Self { a, b, c, .. } = self;
        [a, b, c].map(|buffer| buffer.get_mut(..n).unwrap_or(&mut []))
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
        if Isa::available().contains(&isa) {
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
            Isa::Avx512 => score::<Avx512>(self, start, scores, status),
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
    fn add<C: Cpu>(
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

/// Runs `$body` with the constant `$count` set to `$n`. A call in each arm, not one through a
/// pointer: it has to be inlined where the wide instructions are.
macro_rules! by_count {
    ($n:expr, $count:ident => $body:expr) => {
        by_count!(@ $n, $count, $body, 1 2 3 4 5 6 7 8)
    };
    (@ $n:expr, $count:ident, $body:expr, $($arm:literal)*) => {
        match $n {
            $($arm => { const $count: usize = $arm; $body })*
            _ => {}
        }
    };
}
use by_count;

/// The block of each of `N` columns.
#[inline(always)]
fn blocks<'v, T, const N: usize>(columns: &[&'v [T]], start: usize, n: usize) -> [&'v [T]; N] {
    let mut columns = columns.iter();
    std::array::from_fn(|_| columns.next().and_then(|c| c.get(start..start + n)).unwrap_or(&[]))
}

/// `sums[i] += tables[0][columns[0][i]]`, then the next column, and so on.
#[inline(always)]
fn add_small_columns<C: Cpu, const N: usize>(
    columns: &[&[u8]],
    tables: &[SmallTable],
    start: usize,
    sums: &mut [f64],
) {
    if let Ok(tables) = tables.try_into() {
        C::add_small::<N>(blocks(columns, start, sums.len()), tables, sums);
    }
}

/// `sums[i] += columns[0][i] * coefficients[0]`, then the next column, and so on.
#[inline(always)]
#[expect(clippy::indexing_slicing, reason = "constant bounds")]
fn add_plain_columns<const N: usize>(
    columns: &[&[f64]],
    coefficients: &[f64],
    start: usize,
    sums: &mut [f64],
) {
    let blocks = blocks::<f64, N>(columns, start, sums.len());
    let whole = blocks.map(|column| column.first_chunk::<BLOCK>());
    // Arrays of a known length: no bounds to check, so eight rows go at a time.
    if let (Ok(sums), Ok(coefficients), true) = (
        <&mut [f64; BLOCK]>::try_from(&mut *sums),
        <[f64; N]>::try_from(coefficients),
        whole.iter().all(Option::is_some),
    ) {
        let whole = whole.map(|column| column.unwrap_or(&[0.0; BLOCK]));
        for i in 0..BLOCK {
            let mut sum = sums[i];
            for k in 0..N {
                sum += whole[k][i] * coefficients[k];
            }
            sums[i] = sum;
        }
        return;
    }
    for (column, coefficient) in blocks.iter().zip(coefficients) {
        sums.iter_mut().zip(*column).for_each(|(sum, x)| *sum += x * coefficient);
    }
}

/// `if choose { a } else { b }` in bits, which compilers turn into a blend and never into a branch.
#[inline(always)]
fn select(choose: bool, a: f64, b: f64) -> f64 {
    let mask = u64::from(choose).wrapping_neg();
    f64::from_bits((a.to_bits() & mask) | (b.to_bits() & !mask))
}

/// Zero for a number, NaN for NaN and infinity.
#[inline(always)]
#[expect(clippy::eq_op, reason = "not always zero")]
fn poison(x: f64) -> f64 {
    x - x
}

/// The body of [`Cpu::scale`].
#[inline(always)]
fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
    if steps.iter().all(|steps| steps.is_empty()) {
        return all_finite(sums);
    }
    for sum in &mut *sums {
        *sum += poison(*sum); // no step may turn infinity back into a number
    }
    steps.into_iter().flatten().for_each(|step| step.apply_all(sums));
    all_finite(sums)
}

/// Whether all are numbers. No early exit: the compiler can then look at eight at a time.
#[inline(always)]
fn all_finite(sums: &[f64]) -> bool {
    sums.iter().fold(true, |all, x| all & x.is_finite())
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

/// The loops, compiled once for each instruction set. They are outlined on purpose: inlined into
/// each other they took two minutes to compile and ran no faster.
trait Cpu {
    /// Adds a term's points to the sums.
    fn add(
        bound: &Bound<'_, '_>,
        kernel: &Kernel<'_, '_>,
        start: usize,
        sums: &mut [f64],
        buffers: &mut Buffers,
    );

    /// A block of a column as `f64`.
    fn numbers<'b>(column: &'b Column<'_>, start: usize, out: &'b mut [f64]) -> &'b [f64];

    /// Puts finished sums through steps; whether all are numbers.
    fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool;

    /// Look-ups in several small tables.
    #[inline(always)]
    fn add_small<const N: usize>(codes: [&[u8]; N], tables: &[SmallTable; N], sums: &mut [f64]) {
        add_small(codes, tables, sums);
    }
}

macro_rules! cpu {
    ($(#[$gate:meta])* $name:ident $(, $features:literal, $add_small:path)?) => {
        $(#[$gate])*
        struct $name;

        $(#[$gate])*
        impl Cpu for $name {
            fn add(
                bound: &Bound<'_, '_>,
                kernel: &Kernel<'_, '_>,
                start: usize,
                sums: &mut [f64],
                buffers: &mut Buffers,
            ) {
                $(#[target_feature(enable = $features)])?
                fn outlined(
                    bound: &Bound<'_, '_>,
                    kernel: &Kernel<'_, '_>,
                    start: usize,
                    sums: &mut [f64],
                    buffers: &mut Buffers,
                ) {
                    bound.add::<$name>(kernel, start, sums, buffers);
                }
                // SAFETY: `score_into` names this type only when the CPU has its features.
                #[allow(unused_unsafe)]
                unsafe { outlined(bound, kernel, start, sums, buffers) }
            }

            fn numbers<'b>(column: &'b Column<'_>, start: usize, out: &'b mut [f64]) -> &'b [f64] {
                $(#[target_feature(enable = $features)])?
                fn outlined<'b>(
                    column: &'b Column<'_>,
                    start: usize,
                    out: &'b mut [f64],
                ) -> &'b [f64] {
                    column.numbers(start, out)
                }
                // SAFETY: as above.
                #[allow(unused_unsafe)]
                unsafe { outlined(column, start, out) }
            }

            fn scale(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
                $(#[target_feature(enable = $features)])?
                fn outlined(steps: [&[Step]; 2], sums: &mut [f64]) -> bool {
                    scale(steps, sums)
                }
                // SAFETY: as above.
                #[allow(unused_unsafe)]
                unsafe { outlined(steps, sums) }
            }

            $(
                #[inline(always)]
                fn add_small<const N: usize>(
                    codes: [&[u8]; N],
                    tables: &[SmallTable; N],
                    sums: &mut [f64],
                ) {
                    $add_small(codes, tables, sums);
                }
            )?
        }
    };
}

cpu!(
    /// The safe twin.
    Portable
);
cpu!(
    #[cfg(target_arch = "x86_64")]
    Avx2,
    "avx2",
    add_small
);
cpu!(
    #[cfg(target_arch = "x86_64")]
    Avx512,
    "avx512f,avx512bw,avx512dq,avx512vl",
    super::isa::add_small_avx512
);

impl<'c> Reader<'c> {
    fn new(part: Part, columns: &'c [Column<'c>]) -> Option<Self> {
        let column = columns.get(part.column)?;
        let single = matches!(column.values, Values::F32(_));
        let fractions = single || matches!(column.values, Values::F64(_) | Values::Decimal(..));
        Some(Self {
            column,
            part: Part { integer: part.integer && fractions, ..part },
            width: if single { Width::Single } else { Width::Double },
        })
    }

    /// Whether every number is taken as it is.
    fn is_plain(&self) -> bool {
        !self.part.integer && self.part.range == EVERYTHING
    }

    /// The number, or NaN where the model does not accept it.
    #[inline(always)]
    fn check(&self, x: f64) -> f64 {
        if self.part.accepts(x, self.width) { x } else { f64::NAN }
    }
}

impl<'c> NumberSource<'c> {
    fn new(input: &Input, columns: &'c [Column<'c>]) -> Option<Self> {
        Some(match input.source {
            Source::Column(part) => Self { dividend: Reader::new(part, columns)?, divisor: None },
            Source::Ratio(a, b, range) => Self {
                dividend: Reader::new(a, columns)?,
                divisor: Some((Reader::new(b, columns)?, range)),
            },
        })
    }

    /// A column as it is.
    fn plain(column: &'c Column<'c>) -> Self {
        let part = Part { column: 0, integer: false, range: EVERYTHING };
        Self { dividend: Reader { column, part, width: Width::Double }, divisor: None }
    }

    fn is_plain(&self) -> bool {
        self.divisor.is_none() && self.dividend.is_plain()
    }

    /// The width in which the numbers are compared.
    fn width(&self) -> Width {
        if self.divisor.is_none() { self.dividend.width } else { Width::Double }
    }

    /// The column itself, where it is read without any change.
    fn doubles(&self) -> Option<&'c [f64]> {
        match self.dividend.column.values {
            Values::F64(v) if self.is_plain() => Some(v),
            _ => None,
        }
    }

    /// A block of numbers; NaN or infinity where there is none that the model accepts.
    #[inline(always)]
    fn block<'b, C: Cpu>(
        &'b self,
        start: usize,
        out: &'b mut [f64],
        spare: &'b mut [f64],
    ) -> &'b [f64] {
        let dividend = &self.dividend;
        if self.is_plain() {
            return C::numbers(dividend.column, start, out);
        }
        for (to, &x) in spare.iter_mut().zip(C::numbers(dividend.column, start, out)) {
            *to = dividend.check(x);
        }
        if let Some((divisor, [low, high])) = &self.divisor {
            for (to, &b) in spare.iter_mut().zip(C::numbers(divisor.column, start, out)) {
                let b = divisor.check(b);
                let ratio = if b == 0.0 { f64::NAN } else { *to / b + poison(b) };
                *to = if ratio >= *low && ratio <= *high { ratio } else { f64::NAN };
            }
        }
        spare
    }
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
                (0..strings.len()).map(|i| of(levels.text(strings.get(i)))).collect();
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

/// Look-ups by a wide code; a code beyond the dictionary is for the row path.
#[inline(always)]
fn add_codes<T: Copy + Into<u32>>(codes: &[T], table: &[f64], start: usize, sums: &mut [f64]) {
    for (sum, &code) in sums.iter_mut().zip(codes.get(start..).unwrap_or(&[])) {
        *sum += table.get(code.into() as usize).copied().unwrap_or(f64::NAN);
    }
}

#[inline(always)]
fn add_text(
    strings: &Strings<'_>,
    levels: &Levels,
    points: &[f64],
    start: usize,
    sums: &mut [f64],
) {
    let unknown = points.last().copied().unwrap_or(f64::NAN);
    let of = |level: u32| points.get(level as usize).copied().unwrap_or(unknown);
    if let Strings::View { views, .. } = strings {
        let views = views.get(start..).unwrap_or(&[]);
        for (i, (sum, view)) in sums.iter_mut().zip(views).enumerate() {
            let key = u128::from_le_bytes(*view);
            // A short text is its own view; a long one has to be fetched.
            let level = if key as u32 <= 12 {
                levels.packed(key)
            } else {
                levels.text(strings.get(start + i))
            };
            *sum += of(level);
        }
        return;
    }
    for (i, sum) in sums.iter_mut().enumerate() {
        let bytes = strings.get(start + i);
        let level = pack(bytes).map_or_else(|| levels.text(bytes), |key| levels.packed(key));
        *sum += of(level);
    }
}

const _: () = assert!(UNKNOWN as usize > u16::MAX as usize, "no model has that many levels");
