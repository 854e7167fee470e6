//! The table of alignment weights: what it is worth that a few letters of one name stand against a
//! few of another, learned by `tools/learn_name_costs.py`. Weights are thousandths of log-odds that
//! both spell one name.

use std::collections::BTreeMap;
use std::fmt;

use super::bound::Bounds;

/// Letters of a word that are read; what follows is left out of the alignment.
pub(super) const LETTERS: usize = 32;
/// Longest segment, in letters.
pub(super) const LONGEST: usize = 3;
/// The weight of what cannot be: below what any alignment can win back.
pub(super) const NEVER: i16 = i16::MIN;
/// Letters that a bound tells apart, of both scripts; 0 stands for all others.
pub(super) const KINDS: usize = 64;
/// Constants for names of 1, 2, ... 8 letters and of more.
const LENGTHS: usize = 9;

/// Script of a word, as far as the table knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Script {
    /// Latin letters, and all that the table does not know.
    Roman,
    /// Arabic letters.
    Urdu,
}

impl Script {
    /// Script of a word in match form: that of its first letter.
    #[must_use]
    pub fn of(word: &[u8]) -> Self {
        Self::of_first(word.first().copied().unwrap_or(0))
    }

    /// Script of a word that begins with this byte.
    pub(super) fn of_first(byte: u8) -> Self {
        if matches!(byte, 0xD8..=0xDB) { Self::Urdu } else { Self::Roman }
    }

    fn is_vowel(self, letter: char) -> bool {
        match self {
            Self::Roman => matches!(letter, 'a' | 'e' | 'i' | 'o' | 'u' | 'y'),
            Self::Urdu => matches!(letter, 'ا' | 'و' | 'ع' | 'ی'),
        }
    }
}

/// Segments of one script that the table has, numbered from 1; 0 is no segment.
#[derive(Debug, Clone, Default)]
pub(super) struct Segments {
    pub(super) ids: BTreeMap<[char; LONGEST], u16>,
    other: u16,
    /// The same by [`packed`] letters, open addressing; a power of two long.
    slots: Vec<(u64, u16)>,
}

/// Letters of both scripts that have rows, numbered from 1.
pub(super) type Kinds = BTreeMap<char, u8>;

pub(super) const NO_LETTER: char = '\0';
/// Stands in the table for a letter that has no row.
pub(super) const OTHER: char = '*';

/// Up to three letters as one number.
fn packed(letters: impl IntoIterator<Item = char>) -> u64 {
    letters.into_iter().fold(0, |packed, letter| packed << 21 | u64::from(u32::from(letter)))
}

impl Segments {
    /// Where `packed` letters stand, or a vacant slot.
    fn slot(&self, packed: u64) -> usize {
        let mask = self.slots.len().wrapping_sub(1);
        let mut slot = (packed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as usize & mask;
        while self.slots.get(slot).is_some_and(|(found, _)| *found != packed && *found != 0) {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Fills the slots.
    fn index(&mut self) {
        self.slots = vec![(0, 0); (self.ids.len() * 4).next_power_of_two()];
        for (letters, id) in &self.ids {
            let packed = packed(letters.iter().copied().filter(|c| *c != NO_LETTER));
            let slot = self.slot(packed);
            if let Some(entry) = self.slots.get_mut(slot) {
                *entry = (packed, *id);
            }
        }
    }

    /// Number of the segment of `packed` letters, 0 for none.
    fn find(&self, packed: u64) -> u16 {
        self.slots.get(self.slot(packed)).map_or(0, |(_, id)| *id)
    }

    fn id(&mut self, text: &str) -> Option<u16> {
        let mut key = [NO_LETTER; LONGEST];
        for (k, letter) in text.chars().enumerate() {
            *key.get_mut(k)? = letter;
        }
        if text.is_empty() {
            return Some(0);
        }
        let next = self.ids.len() as u16 + 1;
        let id = *self.ids.entry(key).or_insert(next);
        if key == [OTHER, NO_LETTER, NO_LETTER] {
            self.other = id;
        }
        Some(id)
    }
}

/// A segment where it ends in a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Spot {
    /// 0: no such segment.
    pub id: u16,
    /// 0 inside the word, 1 first, 2 last.
    pub place: u8,
    /// What is left of it, times three, plus what is right of it: 0 edge, 1 vowel, 2 consonant.
    pub around: u8,
}

/// A word as letters, and the segments that end at each: of one, two and three letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letter {
    /// The letter when it is in no segment; otherwise `NO_LETTER`.
    pub other: char,
    /// Number of the letter, 0 when it is in no segment.
    pub kind: u8,
    pub ends: [Spot; LONGEST],
}

/// Weights between words of two scripts.
#[derive(Debug, Clone)]
pub(super) struct Weights {
    size: [usize; 2],
    /// Of a segment against a segment: inside, first, last.
    both: Vec<i16>,
    /// Of a segment of the first word against nothing, nine contexts each; of the second.
    gone: [Vec<i16>; 2],
    constants: [i32; LENGTHS],
    /// The same script on both sides.
    pub same: bool,
}

impl Weights {
    fn new(x: usize, y: usize, same: bool) -> Self {
        let size = [x + 1, y + 1];
        Self {
            size,
            both: vec![NEVER; 3 * (x + 1) * (y + 1)],
            gone: size.map(|n| vec![NEVER; 9 * n]),
            constants: [0; LENGTHS],
            same,
        }
    }

    fn at(&self, x: u16, y: u16, place: usize) -> usize {
        let [rows, columns] = self.size;
        (place * rows + usize::from(x)) * columns + usize::from(y)
    }

    /// Weight of `x` against `y`.
    #[inline(always)]
    pub(super) fn both(&self, x: Spot, y: Spot) -> i16 {
        let place = if x.place == y.place { usize::from(x.place) } else { 0 };
        self.both.get(self.at(x.id, y.id, place)).copied().unwrap_or(NEVER)
    }

    /// Weights of `x` inside of a word against every segment, by number.
    #[inline(always)]
    pub(super) fn inside(&self, x: u16) -> Option<&[i16]> {
        let [_, columns] = self.size;
        let start = usize::from(x) * columns;
        self.both.get(start..start + columns)
    }

    /// Weight of a segment of the first (0) or second (1) word against nothing.
    #[inline(always)]
    pub(super) fn gone(&self, side: usize, spot: Spot) -> i16 {
        let at = usize::from(spot.id) * 9 + usize::from(spot.around);
        self.gone.get(side).and_then(|of| of.get(at)).copied().unwrap_or(NEVER)
    }

    /// What two segments are worth inside, first and last, when they may stand together.
    pub(super) fn both_places(&self, x: u16, y: u16) -> Option<[i16; 3]> {
        let worth = [0, 1, 2].map(|at| self.both.get(self.at(x, y, at)).copied().unwrap_or(NEVER));
        (!worth.contains(&NEVER)).then_some(worth)
    }

    /// The most that a segment without a partner is worth inside, first and last, when it may be.
    pub(super) fn gone_places(&self, side: usize, id: u16) -> Option<[i16; 3]> {
        let start = usize::from(id) * 9;
        let worth = self.gone.get(side)?.get(start..start + 9)?;
        // The contexts of `AROUND`: edge, vowel and consonant on the left, the same on the right.
        let most = |at: &[usize]| at.iter().filter_map(|k| worth.get(*k)).copied().max();
        let places = [most(&[4, 5, 7, 8])?, most(&[0, 1, 2])?, most(&[3, 6])?];
        (!worth.contains(&NEVER)).then_some(places)
    }

    /// Log-odds of one name before any letter is seen; `shorter` is the length of the shorter word.
    pub(super) fn constant(&self, shorter: usize) -> i32 {
        let at = shorter.clamp(1, LENGTHS) - 1;
        self.constants.get(at).copied().unwrap_or(0)
    }

    /// Sets one row of the table; `None` when its place is none.
    fn set(&mut self, x: u16, y: u16, name: &str, weight: i16) -> Option<()> {
        if (x, y) == (0, 0) {
            let at: usize = name.parse().ok()?;
            *self.constants.get_mut(at.checked_sub(1)?)? = weight.into();
            return Some(());
        }
        if x > 0 && y > 0 {
            let places = match name {
                "any" => 0..3,
                "inner" => 0..1,
                "first" => 1..2,
                "last" => 2..3,
                _ => return None,
            };
            for place in places {
                for (x, y) in [(x, y), (y, x)].into_iter().take(1 + usize::from(self.same)) {
                    let at = self.at(x, y, place);
                    let cell = self.both.get_mut(at)?;
                    if *cell == NEVER && name != "any" {
                        return None;
                    }
                    *cell = weight;
                }
            }
            return Some(());
        }
        let around = if name == "any" {
            0..9
        } else {
            let at = AROUND.iter().position(|around| *around == name)?;
            at..at + 1
        };
        let id = usize::from(x.max(y));
        let [left, right] = &mut self.gone;
        for (of, here) in [(left, x > 0 || self.same), (right, y > 0 || self.same)] {
            if here {
                let cells = of.get_mut(id * 9 + around.start..id * 9 + around.end)?;
                if cells.contains(&NEVER) && name != "any" {
                    return None;
                }
                cells.fill(weight);
            }
        }
        Some(())
    }
}

/// Contexts of a segment without a partner, in the order of [`Spot::around`].
const AROUND: [&str; 9] = ["^$", "^v", "^c", "v$", "vv", "vc", "c$", "cv", "cc"];

/// The learned weights of all pairs of scripts.
#[derive(Debug, Clone)]
pub struct CostTable {
    roman: Segments,
    urdu: Segments,
    kinds: Kinds,
    roman_roman: Weights,
    urdu_roman: Weights,
    urdu_urdu: Weights,
    bounds: Bounds,
}

/// A line of a table that cannot be read. Lines count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultyLine {
    /// The line.
    pub line: usize,
}

impl fmt::Display for FaultyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the table cannot be read", self.line)
    }
}

impl std::error::Error for FaultyLine {}

impl CostTable {
    /// Reads a table: `scripts`, `x`, `y`, `place` and `weight` with tabs between, after comment lines
    /// (`#`) and a header. The first row of an operation has the place `any`, further ones refine it.
    ///
    /// # Errors
    ///
    /// [`FaultyLine`] for a line without five fields, an unknown script pair or place, a place
    /// before `any`, a segment of more than three letters or a weight that is no 16-bit number.
    pub fn parse(text: &str) -> Result<Self, FaultyLine> {
        let (mut roman, mut urdu) = (Segments::default(), Segments::default());
        let mut rows = vec![];
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        for (at, line) in lines.skip(1) {
            let faulty = FaultyLine { line: at + 1 };
            let mut fields = line.split('\t');
            let mut next = || fields.next().ok_or_else(|| faulty.clone());
            let (scripts, x, y, place, weight) = (next()?, next()?, next()?, next()?, next()?);
            let (x, y) = match scripts {
                "roman roman" => (roman.id(x), roman.id(y)),
                "urdu roman" => (urdu.id(x), roman.id(y)),
                "urdu urdu" => (urdu.id(x), urdu.id(y)),
                _ => return Err(faulty),
            };
            let (Some(x), Some(y), Ok(weight)) = (x, y, weight.parse()) else { return Err(faulty) };
            rows.push((at + 1, scripts, x, y, place, weight));
        }
        let (r, u) = (roman.ids.len(), urdu.ids.len());
        let mut roman_roman = Weights::new(r, r, true);
        let mut urdu_roman = Weights::new(u, r, false);
        let mut urdu_urdu = Weights::new(u, u, true);
        for (line, scripts, x, y, place, weight) in rows {
            let weights = match scripts {
                "roman roman" => &mut roman_roman,
                "urdu roman" => &mut urdu_roman,
                _ => &mut urdu_urdu,
            };
            weights.set(x, y, place, weight).ok_or(FaultyLine { line })?;
        }
        roman.index();
        urdu.index();
        let letters =
            [&roman, &urdu].into_iter().flat_map(|s| s.ids.keys()).filter_map(|key| match key {
                [letter, NO_LETTER, NO_LETTER] if *letter != OTHER => Some(*letter),
                _ => None,
            });
        let kinds: Kinds = letters.zip(1..KINDS as u8).collect();
        let mut bounds = Bounds::new();
        let (r, u) = ((&roman, Script::Roman), (&urdu, Script::Urdu));
        for (of, pair) in [(&roman_roman, [r, r]), (&urdu_roman, [u, r]), (&urdu_urdu, [u, u])] {
            bounds.add(of, pair, &kinds);
        }
        Ok(Self { roman, urdu, kinds, roman_roman, urdu_roman, urdu_urdu, bounds })
    }

    /// Weights between two scripts, Urdu first when there are two.
    pub(super) fn weights(&self, x: Script, y: Script) -> &Weights {
        match (x, y) {
            (Script::Roman, Script::Roman) => &self.roman_roman,
            (Script::Urdu, Script::Urdu) => &self.urdu_urdu,
            _ => &self.urdu_roman,
        }
    }

    /// What alignments can be worth at most.
    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Appends the letters of a word in match form, at most [`LETTERS`].
    pub(super) fn spell(&self, word: &[u8], script: Script, out: &mut Vec<Letter>) {
        let segments = if script == Script::Urdu { &self.urdu } else { &self.roman };
        let mut letters = [NO_LETTER; LETTERS];
        let mut len = 0;
        let text = word.utf8_chunks().flat_map(|chunk| chunk.valid().chars());
        for (to, letter) in letters.iter_mut().zip(text) {
            *to = letter;
            len += 1;
        }
        let at = |k: usize| letters.get(k).copied().filter(|_| k < len);
        let kind = |letter: Option<char>| letter.map_or(0, |c| 2 - u8::from(script.is_vowel(c)));
        for end in 1..=len {
            let kind_of = |c: char| self.kinds.get(&c).copied().unwrap_or(0);
            let mut letter = Letter {
                other: NO_LETTER,
                kind: at(end - 1).map_or(0, kind_of),
                ends: [Spot::default(); LONGEST],
            };
            for (size, spot) in (1..=end).zip(&mut letter.ends) {
                let start = end - size;
                let mut id = segments.find(packed((start..end).filter_map(at)));
                if size == 1 && id == 0 {
                    letter.other = at(start).unwrap_or(NO_LETTER);
                    id = segments.other;
                }
                let left = kind(start.checked_sub(1).and_then(at));
                let place = if start == 0 {
                    1
                } else if end == len {
                    2
                } else {
                    0
                };
                *spot = Spot { id, place, around: left * 3 + kind(at(end)) };
            }
            out.push(letter);
        }
    }
}
