//! Pakistan's 13-digit identity number: parsing, repair, masking.
