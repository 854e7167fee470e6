//! The shared cases of `tests/vectors/names.toml`, and laws of folding over all of Unicode.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use nser_core::name::{KeyTokens, LABELS, Token, Tokens, fold, key, romanize};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    fold: Vec<Group>,
    tokens: Vec<Group>,
    key: Vec<Group>,
    apart: Vec<Group>,
    roman: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    why: String,
    #[serde(default)]
    first: bool,
    cases: Vec<Vec<String>>,
}

fn vectors() -> Vectors {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/names.toml");
    toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn read(raw: &[u8]) -> Vec<String> {
    let mut tokens = Tokens::default();
    tokens.read(raw);
    let text = |t: &Token| String::from_utf8(tokens.token(t).to_vec()).unwrap();
    tokens.tokens().iter().map(|t| format!("{}/{}", text(t), LABELS[t.label() as usize])).collect()
}

#[test]
fn folding() {
    for group in vectors().fold {
        for case in group.cases {
            assert_eq!(fold(case[0].as_bytes()), case[1], "{}: {}", group.why, case[0]);
            assert_eq!(fold(case[1].as_bytes()), case[1], "{}: twice", group.why);
        }
    }
}

#[test]
fn tokens() {
    for group in vectors().tokens {
        for case in group.cases {
            assert_eq!(read(case[0].as_bytes()), case[1..], "{}: {}", group.why, case[0]);
        }
    }
}

fn with<T>(raw: &str, f: impl Fn(&Tokens) -> T) -> T {
    let mut tokens = Tokens::default();
    tokens.read(raw.as_bytes());
    f(&tokens)
}

#[test]
fn keys() {
    let of = |group: &Group, name: &str| {
        with(name, |t| key(t, if group.first { KeyTokens::First } else { KeyTokens::All }))
    };
    for group in vectors().key {
        for case in &group.cases {
            for name in case {
                assert_eq!(of(&group, name), of(&group, &case[0]), "{}: {name}", group.why);
            }
        }
    }
    for group in vectors().apart {
        for case in &group.cases {
            let distinct: BTreeSet<String> = case.iter().map(|name| of(&group, name)).collect();
            assert_eq!(distinct.len(), case.len(), "{}: {case:?}", group.why);
        }
    }
    assert_eq!(with("...", |t| key(t, KeyTokens::All)), "");
}

#[test]
fn romanisation() {
    for group in vectors().roman {
        for case in group.cases {
            assert_eq!(with(&case[0], romanize), case[1], "{}: {}", group.why, case[0]);
        }
    }
}

#[test]
fn every_code_point_folds_to_something_that_folds_to_itself() {
    for c in '\0'..=char::MAX {
        let raw = format!("a{c}b");
        let once = fold(raw.as_bytes());
        assert_eq!(fold(once.as_bytes()), once, "U+{:04X}", c as u32);
        assert!(once.starts_with('a') && once.ends_with('b'));
    }
}

#[test]
fn any_bytes_give_valid_text_and_tokens_that_cover_it() {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize
    };
    let pieces: [&[u8]; 14] = [
        b"abdul",
        b" ",
        b"s/o",
        b"@",
        "محمد".as_bytes(),
        "ال".as_bytes(),
        b"\xFF",
        b"\xD8",
        b"m",
        "ں".as_bytes(),
        b"uddin",
        b"ullah",
        b"-",
        "é".as_bytes(),
    ];
    let mut tokens = Tokens::default();
    for _ in 0..20_000 {
        let raw: Vec<u8> = (0..next() % 9).flat_map(|_| pieces[next() % 14].to_vec()).collect();
        tokens.read(&raw);
        let joined: Vec<&[u8]> = tokens.tokens().iter().map(|t| tokens.token(t)).collect();
        assert_eq!(joined.join(&b' '), tokens.text());
        assert!(std::str::from_utf8(tokens.text()).is_ok());
        assert!(tokens.tokens().iter().all(|t| {
            t.start < t.end
                && t.start <= t.stem_start
                && t.stem_start < t.stem_end
                && t.stem_end <= t.end
        }));
        let once = fold(&raw);
        assert_eq!(fold(once.as_bytes()), once);
    }
}
