//! Names in Urdu and Roman script: folding, tokens, keys, similarity.
