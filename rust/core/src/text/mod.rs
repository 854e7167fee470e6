//! General string similarity.
