//! How two numbers differ, in the classes of slips that people make when they copy numbers
//! (J. Verhoeff, Error Detecting Decimal Codes, 1969).

use super::digits::Digits;
use super::kind::named;

named! {
    /// What turns the first number into the second.
    Edit {
        /// Nothing.
        Equal = "equal",
        /// One digit is another.
        Substitution = "substitution",
        /// Two neighbours have changed places.
        AdjacentSwap = "adjacent_swap",
        /// Two digits with one between them have changed places.
        JumpSwap = "jump_swap",
        /// Two equal neighbours are another pair: 44 for 33.
        Twin = "twin",
        /// Two equal digits around a third are another pair: 414 for 313.
        JumpTwin = "jump_twin",
        /// One digit is left out.
        Omission = "omission",
        /// One digit is too many.
        Insertion = "insertion",
        /// Letters were read as the digits they look like.
        OcrLetters = "ocr_letters",
        /// More than one slip.
        Other = "other",
    }
}

/// The class of the difference and the number of single slips: substitutions, adjacent swaps,
/// omissions and insertions (optimal string alignment). One slip of any class counts 1.
#[must_use]
pub fn distance(a: Digits, b: Digits) -> (Edit, u8) {
    let (x, y) = (a.array(), b.array());
    let (x, y) = (x.get(..a.len).unwrap_or(&[]), y.get(..b.len).unwrap_or(&[]));
    let class = match x.len().cmp(&y.len()) {
        std::cmp::Ordering::Equal => same_length(x, y),
        std::cmp::Ordering::Greater if lacks_one(x, y) => Edit::Omission,
        std::cmp::Ordering::Less if lacks_one(y, x) => Edit::Insertion,
        _ => Edit::Other,
    };
    let count = match class {
        Edit::Equal => 0,
        Edit::Other => alignment(x, y),
        _ => 1,
    };
    (class, count)
}

fn same_length(x: &[u8], y: &[u8]) -> Edit {
    let mut differs = x.iter().zip(y).enumerate().filter(|(_, (p, q))| p != q).map(|(i, _)| i);
    let at = |v: &[u8], i: usize| v.get(i).copied();
    match [differs.next(), differs.next(), differs.next()] {
        [None, ..] => Edit::Equal,
        [Some(_), None, _] => Edit::Substitution,
        [Some(i), Some(j), None] if j <= i + 2 => {
            let swapped = at(x, i) == at(y, j) && at(x, j) == at(y, i);
            let twins = at(x, i) == at(x, j) && at(y, i) == at(y, j);
            match (j - i, swapped, twins) {
                (1, true, _) => Edit::AdjacentSwap,
                (1, _, true) => Edit::Twin,
                (_, true, _) => Edit::JumpSwap,
                (_, _, true) => Edit::JumpTwin,
                _ => Edit::Other,
            }
        }
        _ => Edit::Other,
    }
}

/// Whether `short` is `long` without one digit.
fn lacks_one(long: &[u8], short: &[u8]) -> bool {
    let same = long.iter().zip(short).take_while(|(p, q)| p == q).count();
    long.len() == short.len() + 1 && long.get(same + 1..) == short.get(same..)
}

/// Optimal string alignment distance of two rows of at most 19 digits, a row of the table in one word
/// (H. Hyyrö, A Bit-Vector Algorithm for Computing Levenshtein and Damerau Edit Distances, 2003).
fn alignment(x: &[u8], y: &[u8]) -> u8 {
    let mut places = [0_u32; 16];
    for (i, p) in x.iter().enumerate() {
        places.get_mut(usize::from(*p)).into_iter().for_each(|bits| *bits |= 1 << i);
    }
    let Some(end) = x.len().checked_sub(1).map(|last| 1_u32 << last) else { return y.len() as u8 };
    let (mut more, mut less, mut diagonal, mut before) = (u32::MAX, 0_u32, 0_u32, 0_u32);
    let mut distance = x.len() as u8;
    for q in y {
        let equal = places.get(usize::from(*q)).copied().unwrap_or(0);
        let swapped = (!diagonal & equal) << 1 & before;
        diagonal = ((equal & more).wrapping_add(more) ^ more) | equal | less | swapped;
        let (up, down) = (less | !(diagonal | more), diagonal & more);
        distance = distance + u8::from(up & end != 0) - u8::from(down & end != 0);
        let (up, down) = (up << 1 | 1, down << 1);
        (more, less) = (down | !(diagonal | up), up & diagonal);
        before = equal;
    }
    distance
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table, row by row.
    fn alignment_by_rows(x: &[u8], y: &[u8]) -> u8 {
        let mut before = [0_u8; 20];
        let mut row: [u8; 20] = std::array::from_fn(|i| i as u8);
        let mut previous_digit = None;
        for (i, p) in (1_u8..).zip(x) {
            let mut next = [i; 20];
            let mut left = None;
            for (j, q) in y.iter().enumerate() {
                let cell = |row: &[u8; 20], j: usize| row.get(j).copied().unwrap_or(u8::MAX);
                let changed = cell(&row, j) + u8::from(p != q);
                let mut best = changed.min(cell(&row, j + 1) + 1).min(cell(&next, j) + 1);
                if previous_digit == Some(q) && left == Some(p) && j > 0 {
                    best = best.min(cell(&before, j - 1) + 1);
                }
                next.get_mut(j + 1).into_iter().for_each(|to| *to = best);
                left = Some(q);
            }
            before = row;
            row = next;
            previous_digit = Some(p);
        }
        row.get(y.len()).copied().unwrap_or(u8::MAX)
    }

    #[test]
    fn alignment_is_that_of_the_table() {
        let mut state = 5_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        let mut seen = [0; 20];
        for _ in 0..20_000 {
            let digits = 2 + random(9);
            let mut row = |len: u64| (0..len).map(|_| random(digits) as u8).collect::<Vec<u8>>();
            let x = row(19);
            let mut y = row(19);
            let keep = random(20) as usize;
            y[..keep].copy_from_slice(&x[..keep]);
            y.swap(random(19) as usize, random(19) as usize);
            let (x, y) = (&x[..random(20) as usize], &y[..random(20) as usize]);
            let distance = alignment(x, y);
            assert_eq!(distance, alignment_by_rows(x, y), "{x:?} {y:?}");
            seen[usize::from(distance)] += 1;
        }
        assert!(seen.iter().all(|n| *n > 0), "{seen:?}");
    }

    fn digits(text: &str) -> Digits {
        let mut out = Digits::default();
        text.bytes().for_each(|b| out.push(b - b'0', false));
        out
    }

    #[test]
    fn classes_of_slips() {
        for (a, b, class, count) in [
            ("3520212345671", "3520212345671", Edit::Equal, 0),
            ("3520212345671", "3520212345571", Edit::Substitution, 1),
            ("3520212345671", "3520212354671", Edit::AdjacentSwap, 1),
            ("3520212345671", "3520213245761", Edit::Other, 2),
            ("3520212345671", "3520212543671", Edit::JumpSwap, 1),
            ("3520233345671", "3520244345671", Edit::Twin, 1),
            ("3520232345671", "3520252645671", Edit::Other, 2),
            ("3520323345671", "3520424345671", Edit::JumpTwin, 1),
            ("3520212345671", "352021235671", Edit::Omission, 1),
            ("352021235671", "3520212345671", Edit::Insertion, 1),
            ("352021234567", "9920212345671", Edit::Other, 3),
            ("", "3", Edit::Insertion, 1),
        ] {
            assert_eq!(distance(digits(a), digits(b)), (class, count), "{a} {b}");
        }
    }
}
