//! Dates, by the slips of those who write them down.

use super::{EXACT, MISSING};

/// What holds at a level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateLevel {
    /// Day and month have changed places: 4 May for 5 April.
    DayMonthSwap,
    /// One digit of `yyyymmdd` is another, or two neighbours of one part have changed places.
    OneSlip,
    /// One year, and one of the dates is 1 January: the day for those of whom only the year is known.
    SameYearHeaped,
    /// One year.
    SameYear,
    /// At most so many days apart.
    Days(u32),
}

/// A date as it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Date {
    /// Days since 1 January 1970.
    day: i32,
    /// `yyyymmdd` in four bits a digit, the year first.
    digits: u32,
}

/// No date.
const NONE: Date = Date { day: i32::MIN, digits: 0 };

/// A date for each row.
#[derive(Debug)]
pub struct Dates {
    dates: Vec<Date>,
    /// Levels between equal and everything else.
    pub levels: Vec<DateLevel>,
}

impl Dates {
    /// Dates from days since 1 January 1970. Years before 1 or after 9999 are no dates.
    pub fn new(days: impl Iterator<Item = Option<i32>>, levels: Vec<DateLevel>) -> Self {
        Self { dates: days.map(|day| day.and_then(Date::new).unwrap_or(NONE)).collect(), levels }
    }

    /// Words of a row.
    pub(super) const WORDS: usize = 2;

    pub(super) fn words(&self, row: usize) -> [u32; Self::WORDS] {
        let date = self.dates.get(row).copied().unwrap_or(NONE);
        [date.day.cast_unsigned(), date.digits]
    }

    #[inline(always)]
    pub(super) fn level(&self, a: [u32; Self::WORDS], b: [u32; Self::WORDS]) -> u8 {
        let date = |[day, digits]: [u32; 2]| Date { day: day.cast_signed(), digits };
        let (a, b) = (date(a), date(b));
        if a == NONE || b == NONE {
            MISSING
        } else if a == b {
            EXACT
        } else {
            let found = self.levels.iter().position(|level| level.holds(a, b));
            found.unwrap_or(self.levels.len()) as u8 + 2
        }
    }
}

impl Date {
    fn new(day: i32) -> Option<Self> {
        let (year, month, of_month) = civil(day);
        let digits = [year / 1000, year / 100 % 10, year / 10 % 10, year % 10]
            .into_iter()
            .chain([month / 10, month % 10, of_month / 10, of_month % 10])
            .fold(0, |all, digit| all << 4 | digit as u32);
        (1..=9999).contains(&year).then_some(Self { day, digits })
    }
}

impl DateLevel {
    #[inline(always)]
    fn holds(self, a: Date, b: Date) -> bool {
        let same_year = a.digits >> 16 == b.digits >> 16;
        match self {
            Self::DayMonthSwap => {
                let swapped = (a.digits & 0xFF) << 8 | a.digits >> 8 & 0xFF;
                same_year && swapped == b.digits & 0xFFFF
            }
            Self::OneSlip => one_slip(a.digits, b.digits),
            Self::SameYearHeaped => {
                same_year && [a, b].iter().any(|date| date.digits & 0xFFFF == 0x0101)
            }
            Self::SameYear => same_year,
            Self::Days(most) => a.day.abs_diff(b.day) <= most,
        }
    }
}

fn one_slip(a: u32, b: u32) -> bool {
    let differs = a ^ b;
    let places = (differs | differs >> 1 | differs >> 2 | differs >> 3) & 0x1111_1111;
    let lowest = places.trailing_zeros();
    match places.count_ones() {
        1 => true,
        // Both digits in one part: the boundaries are below places 2 and 4.
        2 if places == 0x11 << lowest && lowest != 4 && lowest != 12 => {
            let digits = |x: u32| (x >> lowest & 15, x >> (lowest + 4) & 15);
            let (x, y) = digits(a);
            digits(b) == (y, x)
        }
        _ => false,
    }
}

/// Year, month and day of a day since 1 January 1970 in the Gregorian calendar (H. Hinnant,
/// chrono-Compatible Low-Level Date Algorithms, `civil_from_days`).
fn civil(day: i32) -> (i32, i32, i32) {
    let day = i64::from(day) + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year as i32, month as i32, (of_year - (153 * shifted + 2) / 5 + 1) as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (day, date) in [
            (0, (1970, 1, 1)),
            (-1, (1969, 12, 31)),
            (11_016, (2000, 2, 29)),
            (-719_162, (1, 1, 1)),
            (2_932_896, (9999, 12, 31)),
        ] {
            assert_eq!(civil(day), date);
        }
        assert_eq!(Date::new(2_932_897), None);
        assert_eq!(Date::new(0).unwrap().digits, 0x1970_0101);
        assert!([i32::MIN, i32::MAX].iter().all(|day| Date::new(*day).is_none()));
    }

    #[test]
    fn slips_of_dates() {
        use DateLevel::{DayMonthSwap, Days, OneSlip, SameYear, SameYearHeaped};
        // 2000-02-29, 2000-03-01, 2001-02-28, 1999-05-04, 1999-04-05, 1999-01-01
        let days = [11_016, 11_017, 11_381, 10_715, 10_686, 10_592].map(Some);
        let dates = Dates::new(days.into_iter().chain([None]), vec![]);
        let holds = |level: DateLevel, a: usize, b: usize| {
            let holds = level.holds(dates.dates[a], dates.dates[b]);
            assert_eq!(holds, level.holds(dates.dates[b], dates.dates[a]));
            holds
        };
        assert!(holds(Days(1), 0, 1) && !holds(Days(1), 0, 2));
        assert!(holds(DayMonthSwap, 3, 4) && !holds(DayMonthSwap, 0, 1));
        assert!(holds(SameYear, 3, 5) && !holds(SameYear, 0, 2));
        assert!(holds(SameYearHeaped, 3, 5) && !holds(SameYearHeaped, 3, 4));
        assert!(!holds(OneSlip, 0, 1) && !holds(OneSlip, 0, 2));
        assert!(one_slip(0x1999_0504, 0x1989_0504) && one_slip(0x1999_0512, 0x1999_0521));
        assert!(one_slip(0x1989_0504, 0x1998_0504) && !one_slip(0x1998_1204, 0x1991_8204));
        assert!(!one_slip(0x1998_0104, 0x1998_0010) && !one_slip(0x1998_0504, 0x1998_0405));

        let levels = Dates { levels: vec![OneSlip, SameYear], ..dates };
        let level = |(a, b)| levels.level(levels.words(a), levels.words(b));
        assert_eq!([(0, 0), (0, 1), (3, 5), (0, 3), (0, 6)].map(level), [1, 3, 3, 4, 0]);
    }
}
