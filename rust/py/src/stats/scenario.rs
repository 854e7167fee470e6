//! What-if scoring of a registry held as codes.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{ArrayRef, Float64Array, UInt8Array, UInt16Array, UInt32Array};
use arrow_schema::{DataType, Field};
use nser_core::column::{Column, Values};
use nser_core::isa::Isa;
use nser_core::pmt::Plan;
use nser_core::stats::scenario::{
    Change, Coder, Codes, Cutoff, Distribution, Formula, Histogram, Line, Points, Question, Side,
    Slot, Tally, Ties, movers, scores_into, sorted, sums_into, tally,
};
use pyo3::prelude::*;

use crate::arrow::{ArrowStream, Chunked, Piece, column, export, pieces};
use crate::error::Failure;
use crate::memory::zeroed;
use crate::pmt::isa;
use crate::runtime::{Control, Limits, RunState, for_each_job, run, threads_for};

/// Rows of a job that writes sums or scores.
const PART: usize = 1 << 16;

/// Rows of a job that counts: the same for any number of threads, so that weights are added in one
/// order.
const COUNTED: usize = 1 << 19;

/// Parts in which a histogram is made, each with room of its own.
const HISTOGRAMS: usize = 4;

/// How a call runs: threads, control, time limit, progress.
#[derive(FromPyObject)]
pub struct How(Option<usize>, Py<Control>, Option<f64>, Option<Py<PyAny>>);

impl How {
    /// Runs `work` on so many rows with so many steps a row.
    fn run<T: Send>(
        self,
        py: Python<'_>,
        rows: usize,
        steps: usize,
        work: impl FnOnce(usize, &RunState) -> Result<T, Failure> + Send,
    ) -> PyResult<T> {
        let Self(threads, control, timeout, tick) = self;
        let state = Arc::clone(&control.get().state);
        let threads = threads_for(rows, threads);
        let limits = Limits { timeout, tick };
        run(py, rows.saturating_mul(steps), &state, &limits, || work(threads, &state))
    }
}

/// A question: slot, stratum, first code, whether it multiplies a number, program.
type Asked = (usize, Option<u8>, u8, bool, Vec<u8>);

/// The numbers found by each question of each slot.
type Numbers = Vec<Vec<Option<Vec<f64>>>>;

/// Codes in the making, batch by batch.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct ScenarioCoder {
    columns: Vec<String>,
    coder: Mutex<Option<Coder>>,
}

#[pymethods]
impl ScenarioCoder {
    /// `columns` are those of the whole model.
    #[new]
    fn new(
        columns: Vec<String>,
        strata: Option<Vec<u8>>,
        questions: Vec<Asked>,
        slots: usize,
        groupings: usize,
        weighted: bool,
    ) -> PyResult<Self> {
        let question = |stratum, first, numbers: bool, program: &[u8]| -> Result<_, Failure> {
            let plan = Plan::from_json(program)?;
            let place = |name: &String| columns.iter().position(|column| column == name);
            let places = plan.columns().iter().filter_map(place).collect();
            let numbers = numbers.then(Vec::new);
            Ok(Question { plan, columns: places, stratum, first, numbers })
        };
        let strata = strata.map(|program| question(None, 0, false, &program)).transpose()?;
        let mut made: Vec<Vec<Question>> = (0..slots).map(|_| vec![]).collect();
        for (slot, stratum, first, numbers, program) in &questions {
            if let Some(slot) = made.get_mut(*slot) {
                slot.push(question(*stratum, *first, *numbers, program)?);
            }
        }
        let codes = Codes {
            groups: vec![vec![]; groupings],
            weights: weighted.then(Vec::new),
            ..Codes::default()
        };
        let coder = Coder { strata, slots: made.into_iter().map(Slot::new).collect(), codes };
        Ok(Self { columns, coder: Mutex::new(Some(coder)) })
    }

    /// Adds a batch: the model's columns, the codes of the groups, weights. If it fails, the codes
    /// are of no more use. Gives the slot and question that a byte is too small for, if any.
    #[pyo3(signature = (series, rows, groups, weights, *, how))]
    fn push(
        &self,
        py: Python<'_>,
        series: Vec<Bound<'_, PyAny>>,
        rows: usize,
        groups: Vec<Bound<'_, PyAny>>,
        weights: Option<Bound<'_, PyAny>>,
        how: How,
    ) -> PyResult<Option<(usize, usize)>> {
        let named = self.columns.iter().zip(&series);
        let columns = named
            .map(|(name, series)| Chunked::from_stream(name, series, rows))
            .collect::<PyResult<Vec<_>>>()?;
        let groups = groups
            .iter()
            .map(|series| Chunked::from_stream("group", series, rows))
            .collect::<PyResult<Vec<_>>>()?;
        let weights =
            weights.map(|series| Chunked::from_stream("weights", &series, rows)).transpose()?;
        let mut held = self.coder.lock().unwrap_or_else(PoisonError::into_inner);
        let coder = held.as_mut().ok_or_else(finished)?;
        how.run(py, rows, self.columns.len(), |threads, state| {
            for (to, from) in coder.codes.groups.iter_mut().zip(&groups) {
                to.reserve_exact(rows);
                for_each_view(from, |view| {
                    if let Values::U16(codes) = view.values {
                        to.extend_from_slice(codes);
                    }
                })?;
            }
            if let (Some(to), Some(from)) = (&mut coder.codes.weights, &weights) {
                to.reserve_exact(rows);
                for_each_view(from, |view| {
                    if let Values::F64(weights) = view.values {
                        to.extend_from_slice(weights);
                    }
                })?;
            }
            let pieces = pieces(&columns, rows)?;
            encode(coder, &pieces, rows, threads, state)
        })
    }

    /// The codes, and the numbers found by each question of each slot.
    fn finish(&self) -> PyResult<(ScenarioCodes, Numbers)> {
        let mut held = self.coder.lock().unwrap_or_else(PoisonError::into_inner);
        let (codes, numbers) = held.take().ok_or_else(finished)?.finish();
        Ok((ScenarioCodes(Arc::new(codes)), numbers))
    }
}

fn finished() -> Failure {
    Failure::internal("these codes are finished")
}

fn for_each_view(chunked: &Chunked, mut use_view: impl FnMut(&Column<'_>)) -> Result<(), Failure> {
    for chunk in &chunked.chunks {
        use_view(&column(&chunked.name, chunk)?);
    }
    Ok(())
}

fn encode(
    coder: &mut Coder,
    pieces: &[Piece<'_>],
    rows: usize,
    threads: usize,
    state: &RunState,
) -> Result<Option<(usize, usize)>, Failure> {
    let start = coder.codes.rows;
    for piece in pieces {
        coder.write_strata(&piece.columns, piece.rows)?;
    }
    let strata = coder.codes.strata.as_deref();
    let mut full: Vec<Option<usize>> = vec![None; coder.slots.len()];
    let jobs = coder.slots.iter_mut().zip(&mut full);
    for_each_job(threads, state, jobs, |(slot, full)| {
        slot.grow(rows);
        for piece in pieces {
            let first = start + piece.start;
            let strata = strata.map(|s| s.get(first..first + piece.rows).unwrap_or(&[]));
            *full = full.or(slot.write(&piece.columns, piece.rows, strata, first)?);
        }
        Ok(())
    })?;
    coder.codes.rows += rows;
    state.advance(&vec![0; rows]);
    Ok(full.into_iter().enumerate().find_map(|(slot, question)| Some((slot, question?))))
}

/// A registry as codes.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct ScenarioCodes(Arc<Codes>);

#[pymethods]
impl ScenarioCodes {
    /// Number of households.
    #[getter]
    fn rows(&self) -> usize {
        self.0.rows
    }

    /// Bytes held.
    #[getter]
    fn nbytes(&self) -> usize {
        self.0.bytes()
    }

    /// Scores every household.
    #[pyo3(signature = (program, points, *, how, isa=None))]
    fn score(
        &self,
        py: Python<'_>,
        program: &[u8],
        points: Vec<(Vec<f64>, Vec<u8>)>,
        how: How,
        isa: Option<&str>,
    ) -> PyResult<ScenarioScores> {
        let plan = Arc::new(Plan::from_json(program).map_err(Failure::from)?);
        let isa = self::isa(isa)?;
        how.run(py, self.0.rows, points.len(), |threads, state| {
            let formula = Formula::new(plan, tables(points), &self.0, None);
            let sums = sum_all(&formula, &self.0, threads, state, isa)?;
            Ok(ScenarioScores {
                codes: Arc::clone(&self.0),
                formula: Arc::new(formula),
                sums: Arc::new(sums),
            })
        })
    }
}

fn tables(points: Vec<(Vec<f64>, Vec<u8>)>) -> Vec<Points> {
    let filled = |(points, status): (Vec<f64>, Vec<u8>)| {
        let (mut points, mut status) = (points.into_iter(), status.into_iter());
        Points {
            points: std::array::from_fn(|_| points.next().unwrap_or(f64::NAN)),
            status: std::array::from_fn(|_| status.next().unwrap_or(0)),
        }
    };
    points.into_iter().map(filled).collect()
}

fn sum_all(
    formula: &Formula,
    codes: &Codes,
    threads: usize,
    state: &RunState,
    isa: Isa,
) -> Result<Vec<i32>, Failure> {
    let mut sums = zeroed(codes.rows);
    let jobs = sums.chunks_mut(PART).zip((0..).step_by(PART));
    for_each_job(threads, state, jobs, |(sums, start)| {
        sums_into(formula, codes, start, sums, isa);
        Ok(())
    })?;
    Ok(sums)
}

/// Codes with the points of a model: the scores of every household.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct ScenarioScores {
    codes: Arc<Codes>,
    formula: Arc<Formula>,
    sums: Arc<Vec<i32>>,
}

/// A score and who is in: `at_most`, `below`, `at_least` or `above`.
type Cut = (f64, String);

fn cutoff((value, side): &Cut) -> Result<Cutoff, Failure> {
    let side = match side.as_str() {
        "at_most" => Side::AtMost,
        "below" => Side::Below,
        "at_least" => Side::AtLeast,
        "above" => Side::Above,
        _ => return Err(Failure::internal("there is no such side")),
    };
    Ok(Cutoff { value: *value, side })
}

fn cut(Cutoff { value, side }: Cutoff) -> Cut {
    let side = match side {
        Side::AtMost => "at_most",
        Side::Below => "below",
        Side::AtLeast => "at_least",
        Side::Above => "above",
    };
    (value, side.to_owned())
}

/// Ranges of so many rows.
fn parts(rows: usize, each: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(each.max(1)).map(move |start| start..rows.min(start + each))
}

#[pymethods]
impl ScenarioScores {
    /// Whether no household's score ever needs its doubles.
    #[getter]
    fn is_exact(&self) -> bool {
        self.formula.is_exact()
    }

    /// Bytes held besides the codes.
    #[getter]
    fn nbytes(&self) -> usize {
        size_of_val(self.sums.as_slice())
    }

    /// The same households with other points.
    #[pyo3(signature = (program, points, *, how, isa=None))]
    fn change(
        &self,
        py: Python<'_>,
        program: &[u8],
        points: Vec<(Vec<f64>, Vec<u8>)>,
        how: How,
        isa: Option<&str>,
    ) -> PyResult<Self> {
        let plan = Arc::new(Plan::from_json(program).map_err(Failure::from)?);
        let isa = self::isa(isa)?;
        let slots = points.len();
        how.run(py, self.codes.rows, slots, |threads, state| {
            let formula = Formula::new(plan, tables(points), &self.codes, Some(&self.formula));
            let sums = match Change::between(&self.formula, &formula, &self.codes) {
                Some(change) if change.is_empty() => Arc::clone(&self.sums),
                Some(change) if 2 * change.len() <= slots => {
                    let mut sums = zeroed(self.codes.rows);
                    let jobs = sums.chunks_mut(PART).zip((0..).step_by(PART));
                    for_each_job(threads, state, jobs, |(sums, start)| {
                        change.apply(&self.codes, &self.sums, start, sums, isa);
                        Ok(())
                    })?;
                    Arc::new(sums)
                }
                _ => Arc::new(sum_all(&formula, &self.codes, threads, state, isa)?),
            };
            Ok(Self { codes: Arc::clone(&self.codes), formula: Arc::new(formula), sums })
        })
    }

    /// Scores, null where there is none, and status codes.
    #[pyo3(signature = (*, how))]
    fn scores(&self, py: Python<'_>, how: How) -> PyResult<ArrowStream> {
        let rows = self.codes.rows;
        let (scores, status) = how.run(py, rows, self.codes.slots.len(), |threads, state| {
            let (mut scores, mut status) = (zeroed(rows), zeroed(rows));
            self.write_scores(&mut scores, &mut status, threads, state)?;
            Ok((scores, status))
        })?;
        Ok(export(
            vec![
                Field::new("pmt_score", DataType::Float64, true),
                Field::new("status", DataType::UInt8, false),
            ],
            vec![number_array(scores), Arc::new(UInt8Array::from(status))],
        )?)
    }

    /// Rows and weights by group and cell (three times the class before plus that after; the
    /// classes are null, out and in), for each of the groupings, which come with their numbers of
    /// groups, and then for tenths if there are cut-offs for them.
    #[pyo3(signature = (after, cutoffs, groupings, tenths, *, how))]
    fn tally(
        &self,
        py: Python<'_>,
        after: &Self,
        cutoffs: (Cut, Cut),
        groupings: Vec<(usize, usize)>,
        tenths: Vec<Cut>,
        how: How,
    ) -> PyResult<Vec<(Vec<u64>, Vec<f64>)>> {
        let (before_cut, after_cut) = (cutoff(&cutoffs.0)?, cutoff(&cutoffs.1)?);
        let tenths = tenths.iter().map(cutoff).collect::<Result<Vec<_>, _>>()?;
        let weighted = self.codes.weights.is_some();
        let (groupings, sizes): (Vec<usize>, Vec<usize>) = groupings.into_iter().unzip();
        let mut empty: Vec<Tally> = sizes.iter().map(|&n| Tally::new(n, weighted)).collect();
        if !tenths.is_empty() {
            empty.push(Tally::new(tenths.len() + 2, weighted));
        }
        let rows = self.codes.rows;
        let found = how.run(py, rows, 4 + tenths.len(), |threads, state| {
            let lines =
                [Line::new(&self.formula, before_cut), Line::new(&after.formula, after_cut)];
            let [first, second] = &lines;
            let tenths: Vec<_> = tenths.iter().map(|&c| Line::new(&self.formula, c)).collect();
            let mut found: Vec<Option<Vec<Tally>>> = vec![None; rows.div_ceil(COUNTED)];
            let jobs = found.iter_mut().zip(parts(rows, COUNTED));
            for_each_job(threads, state, jobs, |(found, rows)| {
                let before = (self.sums.as_slice(), first);
                let after = (after.sums.as_slice(), second);
                let room = empty.clone();
                let made = tally(&self.codes, before, after, &groupings, &tenths, room, rows);
                *found = Some(made);
                Ok(())
            })?;
            let mut all = empty.clone();
            for part in found.iter().flatten() {
                all.iter_mut().zip(part).for_each(|(all, part)| all.merge(part));
            }
            Ok(all)
        })?;
        Ok(found.into_iter().map(|tally| (tally.rows, tally.weights)).collect())
    }

    /// Households that enter or leave: row, cell, both scores, and the codes of their groups.
    #[pyo3(signature = (after, cutoffs, *, how))]
    fn movers(
        &self,
        py: Python<'_>,
        after: &Self,
        cutoffs: (Cut, Cut),
        how: How,
    ) -> PyResult<ArrowStream> {
        let (before_cut, after_cut) = (cutoff(&cutoffs.0)?, cutoff(&cutoffs.1)?);
        let rows = self.codes.rows;
        let found = how.run(py, rows, 4, |threads, state| {
            let first = Line::new(&self.formula, before_cut);
            let second = Line::new(&after.formula, after_cut);
            let mut found: Vec<Vec<(u32, u8)>> = vec![vec![]; rows.div_ceil(COUNTED)];
            let jobs = found.iter_mut().zip(parts(rows, COUNTED));
            for_each_job(threads, state, jobs, |(found, rows)| {
                let before = (self.sums.as_slice(), &first);
                *found = movers(&self.codes, before, (after.sums.as_slice(), &second), rows);
                Ok(())
            })?;
            Ok(found.concat())
        })?;
        let at: Vec<usize> = found.iter().map(|&(row, _)| row as usize).collect();
        let scores = |of: &Self| -> ArrayRef {
            let score = |&row: &usize| of.formula.score_row(&of.codes, row);
            Arc::new(at.iter().map(score).collect::<Float64Array>())
        };
        let mut fields = vec![
            Field::new("row", DataType::UInt32, false),
            Field::new("cell", DataType::UInt8, false),
            Field::new("score_before", DataType::Float64, true),
            Field::new("score_after", DataType::Float64, true),
        ];
        let mut arrays: Vec<ArrayRef> = vec![
            Arc::new(UInt32Array::from_iter_values(found.iter().map(|(row, _)| *row))),
            Arc::new(UInt8Array::from_iter_values(found.iter().map(|(_, cell)| *cell))),
            scores(self),
            scores(after),
        ];
        for (n, groups) in self.codes.groups.iter().enumerate() {
            let codes = at.iter().map(|&row| groups.get(row).copied().unwrap_or(0));
            fields.push(Field::new(format!("group_{n}"), DataType::UInt16, false));
            arrays.push(Arc::new(UInt16Array::from_iter_values(codes)));
        }
        Ok(export(fields, arrays)?)
    }

    /// The distribution of scores in the groups of a grouping, or as one group.
    #[pyo3(signature = (by, groups, *, how))]
    fn distribution(
        &self,
        py: Python<'_>,
        by: Option<usize>,
        groups: usize,
        how: How,
    ) -> PyResult<ScenarioCurve> {
        let rows = self.codes.rows;
        let weighted = self.codes.weights.is_some();
        how.run(py, rows, 8, |threads, state| {
            let Some(empty) = Histogram::new(&self.formula, groups, weighted) else {
                let (mut scores, mut status) = (zeroed(rows), zeroed(rows));
                self.write_scores(&mut scores, &mut status, threads, state)?;
                return Ok(ScenarioCurve(sorted(&self.codes, &scores, by, groups)));
            };
            let each = rows.div_ceil(HISTOGRAMS).max(1);
            let mut made: Vec<Histogram> = vec![empty; rows.div_ceil(each).max(1)];
            let jobs = made.iter_mut().zip(parts(rows, each));
            for_each_job(threads, state, jobs, |(histogram, rows)| {
                for start in rows.clone().step_by(PART) {
                    state.check()?;
                    let rows = start..rows.end.min(start + PART);
                    histogram.add(&self.formula, &self.codes, &self.sums, by, rows);
                }
                Ok(())
            })?;
            let all = made.into_iter().reduce(|mut all, later| {
                all.merge(later);
                all
            });
            Ok(ScenarioCurve(all.map_or_else(Distribution::default, Histogram::finish)))
        })
    }
}

impl ScenarioScores {
    fn write_scores(
        &self,
        scores: &mut [f64],
        status: &mut [u8],
        threads: usize,
        state: &RunState,
    ) -> Result<(), Failure> {
        let both = scores.chunks_mut(PART).zip(status.chunks_mut(PART));
        for_each_job(threads, state, both.zip((0..).step_by(PART)), |((scores, status), start)| {
            scores_into(&self.formula, &self.codes, &self.sums, start, scores, status);
            Ok(())
        })
    }
}

/// Numbers with nulls for NaN.
fn number_array(numbers: Vec<f64>) -> ArrayRef {
    let array = Float64Array::from(numbers);
    let valid = array.values().iter().map(|x| !x.is_nan()).collect::<Vec<_>>();
    let (_, values, _) = array.into_parts();
    Arc::new(Float64Array::new(values, Some(valid.into())))
}

/// Scores in rising order with counts, by group.
#[pyclass(frozen, module = "nser_pmt._native")]
pub struct ScenarioCurve(Distribution);

#[pymethods]
impl ScenarioCurve {
    /// Number of distinct scores, summed over groups.
    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Weight of the households of each group without a score.
    fn nulls(&self) -> Vec<f64> {
        self.0.nulls().to_vec()
    }

    /// Weights of the households of each group: those with a score, and those that a cut-off
    /// admits.
    fn coverage(&self, at: Cut) -> PyResult<(Vec<f64>, Vec<f64>)> {
        let cutoff = cutoff(&at)?;
        Ok((0..self.0.groups()).map(|group| self.0.coverage(group, cutoff)).unzip())
    }

    /// The cut-off that admits the poorest of the first group up to a weight.
    fn cutoff_of(&self, quota: f64, low_is_poor: bool, ties_in: bool) -> Option<Cut> {
        let ties = if ties_in { Ties::In } else { Ties::Out };
        self.0.cutoff_of(quota, low_is_poor, ties).map(cut)
    }

    /// The cut-offs between equal parts of the first group.
    fn parts(&self, parts: usize, low_is_poor: bool) -> Vec<Cut> {
        self.0.parts(parts, low_is_poor).into_iter().map(cut).collect()
    }
}
