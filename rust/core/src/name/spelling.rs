//! Roman spelling of an Urdu word by rule.
//!
//! Letters are those of the match form. A word is read as syllables: a consonant, or none, and the
//! vowel that is written after it, or none. Then the unwritten vowels go in: from the end, a
//! consonant between two syllables that have a vowel takes none, the last takes none, the others
//! take `a`, except in the patterns of Arabic names that have `i` or `u`.

/// One consonant and its vowel.
#[derive(Clone, Copy)]
struct Syllable {
    letter: char,
    consonant: &'static str,
    vowel: Vowel,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Vowel {
    /// None is written.
    Unwritten,
    /// None is spoken.
    Silent,
    /// Alef or ain.
    Long,
    /// Any other.
    Is(&'static str),
}

/// Appends the spelling of `word`, in lower case. What is not Urdu stays as it is.
pub(super) fn spell(word: &str, out: &mut String) {
    if word.is_ascii() {
        out.push_str(word);
        return;
    }
    let letters: Vec<char> = word.chars().collect();
    let mut syllables = syllables(&letters);
    fill(&mut syllables);
    for syllable in &syllables {
        if syllable.consonant.is_empty() && !is_carrier(syllable.letter) {
            out.push(syllable.letter);
        }
        out.push_str(syllable.consonant);
        out.push_str(match syllable.vowel {
            Vowel::Unwritten | Vowel::Silent => "",
            Vowel::Long => "a",
            Vowel::Is(vowel) => vowel,
        });
    }
}

/// Letters that stand for a vowel, or for nothing.
fn is_carrier(letter: char) -> bool {
    matches!(letter, 'ا' | 'ع' | 'و' | 'ی' | 'ہ')
}

fn consonant(letter: char) -> Option<&'static str> {
    Some(match letter {
        'ب' => "b",
        'پ' => "p",
        'ت' | 'ٹ' | 'ط' => "t",
        'ث' | 'س' | 'ص' => "s",
        'ج' => "j",
        'چ' => "ch",
        'ح' | 'ہ' => "h",
        'خ' => "kh",
        'د' | 'ڈ' => "d",
        'ذ' | 'ز' | 'ض' | 'ظ' => "z",
        'ژ' => "zh",
        'ر' | 'ڑ' => "r",
        'ش' => "sh",
        'غ' => "gh",
        'ف' => "f",
        'ق' => "q",
        'ک' => "k",
        'گ' => "g",
        'ل' => "l",
        'م' => "m",
        'ن' => "n",
        'و' => "w",
        'ی' => "y",
        _ => return None,
    })
}

/// Consonants after which `h` is breath and not a letter: کھ and its like, which the match form
/// writes as کہ. After ب, ج and د a name has a true `h` as often (جہان).
fn is_aspirated(letter: char) -> bool {
    matches!(letter, 'ک' | 'گ' | 'ٹ' | 'ڈ' | 'ڑ' | 'چ' | 'ت' | 'پ')
}

fn syllables(letters: &[char]) -> Vec<Syllable> {
    let mut out: Vec<Syllable> = vec![];
    let mut rest = letters;
    while let Some((&letter, after)) = rest.split_first() {
        rest = after;
        let next = after.first().copied();
        let open = out.last().is_some_and(|s| s.vowel == Vowel::Unwritten);
        // The last syllable of a word sounds longer: Mehmood, Saleem.
        let closing = after.len() == 1 && next.is_some_and(|c| !is_carrier(c));
        let vowel = match letter {
            'ا' | 'ع' => Some(Vowel::Long),
            'و' if out.is_empty() || matches!(next, Some('ا' | 'ی')) => None,
            'و' if !open => None,
            'و' => Some(Vowel::Is(if closing { "oo" } else { "o" })),
            'ی' if out.is_empty() || (!open && next == Some('ا')) => None,
            'ی' => Some(Vowel::Is(if closing { "ee" } else { "i" })),
            'ہ' if after.is_empty() && open => Some(Vowel::Is("a")),
            _ => None,
        };
        match (vowel, out.last_mut()) {
            // Ain at the end is silent; before a written vowel it only parts two vowels.
            (Some(_), Some(_)) if letter == 'ع' && after.is_empty() => {}
            (Some(_), Some(last))
                if letter == 'ع' && open && matches!(next, Some('و' | 'ی' | 'ا')) =>
            {
                last.vowel = Vowel::Is("a");
            }
            (Some(vowel), Some(last)) if open => last.vowel = vowel,
            (Some(_), Some(_)) if letter == 'ع' => {}
            (Some(vowel), _) => out.push(Syllable { letter, consonant: "", vowel }),
            (None, _) => {
                let consonant = consonant(letter).unwrap_or("");
                let breath = is_aspirated(letter) && next == Some('ہ') && after.len() > 1;
                if breath {
                    rest = after.get(1..).unwrap_or_default();
                }
                out.push(Syllable {
                    letter,
                    consonant: if breath { aspirated(consonant) } else { consonant },
                    vowel: Vowel::Unwritten,
                });
            }
        }
    }
    out
}

fn aspirated(consonant: &'static str) -> &'static str {
    match consonant {
        "k" => "kh",
        "g" => "gh",
        "t" => "th",
        "d" => "dh",
        "r" => "rh",
        "p" => "ph",
        other => other,
    }
}

/// Puts the unwritten vowels in.
fn fill(syllables: &mut [Syllable]) {
    let pattern: Vec<(char, Vowel)> = syllables.iter().map(|s| (s.letter, s.vowel)).collect();
    let last = syllables.len().wrapping_sub(1);
    let mut next = Vowel::Silent;
    for (k, syllable) in syllables.iter_mut().enumerate().rev() {
        if syllable.vowel == Vowel::Unwritten {
            // At the head of a word alef and ain carry a short vowel.
            let alef =
                k.checked_sub(1).and_then(|k| pattern.get(k)).is_some_and(|(letter, vowel)| {
                    *vowel == Vowel::Long && (k > 1 || !is_carrier(*letter))
                });
            let closed = [Vowel::Unwritten, Vowel::Is("a")];
            let closed = pattern.get(k + 1).is_some_and(|(_, vowel)| closed.contains(vowel));
            syllable.vowel = if k == last && k > 0 {
                Vowel::Silent
            } else if alef && closed && k + 1 == last {
                Vowel::Is("i") // Tahir, Rashida
            } else if k == 0 || next == Vowel::Silent {
                Vowel::Is("a")
            } else {
                Vowel::Silent
            };
        }
        next = syllable.vowel;
    }
    let head = head_vowel(&pattern);
    if let (Some(head), Some(first)) = (head, syllables.first_mut()) {
        first.vowel = Vowel::Is(head);
    }
}

/// Vowel of the first syllable in the patterns where it is not `a`.
fn head_vowel(pattern: &[(char, Vowel)]) -> Option<&'static str> {
    use Vowel::{Is, Long, Unwritten};
    match pattern {
        // Mukhtar, Mushtaq.
        [('م', Unwritten), (_, Unwritten), (_, Long), _, ..] => Some("u"),
        // Munir, Mubeen.
        [('م', Unwritten), (_, Is("ee")), _] => Some("u"),
        // Iqbal, Imran; Iftikhar, Imtiaz.
        [('ا' | 'ع', Long), (_, Unwritten), (_, Long), _] => Some("i"),
        [('ا', Long), (_, Unwritten), ('ت', _), _, ..] => Some("i"),
        _ => None,
    }
}
