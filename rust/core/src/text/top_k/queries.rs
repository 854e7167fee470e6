//! Queries, each asked once.

use super::Texts;

/// The distinct strings of a column of queries, similar ones near each other.
#[derive(Debug, Clone)]
pub struct Queries {
    /// A row of each distinct string.
    distinct: Vec<u32>,
    /// Place in `distinct` of the string of each row; `u32::MAX` for a null.
    places: Vec<u32>,
}

impl Queries {
    /// Looks for equal strings.
    pub fn new(texts: &impl Texts) -> Self {
        let mut sorted: Vec<(usize, &[u8], u32)> = (0u32..)
            .take(texts.len())
            .filter_map(|row| texts.get(row as usize).map(|text| (text.len(), text, row)))
            .collect();
        sorted.sort_unstable();
        let mut queries = Self { distinct: vec![], places: vec![u32::MAX; texts.len()] };
        let mut last = None;
        for (_, text, row) in sorted {
            if last != Some(text) {
                queries.distinct.push(row);
                last = Some(text);
            }
            if let Some(place) = queries.places.get_mut(row as usize) {
                *place = queries.distinct.len() as u32 - 1;
            }
        }
        queries
    }

    /// A row of each distinct string.
    #[must_use]
    pub fn distinct(&self) -> &[u32] {
        &self.distinct
    }

    /// Place, among the distinct strings, of that of each row; `None` for a null.
    pub fn places(&self) -> impl Iterator<Item = Option<usize>> {
        self.places.iter().map(|&place| (place != u32::MAX).then_some(place as usize))
    }
}
