//! Thousands of damaged style files through the loader: a style or an error of one line each time, soon, and in memory no
//! more than a few times the file.
//!
//! `ATELIER_MUTATIONS=5000` makes it that many. The file that it stumbles over lies in `target/tmp`.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use common::net::{NetConfig, Parameters, Start, StyleNet};
use common::style_file::{self, Painting, StyleCard};
use common::tensor_file::StoredAs;
use damage::{DAMAGE, Random};
use peak_alloc::PeakAlloc;
use tch::Device;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// For a file of some kilobytes; what libtorch holds is not counted, but it gets no more than the tensors of the file.
const MOST_BYTES: usize = 1 << 20;
const LONGEST: Duration = Duration::from_secs(2);

#[test]
fn damaged_style_files_are_styles_or_errors() {
    let count = std::env::var("ATELIER_MUTATIONS").map_or(700, |count| count.parse().expect("a number"));
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damaged.safetensors");
    let intact = small_style(&path);
    assert!(style_file::load(&path, Device::Cpu).is_ok());

    let mut random = Random::new(5);
    let mut loaded = 0;
    for number in 0..count {
        let (what, damage) = DAMAGE[number % DAMAGE.len()];
        fs::write(&path, damage(&mut random, &intact)).unwrap();
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let start = Instant::now();
        let mut found = style_file::load(&path, Device::Cpu);
        if start.elapsed() > LONGEST {
            // The machine may have been busy with something else.
            let again = Instant::now();
            found = style_file::load(&path, Device::Cpu);
            assert!(again.elapsed() < LONGEST, "{number} {what} takes more than {LONGEST:?}");
        }
        let peak = MEMORY.peak_usage().saturating_sub(before);
        assert!(peak <= MOST_BYTES, "{number} {what} takes {peak} bytes");
        match found {
            Ok(_) => loaded += 1,
            Err(error) => {
                let text = error.to_string();
                assert_eq!(text.lines().count(), 1, "{number} {what}: {text:?}");
                assert!(text.contains("damaged.safetensors"), "{number} {what}: {text:?}");
            }
        }
    }
    // Most of the file are weights, of which any will do.
    assert!(loaded > count / 10 && loaded < count, "{loaded} of {count}");
    fs::remove_file(path).unwrap();
}

fn small_style(path: &Path) -> Vec<u8> {
    let config = NetConfig { width: 2, residual_blocks: 1, ..NetConfig::default() };
    let parameters = Parameters::init(&config, Start::PyTorch, 3, Device::Cpu);
    let net = StyleNet::new(config.clone(), parameters);
    let painting = Painting { name: "a\nb \u{e9}".to_owned(), ..Painting::default() };
    style_file::save(path, &StyleCard::new(config, painting), &net, StoredAs::F32).unwrap();
    fs::read(path).unwrap()
}
