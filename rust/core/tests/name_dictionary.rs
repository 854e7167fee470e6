//! Names compared by code, against the same names compared as they are written.

use std::sync::Arc;

use nser_core::name::{
    Comparer, CostTable, Frequencies, GuardPairs, Match, NameDictionary, PreparedComparer,
};

const COSTS: &str = include_str!("../../../python/nser_pmt/data/names/edit_costs.tsv");
const FREQUENCIES: &str = include_str!("../../../python/nser_pmt/data/names/token_frequencies.csv");
const GUARD: &str = include_str!("../../../python/nser_pmt/data/names/guard_pairs.csv");

/// Words that are a token by themselves, and words that belong to their neighbours.
const WORDS: [&str; 48] = [
    "Zubair",
    "MOHD.",
    "Khan",
    "Syed",
    "Bibi",
    "Jan",
    "Abdul",
    "Ghulam",
    "Ullah",
    "ud",
    "Din",
    "ur",
    "Rehman",
    "Azizur",
    "Habib",
    "Nizamuddin",
    "Noor",
    "Jahan",
    "Noorjahan",
    "s/o",
    "urf",
    "@",
    "M.",
    "Allah",
    "Ditta",
    "Umme",
    "Kulsoom",
    "wife",
    "of",
    "Bi",
    "Ch",
    "محمد",
    "اصف",
    "عبد",
    "الرحمن",
    "بی",
    "نور",
    "جہان",
    "نورجہان",
    "Asif",
    "Aasif",
    "Zubiar",
    "Rashid",
    "Rasheed",
    "Khalida",
    "Ali",
    "Raza",
    "--",
];

#[test]
fn a_name_by_code_is_the_name_as_written() {
    let costs = CostTable::parse(COSTS).unwrap();
    let frequencies = Arc::new(Frequencies::parse(FREQUENCIES).unwrap());
    let guard = GuardPairs::parse(GUARD).unwrap();
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let mut names: Vec<String> = vec![];
    for _ in 0..1500 {
        let words: Vec<&str> = (0..[1, 2, 2, 3, 3, 4, 5, 9, 40][random(9)])
            .map(|_| WORDS[random(WORDS.len())])
            .collect();
        names.push(words.join(" "));
        let mut slipped: Vec<char> = words.join(" ").chars().collect();
        let at = random(slipped.len());
        slipped[at] = char::from(b'a' + random(26) as u8);
        names.push(slipped.into_iter().collect());
        let turned: Vec<&str> = words.iter().rev().skip(random(2)).copied().collect();
        names.push(turned.join(" "));
    }
    let raw = names.iter().map(String::as_bytes);
    let dictionary = NameDictionary::new(raw, &costs, Arc::clone(&frequencies), &guard);
    assert_eq!(dictionary.len(), names.len());
    let mut by_code = PreparedComparer::new(&dictionary);
    let mut as_written = Comparer::new(&costs, &frequencies, &guard, 100);
    let (mut below, mut nothing) = (0, 0);
    for k in 0..30_000 {
        // Every third pair is of names with the same words.
        let a = random(names.len());
        let b = if k % 3 == 0 { a / 3 * 3 + random(3) } else { random(names.len()) };
        let want = as_written.compare(names[a].as_bytes(), names[b].as_bytes());
        let has_tokens = [a, b].iter().all(|code| dictionary.has_token(*code as u32));
        assert_eq!(want.is_some(), has_tokens, "{} | {}", names[a], names[b]);
        let similarity = want.map_or(0.5, |c| c.similarity);
        for lowest in [0.0, 0.4, 0.75, 0.95, 1.0, similarity, similarity + 1e-9] {
            let found = by_code.compare(a as u32, b as u32, lowest);
            if found != want {
                let found = found.unwrap();
                assert!(similarity < lowest, "{} | {} from {lowest}", names[a], names[b]);
                assert_eq!((found.similarity, found.kind), (0.0, Match::Different));
                nothing += 1;
            }
            below += usize::from(similarity < lowest);
        }
    }
    assert!(nothing * 5 > below, "{nothing} of {below} told apart at the first look");
    assert_eq!(by_code.compare(0, names.len() as u32, 0.0), None);
}
