//! The recurrences, a pair a lane, over the characters of the texts.

use super::vector::Vector;
use super::{Block, Kernel};

/// Fills the results of a block whose longest text has `longest` characters.
///
/// # Safety
///
/// See [`Vector`].
#[inline(always)]
pub(super) unsafe fn run<V: Vector>(kernel: Kernel, block: &mut Block, longest: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        V::compare(block, longest);
        match kernel {
            Kernel::Jaro => matches::<V>(block, longest),
            Kernel::Levenshtein => distances::<V, false>(block, longest),
            Kernel::Osa => distances::<V, true>(block, longest),
        }
    }
}

/// The columns of [`crate::text::column::Levenshtein`] and [`crate::text::column::Osa`].
///
/// # Safety
///
/// See [`Vector`].
#[inline(always)]
unsafe fn distances<V: Vector, const SWAPS: bool>(block: &mut Block, longest: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        let (pattern, text) = (V::load(&block.pattern), V::load(&block.text));
        let (zero, one) = (V::splat(0), V::splat(1));
        let (mut plus, mut minus) = (V::splat(u32::MAX), zero);
        let (mut same, mut last) = (zero, zero);
        let mut j = zero;
        for row in 0..longest.div_ceil(2) {
            for equal in V::masks(block, row) {
                let x = equal.or(minus);
                let mut now = x.and(plus).add(plus).xor_or(plus, x);
                if SWAPS {
                    now = now.or_and(same.not_and(equal).double(), last);
                    (same, last) = (now, equal);
                }
                let grows = minus.or_nor(now, plus).double().or(one);
                let shrinks = now.and(plus).double();
                // Where the text has ended nothing changes any more.
                let more = j.less(text);
                plus = plus.put(more, shrinks.or_nor(now, grows));
                minus = minus.put(more, grows.and(now));
                j = j.add(one);
            }
        }
        let rows = one.shift(pattern).sub(one);
        text.add(plus.and(rows).ones()).sub(minus.and(rows).ones()).store(&mut block.found);
    }
}

/// [`crate::text::jaro::matches_word`].
///
/// # Safety
///
/// See [`Vector`].
#[inline(always)]
unsafe fn matches<V: Vector>(block: &mut Block, longest: usize) {
    // SAFETY: promised by the caller.
    unsafe {
        let (pattern, text) = (V::load(&block.pattern), V::load(&block.text));
        let (zero, one) = (V::splat(0), V::splat(1));
        let reach = pattern.max(text).half().sub(one).max(zero);
        let mut window = V::splat(2).shift(reach).sub(one);
        let (mut taken, mut matched) = (zero, zero);
        let (mut j, mut bit) = (zero, one);
        for row in 0..longest.div_ceil(2) {
            for equal in V::masks(block, row) {
                let free = taken.not_and(equal).and(window);
                taken = taken.or_and(free, zero.sub(free));
                matched = matched.put(free.meets(free), matched.or(bit));
                bit = bit.double();
                let wider = window.double();
                window = wider.put(j.less(reach), wider.or(one));
                j = j.add(one);
            }
        }
        taken.ones().store(&mut block.found);
        // Matched characters of the text meet those of the pattern in their order.
        let (mut rest, mut moved, mut bit) = (taken, zero, one);
        for row in 0..longest.div_ceil(2) {
            for equal in V::masks(block, row) {
                let first = rest.and(zero.sub(rest));
                let here = matched.meets(bit);
                let other = one.put(first.meets(equal), zero);
                moved = moved.put(here, moved.add(other));
                rest = rest.put(here, first.not_and(rest));
                bit = bit.double();
            }
        }
        moved.store(&mut block.moved);
    }
}
