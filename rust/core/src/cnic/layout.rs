//! Written forms of a number.

use super::digits::Digits;

/// What stays visible of a masked number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: `*****-*******-*`.
    None,
    /// The first digit: the province.
    Province,
    /// The first five digits: the place of registration.
    Prefix,
    /// The first five and the last: place and sex. Beside a name this can identify a person.
    PrefixAndLast,
}

impl Shown {
    /// What a name stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "none" => Self::None,
            "province" => Self::Province,
            "prefix" => Self::Prefix,
            "prefix_and_last" => Self::PrefixAndLast,
            _ => return None,
        })
    }

    fn shows(self, digit: usize) -> bool {
        match self {
            Self::None => false,
            Self::Province => digit == 0,
            Self::Prefix => digit < 5,
            Self::PrefixAndLast => digit < 5 || digit == 12,
        }
    }
}

/// The 13 digits of a number.
#[must_use]
pub fn normalize(number: u64) -> [u8; 13] {
    let digits = Digits { value: number, len: 13, doubtful: 0 }.array();
    let mut out = [b'0'; 13];
    out.iter_mut().zip(digits).for_each(|(to, digit)| *to += digit);
    out
}

/// The printed form, `AAAAA-BBBBBBB-C`.
#[must_use]
pub fn format(number: u64) -> [u8; 15] {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m] = normalize(number);
    [a, b, c, d, e, b'-', f, g, h, i, j, k, l, b'-', m]
}

/// The printed form with `*` for what is not to be seen.
#[must_use]
pub fn mask(number: u64, shown: Shown) -> [u8; 15] {
    let mut out = format(number);
    let digits = out.iter_mut().filter(|byte| **byte != b'-').enumerate();
    digits.filter(|(i, _)| !shown.shows(*i)).for_each(|(_, byte)| *byte = b'*');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_forms() {
        assert_eq!(&normalize(3520212345671), b"3520212345671");
        assert_eq!(&format(3520212345671), b"35202-1234567-1");
        for (name, want) in [
            ("none", b"*****-*******-*"),
            ("province", b"3****-*******-*"),
            ("prefix", b"35202-*******-*"),
            ("prefix_and_last", b"35202-*******-1"),
        ] {
            assert_eq!(&mask(3520212345671, Shown::from_name(name).unwrap()), want);
        }
        assert_eq!(Shown::from_name("all"), None);
    }
}
