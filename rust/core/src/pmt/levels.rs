//! A category to the index of its level.

use std::collections::BTreeMap;

use super::program::Scalar;
use crate::column::{Kind, Value};
use crate::levels::TextLevels;
pub(super) use crate::levels::UNKNOWN;

/// Level index of text, integers and booleans.
#[derive(Debug, Clone)]
pub(super) struct Levels {
    pub texts: TextLevels,
    ints: BTreeMap<i64, u32>,
    bools: [Option<u32>; 2],
    has_text: bool,
}

impl Levels {
    /// `levels[k]` lists the values of level `k`; a value listed twice belongs to the first.
    pub fn new(levels: &[Vec<Scalar>]) -> Self {
        let values = || (0u32..).zip(levels).flat_map(|(k, vs)| vs.iter().map(move |v| (k, v)));
        let texts = values().filter_map(|(k, value)| match value {
            Scalar::Str(text) => Some((text.as_str(), k)),
            _ => None,
        });
        let mut out = Self {
            has_text: texts.clone().next().is_some(),
            texts: TextLevels::new(texts),
            ints: BTreeMap::new(),
            bools: [None; 2],
        };
        for (k, value) in values() {
            match value {
                Scalar::Bool(b) => {
                    let [no, yes] = &mut out.bools;
                    (if *b { yes } else { no }).get_or_insert(k);
                }
                Scalar::Int(i) => {
                    out.ints.entry(*i).or_insert(k);
                }
                Scalar::Str(_) => {}
            }
        }
        out
    }

    /// Level of a boolean; 0 and 1 stand for false and true where the model lists them so.
    pub fn boolean(&self, b: bool) -> u32 {
        let [no, yes] = self.bools;
        let listed = if b { yes } else { no };
        listed.or_else(|| self.ints.get(&b.into()).copied()).unwrap_or(UNKNOWN)
    }

    /// Level of an integer; see [`Levels::boolean`].
    pub fn integer(&self, i: i64) -> u32 {
        let [no, yes] = self.bools;
        let as_bool = match i {
            0 => no,
            1 => yes,
            _ => None,
        };
        self.ints.get(&i).copied().or(as_bool).unwrap_or(UNKNOWN)
    }

    /// Level of a number: a whole one is an integer, any other has none.
    pub fn number(&self, x: f64) -> u32 {
        if x.trunc() == x && x.abs() < LARGEST { self.integer(x as i64) } else { UNKNOWN }
    }

    /// Level of a value; `None` when it is missing.
    pub fn of(&self, value: Value<'_>) -> Option<u32> {
        Some(match value {
            Value::Missing => return None,
            Value::Bool(b) => self.boolean(b),
            Value::Int(i) => self.integer(i),
            Value::Float(x) if x.is_nan() => return None,
            Value::Float32(x) if x.is_nan() => return None,
            Value::Float(x) => self.number(x),
            Value::Float32(x) => self.number(x.into()),
            Value::Str(s) => self.texts.of(s),
        })
    }

    /// Every listed integer, and 0 and 1 when booleans are listed.
    pub fn integers(&self) -> impl Iterator<Item = i64> {
        let [no, yes] = self.bools;
        let bools = [(0, no), (1, yes)].into_iter().filter(|(_, b)| b.is_some()).map(|(i, _)| i);
        self.ints.keys().copied().chain(bools)
    }

    /// Whether a column of this kind can hold any of the levels.
    pub fn accepts(&self, kind: Kind) -> bool {
        match kind {
            Kind::Null => true,
            Kind::Text => self.has_text,
            _ => self.integers().next().is_some(),
        }
    }
}

/// 2^53: below it every integer is a double of its own. No model lists a larger level.
const LARGEST: f64 = 9_007_199_254_740_992.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yes_no_and_codes_mean_what_the_model_lists() {
        let both = Levels::new(&[
            vec![Scalar::Bool(false), Scalar::Str("no".into())],
            vec![Scalar::Bool(true), Scalar::Str("yes".into())],
        ]);
        let at = |v| both.of(v);
        assert_eq!(at(Value::Bool(true)), Some(1));
        assert_eq!(at(Value::Int(0)), Some(0));
        assert_eq!(at(Value::Int(2)), Some(UNKNOWN));
        assert_eq!(at(Value::Float(1.0)), Some(1));
        assert_eq!(at(Value::Float(0.5)), Some(UNKNOWN));
        assert_eq!(at(Value::Float(f64::NAN)), None);
        assert_eq!(at(Value::Str(b"yes")), Some(1));
        assert_eq!(at(Value::Str(b"Yes")), Some(UNKNOWN));
        assert_eq!(at(Value::Missing), None);
        let codes = Levels::new(&[vec![Scalar::Int(7)], vec![Scalar::Int(0)]]);
        assert_eq!(codes.integer(0), 1);
        assert_eq!(codes.boolean(false), 1);
        assert_eq!(codes.boolean(true), UNKNOWN);
        assert!(!codes.accepts(Kind::Text) && codes.accepts(Kind::Boolean));
    }
}
