//! What was made for the last few expressions.
//!
//! Polars calls an expression once per morsel and gives its specification as bytes each time;
//! reading that takes longer than a small morsel. What is kept is a pure function of its bytes, so
//! this is no state that anyone can observe.

use std::sync::{Arc, Mutex};

use crate::error::Failure;

const KEPT: usize = 16;

/// Values by the bytes they were made from, the newest first.
pub struct Recent<T: ?Sized>(Mutex<Vec<(Vec<u8>, Arc<T>)>>);

impl<T: ?Sized> Recent<T> {
    pub const fn new() -> Self {
        Self(Mutex::new(Vec::new()))
    }

    /// The value of these bytes, made when it is not there.
    pub fn get(
        &self,
        bytes: &[u8],
        make: impl FnOnce() -> Result<Arc<T>, Failure>,
    ) -> Result<Arc<T>, Failure> {
        // `try_lock`: after a fork the lock may be held for ever by a thread that is gone.
        if let Ok(kept) = self.0.try_lock()
            && let Some((_, value)) = kept.iter().find(|(key, _)| key == bytes)
        {
            return Ok(Arc::clone(value));
        }
        let value = make()?;
        if let Ok(mut kept) = self.0.try_lock() {
            kept.truncate(KEPT - 1);
            kept.insert(0, (bytes.to_vec(), Arc::clone(&value)));
        }
        Ok(value)
    }
}
