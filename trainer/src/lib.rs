//! Learns the hand of one painting: the training loop as a library call, and what it writes.
//!
//! The program around it (arguments, progress bar) is `main.rs`; nothing here prints or exits.

pub mod bench;
pub mod recipe;
pub mod run_folder;
pub mod training;
pub mod validation;
