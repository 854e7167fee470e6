//! Any Unicode text as a few ASCII signs.

use super::words::{self, Word};

/// Signs kept; a number with its label is shorter.
const ROOM: usize = 96;

/// Stands for a sign that has no part in a number.
pub(super) const OTHER: u8 = b'?';

/// Text as digits, letters, ` `, `-`, `.`, `,`, `/`, `+`, `*`, `|`, `&` and [`OTHER`].
pub(super) struct Scanned {
    signs: [u8; ROOM],
    len: usize,
    /// Urdu words among the signs.
    pub words: Words,
    /// There was more than fits.
    pub long: bool,
}

/// Which kinds of words were there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Words {
    pub foreign: bool,
    pub passport: bool,
    pub phone: bool,
    pub nothing: bool,
}

impl Words {
    pub fn note(&mut self, word: Word) {
        match word {
            Word::Label => {}
            Word::Foreign => self.foreign = true,
            Word::Passport => self.passport = true,
            Word::Phone => self.phone = true,
            Word::Nothing => self.nothing = true,
        }
    }
}

impl Scanned {
    /// Reads UTF-8; bytes that are not become [`OTHER`].
    pub fn new(text: &[u8]) -> Self {
        let words = Words::default();
        let mut out = Self { signs: [0; ROOM], len: 0, words, long: false };
        let mut word = UrduWord::default();
        for chunk in text.utf8_chunks() {
            for letter in chunk.valid().chars() {
                if is_ignorable(letter) {
                    continue;
                }
                if matches!(letter, '\u{0621}'..='\u{064A}' | '\u{0671}'..='\u{06D3}') {
                    word.push(words::fold(letter));
                    continue;
                }
                out.end(&mut word);
                out.push(sign(letter));
            }
            if !chunk.invalid().is_empty() {
                out.end(&mut word);
                out.push(OTHER);
            }
            if out.long {
                break; // whatever follows, it is no number
            }
        }
        out.end(&mut word);
        out
    }

    pub fn signs(&self) -> &[u8] {
        self.signs.get(..self.len).unwrap_or(&[])
    }

    /// Labels leave a blank, and other words a sign that no number has.
    fn end(&mut self, word: &mut UrduWord) {
        if word.len == 0 {
            return;
        }
        let sign = match words::urdu(word.letters.get(..word.len).unwrap_or(&[])) {
            Some(found) => {
                self.words.note(found);
                b' '
            }
            None => OTHER,
        };
        self.push(sign);
        *word = UrduWord::default();
    }

    fn push(&mut self, sign: u8) {
        // One blank is as good as many, and one unknown sign too.
        let last = self.signs().last();
        if matches!(sign, b' ' | OTHER) && (last == Some(&sign) || (sign == b' ' && last.is_none()))
        {
            return;
        }
        match self.signs.get_mut(self.len) {
            Some(to) => {
                *to = sign;
                self.len += 1;
            }
            None => self.long = true,
        }
    }
}

/// A word in Arabic script; letters beyond the room are as good as none.
#[derive(Default)]
struct UrduWord {
    letters: [char; 16],
    len: usize,
}

impl UrduWord {
    fn push(&mut self, letter: char) {
        if let Some(to) = self.letters.get_mut(self.len) {
            *to = letter;
            self.len += 1;
        }
    }
}

/// Invisible signs: joiners, byte order mark, direction marks, soft hyphen.
fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{00AD}'
            | '\u{061C}'
            | '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}'
            | '\u{FE00}'..='\u{FE0F}'
            | '\u{FEFF}'
    )
}

fn sign(letter: char) -> u8 {
    let digit = |first: char| b'0' + (u32::from(letter) - u32::from(first)) as u8;
    match letter {
        '0'..='9' | 'A'..='Z' | 'a'..='z' | '-' | '.' | ',' | '/' | '+' | '*' | '|' | '&' => {
            letter as u8
        }
        '\u{0660}'..='\u{0669}' => digit('\u{0660}'),
        '\u{06F0}'..='\u{06F9}' => digit('\u{06F0}'),
        '\u{FF10}'..='\u{FF19}' => digit('\u{FF10}'),
        '\u{FF21}'..='\u{FF3A}' => b'A' + (u32::from(letter) - 0xFF21) as u8,
        '\u{FF41}'..='\u{FF5A}' => b'a' + (u32::from(letter) - 0xFF41) as u8,
        '_'
        | '~'
        | '\u{2010}'..='\u{2015}'
        | '\u{2043}'
        | '\u{2212}'
        | '\u{FE58}'
        | '\u{FE63}'
        | '\u{FF0D}'
        | '\u{FF3F}'
        | '\u{06D4}' => b'-',
        '\u{066B}' | '\u{FF0E}' | '\u{00B7}' => b'.',
        '\u{066C}' | '\u{060C}' | ';' | '\u{061B}' | '\u{FF0C}' => b',',
        '\\' | '\u{FF0F}' => b'/',
        '\u{FF0B}' => b'+',
        '\u{2022}' | '\u{25CF}' => b'*',
        '\'' | '"' | '`' | '\u{00B4}' | '\u{2018}' | '\u{2019}' | '\u{201C}' | '\u{201D}' | ':'
        | '#' | '=' | '(' | ')' | '[' | ']' | '\u{FF1A}' | '\u{FF03}' | '\u{2116}' => b' ',
        other if other.is_whitespace() => b' ',
        _ => OTHER,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(text: &str) -> String {
        String::from_utf8(Scanned::new(text.as_bytes()).signs().to_vec()).unwrap()
    }

    #[test]
    fn signs_of_any_script_become_ascii() {
        assert_eq!(scan("۳۵٢０–１\u{200F}\u{00A0}\u{202F} x"), "3520-1 x");
        assert_eq!(scan("شناختي كارڈ نمبر: ۳۵"), "35");
        assert_eq!(scan("زینب 35"), "? 35");
        assert_eq!(scan("😀😀3"), "?3");
        assert_eq!(scan(&" ".repeat(1_000_000)), "");
    }

    #[test]
    fn invalid_bytes_and_long_text_end_the_reading() {
        assert_eq!(Scanned::new(b"3\xff\xfe5").signs(), b"3?5");
        assert!(Scanned::new("1-".repeat(500_000).as_bytes()).long);
    }
}
