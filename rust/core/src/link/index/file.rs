//! One file: a preamble, a header in JSON, and sections of bytes, each with a checksum.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Fault;
use super::bytes::sum;
use super::column::Field;
use super::segment::{IdKind, RuleOf};

const MAGIC: [u8; 8] = *b"NSERPIX\n";
/// Of the layout. A file of another one is refused.
pub const FORMAT: u32 = 1;
const PREAMBLE: usize = 32;
/// Sections begin at multiples of this.
const ALIGNED: usize = 64;

/// What a file says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    pub(super) rows: u32,
    pub(super) ids: IdKind,
    pub(super) fields: Vec<Field>,
    /// Persons with a value, by column.
    pub(super) present: Vec<u32>,
    pub(super) rules: Vec<RuleOf>,
    /// Whatever the caller wants back.
    pub(super) about: String,
    pub(super) sections: Vec<Section>,
}

/// A section, counted from the end of the header.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Section {
    start: u64,
    len: u64,
    sum: u64,
}

/// Puts a file together.
pub(super) fn assemble(mut header: Header, sections: Vec<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    let mut end = 0usize;
    header.sections.clear();
    for section in &sections {
        let start = end.next_multiple_of(ALIGNED);
        end = start + section.len();
        let (start, len) = (start as u64, section.len() as u64);
        header.sections.push(Section { start, len, sum: sum(section) });
    }
    let text = serde_json::to_vec(&header).map_err(|_| Fault::Corrupt("the header"))?;
    let body = (PREAMBLE + text.len()).next_multiple_of(ALIGNED);
    let mut file = Vec::with_capacity(body + end);
    file.extend_from_slice(&MAGIC);
    file.extend_from_slice(&u64::from(FORMAT).to_le_bytes());
    file.extend_from_slice(&(text.len() as u64).to_le_bytes());
    file.extend_from_slice(&sum(&text).to_le_bytes());
    file.extend_from_slice(&text);
    for section in sections {
        file.resize(file.len().next_multiple_of(ALIGNED), 0);
        file.extend_from_slice(&section);
    }
    Ok(file)
}

/// Reads the header of a file, and where its sections are.
pub(super) fn read(file: &[u8]) -> Result<(Header, Vec<Range<usize>>), Fault> {
    let (words, _) = file.get(..PREAMBLE).ok_or(Fault::Foreign)?.as_chunks::<8>();
    let [magic, format, len, expected] = words else { return Err(Fault::Foreign) };
    if *magic != MAGIC {
        return Err(Fault::Foreign);
    }
    let format = u64::from_le_bytes(*format);
    if format != u64::from(FORMAT) {
        return Err(Fault::Format(format));
    }
    let broken = Fault::Corrupt("the header");
    let len = usize::try_from(u64::from_le_bytes(*len)).ok();
    let end = len.and_then(|len| len.checked_add(PREAMBLE)).ok_or(broken)?;
    let text = file.get(PREAMBLE..end).ok_or(Fault::Truncated)?;
    if sum(text) != u64::from_le_bytes(*expected) {
        return Err(broken);
    }
    let header: Header = serde_json::from_slice(text).map_err(|_| broken)?;
    let body = end.checked_next_multiple_of(ALIGNED).ok_or(broken)?;
    let range = |section: &Section| {
        let start = body.checked_add(usize::try_from(section.start).ok()?)?;
        Some(start..start.checked_add(usize::try_from(section.len).ok()?)?)
    };
    let ranges: Option<Vec<_>> = header.sections.iter().map(range).collect();
    let ranges = ranges.ok_or(broken)?;
    // A header without sections is no file of ours: there are ids at least.
    let last = ranges.iter().map(|range| range.end).max().ok_or(broken)?;
    match file.len().cmp(&last) {
        std::cmp::Ordering::Less => Err(Fault::Truncated),
        std::cmp::Ordering::Equal => Ok((header, ranges)),
        std::cmp::Ordering::Greater => Err(Fault::Corrupt("the end")),
    }
}

/// Compares the checksums of all sections.
pub(super) fn verify(file: &[u8], header: &Header, ranges: &[Range<usize>]) -> Result<(), Fault> {
    for (section, range) in header.sections.iter().zip(ranges) {
        if sum(file.get(range.clone()).unwrap_or_default()) != section.sum {
            return Err(Fault::Corrupt("a section"));
        }
    }
    Ok(())
}
