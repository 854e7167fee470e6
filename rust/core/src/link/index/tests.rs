//! An index against a look at every person, and what becomes of damaged bytes.

use std::collections::BTreeMap;

use super::*;
use crate::isa::Isa;
use crate::link::compare::{DateLevel, NameLevel, Scheme};
use crate::link::packed::PackedDigits;
use crate::link::weigh::{LevelWeights, Rarity};
use crate::link::within_one::is_within_one;
use crate::name::{Comparer, CostTable, Frequencies, GuardPairs};

/// A person: number, name, day.
#[derive(Debug, Clone, PartialEq)]
struct Person(Option<u64>, String, Option<i64>);

struct Persons(BTreeMap<i64, Person>);

impl Persons {
    fn at(&self, row: u32) -> (&i64, &Person) {
        self.0.iter().nth(row as usize).unwrap()
    }
}

fn values(person: &Person) -> Vec<Datum<'_>> {
    let Person(number, name, day) = person;
    let word = |word: Option<u64>| word.map_or(Datum::Missing, Datum::Word);
    let number = number.and_then(|n| PackedDigits::new(n, 6)).map(PackedDigits::bits);
    vec![word(number), Datum::of(Value::Str(name.as_bytes())), word(day.map(|day| day as u64))]
}

impl Source for Persons {
    fn rows(&self) -> u32 {
        self.0.len() as u32
    }

    fn id(&self, row: u32) -> Id<'_> {
        Id::of_signed(*self.at(row).0)
    }

    fn value(&self, column: usize, row: u32) -> Datum<'_> {
        values(self.at(row).1)[column]
    }
}

fn schema(cap: u32) -> Schema {
    let field = |name: &str, kind, coded| Field { name: name.to_owned(), kind, coded };
    let rule = |rule| RuleOf { rule, cap, blocks: Blocks::default() };
    Schema {
        ids: IdKind::Signed,
        fields: vec![
            field("number", Kind::Number, false),
            field("name", Kind::Text, true),
            field("day", Kind::Int, true),
        ],
        rules: vec![
            rule(Rule::WithinOne(0)),
            rule(Rule::Equal(vec![1, 2])),
            rule(Rule::Equal(vec![2])),
        ],
        about: "x".to_owned(),
    }
}

fn plan() -> Plan {
    let compared = |column, scheme, levels: &[f64], frequency| Compared {
        column,
        scheme,
        weights: LevelWeights::new(levels, frequency),
    };
    let level = NameLevel { least: 0.8, code: None };
    let frequency = Rarity { log2_u: -3.0, scale: 1.0, last_level: 2 };
    Plan {
        prior: -4.0,
        comparisons: vec![
            compared(0, Scheme::Digits, &[0.0, 9.0, 6.0, 3.0, -2.0], None),
            compared(1, Scheme::Name(vec![level]), &[0.0, 5.0, 2.0, -3.0], Some(frequency)),
            compared(2, Scheme::Date(vec![DateLevel::Days(2)]), &[0.0, 4.0, 1.0, -1.5], None),
        ],
    }
}

fn tables() -> (CostTable, Frequencies, GuardPairs) {
    let costs = CostTable::parse("scripts\tx\ty\tplace\tweight\n").unwrap();
    let guard = GuardPairs::parse("a,b,cap\n").unwrap();
    (costs, Frequencies::new(1000.0, [(&b"ali"[..], 60.0)]), guard)
}

fn random(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) % below
}

fn person(state: &mut u64) -> Person {
    let names = ["Ali Raza", "Raza Ali", "Bushra Bibi", "Aslam", "Aslm Khan", ""];
    let number = 100_000 + random(state, 900);
    Person(
        Some(number).filter(|n| n % 11 != 0),
        names[random(state, 6) as usize].to_owned(),
        Some(random(state, 30) as i64 - 5).filter(|day| day % 7 != 0),
    )
}

fn persons(state: &mut u64, ids: std::ops::Range<i64>) -> Persons {
    Persons(ids.map(|id| (id * 3 - 40, person(state))).collect())
}

/// Ids that a query finds by a look at every person.
fn candidates(all: &BTreeMap<i64, Person>, query: &Person, cap: usize) -> Vec<i64> {
    let number = |p: &Person| p.0.and_then(|n| PackedDigits::new(n, 6));
    let blocks = |p: &Person| {
        let near = number(p).zip(number(query)).filter(|(a, b)| is_within_one(*a, *b));
        let day = p.2.filter(|day| Some(*day) == query.2);
        let name = day.filter(|_| !p.1.is_empty() && p.1 == query.1);
        [near.map(|(a, _)| a.bits() as i64), name, day]
    };
    let mut sizes = BTreeMap::new();
    for person in all.values() {
        for (rule, key) in blocks(person).into_iter().enumerate() {
            *sizes.entry((rule, key)).or_insert(1) += usize::from(key.is_some());
        }
    }
    let meets = |p: &Person| {
        let mut blocks = blocks(p).into_iter().enumerate();
        blocks.any(|(rule, key)| key.is_some() && sizes[&(rule, key)] <= cap)
    };
    all.iter().filter(|(_, p)| meets(p)).map(|(id, _)| *id).collect()
}

fn open(bytes: Vec<u8>) -> People<Vec<u8>> {
    People::new(Segment::open(bytes, true).unwrap())
}

#[test]
fn persons_come_and_go_and_all_candidates_are_found() {
    let mut state = 5;
    let (costs, frequencies, guard) = tables();
    let comparer = Comparer::new(&costs, &frequencies, &guard, 100);
    let mut searcher = Searcher::new(comparer, Isa::best());
    for cap in [7, 1000] {
        let schema = schema(cap);
        let mut all = persons(&mut state, 0..200);
        let mut people = open(Builder::new(&schema, &all).build().unwrap());
        assert_eq!(people.first().unwrap().about(), "x");
        for round in 1..6 {
            let more = persons(&mut state, round * 200..round * 200 + 10 * round);
            let segment = Builder::new(&schema, &more).build().unwrap();
            let again = Segment::open(segment.clone(), false).unwrap();
            people.add(Segment::open(segment, false).unwrap()).unwrap();
            assert_eq!(people.add(again), Err(Fault::Repeated));
            all.0.extend(more.0);
            for _ in 0..15 {
                let id = random(&mut state, 3000) as i64 - 50;
                assert_eq!(people.remove(Id::of_signed(id)), all.0.remove(&id).is_some());
            }
            assert_eq!(people.len(), all.0.len());
            let rebuilt = open(people.merged(&schema).unwrap());
            assert_eq!(
                rebuilt.only().unwrap().bytes(),
                Builder::new(&schema, &all).build().unwrap()
            );
            for _ in 0..40 {
                let query = person(&mut state);
                let values = values(&query);
                let every = Wanted { count: usize::MAX, least: f64::NEG_INFINITY };
                let found = people.search(&plan(), &values, every, &mut searcher);
                let ids = |people: &People<Vec<u8>>, found: &[Found]| {
                    found.iter().map(|f| people.id(f.part, f.row).signed()).collect::<Vec<_>>()
                };
                let mut known = ids(&people, &found);
                let same = rebuilt.search(&plan(), &values, every, &mut searcher);
                assert_eq!(known, ids(&rebuilt, &same));
                let weights = |f: &[Found]| f.iter().map(|f| f.weight).collect::<Vec<_>>();
                assert_eq!(weights(&found), weights(&same));
                let least = Wanted { count: 3, least: 1.0 };
                let best = people.search(&plan(), &values, least, &mut searcher);
                let wanted: Vec<_> = found.iter().filter(|f| f.weight >= 1.0).take(3).collect();
                assert_eq!(best.iter().collect::<Vec<_>>(), wanted);
                known.sort_unstable();
                assert_eq!(known, candidates(&all.0, &query, cap as usize));
            }
        }
    }
}

#[test]
fn bytes_that_are_no_index_are_told() {
    let mut state = 9;
    let schema = schema(100);
    let good = Builder::new(&schema, &persons(&mut state, 0..50)).build().unwrap();
    let fault = |bytes: &[u8]| Segment::open(bytes, true).err();
    assert_eq!(fault(&good), None);
    assert_eq!(fault(b""), Some(Fault::Foreign));
    assert_eq!(fault(&[b'x'; 100]), Some(Fault::Foreign));
    let mut other = good.clone();
    other[8] = 9;
    assert_eq!(fault(&other), Some(Fault::Format(9)));
    assert_eq!(fault(&good[..good.len() - 1]), Some(Fault::Truncated));
    assert_eq!(fault(&good[..100]), Some(Fault::Truncated));
    let (costs, frequencies, guard) = tables();
    for _ in 0..300 {
        let mut bad = good.clone();
        let place = random(&mut state, bad.len() as u64) as usize;
        bad[place] ^= 1 + random(&mut state, 255) as u8;
        if let Ok(segment) = Segment::open(bad, false) {
            let people = People::new(segment);
            let comparer = Comparer::new(&costs, &frequencies, &guard, 100);
            let mut searcher = Searcher::new(comparer, Isa::Portable);
            let every = Wanted { count: usize::MAX, least: f64::NEG_INFINITY };
            for _ in 0..5 {
                let query = person(&mut state);
                people.search(&plan(), &values(&query), every, &mut searcher);
            }
            people.merged(&schema).unwrap();
        }
    }
}
