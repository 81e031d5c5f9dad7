//! A photo of 12000x8000 pixels, 288 MB: how much memory it takes to read and to write. Run on demand:
//! `ATELIER_LARGE=1 cargo test -p pixel --test large`.

use std::fs;
use std::io::Write as _;

use pixel::{DecodeLimits, Format, Picture, decode_bytes, encode};

const WIDTH: u32 = 12_000;
const HEIGHT: u32 = 8_000;
const PIXELS_MIB: u64 = WIDTH as u64 * HEIGHT as u64 * 3 / (1 << 20);

/// In one test, since the peak is that of the whole process.
#[test]
fn a_large_photo_is_held_once() {
    if std::env::var_os("ATELIER_LARGE").is_none() {
        let _ = writeln!(std::io::stderr(), "PASSED OVER large: set ATELIER_LARGE to run it");
        return;
    }
    let picture = noisy_gradient();
    for format in [Format::Jpeg { quality: 92 }, Format::Png] {
        let (bytes, writing) = peak_mib_of(|| encode(&picture, format).unwrap());
        let file = bytes.len() as u64 >> 20;
        let (decoded, reading) = peak_mib_of(|| decode_bytes(&bytes, &DecodeLimits::default()).unwrap());
        let _ = writeln!(
            std::io::stderr(),
            "{format}: a file of {file} MiB; writing took {writing} MiB, reading {reading} MiB, of which {PIXELS_MIB} are the picture"
        );
        assert_eq!((decoded.width(), decoded.height()), (WIDTH, HEIGHT));
        assert!(format != Format::Png || decoded == picture);
        // The allocator may have the file at its old and its new place while it grows.
        assert!(writing <= 2 * file + 32, "writing {format} takes {writing} MiB");
        assert!(reading <= PIXELS_MIB * 5 / 4, "reading {format} takes {reading} MiB");
    }
}

fn noisy_gradient() -> Picture {
    let mut rgb = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    let mut noise = 1u32;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (noise >> 29) as u8;
            rgb.extend(
                [(x / 50) as u8, (y / 40) as u8, ((x + y) / 90) as u8].map(|v| v.saturating_add(grain)),
            );
        }
    }
    Picture::from_rgb(WIDTH, HEIGHT, rgb).unwrap()
}

/// What `work` made, and by how much the resident memory exceeded that of before at most.
fn peak_mib_of<T>(work: impl FnOnce() -> T) -> (T, u64) {
    // Takes the peak back to what is in use now.
    fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let before = status_mib("VmRSS:");
    let made = work();
    (made, status_mib("VmHWM:") - before)
}

fn status_mib(key: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(key)).expect("the kernel tells");
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().expect("a number");
    kib / 1024
}
