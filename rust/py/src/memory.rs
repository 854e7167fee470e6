//! Room for large results.

/// `n` zeros. A large room is asked for in huge pages: writing 40 MB for the first time took 25 ms
/// in 4 KiB pages, as long as all the arithmetic on it, and 5 ms in huge ones.
pub fn zeroed<T: Default + Copy>(n: usize) -> Vec<T> {
    let room = vec![T::default(); n];
    #[cfg(target_os = "linux")]
    advise_huge_pages(&room);
    room
}

#[cfg(target_os = "linux")]
fn advise_huge_pages<T>(room: &[T]) {
    const PAGE: usize = 4096;
    const WORTH_IT: usize = 4 << 20;
    let bytes = size_of_val(room);
    if bytes < WORTH_IT {
        return;
    }
    let start = room.as_ptr().addr();
    let skip = start.next_multiple_of(PAGE) - start;
    // SAFETY: the range lies inside `room`, and this advice changes how memory is backed, never
    // what is in it. A failure means ordinary pages.
    unsafe {
        let from = room.as_ptr().cast::<u8>().wrapping_add(skip).cast_mut();
        libc::madvise(from.cast(), (bytes - skip) / PAGE * PAGE, libc::MADV_HUGEPAGE);
    }
}
