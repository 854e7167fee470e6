//! How the values of a comparison are compared, without the values.

use super::{DateLevel, Measure, NameLevel, NumberLevel, SetLevel};

/// A kind of comparison and its levels between equal and everything else.
#[derive(Debug, Clone, PartialEq)]
pub enum Scheme {
    /// Equal or not.
    Exact,
    /// Identity numbers, by classes of errors.
    Digits,
    /// Names of persons.
    Name(Vec<NameLevel>),
    /// Texts, by a similarity or a distance.
    Text(Measure),
    /// Dates.
    Date(Vec<DateLevel>),
    /// Numbers, by their difference.
    Number(Vec<NumberLevel>),
    /// Sets, by what they share.
    Set(Vec<SetLevel>),
}
