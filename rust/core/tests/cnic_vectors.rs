//! The shared cases of `tests/vectors/cnic.toml`, and columns against single values.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use nser_core::cnic::{
    Columns, Edit, Index, Issue, Key, Kind, Parsed, PrefixTable, Reading, Repairer, Sex, distance,
    parse_text, read,
};
use nser_core::column::{Bits, Codes, Column, Strings, Values};
use serde::Deserialize;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
    sex: Vec<SexCase>,
    distance: Vec<Pairs>,
    token: Vec<Token>,
    repair: Vec<RepairCase>,
}

#[derive(Deserialize)]
struct Case {
    why: String,
    text: Option<String>,
    #[serde(default)]
    texts: Vec<String>,
    int: Option<i64>,
    float: Option<f64>,
    float32: Option<f64>,
    kind: String,
    issue: Option<String>,
    number: Option<toml::Value>,
    sex: Option<String>,
    province: Option<String>,
    district: Option<String>,
    tehsil: Option<String>,
}

#[derive(Deserialize)]
struct SexCase {
    text: String,
    words: Vec<String>,
    issue: String,
}

#[derive(Deserialize)]
struct Pairs {
    pairs: Vec<(String, String, String, u8)>,
}

#[derive(Deserialize)]
struct Token {
    key: String,
    number: u64,
    hex: String,
}

#[derive(Deserialize)]
struct RepairCase {
    why: String,
    text: Option<String>,
    #[serde(default)]
    texts: Vec<String>,
    sex: Option<String>,
    registry: Option<Vec<u64>>,
    log_ratio: Option<f64>,
    threshold: Option<f64>,
    outcome: String,
    best: Option<(u64, String)>,
    at_least: Option<f64>,
}

fn vectors() -> Vectors {
    let text = std::fs::read_to_string(format!("{ROOT}/tests/vectors/cnic.toml")).unwrap();
    toml::from_str(&text).unwrap()
}

fn table() -> PrefixTable {
    let path = format!("{ROOT}/python/nser_pmt/data/cnic/prefixes.csv");
    PrefixTable::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn every_form_has_its_outcome() {
    let table = table();
    for case in vectors().case {
        let mut readings: Vec<(String, Reading)> = vec![];
        let texts: Vec<String> = case.text.iter().chain(&case.texts).cloned().collect();
        readings.extend(texts.iter().map(|t| (t.clone(), read::text(t.as_bytes()))));
        readings.extend(case.int.map(|x| ("int".to_owned(), read::integer(x.into()))));
        readings.extend(case.float.map(|x| ("float".to_owned(), read::float(x))));
        readings.extend(case.float32.map(|x| ("float32".to_owned(), read::float32(x as f32))));
        assert!(!readings.is_empty(), "{}", case.why);
        for (i, (form, reading)) in readings.iter().enumerate() {
            let label = format!("{}: {form}", case.why);
            let found = table.judge(reading, None);
            assert_eq!(found.kind.name(), case.kind, "{label}");
            assert_eq!(found.issue.name(), case.issue.as_deref().unwrap_or("none"), "{label}");
            let number = match &case.number {
                Some(toml::Value::Array(numbers)) => numbers[i].as_integer(),
                other => other.as_ref().and_then(toml::Value::as_integer),
            };
            assert_eq!(found.number(), number.map(|n| n as u64), "{label}");
            assert_eq!(found.sex.map(Sex::name), case.sex.as_deref(), "{label}");
            let place = table.place(found.place);
            assert_eq!(place.province, case.province.as_deref(), "{label}");
            assert_eq!(place.district, case.district.as_deref(), "{label}");
            assert_eq!(place.tehsil, case.tehsil.as_deref(), "{label}");
            if i < texts.len() {
                assert_eq!(parse_text(form.as_bytes(), &table, None), found, "{label}");
            }
        }
    }
}

#[test]
fn the_last_digit_is_compared_with_the_recorded_sex() {
    let table = table();
    for case in vectors().sex {
        for word in &case.words {
            let found = parse_text(case.text.as_bytes(), &table, Sex::from_text(word.as_bytes()));
            assert_eq!(found.issue.name(), case.issue, "{word}");
        }
    }
}

#[test]
fn slips_have_their_class() {
    for (a, b, class, count) in vectors().distance.into_iter().flat_map(|d| d.pairs) {
        let (x, y) = (read::text(a.as_bytes()).digits, read::text(b.as_bytes()).digits);
        let found = distance(x, y);
        assert_eq!((found.0.name(), found.1), (&*class, count), "{a} {b}");
        let back = distance(y, x);
        let mirrored = match found.0 {
            Edit::Omission => Edit::Insertion,
            Edit::Insertion => Edit::Omission,
            other => other,
        };
        assert_eq!(back, (mirrored, found.1));
    }
}

#[test]
fn tokens_are_those_of_other_tools() {
    for token in vectors().token {
        let bytes: Vec<u8> = (0..token.key.len() / 2)
            .map(|i| u8::from_str_radix(&token.key[2 * i..2 * i + 2], 16).unwrap())
            .collect();
        let found = Key::new(&bytes).unwrap().token(token.number);
        let hex: String = found.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, token.hex);
    }
}

#[test]
fn repairs_are_found_or_refused() {
    let table = table();
    for case in vectors().repair {
        let index = case.registry.as_ref().map(|n| Index::new(n.iter().map(|n| Some(*n))).unwrap());
        let repairer = Repairer {
            table: &table,
            index: index.as_ref(),
            error_rate: 0.01,
            coverage: 0.9,
            threshold: case.threshold.unwrap_or(0.9),
            limit: 3,
        };
        for text in case.text.iter().chain(&case.texts) {
            let sex = case.sex.as_ref().and_then(|s| Sex::from_text(s.as_bytes()));
            let found = repairer.repair(&read::text(text.as_bytes()), sex, |_| case.log_ratio);
            let label = format!("{}: {text}: {found:?}", case.why);
            assert_eq!(found.outcome.name(), case.outcome, "{label}");
            let best = found.candidates.first();
            assert_eq!(best.map(|b| b.number), case.best.as_ref().map(|b| b.0), "{label}");
            assert_eq!(best.map(|b| b.edit.name()), case.best.as_ref().map(|b| &*b.1), "{label}");
            assert!(best.is_none_or(|b| b.posterior >= case.at_least.unwrap_or(0.0)), "{label}");
            let sum: f64 = found.candidates.iter().map(|c| c.posterior).sum();
            assert!(sum <= 1.0 + 1e-12, "{label}");
            assert!(found.candidates.is_sorted_by(|a, b| a.posterior >= b.posterior), "{label}");
        }
    }
}

/// Random numbers around the prefixes of the table, in the forms the fast path takes, and near them.
#[test]
fn the_fast_path_agrees_with_the_general_one() {
    let table = table();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = move |n: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % n
    };
    let repeated = (1..10).map(|d| d * 1_111_111_111_111);
    let runs = (0..10).flat_map(|s| {
        let run = |step: u64| (0..13).fold(0, |n, i| n * 10 + (s + step * i) % 10);
        [run(1), run(9)]
    });
    let rounded = (0..100_000).map(|prefix| prefix * 100_000_000);
    let mut numbers: Vec<u64> = repeated.chain(runs).chain(rounded).collect();
    numbers.extend((0..200_000).map(|i| match i % 4 {
        0 => draw(10_000_000_000_000),
        1 => draw(100_000) * 100_000_000 + draw(100) * 1_000_000,
        2 => draw(100_000) * 100_000_000 + draw(10) * 11_111_110 + draw(10),
        _ => (draw(900) + 100) * 10_000_000_000 + draw(10_000_000_000) % 1_000_000_000,
    }));
    for number in numbers {
        let bare = format!("{number:013}");
        let dashed = format!("{}-{}-{}", &bare[..5], &bare[5..12], &bare[12..]);
        let sex = Some(Sex::of_number(number + u64::from(number % 7 == 0)));
        let slow = table.judge(&read::text(bare.as_bytes()), sex);
        assert_eq!(parse_text(bare.as_bytes(), &table, sex), slow, "{bare}");
        assert_eq!(parse_text(dashed.as_bytes(), &table, sex), slow, "{bare}");
        if number >= 1_000_000_000_000 {
            assert_eq!(table.judge(&read::integer(number.into()), sex), slow, "{bare}");
            assert_eq!(table.judge(&read::float(number as f64), sex), slow, "{bare}");
        }
    }
}

#[derive(PartialEq, Debug)]
struct Row(Option<u64>, u8, u8, [Option<String>; 3], Option<u8>);

fn row(table: &PrefixTable, found: Parsed) -> Row {
    let place = table.place(found.place);
    let names = [place.province, place.district, place.tehsil].map(|n| n.map(str::to_owned));
    Row(found.number(), found.kind as u8, found.issue as u8, names, found.sex.map(|s| s as u8))
}

fn row_of(table: &PrefixTable, columns: &Columns, i: usize) -> Row {
    let bit = |words: &[u64]| words[i / 64] >> (i % 64) & 1 == 1;
    let name =
        |valid: &[u64], names: &[String], code: usize| bit(valid).then(|| names[code].clone());
    let number = bit(&columns.has_number.words);
    let places = [
        name(&columns.has_province.words, table.provinces(), columns.province[i].into()),
        name(&columns.has_district.words, table.districts(), columns.district[i].into()),
        name(&columns.has_tehsil.words, table.tehsils(), columns.tehsil[i].into()),
    ];
    let (value, sex) = (columns.number[i], columns.sex[i]);
    assert!(number || (value, sex) == (0, 0), "a code under a null is 0");
    Row(number.then_some(value), columns.kind[i], columns.issue[i], places, number.then_some(sex))
}

/// Every layout of text, with and without nulls, literals and recorded sexes.
#[test]
fn columns_parse_as_single_values_do() {
    let table = table();
    let cases = vectors().case;
    let texts: Vec<&str> =
        cases.iter().flat_map(|c| c.text.iter().chain(&c.texts)).map(String::as_str).collect();
    let (mut data, mut ends) = (String::new(), vec![0_i64]);
    for text in &texts {
        data.push_str(text);
        ends.push(data.len() as i64);
    }
    let strings = Strings::Offsets64(&ends, data.as_bytes());
    let rows = 3 * texts.len() + 1;
    let codes: Vec<u16> = (0..rows).map(|i| (i * 7 % texts.len()) as u16).collect();
    let valid: Vec<u8> = (0..rows.div_ceil(8)).map(|i| (i * 89 + 55) as u8).collect();
    let bits = Bits::new(&valid, 0, rows).unwrap();
    let words = Strings::Offsets32(&[0, 4, 10, 10], b"malefemale");
    let word_codes: Vec<u8> = (0..rows).map(|i| (i % 3) as u8).collect();
    let sexes = Column { values: Values::Dict(Codes::U8(&word_codes), words), validity: None };
    let sex = |i: usize| [Some(Sex::Male), Some(Sex::Female), None][i % 3];

    let plain = Column { values: Values::Str(strings.clone()), validity: None };
    let columns = Columns::parse(&plain, None, texts.len(), &table);
    for (i, text) in texts.iter().enumerate() {
        let one = parse_text(text.as_bytes(), &table, None);
        assert_eq!(row_of(&table, &columns, i), row(&table, one), "{text}");
    }
    let coded = Column { values: Values::Dict(Codes::U16(&codes), strings), validity: Some(bits) };
    for sexes in [None, Some(&sexes)] {
        let columns = Columns::parse(&coded, sexes, rows, &table);
        let mut nulls = 0;
        for i in 0..rows {
            let text = texts[usize::from(codes[i])];
            let found = match (bits.get(i), sexes) {
                (false, _) => table.judge(&Reading::missing(), None),
                (true, None) => parse_text(text.as_bytes(), &table, None),
                (true, Some(_)) => parse_text(text.as_bytes(), &table, sex(i)),
            };
            nulls += usize::from(found.number().is_none());
            assert_eq!(row_of(&table, &columns, i), row(&table, found), "{text}");
        }
        assert_eq!(columns.has_number.nulls, nulls);
    }
    let one = Column { values: Values::I64(&[3520212345671]), validity: None };
    let columns = Columns::parse(&one, Some(&sexes), rows, &table);
    assert!((0..rows).all(|i| columns.number[i] == 3520212345671));
    let mismatch = |i: usize| columns.issue[i] == Issue::SexMismatch as u8;
    assert!((0..rows).all(|i| mismatch(i) == (i % 3 == 1)));
    let none = Columns::parse(&Column::null(5), None, 5, &table);
    assert!(none.kind.iter().all(|k| *k == Kind::Missing as u8) && none.has_number.nulls == 5);
}

/// Bytes of all sorts: an answer, and the same one each time.
#[test]
fn any_bytes_give_an_answer() {
    let table = table();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let alphabet = "0123456789-. /eE+OlSxX*,|\u{200f}\u{06f3}\u{0643}\u{0301}A\u{1F600}".as_bytes();
    for _ in 0..300_000 {
        let length = draw() % 24;
        let mut bytes: Vec<u8> =
            (0..length).map(|_| alphabet[draw() as usize % alphabet.len()]).collect();
        if draw() % 8 == 0 {
            bytes.push(draw() as u8);
        }
        let found = parse_text(&bytes, &table, None);
        assert_eq!(found.number().is_some(), found.kind == Kind::Cnic);
        if let Some(number) = found.number() {
            assert!((1_000_000_000_000..10_000_000_000_000).contains(&number));
        }
    }
    for long in ["3".repeat(1_000_000), "\u{0627}".repeat(500_000), " ".repeat(1_000_000)] {
        assert_eq!(parse_text(long.as_bytes(), &table, None).number(), None);
    }
}
