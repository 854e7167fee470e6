//! One file: a preamble, a header in JSON, and sections of bytes, each with a checksum.

use std::ops::Range;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::Fault;
use super::bytes::sum;

const PREAMBLE: usize = 32;
/// Sections begin at multiples of this.
const ALIGNED: usize = 64;

/// What a file of some kind says of itself.
pub(crate) trait Header: Serialize + DeserializeOwned {
    /// The first bytes of the file.
    const MAGIC: [u8; 8];
    /// Of the layout. A file of another one is refused.
    const FORMAT: u64;
    /// Where the sections are; filled in by [`assemble`].
    fn sections(&self) -> &[Section];
    /// Takes them in.
    fn set_sections(&mut self, sections: Vec<Section>);
}

/// A section, counted from the end of the header.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Section {
    start: u64,
    len: u64,
    sum: u64,
}

/// Puts a file together: its pieces, to be written one after the other.
pub(crate) fn pieces<H: Header>(
    mut header: H,
    sections: Vec<Vec<u8>>,
) -> Result<Vec<Vec<u8>>, Fault> {
    let mut end = 0usize;
    let mut table = vec![];
    for section in &sections {
        let start = end.next_multiple_of(ALIGNED);
        end = start + section.len();
        let (start, len) = (start as u64, section.len() as u64);
        table.push(Section { start, len, sum: sum(section) });
    }
    header.set_sections(table);
    let text = serde_json::to_vec(&header).map_err(|_| Fault::Corrupt("the header"))?;
    let mut head = Vec::with_capacity(PREAMBLE + text.len());
    head.extend_from_slice(&H::MAGIC);
    head.extend_from_slice(&H::FORMAT.to_le_bytes());
    head.extend_from_slice(&(text.len() as u64).to_le_bytes());
    head.extend_from_slice(&sum(&text).to_le_bytes());
    head.extend_from_slice(&text);
    let mut written = 0;
    let mut pieces = vec![];
    for piece in std::iter::once(head).chain(sections) {
        let gap = written % ALIGNED;
        if gap > 0 {
            pieces.push(vec![0; ALIGNED - gap]);
        }
        // Whatever is before it, a piece begins at a multiple.
        written = piece.len();
        pieces.push(piece);
    }
    Ok(pieces)
}

/// The same in one piece.
pub(crate) fn assemble<H: Header>(header: H, sections: Vec<Vec<u8>>) -> Result<Vec<u8>, Fault> {
    Ok(pieces(header, sections)?.concat())
}

/// Reads the header of a file, and where its sections are.
pub(crate) fn read<H: Header>(file: &[u8]) -> Result<(H, Vec<Range<usize>>), Fault> {
    let (words, _) = file.get(..PREAMBLE).ok_or(Fault::Foreign)?.as_chunks::<8>();
    let [magic, format, len, expected] = words else { return Err(Fault::Foreign) };
    if *magic != H::MAGIC {
        return Err(Fault::Foreign);
    }
    let format = u64::from_le_bytes(*format);
    if format != H::FORMAT {
        return Err(Fault::Format(format));
    }
    let broken = Fault::Corrupt("the header");
    let len = usize::try_from(u64::from_le_bytes(*len)).ok();
    let end = len.and_then(|len| len.checked_add(PREAMBLE)).ok_or(broken)?;
    let text = file.get(PREAMBLE..end).ok_or(Fault::Truncated)?;
    if sum(text) != u64::from_le_bytes(*expected) {
        return Err(broken);
    }
    let header: H = serde_json::from_slice(text).map_err(|_| broken)?;
    let body = end.checked_next_multiple_of(ALIGNED).ok_or(broken)?;
    let range = |section: &Section| {
        let start = body.checked_add(usize::try_from(section.start).ok()?)?;
        Some(start..start.checked_add(usize::try_from(section.len).ok()?)?)
    };
    let ranges: Option<Vec<_>> = header.sections().iter().map(range).collect();
    let ranges = ranges.ok_or(broken)?;
    // A header without sections is no file of ours: there are ids or keys at least.
    let last = ranges.iter().map(|range| range.end).max().ok_or(broken)?;
    match file.len().cmp(&last) {
        std::cmp::Ordering::Less => Err(Fault::Truncated),
        std::cmp::Ordering::Equal => Ok((header, ranges)),
        std::cmp::Ordering::Greater => Err(Fault::Corrupt("the end")),
    }
}

/// Compares the checksums of all sections.
pub(crate) fn verify<H: Header>(
    file: &[u8],
    header: &H,
    ranges: &[Range<usize>],
) -> Result<(), Fault> {
    for (section, range) in header.sections().iter().zip(ranges) {
        if sum(file.get(range.clone()).unwrap_or_default()) != section.sum {
            return Err(Fault::Corrupt("a section"));
        }
    }
    Ok(())
}
