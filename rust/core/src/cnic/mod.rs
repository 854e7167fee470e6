//! Pakistan's 13-digit identity number (CNIC): reading, judging, repair, masking, tokens.
//!
//! A value is first *read* ([`read`]): what digits does it hold, and is it a CNIC at all? The
//! reading is then *judged* against the table of prefixes ([`PrefixTable::judge`]): does the number
//! look right, and where was it issued? The number has no check digit, so a wrong digit shows only in
//! the prefix, the fourth digit (0 in every known prefix) or the last one (odd for men).
//!
//! # Example
//!
//! ```
//! use nser_core::cnic::{Issue, Kind, PrefixTable, Sex, read};
//!
//! let table = PrefixTable::parse(
//!     "prefix,province,division,district,tehsil,adm1_pcode,adm2_pcode,valid_from,valid_to,mark,source\n\
//!      35202,Punjab,Lahore,Lahore,Lahore City,PK6,PK617,,,listed,example\n",
//! )?;
//! let good = table.judge(&read::text("35202-1234567-1".as_bytes()), None);
//! assert_eq!((good.number(), good.kind, good.issue), (Some(3520212345671), Kind::Cnic, Issue::None));
//! assert_eq!((good.sex, table.place(good.place).district), (Some(Sex::Male), Some("Lahore")));
//!
//! let wrong = table.judge(&read::text("35212-1234567-1".as_bytes()), None);
//! assert_eq!(wrong.issue, Issue::Digit4Nonzero);
//! # Ok::<(), nser_core::cnic::TableError>(())
//! ```

mod channel;
mod columns;
mod digits;
mod edit;
mod evidence;
mod index;
mod judge;
mod kind;
mod layout;
mod prefix;
pub mod read;
mod repair;
mod token;

pub use columns::{Columns, Validity, each_reading};
pub use digits::Digits;
pub use edit::{Edit, distance};
pub use evidence::{Evidence, Field};
pub use index::Index;
pub use judge::{Parsed, parse_text};
pub use kind::{Issue, Kind, Sex};
pub use layout::{Shown, format, mask, normalize};
pub use prefix::{PlaceNames, PrefixTable, TableError};
pub use read::Reading;
pub use repair::{Candidate, Outcome, Repair, Repairer};
pub use token::Key;
