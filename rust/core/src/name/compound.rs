//! Compounds written as one word: Abdurrehman, Habibullah, Nizamuddin, Saifurrehman, Noormuhammad.

/// How one word splits. Lengths and positions are bytes of the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fused {
    /// Abdul X; X starts here.
    Abd(usize),
    /// Ghulam X; X starts here.
    Ghulam(usize),
    /// X Ullah; X ends here.
    Ullah(usize),
    /// X ud Din; X ends here.
    Uddin(usize),
    /// X ul Y; X ends and Y starts here.
    Article(usize, usize),
    /// Muhammad X; X starts here.
    MuhammadFirst(usize),
    /// X Muhammad; X ends here.
    MuhammadLast(usize),
}

/// How `word` (match form, of either script) splits, when it is a compound.
#[inline]
pub(super) fn split(word: &[u8]) -> Option<Fused> {
    match word.first() {
        Some(first) if first.is_ascii() => {
            if word.len() < 6 {
                None
            } else {
                roman_head(word).or_else(|| roman_tail(word))
            }
        }
        Some(_) if word.len() >= 10 => urdu(word),
        _ => None,
    }
}

#[inline]
fn roman_head(word: &[u8]) -> Option<Fused> {
    match word {
        [b'a', b'b', b'd', b'u' | b'o' | b'a' | b'e', rest @ ..] => abd(rest),
        [b'm', ..] if word.len() >= 10 => (5..=8)
            .rev()
            .find(|n| word.get(..*n).is_some_and(is_muhammad) && word.len() >= n + 3)
            .map(Fused::MuhammadFirst),
        [b'g', b'h', ..] if word.len() >= 9 && word.starts_with(b"ghulam") => {
            Some(Fused::Ghulam(6))
        }
        [b'g', b'u', ..] if word.len() >= 8 && word.starts_with(b"gulam") => Some(Fused::Ghulam(5)),
        _ => None,
    }
}

/// `rest` of a word after `abdu`: the article's consonant is `l`, or the next letter doubled.
fn abd(rest: &[u8]) -> Option<Fused> {
    const HEAD: usize = 4;
    if matches!(rest, b"llah" | b"lla" | b"lah" | b"llaah" | b"llha") {
        return Some(Fused::Ullah(3));
    }
    let skip = match rest {
        [b'l', ..] => 1,
        [b's', b'h', b's', b'h', ..] => 2,
        [a @ (b'r' | b's' | b'n' | b't' | b'z' | b'd'), b, ..] if a == b => 1,
        [b'r' | b's' | b'n' | b't' | b'z', ..] => 0,
        _ => return None,
    };
    (rest.len() >= skip + 3).then_some(Fused::Abd(HEAD + skip))
}

/// Second parts that follow an article inside one word, with the article's spellings before them.
const AFTER_ARTICLE: [&[u8]; 24] = [
    b"rehman", b"rahman", b"rahim", b"raheem", b"haq", b"haque", b"hassan", b"hasan", b"hussain",
    b"islam", b"nisa", b"nissa", b"ain", b"abidin", b"abideen", b"huda", b"amin", b"ameen",
    b"hasnain", b"arifeen", b"arifin", b"zaman", b"qadir", b"wahab",
];

#[inline]
fn roman_tail(word: &[u8]) -> Option<Fused> {
    let len = word.len();
    match word {
        [.., b'l', b'a', b'h'] | [.., b'l', b'l', b'a'] => [b"ullah".as_slice(), b"ollah", b"ulla"]
            .iter()
            .find(|tail| word.ends_with(tail) && len >= tail.len() + 2)
            .map(|tail| Fused::Ullah(len - tail.len())),
        [.., b'd', b'i', b'n'] | [.., b'd', b'e', b'e', b'n'] | [.., b'd', b'i', b'n', b'e'] => {
            let end = word.iter().rposition(|b| *b == b'd')?;
            let stem = match word.get(..end)? {
                [stem @ .., b'u' | b'e' | b'a', b'd' | b'l'] | [stem @ .., b'u'] => stem,
                _ => return None,
            };
            (stem.len() >= 2).then_some(Fused::Uddin(stem.len()))
        }
        [.., b'n' | b'q' | b'e' | b'm' | b'a' | b'r' | b'b'] if len >= 8 => {
            AFTER_ARTICLE.iter().find_map(|second| {
                let head = word.strip_suffix(*second)?;
                // Zia-ul-Haq; Saif-ur-Rehman with its r once or twice.
                let first = match (head, second.first()?) {
                    ([x @ .., b'u', b'l'], _) => x,
                    ([x @ .., b'u', a], b) if a == b && is_sun(*b) => x,
                    ([x @ .., b'u'], b'r' | b'n') => x,
                    _ => return None,
                };
                (first.len() >= 3).then_some(Fused::Article(first.len(), head.len()))
            })
        }
        [.., b'a' | b'e' | b'u', b'd'] if len >= 8 => (6..=8)
            .rev()
            .filter_map(|n| len.checked_sub(n))
            .find(|at| *at >= 2 && word.get(*at..).is_some_and(is_muhammad))
            .map(Fused::MuhammadLast),
        _ => None,
    }
}

fn is_sun(letter: u8) -> bool {
    matches!(letter, b'r' | b's' | b'n' | b't' | b'z' | b'd')
}

/// Letters of Urdu take two bytes.
fn urdu(word: &[u8]) -> Option<Fused> {
    let (text, len) = (word, word.len());
    let strip = |tail: &str| text.strip_suffix(tail.as_bytes()).map(<[u8]>::len);
    if let Some(stem) = strip("اللہ").or_else(|| strip("للہ")).filter(|n| *n >= 2) {
        return Some(Fused::Ullah(stem));
    }
    if text.starts_with("عبدال".as_bytes()) && len >= 10 + 4 {
        return Some(Fused::Abd(10));
    }
    if let Some(stem) = strip("الدین").filter(|n| *n >= 4) {
        return Some(Fused::Uddin(stem));
    }
    if text.starts_with("غلام".as_bytes()) && len >= 8 + 4 {
        return Some(Fused::Ghulam(8));
    }
    if text.starts_with("محمد".as_bytes()) && len >= 8 + 6 {
        return Some(Fused::MuhammadFirst(8));
    }
    if let Some(stem) = strip("محمد").filter(|n| *n >= 4) {
        return Some(Fused::MuhammadLast(stem));
    }
    ["رحمن", "رحمان", "حق", "حسن", "حسین", "اسلام", "نسا", "عین", "عابدین", "ہدی"].iter().find_map(
        |second| {
            let head = text.strip_suffix(second.as_bytes())?;
            let first = head.strip_suffix("ال".as_bytes())?.len();
            (first >= 4).then_some(Fused::Article(first, head.len()))
        },
    )
}

/// The second part of an Urdu word that begins with the article: الرحمن after سیف. Names that
/// merely begin with the same letters (الطاف) have no article.
pub(super) fn after_article(word: &[u8]) -> Option<&[u8]> {
    const NAMES: [&str; 12] = [
        "الطاف",
        "الیاس",
        "الہی",
        "الفت",
        "الماس",
        "التمش",
        "التجا",
        "الہام",
        "التفات",
        "الیزبت",
        "الحاج",
        "المعروف",
    ];
    let rest = word.strip_prefix("ال".as_bytes())?;
    (rest.len() >= 4 && !NAMES.iter().any(|name| word == name.as_bytes())).then_some(rest)
}

/// First part of X ul Y when the article is written with it: Azizur before Rehman, Ziaul before Haq.
pub(super) fn before_article<'a>(word: &'a [u8], next: &[u8]) -> Option<&'a [u8]> {
    const UR: [&[u8]; 8] =
        [b"mansur", b"manzur", b"zahur", b"ghafur", b"shakur", b"masrur", b"sabur", b"mashkur"];
    const UL: [&[u8]; 8] =
        [b"rasul", b"maqbul", b"batul", b"gul", b"abdul", b"mashghul", b"jangul", b"zargul"];
    let stem = match (word, next) {
        ([stem @ .., b'u', b'r'], [b'r', b'a' | b'e', ..]) if !UR.contains(&word) => stem,
        ([stem @ .., b'u', b'l'], [b'h' | b'i' | b'q' | b'a', ..]) if !UL.contains(&word) => stem,
        ([stem @ .., b'u', b'n'], [b'n', b'i', b's', ..]) => stem,
        _ => return None,
    };
    (stem.len() >= 3).then_some(stem)
}

/// A spelling of Muhammad: m, vowel, h, vowel, m or mm, vowel, d or t, where a vowel may be
/// missing; not Mahmud or Mahmood.
#[inline]
pub(super) fn is_muhammad(word: &[u8]) -> bool {
    let [b'm', rest @ ..] = word else { return false };
    let vowel = |rest: &mut &[u8], allowed: &[u8]| {
        if let [first, tail @ ..] = *rest
            && allowed.contains(first)
        {
            *rest = tail;
            return *first;
        }
        0
    };
    let mut rest = rest;
    let first = vowel(&mut rest, b"uoae");
    let [b'h', tail @ ..] = rest else { return false };
    rest = tail;
    let second = vowel(&mut rest, b"auoei");
    if second == 0 && !matches!(first, b'u' | b'o') {
        return false;
    }
    rest = match rest {
        [b'm', b'm', tail @ ..] | [b'm', tail @ ..] => tail,
        _ => return false,
    };
    let allowed: &[u8] = if second == 0 { b"ae" } else { b"aeu" };
    vowel(&mut rest, allowed);
    matches!(rest, b"d" | b"t" | b"dd")
}
