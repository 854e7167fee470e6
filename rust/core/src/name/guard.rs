//! Names that look alike and are not one: Rashid and Rasheed, Khalid and Khalida. They may agree
//! only so far. In Roman script people spell one as the other, so this is no veto; Urdu tells them
//! apart.

use std::collections::BTreeMap;

use super::costs::{FaultyLine, Script};

/// For a word, the words that are close to it and no spelling of it, with the likeness they may have.
type Caps = BTreeMap<Box<[u8]>, Vec<(Box<[u8]>, f64)>>;

/// Pairs of names with the most that their similarity may be.
#[derive(Debug, Clone)]
pub struct GuardPairs {
    caps: Caps,
}

/// Most that a name and the same name with the ending of women may agree.
const FEMININE_ROMAN: f64 = 0.5;
const FEMININE_URDU: f64 = 0.25;

impl GuardPairs {
    /// Reads `a,b,cap` lines (tokens in match form) after comment lines (`#`) and a header.
    ///
    /// # Errors
    ///
    /// [`FaultyLine`] for a line without three fields or with a cap outside 0 to 1.
    pub fn parse(text: &str) -> Result<Self, FaultyLine> {
        let mut caps = Caps::new();
        let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
        for (at, line) in lines.skip(1) {
            let mut fields = line.split(',');
            let (Some(a), Some(b), Some(cap), None) =
                (fields.next(), fields.next(), fields.next(), fields.next())
            else {
                return Err(FaultyLine { line: at + 1 });
            };
            let cap = cap.parse().ok().filter(|cap| (0.0..=1.0).contains(cap));
            let cap = cap.ok_or(FaultyLine { line: at + 1 })?;
            for (a, b) in [(a, b), (b, a)] {
                caps.entry(a.as_bytes().into()).or_default().push((b.as_bytes().into(), cap));
            }
        }
        Ok(Self { caps })
    }

    /// The most that two tokens of one script, which differ, may agree.
    pub(super) fn cap(&self, a: &[u8], b: &[u8], script: Script) -> f64 {
        let others = self.caps.get(a).map_or(&[][..], Vec::as_slice);
        let listed = others.iter().find(|(other, _)| **other == *b).map(|(_, cap)| *cap);
        listed.unwrap_or_else(|| {
            if is_feminine(a, b) || is_feminine(b, a) {
                if script == Script::Urdu { FEMININE_URDU } else { FEMININE_ROMAN }
            } else {
                1.0
            }
        })
    }
}

/// Whether `woman` is `man` with the ending that marks a woman's name: a, ah, aa, ہ.
fn is_feminine(man: &[u8], woman: &[u8]) -> bool {
    match woman.strip_prefix(man) {
        Some(b"a" | b"ah" | b"aa") => {
            man.len() >= 4 && !matches!(man.last(), Some(b'a' | b'e' | b'i' | b'o' | b'u' | b'y'))
        }
        // Letters of Urdu take two bytes.
        Some(ending) => ending == "ہ".as_bytes() && man.len() >= 6,
        None => false,
    }
}
