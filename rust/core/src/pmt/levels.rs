//! A category to the index of its level.

use std::collections::BTreeMap;

use super::program::Scalar;
use crate::column::{Kind, Value};

/// Values that no model lists, as an index.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Level index of text, integers and booleans.
#[derive(Debug, Clone, Default)]
pub(super) struct Levels {
    /// Text of at most twelve bytes, by its packed form; open addressing, at most a quarter full.
    short: Vec<(u128, u32)>,
    long: BTreeMap<Vec<u8>, u32>,
    ints: BTreeMap<i64, u32>,
    bools: [Option<u32>; 2],
    has_text: bool,
}

impl Levels {
    /// `levels[k]` lists the values of level `k`; a value listed twice belongs to the first.
    pub fn new(levels: &[Vec<Scalar>]) -> Self {
        let values = || (0u32..).zip(levels).flat_map(|(k, vs)| vs.iter().map(move |v| (k, v)));
        let texts = values().filter(|(_, v)| matches!(v, Scalar::Str(_))).count();
        let mut out = Self {
            short: vec![(EMPTY, UNKNOWN); (4 * texts.max(1)).next_power_of_two()],
            has_text: texts > 0,
            ..Self::default()
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
                Scalar::Str(s) => match pack(s.as_bytes()) {
                    Some(key) if out.packed(key) == UNKNOWN => out.insert(key, k),
                    Some(_) => {}
                    None => {
                        out.long.entry(s.clone().into_bytes()).or_insert(k);
                    }
                },
            }
        }
        out
    }

    fn insert(&mut self, key: u128, level: u32) {
        let at = self.slots(key).find(|&i| self.short.get(i).is_some_and(|s| s.0 == EMPTY));
        if let Some(slot) = at.and_then(|i| self.short.get_mut(i)) {
            *slot = (key, level);
        }
    }

    /// Slots to look at for a key, each once.
    #[inline(always)]
    fn slots(&self, key: u128) -> impl Iterator<Item = usize> + use<> {
        let mask = self.short.len() - 1;
        let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let start = (mixed >> 40) as usize;
        (0..=mask).map(move |i| (start + i) & mask)
    }

    /// Level of packed text.
    #[inline(always)]
    pub fn packed(&self, key: u128) -> u32 {
        for i in self.slots(key) {
            match self.short.get(i) {
                Some(&(k, level)) if k == key => return level,
                Some(&(EMPTY, _)) | None => return UNKNOWN,
                Some(_) => {}
            }
        }
        UNKNOWN
    }

    /// Level of text.
    pub fn text(&self, bytes: &[u8]) -> u32 {
        match pack(bytes) {
            Some(key) => self.packed(key),
            None => self.long.get(bytes).copied().unwrap_or(UNKNOWN),
        }
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
            Value::Str(s) => self.text(s),
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

/// A key that no packed text has: its length would be above twelve.
const EMPTY: u128 = u128::MAX;

/// Text of at most twelve bytes as the number an Arrow string view holds: length, then bytes.
#[inline]
pub(super) fn pack(bytes: &[u8]) -> Option<u128> {
    if bytes.len() > 12 {
        return None;
    }
    let mut raw = [0u8; 16];
    let length = (bytes.len() as u32).to_le_bytes();
    raw.iter_mut().zip(length.iter().chain(bytes)).for_each(|(to, from)| *to = *from);
    Some(u128::from_le_bytes(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_plain_search_finds() {
        let names: Vec<String> = (0..300).map(|i| format!("{:x}", i * 7919)).collect();
        let long = |n: &str| Scalar::Str(format!("a level with a long name {n}"));
        let listed: Vec<Vec<Scalar>> =
            names.iter().map(|n| vec![Scalar::Str(n.clone()), long(n)]).collect();
        let levels = Levels::new(&listed);
        for (k, name) in (0u32..).zip(&names) {
            assert_eq!(levels.text(name.as_bytes()), k);
            assert_eq!(levels.text(format!("a level with a long name {name}").as_bytes()), k);
        }
        for absent in ["", "zz", "0\0", "twelve bytes", "thirteen byte"] {
            assert_eq!(levels.text(absent.as_bytes()), UNKNOWN, "{absent:?}");
        }
    }

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
