//! The columns of a regression, seen 256 rows at a time.

/// Rows that are summed together.
pub const PANEL: usize = 256;

/// Panels that one job does.
const PANELS: usize = 16;

/// Rows that one job does.
pub const BLOCK: usize = PANEL * PANELS;

/// A panel of one column.
pub(super) type Rows = [f64; PANEL];

static ONES: Rows = [1.0; PANEL];

/// Columns of a regression, all of one length.
#[derive(Debug, Clone)]
pub struct Design<'a> {
    columns: &'a [&'a [f64]],
    intercept: bool,
    rows: usize,
    /// The last panel, filled up with zeros, if it is not whole.
    tail: Vec<Rows>,
}

impl<'a> Design<'a> {
    /// A design of `rows` rows; with an intercept, column 0 is all ones and comes before `columns`.
    /// None if a column has another length.
    #[must_use]
    pub fn new(columns: &'a [&'a [f64]], intercept: bool, rows: usize) -> Option<Self> {
        let fits = columns.iter().all(|column| column.len() == rows);
        fits.then(|| Self { intercept, ..Self::sized(columns, rows) })
    }

    /// A design without intercept of columns that are known to have `rows` rows.
    pub(super) fn sized(columns: &'a [&'a [f64]], rows: usize) -> Self {
        let start = rows - rows % PANEL;
        let tail = columns.iter().map(|column| padded(column, start)).collect();
        Self { columns, intercept: false, rows, tail }
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns, the intercept among them.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.len() + usize::from(self.intercept)
    }

    /// Number of jobs that the rows are cut into.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
    }

    /// Whether the first column is the intercept.
    #[must_use]
    pub fn has_intercept(&self) -> bool {
        self.intercept
    }

    /// A column as it was given; none for the intercept and beyond the last.
    #[must_use]
    pub fn column(&self, index: usize) -> Option<&'a [f64]> {
        self.columns.get(index.checked_sub(usize::from(self.intercept))?).copied()
    }

    /// The numbers of a row.
    pub fn row(&self, row: usize) -> impl Iterator<Item = f64> + use<'a> {
        let ones = self.intercept.then_some(1.0);
        let columns = self.columns;
        ones.into_iter().chain(columns.iter().map(move |c| c.get(row).copied().unwrap_or(0.0)))
    }

    /// Some of the rows, in columns of their own; the intercept is not copied.
    #[must_use]
    pub fn gather(&self, rows: &[u32]) -> Vec<Vec<f64>> {
        let pick = |column: &&[f64]| -> Vec<f64> {
            rows.iter().map(|&row| column.get(row as usize).copied().unwrap_or(0.0)).collect()
        };
        self.columns.iter().map(pick).collect()
    }

    /// Numbers of the panels of a block.
    pub(super) fn panels(&self, block: usize) -> std::ops::Range<usize> {
        block * PANELS..self.rows.div_ceil(PANEL).min((block + 1) * PANELS)
    }

    /// A panel; `views` is room for its columns.
    pub(super) fn panel<'v, 'd: 'v>(
        &'d self,
        number: usize,
        views: &'v mut Vec<&'d Rows>,
    ) -> Panel<'v> {
        let start = number * PANEL;
        views.clear();
        if self.intercept {
            views.push(&ONES);
        }
        if start + PANEL <= self.rows {
            let panel = |column: &&'a [f64]| column.get(start..)?.first_chunk();
            views.extend(self.columns.iter().filter_map(panel));
        } else {
            views.extend(&self.tail);
        }
        Panel { start, columns: views }
    }
}

/// A panel of a column of row values, filled up with zeros.
#[inline(always)]
pub(super) fn padded(values: &[f64], start: usize) -> Rows {
    let mut out = [0.0; PANEL];
    let from = values.get(start..).unwrap_or(&[]);
    match from.first_chunk() {
        Some(whole) => out = *whole,
        None => out.iter_mut().zip(from).for_each(|(slot, value)| *slot = *value),
    }
    out
}

/// Some rows of all columns.
#[derive(Clone, Copy)]
pub(super) struct Panel<'a> {
    /// First row. Rows beyond the last are zeros (ones in the intercept).
    pub start: usize,
    pub columns: &'a [&'a Rows],
}
