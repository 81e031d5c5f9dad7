//! The styles that ship: what must not be seen in their paintings.

use std::path::Path;

use common::engine::{Engine, EngineOptions, PaintPrecision};
use common::style_file::{self, Shelf, StyleCard};
use pixel::Picture;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tch::Device;

/// Sides of the photos, in pixels; multiples of the network's grid and not of each other.
const SIZE: (u32, u32) = (320, 256);

/// The network's grid: it works on a quarter of the resolution.
const GRID: usize = 4;

fn shipped() -> Vec<(StyleCard, Engine)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints");
    let styles: Vec<(StyleCard, Engine)> = Shelf::of(vec![folder])
        .entries()
        .into_iter()
        .map(|entry| {
            let (card, net) = style_file::load(&entry.path, Device::Cpu).unwrap();
            let options =
                EngineOptions { device: Device::Cpu, precision: PaintPrecision::F32, memory_bytes: None };
            (card, Engine::new(net, &options))
        })
        .collect();
    assert!(!styles.is_empty(), "styles ship");
    styles
}

fn picture((width, height): (u32, u32), mut colour: impl FnMut(u32, u32) -> [u8; 3]) -> Picture {
    let rgb = (0..height).flat_map(|y| (0..width).map(move |x| (x, y))).flat_map(|(x, y)| colour(x, y));
    Picture::from_rgb(width, height, rgb.collect()).unwrap()
}

fn sky() -> Picture {
    picture(SIZE, |_, y| {
        let down = f64::from(y) / f64::from(SIZE.1);
        [[90.0, 190.0], [140.0, 215.0], [210.0, 240.0]]
            .map(|[top, bottom]| (top + (bottom - top) * down) as u8)
    })
}

fn noise() -> Picture {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    picture(SIZE, |_, _| random.random())
}

fn grey(level: u8) -> Picture {
    picture(SIZE, |_, _| [level; 3])
}

/// The sample picture of our own.
fn valley() -> Picture {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../checkpoints/samples/valley.jpg");
    pixel::decode_file(&file, &pixel::DecodeLimits::default()).unwrap()
}

/// The lightness of each pixel, by rows.
struct Lightness {
    width: usize,
    height: usize,
    levels: Vec<f64>,
}

impl Lightness {
    fn of(picture: &Picture) -> Self {
        let levels = picture.rgb().chunks_exact(3).map(|pixel| {
            let [red, green, blue] = [0, 1, 2].map(|colour| f64::from(pixel[colour]));
            0.299 * red + 0.587 * green + 0.114 * blue
        });
        Self { width: picture.width() as usize, height: picture.height() as usize, levels: levels.collect() }
    }

    fn at(&self, x: usize, y: usize) -> f64 {
        self.levels[y * self.width + x]
    }

    /// What is finer than the grid: each level without the mean of the square of [`GRID`] pixels around it, in which every
    /// place of the grid is once. Far from the border.
    fn fine(&self) -> impl Iterator<Item = (usize, usize, f64)> + '_ {
        let margin = 4 * GRID;
        (margin..self.height - margin).flat_map(move |y| {
            (margin..self.width - margin).map(move |x| {
                let around =
                    (0..GRID * GRID).map(|place| self.at(x + place % GRID - 2, y + place / GRID - 2));
                (x, y, self.at(x, y) - around.sum::<f64>() / (GRID * GRID) as f64)
            })
        })
    }

    /// Deviation of the pattern that repeats with the grid, and of all fine detail, in levels. Of detail that knows nothing of
    /// the grid, next to none repeats.
    fn grid_pattern(&self) -> (f64, f64) {
        let (mut sums, mut counts) = ([0.0; GRID * GRID], [0.0; GRID * GRID]);
        let (mut squares, mut count) = (0.0, 0.0);
        for (x, y, level) in self.fine() {
            let place = y % GRID * GRID + x % GRID;
            sums[place] += level;
            counts[place] += 1.0;
            squares += level * level;
            count += 1.0;
        }
        let means: Vec<f64> = sums.iter().zip(counts).map(|(sum, count)| sum / count).collect();
        let mean = means.iter().sum::<f64>() / means.len() as f64;
        let pattern = means.iter().map(|level| (level - mean).powi(2)).sum::<f64>() / means.len() as f64;
        (pattern.sqrt(), (squares / count).sqrt())
    }
}

/// Mean difference of two pictures of one size, in levels: in a frame of this many pixels, and well inside.
fn frame_and_inside(a: &Picture, b: &Picture, frame: usize) -> (f64, f64) {
    let (width, height) = (a.width() as usize, a.height() as usize);
    let (mut of_frame, mut of_inside) = ((0.0, 0.0), (0.0, 0.0));
    for (index, (a, b)) in a.rgb().iter().zip(b.rgb()).enumerate() {
        let (x, y) = (index / 3 % width, index / 3 / width);
        let from_edge = x.min(y).min(width - 1 - x).min(height - 1 - y);
        let sum = match from_edge {
            near if near < frame => &mut of_frame,
            far if far >= 6 * frame => &mut of_inside,
            _ => continue,
        };
        sum.0 += f64::from(a.abs_diff(*b));
        sum.1 += 1.0;
    }
    (of_frame.0 / of_frame.1, of_inside.0 / of_inside.1)
}

/// Networks that enlarge by transposed convolutions leave 0.2 to 0.5 here.
const MOST_PATTERN: f64 = 0.2;

#[test]
fn no_checkerboard_is_seen() {
    let photos = [("valley", pixel::reduced_to(&valley(), SIZE.0)), ("sky", sky()), ("noise", noise())];
    for (card, engine) in shipped() {
        for (what, photo) in &photos {
            let (pattern, detail) = Lightness::of(&engine.paint_picture(photo).unwrap()).grid_pattern();
            let name = &card.painting.name;
            assert!(
                pattern < MOST_PATTERN * detail,
                "{name} on {what}: {pattern:.2} levels repeat of {detail:.2}"
            );
        }
    }
}

#[test]
fn one_colour_stays_one_colour() {
    for (card, engine) in shipped() {
        for level in [0, 128, 255] {
            let painted = Lightness::of(&engine.paint_picture(&grey(level)).unwrap());
            let (least, most) = painted
                .levels
                .iter()
                .fold((255.0f64, 0.0f64), |(least, most), &level| (least.min(level), most.max(level)));
            assert!(most - least < 8.0, "{} on {level}: from {least} to {most}", card.painting.name);
        }
    }
}

/// A photo is painted at its border as it is where more of it lies beyond.
#[test]
fn no_frame_is_seen() {
    const BEYOND: u32 = 64;
    const FRAME: usize = 8;
    let (width, height) = SIZE;
    let wide = valley().crop(200, 120, width + 2 * BEYOND, height + 2 * BEYOND).unwrap();
    let photo = wide.crop(BEYOND, BEYOND, width, height).unwrap();
    for (card, engine) in shipped() {
        let alone = engine.paint_picture(&photo).unwrap();
        let within = engine.paint_picture(&wide).unwrap().crop(BEYOND, BEYOND, width, height).unwrap();
        let (frame, inside) = frame_and_inside(&alone, &within, FRAME);
        assert!(frame < 2.5 * inside, "{}: {frame:.1} levels beside {inside:.1}", card.painting.name);
    }
}

#[test]
fn what_is_looked_for_would_be_found() {
    let plain = noise();
    let (pattern, detail) = Lightness::of(&plain).grid_pattern();
    assert!(pattern < 0.03 * detail, "{pattern} of {detail}");
    let mut rgb = plain.rgb().to_vec();
    for (index, level) in rgb.iter_mut().enumerate() {
        let (x, y) = (index / 3 % SIZE.0 as usize, index / 3 / SIZE.0 as usize);
        *level = (*level / 2).saturating_add(if (x / 2 + y / 2) % 2 == 0 { 30 } else { 0 });
    }
    let (pattern, detail) = Lightness::of(&Picture::from_rgb(SIZE.0, SIZE.1, rgb).unwrap()).grid_pattern();
    assert!(pattern > MOST_PATTERN * detail, "{pattern} of {detail}");

    let framed = picture(SIZE, |x, y| if x < 6 || y < 6 { [200; 3] } else { [100; 3] });
    let (frame, inside) = frame_and_inside(&grey(100), &framed, 8);
    assert!(frame > 20.0 && inside == 0.0, "{frame} beside {inside}");
}
