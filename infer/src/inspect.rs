//! `infer inspect`: what a file of weights holds.

use std::path::Path;

use common::exit_status::ExitStatus;
use common::lossnet::{Arch, Layer, TensorShapes, deepest_layer};
use common::style_file::{Shelf, StyleFileError};
use common::tensor_file::{TensorFile, starts_like_safetensors};
use common::torch_file::TorchFile;
use serde_json::json;

use crate::cli::InspectArgs;
use crate::{stdout, styles};

pub(crate) fn run(args: &InspectArgs) -> anyhow::Result<ExitStatus> {
    let path = Shelf::standard().find(&args.file)?;
    let Err(error) = styles::one(&path, args.json) else { return Ok(ExitStatus::Success) };
    if error.is::<StyleFileError>()
        && let Some(found) = loss_net(&path)
    {
        stdout::write(format!("{}\n", found.told(&path, args.json)).as_bytes())?;
        return Ok(ExitStatus::Success);
    }
    Err(error)
}

/// A network that judges paintings.
struct LossNet {
    arch: Arch,
    deepest: Layer,
    parameters: i64,
}

impl LossNet {
    fn told(&self, path: &Path, is_json: bool) -> String {
        let Self { arch, deepest, parameters } = self;
        if is_json {
            let deepest = deepest.to_string();
            return json!({ "loss_network": arch.id(), "deepest": deepest, "parameters": parameters, "path": path })
                .to_string();
        }
        let path = styles::printable(&path.display().to_string());
        format!("loss network {arch}\n  up to     {deepest}\n  weights   {parameters}\n  file      {path}")
    }
}

/// The loss network in a file that is no style, if it is one.
fn loss_net(path: &Path) -> Option<LossNet> {
    let shapes = if starts_like_safetensors(path).ok()? {
        TensorFile::open(path).ok()?.shapes()
    } else {
        TorchFile::open(path).ok()?.shapes()
    };
    Arch::ALL.into_iter().find_map(|arch| {
        let of_layers: TensorShapes = shapes
            .iter()
            .filter(|(name, _)| arch.is_of_layers(name))
            .map(|(name, shape)| (name.clone(), shape.clone()))
            .collect();
        let deepest = deepest_layer(arch, &of_layers).ok()?;
        let parameters = of_layers.values().map(|shape| shape.iter().product::<i64>()).sum();
        Some(LossNet { arch, deepest, parameters })
    })
}
