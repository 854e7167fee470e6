//! What a registry of households asks at any moment: where is the row of this number.

pub mod keys;
