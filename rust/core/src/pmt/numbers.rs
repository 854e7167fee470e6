//! Where a term's numbers come from: a column, checked, or the ratio of two.

use super::bins::Width;
use super::cpu::Cpu;
use super::loops::poison;
use super::plan::{Input, Part, Source};
use super::program::EVERYTHING;
use crate::column::{Column, Values};

/// Where a block of numbers comes from: a column, or the ratio of two.
#[derive(Debug, Clone, Copy)]
pub(super) struct NumberSource<'c> {
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
    pub fn new(input: &Input, columns: &'c [Column<'c>]) -> Option<Self> {
        Some(match input.source {
            Source::Column(part) => Self { dividend: Reader::new(part, columns)?, divisor: None },
            Source::Ratio(a, b, range) => Self {
                dividend: Reader::new(a, columns)?,
                divisor: Some((Reader::new(b, columns)?, range)),
            },
        })
    }

    /// A column as it is.
    pub fn plain(column: &'c Column<'c>) -> Self {
        let part = Part { column: 0, integer: false, range: EVERYTHING };
        Self { dividend: Reader { column, part, width: Width::Double }, divisor: None }
    }

    fn is_plain(&self) -> bool {
        self.divisor.is_none() && self.dividend.is_plain()
    }

    /// The width in which the numbers are compared.
    pub fn width(&self) -> Width {
        if self.divisor.is_none() { self.dividend.width } else { Width::Double }
    }

    /// The column itself, where it is read without any change.
    pub fn doubles(&self) -> Option<&'c [f64]> {
        match self.dividend.column.values {
            Values::F64(v) if self.is_plain() => Some(v),
            _ => None,
        }
    }

    /// A block of numbers; NaN or infinity where there is none that the model accepts.
    #[inline(always)]
    pub fn block<'b, C: Cpu>(
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
