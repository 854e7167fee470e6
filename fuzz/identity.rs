//! What any bytes must stand: called by the fuzz target and, on stable Rust, by a test.
//!
//! Nothing may panic, and the laws that hold for all input must hold. The bytes are texts, one a
//! line; the first two are also a pair.

use std::sync::LazyLock;

use nser_core::cnic::{
    Evidence, Index, PrefixTable, Reading, Repairer, Sex, Shown, distance, format, mask, normalize,
    parse_text, read,
};
use nser_core::isa::Isa;
use nser_core::name::{
    Comparer, CostTable, Frequencies, GuardPairs, KeyTokens, LABELS, Tokens, fold, key, romanize,
};
use nser_core::text::top_k::{Dictionary, Queries, Scorer, Search};
use nser_core::text::{Distance, Edit, Grams, Metric, Overlap, Query, Room, Side, Similarity};

static PREFIXES: LazyLock<PrefixTable> = LazyLock::new(|| {
    let csv = include_str!("../python/nser_pmt/data/cnic/prefixes.csv");
    PrefixTable::parse(csv).expect("the table of the package can be read")
});

static REGISTRY: LazyLock<Index> = LazyLock::new(|| {
    let numbers = (0..200).map(|n| Some(3_520_212_345_671 + n * 10));
    Index::new(numbers).expect("a small index")
});

static LIKENESS: LazyLock<(CostTable, Frequencies, GuardPairs)> = LazyLock::new(|| {
    let costs = CostTable::parse(include_str!("../python/nser_pmt/data/names/edit_costs.tsv"));
    let frequencies = include_str!("../python/nser_pmt/data/names/token_frequencies.csv");
    let guard = include_str!("../python/nser_pmt/data/names/guard_pairs.csv");
    let read = || {
        Some((costs.ok()?, Frequencies::parse(frequencies).ok()?, GuardPairs::parse(guard).ok()?))
    };
    read().expect("the tables of the package can be read")
});

/// Looks at every law; what takes long takes turns, by the length of the data.
pub fn feed(data: &[u8]) {
    let lines: Vec<&[u8]> = data.split(|&byte| byte == b'\n').collect();
    let first = lines.first().copied().unwrap_or_default();
    let second = lines.get(1).copied().unwrap_or_default();
    number(first, second);
    name(first);
    alike(first, second);
    similarities(first, second, data.len());
    distances(first, second);
    look_up(&lines, data.len());
}

fn number(first: &[u8], second: &[u8]) {
    let (reading, other) = (read::text(first), read::text(second));
    for sex in [None, Sex::from_text(second), Some(Sex::Male), Some(Sex::Female)] {
        let parsed = PREFIXES.judge(&reading, sex);
        assert_eq!(parsed, parse_text(first, &PREFIXES, sex));
        let place = PREFIXES.place(parsed.place);
        assert!(place.tehsil.is_none() || place.district.is_some());
        if let Some(number) = parsed.number() {
            layouts(number);
        }
    }
    repair(&reading, Sex::from_text(second));
    let (there, back) =
        (distance(reading.digits, other.digits), distance(other.digits, reading.digits));
    assert_eq!(there.1, back.1);
    let agreement = Evidence::equal_text(first, second);
    assert!(agreement.is_none_or(|a| (0.0..=1.0).contains(&a)));
}

fn layouts(number: u64) {
    assert_eq!(read::text(&format(number)).digits.value, number);
    assert_eq!(read::text(&normalize(number)).digits.value, number);
    for shown in ["none", "prefix", "first_five", "last"].iter().filter_map(|n| Shown::from_name(n))
    {
        assert!(mask(number, shown).contains(&b'*'));
    }
}

fn repair(reading: &Reading, sex: Option<Sex>) {
    for index in [None, Some(&*REGISTRY)] {
        let repairer = Repairer {
            table: &PREFIXES,
            index,
            error_rate: 0.01,
            coverage: 0.9,
            threshold: 0.5,
            limit: 5,
        };
        let found = repairer.repair(reading, sex, |_| None);
        let sum: f64 = found.candidates.iter().map(|c| c.posterior).sum();
        assert!(sum <= 1.0 + 1e-9 && found.candidates.len() <= 5);
        assert!(found.candidates.is_sorted_by(|a, b| a.posterior >= b.posterior));
    }
}

fn name(text: &[u8]) {
    let once = fold(text);
    assert_eq!(fold(once.as_bytes()), once);
    let mut tokens = Tokens::default();
    tokens.read(text);
    for token in tokens.tokens() {
        assert!(std::str::from_utf8(tokens.token(token)).is_ok_and(|text| !text.is_empty()));
        assert!(LABELS.get(usize::from(token.label())).is_some());
        let _ = tokens.stem(token);
    }
    let _ = (key(&tokens, KeyTokens::All), romanize(&tokens));
}

fn alike(first: &[u8], second: &[u8]) {
    let (costs, frequencies, guard) = &*LIKENESS;
    let mut comparer = Comparer::new(costs, frequencies, guard, 2);
    let found = comparer.compare(first, second);
    assert!(found.is_none_or(|c| (0.0..=1.0).contains(&c.similarity)));
    assert_eq!(comparer.compare(second, first), found);
    assert!(comparer.compare(first, first).is_none_or(|c| c.similarity == 1.0));
}

fn similarities(first: &[u8], second: &[u8], turn: usize) {
    let room = &mut Room::default();
    let bigrams = Grams::new(2, true, false).expect("from 1 to 6");
    let metrics = [
        Metric::Jaro,
        Metric::JaroWinkler,
        Metric::Edit(Edit::Levenshtein),
        Metric::Edit(Edit::Osa),
        Metric::Edit(Edit::DamerauLevenshtein),
        Metric::TokenSort,
        Metric::TokenSet,
        Metric::Grams(Overlap::Jaccard, bigrams),
        Metric::Grams(Overlap::Dice, bigrams),
    ];
    for (n, similarity) in metrics.map(Similarity::new).into_iter().enumerate() {
        let found = similarity.of(first, second, room);
        assert!((0.0..=1.0).contains(&found), "{similarity:?}");
        assert_eq!(similarity.of(second, first, room), found, "{similarity:?}");
        assert_eq!(similarity.of_query(&Query::new(first), second, room), found, "{similarity:?}");
        let cut = similarity.with_cutoff(0.8).of(first, second, room);
        assert!(cut == found || cut == 0.0, "{similarity:?}");
        let isas = if turn % metrics.len() == n { Isa::available() } else { vec![] };
        for isa in isas {
            let mut out = [-1.0];
            similarity.fill(isa, &Side::One(first), &Side::One(second), &mut out);
            assert_eq!(out, [found], "{similarity:?}, {isa:?}");
        }
    }
}

fn distances(first: &[u8], second: &[u8]) {
    let room = &mut Room::default();
    let mut last = u32::MAX;
    // Each may do what the one before does.
    for edit in [Edit::Levenshtein, Edit::Osa, Edit::DamerauLevenshtein] {
        let distance = Distance::new(edit);
        let found = distance.of(first, second, room);
        assert!(found <= last, "{edit:?}");
        assert_eq!(distance.of(second, first, room), found, "{edit:?}");
        assert_eq!(distance.of_query(&Query::new(first), second, room), found, "{edit:?}");
        assert_eq!(distance.with_cutoff(2).of(first, second, room), found.min(3), "{edit:?}");
        last = found;
    }
}

fn look_up(lines: &[&[u8]], turn: usize) {
    let rows: Vec<Option<&[u8]>> = lines.iter().take(24).map(|line| Some(*line)).collect();
    let texts = &rows[..];
    let queries = Queries::new(&texts);
    assert!(queries.distinct().len() <= rows.len());
    let dictionary = Dictionary::new(&texts);
    let asked: Vec<&[u8]> = rows.iter().flatten().take(4).copied().collect();
    let room = &mut Room::default();
    let (scorer, metric) = match turn % 2 {
        0 => (Scorer::JaroWinkler, Metric::JaroWinkler),
        _ => (Scorer::Levenshtein, Metric::Edit(Edit::Levenshtein)),
    };
    let (k, cutoff) = match turn % 3 {
        0 => (1, 0.0),
        1 => (3, 0.5),
        _ => (100, 0.0),
    };
    let search = Search { scorer, k, cutoff, isa: Isa::best() };
    let found = search.run(&dictionary, &asked, || Ok::<(), ()>(())).unwrap_or_default();
    assert_eq!(found.len(), asked.len());
    for (query, found) in asked.iter().zip(found) {
        let similarity = Similarity::new(metric);
        let mut all: Vec<(f64, u32)> = (0..)
            .zip(rows.iter().flatten())
            .map(|(row, text)| (similarity.of(query, text, room), row))
            .filter(|(score, _)| *score >= cutoff)
            .collect();
        all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        all.truncate(k);
        let found: Vec<(f64, u32)> = found.iter().map(|m| (m.score, m.row)).collect();
        assert_eq!(found, all, "{search:?}");
    }
}
