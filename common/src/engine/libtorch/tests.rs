//! On the CPU device, where libtorch does the same; that of a GPU is checked by `tests/gpu`.

use super::*;
use crate::net::{NetConfig, Parameters, Start};

fn net(config: &NetConfig) -> StyleNet {
    let parameters = Parameters::init(config, Start::PyTorch, 5, Device::Cpu);
    StyleNet::new(config.clone(), parameters)
}

fn photo(height: u32, width: u32) -> Picture {
    let rgb = (0..height * width * 3).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8);
    Picture::from_rgb(width, height, rgb.collect()).unwrap()
}

fn painted(engine: &LibtorchEngine, photo: &Picture, band: i64) -> Tensor {
    let _guard = tch::no_grad_guard();
    let mut bands = Vec::new();
    let mut receive = |band: Band<'_>| {
        let size = [3, i64::from(band.rows), i64::from(band.width)];
        bands.push(Tensor::from_slice(band.planes).view(size));
    };
    engine.paint_in_bands(engine.layers.as_ref().unwrap(), photo, band, &mut receive);
    Tensor::cat(&bands, 1)
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f64 {
    assert_eq!(a.size(), b.size());
    (a - b).abs().max().double_value(&[])
}

#[test]
fn it_paints_what_the_plain_pass_paints_whole_and_in_bands() {
    let other = NetConfig { input: InputSpace::ByteBgr, output: OutputRange::Linear, ..NetConfig::default() };
    for config in [NetConfig::default(), other] {
        let config = NetConfig { width: 8, residual_blocks: 2, ..config };
        let plain = net(&config);
        let engine = LibtorchEngine::new(net(&config), Kind::Float);
        for (height, width) in [(1, 1), (13, 40), (170, 67)] {
            let photo = photo(height, width);
            let byte_rgb = byte_rgb_from_picture(&photo, Device::Cpu);
            let expected = tch::no_grad(|| plain.forward(&byte_rgb)).squeeze_dim(0);
            for band in [1000, 16, 8] {
                let difference = largest_difference(&painted(&engine, &photo, band), &expected);
                assert!(difference < 0.05, "{height}x{width}, bands of {band}: {difference}");
            }
        }
    }
}

/// Of what ships, on what ships.
#[test]
fn sixteen_bits_paint_the_same_picture() {
    let checkpoints = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints");
    let style = checkpoints.join("great-wave.safetensors");
    let load = |kind| LibtorchEngine::new(crate::style_file::load(&style, Device::Cpu).unwrap().1, kind);
    let sample = checkpoints.join("samples/valley.great-wave.jpg");
    let photo = pixel::decode_file(sample, &pixel::DecodeLimits::default()).unwrap();
    let photo = photo.crop(100, 100, 160, 128).unwrap();
    let exact = painted(&load(Kind::Float), &photo, 1000).clamp(0.0, 255.0);
    for (kind, least_db) in [(Kind::Half, 45.0), (Kind::BFloat16, 30.0)] {
        let found = painted(&load(kind), &photo, 1000).clamp(0.0, 255.0);
        let mean_square = (&exact - found).square().mean(Kind::Double).double_value(&[]);
        let psnr_db = 10.0 * (255.0f64.powi(2) / mean_square).log10();
        assert!(psnr_db > least_db, "{kind:?}: {psnr_db:.1} dB");
    }
}

#[test]
fn other_families_are_painted_too() {
    let config =
        NetConfig { width: 8, residual_blocks: 1, padding: Padding::ZeroSame, ..NetConfig::default() };
    let engine = LibtorchEngine::new(net(&config), Kind::Float);
    let mut rows = 0;
    engine.paint(&photo(20, 31), &mut |band| rows += band.rows).unwrap();
    assert_eq!(rows, 20);
}
