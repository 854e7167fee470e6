//! From persons to the bytes of a segment.

use super::column::{Encoded, Stored};
use super::header::Header;
use super::lookup::Table;
use super::segment::{Id, IdKind, Rule, RuleOf, Schema, sum_of_row};
use super::{Datum, Fault};
use crate::store::bytes::{of_u32s, of_u64s};
use crate::store::file;

/// Persons that an index is made of, in ascending order of their ids.
pub trait Source: Sync {
    /// How many there are.
    fn rows(&self) -> u32;
    /// The id of one.
    fn id(&self, row: u32) -> Id<'_>;
    /// The value of one.
    fn value(&self, column: usize, row: u32) -> Datum<'_>;
}

/// One table of a rule, in a file.
#[derive(Debug)]
pub struct EncodedRule(Table);

/// An index in the making. The columns may be worked on several threads, then the rules.
#[derive(Debug)]
pub struct Builder<'s, S: ?Sized> {
    schema: &'s Schema,
    source: &'s S,
}

impl<'s, S: Source + ?Sized> Builder<'s, S> {
    /// An index of the persons of `source`.
    pub fn new(schema: &'s Schema, source: &'s S) -> Self {
        Self { schema, source }
    }

    /// A column.
    ///
    /// # Errors
    ///
    /// When its distinct texts have 2^32 bytes or more.
    pub fn column(&self, k: usize) -> Result<Encoded, Fault> {
        let field = self.schema.fields.get(k).ok_or(Fault::Corrupt("the plan"))?;
        Encoded::new(field, self.source.rows(), |row| self.source.value(k, row))
    }

    /// The table of a rule.
    ///
    /// # Errors
    ///
    /// When the rule names columns that there are not.
    pub fn rule(&self, k: usize, columns: &[Encoded]) -> Result<EncodedRule, Fault> {
        let broken = Fault::Corrupt("the plan");
        let RuleOf { rule, cap, .. } = self.schema.rules.get(k).ok_or(broken)?;
        let stored = |k: &u32| {
            let k = *k as usize;
            columns.get(k).zip(self.schema.fields.get(k)).and_then(|(c, field)| c.stored(field))
        };
        let keys = match rule {
            Rule::Equal(keys) => keys.iter().map(stored).collect(),
            Rule::WithinOne(key) => stored(key).map(|key| vec![key]),
        };
        let keys: Vec<Stored<'_>> = keys.ok_or(broken)?;
        let within = matches!(rule, Rule::WithinOne(_));
        let most = u64::from(cap.saturating_sub(1));
        Ok(EncodedRule(Table::new(self.source.rows(), most, |row| sum_of_row(&keys, within, row))))
    }

    /// The whole, as bytes of a file.
    ///
    /// # Errors
    ///
    /// When the ids have 2^32 bytes or more.
    pub fn finish(&self, columns: Vec<Encoded>, rules: Vec<EncodedRule>) -> Result<Vec<u8>, Fault> {
        let Schema { ids, fields, rules: specs, about } = self.schema;
        let rows = self.source.rows();
        let mut header = Header {
            rows,
            ids: *ids,
            fields: fields.clone(),
            present: columns.iter().map(|column| column.present).collect(),
            rules: specs.clone(),
            about: about.clone(),
            sections: vec![],
        };
        let (mut words, mut ends, mut text) = (vec![], vec![], vec![]);
        for row in 0..rows {
            match self.source.id(row) {
                Id::Number(number) => words.push(number),
                Id::Text(id) => {
                    text.extend_from_slice(id);
                    let end = u32::try_from(text.len());
                    ends.push(end.map_err(|_| Fault::TooLarge)?);
                }
            }
        }
        let first = if *ids == IdKind::Text { of_u32s(ends) } else { of_u64s(words) };
        let mut sections = vec![first, text];
        sections.extend(columns.into_iter().flat_map(|column| column.sections));
        for (rule, EncodedRule(table)) in header.rules.iter_mut().zip(rules) {
            rule.blocks = table.blocks;
            sections.extend([table.starts, table.tags, table.items]);
        }
        file::assemble(header, sections)
    }

    /// The whole at once.
    ///
    /// # Errors
    ///
    /// As its parts.
    pub fn build(&self) -> Result<Vec<u8>, Fault> {
        let columns = (0..self.schema.fields.len()).map(|k| self.column(k));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        let rules = (0..self.schema.rules.len()).map(|k| self.rule(k, &columns));
        let rules = rules.collect::<Result<Vec<_>, _>>()?;
        self.finish(columns, rules)
    }
}
