//! Kernels of `nser_pmt`: proxy-means-test scoring, identity numbers, names, string similarity.
//!
//! Slices in, `Vec` or slices out. This crate knows nothing of Python, Arrow or files, starts no
//! thread and keeps no global state, so the same call gives the same bits everywhere.
//!
//! # Example
//!
//! A model is compiled once from its JSON program, then run over many batches of columns, or over
//! one household.
//!
//! ```
//! use nser_core::column::Column;
//! use nser_core::pmt::{Plan, Status, Value};
//!
//! let plan = Plan::from_json(br#"{
//!     "inputs": [{"name": "tv", "parts": [{"column": "tv", "integer": false}]}],
//!     "models": [{"intercept": 10.0, "terms": [{
//!         "id": "tv", "kind": "levels", "inputs": [0], "missing": "null", "invalid": "null",
//!         "levels": [{"values": ["yes"], "points": 3.0}, {"values": ["no"], "points": 0.0}]
//!     }]}]
//! }"#)?;
//!
//! let one = plan.score_row(|_| Value::Str(b"yes"))?;
//! assert_eq!((one.score, one.status), (Some(13.0), Status::Ok));
//!
//! let columns = [Column::null(2)];
//! let (mut score, mut status) = ([0.0; 2], [0; 2]);
//! plan.bind(&columns, 2)?.score_into(0, &mut score, &mut status)?;
//! assert_eq!(status, [Status::Missing as u8; 2]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Numerics
//!
//! A score is the left-to-right `f64` sum of the intercept and the terms in model order, then the
//! model's own steps. No fused multiply-add, no reassociation: every code path (portable, AVX2,
//! AVX-512, one household) gives the same bits. Logarithms are the platform's `log`.

pub mod cnic;
pub mod column;
mod error;
pub mod isa;
mod levels;
pub mod link;
pub mod name;
pub mod pmt;
pub mod registry;
pub mod stats;
pub mod store;
pub mod text;

pub use error::{Error, RowError};
