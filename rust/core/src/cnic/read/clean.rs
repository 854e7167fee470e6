//! Clean text: thirteen ASCII digits, bare or as AAAAA-BBBBBBB-C, eight bytes at a time.

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The digits of clean text as a number.
#[inline]
pub(in crate::cnic) fn clean(text: &[u8]) -> Option<u64> {
    let (prefix, serial) = match text {
        [head @ .., _, _, _, _, _] if text.len() == 13 => {
            let (head, tail) = (head.first_chunk()?, text.last_chunk()?);
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        }
        [_, _, _, _, _, b'-', _, _, _, _, _, _, _, b'-', last] => {
            let (head, tail) = (text.first_chunk()?, text.get(6..)?.first_chunk()?);
            let serial = u64::from_le_bytes(*tail) & (u64::MAX >> 8) | u64::from(*last) << 56;
            (u64::from_le_bytes(*head), serial)
        }
        _ => return None,
    };
    // Five digits behind three zeros.
    let prefix = prefix << 24 | ZEROS & 0xFF_FFFF;
    (are_digits(prefix) && are_digits(serial))
        .then(|| eight_digits(prefix).wrapping_mul(100_000_000).wrapping_add(eight_digits(serial)))
}

/// Whether eight bytes are ASCII digits.
#[inline]
fn are_digits(bytes: u64) -> bool {
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    // Adding 6 carries the signs behind '9' into the next row of the ASCII table.
    (bytes & HIGH) == ZEROS && (bytes.wrapping_add(0x0606_0606_0606_0606) & HIGH) == ZEROS
}

/// Value of eight ASCII digits, the first in the lowest byte: pairs, then fours, then all.
#[inline]
fn eight_digits(bytes: u64) -> u64 {
    let ones = bytes & 0x0F0F_0F0F_0F0F_0F0F;
    let pairs = (ones.wrapping_mul(2561) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(6_553_601) >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(42_949_672_960_001) >> 32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_read_and_nothing_else() {
        for number in [0, 1, 3520212345671, 9999999999999, 1000000000000, 9040300000009] {
            let bare = format!("{number:013}");
            let dashed = format!("{}-{}-{}", &bare[..5], &bare[5..12], &bare[12..]);
            assert_eq!(clean(bare.as_bytes()), Some(number));
            assert_eq!(clean(dashed.as_bytes()), Some(number));
            for i in 0..13 {
                for other in [b'/', b':', b'?', b' ', b'O', 0, 0xB0, 0xFF] {
                    let mut bytes = bare.clone().into_bytes();
                    bytes[i] = other;
                    assert_eq!(clean(&bytes), None, "{i} {other}");
                }
            }
        }
        for text in ["", "352021234567", "35202123456712", "35202 1234567-1", "352021-234567-1"] {
            assert_eq!(clean(text.as_bytes()), None);
        }
    }
}
