//! The grammar of Pakistani names: which words are one name, and what each does.
//!
//! Joined to one token: Abdul X, Ghulam X, X Ullah, X ud Din, Allah X, Abu X, Umme X, Bi Bi. Set
//! apart: Muhammad written onto a name, and the article of X ul Y. A relation word (s/o, زوجہ)
//! begins another person, an alias mark another name of the same one.

use super::compound::{self, Fused};
use super::tokens::{Compound, Part, Role, Token, Word};
use super::words::Class;

/// Reads the `words` of `folded` into `tokens` over `text`.
pub(super) fn read(folded: &[u8], words: &[Word], text: &mut Vec<u8>, tokens: &mut Vec<Token>) {
    let mut reader = Reader { folded, text, tokens, part: Part::Own, first: 0, named: false };
    let mut rest = words;
    while let Some((word, after)) = rest.split_first() {
        let used = reader.word(word, after);
        rest = after.get(used..).unwrap_or_default();
    }
    reader.end_part();
}

struct Reader<'a> {
    folded: &'a [u8],
    text: &'a mut Vec<u8>,
    tokens: &'a mut Vec<Token>,
    part: Part,
    /// First token of the part.
    first: usize,
    /// The part has a name already.
    named: bool,
}

impl<'a> Reader<'a> {
    fn raw(&self, word: &Word) -> &'a [u8] {
        self.folded.get(word.start as usize..word.end as usize).unwrap_or_default()
    }

    /// The spelling that stands for a word.
    fn canonical(&self, word: &Word) -> &'a [u8] {
        match word.class {
            _ if !word.form.is_empty() => word.form,
            Class::Muhammad if !is_urdu(self.raw(word)) => b"muhammad",
            _ => self.raw(word),
        }
    }

    /// Reads one word, and as many of those after it as belong to it: returns how many.
    #[inline]
    fn word(&mut self, word: &Word, after: &[Word]) -> usize {
        let raw = self.raw(word);
        let next = after.first();
        match word.class {
            Class::Plain => return self.plain(raw, next),
            Class::Muhammad => self.emit(self.canonical(word), Role::Muhammad),
            Class::Title => self.emit(self.canonical(word), Role::Title),
            Class::Khan => self.emit_weak(self.canonical(word), Role::Title),
            Class::Female => self.emit_weak(self.canonical(word), Role::Female),
            Class::Jan if self.named => self.emit_weak(self.canonical(word), Role::Female),
            Class::Jan => self.emit(self.canonical(word), Role::Name),
            Class::Rank => {
                self.emit(self.canonical(word), Role::Title);
                if let Some(retired) = next.filter(|w| self.raw(w) == b"r") {
                    self.emit(self.raw(retired), Role::Title);
                    return 1;
                }
            }
            Class::Bi => {
                if next.is_some_and(|w| w.class == Class::Bi) {
                    let bibi = if is_urdu(raw) { "بیبی".as_bytes() } else { b"bibi" };
                    self.emit_weak(bibi, Role::Female);
                    return 1;
                }
                self.emit_weak(raw, Role::Female);
            }
            Class::Number => self.emit(raw, Role::Number),
            Class::Initial => return self.initial(raw, after),
            Class::Abd => return self.abd(raw, after),
            Class::Ghulam => return self.unit(word, after, Compound::Ghulam),
            Class::Allah => return self.allah(word, after),
            Class::Abu => return self.unit(word, after, Compound::Kunya),
            Class::Umm => {
                let link = next.is_some_and(|w| w.class == Class::Article || self.raw(w) == b"e");
                let skip = usize::from(link);
                return skip
                    + self.unit(word, after.get(skip..).unwrap_or_default(), Compound::Kunya);
            }
            Class::Ullah => self.second(raw, Compound::Ullah),
            Class::Lah => self.emit(raw, Role::Name),
            Class::Uddin => self.second(raw, Compound::Uddin),
            Class::Din => self.din(raw),
            Class::Article => return self.article(word, next),
            Class::Bin if self.named && next.is_some() => {
                self.emit_weak(self.canonical(word), Role::Particle);
            }
            Class::Bin | Class::Of => self.emit(raw, Role::Name),
            Class::Relation => self.relation(self.canonical(word)),
            Class::Kin => {
                if next.is_some_and(|w| w.class == Class::Of) {
                    self.relation(self.canonical(word));
                    return 1;
                }
                self.emit(raw, Role::Name);
            }
            // At either end "alias" is no mark but a name (Ilyas).
            Class::Alias if raw != b"@" && (!self.named || next.is_none()) => {
                self.emit(raw, Role::Name);
            }
            Class::Alias => {
                self.end_part();
                self.emit(self.canonical(word), Role::AliasMark);
                let relative = self.part == Part::Relative;
                self.begin(if relative { Part::Relative } else { Part::Alias });
            }
        }
        0
    }

    /// A word of no class: a name, or a compound written as one word.
    #[inline]
    fn plain(&mut self, raw: &'a [u8], next: Option<&Word>) -> usize {
        let (urdu, len) = (is_urdu(raw), raw.len());
        let to = |end: usize| raw.get(..end).unwrap_or_default();
        let from = |start: usize| raw.get(start..).unwrap_or_default();
        match compound::split(raw) {
            None => {}
            Some(Fused::Abd(at)) => {
                self.compound(&[ABDUL.of(urdu), from(at)], 1, Compound::Abdul);
                return 0;
            }
            Some(Fused::Ghulam(at)) => {
                self.compound(&[GHULAM.of(urdu), from(at)], 1, Compound::Ghulam);
                return 0;
            }
            Some(Fused::Ullah(at)) => {
                self.compound(&[to(at), ULLAH.of(urdu)], 0, Compound::Ullah);
                return 0;
            }
            Some(Fused::Uddin(at)) => {
                self.compound(&[to(at), UDDIN.of(urdu)], 0, Compound::Uddin);
                return 0;
            }
            Some(Fused::Article(end, start)) => {
                self.emit(to(end), Role::Name);
                self.emit_weak(UL.of(urdu), Role::Particle);
                self.emit(from(start), Role::Name);
                return 0;
            }
            Some(Fused::MuhammadFirst(at)) => {
                self.emit(MUHAMMAD.of(urdu), Role::Muhammad);
                self.emit(from(at), Role::Name);
                return 0;
            }
            Some(Fused::MuhammadLast(at)) => {
                self.emit(to(at), Role::Name);
                self.emit(MUHAMMAD.of(urdu), Role::Muhammad);
                return 0;
            }
        }
        if urdu {
            if let Some(second) = compound::after_article(raw).filter(|_| self.named) {
                self.emit_weak(UL.of(true), Role::Particle);
                self.emit(second, Role::Name);
                return 0;
            }
        } else if len >= 5
            && let Some(stem) = next.and_then(|w| compound::before_article(raw, self.raw(w)))
        {
            self.emit(stem, Role::Name);
            self.emit_weak(UL.of(false), Role::Particle);
            return 0;
        }
        self.emit(raw, Role::Name);
        0
    }

    fn initial(&mut self, raw: &'a [u8], after: &[Word]) -> usize {
        let next = after.first().map(|w| self.raw(w));
        match (raw, next) {
            (b"s" | b"d" | b"w", Some(b"o")) if self.named && after.len() > 1 => {
                let relation: &[u8] = match raw {
                    b"s" => b"s/o",
                    b"d" => b"d/o",
                    _ => b"w/o",
                };
                self.relation(relation);
                return 1;
            }
            (b"e", Some(_)) if self.named => self.emit_weak(raw, Role::Particle),
            (b"m", Some(_)) if !self.named => self.emit(MUHAMMAD.of(false), Role::Muhammad),
            (_, Some(_)) if raw == "م".as_bytes() && !self.named => {
                self.emit(MUHAMMAD.of(true), Role::Muhammad);
            }
            _ => self.emit(raw, Role::Initial),
        }
        0
    }

    /// Abdul, with or without its article, and what it belongs to.
    fn abd(&mut self, raw: &'a [u8], after: &[Word]) -> usize {
        let urdu = is_urdu(raw);
        let article = usize::from(after.first().is_some_and(|w| w.class == Class::Article));
        match after.get(article) {
            Some(w) if matches!(w.class, Class::Allah | Class::Ullah | Class::Lah) => {
                self.compound(&[ABD.of(urdu), ULLAH.of(urdu)], 0, Compound::Ullah);
                article + 1
            }
            Some(w) if joins(w.class) => {
                let second = self.canonical(w);
                let second = compound::after_article(second).unwrap_or(second);
                self.compound(&[ABDUL.of(urdu), second], 1, Compound::Abdul);
                article + 1
            }
            _ => {
                self.emit(raw, Role::Name);
                0
            }
        }
    }

    /// A word that is one name with the next: Ghulam X, Abu X, Umme X.
    fn unit(&mut self, word: &Word, after: &[Word], compound: Compound) -> usize {
        let first = self.canonical(word);
        match after.first().filter(|w| joins(w.class)) {
            Some(next) => {
                self.compound(&[first, self.canonical(next)], 1, compound);
                1
            }
            None => {
                self.emit(first, Role::Name);
                0
            }
        }
    }

    /// Allah: the second part of a name before it, or the first of one after it.
    fn allah(&mut self, word: &Word, after: &[Word]) -> usize {
        let raw = self.raw(word);
        if self.tokens.last().is_some_and(|t| t.part == self.part && t.role == Role::Name) {
            self.second(raw, Compound::Ullah);
            return 0;
        }
        match after.first().filter(|w| w.class == Class::Plain) {
            Some(next) => {
                self.compound(&[self.canonical(word), self.raw(next)], 1, Compound::Allah);
                1
            }
            None => {
                self.emit(self.canonical(word), Role::Name);
                0
            }
        }
    }

    fn article(&mut self, word: &Word, next: Option<&Word>) -> usize {
        let raw = self.raw(word);
        match next {
            Some(w) if w.class == Class::Din && self.host().is_some() => {
                self.second(raw, Compound::Uddin);
                1
            }
            Some(w) if w.class == Class::Lah && self.host().is_some() => {
                self.second(raw, Compound::Ullah);
                1
            }
            Some(_) if self.named => {
                self.emit_weak(self.canonical(word), Role::Particle);
                0
            }
            _ => {
                self.emit(raw, Role::Name);
                0
            }
        }
    }

    /// Din: after "Shamsud" the second part of a compound, after another name a particle.
    fn din(&mut self, raw: &'a [u8]) {
        let host = self.host().map(|t| (t.start as usize, t.end as usize));
        if let Some((start, end)) = host
            && let Some(stem) = self.text.get(start..end).and_then(|t| t.strip_suffix(b"ud"))
            && stem.len() >= 3
        {
            let end = start + stem.len();
            self.text.truncate(end);
            if let Some(token) = self.tokens.last_mut() {
                token.end = end as u32;
                token.stem_end = end as u32;
            }
            self.second(raw, Compound::Uddin);
        } else if host.is_some() {
            self.emit_weak(raw, Role::Particle);
        } else {
            self.emit(raw, Role::Name);
        }
    }

    fn relation(&mut self, form: &[u8]) {
        self.end_part();
        self.begin(Part::Relative);
        self.emit(form, Role::Relation);
        self.first = self.tokens.len();
    }

    /// The token that a second part can belong to.
    fn host(&self) -> Option<&Token> {
        self.tokens.last().filter(|t| {
            t.part == self.part
                && (t.role == Role::Name || t.role == Role::Muhammad || t.can_be_name)
                && t.role != Role::Particle
        })
    }

    /// Ullah or Uddin: adds it to the name before it.
    fn second(&mut self, raw: &[u8], compound: Compound) {
        let urdu = is_urdu(raw);
        let tail = if compound == Compound::Ullah { ULLAH.of(urdu) } else { UDDIN.of(urdu) };
        if self.host().is_none() {
            self.emit(raw, Role::Name);
            return;
        }
        self.text.extend_from_slice(tail);
        if let Some(token) = self.tokens.last_mut() {
            token.end = self.text.len() as u32;
            token.role = Role::Name;
            if token.compound == Compound::None {
                token.compound = compound;
            }
        }
        self.named = true;
    }

    /// One token of two parts, a name; `stem` says which part tells it from others.
    fn compound(&mut self, parts: &[&[u8]; 2], stem: usize, compound: Compound) {
        let [first, second] = parts;
        self.emit(first, Role::Name);
        self.text.extend_from_slice(second);
        if let Some(token) = self.tokens.last_mut() {
            let middle = token.end;
            token.end = self.text.len() as u32;
            token.compound = compound;
            if stem == 1 {
                token.stem_start = middle;
                token.stem_end = token.end;
            }
        }
    }

    /// A token that becomes the name when its part has no other.
    fn emit_weak(&mut self, text: &[u8], role: Role) {
        let named = self.named;
        self.emit(text, role);
        self.named = named;
        if let Some(token) = self.tokens.last_mut() {
            token.can_be_name = true;
        }
    }

    #[inline]
    fn emit(&mut self, text: &[u8], role: Role) {
        if !self.text.is_empty() {
            self.text.push(b' ');
        }
        let start = self.text.len() as u32;
        self.text.extend_from_slice(text);
        let end = self.text.len() as u32;
        self.named |= role == Role::Name;
        self.tokens.push(Token {
            start,
            end,
            stem_start: start,
            stem_end: end,
            role,
            part: self.part,
            compound: Compound::None,
            can_be_name: false,
        });
    }

    fn begin(&mut self, part: Part) {
        self.part = part;
        self.first = self.tokens.len();
        self.named = false;
    }

    /// Makes names of what a part without a name has: the words that can be names, or else all.
    fn end_part(&mut self) {
        if self.named {
            return;
        }
        let tokens = self.tokens.get_mut(self.first..).unwrap_or_default();
        let weak = tokens.iter().any(|t| t.can_be_name);
        if !weak && tokens.iter().any(|t| t.role == Role::Muhammad) {
            return;
        }
        for token in tokens {
            if (token.can_be_name || !weak)
                && matches!(token.role, Role::Title | Role::Female | Role::Particle)
            {
                token.role = Role::Name;
            }
        }
    }
}

/// Can be the second part of Abdul X or Ghulam X.
fn joins(class: Class) -> bool {
    matches!(class, Class::Plain | Class::Muhammad | Class::Khan | Class::Jan)
}

fn is_urdu(word: &[u8]) -> bool {
    word.first().is_some_and(|b| !b.is_ascii())
}

/// One part of compounds in both scripts.
struct Spelling(&'static str, &'static str);

impl Spelling {
    fn of(&self, urdu: bool) -> &'static [u8] {
        if urdu { self.1.as_bytes() } else { self.0.as_bytes() }
    }
}

const ABD: Spelling = Spelling("abd", "عبد");
const ABDUL: Spelling = Spelling("abdul", "عبدال");
const GHULAM: Spelling = Spelling("ghulam", "غلام");
const ULLAH: Spelling = Spelling("ullah", "اللہ");
const UDDIN: Spelling = Spelling("uddin", "الدین");
const UL: Spelling = Spelling("ul", "ال");
const MUHAMMAD: Spelling = Spelling("muhammad", "محمد");
