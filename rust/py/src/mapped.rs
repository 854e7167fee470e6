//! Files that are read where the operating system keeps them.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// Maps a file that one of our writers made.
pub fn map(path: &str) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: the file is never written in place by us: a new one is moved to its name, which leaves
    // this one as it is. What is read is checked wherever it is used, so that bytes that another
    // program changes lead to wrong answers and to nothing worse; should another program cut the
    // file, the operating system ends the process, as for every mapped file.
    unsafe { Mmap::map(&file) }
}
