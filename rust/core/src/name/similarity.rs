//! How alike two whole names are: their tokens are paired, and each pair counts by its likeness and
//! its rarity.

use super::align::{begin_alike, log_odds};
use super::assign::{MOST, Pairing};
use super::bound::Side;
use super::costs::{CostTable, Script};
use super::frequency::Frequencies;
use super::guard::GuardPairs;
use super::memo::{Memo, NUMBERS, Pair};
use super::shortcuts::{Known, Shortcut, Shortcuts, Words, role_anywhere};
use super::tokens::{Compound, Part, Role, Tokens};
use super::vocabulary::{Vocabulary, Word};

/// What two names have to do with each other. An earlier kind wins over a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Match {
    /// The same tokens in match form.
    Exact,
    /// No name of one is in the other.
    Different,
    /// Some names agree and others contradict each other.
    Conflicting,
    /// A name stands against an initial.
    Initial,
    /// Names of one are missing in the other.
    Subset,
    /// One name in two scripts.
    CrossScript,
    /// The same names in another order.
    Reordered,
    /// A title, Muhammad or a female marker is missing in one.
    OptionalMissing,
    /// One name in two spellings.
    SpellingVariant,
}

impl Match {
    /// Every kind, in order, and its name.
    pub const NAMES: [(Self, &'static str); 9] = [
        (Self::Exact, "exact"),
        (Self::Different, "different"),
        (Self::Conflicting, "conflicting"),
        (Self::Initial, "initial"),
        (Self::Subset, "subset"),
        (Self::CrossScript, "cross_script"),
        (Self::Reordered, "reordered"),
        (Self::OptionalMissing, "optional_missing"),
        (Self::SpellingVariant, "spelling_variant"),
    ];
}

/// The answer for two names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Comparison {
    /// From 0 (nothing in common) to 1 (the same tokens).
    pub similarity: f64,
    /// Why.
    pub kind: Match,
}

/// Tokens of a name that are read; what follows is left out.
const TOKENS: usize = 32;
/// Tokens agree from this likeness on.
const AGREES: f64 = 0.5;
/// Log-odds, in thousandths, below which two tokens have nothing in common: odds of 1 to 55.
const HOPELESS: i32 = -4000;
/// Likeness of two spellings at most: less than that of equal tokens.
const SPELLING: f64 = 0.999;
/// Likeness of a name to its initial, and to another.
const INITIAL: (f64, f64) = (0.7, 0.02);
/// What an initial can say, in nats: about one letter in seven.
const INITIAL_WEIGHT: f64 = 2.0;
/// Likeness of Abdul X to X alone, in parts of the likeness of their stems.
const HALF_COMPOUND: f64 = 0.85;
/// What a token says that people add and leave out, and one of another person's name, in parts of
/// its rarity.
const WEAK: f64 = 0.3;
/// What a token counts that the other name lacks, in parts of what it says: one of the name, another.
const MISSING: (f64, f64) = (0.35, 0.1);
/// How much more a contradiction counts than an agreement, in names of more than one token.
const CONTRADICTION: f64 = 1.5;
/// Two tokens joined are a token of the other name from this likeness on, and when they have as many
/// bytes but for so many.
const JOINED: f64 = 0.9;
const SLACK: u16 = 2;
/// Factor of the similarity when the order differs.
const REORDERED: f64 = 0.98;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Name,
    Initial,
    Optional,
}

/// A token as it is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Item {
    word: Known,
    kind: Kind,
    relative: bool,
    weight: f64,
}

/// Words kept at most, and as many more as two names may add; more begin anew.
const WORDS: usize = NUMBERS as usize - 8 * TOKENS;

/// Compares names, and remembers words and pairs of words it has met. The answers do not depend on
/// what it remembers.
#[derive(Debug, Clone)]
pub struct Comparer<'a> {
    costs: &'a CostTable,
    frequencies: &'a Frequencies,
    guard: &'a GuardPairs,
    tokens: Tokens,
    shortcuts: Shortcuts,
    items: [Vec<Item>; 2],
    vocabulary: Vocabulary,
    pairing: Pairing,
    memo: Memo,
}

impl<'a> Comparer<'a> {
    /// A comparer for about `pairs` pairs of names.
    #[must_use]
    pub fn new(
        costs: &'a CostTable,
        frequencies: &'a Frequencies,
        guard: &'a GuardPairs,
        pairs: usize,
    ) -> Self {
        Self {
            costs,
            frequencies,
            guard,
            tokens: Tokens::default(),
            shortcuts: Shortcuts::new(),
            items: Default::default(),
            vocabulary: Vocabulary::new(),
            pairing: Pairing::default(),
            memo: Memo::new(pairs.saturating_mul(4)),
        }
    }

    /// Compares two names, which may be any bytes; `None` when one has no token.
    pub fn compare(&mut self, a: &[u8], b: &[u8]) -> Option<Comparison> {
        if self.vocabulary.len().max(self.shortcuts.len()) > WORDS {
            self.vocabulary = Vocabulary::new();
            self.shortcuts = Shortcuts::new();
            self.memo.clear();
        }
        let [mut x, mut y] = std::mem::take(&mut self.items);
        self.read(a, &mut x);
        self.read(b, &mut y);
        let answer = self.compare_items(&x, &y);
        self.items = [x, y];
        answer
    }

    fn compare_items(&mut self, a: &[Item], b: &[Item]) -> Option<Comparison> {
        if a.is_empty() || b.is_empty() {
            return None;
        }
        if a == b {
            return Some(Comparison { similarity: 1.0, kind: Match::Exact });
        }
        // One order for both ways round: the answer is symmetric.
        let (a, b) = if is_before(a, b) { (a, b) } else { (b, a) };
        let mut answer = self.pair_up(a, b);
        if matches!(answer.kind, Match::Different | Match::Conflicting | Match::Subset)
            && let Some((a, b)) = self.joined(a, b)
        {
            let joined = self.pair_up(&a, &b);
            if joined.similarity > answer.similarity {
                answer = joined;
            }
        }
        Some(answer)
    }

    /// The tokens of a name that count.
    #[inline]
    fn read(&mut self, raw: &[u8], items: &mut Vec<Item>) {
        items.clear();
        if !self.read_words(raw, items) {
            items.clear();
            self.read_tokens(raw, items);
        }
    }

    /// Reads a name word by word; false when it needs the grammar.
    #[inline]
    fn read_words(&mut self, raw: &[u8], items: &mut Vec<Item>) -> bool {
        let mut words = Words::new(raw);
        let mut named = false;
        while let Some(key) = words.next() {
            let Ok(key) = key else { return false };
            if key == 0 {
                continue;
            }
            if items.len() == TOKENS {
                return false;
            }
            let (word, role) = match self.shortcuts.get(key) {
                Some(Shortcut::Token(word, role)) => (word, role),
                Some(Shortcut::Grammar) => return false,
                Some(Shortcut::MetOnce) => match self.find_out(key) {
                    Some(found) => found,
                    None => return false,
                },
                None => {
                    self.shortcuts.set(key, Shortcut::MetOnce);
                    return false;
                }
            };
            named |= role == Role::Name;
            add(items, word, role, Part::Own);
        }
        named
    }

    /// Finds out what a word is and keeps it.
    #[cold]
    fn find_out(&mut self, key: u128) -> Option<(Known, Role)> {
        let bytes = key.to_le_bytes();
        let len = 16 - key.leading_zeros() as usize / 8;
        let role = role_anywhere(bytes.get(..len).unwrap_or_default(), &mut self.tokens);
        let found = role.zip(self.tokens.tokens().get(1)).map(|(role, token)| {
            let (text, stem) = (self.tokens.token(token), self.tokens.stem(token));
            let (costs, frequencies) = (self.costs, self.frequencies);
            (self.vocabulary.number(text, stem, token.compound, costs, frequencies), role)
        });
        let found = found.map(|(word, role)| (self.known(word), role));
        let shortcut = found.map_or(Shortcut::Grammar, |(word, role)| Shortcut::Token(word, role));
        self.shortcuts.set(key, shortcut);
        found
    }

    fn read_tokens(&mut self, raw: &[u8], items: &mut Vec<Item>) {
        let mut tokens = std::mem::take(&mut self.tokens);
        tokens.read(raw);
        for token in tokens.tokens().iter().take(TOKENS) {
            let (text, stem) = (tokens.token(token), tokens.stem(token));
            let word =
                self.vocabulary.number(text, stem, token.compound, self.costs, self.frequencies);
            add(items, self.known(word), token.role, token.part);
        }
        self.tokens = tokens;
    }

    fn known(&self, number: u32) -> Known {
        let word = self.vocabulary.word(number);
        word.map_or_else(Known::default, |w| {
            let text = self.vocabulary.text(w);
            let len = text.len().min(u8::MAX.into()) as u8;
            let first = text.first().copied().unwrap_or(0);
            let last = text.last().copied().unwrap_or(0);
            let (mixed, rarity, sounds) = (w.mixed, w.rarity, w.sounds);
            Known { number, len, first, last, sounds, mixed, rarity }
        })
    }

    /// Pairs the tokens of two names and sums up.
    fn pair_up(&mut self, a: &[Item], b: &[Item]) -> Comparison {
        let mut pairing = std::mem::take(&mut self.pairing);
        pairing.begin(a.len(), b.len());
        // Fetching what is known of all pairs before any is looked at hides the latency of memory.
        let mut fetched = [[None; MOST]; MOST];
        for (row, x) in fetched.iter_mut().zip(a) {
            for (cell, y) in row.iter_mut().zip(b) {
                *cell = may_agree(x, y).then(|| self.memo.fetch(key(x, y)));
            }
        }
        for (i, x) in a.iter().enumerate() {
            for (j, y) in b.iter().enumerate() {
                let likeness = match fetched.get(i).and_then(|row| row.get(j)) {
                    Some(None) => continue,
                    None if !may_agree(x, y) => continue,
                    Some(Some(found)) if x.word.number != y.word.number => {
                        found.likeness().unwrap_or_else(|| self.likeness(x, y))
                    }
                    _ => self.likeness(x, y),
                };
                let names = x.kind != Kind::Optional && y.kind != Kind::Optional;
                if likeness >= AGREES || names {
                    pairing.set(i, j, likeness, likeness * (x.weight + y.weight));
                }
            }
        }
        pairing.solve();
        oppose(&mut pairing, a, b);
        let contradiction = if a.len().min(b.len()) > 1 { CONTRADICTION } else { 1.0 };
        let mut seen = Evidence::default();
        for (i, x) in a.iter().enumerate() {
            match pairing.partner(i).and_then(|j| Some((j, b.get(j)?))) {
                Some((j, y)) => {
                    let likeness = pairing.likeness(i, j);
                    let weight = (x.weight + y.weight) / 2.0;
                    seen.agree += weight * likeness;
                    seen.against += weight * (1.0 - likeness) * contradiction;
                    seen.pair(x, y, likeness);
                    seen.reordered |= seen.last.is_some_and(|last| j < last);
                    seen.last = Some(j);
                    seen.cross |= Script::of_first(x.word.first) != Script::of_first(y.word.first);
                }
                None => seen.missing(x),
            }
        }
        for (j, y) in b.iter().enumerate() {
            if !pairing.is_taken(j) {
                seen.missing(y);
            }
        }
        self.pairing = pairing;
        seen.sum_up()
    }

    /// How alike two tokens are, from 0 to 1.
    fn likeness(&mut self, x: &Item, y: &Item) -> f64 {
        let key = key(x, y);
        if x.word.number == y.word.number {
            return 1.0;
        }
        if let Some(likeness) = self.memo.get(key) {
            return likeness;
        }
        let (Some(x), Some(y)) =
            (self.vocabulary.word(x.word.number), self.vocabulary.word(y.word.number))
        else {
            return 0.0;
        };
        let likeness = if key.initial { self.of_initial(x, y) } else { self.of_words(x, y) };
        self.memo.set(key, likeness)
    }

    fn of_words(&self, x: &Word, y: &Word) -> f64 {
        if x.compound != Compound::None && x.compound == y.compound {
            return self.of_stems(x, y);
        }
        let whole = self.of_texts(x, y);
        if (x.compound == Compound::None) == (y.compound == Compound::None) {
            return whole;
        }
        whole.max(HALF_COMPOUND * self.of_stems(x, y))
    }

    fn of_stems(&self, x: &Word, y: &Word) -> f64 {
        match (self.vocabulary.word(x.stem), self.vocabulary.word(y.stem)) {
            (Some(_), Some(_)) if x.stem == y.stem => 1.0,
            (Some(x), Some(y)) => self.of_texts(x, y),
            _ => 0.0,
        }
    }

    fn of_texts(&self, x: &Word, y: &Word) -> f64 {
        // Urdu first; the tables of one script are symmetric.
        let (x, y) = if x.script < y.script { (y, x) } else { (x, y) };
        let weights = self.costs.weights(x.script, y.script);
        let (lx, ly) = (self.vocabulary.letters(x), self.vocabulary.letters(y));
        let side = |word: &Word, letters| Side {
            letters,
            script: word.script,
            profile: self.vocabulary.profile(word.number),
        };
        let Some(rest) = self.costs.bounds().rest(&side(x, lx), &side(y, ly), weights, HOPELESS)
        else {
            return 0.0;
        };
        let odds = log_odds(lx, ly, weights, &rest, HOPELESS);
        if odds < HOPELESS {
            return 0.0;
        }
        let likeness = (1.0 / (1.0 + (-f64::from(odds) / 1000.0).exp())).min(SPELLING);
        if x.script == y.script {
            let cap = self.guard.cap(self.vocabulary.text(x), self.vocabulary.text(y), x.script);
            return likeness.min(cap);
        }
        likeness
    }

    /// Of an initial and a word, or two initials: whether they may begin alike.
    fn of_initial(&self, x: &Word, y: &Word) -> f64 {
        let (x, y) = if x.script < y.script { (y, x) } else { (x, y) };
        let weights = self.costs.weights(x.script, y.script);
        let (lx, ly) = (self.vocabulary.letters(x), self.vocabulary.letters(y));
        let (likely, unlikely) = INITIAL;
        if begin_alike(lx, ly, weights) { likely } else { unlikely }
    }

    /// The names with two neighbours of one read as one token that the other has: Noor Jahan and
    /// Noorjahan.
    fn joined(&mut self, a: &[Item], b: &[Item]) -> Option<(Vec<Item>, Vec<Item>)> {
        self.join(a, b)
            .map(|a| (a, b.to_vec()))
            .or_else(|| self.join(b, a).map(|b| (a.to_vec(), b)))
    }

    fn join(&mut self, apart: &[Item], whole: &[Item]) -> Option<Vec<Item>> {
        for (k, pair) in apart.windows(2).enumerate().take(MOST) {
            let [x, y] = pair else { continue };
            let len = u16::from(x.word.len) + u16::from(y.word.len);
            let alike = |z: &&Item| {
                z.word.first == x.word.first
                    && z.word.last == y.word.last
                    && u16::from(z.word.len).abs_diff(len) <= SLACK
                    && [x, y, z].iter().all(|i| i.kind == Kind::Name && i.relative == x.relative)
            };
            let Some(candidate) = whole.iter().take(MOST).find(alike) else { continue };
            if self.likeness(x, candidate).max(self.likeness(y, candidate)) >= AGREES {
                continue;
            }
            let word = |item: &Item| self.vocabulary.word(item.word.number);
            let (first, second) = (word(x)?, word(y)?);
            let text = [self.vocabulary.text(first), self.vocabulary.text(second)].concat();
            let none = Compound::None;
            let number = self.vocabulary.number(&text, &text, none, self.costs, self.frequencies);
            let joined = Item { word: self.known(number), weight: x.weight + y.weight, ..*x };
            if may_agree(&joined, candidate) && self.likeness(&joined, candidate) >= JOINED {
                let mut out = apart.to_vec();
                out.splice(k..k + 2, [joined]);
                return Some(out);
            }
        }
        None
    }
}

/// Whether two tokens can have a likeness above 0: they are of one person, and enough of their
/// consonants agree.
#[inline(always)]
fn may_agree(x: &Item, y: &Item) -> bool {
    let initial = x.kind == Kind::Initial || y.kind == Kind::Initial;
    x.relative == y.relative && (initial || x.word.sounds.agree(y.word.sounds))
}

/// Pairs the names that are left on both sides, in order: they contradict each other.
fn oppose(pairing: &mut Pairing, a: &[Item], b: &[Item]) {
    let contrary = |x: &Item, y: &Item| {
        x.relative == y.relative && x.kind != Kind::Optional && y.kind != Kind::Optional
    };
    for (i, x) in a.iter().enumerate() {
        if pairing.partner(i).is_none()
            && let Some(j) = (0..b.len())
                .find(|j| !pairing.is_taken(*j) && b.get(*j).is_some_and(|y| contrary(x, y)))
        {
            pairing.pair(i, j);
        }
    }
}

/// The pair of two tokens' words.
#[inline(always)]
fn key(x: &Item, y: &Item) -> Pair {
    Pair {
        low: x.word.number.min(y.word.number),
        high: x.word.number.max(y.word.number),
        initial: x.kind == Kind::Initial || y.kind == Kind::Initial,
    }
}

/// Adds a token to those of a name, if it counts.
#[inline]
fn add(items: &mut Vec<Item>, word: Known, role: Role, part: Part) {
    let Some(kind) = kind_of(role, part) else { return };
    let rarity = f64::from(word.rarity);
    let weight = match (role, part) {
        (Role::Initial, _) => INITIAL_WEIGHT,
        (Role::Name | Role::Muhammad, Part::Own) => rarity,
        _ => rarity * WEAK,
    };
    let relative = part == Part::Relative;
    items.push(Item { word, kind, relative, weight });
}

/// Longer names first, then in an order of their words.
fn is_before(a: &[Item], b: &[Item]) -> bool {
    let words = a.iter().map(|item| item.word.mixed).cmp(b.iter().map(|item| item.word.mixed));
    b.len().cmp(&a.len()).then(words).is_lt()
}

/// What a token counts as; relation words, particles and alias marks count for nothing.
fn kind_of(role: Role, part: Part) -> Option<Kind> {
    match (role, part) {
        (Role::Relation | Role::AliasMark | Role::Particle, _) => None,
        (Role::Initial, Part::Own) => Some(Kind::Initial),
        (Role::Name, Part::Own | Part::Relative) => Some(Kind::Name),
        _ => Some(Kind::Optional),
    }
}

/// The sums over the tokens of two names.
#[derive(Debug, Default)]
struct Evidence {
    agree: f64,
    against: f64,
    lacking: f64,
    agreeing: bool,
    conflict: bool,
    initial: bool,
    names_missing: bool,
    optional_missing: bool,
    cross: bool,
    reordered: bool,
    last: Option<usize>,
}

impl Evidence {
    fn pair(&mut self, x: &Item, y: &Item, likeness: f64) {
        let initial = x.kind == Kind::Initial || y.kind == Kind::Initial;
        if likeness < AGREES {
            self.conflict = true;
        } else if initial {
            self.initial = true;
        } else {
            self.agreeing = true;
        }
    }

    fn missing(&mut self, item: &Item) {
        let (name, other) = MISSING;
        if item.kind == Kind::Name && !item.relative {
            self.names_missing = true;
            self.lacking += item.weight * name;
        } else {
            self.optional_missing = true;
            self.lacking += item.weight * other;
        }
    }

    fn sum_up(&self) -> Comparison {
        let all = self.agree + self.against + self.lacking;
        let order = if self.reordered { REORDERED } else { 1.0 };
        let similarity = if all > 0.0 { self.agree / all * order } else { 0.0 };
        let kind = if !self.agreeing && !self.initial {
            Match::Different
        } else if self.conflict {
            Match::Conflicting
        } else if self.initial {
            Match::Initial
        } else if self.names_missing {
            Match::Subset
        } else if self.cross {
            Match::CrossScript
        } else if self.reordered {
            Match::Reordered
        } else if self.optional_missing {
            Match::OptionalMissing
        } else {
            Match::SpellingVariant
        };
        Comparison { similarity: similarity.min(SPELLING), kind }
    }
}
