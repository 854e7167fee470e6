//! Text to the number of its level: how columns of categories are read.

use crate::column::Strings;
use crate::link::encode::hash_of_text;

/// The number of a text that is no level.
pub const UNKNOWN: u32 = u32::MAX;

/// A key that no packed text has: its length would be above twelve.
const EMPTY: u128 = u128::MAX;

/// Factors that the hash of packed text may have, and slots up to which a table is enlarged, so that
/// in most tables every text is in the first slot that is looked at.
const FACTORS: u64 = 32;
const SPACIOUS: usize = 4096;

/// Numbers of texts. Both tables have open addressing and are at most a quarter full.
#[derive(Debug, Clone)]
pub(crate) struct TextLevels {
    /// Text of at most twelve bytes, by its packed form.
    short: Vec<(u128, u32)>,
    /// What the hash of packed text multiplies by.
    factor: u64,
    /// Longer text: its hash, and its place in `texts`; [`UNKNOWN`] is vacant.
    long: Vec<(u32, u32)>,
    texts: Vec<(Box<[u8]>, u32)>,
}

impl TextLevels {
    /// Of a text that comes twice the first number counts.
    pub fn new<'a>(texts: impl Iterator<Item = (&'a str, u32)> + Clone) -> Self {
        let long = texts.clone().filter(|(text, _)| text.len() > SHORT).count();
        let mut keys: Vec<u128> =
            texts.clone().filter_map(|(text, _)| pack(text.as_bytes())).collect();
        keys.sort_unstable();
        keys.dedup();
        let spacious = (keys.len() * keys.len() / 8).min(SPACIOUS);
        let short = (4 * keys.len()).max(spacious).max(1).next_power_of_two();
        let mut levels = Self {
            short: vec![(EMPTY, UNKNOWN); short],
            factor: best_factor(&keys, short),
            long: vec![(0, UNKNOWN); (4 * long.max(1)).next_power_of_two()],
            texts: vec![],
        };
        for (text, level) in texts {
            if levels.of(text.as_bytes()) == UNKNOWN {
                levels.insert(text.as_bytes(), level);
            }
        }
        levels
    }

    fn insert(&mut self, text: &[u8], level: u32) {
        if let Some(key) = pack(text) {
            let mut slots = probe(start(key, self.factor), self.short.len());
            let vacant = slots.find(|&i| self.short.get(i).is_some_and(|slot| slot.0 == EMPTY));
            if let Some(slot) = vacant.and_then(|i| self.short.get_mut(i)) {
                *slot = (key, level);
            }
            return;
        }
        let hash = hash_of_text(text);
        let mut slots = probe(hash as usize, self.long.len());
        let vacant = slots.find(|&i| self.long.get(i).is_some_and(|slot| slot.1 == UNKNOWN));
        if let Some(slot) = vacant.and_then(|i| self.long.get_mut(i)) {
            *slot = (hash, self.texts.len() as u32);
            self.texts.push((text.into(), level));
        }
    }

    /// Level of packed text.
    #[inline(always)]
    fn packed(&self, key: u128) -> u32 {
        let first = start(key, self.factor) & self.short.len().wrapping_sub(1);
        match self.short.get(first) {
            Some(&(k, level)) if k == key => level,
            _ => self.displaced(key),
        }
    }

    /// Level of packed text that is not in the first slot that is looked at.
    #[cold]
    #[inline(never)]
    fn displaced(&self, key: u128) -> u32 {
        for i in probe(start(key, self.factor), self.short.len()) {
            match self.short.get(i) {
                Some(&(k, level)) if k == key => return level,
                Some(&(EMPTY, _)) | None => return UNKNOWN,
                Some(_) => {}
            }
        }
        UNKNOWN
    }

    /// Level of text of more than twelve bytes.
    fn unpacked(&self, text: &[u8]) -> u32 {
        let hash = hash_of_text(text);
        for i in probe(hash as usize, self.long.len()) {
            match self.long.get(i) {
                Some(&(_, UNKNOWN)) | None => return UNKNOWN,
                Some(&(found, place)) if found == hash => match self.texts.get(place as usize) {
                    Some((own, level)) if **own == *text => return *level,
                    _ => {}
                },
                Some(_) => {}
            }
        }
        UNKNOWN
    }

    /// Level of text.
    #[inline]
    pub fn of(&self, text: &[u8]) -> u32 {
        pack(text).map_or_else(|| self.unpacked(text), |key| self.packed(key))
    }

    /// Gives each of `to` the level of its text; the first is that of row `start`.
    #[inline(always)]
    pub fn of_each<T>(
        &self,
        strings: &Strings<'_>,
        start: usize,
        to: &mut [T],
        give: impl Fn(&mut T, u32),
    ) {
        if let Strings::View { views, .. } = strings {
            let views = views.get(start..).unwrap_or(&[]);
            for (i, (to, view)) in to.iter_mut().zip(views).enumerate() {
                let key = u128::from_le_bytes(*view);
                // A short text is its own view; a long one has to be fetched.
                let level = if key as u32 as usize <= SHORT {
                    self.packed(key)
                } else {
                    self.unpacked(strings.get(start + i))
                };
                give(to, level);
            }
            return;
        }
        for (i, to) in to.iter_mut().enumerate() {
            give(to, self.of(strings.get(start + i)));
        }
    }
}

/// Slots to look at in a table of a power of two of them, each once.
#[inline(always)]
fn probe(start: usize, slots: usize) -> impl Iterator<Item = usize> {
    let mask = slots - 1;
    (0..=mask).map(move |i| start.wrapping_add(i) & mask)
}

/// Where to look for packed text first.
#[inline(always)]
fn start(key: u128, factor: u64) -> usize {
    let mixed = (key as u64 ^ (key >> 64) as u64).wrapping_mul(factor);
    (mixed >> 40) as usize
}

/// The factor with which the fewest keys share their first slot.
fn best_factor(keys: &[u128], slots: usize) -> u64 {
    let shared = |factor: &u64| {
        let mut first: Vec<usize> =
            keys.iter().map(|&key| start(key, *factor) & (slots - 1)).collect();
        first.sort_unstable();
        first.dedup();
        keys.len() - first.len()
    };
    // Odd multiples of the golden ratio.
    let tried = if slots > SPACIOUS { 1 } else { FACTORS }; // of many keys some always share
    let factors = (0..tried).map(|k| 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(2 * k + 1));
    let mut best = (usize::MAX, 1);
    for factor in factors {
        let shared = shared(&factor);
        if shared < best.0 {
            best = (shared, factor);
        }
        if shared == 0 {
            break;
        }
    }
    best.1
}

/// Most bytes of a text that a string view holds.
const SHORT: usize = 12;

/// Text of at most twelve bytes as the number an Arrow string view holds: length, then bytes.
#[inline]
fn pack(bytes: &[u8]) -> Option<u128> {
    if bytes.len() > SHORT {
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
        let mut names: Vec<String> = (0..300).map(|i| format!("{:x}", i * 7919)).collect();
        names.extend((0..300).map(|i| format!("a level with a long name {i}")));
        names.extend(["", "", "پنجاب", "بلوچستان", "a level with a long name 7"].map(Into::into));
        let levels = TextLevels::new(names.iter().map(String::as_str).zip(0..));
        let absent = ["zz", "0\0", "twelve bytes", "thirteen byte", "a level with a long name"];
        let asked: Vec<&str> = names.iter().map(String::as_str).chain(absent).collect();
        let (bytes, mut ends) = (asked.concat(), vec![0]);
        ends.extend(asked.iter().scan(0, |end, text| {
            *end += text.len() as i64;
            Some(*end)
        }));
        let mut found = vec![0; asked.len()];
        let strings = Strings::Offsets64(&ends, bytes.as_bytes());
        levels.of_each(&strings, 0, &mut found, |to, level| *to = level);
        for (text, level) in asked.iter().zip(found) {
            let expected = names.iter().position(|name| name == text);
            assert_eq!(level, expected.map_or(UNKNOWN, |k| k as u32), "{text:?}");
        }
        assert_eq!(TextLevels::new([].into_iter()).of(b"a text of no level"), UNKNOWN);
    }
}
