//! Columns of values of all persons: each distinct value once, and for each person which one.

use serde::{Deserialize, Serialize};

use super::lookup::{Lookup, Table};
use super::{Datum, Fault};
use crate::column::{Column, Strings, Values};
use crate::link::encode::{Codes, NULL, Texts};
use crate::store::bytes::{TextsOf, U32s, U64s, of_u32s, of_u64s, sum, sum_of_word};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Texts.
    Text,
    /// Whole numbers, also days.
    Int,
    /// Numbers.
    Float,
    /// True or false.
    Bool,
    /// Packed digits of identity numbers.
    Number,
}

/// One column of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Its name, for messages.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Whether each distinct value is kept once, with how many persons have it, and can be found. If
    /// not, there is only a word for each person.
    pub coded: bool,
}

/// Sections of a column in a file.
pub(super) const SECTIONS: usize = 8;

/// A column as it stands in a file, and how many persons have a value.
#[derive(Debug, Default)]
pub struct Encoded {
    pub(super) sections: [Vec<u8>; SECTIONS],
    pub(super) present: u32,
}

impl Encoded {
    /// A column of `rows` values.
    ///
    /// # Errors
    ///
    /// When the distinct texts have 2^32 bytes or more.
    pub fn new<'a>(
        field: &Field,
        rows: u32,
        value: impl Fn(u32) -> Datum<'a>,
    ) -> Result<Self, Fault> {
        let word = |row| match value(row) {
            Datum::Word(word) => Some(word),
            _ => None,
        };
        if !field.coded {
            let sections = [vec![], of_u64s((0..rows).map(|row| word(row).unwrap_or(0)))];
            let present = (0..rows).filter(|row| word(*row).is_some_and(|word| word != 0)).count();
            let [codes, words] = sections;
            let present = present as u32;
            return Ok(Self {
                sections: [codes, words, vec![], vec![], vec![], vec![], vec![], vec![]],
                present,
            });
        }
        let (mut words, mut ends, mut bytes) = (vec![], vec![], vec![]);
        let codes = if field.kind == Kind::Text {
            let (codes, texts) = codes_of_texts((0..rows).map(value));
            for code in 0..codes.distinct as u32 {
                bytes.extend_from_slice(texts.get(code));
                ends.push(bytes.len());
            }
            codes
        } else {
            let codes = Codes::of((0..rows).map(word));
            firsts(&codes, |row| words.push(word(row).unwrap_or(0)));
            codes
        };
        if u32::try_from(bytes.len()).is_err() {
            return Err(Fault::TooLarge);
        }
        let words = of_u64s(words);
        let ends = of_u32s(ends.into_iter().map(|end| end as u32));
        let counts = of_u32s(codes.counts());
        let texts = TextsOf { ends: U32s::new(&ends), text: &bytes };
        let table = Table::new(codes.distinct as u32, 1, |code| {
            Some(match field.kind {
                Kind::Text => sum(texts.get(code as usize)),
                _ => sum_of_word(U64s::new(&words).get(code as usize).unwrap_or(0)),
            })
        });
        let present = codes.rows.iter().filter(|code| **code != NULL).count() as u32;
        let codes = of_u32s(codes.rows);
        let Table { starts, tags, items, .. } = table;
        Ok(Self { sections: [codes, words, ends, bytes, counts, starts, tags, items], present })
    }

    /// The column to read.
    pub(super) fn stored(&self, field: &Field) -> Option<Stored<'_>> {
        Stored::new(field, self.sections.each_ref().map(Vec::as_slice))
    }
}

/// Codes of texts that are not in one column; none for what is no text.
pub(super) fn codes_of_texts<'a>(values: impl Iterator<Item = Datum<'a>>) -> (Codes, Texts) {
    let (mut ends, mut bytes) = (vec![0i64], vec![]);
    for value in values {
        bytes.extend_from_slice(value.text());
        ends.push(bytes.len() as i64);
    }
    let values = Values::Str(Strings::Offsets64(&ends, &bytes));
    Codes::of_texts(&Column { values, validity: None })
}

/// Calls `each` with the first row of each value, in order.
fn firsts(codes: &Codes, mut each: impl FnMut(u32)) {
    let mut next = 0;
    for (row, code) in (0..).zip(&codes.rows) {
        if *code == next {
            each(row);
            next += 1;
        }
    }
}

/// A column in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stored<'a> {
    kind: Kind,
    coded: bool,
    codes: U32s<'a>,
    words: U64s<'a>,
    texts: TextsOf<'a>,
    counts: U32s<'a>,
    find: Option<Lookup<'a>>,
}

impl<'a> Stored<'a> {
    /// `None` when the parts do not fit each other.
    pub(super) fn new(field: &Field, sections: [&'a [u8]; SECTIONS]) -> Option<Self> {
        let [codes, words, ends, text, counts, starts, tags, items] = sections;
        let find = if field.coded { Some(Lookup::new(starts, tags, items)?) } else { None };
        Some(Self {
            kind: field.kind,
            coded: field.coded,
            codes: U32s::new(codes),
            words: U64s::new(words),
            texts: TextsOf { ends: U32s::new(ends), text },
            counts: U32s::new(counts),
            find,
        })
    }

    /// Which distinct value a person has, or [`NULL`].
    #[inline]
    pub(super) fn code(&self, row: u32) -> u32 {
        self.codes.get(row as usize).unwrap_or(NULL)
    }

    /// The value of a code.
    #[inline]
    pub(super) fn of_code(&self, code: u32) -> Datum<'a> {
        let code = code as usize;
        match self.kind {
            Kind::Text => match self.texts.get(code) {
                [] => Datum::Missing,
                text => Datum::Text(text),
            },
            _ => self.words.get(code).map_or(Datum::Missing, Datum::Word),
        }
    }

    /// The value of a person.
    #[inline]
    pub(super) fn value(&self, row: u32) -> Datum<'a> {
        if self.coded {
            let code = self.code(row);
            return if code == NULL { Datum::Missing } else { self.of_code(code) };
        }
        match self.words.get(row as usize) {
            None | Some(0) => Datum::Missing,
            Some(word) => Datum::Word(word),
        }
    }

    /// How many persons have the value of a code.
    pub(super) fn count(&self, code: u32) -> u32 {
        self.counts.get(code as usize).unwrap_or(0)
    }

    /// The code of a value.
    pub(super) fn find(&self, value: Datum<'_>) -> Option<u32> {
        let sum = match value {
            Datum::Missing => return None,
            Datum::Text(text) => sum(text),
            Datum::Word(word) => sum_of_word(word),
        };
        let find = self.find.as_ref()?;
        find.items(find.find(sum)).find(|code| self.of_code(*code) == value)
    }
}
