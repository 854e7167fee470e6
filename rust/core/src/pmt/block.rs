//! The column path: a plan bound to columns, 1,024 rows at a time.
//!
//! Each term adds to the block's sums in model order. Whatever a term cannot compute becomes NaN,
//! and a row whose sum is not finite goes to [`Plan::score_row`], which decides what it means. So
//! the fast path holds no policy at all, and clean data never pays for dirty data.

use super::bins::Width;
use super::isa::{Isa, add256, zip_ahead};
use super::levels::{Levels, UNKNOWN, pack};
use super::plan::{Compiled, Input, Plan, Source, SubModel, Term, inside, linear, product};
use super::program::{EVERYTHING, Step, Transform};
use crate::column::{Bits, Codes, Column, Strings, Value, Values};
use crate::error::{Error, RowError};

const BLOCK: usize = 1024;

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
    /// Byte codes; `small` when only the first sixteen entries are used.
    Byte {
        codes: &'c [u8],
        table: Box<[f64; 256]>,
        small: bool,
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
    Linear {
        number: NumberSource<'c>,
        coefficient: f64,
        transform: Transform,
        clip: [f64; 2],
        plain: bool,
    },
    Product {
        a: NumberSource<'c>,
        b: NumberSource<'c>,
        coefficient: f64,
    },
    /// Anything else: the row path for this term.
    Row(&'p Term),
}

/// Where a block of numbers comes from.
#[derive(Debug, Clone, Copy)]
struct NumberSource<'c> {
    column: &'c Column<'c>,
    divisor: Option<&'c Column<'c>>,
    width: Width,
    /// Whether a fraction is outside the domain.
    whole: bool,
    range: [f64; 2],
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
            .map(|model| model.terms.iter().map(|term| bound.bind_term(term)).collect())
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
            .flat_map(|input| match input.source {
                Source::Column(c) => vec![c],
                Source::Ratio(a, b) => vec![a, b],
            })
            .filter_map(|c| self.columns.get(c))
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
                let regions = if number.width == Width::Single { single } else { double };
                let of = |bin: &Option<usize>| bin.and_then(|b| points.get(b).copied());
                Some(Kernel::Bins {
                    number,
                    cuts: &regions.cuts,
                    points: regions.bins.iter().map(|b| of(b).unwrap_or(invalid)).collect(),
                })
            }
            &Compiled::Linear { coefficient, transform, clip } => Some(Kernel::Linear {
                number: *numbers.first()?,
                coefficient,
                transform,
                clip,
                plain: transform == Transform::None && clip == EVERYTHING,
            }),
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
            Kernel::Byte { codes, table, small } => {
                let codes = codes.get(start..start + n).unwrap_or(&[]);
                if *small { C::add16(codes, table, sums) } else { add256(codes, table, sums) }
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
                    let whole = offset as i64 as f64 == offset;
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
                        *to = if x >= *cut { *points } else { *to };
                    }
                }
                for ((sum, &points), &x) in sums.iter_mut().zip(found.iter()).zip(numbers) {
                    *sum += points + poison(x);
                }
            }
            Kernel::Linear { number, coefficient, transform, clip, plain } => {
                let [buffer, spare, _] = buffers.numbers(n);
                let numbers = number.block::<C>(start, buffer, spare);
                if *plain {
                    zip_ahead::<_, BLOCK>(sums, numbers, |sum, x| *sum += x * coefficient);
                } else {
                    for (sum, &x) in sums.iter_mut().zip(numbers) {
                        *sum += linear(x, *coefficient, *transform, *clip) + poison(x);
                    }
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

    /// The sums of each row's own sub-model; NaN where the row has none.
    fn sum_strata<C: Cpu>(&self, start: usize, sums: &mut [f64], scratch: &mut Scratch) {
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
            C::scale(&model.steps, block);
            for ((sum, &x), of) in sums.iter_mut().zip(block.iter()).zip(&own) {
                if here(of) {
                    *sum = x;
                }
            }
        }
    }
}

/// Zero for a number, NaN for NaN and infinity.
#[inline(always)]
#[expect(clippy::eq_op, reason = "not always zero")]
fn poison(x: f64) -> f64 {
    x - x
}

/// The body of [`Cpu::scale`].
#[inline(always)]
fn scale(steps: &[Step], sums: &mut [f64]) {
    for sum in &mut *sums {
        *sum += poison(*sum); // no step may turn infinity back into a number
    }
    steps.iter().for_each(|step| step.apply_all(sums));
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
        match (plan.strata.is_some(), plan.models.first(), bound.models.first()) {
            (false, Some(model), Some(terms)) => {
                let Scratch { term, buffers, .. } = &mut scratch;
                bound.sum::<C>(model, terms, first, sums, (term, buffers));
                C::scale(&model.steps, sums);
            }
            _ => bound.sum_strata::<C>(first, sums, &mut scratch),
        }
        C::scale(&plan.steps, sums);
        // No early exit: the compiler can then look at eight rows at a time.
        if !sums.iter().fold(false, |found, x| found | !x.is_finite()) {
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

    /// Puts finished sums through steps.
    fn scale(steps: &[Step], sums: &mut [f64]);

    /// `sums[i] += table[codes[i]]` where only the first sixteen entries are meant; a code beyond
    /// them adds NaN.
    #[inline(always)]
    fn add16(codes: &[u8], table: &[f64; 256], sums: &mut [f64]) {
        add256(codes, table, sums);
    }
}

macro_rules! cpu {
    ($(#[$gate:meta])* $name:ident $(, $features:literal, $add16:path)?) => {
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

            fn scale(steps: &[Step], sums: &mut [f64]) {
                $(#[target_feature(enable = $features)])?
                fn outlined(steps: &[Step], sums: &mut [f64]) {
                    scale(steps, sums);
                }
                // SAFETY: as above.
                #[allow(unused_unsafe)]
                unsafe { outlined(steps, sums) }
            }

            $(
                #[inline(always)]
                fn add16(codes: &[u8], table: &[f64; 256], sums: &mut [f64]) {
                    $add16(codes, table, sums);
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
    add256
);
cpu!(
    #[cfg(target_arch = "x86_64")]
    Avx512,
    "avx512f,avx512bw,avx512dq,avx512vl",
    super::isa::add16_avx512
);

impl<'c> NumberSource<'c> {
    fn new(input: &Input, columns: &'c [Column<'c>]) -> Option<Self> {
        let fractions = |c: &Column<'_>| {
            matches!(c.values, Values::F32(_) | Values::F64(_) | Values::Decimal(..))
        };
        let (column, divisor) = match input.source {
            Source::Column(c) => (columns.get(c)?, None),
            Source::Ratio(a, b) => (columns.get(a)?, Some(columns.get(b)?)),
        };
        let single = matches!(column.values, Values::F32(_)) && divisor.is_none();
        Some(Self {
            column,
            divisor,
            width: if single { Width::Single } else { Width::Double },
            whole: input.integer && (fractions(column) || divisor.is_some_and(fractions)),
            range: input.range,
        })
    }

    /// A column as it is.
    fn plain(column: &'c Column<'c>) -> Self {
        Self { column, divisor: None, width: Width::Double, whole: false, range: EVERYTHING }
    }

    /// A block of numbers; NaN or infinity where there is none that the model accepts.
    #[inline(always)]
    fn block<'b, C: Cpu>(
        &'b self,
        start: usize,
        out: &'b mut [f64],
        spare: &'b mut [f64],
    ) -> &'b [f64] {
        if self.divisor.is_none() && !self.whole && self.range == EVERYTHING {
            return C::numbers(self.column, start, out);
        }
        let whole = |x: f64| if !self.whole || x.trunc() == x { x } else { f64::NAN };
        for (to, &x) in spare.iter_mut().zip(C::numbers(self.column, start, out)) {
            *to = whole(x);
        }
        if let Some(divisor) = self.divisor {
            for (to, &b) in spare.iter_mut().zip(C::numbers(divisor, start, out)) {
                let b = whole(b);
                *to = if b == 0.0 { f64::NAN } else { *to / b + poison(b) };
            }
        }
        for to in spare.iter_mut() {
            *to = if inside(*to, self.range, self.width) { *to } else { f64::NAN };
        }
        spare
    }
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
                Codes::U8(codes) => {
                    let mut full = Box::new([f64::NAN; 256]);
                    full.iter_mut().zip(&table).for_each(|(to, from)| *to = *from);
                    Kernel::Byte { codes, table: full, small: table.len() <= 16 }
                }
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
