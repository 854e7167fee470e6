//! Numbers, names and texts from any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../identity.rs"]
mod identity;

fuzz_target!(|data: &[u8]| identity::feed(data));
