//! Names: extract -> core -> export.

use std::sync::Arc;

use crate::error::Failure;
use crate::operation::Operation;

/// The operation of a name.
pub fn operation(name: &str, _spec: &str) -> Result<Arc<dyn Operation>, Failure> {
    Err(Failure::internal(format!("there is no operation '{name}'")))
}
