//! Keyed hashes of numbers, for files that leave the house.
//!
//! A plain hash is no protection: there are only some 5 x 10^10 plausible numbers, and all of them
//! can be hashed within minutes. A token is HMAC-SHA-256 (RFC 2104, FIPS 198-1) of the 13 ASCII
//! digits, so it can be checked with any other tool that has the key.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::layout::normalize;

/// A secret key. It is never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl Key {
    /// Least number of bytes: the width of the hash. Shorter keys weaken it (RFC 2104, section 3).
    pub const LEAST: usize = 32;

    /// A key of at least [`Key::LEAST`] bytes, not all the same; `None` for any other.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let varied = bytes.iter().any(|b| Some(b) != bytes.first());
        let mac = Hmac::new_from_slice(bytes).ok()?;
        (bytes.len() >= Self::LEAST && varied).then_some(Self(mac))
    }

    /// Token of a number: 32 bytes, of which the first 16 are enough for any registry.
    #[must_use]
    pub fn token(&self, number: u64) -> [u8; 32] {
        self.sign(&normalize(number))
    }

    /// A name for the key, which does not give it away: two keys have different ones.
    #[must_use]
    pub fn id(&self) -> u64 {
        let signed = self.sign(b"nser_pmt key id");
        signed.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    fn sign(&self, message: &[u8]) -> [u8; 32] {
        let mut mac = self.0.clone();
        mac.update(message);
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_uniform_keys_are_refused() {
        assert!(Key::new(&[0; 64]).is_none() && Key::new(b"").is_none());
        let bytes: Vec<u8> = (0..64).collect();
        assert!(Key::new(&bytes[..31]).is_none());
        let (a, b) = (Key::new(&bytes[..32]).unwrap(), Key::new(&bytes).unwrap());
        assert_ne!(a.token(3520212345671), b.token(3520212345671));
        assert_ne!(a.id(), b.id());
        assert_eq!(format!("{a:?}"), "Key(..)");
    }
}
