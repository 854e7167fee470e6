//! How well scores find the poor.

use std::sync::Arc;

use arrow_array::{Float64Array, UInt32Array, UInt64Array};
use arrow_schema::{DataType, Field};
use nser_core::column::{Bits, Values};
use nser_core::stats::targeting::bootstrap::Replicate;
use nser_core::stats::targeting::curve::{Dealt, Steps};
use nser_core::stats::targeting::units::Total;
use nser_core::stats::targeting::{
    Bootstrap, Curve, Line, Rows, Split, Target, concentration, rank,
};
use pyo3::prelude::*;

use crate::arrow::{ArrowStream, Chunked, export};
use crate::error::Failure;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};

/// Rows that a thread deals out before it looks at the cancel flag.
const BLOCK: usize = 1 << 18;

/// Cells of a frame that take about as long as one row here.
const CELLS_PER_ROW: usize = 16;

/// All cut-offs: score, rows, and the weights of the poor and of the others up to that score; and
/// the area under the curve.
#[pyfunction]
#[pyo3(signature = (scores, weights, poor, rows, *, threads=None, control=None, timeout=None, tick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn targeting_curve(
    py: Python<'_>,
    scores: &Bound<'_, PyAny>,
    weights: Option<&Bound<'_, PyAny>>,
    poor: Option<&Bound<'_, PyAny>>,
    rows: usize,
    threads: Option<usize>,
    control: Option<&Control>,
    timeout: Option<f64>,
    tick: Option<Py<PyAny>>,
) -> PyResult<(ArrowStream, Option<f64>)> {
    let scores = Chunked::from_stream("score", scores, rows)?;
    let weights = weights.map(|w| Chunked::from_stream("weights", w, rows)).transpose()?;
    let poor = poor.map(|p| Chunked::from_stream("poor", p, rows)).transpose()?;
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    let threads = threads_for(rows, threads);
    let cells = rows.saturating_mul(CELLS_PER_ROW);
    run(py, cells, state, &Limits { timeout, tick }, || {
        let weights = weights.as_ref().map(floats).transpose()?;
        let poor = poor.as_ref().map(booleans).transpose()?;
        curve(floats(&scores)?, weights, poor, threads, state)
    })
}

fn curve(
    scores: &[f64],
    weights: Option<&[f64]>,
    poor: Option<Bits<'_>>,
    threads: usize,
    state: &RunState,
) -> Result<(ArrowStream, Option<f64>), Failure> {
    let mut totals = vec![Total::default(); scores.len().div_ceil(BLOCK)];
    let places = (0..scores.len()).step_by(BLOCK);
    let cut = |start: usize, len: usize| weights.and_then(|w| w.get(start..start + len));
    let blocks = scores.chunks(BLOCK).zip(places.clone());
    for_each_job(threads, state, blocks.zip(&mut totals), |((block, start), total)| {
        let rows = || Total::of_rows(block.len());
        *total = cut(start, block.len()).map_or_else(rows, Total::of);
        Ok(())
    })?;
    let total = totals.into_iter().fold(Total::default(), Total::and).value();
    let split = Split::new(scores, total);
    let mut tallied: Vec<Option<Steps>> = places.clone().map(|_| None).collect();
    let blocks = scores.chunks(BLOCK).zip(places.clone());
    for_each_job(threads, state, blocks.zip(&mut tallied), |((block, start), steps)| {
        let poor = poor.map(|bits| bits.slice(start, block.len()));
        *steps = split.tally(block, cut(start, block.len()), poor);
        Ok(())
    })?;
    let tallied: Option<Vec<Steps>> = tallied.into_iter().collect();
    let found = match tallied.and_then(|blocks| split.merge(&blocks)) {
        Some(steps) => {
            scores.chunks(BLOCK).for_each(|block| state.advance(&vec![0; block.len()]));
            split.join([steps])
        }
        None => sort(scores, &cut, poor, &split, threads, state)?,
    };
    let stream = export(
        vec![
            float("score"),
            Field::new("rows", DataType::UInt64, false),
            float("poor"),
            float("other"),
        ],
        vec![
            Arc::new(Float64Array::from(found.scores)),
            Arc::new(UInt64Array::from(found.rows)),
            Arc::new(Float64Array::from(found.poor)),
            Arc::new(Float64Array::from(found.other)),
        ],
    )?;
    Ok((stream, found.auc))
}

/// All cut-offs of scores that are many.
fn sort<'a>(
    scores: &[f64],
    weights: &(impl Fn(usize, usize) -> Option<&'a [f64]> + Sync),
    poor: Option<Bits<'_>>,
    split: &Split,
    threads: usize,
    state: &RunState,
) -> Result<Curve, Failure> {
    let places = (0..scores.len()).step_by(BLOCK);
    let mut dealt: Vec<Option<Dealt>> = places.clone().map(|_| None).collect();
    let blocks = scores.chunks(BLOCK).zip(places);
    for_each_job(threads, state, blocks.zip(&mut dealt), |((block, start), dealt)| {
        let poor = poor.map(|bits| bits.slice(start, block.len()));
        *dealt = Some(split.deal(block, weights(start, block.len()), poor));
        state.advance(&vec![0; block.len()]);
        Ok(())
    })?;
    let dealt: Vec<Dealt> = dealt.into_iter().flatten().collect();
    let mut steps: Vec<Steps> = (0..split.ranges()).map(|_| Steps::default()).collect();
    for_each_job(threads, state, steps.iter_mut().enumerate(), |(range, steps)| {
        *steps = split.steps(range, &dealt);
        Ok(())
    })?;
    drop(dealt);
    Ok(split.join(steps))
}

/// Replicates drawn by primary sampling unit, the first of them (0) the sample itself: replicate,
/// group, line, cutoff, tp, fp, fn, tn, auc. `line` is the poor, or welfare and a share of the
/// people; `target` is those targeted, the score that stands for each row's welfare, or none for as
/// many as are poor.
#[pyfunction]
#[pyo3(signature = (scores, weights, units, groups, rows, *, strata, group_count, line, rate, target, at_line, replicates, seed, threads=None, control=None, timeout=None, tick=None))]
#[expect(clippy::too_many_arguments, reason = "keyword arguments of a private function")]
pub fn targeting_bootstrap(
    py: Python<'_>,
    scores: &Bound<'_, PyAny>,
    weights: Option<&Bound<'_, PyAny>>,
    units: &Bound<'_, PyAny>,
    groups: &Bound<'_, PyAny>,
    rows: usize,
    strata: Vec<u32>,
    group_count: usize,
    line: &Bound<'_, PyAny>,
    rate: Option<f64>,
    target: Option<&Bound<'_, PyAny>>,
    at_line: Option<&Bound<'_, PyAny>>,
    replicates: u32,
    seed: u64,
    threads: Option<usize>,
    control: Option<&Control>,
    timeout: Option<f64>,
    tick: Option<Py<PyAny>>,
) -> PyResult<ArrowStream> {
    let read = |name, column| Chunked::from_stream(name, column, rows);
    let scores = read("score", scores)?;
    let weights = weights.map(|w| read("weights", w)).transpose()?;
    let units = read("psu", units)?;
    let groups = read("group", groups)?;
    let line = read("welfare", line)?;
    let target = target.map(|t| read("targeted", t)).transpose()?;
    let at_line = at_line.map(|a| read("cutoff", a)).transpose()?;
    let unseen = RunState::default();
    let state = control.map_or(&unseen, |control| &*control.state);
    let work = rows.saturating_mul(replicates as usize + 1);
    let threads = threads_for(work, threads);
    run(py, work, state, &Limits { timeout, tick }, || {
        let table = Rows {
            scores: floats(&scores)?,
            weights: weights.as_ref().map(floats).transpose()?,
            units: codes(&units)?,
            groups: codes(&groups)?,
        };
        let line = match rate {
            Some(rate) => Line::Rate { welfare: floats(&line)?, rate },
            None => Line::Given(booleans(&line)?),
        };
        let target = match (&target, &at_line) {
            (Some(rows), _) => Target::Given(booleans(rows)?),
            (None, Some(at)) => Target::AtLine(floats(at)?),
            (None, None) => Target::AtRate,
        };
        let total = table.weights.map_or_else(|| Total::of_rows(rows), Total::of).value();
        let prepared = Bootstrap::new(&table, &line, &target, &strata, group_count, total)
            .ok_or_else(|| Failure::internal("the target needs another line"))?;
        let mut found = vec![None; replicates as usize + 1];
        for_each_job(threads, state, (0u64..).zip(&mut found), |(number, slot)| {
            *slot = Some(match number.checked_sub(1) {
                Some(number) => prepared.replicate(seed, number),
                None => prepared.sample(),
            });
            state.advance(&[0]);
            Ok(())
        })?;
        replicates_table(&found.into_iter().flatten().collect::<Vec<_>>())
    })
}

fn replicates_table(found: &[Replicate]) -> Result<ArrowStream, Failure> {
    let rows = || {
        (0u32..).zip(found).flat_map(|(number, replicate)| {
            let groups = (0u32..).zip(&replicate.groups);
            groups.map(move |(group, counts)| (number, group, replicate, counts))
        })
    };
    let index = |name| Field::new(name, DataType::UInt32, false);
    let perhaps = |name| Field::new(name, DataType::Float64, true);
    export(
        vec![
            index("replicate"),
            index("group"),
            perhaps("line"),
            perhaps("cutoff"),
            float("tp"),
            float("fp"),
            float("fn"),
            float("tn"),
            perhaps("auc"),
        ],
        vec![
            Arc::new(rows().map(|row| Some(row.0)).collect::<UInt32Array>()),
            Arc::new(rows().map(|row| Some(row.1)).collect::<UInt32Array>()),
            Arc::new(rows().map(|row| row.2.line).collect::<Float64Array>()),
            Arc::new(rows().map(|row| row.2.cutoff).collect::<Float64Array>()),
            Arc::new(rows().map(|row| Some(row.3.tp)).collect::<Float64Array>()),
            Arc::new(rows().map(|row| Some(row.3.fp)).collect::<Float64Array>()),
            Arc::new(rows().map(|row| Some(row.3.missed)).collect::<Float64Array>()),
            Arc::new(rows().map(|row| Some(row.3.tn)).collect::<Float64Array>()),
            Arc::new(rows().map(|row| row.3.auc).collect::<Float64Array>()),
        ],
    )
}

/// Index of concentration, and the share of the amount that the lowest k / points have.
#[pyfunction]
pub fn concentration_curve(
    py: Python<'_>,
    ranks: &Bound<'_, PyAny>,
    amounts: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
    points: usize,
) -> PyResult<(Option<f64>, Vec<f64>)> {
    let ranks = Chunked::from_stream("ranks", ranks, rows)?;
    let amounts = Chunked::from_stream("amounts", amounts, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    run(py, rows, &RunState::default(), &Limits::default(), || {
        let (ranks, amounts) = (floats(&ranks)?, floats(&amounts)?);
        let found = concentration::concentration(ranks, amounts, floats(&weights)?, points);
        Ok((found.index, found.shares))
    })
}

/// Weighted correlation of the middle ranks of two columns.
#[pyfunction]
pub fn rank_correlation(
    py: Python<'_>,
    a: &Bound<'_, PyAny>,
    b: &Bound<'_, PyAny>,
    weights: &Bound<'_, PyAny>,
    rows: usize,
) -> PyResult<Option<f64>> {
    let a = Chunked::from_stream("a", a, rows)?;
    let b = Chunked::from_stream("b", b, rows)?;
    let weights = Chunked::from_stream("weights", weights, rows)?;
    run(py, rows, &RunState::default(), &Limits::default(), || {
        let weights = floats(&weights)?;
        let ranks = |column| Ok::<_, Failure>(rank::mid_ranks(floats(column)?, weights));
        Ok(rank::correlation(&ranks(&a)?, &ranks(&b)?, weights))
    })
}

fn float(name: &str) -> Field {
    Field::new(name, DataType::Float64, false)
}

fn floats(chunked: &Chunked) -> Result<&[f64], Failure> {
    match chunked.whole()?.values {
        Values::F64(values) => Ok(values),
        Values::Null(0) => Ok(&[]),
        _ => Err(Failure::internal("a column was not of doubles")),
    }
}

fn codes(chunked: &Chunked) -> Result<&[u32], Failure> {
    match chunked.whole()?.values {
        Values::U32(values) => Ok(values),
        Values::Null(0) => Ok(&[]),
        _ => Err(Failure::internal("a column was not of codes")),
    }
}

fn booleans(chunked: &Chunked) -> Result<Bits<'_>, Failure> {
    let wrong = || Failure::internal("a column was not of booleans");
    match chunked.whole()?.values {
        Values::Bool(bits) => Ok(bits),
        Values::Null(0) => Bits::new(&[], 0, 0).ok_or_else(wrong),
        _ => Err(wrong()),
    }
}
