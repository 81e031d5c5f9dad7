//! Small styles that have learnt nothing, for tests of everything around them.

use std::path::Path;

use common::net::{NetConfig, Parameters, Start, StyleNet};
use common::style_file::{self, Painting, StyleCard};
use common::tensor_file::StoredAs;
use tch::Device;

/// Writes a style named as its file, another one for each seed.
pub(crate) fn save_style(path: &Path, seed: u64) {
    let config = NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() };
    let parameters = Parameters::init(&config, Start::PyTorch, seed, Device::Cpu);
    let net = StyleNet::new(config.clone(), parameters);
    let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
    let card = StyleCard::new(config, Painting { name, ..Painting::default() });
    style_file::save(path, &card, &net, StoredAs::F16).expect("a folder that can be written to");
}
