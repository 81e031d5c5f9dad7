//! Valid pictures of every kind, and what can happen to them on a disk.

use std::fs;
use std::path::Path;

use pixel::{FileKind, Format, Picture};

use crate::{DAMAGE, Random};

/// What a decoder is to make of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A picture.
    Good,
    /// An error.
    Broken,
    /// Damage may fall where it does no harm.
    Either,
}

/// A file that was a picture, and mostly is none any more.
pub struct DamagedFile {
    /// Its number, what happened to it, and a suffix, which says nothing about the content.
    pub name: String,
    /// Its content.
    pub bytes: Vec<u8>,
    /// What a decoder is to make of it.
    pub expected: Expected,
}

type PictureDamage = fn(&mut Random, &[Valid]) -> (Vec<u8>, Expected);

/// The same `count` pictures for the same seed, each kind of damage as often as any other.
pub fn damaged_files(seed: u64, count: usize) -> impl Iterator<Item = DamagedFile> {
    const OURS: [(&str, PictureDamage); 6] = [
        ("intact", intact),
        ("cut short", cut_short),
        ("empty", |_, _| (Vec::new(), Expected::Broken)),
        ("zeros", all_zeros),
        ("head", swap_heads),
        ("huge", absurd_size),
    ];
    let mut random = Random::new(seed);
    let pictures = valid_pictures();
    let suffixes = ["jpg", "png", "webp", "tif", "bmp", "gif"];
    (0..count).map(move |number| {
        let kind = number % (OURS.len() + DAMAGE.len());
        let (what, (bytes, expected)) = if let Some((what, apply)) = OURS.get(kind) {
            (*what, apply(&mut random, &pictures))
        } else {
            let (what, apply) = DAMAGE[kind - OURS.len()];
            let intact = &random.pick(&pictures).bytes;
            (what, (apply(&mut random, intact), Expected::Either))
        };
        // Suffixes lie as often as not: the content counts.
        let suffix = suffixes[random.below(suffixes.len())];
        DamagedFile { name: format!("{number:06} {what}.{suffix}"), bytes, expected }
    })
}

struct Valid {
    bytes: Vec<u8>,
    kind: FileKind,
}

/// A drawn picture in all formats that can be written, and the fixtures of `pixel` for what cannot: progressive
/// and CMYK JPEG, palettes, 16 bits, GIF and more.
fn valid_pictures() -> Vec<Valid> {
    let (width, height) = (90, 61);
    let rgb = (0..width * height).flat_map(|i| {
        let (x, y) = (i % width, i / width);
        [(x * 2) as u8, (y * 4) as u8, ((x * y) % 256) as u8]
    });
    let opaque = Picture::from_rgb(width, height, rgb.collect()).unwrap();
    let alpha = (0..width * height).map(|i| (i % 256) as u8).collect();
    let clear = opaque.clone().with_alpha(alpha).unwrap();
    let formats = [
        Format::Jpeg { quality: 85 },
        Format::Jpeg { quality: 100 },
        Format::Png,
        Format::WebP,
        Format::Tiff,
        Format::Bmp,
    ];
    let drawn = formats
        .into_iter()
        .flat_map(|format| [&opaque, &clear].map(|picture| pixel::encode(picture, format).unwrap()));

    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures");
    let mut paths: Vec<_> = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()).collect();
    // One shows a single colour, and the bombs are for `absurd_size` to make.
    let is_good = |path: &Path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        pixel::has_picture_suffix(path) && !matches!(stem, "bomb" | "one_bit")
    };
    paths.retain(|path| is_good(path));
    paths.sort();
    let found = paths.iter().map(|path| fs::read(path).unwrap());

    drawn.chain(found).map(|bytes| Valid { kind: FileKind::from_content(&bytes).unwrap(), bytes }).collect()
}

fn intact(random: &mut Random, pictures: &[Valid]) -> (Vec<u8>, Expected) {
    (random.pick(pictures).bytes.clone(), Expected::Good)
}

/// Where something that is needed must be missing.
fn cut_short(random: &mut Random, pictures: &[Valid]) -> (Vec<u8>, Expected) {
    let Valid { bytes, kind } = random.pick(pictures);
    // The others may end in what is not needed: a second frame, metadata, a checksum.
    let needed = if *kind == FileKind::Jpeg { bytes.len() } else { bytes.len() / 3 };
    (bytes[..random.below(needed)].to_vec(), Expected::Broken)
}

fn all_zeros(random: &mut Random, pictures: &[Valid]) -> (Vec<u8>, Expected) {
    (vec![0; random.pick(pictures).bytes.len()], Expected::Broken)
}

/// The beginning of one kind, the rest of another.
fn swap_heads(random: &mut Random, pictures: &[Valid]) -> (Vec<u8>, Expected) {
    let head = random.pick(pictures);
    let body = loop {
        let body = random.pick(pictures);
        if body.kind != head.kind {
            break body;
        }
    };
    let length = (8 + random.below(60)).min(head.bytes.len()).min(body.bytes.len());
    ([&head.bytes[..length], &body.bytes[length..]].concat(), Expected::Either)
}

/// The header promises more pixels than there are, some below the limits, some beyond.
fn absurd_size(random: &mut Random, pictures: &[Valid]) -> (Vec<u8>, Expected) {
    let sides = [6_000, 15_000, 60_000, 65_535];
    let (width, height) = (*random.pick(&sides), *random.pick(&sides));
    let Valid { bytes, kind } = random.pick(pictures);
    let mut bytes = bytes.clone();
    let put = |bytes: &mut [u8], at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    match kind {
        FileKind::Jpeg => {
            // Start of frame: ff c0..c2, length, bits, height, width.
            let starts = |it: &[u8]| matches!(it, [0xff, 0xc0..=0xc2, 0, _, 8]);
            let frame = bytes.windows(5).position(starts).unwrap();
            put(&mut bytes, frame + 5, &(height as u16).to_be_bytes());
            put(&mut bytes, frame + 7, &(width as u16).to_be_bytes());
        }
        FileKind::Png => {
            put(&mut bytes, 16, &u32::to_be_bytes(width));
            put(&mut bytes, 20, &u32::to_be_bytes(height));
            let sum = crc32(&bytes[12..29]);
            put(&mut bytes, 29, &sum.to_be_bytes());
        }
        FileKind::Gif => {
            // A small frame on a large screen is a picture, so that more than this takes long.
            put(&mut bytes, 6, &2_000u16.to_le_bytes());
            put(&mut bytes, 8, &1_500u16.to_le_bytes());
            return (bytes, Expected::Good);
        }
        FileKind::Bmp => {
            put(&mut bytes, 18, &u32::to_le_bytes(width));
            put(&mut bytes, 22, &u32::to_le_bytes(height));
        }
        FileKind::Tiff => {
            // Tags 256 and 257, 12 bytes an entry; all of ours are little-endian.
            let directory = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
            for (entry, value) in [(0, width), (1, height)] {
                put(&mut bytes, directory + 2 + entry * 12 + 2, &[4, 0, 1, 0, 0, 0]);
                put(&mut bytes, directory + 2 + entry * 12 + 8, &value.to_le_bytes());
            }
        }
        FileKind::WebP => {
            // In the lossless form 14 bits a side; the others are as good as flipped bits.
            let sides = (3_000 - 1) | (2_000 - 1) << 14;
            put(&mut bytes, 21, &u32::to_le_bytes(sides));
            return (bytes, Expected::Either);
        }
    }
    (bytes, Expected::Broken)
}

/// PNG's checksum.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum: u32, &byte| {
        (0..8).fold(sum ^ u32::from(byte), |sum, _| (sum >> 1) ^ (0xedb8_8320 & (sum & 1).wrapping_neg()))
    })
}
