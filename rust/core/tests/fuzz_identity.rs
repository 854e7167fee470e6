//! The fuzz target's function on stable Rust: seeds, and mutations of them that look random.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used, reason = "a test")]

use std::path::Path;

#[path = "../../../fuzz/identity.rs"]
mod identity;

/// Mutations, unless NSER_PMT_FUZZ_ROUNDS asks for another number.
const ROUNDS: usize = 15_000;

/// Pieces that mean something to one of the kernels.
const PIECES: [&[u8]; 24] = [
    b"\n",
    b" ",
    b"-",
    b".",
    b"/",
    b"@",
    b"'",
    b"0",
    b"35202",
    b"E+12",
    b"s/o",
    b"ullah",
    b"Muhammad",
    b"Abdul",
    b"\xFF",
    b"\xE2\x80",
    b"\0",
    "ی".as_bytes(),
    "محمد".as_bytes(),
    "۳".as_bytes(),
    "\u{202B}".as_bytes(),
    "\u{200C}".as_bytes(),
    "\u{654}".as_bytes(),
    "😀".as_bytes(),
];

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % n
    }

    /// Changes some bytes.
    fn mutate(&mut self, data: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        for _ in 0..=self.below(6) {
            let at = self.below(data.len() + 1);
            let end = (at + self.below(5)).min(data.len());
            match self.below(6) {
                0 => drop(data.drain(at..end)),
                1 => drop(data.splice(at..end, PIECES[self.below(PIECES.len())].iter().copied())),
                2 => data.insert(at, self.below(256) as u8),
                3 if at < data.len() => data[at] ^= 1 << self.below(8),
                4 => {
                    let other = &seeds[self.below(seeds.len())];
                    let from = self.below(other.len());
                    let part = other[from..].iter().take(30).copied().collect::<Vec<u8>>();
                    drop(data.splice(at..at, part));
                }
                _ => {
                    let part = data[at..end].to_vec();
                    drop(data.splice(at..at, part));
                }
            }
        }
    }
}

#[test]
fn any_bytes_have_answers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let mut paths: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| identity::feed(seed));
    let asked = std::env::var("NSER_PMT_FUZZ_ROUNDS").ok();
    let rounds = asked.map_or(ROUNDS, |rounds| rounds.parse().expect("a number"));
    let mut random = Random(0x5EED);
    for _ in 0..rounds {
        let mut data = seeds[random.below(seeds.len())].clone();
        random.mutate(&mut data, &seeds);
        data.truncate(400);
        identity::feed(&data);
    }
}
