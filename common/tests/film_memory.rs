//! Painting frame after frame takes no fresh memory: what a frame needs is there from the frame before.

use common::engine::{Engine, EngineOptions, PaintPrecision, SharedNorms};
use common::net::{NetConfig, Parameters, Start, StyleNet};
use peak_alloc::PeakAlloc;
use pixel::Picture;
use tch::Device;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

#[test]
fn the_next_frame_allocates_nothing_large() {
    let config = NetConfig { width: 8, residual_blocks: 2, ..NetConfig::default() };
    let parameters = Parameters::init(&config, Start::PyTorch, 5, Device::Cpu);
    let options =
        EngineOptions { device: Device::Cpu, precision: PaintPrecision::default(), memory_bytes: None };
    let engine = Engine::new(StyleNet::new(config, parameters), &options);
    let (width, height) = (640, 360);
    let frame = Picture::from_rgb(width, height, vec![100; (3 * width * height) as usize]).unwrap();
    let mut norms = SharedNorms::default();
    let mut fresh_bytes = Vec::new();
    for _ in 0..3 {
        MEMORY.reset_peak_usage();
        let before = MEMORY.current_usage();
        engine.paint_frame(&frame, Some(&mut norms), |_| {}).unwrap();
        fresh_bytes.push(MEMORY.peak_usage() - before);
    }
    // The layers take 39 MiB, once; then there are statistics only.
    assert!(fresh_bytes[0] > 20 << 20, "{fresh_bytes:?}");
    assert!(fresh_bytes[1..].iter().all(|&bytes| bytes < 1 << 20), "{fresh_bytes:?}");
}
