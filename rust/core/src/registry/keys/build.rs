//! From keys and columns to the bytes of a file.

use super::Header;
use super::tree::levels;
use crate::column::{Column, Value, Values};
use crate::store::Fault;
use crate::store::bytes::{of_u32s, of_u64s};
use crate::store::file;

/// Keys, and what is kept for each.
#[derive(Debug)]
pub struct Table<'a> {
    /// 64-bit numbers. Rows without a key are left out.
    pub keys: &'a Column<'a>,
    /// The fields of a row, in order: whole numbers of 4 or 8 bytes, little end first. What is
    /// missing is the caller's to mark: no validity is read.
    pub columns: &'a [Column<'a>],
    /// Dictionaries of texts, asked by their place.
    pub texts: &'a [Column<'a>],
    /// Whatever the caller wants back.
    pub about: &'a str,
}

impl Table<'_> {
    /// The pieces of the file, to be written one after the other.
    ///
    /// # Errors
    ///
    /// For columns of other types or lengths, 2^32 rows or more, and texts of 4 GB.
    pub fn build(&self) -> Result<Vec<Vec<u8>>, Fault> {
        let plan = Fault::Corrupt("the plan");
        let keys = match self.keys.values {
            Values::U64(keys) => keys,
            Values::Null(0) => &[],
            _ => return Err(plan),
        };
        let count = u32::try_from(keys.len()).map_err(|_| Fault::TooLarge)?;
        let valid = |row: &u32| self.keys.validity.is_none_or(|valid| valid.get(*row as usize));
        let all = keys.iter().copied().zip(0..count);
        let mut sorted: Vec<(u64, u32)> = all.filter(|(_, row)| valid(row)).collect();
        sorted.sort_unstable();
        let cells = self.columns.iter().map(Cells::new).collect::<Option<Vec<_>>>();
        let cells = cells.filter(|cells| cells.iter().all(|cells| cells.len() == keys.len()));
        let cells = cells.ok_or(plan)?;
        let width: usize = cells.iter().map(Cells::width).sum();
        let mut rows = Vec::with_capacity(width * sorted.len());
        for (_, row) in &sorted {
            cells.iter().for_each(|cells| cells.push(*row as usize, &mut rows));
        }
        let kept = sorted.len() as u32;
        let keys: Vec<u64> = sorted.into_iter().map(|(key, _)| key).collect();
        let above = levels(&keys);
        let mut sections = vec![of_u64s(keys), rows];
        sections.extend(above.into_iter().map(of_u64s));
        for texts in self.texts {
            let (ends, text) = dictionary(texts)?;
            sections.extend([ends, text]);
        }
        let header = Header {
            rows: kept,
            width: u32::try_from(width).map_err(|_| Fault::TooLarge)?,
            dictionaries: self.texts.len() as u32,
            about: self.about.to_owned(),
            sections: vec![],
        };
        file::pieces(header, sections)
    }
}

/// A field of all rows.
enum Cells<'a> {
    I32(&'a [i32]),
    U32(&'a [u32]),
    I64(&'a [i64]),
    U64(&'a [u64]),
}

impl<'a> Cells<'a> {
    fn new(column: &Column<'a>) -> Option<Self> {
        match column.values {
            Values::I32(cells) => Some(Self::I32(cells)),
            Values::U32(cells) => Some(Self::U32(cells)),
            Values::I64(cells) => Some(Self::I64(cells)),
            Values::U64(cells) => Some(Self::U64(cells)),
            // A column without rows may have lost its type.
            Values::Null(0) => Some(Self::U64(&[])),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::I32(cells) => cells.len(),
            Self::U32(cells) => cells.len(),
            Self::I64(cells) => cells.len(),
            Self::U64(cells) => cells.len(),
        }
    }

    fn width(&self) -> usize {
        match self {
            Self::I32(_) | Self::U32(_) => 4,
            Self::I64(_) | Self::U64(_) => 8,
        }
    }

    #[inline]
    fn push(&self, row: usize, to: &mut Vec<u8>) {
        fn put<const N: usize>(to: &mut Vec<u8>, cell: Option<[u8; N]>) {
            to.extend_from_slice(&cell.unwrap_or([0; N]));
        }
        match self {
            Self::I32(cells) => put(to, cells.get(row).map(|x| x.to_le_bytes())),
            Self::U32(cells) => put(to, cells.get(row).map(|x| x.to_le_bytes())),
            Self::I64(cells) => put(to, cells.get(row).map(|x| x.to_le_bytes())),
            Self::U64(cells) => put(to, cells.get(row).map(|x| x.to_le_bytes())),
        }
    }
}

/// Where each text ends, and the texts.
fn dictionary(texts: &Column<'_>) -> Result<(Vec<u8>, Vec<u8>), Fault> {
    let (mut ends, mut text) = (vec![], vec![]);
    for row in 0..texts.len() {
        if let Value::Str(one) = texts.value(row) {
            text.extend_from_slice(one);
        }
        ends.push(u32::try_from(text.len()).map_err(|_| Fault::TooLarge)?);
    }
    Ok((of_u32s(ends), text))
}
