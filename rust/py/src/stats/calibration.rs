//! Calibration of weights to totals.

use std::sync::Arc;

use arrow_array::Float64Array;
use arrow_schema::{DataType, Field};
use nser_core::column::Values;
use nser_core::stats::calibrate::domains::{Domains, Picked};
use nser_core::stats::calibrate::encode::Levels;
use nser_core::stats::calibrate::{
    self as core, Curve, Distance, NONE, Options, Rows, Solution, Spread, Step, Target, Term,
    Trouble,
};
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::arrow::{ArrowStream, Chunked, column, export};
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};

/// Work on one row, against that on one cell of a frame.
const CELLS_PER_ROW: usize = 32;

/// What to do, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spec {
    terms: Vec<TermSpec>,
    /// For each group, each total; null for none.
    totals: Vec<Vec<Option<f64>>>,
    /// The same for the cost of missing it; null to hit it.
    costs: Vec<Vec<Option<f64>>>,
    curve: String,
    bounds: [Option<f64>; 2],
    weight_bounds: Option<[Option<f64>; 2]>,
    trim: Option<[Option<f64>; 2]>,
    tolerance: f64,
    max_iterations: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermSpec {
    variables: Vec<usize>,
    levels: Vec<usize>,
    of: Option<usize>,
    totals: Vec<Option<u32>>,
}

impl Spec {
    fn terms(&self) -> Vec<Term> {
        let term = |term: &TermSpec| Term {
            variables: term.variables.clone(),
            levels: term.levels.clone(),
            of: term.of,
            totals: term.totals.iter().map(|t| t.unwrap_or(NONE)).collect(),
        };
        self.terms.iter().map(term).collect()
    }

    fn targets(&self) -> Vec<Vec<Target>> {
        let target = |(total, cost): (&Option<f64>, &Option<f64>)| Target {
            total: total.unwrap_or(f64::NAN),
            cost: cost.unwrap_or(f64::INFINITY),
        };
        let group =
            |(totals, costs): (&Vec<_>, &Vec<_>)| totals.iter().zip(costs).map(target).collect();
        self.totals.iter().zip(&self.costs).map(group).collect()
    }

    fn options(&self) -> Result<Options, Failure> {
        let curve = match self.curve.as_str() {
            "linear" => Curve::Linear,
            "raking" => Curve::Raking,
            "logit" => Curve::Logit,
            _ => return Err(Failure::internal("there is no such curve")),
        };
        let (low, high) = pair(self.bounds);
        Ok(Options {
            distance: Distance { curve, low, high },
            weight_bounds: self.weight_bounds.map(pair),
            trim: self.trim.map(pair),
            tolerance: self.tolerance,
            max_iterations: self.max_iterations,
        })
    }
}

fn pair([low, high]: [Option<f64>; 2]) -> (f64, f64) {
    (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))
}

/// What is said of one group. Numbers that are not finite are null.
#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    Solved(Box<SolvedSaid>),
    Trouble(TroubleSaid),
}

#[derive(Serialize)]
struct SolvedSaid {
    before: Vec<f64>,
    achieved: Vec<f64>,
    /// Worst relative miss, its total, share of the step.
    trace: Vec<(f64, usize, f64)>,
    /// Of the design weights and of the calibrated weights: sum, design effect, effective rows, smallest, largest.
    spread: [[f64; 5]; 2],
    rows: usize,
    factors: (f64, f64),
    at_bound: usize,
    trimmed: usize,
    units: usize,
}

#[derive(Serialize)]
#[serde(tag = "trouble", rename_all = "snake_case")]
enum TroubleSaid {
    Uncovered { term: usize, row: usize },
    Empty { total: usize },
    Contradiction { total: usize, implied: f64, others: Vec<usize> },
    NoRoom { row: usize },
    OutOfReach { nearest: Vec<(usize, f64)>, free: (f64, f64) },
    NotConverged { trace: Vec<(f64, usize, f64)> },
    TrimTooTight { sum: f64 },
}

fn steps(trace: &[Step]) -> Vec<(f64, usize, f64)> {
    trace.iter().map(|step| (step.worst, step.total, step.length)).collect()
}

impl Said {
    fn solution(solution: &Solution) -> Self {
        let spread = |s: &Spread| [s.sum, s.design_effect(), s.effective(), s.min, s.max];
        Self::Solved(Box::new(SolvedSaid {
            before: solution.before.clone(),
            achieved: solution.achieved.clone(),
            trace: steps(&solution.trace),
            spread: solution.spread.each_ref().map(spread),
            rows: solution.weights.len(),
            factors: solution.factors,
            at_bound: solution.at_bound,
            trimmed: solution.trimmed,
            units: solution.units,
        }))
    }

    /// Rows of the trouble are those of the group, in `order` if that is not all rows.
    fn trouble(trouble: Trouble, order: Option<&[u32]>) -> Self {
        let place = |row: usize| match order {
            Some(order) => order.get(row).map_or(row, |&row| row as usize),
            None => row,
        };
        Self::Trouble(match trouble {
            Trouble::Uncovered { term, row } => TroubleSaid::Uncovered { term, row: place(row) },
            Trouble::Empty { total } => TroubleSaid::Empty { total },
            Trouble::Contradiction { total, implied, others } => {
                TroubleSaid::Contradiction { total, implied, others }
            }
            Trouble::NoRoom { row } => TroubleSaid::NoRoom { row: place(row) },
            Trouble::OutOfReach { nearest, free } => TroubleSaid::OutOfReach { nearest, free },
            Trouble::NotConverged { trace } => TroubleSaid::NotConverged { trace: steps(&trace) },
            Trouble::TrimTooTight { sum } => TroubleSaid::TrimTooTight { sum },
        })
    }
}

/// The columns of a sample, as Polars hands them over.
struct Sample {
    rows: usize,
    weights: Chunked,
    variables: Vec<(Chunked, Levels)>,
    values: Vec<Chunked>,
    variance: Option<Chunked>,
    clusters: Option<Chunked>,
    groups: Option<Chunked>,
}

/// Levels of a text column, or the numbers that stand for them in any other.
#[derive(FromPyObject)]
pub enum LevelValues {
    Texts(Vec<String>),
    Numbers(Vec<i64>),
}

impl LevelValues {
    fn levels(&self) -> Levels {
        match self {
            Self::Texts(texts) => Levels::of_texts(texts),
            Self::Numbers(values) => Levels::of_numbers(values),
        }
    }
}

/// A categorical column, and the values of its levels.
type Variable<'py> = (Bound<'py, PyAny>, LevelValues);

/// Calibrated weights (weight), none if any group cannot be calibrated, and what is to be said of each group, as JSON.
///
/// Weights, values and variance factors are Float64 without nulls in one chunk; clusters and groups UInt32.
#[pyfunction]
#[pyo3(signature = (spec, rows, *, weights, variables, values, variance=None, clusters=None, groups=None, threads=None, control=None, timeout=None, tick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn calibrate(
    py: Python<'_>,
    spec: &str,
    rows: usize,
    weights: &Bound<'_, PyAny>,
    variables: Vec<Variable<'_>>,
    values: Vec<Bound<'_, PyAny>>,
    variance: Option<&Bound<'_, PyAny>>,
    clusters: Option<&Bound<'_, PyAny>>,
    groups: Option<&Bound<'_, PyAny>>,
    threads: Option<usize>,
    control: Option<&Control>,
    timeout: Option<f64>,
    tick: Option<Py<PyAny>>,
) -> PyResult<(Option<ArrowStream>, String)> {
    let spec: Spec = serde_json::from_str(spec)
        .map_err(|_| Failure::internal("the plan of a calibration could not be read"))?;
    let read = |name: &str, series: &Bound<'_, PyAny>| Chunked::from_stream(name, series, rows);
    let optional = |name: &str, series: Option<&Bound<'_, PyAny>>| {
        series.map(|series| read(name, series)).transpose()
    };
    let sample = Sample {
        rows,
        weights: read("weights", weights)?,
        variables: variables
            .into_iter()
            .map(|(series, levels)| Ok((read("variable", &series)?, levels.levels())))
            .collect::<PyResult<_>>()?,
        values: values.iter().map(|series| read("values", series)).collect::<PyResult<_>>()?,
        variance: optional("variance", variance)?,
        clusters: optional("cluster", clusters)?,
        groups: optional("by", groups)?,
    };
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    let threads = threads_for(rows, threads);
    let cells = rows.saturating_mul(CELLS_PER_ROW);
    run(py, cells, state, &Limits { timeout, tick }, || {
        let (weights, said) = solve(&spec, &sample, threads, state)?;
        let said = serde_json::to_string(&said)
            .map_err(|_| Failure::internal("the report of a calibration could not be written"))?;
        let field = Field::new("weight", DataType::Float64, false);
        let stream = weights
            .map(|weights| export(vec![field], vec![Arc::new(Float64Array::from(weights))]))
            .transpose()?;
        Ok((stream, said))
    })
}

fn solve(
    spec: &Spec,
    sample: &Sample,
    threads: usize,
    state: &RunState,
) -> Result<(Option<Vec<f64>>, Vec<Said>), Failure> {
    let (terms, targets, options) = (spec.terms(), spec.targets(), spec.options()?);
    let codes = codes(sample, threads, state)?;
    let rows = Rows {
        weights: floats(&sample.weights)?,
        codes: codes.iter().map(Vec::as_slice).collect(),
        values: sample.values.iter().map(floats).collect::<Result<_, _>>()?,
        variance: sample.variance.as_ref().map(floats).transpose()?,
        clusters: sample.clusters.as_ref().map(numbers).transpose()?,
    };
    let Some(groups) = &sample.groups else {
        let [targets] = targets.as_slice() else {
            return Err(Failure::internal("expected the totals of one group"));
        };
        let found = core::calibrate(&rows, &terms, targets, &options, &|parts, work| {
            for_each_job(threads, state, parts.iter_mut().enumerate(), |(block, sums)| {
                work(block, sums);
                Ok(())
            })
        })?;
        return Ok(match found {
            Ok(solution) => {
                let said = Said::solution(&solution);
                (Some(solution.weights), vec![said])
            }
            Err(trouble) => (None, vec![Said::trouble(trouble, None)]),
        });
    };
    let domains = Domains::new(numbers(groups)?, targets.len());
    let mut found: Vec<Option<Result<Solution, Trouble>>> = targets.iter().map(|_| None).collect();
    let jobs = found.iter_mut().zip(&targets).enumerate();
    for_each_job(threads, state, jobs, |(group, (slot, targets))| {
        let order = domains.of(group);
        let picked = Picked::new(&rows, order);
        let serial = |parts: &mut [core::newton::Sums], work: &core::newton::Work<'_>| {
            parts.iter_mut().enumerate().for_each(|(block, sums)| work(block, sums));
            state.check()
        };
        *slot = Some(core::calibrate(&picked.rows(), &terms, targets, &options, &serial)?);
        state.advance(&vec![0; order.len()]);
        Ok(())
    })?;
    let mut weights = vec![0.0; sample.rows];
    let mut said = vec![];
    let mut solved = true;
    for (group, found) in found.into_iter().flatten().enumerate() {
        let order = domains.of(group);
        match found {
            Ok(solution) => {
                said.push(Said::solution(&solution));
                for (&row, weight) in order.iter().zip(&solution.weights) {
                    if let Some(slot) = weights.get_mut(row as usize) {
                        *slot = *weight;
                    }
                }
            }
            Err(trouble) => {
                solved = false;
                said.push(Said::trouble(trouble, Some(order)));
            }
        }
    }
    Ok((solved.then_some(weights), said))
}

/// Rows of a variable that one job encodes.
const ROWS_PER_JOB: usize = 1 << 16;

/// Codes of every variable, in one chunk each.
fn codes(sample: &Sample, threads: usize, state: &RunState) -> Result<Vec<Vec<u32>>, Failure> {
    // Zeros take no memory before the jobs write to them.
    let mut codes: Vec<_> = sample.variables.iter().map(|_| vec![0; sample.rows]).collect();
    let mut jobs = vec![];
    for ((chunked, levels), codes) in sample.variables.iter().zip(&mut codes) {
        let mut rest = codes.as_mut_slice();
        for chunk in &chunked.chunks {
            let Some((own, others)) = rest.split_at_mut_checked(chunk.len()) else {
                return Err(Failure::internal("a column has too many rows"));
            };
            let values = column(&chunked.name, chunk)?;
            for (own, start) in own.chunks_mut(ROWS_PER_JOB).zip((0..).step_by(ROWS_PER_JOB)) {
                jobs.push((levels, values.slice(start, own.len()), own));
            }
            rest = others;
        }
        if !rest.is_empty() {
            return Err(Failure::internal("a column has too few rows"));
        }
    }
    for_each_job(threads, state, jobs.into_iter(), |(levels, values, codes)| {
        if levels.encode(&values, codes) {
            return Ok(());
        }
        Err(Failure::internal("a variable was neither text nor whole numbers"))
    })?;
    Ok(codes)
}

fn floats(chunked: &Chunked) -> Result<&[f64], Failure> {
    match chunked.whole()?.values {
        Values::F64(values) => Ok(values),
        Values::Null(0) => Ok(&[]),
        _ => Err(Failure::internal("a column was not Float64")),
    }
}

fn numbers(chunked: &Chunked) -> Result<&[u32], Failure> {
    match chunked.whole()?.values {
        Values::U32(values) => Ok(values),
        Values::Null(0) => Ok(&[]),
        _ => Err(Failure::internal("a column was not UInt32")),
    }
}
