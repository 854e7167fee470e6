use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use super::*;
use crate::cnic::distance;
use crate::link::packed::PackedDigits;

fn random(state: &mut u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *state >> 33
}

type Row = (u32, u32, f64);

/// Pairs of few records; weights are whole numbers, so that sums are exact, and seldom equal.
fn pairs(seed: u64, records: u32, count: usize) -> Vec<Row> {
    let mut state = seed;
    let record = |state: &mut u64| (random(state) % u64::from(records)) as u32;
    (0..count)
        .map(|_| {
            let (a, b) = (record(&mut state), record(&mut state));
            (a, b, random(&mut state) as f64 - f64::from(1 << 29))
        })
        .collect()
}

fn run(records: u32, rows: &[Row], plan: &Plan) -> Clusters {
    let left: Vec<u32> = rows.iter().map(|r| r.0).collect();
    let right: Vec<u32> = rows.iter().map(|r| r.1).collect();
    let weight: Vec<f64> = rows.iter().map(|r| r.2).collect();
    let pairs = Pairs { left: &left, right: &right, weight: &weight };
    cluster(records, &pairs, plan, || Ok::<(), Infallible>(())).unwrap()
}

fn forbidden(constraint: &Constraint, a: u64, b: u64) -> bool {
    if a == 0 || b == 0 {
        return false;
    }
    match constraint.rule {
        Rule::OnePer => a == b,
        Rule::OneValue => a != b,
        Rule::OneNumber => {
            let digits = |bits| PackedDigits::of_bits(bits).unwrap().digits();
            distance(digits(a), digits(b)).1 > 1
        }
    }
}

/// Clusters as lists of records, joined one by one, each value from all pairs.
fn naive(records: u32, rows: &[Row], plan: &Plan) -> Clusters {
    let mut weights: BTreeMap<(u32, u32), f64> = BTreeMap::new();
    for &(a, b, w) in rows.iter().filter(|(a, b, _)| a != b && *a.max(b) < records) {
        let known = weights.entry((a.min(b), a.max(b))).or_insert(w);
        *known = known.max(w);
    }
    let mut clusters: Vec<Vec<u32>> = (0..records).map(|r| vec![r]).collect();
    let clash = |c: &Constraint, x: &[u32], y: &[u32]| {
        let label = |r: &u32| c.labels[*r as usize];
        x.iter().any(|a| y.iter().any(|b| forbidden(c, label(a), label(b))))
    };
    loop {
        let mut best: Option<(f64, u32, u32, usize, usize)> = None;
        for (j, y) in clusters.iter().enumerate() {
            for (i, x) in clusters.iter().enumerate().take(j) {
                let between: Vec<Option<f64>> = x
                    .iter()
                    .flat_map(|a| y.iter().map(|b| weights.get(&(*a.min(b), *a.max(b))).copied()))
                    .collect();
                let given = || between.iter().flatten().copied();
                let value = match plan.method {
                    Method::Connected => given().reduce(f64::max),
                    Method::Complete if between.contains(&None) => None,
                    Method::Complete => given().reduce(f64::min),
                    Method::Average { .. } if given().next().is_none() => None,
                    Method::Average { missing } => {
                        let absent = (between.len() - given().count()) as f64;
                        Some((given().sum::<f64>() + missing * absent) / between.len() as f64)
                    }
                };
                let Some(value) = value.filter(|v| *v >= plan.threshold) else { continue };
                if plan.constraints.iter().any(|c| clash(c, x, y)) {
                    continue;
                }
                if best.is_none_or(|b| value > b.0) {
                    best = Some((value, x[0], y[0], i, j));
                }
            }
        }
        let Some((.., i, j)) = best else { break };
        let gone = clusters.remove(j);
        clusters[i].extend(gone);
        clusters[i].sort_unstable();
    }
    let mut roots = vec![0; records as usize];
    clusters.iter().for_each(|c| c.iter().for_each(|r| roots[*r as usize] = c[0]));
    let of = |r: u32| clusters.iter().find(|c| c[0] == roots[r as usize]).unwrap();
    let mut refused = vec![0; plan.constraints.len()];
    for ((a, b), _) in weights.iter().filter(|(_, w)| **w >= plan.threshold) {
        for (c, count) in plan.constraints.iter().zip(&mut refused) {
            *count += u64::from(of(*a) != of(*b) && clash(c, of(*a), of(*b)));
        }
    }
    Clusters { roots, refused }
}

fn labels(seed: u64, records: u32, rule: Rule) -> Constraint {
    let mut state = seed;
    let label = |_| match (random(&mut state) % 5, rule) {
        (0 | 1, _) => 0,
        (_, Rule::OneNumber) => {
            let value = 3520212345671 + random(&mut state) % 3 * 100 + random(&mut state) % 2;
            PackedDigits::new(value, 13).unwrap().bits()
        }
        _ => random(&mut state) % 3 + 1,
    };
    Constraint { rule, labels: (0..records).map(label).collect() }
}

#[test]
fn as_the_naive_twin_for_every_method_and_constraint() {
    let methods = [
        Method::Connected,
        Method::Complete,
        Method::Average { missing: -5e7 },
        Method::Average { missing: -1e9 },
    ];
    let sets: [&[Rule]; 6] = [
        &[],
        &[Rule::OnePer],
        &[Rule::OneValue],
        &[Rule::OneNumber],
        &[Rule::OneValue, Rule::OneNumber],
        &[Rule::OnePer, Rule::OneValue],
    ];
    let (mut seed, mut joined, mut refused, mut sizes) = (0, 0, 0, BTreeSet::new());
    for method in methods {
        for rules in sets {
            for (records, count) in [(0, 0), (1, 3), (4, 6), (9, 9), (12, 20), (14, 50), (14, 150)]
            {
                for threshold in [0.0, 2e8] {
                    seed += 1;
                    let constraints = rules.iter().map(|r| labels(seed, records, *r)).collect();
                    let plan = Plan { threshold, method, constraints };
                    let mut rows = pairs(seed, records.max(1), count);
                    let expected = naive(records, &rows, &plan);
                    let in_sizes = expected.sizes().iter().map(|(size, n)| size * n).sum::<u32>();
                    assert_eq!(in_sizes, records);
                    assert_eq!(run(records, &rows, &plan), expected, "{plan:?} {rows:?}");
                    rows.reverse();
                    rows.iter_mut().for_each(|r| (r.0, r.1) = (r.1, r.0));
                    assert_eq!(run(records, &rows, &plan), expected);
                    joined += (0..).zip(&expected.roots).filter(|(i, r)| *i != **r).count();
                    refused += expected.refused.iter().sum::<u64>();
                    sizes.extend(expected.roots.chunk_by(|a, b| a == b).map(<[u32]>::len));
                }
            }
        }
    }
    assert!(joined > 500 && refused > 500 && sizes.len() > 3, "{joined} {refused} {sizes:?}");
}

#[test]
fn a_chain_of_many_is_joined_or_kept_apart() {
    let n = 100_000;
    let rows: Vec<Row> = (1..n).map(|i| (i - 1, i, f64::from(i % 7) + 1.0)).collect();
    let plan = |method, constraints| Plan { threshold: 0.0, method, constraints };
    let whole = run(n, &rows, &plan(Method::Connected, vec![]));
    assert_eq!((whole.roots, whole.refused.len()), (vec![0; n as usize], 0));
    assert_eq!(run(5, &rows[..2], &plan(Method::Connected, vec![])).sizes(), [(1, 2), (3, 1)]);
    let largest =
        |found: &Clusters| found.roots.chunk_by(|a, b| a == b).map(<[u32]>::len).max().unwrap();
    assert_eq!(largest(&run(n, &rows, &plan(Method::Complete, vec![]))), 2);
    assert_eq!(largest(&run(n, &rows, &plan(Method::Average { missing: -10.0 }, vec![]))), 2);
    let labels = (0..u64::from(n)).map(|i| i % 1000 + 1).collect();
    let once = Constraint { rule: Rule::OnePer, labels };
    let found = run(n, &rows, &plan(Method::Connected, vec![once]));
    assert!(largest(&found) <= 1000 && found.refused[0] > 0);
    // All labels differ: nothing is refused, however large the sets grow.
    let labels = (1..=u64::from(n)).collect();
    let mut twice = Constraint { rule: Rule::OnePer, labels };
    twice.labels[0] = u64::from(n); // as the last record
    let found = run(n, &rows, &plan(Method::Connected, vec![twice]));
    assert_eq!((found.refused[0], largest(&found) > 40_000), (1, true));
}

#[test]
fn what_check_says_ends_the_call() {
    let pairs = Pairs { left: &[0], right: &[1], weight: &[1.0] };
    let plan = Plan { threshold: 0.0, method: Method::Connected, constraints: vec![] };
    assert_eq!(cluster(2, &pairs, &plan, || Err("stop")), Err("stop"));
}
