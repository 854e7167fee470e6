//! The compiled model and the row path: the definition of a score.

use std::fmt::Write as _;

use super::bins::{Regions, Width};
use super::expected::{expected, one_of};
use super::levels::{Levels, UNKNOWN};
use super::program::{self, NamedPolicy, Policy, Program, Scalar, Step, TermKind, Transform};
use crate::column::{Kind, Value};
use crate::error::{Error, RowError};

/// What became of a row. The numbers are the codes of the status column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Status {
    /// Scored.
    Ok = 0,
    /// An answer is missing that the model needs.
    Missing = 1,
    /// An answer lies outside what the model was made for. It wins over `Missing`.
    OutOfDomain = 2,
}

impl Status {
    /// Names, in the order of the codes.
    pub const NAMES: [&'static str; 3] = ["ok", "missing", "out_of_domain"];

    /// Name of this status.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Missing => "missing",
            Self::OutOfDomain => "out_of_domain",
        }
    }
}

/// Score of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RowScore {
    /// Score after all steps; `None` unless `status` is `Ok`.
    pub score: Option<f64>,
    /// Sum before any step; `None` unless `status` is `Ok`.
    pub raw: Option<f64>,
    /// What became of the row.
    pub status: Status,
}

/// What one term added to one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution<'p> {
    /// Term, or `intercept`.
    pub term: &'p str,
    /// The answer as text; `None` when missing, or for the intercept.
    pub value: Option<String>,
    /// Points added; `None` when the term could not be computed.
    pub points: Option<f64>,
}

/// A model ready to run. Immutable, shareable between threads.
///
/// # Complexity
///
/// A row costs one look-up or a few comparisons per term.
#[derive(Debug)]
pub struct Plan {
    pub(super) columns: Vec<String>,
    pub(super) inputs: Vec<Input>,
    pub(super) strata: Option<Strata>,
    pub(super) models: Vec<SubModel>,
    pub(super) steps: Vec<Step>,
    /// For each column, the kinds it may have: a bit for each [`Kind`].
    accepted: Vec<u8>,
}

#[derive(Debug)]
pub(super) struct Input {
    pub name: String,
    pub source: Source,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Source {
    Column(Part),
    /// A quotient and where it must lie.
    Ratio(Part, Part, [f64; 2]),
}

/// A column and what a number in it must be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub column: usize,
    pub integer: bool,
    pub range: [f64; 2],
}

impl Source {
    /// The columns that are read.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        let (first, second) = match *self {
            Self::Column(part) => (part, None),
            Self::Ratio(a, b, _) => (a, Some(b)),
        };
        std::iter::once(first).chain(second)
    }
}

impl Part {
    fn read(&self, value: Value<'_>) -> Number {
        match read_number(value) {
            Number::Is(x, width) if !self.accepts(x, width) => Number::Invalid,
            found => found,
        }
    }

    /// Whether a number may stand here; the bounds are compared in its own width.
    #[inline(always)]
    pub fn accepts(&self, x: f64, width: Width) -> bool {
        let [low, high] = self.range;
        (!self.integer || x.trunc() == x) && x >= width.edge(low) && x <= width.edge(high)
    }
}

#[derive(Debug)]
pub(super) struct Strata {
    pub input: usize,
    pub levels: Levels,
    missing: Policy,
    invalid: Policy,
    expected: String,
}

#[derive(Debug)]
pub(super) struct SubModel {
    pub intercept: f64,
    pub terms: Vec<Term>,
    pub steps: Vec<Step>,
}

#[derive(Debug)]
pub(super) struct Term {
    pub id: String,
    pub inputs: Vec<usize>,
    pub missing: Policy,
    pub invalid: Policy,
    pub kind: Compiled,
    expected: String,
}

#[derive(Debug)]
pub(super) enum Compiled {
    Levels { levels: Levels, points: Vec<f64> },
    Bins { double: Regions, single: Regions, points: Vec<f64> },
    Linear { coefficient: f64, transform: Transform, clip: [f64; 2] },
    Product { coefficient: f64 },
    Table { rows: Levels, columns: Levels, width: usize, cells: Vec<Option<f64>> },
}

/// A term's answer for one row, before the term's policy.
enum Answer {
    Points(f64),
    Missing,
    Invalid,
}

/// A number read from an input.
enum Number {
    Is(f64, Width),
    Missing,
    Invalid,
}

impl Plan {
    /// Compiles a JSON program.
    ///
    /// # Errors
    ///
    /// [`Error::Model`] when the program is not valid; the text names the place.
    pub fn from_json(json: &[u8]) -> Result<Self, Error> {
        let program: Program = serde_json::from_slice(json)
            .map_err(|e| Error::Model(format!("model program: {e}")))?;
        Self::compile(program)
    }

    fn compile(program: Program) -> Result<Self, Error> {
        let bad = |message: String| Err(Error::Model(message));
        let mut columns: Vec<String> = vec![];
        let mut column = |name: &String| {
            columns.iter().position(|c| c == name).unwrap_or_else(|| {
                columns.push(name.clone());
                columns.len() - 1
            })
        };
        let mut inputs = vec![];
        for input in program.inputs {
            let mut part = |p: &program::Part| Part {
                column: column(&p.column),
                integer: p.integer,
                range: p.range.ends(),
            };
            let source = match input.parts.as_slice() {
                [one] => Source::Column(part(one)),
                [a, b] => Source::Ratio(part(a), part(b), input.range.ends()),
                _ => return bad(format!("input '{}': one or two columns", input.name)),
            };
            inputs.push(Input { name: input.name, source });
        }
        let strata = program.strata.map(|s| Strata {
            input: s.input,
            expected: one_of(s.levels.iter().flatten()),
            levels: Levels::new(&s.levels),
            missing: s.missing,
            invalid: s.invalid,
        });
        let wanted = strata.as_ref().map_or(1, |_| program.models.len());
        if program.models.len() != wanted || program.models.is_empty() {
            return bad("a model without strata has exactly one sub-model".into());
        }
        let mut models = vec![];
        for model in program.models {
            let terms = model.terms.into_iter().map(|t| Term::compile(t, &inputs));
            models.push(SubModel {
                intercept: model.intercept + 0.0, // -0.0 becomes 0.0: a sum never starts below it
                terms: terms.collect::<Result<_, _>>()?,
                steps: model.steps,
            });
        }
        let mut plan =
            Self { columns, inputs, strata, models, steps: program.steps, accepted: vec![] };
        if plan.strata.as_ref().is_some_and(|s| s.input >= plan.inputs.len()) {
            return bad("strata: no such input".into());
        }
        plan.check_sources()?;
        plan.accepted = (0..plan.columns.len()).map(|c| plan.kinds_of(c)).collect();
        Ok(plan)
    }

    /// Categories are read from columns, never from ratios.
    fn check_sources(&self) -> Result<(), Error> {
        for (input, usage) in self.usages() {
            let ratio = matches!(input.source, Source::Ratio(..));
            if ratio && !matches!(usage, Usage::Number) {
                return Err(Error::Model(format!("input '{}': a ratio is a number", input.name)));
            }
        }
        Ok(())
    }

    /// Columns to supply, in this order.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Every name a contribution can have: `intercept`, then the terms of all sub-models in order,
    /// each name once.
    #[must_use]
    pub fn terms(&self) -> Vec<&str> {
        let mut names = vec!["intercept"];
        for term in self.models.iter().flat_map(|m| &m.terms) {
            if !names.contains(&term.id.as_str()) {
                names.push(&term.id);
            }
        }
        names
    }

    /// Terms of the widest sub-model plus the intercept: the most rows one household explains to.
    #[must_use]
    pub fn most_contributions(&self) -> usize {
        self.models.iter().map(|m| m.terms.len() + 1).max().unwrap_or(1)
    }

    /// Whether column number `column` may be of this kind.
    ///
    /// # Errors
    ///
    /// [`Error::Schema`] that says what is expected.
    pub fn check_kind(&self, column: usize, kind: Kind) -> Result<(), Error> {
        if self.accepted.get(column).is_some_and(|kinds| kinds & (1 << kind as u8) != 0) {
            return Ok(());
        }
        let refused = self.usages_of(column).find(|usage| !usage.accepts(kind));
        let expected = refused.map_or("no such column", Usage::expected);
        Err(Error::Schema {
            column: self.columns.get(column).cloned().unwrap_or_default(),
            message: format!("expected {expected}, found {}", describe(kind)),
        })
    }

    fn kinds_of(&self, column: usize) -> u8 {
        let fits = |kind: Kind| self.usages_of(column).all(|usage| usage.accepts(kind));
        let bit = |kind: Kind| u8::from(fits(kind)) << kind as u8;
        Kind::ALL.into_iter().map(bit).sum()
    }

    fn usages_of(&self, column: usize) -> impl Iterator<Item = Usage<'_>> {
        self.usages()
            .filter(move |(input, _)| input.source.parts().any(|part| part.column == column))
            .map(|(_, usage)| usage)
    }

    /// Every input with the way it is used.
    fn usages(&self) -> impl Iterator<Item = (&Input, Usage<'_>)> {
        let strata = self.strata.iter().map(|s| (s.input, Usage::Category(&s.levels)));
        let terms = self.models.iter().flat_map(|m| &m.terms).flat_map(Term::usages);
        strata.chain(terms).filter_map(|(i, usage)| Some((self.inputs.get(i)?, usage)))
    }

    /// Scores one row; `get(c)` is the value of column `c`.
    ///
    /// # Errors
    ///
    /// [`RowError`], with row 0, when the model says that such a value is an error.
    pub fn score_row<'v>(&self, get: impl Fn(usize) -> Value<'v>) -> Result<RowScore, RowError> {
        let mut status = Status::Ok;
        let model = match self.stratum(&get) {
            Ok(model) => model,
            Err(found) => {
                if let Some(strata) = self.strata.as_ref().filter(|s| s.policy(found).is_error()) {
                    let uses = [(strata.input, Usage::Category(&strata.levels))];
                    return Err(self.row_error(&uses, found, &strata.expected, &get));
                }
                return Ok(RowScore { score: None, raw: None, status: found });
            }
        };
        let mut sum = model.intercept;
        for term in &model.terms {
            match term.points(self, &get) {
                Ok(points) => sum += points,
                Err(found) => {
                    if term.policy(found).is_error() {
                        return Err(self.row_error(&term.usages(), found, &term.expected, &get));
                    }
                    status = status.max(found);
                }
            }
        }
        if status == Status::Ok && !sum.is_finite() {
            status = Status::OutOfDomain;
        }
        if status != Status::Ok {
            return Ok(RowScore { score: None, raw: None, status });
        }
        let score = self.scale(model, sum);
        Ok(if score.is_finite() {
            RowScore { score: Some(score), raw: Some(sum), status }
        } else {
            RowScore { score: None, raw: Some(sum), status: Status::OutOfDomain }
        })
    }

    /// Intercept of a sub-model: where a sum starts. A model without strata is sub-model 0.
    #[must_use]
    pub fn intercept(&self, model: usize) -> Option<f64> {
        self.models.get(model).map(|model| model.intercept)
    }

    /// A raw sum of a sub-model after all steps. A household whose sum, or this, is not finite is
    /// out of domain. As a function of the sum it is monotone.
    #[must_use]
    pub fn scaled(&self, model: usize, sum: f64) -> Option<f64> {
        self.models.get(model).map(|model| self.scale(model, sum))
    }

    fn scale(&self, model: &SubModel, sum: f64) -> f64 {
        model.steps.iter().chain(&self.steps).fold(sum, |x, step| step.apply(x))
    }

    /// What each term adds to one row, the intercept first, in the order of summation.
    pub fn explain_row<'v>(&self, get: impl Fn(usize) -> Value<'v>) -> Vec<Contribution<'_>> {
        let Ok(model) = self.stratum(&get) else { return vec![] };
        let intercept =
            Contribution { term: "intercept", value: None, points: Some(model.intercept) };
        let terms = model.terms.iter().map(|term| Contribution {
            term: &term.id,
            value: self.answer_text(term, &get),
            points: term.points(self, &get).ok(),
        });
        std::iter::once(intercept).chain(terms).collect()
    }

    fn answer_text<'v>(&self, term: &Term, get: &impl Fn(usize) -> Value<'v>) -> Option<String> {
        let mut text = String::new();
        for (n, &input) in term.inputs.iter().enumerate() {
            let source = self.inputs.get(input)?.source;
            if n > 0 {
                text.push_str(" | ");
            }
            match (source, self.number(input, get)) {
                (Source::Column(part), _) => write_value(&mut text, get(part.column))?,
                (Source::Ratio(..), Number::Is(x, _)) => write!(text, "{x}").ok()?,
                (Source::Ratio(..), _) => return None,
            }
        }
        Some(text)
    }

    /// Sub-model of a row, or why there is none.
    #[inline]
    pub(super) fn stratum<'v>(
        &self,
        get: &impl Fn(usize) -> Value<'v>,
    ) -> Result<&SubModel, Status> {
        let index = match &self.strata {
            None => 0,
            Some(strata) => match strata.levels.of(self.value(strata.input, get)) {
                None => return Err(Status::Missing),
                Some(level) => level as usize,
            },
        };
        self.models.get(index).ok_or(Status::OutOfDomain)
    }

    fn value<'v>(&self, input: usize, get: &impl Fn(usize) -> Value<'v>) -> Value<'v> {
        match self.inputs.get(input).map(|i| i.source) {
            Some(Source::Column(part)) => get(part.column),
            _ => Value::Missing,
        }
    }

    #[inline]
    fn number<'v>(&self, input: usize, get: &impl Fn(usize) -> Value<'v>) -> Number {
        match self.inputs.get(input).map(|input| input.source) {
            Some(Source::Column(part)) => part.read(get(part.column)),
            Some(Source::Ratio(a, b, [low, high])) => {
                match (a.read(get(a.column)), b.read(get(b.column))) {
                    (Number::Missing, _) | (_, Number::Missing) => Number::Missing,
                    // One correctly rounded division: a ratio of integers compares with a decimal
                    // edge exactly as integers do (shown in `bins`).
                    (Number::Is(a, _), Number::Is(b, _)) if b != 0.0 => {
                        let ratio = a / b;
                        if ratio >= low && ratio <= high {
                            Number::Is(ratio, Width::Double)
                        } else {
                            Number::Invalid
                        }
                    }
                    _ => Number::Invalid,
                }
            }
            None => Number::Invalid,
        }
    }

    /// The error of a row that a term or the strata refuse. It names the first column at fault, or
    /// the first one read where each is right by itself (a number in no bin, say).
    fn row_error<'v>(
        &self,
        uses: &[(usize, Usage<'_>)],
        found: Status,
        expected: &str,
        get: &impl Fn(usize) -> Value<'v>,
    ) -> RowError {
        let mut read = None;
        let mut at_fault = None;
        for (source, usage) in
            uses.iter().filter_map(|(i, u)| Some((self.inputs.get(*i)?.source, u)))
        {
            for (n, part) in source.parts().enumerate() {
                let value = get(part.column);
                let why = match (usage, part.read(value)) {
                    (Usage::Category(levels), _) => match levels.of(value) {
                        None => Some(Status::Missing),
                        Some(UNKNOWN) => Some(Status::OutOfDomain),
                        Some(_) => None,
                    },
                    (Usage::Number, Number::Missing) => Some(Status::Missing),
                    (Usage::Number, Number::Invalid) => Some(Status::OutOfDomain),
                    // Nothing is divided by zero.
                    (Usage::Number, Number::Is(x, _)) => {
                        (n == 1 && x == 0.0).then_some(Status::OutOfDomain)
                    }
                };
                read.get_or_insert(part.column);
                if why == Some(found) {
                    at_fault.get_or_insert(part.column);
                }
            }
        }
        let column = at_fault.or(read).and_then(|column| self.columns.get(column));
        RowError {
            row: 0,
            column: column.cloned().unwrap_or_default(),
            code: if found == Status::Missing { "missing_value" } else { "out_of_domain" },
            expected: expected.to_owned(),
        }
    }
}

impl Strata {
    fn policy(&self, found: Status) -> Policy {
        if found == Status::Missing { self.missing } else { self.invalid }
    }
}

impl Policy {
    fn is_error(self) -> bool {
        self == Self::Named(NamedPolicy::Error)
    }
}

impl Term {
    fn compile(term: program::Term, inputs: &[Input]) -> Result<Self, Error> {
        let arity = match term.kind {
            TermKind::Product { .. } | TermKind::Table { .. } => 2,
            _ => 1,
        };
        if term.inputs.len() != arity || term.inputs.iter().any(|&i| i >= inputs.len()) {
            return Err(Error::Model(format!("term '{}': wrong inputs", term.id)));
        }
        let expected = expected(&term.kind, inputs, &term.inputs);
        let kind = match term.kind {
            TermKind::Levels { levels } => {
                let (values, points) = levels.into_iter().map(|l| (l.values, l.points)).unzip();
                let values: Vec<Vec<Scalar>> = values;
                Compiled::Levels { levels: Levels::new(&values), points }
            }
            TermKind::Bins { bins } => Compiled::Bins {
                double: Regions::new(&bins, Width::Double),
                single: Regions::new(&bins, Width::Single),
                points: bins.iter().map(|b| b.points).collect(),
            },
            TermKind::Linear { coefficient, transform, clip } => {
                Compiled::Linear { coefficient, transform, clip: clip.ends() }
            }
            TermKind::Product { coefficient } => Compiled::Product { coefficient },
            TermKind::Table { rows, columns, cells } => {
                if cells.len() != rows.len() * columns.len() {
                    return Err(Error::Model(format!("term '{}': cells are missing", term.id)));
                }
                Compiled::Table {
                    rows: Levels::new(&rows),
                    columns: Levels::new(&columns),
                    width: columns.len(),
                    cells,
                }
            }
        };
        Ok(Self {
            id: term.id,
            inputs: term.inputs,
            missing: term.missing,
            invalid: term.invalid,
            kind,
            expected,
        })
    }

    fn policy(&self, found: Status) -> Policy {
        if found == Status::Missing { self.missing } else { self.invalid }
    }

    /// Points of a row, after the term's policy.
    #[inline]
    pub(super) fn points<'v>(
        &self,
        plan: &Plan,
        get: &impl Fn(usize) -> Value<'v>,
    ) -> Result<f64, Status> {
        let found = match self.answer(plan, get) {
            Answer::Points(points) => return Ok(points),
            Answer::Missing => Status::Missing,
            Answer::Invalid => Status::OutOfDomain,
        };
        match self.policy(found) {
            Policy::Points(points) => Ok(points),
            Policy::Named(_) => Err(found),
        }
    }

    #[inline]
    fn answer<'v>(&self, plan: &Plan, get: &impl Fn(usize) -> Value<'v>) -> Answer {
        let first = self.inputs.first().copied().unwrap_or(usize::MAX);
        let second = self.inputs.get(1).copied().unwrap_or(usize::MAX);
        match &self.kind {
            Compiled::Levels { levels, points } => match levels.of(plan.value(first, get)) {
                None => Answer::Missing,
                Some(level) => {
                    points.get(level as usize).map_or(Answer::Invalid, |&p| Answer::Points(p))
                }
            },
            Compiled::Bins { double, single, points } => {
                with_number(plan.number(first, get), |x, width| {
                    let regions = if width == Width::Single { single } else { double };
                    regions.bin(x).and_then(|bin| points.get(bin).copied())
                })
            }
            Compiled::Linear { coefficient, transform, clip } => {
                with_number(plan.number(first, get), |x, _| {
                    let y = linear(x, *coefficient, *transform, *clip);
                    y.is_finite().then_some(y)
                })
            }
            Compiled::Product { coefficient } => {
                match (plan.number(first, get), plan.number(second, get)) {
                    (Number::Missing, _) | (_, Number::Missing) => Answer::Missing,
                    (Number::Is(a, _), Number::Is(b, _)) => {
                        let y = product(*coefficient, a, b);
                        if y.is_finite() { Answer::Points(y) } else { Answer::Invalid }
                    }
                    _ => Answer::Invalid,
                }
            }
            Compiled::Table { rows, columns, width, cells } => {
                let row = rows.of(plan.value(first, get));
                let column = columns.of(plan.value(second, get));
                match (row, column) {
                    (None, _) | (_, None) => Answer::Missing,
                    (Some(UNKNOWN), _) | (_, Some(UNKNOWN)) => Answer::Invalid,
                    (Some(r), Some(c)) => {
                        let cell = cells.get(r as usize * width + c as usize).copied().flatten();
                        cell.map_or(Answer::Invalid, Answer::Points)
                    }
                }
            }
        }
    }

    fn usages(&self) -> Vec<(usize, Usage<'_>)> {
        let uses: &[Usage<'_>] = match &self.kind {
            Compiled::Levels { levels, .. } => &[Usage::Category(levels)],
            Compiled::Table { rows, columns, .. } => {
                &[Usage::Category(rows), Usage::Category(columns)]
            }
            _ => &[Usage::Number, Usage::Number],
        };
        self.inputs.iter().copied().zip(uses.iter().copied()).collect()
    }
}

/// `transform(clip(x)) * coefficient`.
#[inline(always)]
pub(super) fn linear(x: f64, coefficient: f64, transform: Transform, [lo, hi]: [f64; 2]) -> f64 {
    let clipped = if x < lo { lo } else { x };
    let clipped = if clipped > hi { hi } else { clipped };
    transform.apply(clipped) * coefficient
}

/// `(a * b) * coefficient`: in this order on every path.
#[inline(always)]
pub(super) fn product(coefficient: f64, a: f64, b: f64) -> f64 {
    a * b * coefficient
}

fn read_number(value: Value<'_>) -> Number {
    let (x, width) = match value {
        Value::Missing => return Number::Missing,
        Value::Bool(b) => (f64::from(u8::from(b)), Width::Double),
        Value::Int(i) => (i as f64, Width::Double),
        Value::Float(x) => (x, Width::Double),
        Value::Float32(x) => (x.into(), Width::Single),
        Value::Str(_) => return Number::Invalid,
    };
    if x.is_nan() {
        Number::Missing
    } else if x.is_finite() {
        Number::Is(x, width)
    } else {
        Number::Invalid
    }
}

#[inline]
fn with_number(number: Number, f: impl FnOnce(f64, Width) -> Option<f64>) -> Answer {
    match number {
        Number::Is(x, width) => f(x, width).map_or(Answer::Invalid, Answer::Points),
        Number::Missing => Answer::Missing,
        Number::Invalid => Answer::Invalid,
    }
}

/// How a model reads an input.
#[derive(Debug, Clone, Copy)]
enum Usage<'p> {
    Category(&'p Levels),
    Number,
}

impl Usage<'_> {
    fn accepts(self, kind: Kind) -> bool {
        match self {
            Self::Category(levels) => levels.accepts(kind),
            Self::Number => kind != Kind::Text,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Number => "a number (any integer, float, decimal or boolean)",
            Self::Category(levels) if !levels.accepts(Kind::Text) => "an integer or boolean code",
            Self::Category(levels) if !levels.accepts(Kind::Integer) => {
                "text (String, Enum or Categorical)"
            }
            Self::Category(_) => "text, an integer or a boolean",
        }
    }
}

fn describe(kind: Kind) -> &'static str {
    match kind {
        Kind::Null => "only nulls",
        Kind::Boolean => "boolean",
        Kind::Integer => "integers",
        Kind::Number => "numbers",
        Kind::Text => "text",
    }
}

fn write_value(text: &mut String, value: Value<'_>) -> Option<()> {
    match value {
        Value::Missing => return None,
        Value::Bool(b) => write!(text, "{b}"),
        Value::Int(i) => write!(text, "{i}"),
        Value::Float(x) if x.is_nan() => return None,
        Value::Float(x) => write!(text, "{x}"),
        Value::Float32(x) => write!(text, "{x}"),
        Value::Str(s) => write!(text, "{}", String::from_utf8_lossy(s)),
    }
    .ok()
}
