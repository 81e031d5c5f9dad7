//! The same numbers as PyTorch.
//!
//! Inputs and weights come from a hash that `goldens/make_goldens.py` and [`hashed`] share, results from the golden files.
//! Tolerances are the largest difference over the largest golden element; those of `goldens/README.md`.

mod backbones;
mod golden;
pub(crate) mod hashed;
mod imports;
mod lbfgs;
mod losses;
mod networks;
mod objective;
mod onnx;
mod recipes;
mod ssim;
