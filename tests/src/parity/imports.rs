//! Networks of other projects, under those projects' own names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::net::StyleNet;
use common::style_file::{self, StyleCard};
use common::tensor_file::{self, StoredAs};
use tch::{Device, Tensor};

use super::golden::Golden;
use super::hashed;

/// Each case of the goldens, and the family that it is to be recognised as.
const CASES: [(&str, &str); 4] = [
    ("examples", "pytorch/examples"),
    ("rrmina", "rrmina/fast-neural-style-pytorch"),
    ("rrmina-resnext", "rrmina/fast-neural-style-pytorch"),
    ("lengstrom", "lengstrom/fast-style-transfer"),
];

/// A tensor by its project's name.
fn foreign_tensor(name: &str, shape: &[i64]) -> Tensor {
    let variable = name.strip_prefix("Variable");
    if shape.len() == 4 {
        let sides = if variable.is_some() { &shape[..3] } else { &shape[1..] };
        let fan_in: i64 = sides.iter().product();
        return hashed::centred(name, shape, 1.0 / (3.0 * fan_in as f64).sqrt());
    }
    let is_scale = match variable {
        Some(number) => number[1..].parse::<u32>().unwrap() % 3 == 2,
        None => name.ends_with(".weight"),
    };
    let values = hashed::centred(name, shape, 0.1);
    if is_scale { values + 1.0 } else { values }
}

/// A network of each kind, read from a file under its project's names.
pub(super) fn networks() -> Vec<(&'static str, StyleCard, StyleNet)> {
    let golden = Golden::open("imports");
    let folder = tempfile::tempdir().unwrap();
    let read = CASES.map(|(case, family)| {
        let shapes: BTreeMap<String, Vec<i64>> =
            serde_json::from_str(golden.metadata(&format!("shapes.{case}"))).unwrap();
        let tensors: Vec<(String, Tensor)> =
            shapes.iter().map(|(name, shape)| (name.clone(), foreign_tensor(name, shape))).collect();
        let path = folder.path().join(format!("{case}.safetensors"));
        tensor_file::write(&path, &tensors, ("format", "pt".to_owned()), StoredAs::F32).unwrap();
        let (card, net) = style_file::load(&path, Device::Cpu).unwrap();
        assert_eq!(card.origin.as_ref().unwrap().family, family, "{case}");
        (case, card, net)
    });
    read.into()
}

#[test]
fn networks_of_other_projects_paint_what_they_paint_there() {
    let golden = Golden::open("imports");
    for (case, _, net) in networks() {
        for (height, width) in [(24, 32), (33, 31)] {
            let input = hashed::bytes(&format!("net.input.{height}x{width}"), &[1, 3, height, width]);
            golden.check(&format!("{case}.{height}x{width}"), &net.forward(&input), 5e-5);
        }
    }
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name)
}

/// As a training script nests it today; and of 2017, with statistics that nothing used.
#[test]
fn what_torch_save_writes_holds_the_same() {
    for name in ["import-zip.pth", "import-legacy.pth"] {
        let (card, net) = style_file::load(&fixture(name), Device::Cpu).unwrap();
        assert_eq!((card.net.width, card.net.residual_blocks), (2, 5), "{name}");
        for (parameter, found) in net.parameters().named() {
            let expected = foreign_tensor(parameter, &found.size());
            assert!(found.equal(&expected), "{name}: {parameter}");
        }
    }
}
