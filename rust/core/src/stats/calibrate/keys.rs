//! The cell of each row: its combination of levels.

use std::collections::HashMap;

use super::{NONE, Rows, Term};

/// Combinations of levels that may have a place in a table: so many, or so many for each row.
const TABLE: usize = 1 << 19;
const TABLE_PER_ROW: usize = 4;

/// Cells of rows, in the order of their combination of levels; by first appearance where there are too
/// many combinations.
pub(super) struct Keys {
    /// Cell of each row.
    pub(super) cells: Vec<u32>,
    /// Number of cells.
    pub(super) count: usize,
    variables: Vec<usize>,
    /// Codes of each cell.
    codes: Vec<u32>,
}

/// Rows whose keys are made together.
const PANEL: usize = 4096;

impl Keys {
    pub(super) fn new(rows: &Rows<'_>, terms: &[&Term]) -> Self {
        let n = rows.weights.len();
        let mut variables: Vec<(usize, u32)> = vec![];
        for term in terms {
            let levels = term.levels.iter().map(|&l| u32::try_from(l).unwrap_or(NONE - 1));
            // One more place for a row without a level, which is found out later.
            variables.extend(term.variables.iter().copied().zip(levels.map(|l| l + 1)));
        }
        variables.sort_unstable();
        variables.dedup();
        let most = TABLE.max(TABLE_PER_ROW.saturating_mul(n)).min(NONE as usize);
        let times = |places: usize, levels: u32| places.checked_mul(levels as usize);
        let places = variables.iter().try_fold(1, |places, v| times(places, v.1));
        let codes: Vec<(&[u32], u32)> = variables
            .iter()
            .map(|&(v, l)| (rows.codes.get(v).copied().unwrap_or(&[]), l))
            .collect();
        let mut found = Self {
            cells: vec![0; n],
            count: 0,
            variables: variables.iter().map(|v| v.0).collect(),
            codes: vec![],
        };
        match places.filter(|&places| places <= most) {
            Some(places) => found.by_place(&codes, places),
            None => found.by_appearance(&codes),
        }
        found
    }

    /// Every combination has a place in a table.
    #[expect(clippy::indexing_slicing, reason = "keys are below the number of places")]
    fn by_place(&mut self, codes: &[(&[u32], u32)], places: usize) {
        let mut table = vec![NONE; places];
        for (start, keys) in (0..).step_by(PANEL).zip(self.cells.chunks_mut(PANEL)) {
            for (codes, levels) in codes {
                let codes = codes.get(start..).unwrap_or(&[]);
                for (key, &code) in keys.iter_mut().zip(codes) {
                    *key = *key * levels + code.min(levels - 1);
                }
            }
            keys.iter().for_each(|&key| table[key as usize] = 0);
        }
        let occupied = table.iter_mut().zip(0u32..).filter(|(place, _)| **place != NONE);
        for (place, key) in occupied {
            *place = self.count as u32;
            self.count += 1;
            let start = self.codes.len();
            let mut rest = key;
            for (_, levels) in codes.iter().rev() {
                self.codes.push(rest % levels);
                rest /= levels;
            }
            self.codes[start..].reverse();
        }
        self.cells.iter_mut().for_each(|key| *key = table[*key as usize]);
    }

    /// Combinations are numbered as they appear, one variable after another.
    fn by_appearance(&mut self, codes: &[(&[u32], u32)]) {
        let mut first: Vec<u32> = vec![0];
        for (codes, levels) in codes {
            let mut seen: HashMap<u64, u32> = HashMap::new();
            first.clear();
            for ((key, &code), row) in self.cells.iter_mut().zip(*codes).zip(0u32..) {
                let both = u64::from(*key) << 32 | u64::from(code.min(levels - 1));
                *key = *seen.entry(both).or_insert_with(|| {
                    first.push(row);
                    first.len() as u32 - 1
                });
            }
        }
        self.count = first.len();
        for &row in &first {
            let code = |codes: &[u32]| codes.get(row as usize).copied().unwrap_or(NONE);
            self.codes.extend(codes.iter().map(|(codes, _)| code(codes)));
        }
    }

    /// Code of a cell.
    pub(super) fn code(&self, cell: usize, variable: usize) -> Option<u32> {
        let k = self.variables.iter().position(|&v| v == variable)?;
        self.codes.get(cell * self.variables.len() + k).copied()
    }
}
