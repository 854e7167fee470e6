//! Scores of rows: the numbers that scoring the frame itself gives, to the bit.

use super::codes::Codes;
use super::formula::Formula;
use super::sums::INVALID;
use crate::pmt::Status;

/// Writes scores and [`Status`] codes of rows `start ..`; a score that is null is NaN. `sums` are
/// all the sums.
pub fn scores_into(
    formula: &Formula,
    codes: &Codes,
    sums: &[i32],
    start: usize,
    scores: &mut [f64],
    status: &mut [u8],
) {
    let sums = sums.get(start..).unwrap_or(&[]);
    for ((row, &sum), (score, status)) in
        (start..).zip(sums).zip(scores.iter_mut().zip(status.iter_mut()))
    {
        let found = match codes.stratum(row) {
            Some(model) if formula.is_exact() && sum > INVALID => formula.score_of(model, sum),
            Some(_) if sum > INVALID => formula.score_row(codes, row),
            _ => None,
        };
        *score = found.unwrap_or(f64::NAN);
        let null = || formula.status_row(codes, row);
        *status = found.map_or_else(null, |_| Status::Ok as u8);
    }
}
