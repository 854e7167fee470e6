//! Scores of rows: the numbers that scoring the frame itself gives, to the bit.

use super::BLOCK;
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
    if !formula.is_exact() {
        for (scores, start) in scores.chunks_mut(BLOCK).zip((start..).step_by(BLOCK)) {
            formula.scores_of_rows(codes, start, scores);
        }
    }
    let sums = sums.get(start..).unwrap_or(&[]);
    for ((row, &sum), (score, status)) in
        (start..).zip(sums).zip(scores.iter_mut().zip(status.iter_mut()))
    {
        if formula.is_exact() {
            let model = codes.stratum(row).filter(|_| sum > INVALID);
            let found = model.and_then(|model| formula.score_of(model, sum));
            *score = found.unwrap_or(f64::NAN);
        }
        *status = if score.is_nan() { formula.status_row(codes, row) } else { Status::Ok as u8 };
    }
}
