//! Small registries for the tests of this folder.

use std::sync::Arc;

use super::codes::Codes;
use super::formula::{Formula, Points};
use crate::pmt::Plan;

/// Steps that rise, fall and stand still.
pub(super) const STEPS: [&str; 4] = [
    "",
    r#"{"kind": "round", "digits": 0, "mode": "half_even"}"#,
    r#"{"kind": "affine", "multiply": -2.5, "add": 1.0}, {"kind": "clip", "min": -60.0, "max": 1e9}"#,
    r#"{"kind": "clip", "min": 3.0, "max": 3.0}"#,
];

/// Random codes of `slots` questions with two to sixty-odd answers, the first of which is missing.
pub(super) fn codes(rows: usize, slots: usize) -> Codes {
    let mut state = 88_172_645_463_325_252u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let mut codes = Codes { rows, ..Codes::default() };
    for slot in 0..slots {
        let answers = 2 + slot * 11 % 63;
        let mut code = || if random(50) == 0 { 0 } else { 1 + random(answers) as u8 };
        let column: Vec<u8> = (0..rows).map(|_| code()).collect();
        codes.seen.push(std::array::from_fn(|c| column.contains(&(c as u8))));
        codes.slots.push(column);
    }
    codes.groups.push((0..rows).map(|_| random(5) as u16).collect());
    codes
}

/// Points that are multiples of one part of `parts`, null for code 0.
pub(super) fn formula(codes: &Codes, parts: f64, salt: usize, steps: &str) -> Formula {
    let program = format!(
        r#"{{"inputs": [], "models": [{{"intercept": 0.25, "terms": []}}], "steps": [{steps}]}}"#
    );
    let plan = Plan::from_json(program.as_bytes()).unwrap();
    let points = (0..codes.slots.len()).map(|slot| Points {
        points: std::array::from_fn(|c| match c {
            0 => f64::NAN,
            // Only the first slots change with the salt.
            _ => ((c * 7 + slot * 5 + if slot < 2 { salt } else { 0 }) % 23) as f64 / parts,
        }),
        status: std::array::from_fn(|c| u8::from(c == 0)),
    });
    Formula::new(Arc::new(plan), points.collect(), codes, None)
}

/// Halves, tenths and thirds: doubles hold the first, no unit the last.
pub(super) const PARTS: [f64; 3] = [2.0, 10.0, 3.0];
