//! An Urdu name in Roman script, as identity documents spell it.
//!
//! Frequent words come from a table (`romanized.csv`); the rest is spelled by rule after the ODNI
//! standard of 2015, with the vowels that Urdu does not write put in where syllables need them.

use super::lexicon::{self, Lexicon, count};
use super::spelling;
use super::tokens::{Compound, Role, Token, Tokens};

const CSV: &[u8] = include_bytes!("../../../../python/nser_pmt/data/names/romanized.csv");
static TABLE: Lexicon<{ count(CSV) }, 2048> = Lexicon::new(CSV);

/// Appends the Roman form of a name; Roman words only change their case.
pub fn romanize_into(tokens: &Tokens, out: &mut String) {
    for (k, token) in tokens.tokens().iter().enumerate() {
        if k > 0 {
            out.push(' ');
        }
        let text = tokens.token(token);
        match (token.role, token.compound) {
            (Role::Relation | Role::AliasMark, _) => word(text, out, Case::AsIs),
            (Role::Particle, _) if text == b"ul" || text == "ال".as_bytes() => {
                let mut next = String::new();
                if let Some(token) = tokens.tokens().get(k + 1) {
                    word(tokens.token(token), &mut next, Case::AsIs);
                }
                out.push('u');
                out.push(assimilated(&next));
            }
            (Role::Particle, _) => word(text, out, Case::AsIs),
            (_, Compound::None) => word(text, out, Case::Title),
            _ => compound(tokens, token, out),
        }
    }
}

/// The Roman form of a name.
#[must_use]
pub fn romanize(tokens: &Tokens) -> String {
    let mut out = String::new();
    romanize_into(tokens, &mut out);
    out
}

fn compound(tokens: &Tokens, token: &Token, out: &mut String) {
    let stem = tokens.stem(token);
    let (before, after) = match token.compound {
        Compound::Abdul => ("Abdul ", ""),
        Compound::Ghulam => ("Ghulam ", ""),
        Compound::Allah => ("Allah ", ""),
        Compound::Ullah => ("", "ullah"),
        Compound::Uddin => ("", "uddin"),
        Compound::None => ("", ""),
        Compound::Kunya => match tokens.token(token) {
            [b'a', ..] => ("Abu ", ""),
            text if text.starts_with("ابو".as_bytes()) => ("Abu ", ""),
            _ => ("Umme ", ""),
        },
    };
    out.push_str(before);
    word(stem, out, Case::Title);
    out.push_str(after);
}

#[derive(Clone, Copy)]
enum Case {
    AsIs,
    Title,
}

fn word(text: &[u8], out: &mut String, case: Case) {
    let start = out.len();
    let row = lexicon::key(text).and_then(|key| TABLE.find(key));
    match row.map(|row| std::str::from_utf8(TABLE.field(row, 1))) {
        Some(Ok(roman)) => out.push_str(roman),
        _ => spelling::spell(&String::from_utf8_lossy(text), out),
    }
    let first = out.get(start..).and_then(|s| s.chars().next());
    if let (Case::Title, Some(first)) = (case, first) {
        let upper: String = first.to_uppercase().collect();
        out.replace_range(start..start + first.len_utf8(), &upper);
    }
}

/// The letter that `l` of the article becomes: the sun letters take it over.
fn assimilated(next: &str) -> char {
    let first = next.chars().next().map_or('l', |c| c.to_ascii_lowercase());
    if matches!(first, 'r' | 's' | 'n' | 't' | 'z' | 'd') { first } else { 'l' }
}

#[cfg(test)]
mod tests {
    use super::super::fold::fold;
    use super::*;

    #[test]
    fn every_word_of_the_table_is_one_word_in_match_form() {
        for row in 0..count(CSV) as u16 {
            let word = TABLE.field(row, 0);
            assert_eq!(fold(word).as_bytes(), word);
            assert_eq!(TABLE.find(lexicon::key(word).unwrap()), Some(row));
            assert!(!word.contains(&b' '));
        }
    }
}
