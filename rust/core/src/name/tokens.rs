//! A name as tokens, each with its role.

use super::fold::fold_into;
use super::grammar;
use super::lexicon;
use super::words::{self, Class};

/// What a token does in its name. A title, tribe or marker that is all there is of a name is a
/// [`Role::Name`]: "Khan", "Jan Bibi".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Carries identity: a given or called name, a father's name, a tribe.
    Name,
    /// Muhammad or its abbreviations (Mohd, Md, M.): almost no evidence.
    Muhammad,
    /// Title, office or tribe that people write or leave out: Syed, Haji, Malik, Khan.
    Title,
    /// Marks a woman's name and is often left out: Bibi, Begum, Mai.
    Female,
    /// Joins two names: ul, bin, e.
    Particle,
    /// A single letter.
    Initial,
    /// A word of digits.
    Number,
    /// Says that another person follows: s/o, d/o, زوجہ. Its text is the relation.
    Relation,
    /// Says that another name of the same person follows: `@`, urf, عرف.
    AliasMark,
}

/// Whose name a token is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// The person's.
    Own,
    /// The person's other name.
    Alias,
    /// Another person's: father, husband.
    Relative,
}

/// How a token of two parts is made; its stem is the part that tells it from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compound {
    /// One part: the stem is the token.
    None,
    /// Abdul X.
    Abdul,
    /// Ghulam X.
    Ghulam,
    /// X Ullah.
    Ullah,
    /// X ud Din.
    Uddin,
    /// Allah X: Allah Ditta.
    Allah,
    /// Abu X or Umme X.
    Kunya,
}

/// One token: byte positions in the text of its [`Tokens`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// First byte of the stem.
    pub stem_start: u32,
    /// One past the last byte of the stem.
    pub stem_end: u32,
    /// What the token does.
    pub role: Role,
    /// Whose name it is part of.
    pub part: Part,
    /// How it is made.
    pub compound: Compound,
    pub(super) can_be_name: bool,
}

impl Token {
    /// What a token is to a reader, as an index of [`LABELS`]: its role, unless it belongs to
    /// another name or person.
    #[must_use]
    pub fn label(&self) -> u8 {
        match (self.role, self.part) {
            (Role::Relation, _) => 7,
            (Role::AliasMark, _) => 9,
            (_, Part::Relative) => 8,
            (_, Part::Alias) => 10,
            (Role::Name, _) => 0,
            (Role::Muhammad, _) => 1,
            (Role::Title, _) => 2,
            (Role::Female, _) => 3,
            (Role::Particle, _) => 4,
            (Role::Initial, _) => 5,
            (Role::Number, _) => 6,
        }
    }
}

/// Names of what [`Token::label`] gives.
pub const LABELS: [&str; 11] = [
    "name",
    "muhammad",
    "title",
    "female",
    "particle",
    "initial",
    "number",
    "relation",
    "relative",
    "alias_mark",
    "alias",
];

/// A word of the folded text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub start: u32,
    pub end: u32,
    pub class: Class,
    /// The spelling that stands for it; empty for its own.
    pub form: &'static [u8],
}

/// A name read into tokens. Its buffers are reused: one per thread serves a whole column.
///
/// ```
/// use nser_core::name::{Role, Tokens};
///
/// let mut tokens = Tokens::default();
/// tokens.read(b"Mohd. Abdur-Rehman s/o HABIB ULLAH");
/// assert_eq!(tokens.text(), b"muhammad abdulrehman s/o habibullah");
/// let roles: Vec<Role> = tokens.tokens().iter().map(|t| t.role).collect();
/// assert_eq!(roles, [Role::Muhammad, Role::Name, Role::Relation, Role::Name]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    folded: Vec<u8>,
    words: Vec<Word>,
    text: Vec<u8>,
    tokens: Vec<Token>,
}

/// A word may be read as a block of this many bytes.
const BLOCK: usize = 16;

impl Tokens {
    /// Reads `raw`, which may be any bytes, in place of what was read before.
    pub fn read(&mut self, raw: &[u8]) {
        self.folded.clear();
        self.words.clear();
        self.text.clear();
        self.tokens.clear();
        fold_into(raw, &mut self.folded);
        self.find_words();
        grammar::read(&self.folded, &self.words, &mut self.text, &mut self.tokens);
    }

    /// The tokens, in order.
    #[must_use]
    pub fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    /// Every token's text with one space between; UTF-8.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Text of one token.
    #[must_use]
    #[inline]
    pub fn token(&self, token: &Token) -> &[u8] {
        self.text.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    /// The part of a token that tells it from others of its kind: rehman of abdulrehman.
    #[must_use]
    #[inline]
    pub fn stem(&self, token: &Token) -> &[u8] {
        self.text.get(token.stem_start as usize..token.stem_end as usize).unwrap_or_default()
    }

    #[inline]
    fn find_words(&mut self) {
        let len = self.folded.len();
        // Positions are 32 bits; what is beyond them is no name.
        let len = len.min(u32::MAX as usize / 4);
        self.folded.extend_from_slice(&[b' '; BLOCK]);
        let mut start = 0;
        while start < len {
            let Some(rest) = self.folded.get(start..) else { break };
            let Some(block) = rest.first_chunk::<BLOCK>() else { break };
            let end = start + word_len(block, rest);
            let padded = lexicon::key_of_padded(block, end - start);
            let (class, form) = padded
                .and_then(words::known)
                .unwrap_or_else(|| (plain(rest.get(..end - start).unwrap_or_default()), &[]));
            self.words.push(Word { start: start as u32, end: end as u32, class, form });
            start = end + 1;
        }
    }
}

/// Bytes before the first space.
#[inline(always)]
fn word_len(block: &[u8; BLOCK], rest: &[u8]) -> usize {
    const EACH: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
    // A zero byte where there is a space; the lowest one is found exactly.
    let x = u128::from_le_bytes(*block) ^ (EACH * b' ' as u128);
    let zeros = x.wrapping_sub(EACH) & !x & (EACH << 7);
    match zeros {
        0 => rest.iter().position(|b| *b == b' ').unwrap_or(rest.len()),
        zeros => zeros.trailing_zeros() as usize / 8,
    }
}

/// Class of a word that is in no table.
#[inline]
fn plain(word: &[u8]) -> Class {
    match word {
        [b'0'..=b'9', ..] if word.iter().all(u8::is_ascii_digit) => Class::Number,
        [_] | [0xD8..=0xDB, _] => Class::Initial,
        [b'm', _, _, _, ..] if super::compound::is_muhammad(word) => Class::Muhammad,
        _ => Class::Plain,
    }
}
