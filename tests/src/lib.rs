//! Nothing: the package exists for its tests, see `main.rs`.
