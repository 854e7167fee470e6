//! What a name, a father's name or a birth date say about two records being of one person.

/// A field of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Own name.
    Name,
    /// Name of the father or husband.
    Father,
    /// Date or year of birth.
    Birth,
}

impl Field {
    /// Log likelihood ratios of agreement and of disagreement: how often one person's records agree,
    /// against how often two people's do. The rates are our judgement: half the men share a
    /// handful of names, records of women change the father for the husband, and birth dates are
    /// heaped on 1 January.
    fn ratios(self) -> (f64, f64) {
        let (same, different) = match self {
            Self::Name => (0.80, 0.005),
            Self::Father => (0.70, 0.005),
            Self::Birth => (0.90, 0.002),
        };
        let ratio = |a: f64, b: f64| (a / b).ln();
        (ratio(same, different), ratio(1.0 - same, 1.0 - different))
    }
}

/// Evidence of several fields, which are taken to be independent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Evidence {
    sum: f64,
    fields: usize,
}

impl Evidence {
    /// Adds a field whose agreement is in [0, 1]; `None` when either side does not say.
    #[must_use]
    pub fn and(self, field: Field, agreement: Option<f64>) -> Self {
        let Some(agreement) = agreement else { return self };
        let (agree, disagree) = field.ratios();
        let sum = self.sum + disagree + (agree - disagree) * agreement.clamp(0.0, 1.0);
        Self { sum, fields: self.fields + 1 }
    }

    /// Log likelihood ratio; `None` when no field says anything.
    #[must_use]
    pub fn log_ratio(&self) -> Option<f64> {
        (self.fields > 0).then_some(self.sum)
    }

    /// Whether two texts agree: equal but for case and blanks. `None` when one is blank.
    #[must_use]
    pub fn equal_text(a: &[u8], b: &[u8]) -> Option<f64> {
        let words = |text: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(text).to_lowercase();
            text.split_whitespace().map(str::to_owned).collect()
        };
        let (a, b) = (words(a), words(b));
        (!a.is_empty() && !b.is_empty()).then(|| f64::from(u8::from(a == b)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agreement_speaks_for_and_disagreement_against() {
        let none = Evidence::default().and(Field::Name, None);
        assert_eq!(none.log_ratio(), None);
        let both = |name, birth| {
            let found = Evidence::default().and(Field::Name, Some(name));
            found.and(Field::Birth, Some(birth)).log_ratio().unwrap()
        };
        assert!(both(1.0, 1.0) > both(1.0, 0.0) && both(0.0, 0.0) < 0.0);
        assert_eq!(Evidence::equal_text(b" Bilal  KHAN", b"bilal khan"), Some(1.0));
        assert_eq!(Evidence::equal_text(b"Bilal", b"Bilawal"), Some(0.0));
        assert_eq!(Evidence::equal_text(b" ", b"Bilal"), None);
    }
}
