//! Styles as ONNX, run by others: tract here, and ONNX Runtime where there is one.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::net::{NetConfig, Parameters, StyleNet};
use common::style_file::{self, Painting, Shelf, StyleCard};
use common::tensor_file::{self, StoredAs};
use tch::{Device, Tensor};
use tract_onnx::prelude::{DatumExt as _, Framework as _, InferenceModelExt as _, IntoRunnable as _, tvec};

use super::golden::largest;
use super::{hashed, imports};

/// Of the largest value, which is a level of 255.
const TOLERANCE: f64 = 1e-4;

/// Even, odd, and with sides that must be continued by reflections of reflections.
const SIZES: [(i64, i64); 3] = [(24, 32), (33, 31), (2, 41)];

/// A network of each family, ours too: its shape, and a style of it.
fn networks() -> Vec<(&'static str, StyleCard, StyleNet)> {
    let config = NetConfig { width: 4, residual_blocks: 2, ..NetConfig::default() };
    let painting = Painting { name: "ours".to_owned(), ..Painting::default() };
    let parameters = Parameters::from_named(&config, &hashed::net_tensors(&config), Device::Cpu);
    let ours = ("ours", StyleCard::new(config.clone(), painting), StyleNet::new(config, parameters));
    imports::networks().into_iter().chain([ours]).collect()
}

fn byte_rgb(height: i64, width: i64) -> Tensor {
    hashed::bytes(&format!("net.input.{height}x{width}"), &[1, 3, height, width])
}

/// What the style paints, as the graph limits it.
fn painting(net: &StyleNet, byte_rgb: &Tensor) -> Tensor {
    tch::no_grad(|| net.forward(byte_rgb)).clamp(0.0, 255.0)
}

/// How far off `found` is, as a part of what was expected.
fn error(found: &Tensor, expected: &Tensor) -> f64 {
    assert_eq!(found.size(), expected.size());
    largest(&(found - expected)) / largest(expected)
}

fn paint_by_tract(path: &Path, byte_rgb: &Tensor) -> Tensor {
    let shape: Vec<usize> = byte_rgb.size().iter().map(|&side| side as usize).collect();
    let values = Vec::<f32>::try_from(byte_rgb.reshape([-1])).unwrap();
    let input = tract_onnx::prelude::Tensor::from_shape(&shape, &values).unwrap();
    let model = tract_onnx::onnx().model_for_path(path).unwrap();
    let fact = f32::fact(shape).into();
    let model = model.with_input_fact(0, fact).unwrap().into_optimized().unwrap().into_runnable().unwrap();
    let painted = model.run(tvec!(input.into())).unwrap();
    let painted = painted[0].to_plain_array_view::<f32>().unwrap();
    let shape: Vec<i64> = painted.shape().iter().map(|&side| side as i64).collect();
    let values: Vec<f32> = painted.iter().copied().collect();
    Tensor::from_slice(&values).view(shape.as_slice())
}

/// The same weights under instance norms that do not divide what rounding leaves of an even picture by nearly nothing.
fn calm(card: &StyleCard, net: &StyleNet) -> (StyleCard, StyleNet) {
    let config = NetConfig { norm_eps: 0.5, ..net.config().clone() };
    let named = net.parameters().named().map(|(name, tensor)| (name.to_owned(), tensor.copy())).collect();
    let parameters = Parameters::from_named(&config, &named, Device::Cpu);
    (StyleCard { net: config.clone(), ..card.clone() }, StyleNet::new(config, parameters))
}

#[test]
fn tract_paints_what_the_style_paints() {
    let folder = tempfile::tempdir().unwrap();
    let check = |case: &str, (card, net): (&StyleCard, &StyleNet), sizes: &[(i64, i64)]| {
        let path = folder.path().join(case).with_extension("onnx");
        style_file::save_onnx(&path, card, net, StoredAs::F32).unwrap();
        for &(height, width) in sizes {
            let photo = byte_rgb(height, width);
            let off = error(&paint_by_tract(&path, &photo), &painting(net, &photo));
            assert!(off < TOLERANCE, "{case} at {height}x{width}: off by {off:.1e}");
        }
    };
    for (case, card, net) in networks() {
        check(case, (&card, &net), &SIZES);
        // A single pixel is a picture of one colour, of which only rounding differs from place to place.
        let (card, net) = calm(&card, &net);
        check(&format!("{case}-calm"), (&card, &net), &[(1, 1)]);
    }
}

#[test]
fn f16_weights_paint_what_the_style_file_of_them_paints() {
    let folder = tempfile::tempdir().unwrap();
    let (_, card, net) = networks().pop().unwrap();
    let [onnx, style] = ["half.onnx", "half.safetensors"].map(|name| folder.path().join(name));
    style_file::save_onnx(&onnx, &card, &net, StoredAs::F16).unwrap();
    style_file::save(&style, &card, &net, StoredAs::F16).unwrap();
    let (_, half) = style_file::load(&style, Device::Cpu).unwrap();
    let photo = byte_rgb(24, 32);
    let off = error(&paint_by_tract(&onnx, &photo), &painting(&half, &photo));
    assert!(off < TOLERANCE, "{off:.1e}");
    assert!(!half.parameters().flat().equal(net.parameters().flat()));
}

#[test]
fn a_style_comes_back_from_onnx() {
    let folder = tempfile::tempdir().unwrap();
    for (case, card, net) in networks() {
        let path = folder.path().join(case).with_extension("onnx");
        style_file::save_onnx(&path, &card, &net, StoredAs::F32).unwrap();
        let (card_read, net_read) = style_file::load(&path, Device::Cpu).unwrap();
        assert_eq!(card_read, card, "{case}");
        assert!(net_read.parameters().flat().equal(net.parameters().flat()), "{case}");
    }
}

/// Every style that ships, and a network of each family, by ONNX's own checker and ONNX Runtime, at three sizes.
#[test]
fn onnx_runtime_paints_what_the_style_paints() {
    const TEST: &str = "onnx_runtime_paints_what_the_style_paints";
    let Some(python) = std::env::var_os("ATELIER_ONNX") else {
        let _ = writeln!(
            std::io::stderr(),
            "PASSED OVER {TEST}: set ATELIER_ONNX to a Python with onnx, onnxruntime and safetensors to run it"
        );
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = Shelf::of(vec![root.join("../checkpoints")]).entries().into_iter().map(|entry| {
        let (card, net) = style_file::load(&entry.path, Device::Cpu).unwrap();
        (entry.name, card, net)
    });
    let families = networks().into_iter().map(|(case, card, net)| (case.to_owned(), card, net));
    let mut cases: Vec<PathBuf> = Vec::new();
    for (case, card, net) in shipped.chain(families) {
        for (format, stored_as) in [("f32", StoredAs::F32), ("f16", StoredAs::F16)] {
            let path = folder.path().join(format!("{case}-{format}.onnx"));
            style_file::save_onnx(&path, &card, &net, stored_as).unwrap();
            // As the file's weights paint, in the program.
            let (_, net) = style_file::load(&path, Device::Cpu).unwrap();
            let pictures: Vec<(String, Tensor)> = [(64, 96), (121, 83), (33, 31)]
                .into_iter()
                .flat_map(|(height, width)| {
                    let photo = byte_rgb(height, width);
                    let painted = painting(&net, &photo);
                    let name = |what| format!("{what}.{height}x{width}");
                    [(name("photo"), photo), (name("painting"), painted)]
                })
                .collect();
            let about = ("case", case.clone());
            tensor_file::write(&path.with_extension("safetensors"), &pictures, about, StoredAs::F32).unwrap();
            cases.push(path);
        }
    }
    let done = Command::new(python)
        .arg(root.join("onnx/compare.py"))
        .args(["--most", &TOLERANCE.to_string()])
        .args(&cases)
        .output()
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{said}{errors}");
    assert_eq!(said.lines().count(), 3 * cases.len(), "{said}");
    let _ = write!(std::io::stderr(), "{said}");
}
