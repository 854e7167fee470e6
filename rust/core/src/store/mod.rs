//! Files that are read where they lie in memory: bytes in, bytes out. Who keeps the file is the caller.
//!
//! A file has a header whose checksum is compared whenever it is opened, and sections whose checksums
//! are compared on demand. Whatever bytes are read, there is an answer or a [`Fault`].

pub(crate) mod bytes;
pub(crate) mod file;

/// Why bytes are no index, or an index cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No file of ours.
    Foreign,
    /// Of another layout.
    Format(u64),
    /// Too short.
    Truncated,
    /// Changed since it was written: a place in it.
    Corrupt(&'static str),
    /// The texts of a column have 2^32 bytes or more.
    TooLarge,
    /// An id is there already.
    Repeated,
}
