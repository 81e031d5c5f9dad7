//! `infer convert`, and networks of other projects in place of styles.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use common::style_file;
use common::tensor_file::TensorFile;
use tch::Device;

use super::Darkroom;
use crate::support::programs::{Finished, infer};

impl Darkroom {
    fn convert(&self, args: &[&str]) -> Finished {
        infer(self.folder.path(), &[&["convert"], args].concat())
    }

    /// A network of pytorch/examples as torch.save writes it.
    fn add_foreign(&self, name: &str) {
        let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("goldens");
        std::fs::copy(goldens.join("import-zip.pth"), self.path(name)).unwrap();
    }
}

#[test]
fn a_foreign_network_becomes_a_style_that_says_where_it_is_from() {
    let darkroom = Darkroom::new();
    darkroom.add_foreign("candy.pth");
    let card = ["--title", "Candy", "--licence", "BSD-3-Clause", "--source", "https://example.org/candy.pth"];
    let done = darkroom.convert(&[&["candy.pth", "-o", "Sweet_Candy.safetensors"], &card[..]].concat());
    assert_eq!(done.expect_success().stdout(), "Sweet_Candy.safetensors\n");

    let (card, net) = style_file::load(&darkroom.path("Sweet_Candy.safetensors"), Device::Cpu).unwrap();
    assert_eq!((card.painting.name.as_str(), card.painting.title.as_deref()), ("sweet-candy", Some("Candy")));
    let origin = card.origin.unwrap();
    let expected = style_file::sha256_hex(&std::fs::read(darkroom.path("candy.pth")).unwrap());
    assert_eq!((origin.family.as_str(), origin.file.as_str()), ("pytorch/examples", "candy.pth"));
    assert_eq!((origin.sha256, origin.licence.as_deref()), (Some(expected), Some("BSD-3-Clause")));
    let (_, foreign) = style_file::load(&darkroom.path("candy.pth"), Device::Cpu).unwrap();
    assert!(net.parameters().flat().allclose(foreign.parameters().flat(), 1e-3, 1e-6, false), "f16");

    let shown = infer(darkroom.folder.path(), &["styles", "./Sweet_Candy.safetensors"]);
    let shown = shown.expect_success().stdout();
    assert!(shown.contains("pytorch/examples") && shown.contains("BSD-3-Clause"), "{shown}");

    // Converted once more it is still the same file's.
    darkroom
        .convert(&["Sweet_Candy.safetensors", "-o", "again.safetensors", "--store", "f32"])
        .expect_success();
    let again = style_file::load_card(&darkroom.path("again.safetensors")).unwrap();
    assert_eq!(again.origin.unwrap().file, "candy.pth");
    assert_eq!(again.painting.title.as_deref(), Some("Candy"));
}

#[test]
fn a_foreign_network_paints_what_its_style_paints() {
    let darkroom = Darkroom::new();
    darkroom.add_foreign("candy.pth");
    darkroom.convert(&["candy.pth", "-o", "candy.safetensors", "--store", "f32"]).expect_success();
    for (style, output) in [("candy.pth", "fly.png"), ("./candy.safetensors", "style.png")] {
        darkroom.image(&["photo.png", "--style", style, "-o", output]).expect_success();
    }
    assert_eq!(darkroom.picture("fly.png").rgb(), darkroom.picture("style.png").rgb());
    darkroom.image(&["photo.png", "--style", "candy.pth"]).expect_success();
    assert!(darkroom.path("photo.candy.png").is_file());
    let card = infer(darkroom.folder.path(), &["styles", "candy.pth", "--json"]);
    assert!(card.expect_success().stdout().contains("pytorch/examples"));
}

#[test]
fn conversions_that_would_do_harm_are_refused() {
    let darkroom = Darkroom::new();
    darkroom.add_foreign("candy.pth");
    std::fs::write(darkroom.path("text.pth"), "no network").unwrap();
    std::fs::write(darkroom.path("there.safetensors"), "kept").unwrap();
    let before = darkroom.file_count();
    darkroom.convert(&["candy.pth", "-o", "candy.tflite"]).expect_error(2, &[".safetensors", ".onnx"]);
    darkroom
        .convert(&["candy.pth", "-o", "there.safetensors"])
        .expect_error(1, &["there already", "--overwrite"]);
    darkroom
        .convert(&["blue.safetensors", "-o", "./blue.safetensors", "--overwrite"])
        .expect_error(1, &["replace the input"]);
    darkroom.convert(&["text.pth", "-o", "text.safetensors"]).expect_error(1, &["neither", "text.pth"]);
    darkroom.convert(&["none.pth", "-o", "none.safetensors"]).expect_error(1, &["no style file none.pth"]);
    darkroom
        .convert(&["blue.safetensors", "-o", "b.safetensors", "--licence", "MIT"])
        .expect_error(2, &["other projects"]);
    darkroom.convert(&["candy.pth", "-o", "nowhere/candy.safetensors"]).expect_error(1, &["nowhere"]);
    darkroom.expect_nothing_written(before);
    assert_eq!(std::fs::read(darkroom.path("there.safetensors")).unwrap(), b"kept");
    darkroom.convert(&["candy.pth", "-o", "there.safetensors", "--overwrite"]).expect_success();
}

#[test]
fn a_network_that_nobody_knows_is_told_with_what_it_holds() {
    let darkroom = Darkroom::new();
    let tensors = [("encoder.weight".to_owned(), tch::Tensor::zeros([2, 3], tch::kind::FLOAT_CPU))];
    let path = darkroom.path("other.safetensors");
    let f32 = common::tensor_file::StoredAs::F32;
    common::tensor_file::write(&path, &tensors, ("format", "pt".to_owned()), f32).unwrap();
    darkroom.image(&["photo.png", "--style", "other.safetensors"]).expect_error(
        1,
        &["encoder.weight [2, 3]", "pytorch/examples", "lengstrom", "rrmina", "other.safetensors"],
    );
}

#[test]
fn a_style_becomes_onnx_and_comes_back() {
    let darkroom = Darkroom::new();
    darkroom.add_foreign("candy.pth");
    let card = ["--title", "Candy", "--licence", "BSD-3-Clause"];
    darkroom.convert(&[&["candy.pth", "-o", "candy.onnx"], &card[..]].concat()).expect_success();
    let inspected = infer(darkroom.folder.path(), &["inspect", "candy.onnx"]).expect_success().stdout();
    for part in ["title     Candy", "family    pytorch/examples", "BSD-3-Clause", "weights   7755"] {
        assert!(inspected.contains(part), "{inspected}");
    }
    darkroom.convert(&["candy.onnx", "-o", "candy.safetensors"]).expect_success();
    for (style, output) in [("candy.onnx", "onnx.png"), ("./candy.safetensors", "style.png")] {
        darkroom.image(&["photo.png", "--style", style, "-o", output]).expect_success();
    }
    assert_eq!(darkroom.picture("onnx.png").rgb(), darkroom.picture("style.png").rgb());
}

/// The folder of networks that others have trained, or `None` after a line that says that the test is passed over.
fn peers(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("ATELIER_PEERS").map(PathBuf::from);
    if folder.is_none() {
        let _ = writeln!(
            std::io::stderr(),
            "PASSED OVER {test}: set ATELIER_PEERS to a folder of networks of other projects to run it"
        );
    }
    folder
}

#[test]
fn networks_that_others_have_trained_convert_and_paint() {
    let Some(peers) = peers("networks_that_others_have_trained_convert_and_paint") else { return };
    let darkroom = Darkroom::new();
    let mut converted = 0;
    for file in std::fs::read_dir(peers).unwrap() {
        let path = file.unwrap().path();
        let given = path.to_str().unwrap();
        match path.extension().and_then(|suffix| suffix.to_str()) {
            Some("safetensors" | "pth" | "pt" | "model" | "onnx") => {}
            _ => continue,
        }
        let style = format!("{}.safetensors", path.file_stem().unwrap().to_str().unwrap());
        darkroom.convert(&[given, "-o", &style]).expect_success();
        let card = style_file::load_card(&darkroom.path(&style)).unwrap();
        let origin = card.origin.unwrap();
        assert!(origin.sha256.is_some(), "{given}");
        for (style, output) in [(given, "fly.png"), (&style, "style.png")] {
            darkroom.image(&["photo.png", "--style", style, "-o", output, "--overwrite"]).expect_success();
        }
        // The style's weights are f16.
        let [fly, style] = ["fly.png", "style.png"].map(|name| darkroom.picture(name));
        let differences = fly.rgb().iter().zip(style.rgb()).map(|(&a, &b)| f64::from(a.abs_diff(b)));
        let mean = differences.sum::<f64>() / fly.rgb().len() as f64;
        assert!(mean < 1.0, "{given}: {mean}");
        converted += 1;
    }
    assert!(converted > 0, "no networks there");
}

/// The snippet in docs/networks.md, as it stands there.
#[test]
fn the_snippet_for_pytorch_paints_what_the_style_paints() {
    let Some(python) = std::env::var_os("ATELIER_TORCH") else {
        let _ = writeln!(
            std::io::stderr(),
            "PASSED OVER the_snippet_for_pytorch_paints_what_the_style_paints: set ATELIER_TORCH to a Python with torch \
             and safetensors to run it"
        );
        return;
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/networks.md")).unwrap();
    let snippet = page.split("```").nth(3).unwrap().strip_prefix("python\n").unwrap();
    let darkroom = Darkroom::new();
    darkroom.convert(&["great-wave", "-o", "state_dict.safetensors"]).expect_success();
    let script = format!(
        "import torch\nbyte_rgb = (torch.arange(3 * 24 * 32) * 37 % 256).float().view(1, 3, 24, 32)\n{snippet}\n\
         from safetensors.torch import save_file\nsave_file({{'painting': painting.detach()}}, 'painting.safetensors')\n"
    );
    let done = std::process::Command::new(python)
        .args(["-c", &script])
        .env("PYTHONPATH", root.join("tests/goldens"))
        .current_dir(darkroom.folder.path())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = TensorFile::open(&darkroom.path("painting.safetensors")).unwrap();
    let wanted = [("painting".to_owned(), vec![1, 3, 24, 32])];
    let theirs = file.load(&wanted, |_| false, Device::Cpu).unwrap().remove("painting").unwrap();
    let (_, net) = style_file::load(&root.join("checkpoints/great-wave.safetensors"), Device::Cpu).unwrap();
    let byte_rgb = (tch::Tensor::arange(3 * 24 * 32, tch::kind::INT64_CPU) * 37).remainder(256);
    let ours = tch::no_grad(|| net.forward(&byte_rgb.to_kind(tch::Kind::Float).view([1, 3, 24, 32])));
    let largest = (ours - theirs).abs().max().double_value(&[]);
    assert!(largest < 0.01, "{largest} levels");
}

#[test]
fn files_are_inspected() {
    let darkroom = Darkroom::new();
    darkroom.add_foreign("candy.pth");
    let inspect = |args: &[&str]| infer(darkroom.folder.path(), &[&["inspect"], args].concat());
    let text = inspect(&["candy.pth"]).expect_success().stdout();
    assert!(text.contains("family    pytorch/examples") && text.contains("weights   7"), "{text}");
    let wave = inspect(&["great-wave"]).expect_success().stdout();
    assert!(wave.contains("weights   1679235") && wave.contains("\"optimizer\": \"muon\""), "{wave}");

    let weight = tch::Tensor::zeros([64, 3, 3, 3], tch::kind::FLOAT_CPU);
    let bias = tch::Tensor::zeros([64], tch::kind::FLOAT_CPU);
    let tensors = [("features.0.weight".to_owned(), weight), ("features.0.bias".to_owned(), bias)];
    let f32 = common::tensor_file::StoredAs::F32;
    let path = darkroom.path("vgg.safetensors");
    common::tensor_file::write(&path, &tensors, ("format", "pt".to_owned()), f32).unwrap();
    let text = inspect(&["vgg.safetensors"]).expect_success().stdout();
    assert!(text.contains("loss network VGG-16\n  up to     relu1_1\n  weights   1792"), "{text}");
    let json = inspect(&["vgg.safetensors", "--json"]).expect_success().stdout();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["parameters"], 1792);
    inspect(&["photo.png"]).expect_error(1, &["photo.png"]);
}
