//! The cases of tests/vectors/name_similarity.toml, which Python runs too.

use nser_core::name::{Comparer, CostTable, Frequencies, GuardPairs, Match};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    a: String,
    b: String,
    r#match: String,
    similarity: [f64; 2],
}

const COSTS: &str = include_str!("../../../python/nser_pmt/data/names/edit_costs.tsv");
const FREQUENCIES: &str = include_str!("../../../python/nser_pmt/data/names/token_frequencies.csv");
const GUARD: &str = include_str!("../../../python/nser_pmt/data/names/guard_pairs.csv");

struct Tables(CostTable, Frequencies, GuardPairs);

#[expect(clippy::unwrap_used, reason = "the tables of the package can be read")]
fn tables() -> Tables {
    Tables(
        CostTable::parse(COSTS).unwrap(),
        Frequencies::parse(FREQUENCIES).unwrap(),
        GuardPairs::parse(GUARD).unwrap(),
    )
}

impl Tables {
    fn comparer(&self) -> Comparer<'_> {
        Comparer::new(&self.0, &self.1, &self.2, 100)
    }
}

#[test]
fn vectors() {
    let text = include_str!("../../../tests/vectors/name_similarity.toml");
    let cases: Cases = toml::from_str(text).unwrap();
    let tables = tables();
    let mut comparer = tables.comparer();
    for Case { a, b, r#match, similarity: [low, high] } in cases.case {
        for (a, b) in [(&a, &b), (&b, &a)] {
            let found = comparer.compare(a.as_bytes(), b.as_bytes()).unwrap();
            let (_, kind) = Match::NAMES[found.kind as usize];
            assert_eq!(kind, r#match, "{a} | {b}: {}", found.similarity);
            assert!((low..=high).contains(&found.similarity), "{a} | {b}: {}", found.similarity);
        }
    }
}

/// Words that are a token by themselves, and words that belong to their neighbours.
const WORDS: [&str; 40] = [
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
    "Habibullah",
    "Nizamuddin",
    "Noor",
    "Jahan",
    "Noorjahan",
    "s/o",
    "urf",
    "@",
    "M.",
    "A",
    "bi",
    "Haji",
    "(R)",
    "Col",
    "Allah",
    "Ditta",
    "Bin",
    "Abu",
    "Bakar",
    "son",
    "of",
    "زبیر",
    "محمد",
    "عبدال",
    "الرحمن",
    "123",
];

#[test]
fn the_answer_does_not_depend_on_what_was_met_before() {
    let tables = tables();
    let mut seasoned = tables.comparer();
    let mut state = 1u64;
    let mut name = || {
        let mut words = vec![];
        for _ in 0..1 + state % 4 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            words.push(WORDS[(state >> 33) as usize % WORDS.len()]);
        }
        words.join(" ")
    };
    for _ in 0..3000 {
        let (a, b) = (name(), name());
        let fresh = tables.comparer().compare(a.as_bytes(), b.as_bytes());
        assert_eq!(seasoned.compare(a.as_bytes(), b.as_bytes()), fresh, "{a} | {b}");
        assert_eq!(seasoned.compare(b.as_bytes(), a.as_bytes()), fresh, "{b} | {a}");
        // Two spaces, and a word that only the grammar can drop, lead past the shortcuts.
        let (long_a, long_b) = (format!("  {a} --"), format!("{b}   ,"));
        assert_eq!(seasoned.compare(long_a.as_bytes(), long_b.as_bytes()), fresh, "{a} | {b}");
    }
}

#[test]
fn long_and_broken_text_has_an_answer() {
    let tables = tables();
    let mut comparer = tables.comparer();
    let long = "zubair ".repeat(150_000);
    let word = "z".repeat(1_000_000);
    for text in [
        long.as_bytes(),
        word.as_bytes(),
        b"\xFF\xFEzubair",
        b"zubair\0",
        "زبیر\u{64B}\u{200F}".as_bytes(),
    ] {
        let same = comparer.compare(text, text).unwrap();
        assert_eq!((same.similarity, same.kind), (1.0, Match::Exact));
        let other = comparer.compare(text, b"Imran Raza").unwrap();
        assert!((0.0..1.0).contains(&other.similarity));
    }
    for nothing in [b"".as_slice(), b" . ", "\u{64B}".as_bytes(), b"s/o"] {
        if let Some(found) = comparer.compare(nothing, b"Zubair") {
            assert!(found.similarity < 1.0);
        }
    }
    assert_eq!(comparer.compare(b" - ", b"Zubair"), None);
}

#[test]
fn a_faulty_table_says_where() {
    let head = "# comment\nscripts\tx\ty\tplace\tweight\n";
    for (row, fault) in [
        ("roman roman\ta\ta\tany\t100", false),
        ("roman roman\ta\ta\tfirst\t100", true),
        ("roman roman\ta\ta\tany\t100000", true),
        ("roman roman\tabcd\ta\tany\t1", true),
        ("latin roman\ta\ta\tany\t1", true),
        ("roman roman\ta\ta\tmiddle\t1", true),
        ("roman roman\ta\ta\tany", true),
        ("roman roman\t\t\t10\t1", true),
    ] {
        let found = CostTable::parse(&format!("{head}{row}\n"));
        assert_eq!(found.err().map(|f| f.line), fault.then_some(3), "{row}");
    }
    assert_eq!(Frequencies::parse("token,count\n,10\nali\n").err().map(|f| f.line), Some(3));
    assert_eq!(GuardPairs::parse("a,b,cap\nx,y,2\n").err().map(|f| f.line), Some(2));
}
