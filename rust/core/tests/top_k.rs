//! Look-ups against the obvious way: score every pair, sort, take the first.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use nser_core::isa::Isa;
use nser_core::text::top_k::{Dictionary, Draft, Match, Queries, Scorer, Search};

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    /// Words that are often near each other.
    fn words(&mut self, n: usize, letters: &[char], longest: usize) -> Vec<String> {
        let mut made: Vec<String> = vec![];
        for _ in 0..n {
            let mut word: Vec<char> = match self.below(3) {
                0 if !made.is_empty() => made[self.below(made.len())].chars().collect(),
                _ => {
                    let length = self.below(longest + 1);
                    (0..length).map(|_| self.pick(letters)).collect()
                }
            };
            for _ in 0..self.below(3) {
                let at = self.below(word.len() + 1);
                match self.below(3) {
                    0 => word.insert(at, self.pick(letters)),
                    1 if at < word.len() => drop(word.remove(at)),
                    _ if at < word.len() => word[at] = self.pick(letters),
                    _ => {}
                }
            }
            made.push(word.into_iter().collect());
        }
        made
    }
}

fn jaro_winkler(query: &str, other: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (query.chars().collect(), other.chars().collect());
    if a.is_empty() || b.is_empty() {
        return if a == b { 1.0 } else { 0.0 };
    }
    let window = (a.len().max(b.len()) / 2).saturating_sub(1);
    let mut matched = vec![false; a.len()];
    let mut there = vec![];
    for (j, c) in b.iter().enumerate() {
        let mut near = j.saturating_sub(window)..(j + window + 1).min(a.len());
        if let Some(i) = near.find(|&i| !matched[i] && a[i] == *c) {
            matched[i] = true;
            there.push(*c);
        }
    }
    let here = a.iter().zip(&matched).filter(|(_, matched)| **matched).map(|(c, _)| c);
    let swapped = here.zip(&there).filter(|(x, y)| x != y).count() / 2;
    let common = there.len() as f64;
    if common == 0.0 {
        return 0.0;
    }
    let sum = common / a.len() as f64 + common / b.len() as f64;
    let jaro = (sum + (common - swapped as f64) / common) / 3.0;
    let prefix = a.iter().zip(&b).take(4).take_while(|(x, y)| x == y).count();
    if jaro > 0.7 { jaro + prefix as f64 * 0.1 * (1.0 - jaro) } else { jaro }
}

fn levenshtein(query: &str, other: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (query.chars().collect(), other.chars().collect());
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    let longer = a.len().max(b.len());
    1.0 - if longer == 0 { 0.0 } else { row[b.len()] as f64 / longer as f64 }
}

fn naive(search: &Search, query: &str, dictionary: &[Option<String>]) -> Vec<Match> {
    let score = match search.scorer {
        Scorer::JaroWinkler => jaro_winkler,
        Scorer::Levenshtein => levenshtein,
    };
    let scored = (0u32..)
        .zip(dictionary)
        .filter_map(|(row, text)| Some(Match { row, score: score(query, text.as_deref()?) }));
    let mut found: Vec<Match> = scored.filter(|m| m.score >= search.cutoff).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
    found.truncate(search.k);
    found
}

fn bytes(texts: &[Option<String>]) -> Vec<Option<&[u8]>> {
    texts.iter().map(|text| text.as_ref().map(String::as_bytes)).collect()
}

fn run(search: &Search, dictionary: &Dictionary, queries: &[String]) -> Vec<Vec<Match>> {
    let queries: Vec<&[u8]> = queries.iter().map(String::as_bytes).collect();
    search.run(dictionary, &queries, || Ok::<(), ()>(())).unwrap()
}

/// Compares with the obvious way on every instruction set, bit by bit.
fn check(queries: &[String], words: Vec<String>, cutoffs: &[f64]) {
    let mut texts: Vec<Option<String>> = words.into_iter().map(Some).collect();
    texts.iter_mut().step_by(13).for_each(|text| *text = None);
    let texts = texts;
    let views = bytes(&texts);
    let dictionary = Dictionary::new(&&views[..]);
    assert_eq!(dictionary.len(), texts.len());
    for scorer in [Scorer::JaroWinkler, Scorer::Levenshtein] {
        for k in [0, 1, 5, 40, texts.len() + 3] {
            for &cutoff in cutoffs {
                let search = Search { scorer, k, cutoff, isa: Isa::Portable };
                let expected: Vec<_> =
                    queries.iter().map(|query| naive(&search, query, &texts)).collect();
                for isa in Isa::available() {
                    let found = run(&Search { isa, ..search }, &dictionary, queries);
                    assert_eq!(found, expected, "{isa:?}, {search:?}");
                }
            }
        }
    }
}

const CUTOFFS: [f64; 6] = [0.0, 0.3, 0.7, 0.85, 0.95, 1.0];

#[test]
fn short_words_of_few_letters() {
    let mut random = Random(1);
    let letters = ['a', 'b', 'c', 'd', ' '];
    check(&random.words(25, &letters, 9), random.words(1500, &letters, 9), &CUTOFFS);
}

#[test]
fn names_in_two_scripts() {
    let mut random = Random(2);
    let letters: Vec<char> =
        "abcdefghijklmnopqrstuvwxyz ABDFMS -'محمدعلیسنفطہءئ ".chars().collect();
    check(&random.words(30, &letters, 30), random.words(1000, &letters, 30), &CUTOFFS);
}

#[test]
fn long_texts() {
    let mut random = Random(3);
    let letters: Vec<char> = "abcdefgh ".chars().collect();
    check(&random.words(8, &letters, 200), random.words(150, &letters, 200), &[0.0, 0.7, 0.9]);
    let letters = ['a', 'b'];
    check(&random.words(3, &letters, 600), random.words(40, &letters, 600), &[0.0, 0.9]);
}

#[test]
fn more_characters_than_bytes_have_values() {
    let mut random = Random(4);
    let letters: Vec<char> = ('一'..='伀').chain('a'..='z').chain(['😀', '\u{301}']).collect();
    check(&random.words(15, &letters, 12), random.words(400, &letters, 12), &CUTOFFS);
}

#[test]
fn queries_with_characters_that_no_string_has() {
    let mut random = Random(5);
    let queries = random.words(20, &['a', 'b', 'x', 'é', 'م', '😀'], 8);
    check(&queries, random.words(300, &['a', 'b', 'c'], 8), &CUTOFFS);
}

#[test]
fn empty_dictionaries_and_empty_strings() {
    let queries = [String::new(), "a".into()];
    check(&queries, vec![], &CUTOFFS);
    check(&queries, vec!["a".into(); 3], &CUTOFFS);
    check(&queries, [""; 30].map(String::from).to_vec(), &CUTOFFS);
    check(&[], vec!["a".into(); 3], &CUTOFFS);
}

#[test]
fn the_lower_row_of_equal_strings_comes_first() {
    let texts: Vec<Option<String>> =
        (0..100).map(|n| (n % 7 != 0).then(|| ["ali", "ali khan"][n % 2].into())).collect();
    let views = bytes(&texts);
    let search = Search { scorer: Scorer::JaroWinkler, k: 3, cutoff: 0.0, isa: Isa::best() };
    let found = run(&search, &Dictionary::new(&&views[..]), &["ali khan".into()]);
    let rows: Vec<u32> = found[0].iter().map(|m| m.row).collect();
    assert_eq!(rows, [1, 3, 5]);
}

#[test]
fn what_is_not_utf_8_has_an_answer() {
    let texts: [Option<&[u8]>; 3] = [Some(b"ab\xFF"), Some(b"\xC3"), Some(b"abc")];
    let dictionary = Dictionary::new(&&texts[..]);
    let search = Search { scorer: Scorer::Levenshtein, k: 3, cutoff: 0.0, isa: Isa::best() };
    let found = search.run(&dictionary, &[b"ab\xE0", b"\xF0\x9F"], || Ok::<(), ()>(())).unwrap();
    assert_eq!(found[0][0], Match { row: 0, score: 1.0 });
    assert_eq!(found[1][0], Match { row: 1, score: 1.0 });
}

#[test]
fn parts_may_be_made_in_any_order() {
    let words = Random(6).words(500, &['a', 'b', 'c'], 12);
    let texts: Vec<Option<String>> = words.iter().cloned().map(Some).collect();
    let views = bytes(&texts);
    let column = &&views[..];
    let draft = Draft::new(column);
    let mut parts: Vec<_> = (0..draft.parts()).rev().filter_map(|n| draft.part(n)).collect();
    parts.reverse();
    let made = draft.finish(parts.into_iter().rev());
    let search = Search { scorer: Scorer::JaroWinkler, k: 5, cutoff: 0.0, isa: Isa::best() };
    let usual = Dictionary::new(column);
    assert_eq!(run(&search, &made, &words), run(&search, &usual, &words));
}

#[test]
fn a_search_stops_when_told() {
    let words = Random(7).words(100, &['a', 'b'], 5);
    let texts: Vec<Option<String>> = words.into_iter().map(Some).collect();
    let views = bytes(&texts);
    let dictionary = Dictionary::new(&&views[..]);
    let search = Search { scorer: Scorer::JaroWinkler, k: 5, cutoff: 0.0, isa: Isa::best() };
    assert_eq!(search.run(&dictionary, &[b"a"], || Err("told")), Err("told"));
}

#[test]
fn equal_queries_are_asked_once() {
    let texts: [Option<&[u8]>; 6] =
        [Some(b"b"), None, Some(b""), Some(b"b"), Some(b"a"), Some(b"")];
    let queries = Queries::new(&&texts[..]);
    assert_eq!(queries.distinct().len(), 3);
    for (row, place) in queries.places().enumerate() {
        let asked = place.map(|place| texts[queries.distinct()[place] as usize]);
        assert_eq!(asked.flatten(), texts[row]);
    }
}
