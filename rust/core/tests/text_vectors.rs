//! The shared cases of `tests/vectors/similarity.toml`, and the kernels of every instruction set
//! against the pair-by-pair twin.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use nser_core::column::{Codes, Strings};
use nser_core::isa::Isa;
use nser_core::text::{Distance, Edit, Grams, Metric, Overlap, Query, Room, Side, Similarity};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    similarity: Vec<Pair<f64>>,
    distance: Vec<Pair<u32>>,
}

#[derive(Deserialize)]
struct Pair<T> {
    metric: String,
    a: String,
    b: String,
    want: T,
    cutoff: Option<T>,
    q: Option<u8>,
    #[serde(default)]
    padded: bool,
    #[serde(default)]
    counted: bool,
}

fn edit(name: &str) -> Option<Edit> {
    match name {
        "levenshtein" => Some(Edit::Levenshtein),
        "osa" => Some(Edit::Osa),
        "damerau_levenshtein" => Some(Edit::DamerauLevenshtein),
        _ => None,
    }
}

fn metric<T>(case: &Pair<T>) -> Metric {
    let grams = || Grams::new(case.q.unwrap_or(2), case.padded, case.counted).unwrap();
    match case.metric.as_str() {
        "jaro" => Metric::Jaro,
        "jaro_winkler" => Metric::JaroWinkler,
        "token_sort" => Metric::TokenSort,
        "token_set" => Metric::TokenSet,
        "jaccard" => Metric::Grams(Overlap::Jaccard, grams()),
        "dice" => Metric::Grams(Overlap::Dice, grams()),
        name => Metric::Edit(edit(name).unwrap()),
    }
}

#[test]
fn shared_cases() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/similarity.toml");
    let vectors: Vectors = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut room = Room::default();
    for case in &vectors.similarity {
        let similarity = Similarity::new(metric(case)).with_cutoff(case.cutoff.unwrap_or(0.0));
        for (a, b) in [(&case.a, &case.b), (&case.b, &case.a)] {
            let found = similarity.of(a.as_bytes(), b.as_bytes(), &mut room);
            assert_eq!(found.to_bits(), case.want.to_bits(), "{} {a:?} {b:?}", case.metric);
        }
    }
    for case in &vectors.distance {
        let distance =
            Distance::new(edit(&case.metric).unwrap()).with_cutoff(case.cutoff.unwrap_or(u32::MAX));
        for (a, b) in [(&case.a, &case.b), (&case.b, &case.a)] {
            let found = distance.of(a.as_bytes(), b.as_bytes(), &mut room);
            assert_eq!(found, case.want, "{} {a:?} {b:?}", case.metric);
        }
    }
}

fn draws() -> impl FnMut(usize) -> usize {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    move |n| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    }
}

/// Texts that meet every road: short and long, narrow and wide, zero bytes, no UTF-8.
fn texts(draw: &mut impl FnMut(usize) -> usize, rows: usize, long: usize) -> Vec<Vec<u8>> {
    let alphabets: [&[&str]; 5] = [
        &["a", "b"],
        &["a", "b", "c", "d", "e", " ", "\0", "\x7f"],
        &["ا", "ب", "ی", "ک", " ", "\u{200c}"],
        &["é", "a", "𐍈", "漢", "\u{a0}"],
        &["x", "y"],
    ];
    (0..rows)
        .map(|_| {
            let longest = match draw(50) {
                0 => long,
                1..10 => 70,
                _ => 33,
            };
            let letters = alphabets[[0, 1, 1, 1, 2, 3][draw(6)]];
            let mut text: Vec<u8> =
                (0..draw(longest + 1)).flat_map(|_| letters[draw(letters.len())].bytes()).collect();
            if draw(20) == 0 {
                text.truncate(draw(text.len() + 1)); // may cut a character
                text.push(0xFF);
            }
            text
        })
        .collect()
}

fn joined(texts: &[Vec<u8>]) -> (Vec<i64>, Vec<u8>) {
    let mut ends = vec![0];
    ends.extend(texts.iter().scan(0, |end, text| {
        *end += text.len() as i64;
        Some(*end)
    }));
    (ends, texts.concat())
}

/// String views as Arrow has them: short texts inline.
fn views(texts: &[Vec<u8>]) -> (Vec<[u8; 16]>, Vec<u8>) {
    let mut data = vec![];
    let views = texts.iter().map(|text| {
        let mut view = [0xAA; 16]; // what is after a short text means nothing
        view[..4].copy_from_slice(&(text.len() as u32).to_le_bytes());
        if text.len() <= 12 {
            view[4..4 + text.len()].copy_from_slice(text);
        } else {
            view[4..8].copy_from_slice(&text[..4]);
            view[8..12].copy_from_slice(&0u32.to_le_bytes());
            view[12..].copy_from_slice(&(data.len() as u32).to_le_bytes());
            data.extend_from_slice(text);
        }
        view
    });
    (views.collect(), data)
}

fn metrics() -> Vec<Metric> {
    let mut metrics = vec![Metric::Jaro, Metric::JaroWinkler, Metric::TokenSort, Metric::TokenSet];
    metrics.extend(EDITS.map(Metric::Edit));
    for overlap in [Overlap::Jaccard, Overlap::Dice] {
        let grams = [(1, false, false), (2, true, true), (3, true, false), (6, false, true)];
        metrics.extend(grams.map(|(q, p, c)| Metric::Grams(overlap, Grams::new(q, p, c).unwrap())));
    }
    metrics
}

const EDITS: [Edit; 3] = [Edit::Levenshtein, Edit::Osa, Edit::DamerauLevenshtein];

#[test]
fn every_instruction_set_gives_the_same_bits() {
    let mut draw = draws();
    let mut room = Room::default();
    for rows in [0, 1, 15, 16, 17, 3000] {
        let (left, mut right) = (texts(&mut draw, rows, 300), texts(&mut draw, rows, 300));
        for (a, b) in left.iter().zip(&mut right) {
            if draw(2) == 0 {
                b.clone_from(a);
                let at = draw(b.len() + 1);
                b.insert(at, b'z');
            }
        }
        let ((views_a, data_a), (ends_b, data_b)) = (views(&left), joined(&right));
        let a = Strings::View { views: &views_a, buffers: vec![&data_a] };
        let b = Strings::Offsets64(&ends_b, &data_b);
        let (a, b) = (Side::Rows(&a), Side::Rows(&b));
        for metric in metrics() {
            for cutoff in [0.0, 0.4, 0.8, 0.93, 1.0] {
                let plain = Similarity::new(metric);
                let similarity = plain.with_cutoff(cutoff);
                let pairs = left.iter().zip(&right);
                let expected: Vec<u64> =
                    pairs.map(|(a, b)| similarity.of(a, b, &mut room).to_bits()).collect();
                for (bits, (a, b)) in expected.iter().zip(left.iter().zip(&right)) {
                    let (full, cut) = (plain.of(a, b, &mut room), f64::from_bits(*bits));
                    assert_eq!(cut, if full >= cutoff { full } else { 0.0 }, "{metric:?}");
                }
                for isa in Isa::available() {
                    let mut found = vec![-1.0; rows];
                    similarity.fill(isa, &a, &b, &mut found);
                    let found: Vec<u64> = found.iter().map(|x| x.to_bits()).collect();
                    assert_eq!(found, expected, "{metric:?} {isa:?}");
                }
            }
        }
        for edit in EDITS {
            for cutoff in [0, 1, 5, u32::MAX] {
                let distance = Distance::new(edit).with_cutoff(cutoff);
                let pairs = left.iter().zip(&right);
                let full: Vec<u32> =
                    pairs.map(|(a, b)| Distance::new(edit).of(a, b, &mut room)).collect();
                let expected: Vec<u32> =
                    full.iter().map(|d| (*d).min(cutoff.saturating_add(1))).collect();
                for isa in Isa::available() {
                    let mut found = vec![u32::MAX; rows];
                    distance.fill(isa, &a, &b, &mut found);
                    assert_eq!(found, expected, "{edit:?} {isa:?}");
                }
            }
        }
    }
}

#[test]
fn a_literal_and_categories_are_read_as_rows_are() {
    let mut draw = draws();
    let mut room = Room::default();
    let rows = texts(&mut draw, 200, 80);
    let (ends, data) = joined(&rows);
    let strings = Strings::Offsets64(&ends, &data);
    let codes: Vec<u16> = (0..500).map(|_| draw(200) as u16).collect();
    let codes = Codes::U16(&codes);
    let coded = Side::Coded(&codes, &strings);
    let literals = texts(&mut draw, 30, 80);
    for (text, metric) in literals.iter().zip(metrics().iter().cycle()) {
        let similarity = Similarity::new(*metric).with_cutoff(0.3);
        let query = Query::new(text);
        for isa in Isa::available() {
            for swapped in [false, true] {
                let one = Side::One(text);
                let (a, b) = if swapped { (coded, one) } else { (one, coded) };
                let mut found = vec![-1.0; 500];
                similarity.fill(isa, &a, &b, &mut found);
                for (i, found) in found.iter().enumerate() {
                    let row = coded.get(i);
                    let expected = similarity.of(text, row, &mut room);
                    assert_eq!(*found, expected, "{metric:?} {isa:?}");
                    assert_eq!(similarity.of_query(&query, row, &mut room), expected);
                }
            }
        }
    }
}

/// All pairs of texts of two and three letters: every small case there is.
#[test]
fn small_alphabets_exhaustively() {
    let mut all: Vec<Vec<u8>> = vec![vec![]];
    for (letters, longest) in [(3, 3), (2, 6)] {
        let mut last: Vec<Vec<u8>> = vec![vec![]];
        for _ in 0..longest {
            let longer = |text: &Vec<u8>| {
                let text = text.clone();
                (0..letters).map(move |c| [&text[..], &[b'a' + c]].concat())
            };
            last = last.iter().flat_map(longer).collect();
            all.extend(last.iter().cloned());
        }
    }
    let mut room = Room::default();
    let (ends, data) = joined(&all);
    let strings = Strings::Offsets64(&ends, &data);
    for a in &all {
        let repeated = vec![a.clone(); all.len()];
        let (ends, data) = joined(&repeated);
        let repeated = Strings::Offsets64(&ends, &data);
        for metric in [Metric::JaroWinkler, Metric::Edit(Edit::Osa), Metric::Edit(EDITS[0])] {
            let similarity = Similarity::new(metric);
            let expected: Vec<f64> = all.iter().map(|b| similarity.of(a, b, &mut room)).collect();
            for isa in Isa::available() {
                let mut found = vec![-1.0; all.len()];
                similarity.fill(isa, &Side::Rows(&repeated), &Side::Rows(&strings), &mut found);
                assert_eq!(found, expected, "{metric:?} {isa:?} {a:?}");
            }
        }
    }
}
