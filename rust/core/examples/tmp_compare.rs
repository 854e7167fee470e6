//! Temporary.
#![allow(clippy::all, clippy::unwrap_used)]
use nser_core::name::*;
use std::io::Read;
fn main() {
    let d = "/tmp/w/cost/python/nser_pmt/data/names/";
    let rd = |f: &str| std::fs::read_to_string(format!("{d}{f}")).unwrap();
    let c = CostTable::parse(&rd("edit_costs.tsv")).unwrap();
    let f = Frequencies::parse(&rd("token_frequencies.csv")).unwrap();
    let g = GuardPairs::parse(&rd("guard_pairs.csv")).unwrap();
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s).unwrap();
    let pairs: Vec<(&str, &str)> = s.lines().map(|l| l.split_once('\t').unwrap()).collect();
    let bench = std::env::args().nth(1).is_some();
    let reps = if bench { 5 } else { 1 };
    for rep in 0..reps {
        let t = std::time::Instant::now();
        let mut sum = 0.0;
        for part in pairs.chunks(1 << 18) {
            let mut cmp = Comparer::new(&c, &f, &g, part.len());
            for (a, b) in part {
                let r = cmp.compare(a.as_bytes(), b.as_bytes());
                if !bench {
                    match r { None => println!("nan\tnone"), Some(r) => println!("{}\t{:?}", r.similarity, r.kind) }
                }
                sum += r.map_or(0.0, |r| r.similarity);
            }
        }
        if bench {
            let e = t.elapsed().as_secs_f64();
            println!("rep {rep} {:.2} M pairs/s sum {sum}", pairs.len() as f64 / e / 1e6);
            if rep == 0 {
                let t = std::time::Instant::now();
                let mut tk = Tokens::default();
                let mut n = 0;
                for (a, b) in &pairs { tk.read(a.as_bytes()); n += tk.tokens().len(); tk.read(b.as_bytes()); n += tk.tokens().len(); }
                println!("tokens only {:.2} M pairs/s {n}", pairs.len() as f64 / t.elapsed().as_secs_f64() / 1e6);
            }
        }
    }
}
