//! Where each character stands in a pattern of at most 64 characters.

use super::chars::Char;

/// Longest pattern that one machine word describes.
pub(super) const WORD: usize = 64;

/// Characters that UTF-8 writes in two bytes at most: Latin, Greek, Cyrillic, Arabic.
const LOW: usize = 0x800;

const WIDE: usize = 512;

/// For each character, bit `i` is set where it is character `i` of the pattern.
///
/// Code points below U+0800 are looked up directly, others by open addressing at most an eighth full.
/// Clearing touches only what was set: zeroing it all for each pair would cost more than comparing.
#[derive(Debug)]
pub(super) struct Masks {
    low: [u64; LOW],
    wide: [(u32, u64); WIDE],
    used: Vec<u16>,
}

impl Default for Masks {
    fn default() -> Self {
        Self { low: [0; LOW], wide: [(0, 0); WIDE], used: Vec::with_capacity(WORD) }
    }
}

impl Masks {
    /// Adds a pattern to an empty table.
    #[inline(always)]
    pub fn set<C: Char>(&mut self, pattern: &[C]) {
        let mut bit = 1u64;
        for c in pattern.iter().take(WORD) {
            match self.low.get_mut(c.code() as usize) {
                Some(mask) => *mask |= bit,
                None => self.set_wide(c.code(), bit),
            }
            bit = bit.wrapping_shl(1);
        }
    }

    #[inline(always)]
    fn set_wide(&mut self, code: u32, bit: u64) {
        for i in slots(code) {
            let Some((c, mask)) = self.wide.get_mut(i) else { return };
            if *mask == 0 {
                (*c, *mask) = (code, bit);
                self.used.push(i as u16);
                return;
            }
            if *c == code {
                *mask |= bit;
                return;
            }
        }
    }

    /// Empties the table that holds this pattern.
    #[inline(always)]
    pub fn clear<C: Char>(&mut self, pattern: &[C]) {
        for c in pattern {
            if let Some(mask) = self.low.get_mut(c.code() as usize) {
                *mask = 0;
            }
        }
        for i in self.used.drain(..) {
            if let Some(slot) = self.wide.get_mut(usize::from(i)) {
                *slot = (0, 0);
            }
        }
    }

    /// Where the character stands.
    #[inline(always)]
    pub fn of<C: Char>(&self, c: C) -> u64 {
        match self.low.get(c.code() as usize) {
            Some(mask) => *mask,
            None => self.of_wide(c.code()),
        }
    }

    #[inline(always)]
    fn of_wide(&self, code: u32) -> u64 {
        for i in slots(code) {
            match self.wide.get(i) {
                Some(&(c, mask)) if c == code || mask == 0 => return mask,
                _ => {}
            }
        }
        0
    }
}

/// Slots to look at, each once. The letters of one script lie close together: they need no mixing.
#[inline(always)]
fn slots(code: u32) -> impl Iterator<Item = usize> {
    (0..WIDE).map(move |i| (code as usize).wrapping_add(i) % WIDE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_where_the_characters_are_and_nothing_stays() {
        let mut masks = Masks::default();
        for k in 0..200u32 {
            let pattern: Vec<u32> =
                (0..64).map(|i| (i * k * 97 + i * 128 * (k % 3)) % 0x3000).collect();
            let pattern = &pattern[..(k as usize) % 65];
            masks.set(pattern);
            for code in 0..0x3000 {
                let naive = pattern.iter().rev().fold(0, |m, &c| m << 1 | u64::from(c == code));
                assert_eq!(masks.of(code), naive);
            }
            masks.clear(pattern);
            assert!((0..0x3000).all(|code: u32| masks.of(code) == 0));
        }
    }
}
