//! Stepwise choice of terms from a Gram matrix: each step is a few sweeps, no pass over rows.
//!
//! Statistics are those of least squares with weights scaled to a mean of 1, as for a simple random
//! sample: p-values of F tests, `AIC = n ln(RSS / n) + 2 k`, `BIC = n ln(RSS / n) + k ln n`.

use super::student::beta_share;

/// What a step is judged by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Criterion {
    /// The p-value of a term: it enters below the first and leaves above the second.
    PValue(f64, f64),
    /// Akaike's criterion: the lower, the better.
    Aic,
    /// Schwarz's criterion: the lower, the better.
    Bic,
}

/// Which steps are allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From no term; terms enter.
    Forward,
    /// From all terms; terms leave.
    Backward,
    /// From no term; terms enter, and leave again.
    Both,
}

/// Moments of a regression: the target is the last column.
#[derive(Debug, Clone, Copy)]
pub struct Moments<'a> {
    /// Products of all columns and the target, whole, by rows.
    pub products: &'a [f64],
    /// Number of columns and 1.
    pub width: usize,
    /// Number of rows with a weight.
    pub rows: f64,
    /// Sum of their weights.
    pub weight: f64,
}

/// A step taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// The term.
    pub term: usize,
    /// Whether it entered.
    pub entered: bool,
    /// Its p-value at that moment.
    pub p: f64,
    /// Weighted sum of squared residuals after the step.
    pub residual: f64,
    /// Value of the criterion after the step; of the p-value, the p-value.
    pub value: f64,
}

/// What was chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Whether each term is in.
    pub chosen: Vec<bool>,
    /// Terms that could not enter: they follow from terms that are in, wholly or in part; of a
    /// backward choice, from terms before them.
    pub refused: Vec<usize>,
    /// Steps in their order.
    pub steps: Vec<Step>,
}

/// Share of a column's squares that others must leave for it to enter.
const INDEPENDENT: f64 = 1e-9;

/// Chooses among `terms`, each some columns that enter and leave together. `forced` columns are
/// always in.
///
/// # Errors
///
/// The place in `forced` of a column that follows from those before it.
pub fn choose(
    moments: Moments<'_>,
    terms: &[Vec<usize>],
    forced: &[usize],
    criterion: Criterion,
    direction: Direction,
) -> Result<Choice, usize> {
    let mut table = Table::new(moments);
    for (place, &column) in forced.iter().enumerate() {
        if !table.enter(&[column]) {
            return Err(place);
        }
    }
    let mut search =
        Search { table, terms, chosen: vec![false; terms.len()], criterion, steps: vec![] };
    let mut refused = vec![];
    if direction == Direction::Backward {
        for (term, columns) in terms.iter().enumerate() {
            let entered = search.table.enter(columns);
            search.set(term, entered);
            if !entered {
                refused.push(term);
            }
        }
    }
    // Every step that the criterion allows makes it better, so none comes twice; p-values have no
    // such order, and get no more steps than that.
    for _ in 0..4 * terms.len() {
        let left = direction != Direction::Forward && search.leave();
        let entered = !left && direction != Direction::Backward && search.enter();
        if !left && !entered {
            break;
        }
    }
    if direction != Direction::Backward {
        let follows = |&(term, columns): &(usize, &Vec<usize>)| {
            search.chosen.get(term) == Some(&false) && search.table.gain(columns).is_none()
        };
        refused.extend(terms.iter().enumerate().filter(follows).map(|(term, _)| term));
    }
    Ok(Choice { refused, chosen: search.chosen, steps: search.steps })
}

struct Search<'a> {
    table: Table,
    terms: &'a [Vec<usize>],
    chosen: Vec<bool>,
    criterion: Criterion,
    steps: Vec<Step>,
}

/// A term that may move, its change of the residual, and its number of columns.
struct Candidate {
    term: usize,
    p: f64,
    residual: f64,
    value: f64,
}

impl Search<'_> {
    fn set(&mut self, term: usize, chosen: bool) {
        if let Some(slot) = self.chosen.get_mut(term) {
            *slot = chosen;
        }
    }

    /// Takes in the best term, if it is good enough.
    fn enter(&mut self) -> bool {
        let residual = self.table.residual();
        let size = self.table.size;
        let best = self.best(false, |table, columns| {
            let gain = table.gain(columns)?.min(residual);
            Some((residual - gain, residual, size + columns.len()))
        });
        let good = |best: &Candidate| match self.criterion {
            Criterion::PValue(enter, _) => best.p < enter,
            _ => best.value < self.value(residual, size),
        };
        let Some(best) = best.filter(good) else { return false };
        let columns = self.terms.get(best.term).map_or(&[][..], Vec::as_slice);
        self.table.enter(columns) && self.record(&best, true)
    }

    /// Puts out the worst term, if it is bad enough.
    fn leave(&mut self) -> bool {
        let residual = self.table.residual();
        let size = self.table.size;
        let best = self.best(true, |table, columns| {
            let loss = table.loss(columns)?;
            Some((residual, residual + loss, size.saturating_sub(columns.len())))
        });
        let bad = |best: &Candidate| match self.criterion {
            Criterion::PValue(_, leave) => best.p > leave,
            _ => best.value < self.value(residual, size),
        };
        let Some(best) = best.filter(bad) else { return false };
        let columns = self.terms.get(best.term).map_or(&[][..], Vec::as_slice);
        self.table.leave(columns);
        self.record(&best, false)
    }

    fn record(&mut self, best: &Candidate, entered: bool) -> bool {
        self.set(best.term, entered);
        let Candidate { term, p, residual, value } = *best;
        self.steps.push(Step { term, entered, p, residual, value });
        true
    }

    /// The term to move. `residuals` gives those with and without the term, and the size after.
    fn best(
        &self,
        leaves: bool,
        residuals: impl Fn(&Table, &[usize]) -> Option<(f64, f64, usize)>,
    ) -> Option<Candidate> {
        let mut best: Option<Candidate> = None;
        for (term, columns) in self.terms.iter().enumerate() {
            if self.chosen.get(term) != Some(&leaves) || columns.is_empty() {
                continue;
            }
            let Some((with, without, size)) = residuals(&self.table, columns) else { continue };
            let larger = if leaves { size + columns.len() } else { size };
            let p = self.p(with, without, columns.len(), larger);
            let residual = if leaves { without } else { with };
            let by_p = matches!(self.criterion, Criterion::PValue(..));
            let value = if by_p { p } else { self.value(residual, size) };
            let is_better = best.as_ref().is_none_or(|best| match (by_p, leaves) {
                (true, true) => p > best.p,
                // Of p-values too small to tell apart, the better fit.
                (true, false) => p < best.p || (p == best.p && residual < best.residual),
                (false, _) => value < best.value,
            });
            if is_better {
                best = Some(Candidate { term, p, residual, value });
            }
        }
        best
    }

    /// Chance of a larger F, if the term did not count.
    fn p(&self, with: f64, without: f64, columns: usize, size: usize) -> f64 {
        let free = self.table.rows - size as f64;
        let columns = columns as f64;
        if free <= 0.0 || without <= with {
            return 1.0;
        }
        // With F = (without - with) / columns / (with / free): free / (free + columns F).
        beta_share(with / without, free / 2.0, columns / 2.0)
    }

    fn value(&self, residual: f64, size: usize) -> f64 {
        let n = self.table.rows;
        let charge = if self.criterion == Criterion::Bic { n.ln() } else { 2.0 };
        // Weights of a mean of 1.
        n * (residual / self.table.weight).ln() + charge * size as f64
    }
}

/// Moments swept on the columns that are in.
struct Table {
    cells: Vec<f64>,
    width: usize,
    is_in: Vec<bool>,
    squares: Vec<f64>,
    size: usize,
    rows: f64,
    weight: f64,
}

impl Table {
    fn new(moments: Moments<'_>) -> Self {
        let Moments { products, width, rows, weight } = moments;
        let mut cells = products.to_vec();
        cells.resize(width * width, 0.0);
        let squares = cells.iter().step_by(width + 1).copied().collect();
        Self { cells, width, is_in: vec![false; width], squares, size: 0, rows, weight }
    }

    fn at(&self, i: usize, j: usize) -> f64 {
        self.cells.get(i * self.width + j).copied().unwrap_or(0.0)
    }

    fn residual(&self) -> f64 {
        let last = self.width.saturating_sub(1);
        self.at(last, last).max(0.0)
    }

    /// Sweeps on a column (J. H. Goodnight, The American Statistician 33, 1979); twice undoes it.
    fn sweep(&mut self, k: usize) {
        let pivot = self.at(k, k);
        let row: Vec<f64> = (0..self.width).map(|j| self.at(k, j)).collect();
        for (i, cells) in self.cells.chunks_mut(self.width.max(1)).enumerate() {
            let own = cells.get(k).copied().unwrap_or(0.0);
            for (j, (cell, other)) in cells.iter_mut().zip(&row).enumerate() {
                *cell = match (i == k, j == k) {
                    (true, true) => -1.0 / pivot,
                    (true, false) | (false, true) => *cell / pivot.abs(),
                    (false, false) => (-own * other / pivot) + *cell,
                };
            }
        }
    }

    /// Sweeps columns in; false, and nothing done, if one follows from others.
    fn enter(&mut self, columns: &[usize]) -> bool {
        for (done, &k) in columns.iter().enumerate() {
            let square = self.squares.get(k).copied().unwrap_or(0.0);
            if self.at(k, k).is_nan() || self.at(k, k) <= INDEPENDENT * square {
                let taken = columns.get(..done).unwrap_or(&[]);
                self.leave(taken);
                return false;
            }
            self.sweep(k);
            self.note(k, true);
        }
        true
    }

    fn leave(&mut self, columns: &[usize]) {
        for &k in columns.iter().rev() {
            self.sweep(k);
            self.note(k, false);
        }
    }

    fn note(&mut self, k: usize, is_in: bool) {
        if let Some(slot) = self.is_in.get_mut(k) {
            *slot = is_in;
        }
        self.size = self.is_in.iter().filter(|is_in| **is_in).count();
    }

    /// What the residual loses when columns enter; none if one follows from others.
    fn gain(&self, columns: &[usize]) -> Option<f64> {
        self.quadratic(columns, |k, pivot| {
            let square = self.squares.get(k).copied().unwrap_or(0.0);
            pivot > INDEPENDENT * square
        })
    }

    /// What the residual gains when columns leave.
    fn loss(&self, columns: &[usize]) -> Option<f64> {
        self.quadratic(columns, |_, pivot| pivot.abs() > 0.0).map(f64::abs)
    }

    /// `c' A^-1 c` of a block of the table and its part of the target, by elimination.
    fn quadratic(&self, columns: &[usize], sound: impl Fn(usize, f64) -> bool) -> Option<f64> {
        let last = self.width.saturating_sub(1);
        let block = |&i: &usize| -> Vec<f64> {
            columns.iter().chain([&last]).map(|&j| self.at(i, j)).collect()
        };
        let mut rows: Vec<Vec<f64>> = columns.iter().map(block).collect();
        let mut sum = 0.0;
        for (step, &column) in columns.iter().enumerate() {
            let (above, below) = rows.split_at_mut(step + 1);
            let own = above.last()?;
            let (pivot, target) = (*own.get(step)?, *own.last()?);
            if !sound(column, pivot) {
                return None;
            }
            sum += target * target / pivot;
            for row in below {
                let factor = row.get(step)? / pivot;
                row.iter_mut().zip(own).for_each(|(cell, value)| *cell -= factor * value);
            }
        }
        Some(sum)
    }
}
