//! The tests that need more than one crate, or the programs as a user runs them.
//!
//! | module | what it holds |
//! |---|---|
//! | `crate_graph` | who may import whom |
//! | `parity` | the same numbers as PyTorch, by the goldens in `goldens/` |
//! | `learning` | the training loop as a library call |
//! | `fetch` | fetching loss networks from servers that misbehave |
//! | `fetch_cli` | `trainer fetch` from outside, and what it fetched in use |
//! | `trainer_cli` | `trainer` from outside, its error paths too |
//! | `infer_cli` | `infer` from outside, its error paths too |
//!
//! Some tests want files that the repository does not hold. They find them through `ATELIER_VGG19` (VGG-19 weights as
//! safetensors) and say on stderr that they were passed over where it is not set.

mod crate_graph;
mod fetch;
mod fetch_cli;
mod infer_cli;
mod learning;
mod parity;
mod support;
mod trainer_cli;
