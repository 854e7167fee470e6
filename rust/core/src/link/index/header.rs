//! What the file of an index of persons says of itself.

use serde::{Deserialize, Serialize};

use super::column::Field;
use super::segment::{IdKind, RuleOf};
use crate::store::file::{self, Section};

/// The header of the file.
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

impl file::Header for Header {
    const MAGIC: [u8; 8] = *b"NSERPIX\n";
    const FORMAT: u64 = 1;

    fn sections(&self) -> &[Section] {
        &self.sections
    }

    fn set_sections(&mut self, sections: Vec<Section>) {
        self.sections = sections;
    }
}
