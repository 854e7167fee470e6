//! Columns of pairs.

#[cfg(target_arch = "x86_64")]
use super::lanes::{self, Lanes};
use super::similarity::{Distance, Query, Room, Scorer, Similarity, score, score_query};
use crate::column::{Codes, Column, Strings, Values};
use crate::isa::Isa;

/// One side of the pairs.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    /// A text a row.
    Rows(&'a Strings<'a>),
    /// A category a row.
    Coded(&'a Codes<'a>, &'a Strings<'a>),
    /// One text for all rows.
    One(&'a [u8]),
}

impl<'a> Side<'a> {
    /// A column as a side of `rows` pairs; a column of one value counts for all of them. `None`
    /// when it is not text.
    #[must_use]
    pub fn new(column: &'a Column<'_>, rows: usize) -> Option<Self> {
        let side = match &column.values {
            Values::Str(strings) => Self::Rows(strings),
            Values::Dict(codes, strings) => Self::Coded(codes, strings),
            Values::Null(_) => Self::One(&[]),
            _ => return None,
        };
        Some(if column.len() == 1 && rows != 1 { Self::One(side.get(0)) } else { side })
    }

    /// Text of row `i`; empty where there is none.
    #[must_use]
    #[inline(always)]
    pub fn get(&self, i: usize) -> &'a [u8] {
        match self {
            Self::Rows(strings) => strings.get(i),
            Self::Coded(codes, strings) => codes.get(i).map_or(&[], |code| strings.get(code)),
            Self::One(text) => text,
        }
    }
}

impl Similarity {
    /// Writes the similarity of each pair of rows, from the first on.
    pub fn fill(&self, isa: Isa, a: &Side<'_>, b: &Side<'_>, out: &mut [f64]) {
        self.fill_in(&mut Room::default(), isa, a, b, out);
    }

    /// The same in buffers that are there already.
    pub(super) fn fill_in(
        &self,
        room: &mut Room,
        isa: Isa,
        a: &Side<'_>,
        b: &Side<'_>,
        out: &mut [f64],
    ) {
        fill(*self, isa, a, b, room, out);
    }
}

impl Distance {
    /// Writes the distance of each pair of rows, from the first on.
    pub fn fill(&self, isa: Isa, a: &Side<'_>, b: &Side<'_>, out: &mut [u32]) {
        fill(*self, isa, a, b, &mut Room::default(), out);
    }
}

#[cfg(target_arch = "x86_64")]
fn fill<S: Lanes>(
    scorer: S,
    isa: Isa,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    let isa = if isa.is_available() { isa } else { Isa::Portable };
    // A literal that fits no lane is better prepared once.
    let kernel = scorer.kernel().filter(|_| lanes::fits(a) && lanes::fits(b));
    match (isa, kernel) {
        (Isa::Portable, _) => fill_rows(scorer, a, b, room, out),
        (Isa::Avx512Vbmi, Some(kernel)) => {
            // SAFETY: the CPU has it.
            unsafe { lanes::fill_avx512(scorer, kernel, a, b, room, out) }
        }
        (_, Some(kernel)) => {
            // SAFETY: the CPU has AVX2 and its companions, as with each set but the first.
            unsafe { lanes::fill_avx2(scorer, kernel, a, b, room, out) }
        }
        (_, None) => {
            // SAFETY: as above.
            unsafe { fill_rows_avx2(scorer, a, b, room, out) }
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn fill<S: Scorer>(
    scorer: S,
    _: Isa,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    fill_rows(scorer, a, b, room, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
fn fill_rows_avx2<S: Scorer>(
    scorer: S,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    fill_rows(scorer, a, b, room, out);
}

/// The safe twin of every kernel: a pair at a time.
#[inline(always)]
fn fill_rows<S: Scorer>(
    scorer: S,
    a: &Side<'_>,
    b: &Side<'_>,
    room: &mut Room,
    out: &mut [S::Out],
) {
    match (a, b) {
        // All metrics are symmetric.
        (Side::One(text), rows) | (rows, Side::One(text)) => {
            let query = Query::new(text);
            for (i, to) in out.iter_mut().enumerate() {
                *to = score_query(scorer, &query, rows.get(i), room);
            }
        }
        _ => {
            for (i, to) in out.iter_mut().enumerate() {
                *to = score(scorer, a.get(i), b.get(i), room);
            }
        }
    }
}
