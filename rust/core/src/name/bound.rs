//! What an alignment can be worth at most, without aligning: most pairs of words are so unlike that
//! this is enough.
//!
//! The weight that an operation has inside of words is dealt out evenly to its letters of one side. A
//! letter of a word then gets at most the best of its shares over the operations that the other word
//! has letters for. What an operation is worth more at the first or last place goes to the first or
//! last letter. The sum over the letters of either side bounds every alignment.

use super::costs::{
    KINDS, Kinds, LETTERS, LONGEST, Letter, NEVER, NO_LETTER, OTHER, Script, Segments, Weights,
};

/// By letter, and by a letter of the other word; the last two columns need none of a Roman and of an
/// Urdu word.
type Shares = Vec<[i16; KINDS + 2]>;

/// Shares of operations inside of words, and what first and last places add.
#[derive(Debug, Clone)]
pub(super) struct Bounds {
    /// By letter of the other word first.
    inside: Vec<[i16; KINDS]>,
    first: Shares,
    last: Shares,
}

/// The column of operations that need no letter of a word of this script.
fn nothing(script: Script) -> usize {
    KINDS + usize::from(script == Script::Urdu)
}

/// The letters of a segment, as numbers.
fn letters(segment: &[char; LONGEST], kinds: &Kinds) -> impl Iterator<Item = usize> + Clone {
    let letters = segment.iter().filter(|c| **c != NO_LETTER);
    letters.map(|c| kinds.get(c).copied().filter(|_| *c != OTHER).unwrap_or(0).into())
}

impl Bounds {
    pub(super) fn new() -> Self {
        Self {
            inside: vec![[NEVER; KINDS]; KINDS + 2],
            first: vec![[0; KINDS + 2]; KINDS],
            last: vec![[0; KINDS + 2]; KINDS],
        }
    }

    /// Takes in the weights between two scripts.
    pub(super) fn add(
        &mut self,
        weights: &Weights,
        [x, y]: [(&Segments, Script); 2],
        kinds: &Kinds,
    ) {
        let ((x, script_x), (y, script_y)) = (x, y);
        for (a, &i) in &x.ids {
            let a: Vec<usize> = letters(a, kinds).collect();
            for (b, &j) in &y.ids {
                let Some(worth) = weights.both_places(i, j) else { continue };
                let b: Vec<usize> = letters(b, kinds).collect();
                self.deal(&a, &b, None, worth);
                self.deal(&b, &a, None, worth);
            }
        }
        for (side, segments, other) in [(0, x, script_y), (1, y, script_x)] {
            for (a, &i) in &segments.ids {
                if let Some(worth) = weights.gone_places(side, i) {
                    let a: Vec<usize> = letters(a, kinds).collect();
                    self.deal(&a, &[], Some(nothing(other)), worth);
                }
            }
        }
    }

    /// Deals an operation out to its letters `a`; `worth` is inside, first and last.
    fn deal(&mut self, a: &[usize], b: &[usize], column: Option<usize>, worth: [i16; 3]) {
        let [inside, first, last] = worth.map(i32::from);
        let count = a.len().max(1) as i32;
        // Rounded up, for a bound.
        let share = -(-inside).div_euclid(count);
        let column_inside = column.or(b.iter().max().copied());
        for letter in a {
            let row = column_inside.and_then(|column| self.inside.get_mut(column));
            if let Some(cell) = row.and_then(|row| row.get_mut(*letter)) {
                *cell = (*cell).max(share.clamp(NEVER.into(), i16::MAX.into()) as i16);
            }
        }
        let raise = |shares: &mut Shares, row: Option<&usize>, column: Option<usize>, to: i32| {
            let row = row.and_then(|row| shares.get_mut(*row));
            if let Some(cell) = row.and_then(|row| row.get_mut(column?)) {
                *cell = (*cell).max(to.clamp(NEVER.into(), i16::MAX.into()) as i16);
            }
        };
        raise(&mut self.first, a.first(), column.or(b.first().copied()), first - inside);
        raise(&mut self.last, a.last(), column.or(b.last().copied()), last - inside);
    }

    /// The most that each letter can be worth inside of a partner of `word`.
    pub(super) fn profile(&self, word: &[Letter], script: Script) -> [i16; KINDS] {
        let mut out = self.inside.get(nothing(script)).copied().unwrap_or([NEVER; KINDS]);
        for letter in word {
            if let Some(shares) = self.inside.get(usize::from(letter.kind)) {
                for (most, share) in out.iter_mut().zip(shares) {
                    *most = (*most).max(*share);
                }
            }
        }
        out
    }

    /// What the letters of `x` behind each can be worth at most, and the constant; `None` when two
    /// words cannot be worth `least` altogether.
    #[inline]
    pub(super) fn rest(
        &self,
        x: &Side<'_>,
        y: &Side<'_>,
        weights: &Weights,
        least: i32,
    ) -> Option<Rest> {
        let shorter = x.letters.len().min(y.letters.len());
        let constant = weights.constant(shorter);
        // A word of one letter is first and last at once, which no share accounts for.
        if shorter < 2 {
            return Some([i32::MAX / 4; LETTERS + 1]);
        }
        let other = self.edges(y, x) + y.letters.iter().fold(0, |sum, l| sum + x.share(l));
        if other + constant < least {
            return None;
        }
        let mut rest = [0; LETTERS + 1];
        let mut sum = constant + self.last_edge(x, y);
        for (to, letter) in rest.iter_mut().skip(1).zip(x.letters).rev() {
            *to = sum;
            sum += y.share(letter);
        }
        (sum + self.first_edge(x, y) >= least).then_some(rest)
    }

    fn edges(&self, x: &Side<'_>, y: &Side<'_>) -> i32 {
        self.first_edge(x, y) + self.last_edge(x, y)
    }

    fn first_edge(&self, x: &Side<'_>, y: &Side<'_>) -> i32 {
        edge(&self.first, x.letters.first(), y.letters.first(), y.script)
    }

    fn last_edge(&self, x: &Side<'_>, y: &Side<'_>) -> i32 {
        edge(&self.last, x.letters.last(), y.letters.last(), y.script)
    }
}

/// What an edge adds at most.
#[inline]
fn edge(shares: &Shares, a: Option<&Letter>, b: Option<&Letter>, script: Script) -> i32 {
    let row = a.and_then(|a| shares.get(usize::from(a.kind)));
    let of = |column: usize| row.and_then(|r| r.get(column)).copied().unwrap_or(0);
    b.map_or(0, |b| of(b.kind.into())).max(of(nothing(script))).into()
}

/// By number of letters read: what those left can be worth at most.
pub(super) type Rest = [i32; LETTERS + 1];

/// A word, its script and its [`Bounds::profile`].
pub(super) struct Side<'a> {
    pub letters: &'a [Letter],
    pub script: Script,
    pub profile: &'a [i16],
}

impl Side<'_> {
    /// The most that a letter of the other word can be worth inside of it.
    #[inline(always)]
    fn share(&self, letter: &Letter) -> i32 {
        self.profile.get(usize::from(letter.kind)).copied().unwrap_or(0).into()
    }
}

#[cfg(test)]
mod tests {
    use super::super::align::log_odds;
    use super::super::costs::CostTable;
    use super::*;

    /// A table in which everything happens: doubled letters, edges, letters of no alphabet.
    fn table() -> CostTable {
        let rows = [
            "roman roman\ta\ta\tany\t300",
            "roman roman\ta\ta\tfirst\t900",
            "roman roman\ta\te\tany\t-200",
            "roman roman\ta\te\tlast\t400",
            "roman roman\te\te\tany\t350",
            "roman roman\tk\tk\tany\t1200",
            "roman roman\tkh\tk\tany\t600",
            "roman roman\tkh\tkh\tany\t1500",
            "roman roman\th\th\tany\t500",
            "roman roman\taa\te\tany\t-300",
            "roman roman\taa\taa\tany\t700",
            "roman roman\ta\t\tany\t-500",
            "roman roman\ta\t\tv$\t-100",
            "roman roman\te\t\tany\t-400",
            "roman roman\tk\t\tany\t-3000",
            "roman roman\tk\t\t^v\t-2000",
            "roman roman\th\t\tany\t-900",
            "roman roman\tah\t\tany\t-1500",
            "roman roman\tah\t\tc$\t-200",
            "roman roman\t*\t*\tany\t500",
            "roman roman\t*\t\tany\t-2500",
            "roman roman\t\t\t2\t-1000",
        ];
        CostTable::parse(&format!("scripts\tx\ty\tplace\tweight\n{}\n", rows.join("\n"))).unwrap()
    }

    #[test]
    fn no_alignment_is_worth_more() {
        let table = table();
        let weights = table.weights(Script::Roman, Script::Roman);
        let mut state = 7u32;
        let mut word = || {
            let mut text = String::new();
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
            for _ in 0..2 + (state >> 16) % 5 {
                state = state.wrapping_mul(1_103_515_245).wrapping_add(12345);
                text.push(['a', 'e', 'k', 'h', 'z'][(state >> 16) as usize % 5]);
            }
            text
        };
        let mut tight = 0;
        for _ in 0..5000 {
            let spell = |text: &str| {
                let mut out = vec![];
                table.spell(text.as_bytes(), Script::Roman, &mut out);
                out
            };
            let (a, b) = (word(), word());
            let (x, y) = (spell(&a), spell(&b));
            let (px, py) = (
                table.bounds().profile(&x, Script::Roman),
                table.bounds().profile(&y, Script::Roman),
            );
            let side = |letters, profile| Side { letters, script: Script::Roman, profile };
            let all = [i32::MAX / 4; LETTERS + 1];
            let odds = log_odds(&x, &y, weights, &all, i32::MIN);
            let rest = |least| table.bounds().rest(&side(&x, &px), &side(&y, &py), weights, least);
            let found = rest(odds).map(|rest| log_odds(&x, &y, weights, &rest, odds));
            assert_eq!(found, Some(odds), "{a} {b}");
            tight += usize::from(rest(odds + 1500).is_none());
        }
        assert!(tight > 200, "{tight}");
    }
}
