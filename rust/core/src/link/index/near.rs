//! All numbers within one error of entry of a number.

use crate::link::packed::{MAX_LEN, PackedDigits};

/// Calls `emit` with the packed digits of the number and of every number within one error of entry
/// (see [`super::super::within_one::is_within_one`]), each once. About 300 for 13 digits.
pub(super) fn each_within_one(number: PackedDigits, mut emit: impl FnMut(u64)) {
    let (bits, len) = (number.bits(), number.len());
    let at = |place: usize| bits >> (4 * place) & 15;
    let below = |place: usize| bits & ((1 << (4 * place)) - 1);
    emit(bits);
    for place in 0..len {
        let digit = at(place);
        let others = (1..=10).filter(|other| *other != digit).map(|other| other ^ digit);
        others.clone().for_each(|change| emit(bits ^ change << (4 * place)));
        for second in (place + 1..=place + 2).filter(|second| *second < len) {
            let both = |change: u64| bits ^ change << (4 * place) ^ change << (4 * second);
            let apart = digit ^ at(second);
            if apart == 0 {
                others.clone().for_each(|change| emit(both(change)));
            } else {
                emit(both(apart));
            }
        }
        // Of equal neighbours any may be left out: that is one number.
        if len > 1 && (place == 0 || at(place - 1) != digit) {
            emit((bits >> (4 * place) >> 4) << (4 * place) | below(place));
        }
    }
    if len < MAX_LEN {
        for place in 0..=len {
            let high = bits >> (4 * place) << (4 * place) << 4;
            // Beside an equal one, a digit makes the number that it makes on the other side.
            let before = place.checked_sub(1).map(at);
            for digit in (1..=10).filter(|digit| Some(*digit) != before) {
                emit(high | digit << (4 * place) | below(place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::within_one::is_within_one;
    use std::collections::BTreeSet;

    #[test]
    fn they_are_all_there_and_nothing_else() {
        let all: Vec<PackedDigits> = (1..=5)
            .flat_map(|len| (0..10u64.pow(len)).map(move |value| (value, len as usize)))
            .filter_map(|(value, len)| PackedDigits::new(value, len))
            .collect();
        let numbers = all.iter().filter(|n| n.len() <= 4).step_by(97);
        for number in numbers {
            let mut found = BTreeSet::new();
            each_within_one(*number, |bits| assert!(found.insert(bits)));
            let near = all.iter().filter(|other| is_within_one(*number, **other));
            assert_eq!(found, near.map(|n| n.bits()).collect::<BTreeSet<_>>());
        }
        let longest = PackedDigits::new(1_234_567_890_123_456, 16).unwrap();
        each_within_one(longest, |bits| {
            let other = PackedDigits::of_bits(bits).unwrap();
            assert!(is_within_one(longest, other) || other == longest);
        });
    }
}
