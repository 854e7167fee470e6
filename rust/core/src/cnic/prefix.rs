//! The table of five-digit prefixes: where a number was issued.

use std::collections::BTreeMap;
use std::fmt;

const COLUMNS: usize = 11;

/// Place of a prefix, as codes into the table's lists of names; 0 where there is none, so that a row
/// of the result can be written without a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub province: u8,
    pub district: u8,
    pub tehsil: u16,
    pub has_province: bool,
    pub has_district: bool,
    pub has_tehsil: bool,
    special: bool,
}

/// Names of a place; `None` where the table does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceNames<'a> {
    /// Present-day province.
    pub province: Option<&'a str>,
    /// Present-day district.
    pub district: Option<&'a str>,
    /// Tehsil (in Sindh taluka).
    pub tehsil: Option<&'a str>,
}

/// Prefixes of identity numbers.
#[derive(Debug, Clone)]
pub struct PrefixTable {
    /// Place of each of the 100,000 prefixes, as an index; 0 for one that is not in the table.
    index: Vec<u16>,
    places: Vec<Place>,
    provinces: Vec<String>,
    districts: Vec<String>,
    tehsils: Vec<String>,
    /// Whether the table has a prefix that starts with these three digits.
    groups: Vec<bool>,
}

/// A table that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// Line, counted from 1.
    line: usize,
    what: &'static str,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "prefix table, line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for TableError {}

/// A list of distinct names in the order they came.
#[derive(Default)]
struct Names<'a> {
    codes: BTreeMap<&'a str, usize>,
    names: Vec<String>,
}

impl<'a> Names<'a> {
    /// Code of a name, and whether there is one; `None` when there are too many.
    fn code<T: TryFrom<usize> + Default>(&mut self, name: &'a str) -> Option<(T, bool)> {
        if name.is_empty() {
            return Some((T::default(), false));
        }
        let next = self.names.len();
        let code = *self.codes.entry(name).or_insert(next);
        if code == next {
            self.names.push(name.to_owned());
        }
        Some((T::try_from(code).ok()?, true))
    }
}

impl PrefixTable {
    /// Reads comma-separated values with a header: prefix, province, division, district, tehsil,
    /// two P-codes, valid_from, valid_to, mark, source. Rows with a valid_to are history and are
    /// passed over.
    ///
    /// # Errors
    ///
    /// A line that has not these columns, a prefix that is not five digits or comes twice, or more
    /// names than the codes can count.
    pub fn parse(csv: &str) -> Result<Self, TableError> {
        let mut index = vec![0_u16; 100_000];
        let mut groups = vec![false; 1_000];
        let mut places = vec![Place::default()];
        let (mut provinces, mut districts, mut tehsils) =
            (Names::default(), Names::default(), Names::default());
        for (line, text) in (1..).zip(csv.lines()).skip(1) {
            let error = |what| TableError { line, what };
            let fields: Vec<&str> = text.split(',').collect();
            let &[prefix, province, _, district, tehsil, _, _, _, valid_to, ..] = &*fields else {
                return Err(error("too few columns"));
            };
            if fields.len() != COLUMNS || text.contains('"') {
                return Err(error("expected 11 columns without quotes"));
            }
            if !valid_to.is_empty() {
                continue;
            }
            let digits = prefix.len() == 5 && prefix.bytes().all(|b| b.is_ascii_digit());
            let number = prefix.parse::<usize>().ok().filter(|_| digits);
            let slot = number.and_then(|n| index.get_mut(n));
            let slot = slot.ok_or_else(|| error("the prefix is not five digits"))?;
            if *slot != 0 {
                return Err(error("the prefix is there already"));
            }
            *slot = u16::try_from(places.len()).map_err(|_| error("too many prefixes"))?;
            let group = number.and_then(|n| groups.get_mut(n / 100));
            group.into_iter().for_each(|known| *known = true);
            let too_many = || error("too many names");
            let (province, has_province) = provinces.code(province).ok_or_else(too_many)?;
            let (district, has_district) = districts.code(district).ok_or_else(too_many)?;
            let (tehsil, has_tehsil) = tehsils.code(tehsil).ok_or_else(too_many)?;
            let special = prefix.starts_with('9');
            places.push(Place {
                province,
                district,
                tehsil,
                has_province,
                has_district,
                has_tehsil,
                special,
            });
        }
        Ok(Self {
            index,
            places,
            groups,
            provinces: provinces.names,
            districts: districts.names,
            tehsils: tehsils.names,
        })
    }

    /// Index of the place of a number's prefix; 0 when the table does not have it.
    #[inline]
    pub(super) fn find(&self, number: u64) -> u16 {
        let prefix = number / 100_000_000;
        usize::try_from(prefix).ok().and_then(|p| self.index.get(p)).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn codes(&self, place: u16) -> Place {
        self.places.get(usize::from(place)).copied().unwrap_or_default()
    }

    /// Whether a place in the table belongs to the prefixes that start with 9.
    #[inline]
    pub(super) fn is_special(&self, place: u16) -> bool {
        self.codes(place).special
    }

    /// Whether the table has a prefix with the first three digits of this number.
    pub(super) fn has_group(&self, number: u64) -> bool {
        let group = usize::try_from(number / 10_000_000_000).ok();
        group.and_then(|g| self.groups.get(g)).copied().unwrap_or(false)
    }

    /// Number of three-digit groups that have a prefix.
    pub(super) fn group_count(&self) -> usize {
        self.groups.iter().filter(|known| **known).count()
    }

    /// Number of prefixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len() - 1
    }

    /// True when the table has no prefix.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of a place that [`PrefixTable::judge`] found.
    #[must_use]
    pub fn place(&self, place: u16) -> PlaceNames<'_> {
        let place = self.codes(place);
        PlaceNames {
            province: name_of(place.has_province, &self.provinces, place.province.into()),
            district: name_of(place.has_district, &self.districts, place.district.into()),
            tehsil: name_of(place.has_tehsil, &self.tehsils, place.tehsil.into()),
        }
    }

    /// Provinces, in the order of their codes.
    #[must_use]
    pub fn provinces(&self) -> &[String] {
        &self.provinces
    }

    /// Districts, in the order of their codes.
    #[must_use]
    pub fn districts(&self) -> &[String] {
        &self.districts
    }

    /// Tehsils, in the order of their codes; tehsils of one name share one.
    #[must_use]
    pub fn tehsils(&self) -> &[String] {
        &self.tehsils
    }
}

fn name_of(has: bool, names: &[String], code: usize) -> Option<&str> {
    names.get(code).filter(|_| has).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "prefix,province,division,district,tehsil,a,b,from,to,mark,source\n";

    #[test]
    fn history_is_passed_over_and_names_are_shared() {
        let table = PrefixTable::parse(&format!(
            "{HEAD}21101,FATA,,Old,T,,,,2018,listed,x\n21101,KP,,New,T,,,2018,,listed,x\n\
             21102,KP,,New,,,,,,listed,x\n90403,,,,,,,,,seen,x\n"
        ))
        .unwrap();
        assert_eq!((table.len(), table.provinces()), (3, &["KP".to_owned()][..]));
        let place = |n: u64| table.place(table.find(n * 100_000_000));
        let (province, district) = (Some("KP"), Some("New"));
        assert_eq!(place(21101), PlaceNames { province, district, tehsil: Some("T") });
        assert_eq!(place(21102), PlaceNames { province, district, tehsil: None });
        let none = PlaceNames { province: None, district: None, tehsil: None };
        assert_eq!((place(90403), place(11111)), (none, none));
        assert!(table.is_special(table.find(9040300000000)));
        assert!(table.has_group(2110999999999) && !table.has_group(2120999999999));
    }

    #[test]
    fn a_bad_table_is_refused_with_its_line() {
        for (rows, line) in [
            ("1110,KP,,D,T,,,,,listed,x\n", 2),
            ("1110x,KP,,D,T,,,,,listed,x\n", 2),
            ("11101,KP,,D,T,,,,,listed,x\n11101,KP,,D,T,,,,,listed,x\n", 3),
            ("11101,KP\n", 2),
            ("11101,KP,,\"D\",T,,,,,listed,x\n", 2),
        ] {
            let error = PrefixTable::parse(&format!("{HEAD}{rows}")).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}")), "{error}");
        }
    }
}
