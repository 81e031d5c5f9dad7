//! Learns the hand of one painting: the training loop as a library call, and what it writes; and fetches the loss network
//! that it takes.
//!
//! The program around it (arguments, progress bar) is `main.rs`; nothing here prints or exits.

pub mod bench;
pub mod checkpoint;
pub mod config;
pub mod device_room;
pub mod eval;
pub mod fetch;
pub mod gatys;
pub mod journal;
mod number_text;
pub mod preview;
pub mod recipe;
pub mod report;
pub mod run_folder;
pub mod run_log;
pub mod run_record;
pub mod summary;
pub mod tensorboard;
pub mod training;
pub mod validation;
