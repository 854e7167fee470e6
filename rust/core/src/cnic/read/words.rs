//! Words that stand beside a number, or instead of one.

/// What a word says about the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// Part of a label of a CNIC, B-Form, NICOP ...: nothing else.
    Label,
    /// A refugee's card.
    Foreign,
    /// A passport.
    Passport,
    /// A telephone.
    Phone,
    /// There is no number.
    Nothing,
}

/// All upper case.
const WORDS: [(Word, &[&str]); 5] = [
    (
        Word::Label,
        &[
            "CNIC",
            "NIC",
            "NICOP",
            "SNIC",
            "POC",
            "CRC",
            "BFORM",
            "FORM",
            "ID",
            "NO",
            "NOS",
            "NUM",
            "NUMBER",
            "NBR",
            "CARD",
            "IDENTITY",
            "IDENTIFICATION",
            "NATIONAL",
            "COMPUTERIZED",
            "COMPUTERISED",
            "SMART",
            "JUVENILE",
            "NADRA",
            "SHANAKHTI",
            "ICARD",
        ],
    ),
    (Word::Foreign, &["POR", "ACC", "ARC", "AFGHAN", "REFUGEE", "UNHCR"]),
    (Word::Passport, &["PASSPORT", "PPT"]),
    (Word::Phone, &["PHONE", "MOBILE", "MOB", "CELL", "TEL", "PH", "CONTACT", "WHATSAPP"]),
    (
        Word::Nothing,
        &[
            "NIL",
            "NILL",
            "NA",
            "N",
            "A",
            "NULL",
            "NONE",
            "NAN",
            "NAT",
            "UNKNOWN",
            "BLANK",
            "EMPTY",
            "MISSING",
            "NOT",
            "AVAILABLE",
            "APPLICABLE",
            "PROVIDED",
            "GIVEN",
            "KNOWN",
            "UNAVAILABLE",
        ],
    ),
];

/// What a Latin word means.
pub(super) fn latin(word: &[u8]) -> Option<Word> {
    let is = |w: &&str| w.as_bytes().eq_ignore_ascii_case(word);
    WORDS.iter().find(|(_, words)| words.iter().any(is)).map(|(kind, _)| *kind)
}

/// What an Urdu word means; letters as [`fold`] leaves them.
pub(super) fn urdu(word: &[char]) -> Option<Word> {
    let is = |w: &&str| w.chars().eq(word.iter().copied());
    let labels = ["قومی", "شناختی", "کارڈ", "نمبر", "نادرا", "ب", "فارم", "کمپیوٹرائزڈ"];
    let nothing = ["نہیں", "نامعلوم", "ندارد", "ہے"];
    if labels.iter().any(is) {
        Some(Word::Label)
    } else {
        nothing.iter().any(is).then_some(Word::Nothing)
    }
}

/// Arabic letters as Urdu writes them.
pub(super) fn fold(letter: char) -> char {
    match letter {
        'ي' | 'ى' => 'ی',
        'ك' => 'ک',
        'ه' => 'ہ',
        other => other,
    }
}
