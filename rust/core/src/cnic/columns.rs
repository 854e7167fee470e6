//! Whole columns: each value read once, results as columns of codes.

use super::judge::{Parsed, parse_text};
use super::kind::{Kind, Sex};
use super::prefix::PrefixTable;
use super::read::{self, Reading};
use crate::column::{Column, Values};

/// Packed bits, least significant first: one for each row that has a value.
#[derive(Debug, Clone, Default)]
pub struct Validity {
    /// The bits; those beyond the last row are zero.
    pub words: Vec<u64>,
    /// Number of zeros among the rows.
    pub nulls: usize,
}

impl Validity {
    fn push(&mut self, word: u64, rows: usize) {
        self.nulls += rows - word.count_ones() as usize;
        self.words.push(word);
    }
}

/// What [`PrefixTable::judge`] finds in a column. Under a null a code is 0.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    /// Numbers.
    pub number: Vec<u64>,
    /// Codes of [`Kind`].
    pub kind: Vec<u8>,
    /// Codes of [`Issue`](super::Issue).
    pub issue: Vec<u8>,
    /// Codes into [`PrefixTable::provinces`].
    pub province: Vec<u8>,
    /// Codes into [`PrefixTable::districts`].
    pub district: Vec<u8>,
    /// Codes into [`PrefixTable::tehsils`].
    pub tehsil: Vec<u16>,
    /// Codes of [`Sex`].
    pub sex: Vec<u8>,
    /// Rows with a number, and so with a sex.
    pub has_number: Validity,
    /// Rows with a province.
    pub has_province: Validity,
    /// Rows with a district.
    pub has_district: Validity,
    /// Rows with a tehsil.
    pub has_tehsil: Validity,
}

const BLOCK: usize = 64;

impl Columns {
    /// Parses `rows` rows. A column of one row counts for all of them; so does one of `sex`, which
    /// holds words for the recorded sex.
    #[must_use]
    pub fn parse(
        column: &Column<'_>,
        sex: Option<&Column<'_>>,
        rows: usize,
        table: &PrefixTable,
    ) -> Self {
        let mut out = Self::zeros(rows);
        // Text without a sex beside it is the case that has to be fast.
        if let (Values::Str(strings), None, None) = (&column.values, column.validity, sex)
            && strings.len() == rows
        {
            out.fill(table, |i| parse_text(strings.get(i), table, None));
            return out;
        }
        let mut found = Vec::with_capacity(rows);
        each_reading(column, rows, |reading| {
            let sex = sex.and_then(|sex| sex_at(sex, found.len()));
            found.push(table.judge(&reading, sex));
        });
        let nothing = table.judge(&Reading::missing(), None);
        out.fill(table, |i| found.get(i).copied().unwrap_or(nothing));
        out
    }

    fn zeros(rows: usize) -> Self {
        Self {
            number: vec![0; rows],
            kind: vec![0; rows],
            issue: vec![0; rows],
            province: vec![0; rows],
            district: vec![0; rows],
            tehsil: vec![0; rows],
            sex: vec![0; rows],
            ..Self::default()
        }
    }

    /// Writes every row; blocks, so that 64 validity bits stay in a register.
    #[inline(always)]
    fn fill(&mut self, table: &PrefixTable, parsed: impl Fn(usize) -> Parsed) {
        let mut row = 0;
        let blocks = self.number.chunks_mut(BLOCK).zip(self.kind.chunks_mut(BLOCK));
        let blocks = blocks.zip(self.issue.chunks_mut(BLOCK)).zip(self.sex.chunks_mut(BLOCK));
        let blocks = blocks.zip(self.province.chunks_mut(BLOCK));
        let blocks = blocks.zip(self.district.chunks_mut(BLOCK));
        for (block, tehsils) in blocks.zip(self.tehsil.chunks_mut(BLOCK)) {
            let (((((numbers, kinds), issues), sexes), provinces), districts) = block;
            let (mut number, mut province, mut district, mut tehsil) = (0, 0, 0, 0);
            let count = numbers.len();
            let outputs = numbers.iter_mut().zip(kinds).zip(issues).zip(sexes);
            let outputs = outputs.zip(provinces).zip(districts).zip(tehsils).enumerate();
            for (
                i,
                (
                    (((((to_number, to_kind), to_issue), to_sex), to_province), to_district),
                    to_tehsil,
                ),
            ) in outputs
            {
                let parsed = parsed(row);
                row += 1;
                let place = table.codes(parsed.place);
                let has_number = parsed.kind == Kind::Cnic;
                number |= u64::from(has_number) << i;
                province |= u64::from(place.has_province) << i;
                district |= u64::from(place.has_district) << i;
                tehsil |= u64::from(place.has_tehsil) << i;
                *to_number = if has_number { parsed.value } else { 0 };
                *to_kind = parsed.kind as u8;
                *to_issue = parsed.issue as u8;
                *to_sex = parsed.sex.map_or(0, |sex| sex as u8);
                *to_province = place.province;
                *to_district = place.district;
                *to_tehsil = place.tehsil;
            }
            self.has_number.push(number, count);
            self.has_province.push(province, count);
            self.has_district.push(district, count);
            self.has_tehsil.push(tehsil, count);
        }
    }
}

/// Reads `rows` rows in their own type; each entry of a dictionary only once. A column of one row
/// counts for all.
pub fn each_reading(column: &Column<'_>, rows: usize, mut take: impl FnMut(Reading)) {
    let valid = |i: usize| column.validity.is_none_or(|bits| bits.get(i));
    let literal = column.len() == 1 && rows != 1;
    let at = |i: usize| if literal { 0 } else { i };
    macro_rules! each {
        ($values:expr, $read:expr) => {
            for i in (0..rows).map(at) {
                let value = $values.get(i).copied().filter(|_| valid(i));
                take(value.map_or_else(Reading::missing, $read));
            }
        };
    }
    match &column.values {
        Values::Null(_) | Values::Bool(_) => (0..rows).for_each(|_| take(Reading::missing())),
        Values::I8(v) => each!(v, |x| read::integer(x.into())),
        Values::I16(v) => each!(v, |x| read::integer(x.into())),
        Values::I32(v) => each!(v, |x| read::integer(x.into())),
        Values::I64(v) => each!(v, |x| read::integer(x.into())),
        Values::U8(v) => each!(v, |x| read::integer(x.into())),
        Values::U16(v) => each!(v, |x| read::integer(x.into())),
        Values::U32(v) => each!(v, |x| read::integer(x.into())),
        Values::U64(v) => each!(v, |x| read::integer(x.into())),
        Values::F32(v) => each!(v, read::float32),
        Values::F64(v) => each!(v, read::float),
        Values::Decimal(v, scale) => each!(v, |x| read::decimal(x, *scale)),
        Values::Str(strings) => {
            for i in (0..rows).map(at) {
                take(if valid(i) { read::text(strings.get(i)) } else { Reading::missing() });
            }
        }
        Values::Dict(codes, strings) => {
            let read = |code: usize| read::text(strings.get(code));
            // A long dictionary of a short column is not worth reading.
            let known: Vec<Reading> =
                if strings.len() <= rows { (0..strings.len()).map(read).collect() } else { vec![] };
            for i in (0..rows).map(at) {
                let code = codes.get(i).filter(|_| valid(i));
                let of_code = |code: usize| known.get(code).copied().unwrap_or_else(|| read(code));
                take(code.map_or_else(Reading::missing, of_code));
            }
        }
    }
}

/// The recorded sex of a row.
fn sex_at(column: &Column<'_>, row: usize) -> Option<Sex> {
    let row = if column.len() == 1 { 0 } else { row };
    if column.validity.is_some_and(|bits| !bits.get(row)) {
        return None;
    }
    match &column.values {
        Values::Str(strings) => Sex::from_text(strings.get(row)),
        Values::Dict(codes, strings) => codes.get(row).and_then(|c| Sex::from_text(strings.get(c))),
        _ => None,
    }
}
