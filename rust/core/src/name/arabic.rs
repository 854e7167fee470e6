//! The Arabic block (U+0600 to U+06FF) in match form: one letter per sound and shape that people
//! and keyboards confuse.

/// A code point that leaves nothing behind.
pub(super) const DELETE: u16 = 0;
/// A code point that separates words.
pub(super) const BREAK: u16 = b' ' as u16;

/// First code point of the block.
const FIRST: u32 = 0x600;

/// What to write for a code point of the block: [`DELETE`], [`BREAK`] or another code point, which
/// is its own match form. `None` outside the block.
#[inline]
pub(super) fn matched(c: char) -> Option<u16> {
    MATCHED.get((c as u32).wrapping_sub(FIRST) as usize).copied()
}

static MATCHED: [u16; 256] = table();

/// `(from, to, becomes)`: code points of a range that all become one thing. Later rows win.
const FOLDS: &[(u16, u16, u16)] = &[
    (0x600, 0x60F, BREAK),
    (0x610, 0x61A, DELETE), // honorific marks
    (0x61B, 0x61F, BREAK),
    (0x61C, 0x61C, DELETE), // Arabic letter mark, a bidi control
    (0x620, 0x620, 0x6CC),
    (0x621, 0x621, DELETE), // hamza
    (0x622, 0x623, 0x627),
    (0x624, 0x624, 0x648),
    (0x625, 0x625, 0x627),
    (0x626, 0x626, 0x6CC),
    (0x629, 0x629, 0x6C1),
    (0x63B, 0x63C, 0x6A9),
    (0x63D, 0x63F, 0x6CC),
    (0x640, 0x640, DELETE), // tatweel
    (0x643, 0x643, 0x6A9),
    (0x647, 0x647, 0x6C1),
    (0x649, 0x64A, 0x6CC),
    (0x64B, 0x65F, DELETE),
    (0x66A, 0x66D, BREAK),
    (0x670, 0x670, DELETE), // superscript alef; the key reads both ways
    (0x671, 0x673, 0x627),
    (0x674, 0x674, DELETE),
    (0x675, 0x675, 0x627),
    (0x676, 0x677, 0x648),
    (0x678, 0x678, 0x6CC),
    // Pashto and Sindhi shapes of letters that Urdu has.
    (0x67B, 0x67B, 0x628),
    (0x67C, 0x67D, 0x679),
    (0x689, 0x68A, 0x688),
    (0x68F, 0x68F, 0x688),
    (0x693, 0x693, 0x691),
    (0x699, 0x699, 0x691),
    (0x69A, 0x69A, 0x634),
    (0x6AA, 0x6AA, 0x6A9),
    (0x6AB, 0x6AB, 0x6AF),
    (0x6B3, 0x6B3, 0x6AF),
    (0x6BA, 0x6BC, 0x646),
    (0x6BE, 0x6BE, 0x6C1),
    (0x6C0, 0x6C0, 0x6C1),
    (0x6C2, 0x6C3, 0x6C1),
    (0x6C4, 0x6CB, 0x648),
    (0x6CD, 0x6CE, 0x6CC),
    (0x6D0, 0x6D3, 0x6CC),
    (0x6D4, 0x6D4, BREAK),
    (0x6D5, 0x6D5, 0x6C1),
    (0x6D6, 0x6ED, DELETE), // Quranic marks
    (0x6DD, 0x6DE, BREAK),
    (0x6E9, 0x6E9, BREAK),
    (0x6EE, 0x6EE, 0x62F),
    (0x6EF, 0x6EF, 0x631),
    (0x6FD, 0x6FE, BREAK),
    (0x6FF, 0x6FF, 0x6C1),
];

#[expect(clippy::indexing_slicing, reason = "run by the compiler, which stops at a bad index")]
const fn table() -> [u16; 256] {
    let mut out = [0; 256];
    let mut k = 0;
    while k < 256 {
        out[k] = FIRST as u16 + k as u16;
        k += 1;
    }
    let mut row = 0;
    while row < FOLDS.len() {
        let (mut from, to, becomes) = FOLDS[row];
        while from <= to {
            out[(from as u32 - FIRST) as usize] = becomes;
            from += 1;
        }
        row += 1;
    }
    let mut digit = 0;
    while digit < 10 {
        out[0x60 + digit] = b'0' as u16 + digit as u16;
        out[0xF0 + digit] = b'0' as u16 + digit as u16;
        digit += 1;
    }
    out
}
