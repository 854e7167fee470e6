//! Text to match form: what two spellings of one name share whatever the script, keyboard, font
//! or case they were written in.
//!
//! * Latin: lower case without accents (é, ā, ḥ, full-width letters), `ß` as `ss`.
//! * Urdu: one letter per shape (yeh, kaf, heh, alef), no marks, no hamza, no tatweel, presentation
//!   forms resolved, ﷲ as اللہ; ں as ن, ھ as ہ, ے as ی.
//! * Digits of either script are ASCII. Apostrophes, joiners and direction marks vanish; every other
//!   sign is a space, and spaces are single and inside. Two signs survive because they say who is
//!   who: `@` (alias) as a word, and the slash of `s/o` and its like.
//!
//! Folding is idempotent and takes any bytes; what is not UTF-8 separates words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::arabic;

/// Appends the match form of `text`, which is UTF-8 whatever the bytes of `text`.
#[inline]
pub fn fold_into(text: &[u8], out: &mut Vec<u8>) {
    let mut writer = Writer { start: out.len(), out, gap: false };
    let mut rest = text;
    while let Some((block, len)) = block(rest) {
        let letters = letters(block).min(len);
        if letters > 0 {
            writer.letters(block | LOWER, letters);
            rest = rest.get(letters..).unwrap_or_default();
        }
        if letters == 8 {
            continue;
        }
        let Some((&byte, tail)) = rest.split_first() else { break };
        if byte == b' ' {
            writer.gap = true;
        } else if is_simple(byte) {
            writer.ascii(byte);
        } else {
            writer.unicode(rest);
            break;
        }
        rest = tail;
    }
}

/// The match form of `text`.
#[must_use]
pub fn fold(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len() + 8);
    fold_into(text, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

const EACH: u64 = 0x0101_0101_0101_0101;
/// The bit that makes an ASCII letter small.
const LOWER: u64 = EACH * 0x20;

/// Up to eight bytes, the first lowest, and how many there are; `None` at the end.
#[inline(always)]
fn block(rest: &[u8]) -> Option<(u64, usize)> {
    if let Some(block) = rest.first_chunk() {
        return Some((u64::from_le_bytes(*block), 8));
    }
    let mut out = 0;
    for (k, byte) in rest.iter().enumerate() {
        out |= u64::from(*byte) << (8 * k);
    }
    (!rest.is_empty()).then_some((out, rest.len()))
}

/// How many of the eight bytes, from the lowest on, are ASCII letters.
#[inline(always)]
fn letters(block: u64) -> usize {
    let small = (block | LOWER) & !(EACH * 0x80);
    let from_a = small + EACH * (0x80 - b'a' as u64);
    let past_z = small + EACH * (0x7F - b'z' as u64);
    let others = (!from_a | past_z | block) & (EACH * 0x80);
    others.trailing_zeros() as usize / 8
}

/// ASCII that needs no look at its neighbours.
#[inline(always)]
fn is_simple(byte: u8) -> bool {
    byte.is_ascii() && !matches!(byte, b'/' | b'\\')
}

/// Output with the space that is due before the next letter.
struct Writer<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    gap: bool,
}

impl Writer<'_> {
    #[inline(always)]
    fn space(&mut self) {
        if self.gap && self.out.len() > self.start {
            self.out.push(b' ');
        }
        self.gap = false;
    }

    #[inline(always)]
    fn letters(&mut self, block: u64, len: usize) {
        self.space();
        let end = self.out.len() + len;
        // Eight at once is one store; the surplus goes again.
        self.out.extend_from_slice(&block.to_le_bytes());
        self.out.truncate(end);
    }

    #[inline]
    fn ascii(&mut self, byte: u8) {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => {
                self.space();
                self.out.push(byte.to_ascii_lowercase());
            }
            b'\'' | b'`' => {}
            b'@' => {
                self.gap = true;
                self.space();
                self.out.push(byte);
                self.gap = true;
            }
            _ => self.gap = true,
        }
    }

    fn unicode(&mut self, bytes: &[u8]) {
        for chunk in bytes.utf8_chunks() {
            let mut chars = chunk.valid().chars();
            while let Some(c) = chars.next() {
                if let Some(to) = arabic::matched(c) {
                    self.arabic(to);
                } else if matches!(c, '/' | '\\') {
                    if self.relation(chars.as_str().as_bytes()) {
                        chars.next();
                    }
                } else if let Ok(byte) = u8::try_from(c)
                    && byte.is_ascii()
                {
                    self.ascii(byte);
                } else {
                    self.other(c);
                }
            }
            self.gap |= !chunk.invalid().is_empty();
        }
    }

    /// At a slash with `rest` behind it: writes `/o` when that ends a relation word (s/o, wd/o ...).
    fn relation(&mut self, rest: &[u8]) -> bool {
        let word = self.out.get(self.start..).unwrap_or_default();
        let word = word.rsplit(|b| *b == b' ').next().unwrap_or_default();
        let found = !self.gap
            && matches!(word, b"s" | b"d" | b"w" | b"wd" | b"c" | b"f" | b"m" | b"h")
            && matches!(rest, [b'o' | b'O', after @ ..]
                if after.first().is_none_or(|b| b.is_ascii() && !b.is_ascii_alphanumeric()));
        if found {
            self.out.extend_from_slice(b"/o");
        }
        self.gap = true;
        found
    }

    #[inline]
    fn arabic(&mut self, to: u16) {
        match to {
            arabic::DELETE => {}
            arabic::BREAK => self.gap = true,
            to => {
                self.space();
                if let Ok(byte) = u8::try_from(to) {
                    self.out.push(byte);
                } else {
                    self.out.extend_from_slice(&[0xC0 | (to >> 6) as u8, 0x80 | (to & 0x3F) as u8]);
                }
            }
        }
    }

    /// Neither ASCII nor of the Arabic block.
    fn other(&mut self, c: char) {
        match c {
            // Blessings are phrases, not letters: U+FDFA would unfold to four words.
            '\u{FDFA}' | '\u{FDFB}' => self.gap = true,
            // Marks set alone, which would unfold to a space and the mark.
            '\u{B4}' | '\u{FC5E}'..='\u{FC63}' | '\u{FE70}'..='\u{FE7F}' => {}
            _ if is_silent(c) => {}
            _ => std::iter::once(c).nfkd().for_each(|part| self.decomposed(part)),
        }
    }

    /// A character that has no decomposition.
    fn decomposed(&mut self, c: char) {
        if let Some(to) = arabic::matched(c) {
            self.arabic(to);
        } else if let Ok(byte) = u8::try_from(c)
            && byte.is_ascii()
        {
            self.ascii(byte);
        } else if is_combining_mark(c) || is_silent(c) {
            // Nothing to write.
        } else if let Some(text) = latin(c) {
            self.space();
            self.out.extend_from_slice(text.as_bytes());
        } else if c.is_alphanumeric() {
            self.space();
            for small in c.to_lowercase() {
                self.out.extend_from_slice(small.encode_utf8(&mut [0; 4]).as_bytes());
            }
        } else {
            self.gap = true;
        }
    }
}

/// Shy hyphen, joiners, direction marks and byte order mark, which are invisible; apostrophes, and
/// the signs of romanisations for hamza and ain.
fn is_silent(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
        | '\u{2B9}'..='\u{2DF}' | '\u{2018}'..='\u{201B}' | '\u{2032}')
}

/// Latin letters that have no decomposition.
fn latin(c: char) -> Option<&'static str> {
    Some(match c {
        'ß' | 'ẞ' => "ss",
        'æ' | 'Æ' => "ae",
        'œ' | 'Œ' => "oe",
        'ø' | 'Ø' => "o",
        'ð' | 'Ð' | 'đ' | 'Đ' => "d",
        'þ' | 'Þ' => "th",
        'ł' | 'Ł' => "l",
        'ħ' | 'Ħ' => "h",
        'ı' => "i",
        'ŋ' | 'Ŋ' => "n",
        _ => return None,
    })
}
