//! 512 strings at a time: a bit each, and counting by bits.

/// One bit for each of 512 strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
pub(super) struct Lanes(pub [u64; 8]);

impl Lanes {
    /// Strings a value of this type speaks of.
    pub const COUNT: usize = 512;

    pub const NONE: Self = Self([0; 8]);

    const ALL: Self = Self([u64::MAX; 8]);

    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let (Self(mut a), Self(b)) = (self, other);
        for (a, b) in a.iter_mut().zip(b) {
            *a = f(*a, b);
        }
        Self(a)
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |a, b| a ^ b)
    }

    /// True when no bit is set.
    #[inline(always)]
    pub fn is_none(self) -> bool {
        self.0.into_iter().fold(0, |all, word| all | word) == 0
    }
}

/// Sum and carry of three bits.
#[inline(always)]
fn add(a: Lanes, b: Lanes, c: Lanes) -> (Lanes, Lanes) {
    let half = a.xor(b);
    (half.xor(c), a.and(b).or(half.and(c)))
}

/// A counter for each of 512 strings, held bit by bit: `bits[0]` are the ones, `bits[1]` the twos.
#[derive(Clone, Copy)]
pub(super) struct Counters {
    bits: [Lanes; 6],
    over: Lanes,
}

impl Counters {
    /// The most a counter may be told to look for, and the most bits it may be given.
    pub const MOST: usize = 64;

    /// Counters that are over once they were given `need` bits, from 1 to [`Self::MOST`].
    #[inline(always)]
    pub fn looking_for(need: usize) -> Self {
        let start = Self::MOST.wrapping_sub(need);
        let mut bits = [Lanes::NONE; 6];
        for (n, bit) in bits.iter_mut().enumerate() {
            *bit = if start >> n & 1 == 1 { Lanes::ALL } else { Lanes::NONE };
        }
        Self { bits, over: Lanes::NONE }
    }

    /// Adds eight bits to every counter.
    #[inline(always)]
    pub fn add(&mut self, [a, b, c, d, e, f, g, h]: [Lanes; 8]) {
        let [ones, twos, fours, high @ ..] = &mut self.bits;
        let (sum, two_a) = add(*ones, a, b);
        let (sum, two_b) = add(sum, c, d);
        let (sum, two_c) = add(sum, e, f);
        let (sum, two_d) = add(sum, g, h);
        *ones = sum;
        let (sum, four_a) = add(*twos, two_a, two_b);
        let (sum, four_b) = add(sum, two_c, two_d);
        *twos = sum;
        let (sum, mut carry) = add(*fours, four_a, four_b);
        *fours = sum;
        for bit in high {
            let next = bit.and(carry);
            *bit = bit.xor(carry);
            carry = next;
        }
        self.over = self.over.or(carry);
    }

    /// The strings whose counter reached what it looked for.
    #[inline(always)]
    pub fn over(&self) -> Lanes {
        self.over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lane `i` is given its bit of `i * 40503 + n * 30011` for the n-th value.
    fn bit(lane: usize, n: usize) -> bool {
        (lane * 40_503 + n * 30_011) >> 3 & 3 != 0
    }

    fn value(n: usize) -> Lanes {
        let mut lanes = Lanes::NONE;
        for lane in (0..Lanes::COUNT).filter(|&lane| bit(lane, n)) {
            lanes.0[lane / 64] |= 1 << (lane % 64);
        }
        lanes
    }

    #[test]
    fn counters_count() {
        for groups in 1..=8 {
            for need in 1..=64 {
                let mut counters = Counters::looking_for(need);
                (0..groups).for_each(|g| counters.add(std::array::from_fn(|i| value(g * 8 + i))));
                let Lanes(over) = counters.over();
                for lane in 0..Lanes::COUNT {
                    let count = (0..groups * 8).filter(|&n| bit(lane, n)).count();
                    assert_eq!(over[lane / 64] >> (lane % 64) & 1 == 1, count >= need);
                }
            }
        }
    }
}
