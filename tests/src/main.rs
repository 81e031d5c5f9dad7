//! The tests that need more than one crate, or the programs as a user runs them.
//!
//! | module | what it holds |
//! |---|---|
//! | `crate_graph` | who may import whom |
//! | `collection` | what must not be seen in the paintings of the styles that ship |
//! | `backbones` | trainings by loss networks other than VGG |
//! | `parity` | the same numbers as PyTorch, by the goldens in `goldens/` |
//! | `learning` | the training loop as a library call |
//! | `resume` | a run that was stopped learns what it would have learnt |
//! | `interruption` | Ctrl-C, kill -9 and a full disk |
//! | `fetch` | fetching loss networks from servers that misbehave |
//! | `fetch_backbones` | fetching networks other than VGG |
//! | `fetch_cli` | `trainer fetch` from outside, and what it fetched in use |
//! | `gatys_cli` | `trainer gatys` from outside, its error paths too |
//! | `gatys_presets` | every preset over the real VGG-19, and what the statistics are for |
//! | `trainer_cli` | `trainer` from outside, its error paths too |
//! | `infer_cli` | `infer` from outside, its error paths too |
//! | `infer_controls` | what can be asked of the painting, through `infer` |
//! | `infer_video` | `infer video` from outside: films, streams, interruptions, a browser |
//! | `eval_cli` | `trainer eval` from outside |
//! | `eval_film_cli` | `trainer eval --video` from outside |
//! | `torture` | a folder of odd and broken pictures: each is read and painted as it should be |
//! | `tensorboard` | TensorBoard's own reader understands our logs |
//!
//! `infer_cli` converts all networks in the folder `ATELIER_PEERS`, and runs docs/networks.md's snippet by `ATELIER_TORCH`, a Python
//! with torch and safetensors.
//!
//! Some tests want files that the repository does not hold. They find them through `ATELIER_VGG19` (VGG-19 weights as
//! safetensors) and `ATELIER_PYTHON` (a Python with the package tensorboard), and say on stderr that they were passed over
//! where there is none.

mod backbones;
mod collection;
mod crate_graph;
mod eval_cli;
mod eval_film_cli;
mod fetch;
mod fetch_backbones;
mod fetch_cli;
mod gatys_cli;
mod gatys_presets;
mod infer_cli;
mod infer_controls;
mod infer_video;
mod interruption;
mod learning;
mod parity;
mod resume;
mod support;
mod tensorboard;
mod torture;
mod trainer_cli;
