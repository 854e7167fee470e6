//! The shared cases of `tests/vectors/scoring.toml`, and the column path against the row path.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test")]

use std::collections::BTreeSet;

use nser_core::column::{Bits, Codes, Column, Strings, Value, Values};
use nser_core::isa::Isa;
use nser_core::pmt::{Plan, Status};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    program: String,
    rows: Vec<Vec<toml::Value>>,
    want: Vec<(toml::Value, String)>,
}

fn value(cell: &toml::Value) -> Value<'_> {
    match cell {
        toml::Value::String(s) if s == "NULL" => Value::Missing,
        toml::Value::String(s) => Value::Str(s.as_bytes()),
        toml::Value::Boolean(b) => Value::Bool(*b),
        toml::Value::Integer(i) => Value::Int(*i),
        toml::Value::Float(x) => Value::Float(*x),
        _ => panic!("a cell is text, a boolean or a number"),
    }
}

/// A column's own memory, in a form chosen by `form`, for views to borrow.
struct Owned {
    kind: char,
    numbers: Vec<f64>,
    texts: Vec<Vec<u8>>,
    data: Vec<u8>,
    ends: Vec<i64>,
    codes: Vec<u8>,
    wide: Vec<u32>,
    bits: Vec<u8>,
    valid: Vec<u8>,
    dictionary: (Vec<u8>, Vec<i64>),
    form: usize,
}

impl Owned {
    fn new(cells: &[Value<'_>], kind: char, form: usize) -> Self {
        let (mut numbers, mut texts, mut bits) = (vec![], vec![], vec![0; cells.len() / 8 + 1]);
        let mut valid = vec![0; cells.len() / 8 + 1];
        for (i, cell) in cells.iter().enumerate() {
            let missing = *cell == Value::Missing;
            valid[i / 8] |= u8::from(!missing) << (i % 8);
            let (mut number, mut text) = (f64::NAN, vec![]);
            match *cell {
                Value::Bool(b) => bits[i / 8] |= u8::from(b) << (i % 8),
                Value::Int(x) => number = x as f64,
                Value::Float(x) => number = x,
                Value::Str(s) => text = s.to_vec(),
                _ => {}
            }
            numbers.push(number);
            texts.push(text);
        }
        let levels: Vec<Vec<u8>> =
            texts.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        let code = |t: &Vec<u8>| levels.iter().position(|l| l == t).unwrap();
        let codes = texts.iter().map(|t| code(t) as u8).collect();
        let wide = texts.iter().map(|t| code(t) as u32).collect();
        let (data, ends) = join(&texts);
        let dictionary = join(&levels);
        Self { kind, numbers, texts, data, ends, codes, wide, bits, valid, dictionary, form }
    }

    fn column(&self) -> Column<'_> {
        let n = self.texts.len();
        let levels = Strings::Offsets64(&self.dictionary.1, &self.dictionary.0);
        let values = match (self.kind, self.form % 3) {
            ('b', _) => Values::Bool(Bits::new(&self.bits, 0, n).unwrap()),
            ('t', 0) => Values::Str(Strings::Offsets64(&self.ends, &self.data)),
            ('t', 1) => Values::Dict(Codes::U8(&self.codes), levels),
            ('t', _) => Values::Dict(Codes::U32(&self.wide), levels),
            _ => Values::F64(&self.numbers),
        };
        Column { values, validity: Some(Bits::new(&self.valid, 0, n).unwrap()) }
    }
}

/// What a column of a case holds: text, booleans or numbers.
fn kind(case: &Case, c: usize) -> char {
    let kinds = case.rows.iter().map(|row| match value(&row[c]) {
        Value::Str(_) => 't',
        Value::Bool(_) => 'b',
        Value::Missing => ' ',
        _ => 'n',
    });
    kinds.max().unwrap()
}

fn join(texts: &[Vec<u8>]) -> (Vec<u8>, Vec<i64>) {
    let mut ends = vec![0];
    ends.extend(texts.iter().scan(0, |end, t| {
        *end += t.len() as i64;
        Some(*end)
    }));
    (texts.concat(), ends)
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors/scoring.toml");
    let text = std::fs::read_to_string(path).unwrap();
    toml::from_str::<Vectors>(&text).unwrap().case
}

#[test]
fn rows_score_as_worked_by_hand() {
    for case in cases() {
        let plan = Plan::from_json(case.program.as_bytes()).unwrap();
        assert_eq!(case.rows.len(), case.want.len(), "{}", case.name);
        for (row, (score, status)) in case.rows.iter().zip(&case.want) {
            let found = plan.score_row(|c| value(&row[c])).unwrap();
            assert_eq!(found.score, score.as_float(), "{}: {row:?}", case.name);
            assert_eq!(found.status.name(), status, "{}: {row:?}", case.name);
            let parts = plan.explain_row(|c| value(&row[c]));
            if let Some(raw) = found.raw {
                let sum = parts.iter().fold(0.0, |sum, part| sum + part.points.unwrap());
                assert_eq!(sum, raw, "{}: {row:?}", case.name);
            }
        }
    }
}

/// Columns of thousands of rows drawn from a case's answers, against the row path, to the bit.
#[test]
fn columns_score_as_rows_do() {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut draw = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n as u64) as usize
    };
    for case in cases() {
        let plan = Plan::from_json(case.program.as_bytes()).unwrap();
        for rows in [0, 1, 2, 1023, 4095, 4096, 4097, 9000] {
            let form = draw(3);
            // One column at a time, so that answers meet in new combinations; mostly good ones.
            let drawn: Vec<Vec<Value<'_>>> = (0..plan.columns().len())
                .map(|c| {
                    let pick = |k: usize| value(&case.rows[k][c]);
                    (0..rows)
                        .map(|_| if draw(20) == 0 { pick(draw(case.rows.len())) } else { pick(0) })
                        .collect()
                })
                .collect();
            let owned: Vec<Owned> = drawn
                .iter()
                .enumerate()
                .map(|(c, cells)| Owned::new(cells, kind(&case, c), form))
                .collect();
            let columns: Vec<Column<'_>> = owned.iter().map(Owned::column).collect();
            for isa in Isa::available() {
                let (mut scores, mut status) = (vec![0.0; rows], vec![0; rows]);
                let bound = plan.bind(&columns, rows).unwrap().with_isa(isa);
                // In two calls, cut where no block ends.
                let cut = rows / 3;
                let (first, second) = (scores.split_at_mut(cut), status.split_at_mut(cut));
                bound.score_into(0, first.0, second.0).unwrap();
                bound.score_into(cut, first.1, second.1).unwrap();
                for row in 0..rows {
                    let one = plan.score_row(|c| columns[c].value(row)).unwrap();
                    let place = format!("{}, {isa:?}, row {row} of {rows}", case.name);
                    assert_eq!(status[row], one.status as u8, "{place}");
                    assert_eq!(
                        scores[row].to_bits(),
                        one.score.unwrap_or(f64::NAN).to_bits(),
                        "{place}"
                    );
                }
            }
        }
    }
}

#[test]
fn an_error_policy_names_the_first_row_and_shows_no_value() {
    let plan = Plan::from_json(
        br#"{"inputs": [{"name": "cnic", "parts": [{"column": "cnic", "integer": false}]}],
             "models": [{"intercept": 0.0, "terms": [
              {"id": "t", "kind": "levels", "inputs": [0], "missing": "error", "invalid": "error",
               "levels": [{"values": ["yes"], "points": 1.0}]}]}]}"#,
    )
    .unwrap();
    let mut cells = vec![Value::Str(b"yes"); 5000];
    cells[2500] = Value::Str(b"35202-1234567-1");
    cells[4000] = Value::Missing;
    let owned = Owned::new(&cells, 't', 1);
    let columns = [owned.column()];
    let (mut scores, mut status) = (vec![0.0; 5000], vec![0; 5000]);
    let error =
        plan.bind(&columns, 5000).unwrap().score_into(0, &mut scores, &mut status).unwrap_err();
    assert_eq!((error.row, error.column.as_str(), error.code), (2500, "cnic", "out_of_domain"));
    assert!(!error.to_string().contains("35202"), "{error}");
    assert!(scores[..2500].iter().all(|s| *s == 1.0));
    assert_eq!(Status::NAMES[usize::from(status[2499])], "ok");
}

#[test]
fn programs_that_make_no_sense_are_refused() {
    for (program, place) in [
        ("{", "line 1"),
        (r#"{"inputs": [], "models": []}"#, "exactly one"),
        (r#"{"inputs": [{"name": "a", "parts": []}], "models": []}"#, "'a'"),
        (
            r#"{"inputs": [], "models": [{"intercept": 0, "terms": [{"id": "t", "kind": "linear",
                "inputs": [3], "missing": "null", "invalid": "null", "coefficient": 1}]}]}"#,
            "'t'",
        ),
        (
            r#"{"inputs": [{"name": "r", "parts": [{"column": "a", "integer": false}, {"column": "b", "integer": false}]}],
                "models": [{"intercept": 0, "terms": [{"id": "t", "kind": "levels", "inputs": [0],
                "missing": "null", "invalid": "null", "levels": []}]}]}"#,
            "'r'",
        ),
    ] {
        let error = Plan::from_json(program.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(place), "{error}");
    }
}
