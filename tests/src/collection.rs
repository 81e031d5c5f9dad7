//! The styles that ship: what must not be seen in their paintings.

use std::ops::Range;
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

/// From top to bottom in 255 steps: the levels of 8 bits come again every 51 rows, and not with the grid's 4, as they would in 256.
fn sky() -> Picture {
    picture(SIZE, |_, y| {
        let down = f64::from(y) / f64::from(SIZE.1 - 1);
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

/// A sample picture of our own.
fn sample(name: &str) -> Picture {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../checkpoints/samples/{name}.jpg"));
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

    fn mean_and_deviation(&self, columns: Range<usize>, rows: Range<usize>) -> (f64, f64) {
        let levels = || rows.clone().flat_map(|y| columns.clone().map(move |x| self.at(x, y)));
        let count = (rows.len() * columns.len()) as f64;
        let mean = levels().sum::<f64>() / count;
        let variance = levels().map(|level| (level - mean).powi(2)).sum::<f64>() / count;
        (mean, variance.sqrt())
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

/// What a photo's border does to its painting, on each of the four sides.
struct Frame {
    /// How much lighter a strip along the side is than where more of the photo lies beyond, in levels; less the same of the
    /// inside, since the norms see another photo.
    shifts: [f64; 4],
    /// Deviation of the strip's levels over that of the same place where more lies beyond: less is blurred or faded.
    contrasts: [f64; 4],
}

impl Frame {
    /// Width of the strips, in pixels.
    const STRIP: usize = 8;

    /// Of two paintings of one place.
    fn between(alone: &Lightness, within: &Lightness) -> Self {
        let (width, height) = (alone.width, alone.height);
        let far = 6 * Self::STRIP;
        let [of_alone, of_within] =
            [alone, within].map(|painting| painting.mean_and_deviation(far..width - far, far..height - far));
        let strips = [
            (0..Self::STRIP, 0..height),
            (width - Self::STRIP..width, 0..height),
            (0..width, 0..Self::STRIP),
            (0..width, height - Self::STRIP..height),
        ];
        let sides = strips.map(|(columns, rows)| {
            let [(alone, spread), (within, spread_within)] =
                [alone, within].map(|painting| painting.mean_and_deviation(columns.clone(), rows.clone()));
            (alone - within - (of_alone.0 - of_within.0), spread / spread_within)
        });
        Self { shifts: sides.map(|(shift, _)| shift), contrasts: sides.map(|(_, contrast)| contrast) }
    }
}

/// The share of fine detail that may repeat with the grid. Networks that enlarge by transposed convolutions leave 0.2 to 0.5 here.
const MOST_PATTERN: f64 = 0.2;

/// A pattern fainter than this many levels of 255 is not seen, however little detail there is beside it, as on a plain sky.
const FAINTEST_PATTERN: f64 = 1.0;

#[test]
fn no_checkerboard_is_seen() {
    let photos =
        [("valley", pixel::reduced_to(&sample("valley"), SIZE.0)), ("sky", sky()), ("noise", noise())];
    for (card, engine) in shipped() {
        for (what, photo) in &photos {
            let (pattern, detail) = Lightness::of(&engine.paint_picture(photo).unwrap()).grid_pattern();
            let name = &card.painting.name;
            assert!(
                pattern < FAINTEST_PATTERN || pattern < MOST_PATTERN * detail,
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

/// The shifts of lengstrom's four networks, whose frames are plain to see, are 10 to 20 levels (root mean square over sides and
/// photos), their contrasts 0.78 to 0.90.
const MOST_SHIFT: f64 = 9.0;
const LEAST_CONTRAST: f64 = 0.9;

/// A photo is painted at its border as it is where more of it lies beyond: no lighter or darker, and no fainter. Where each stroke
/// lies may differ: it is laid by all that the network sees around it.
#[test]
fn no_frame_is_seen() {
    const BEYOND: u32 = 64;
    let (width, height) = SIZE;
    let (valley, cottage) = (sample("valley"), sample("cottage"));
    let places = [
        (&valley, 200, 120),
        (&valley, 20, 220),
        (&valley, 500, 40),
        (&cottage, 20, 60),
        (&cottage, 150, 380),
    ];
    let photos =
        places.map(|(photo, x, y)| photo.crop(x, y, width + 2 * BEYOND, height + 2 * BEYOND).unwrap());
    for (card, engine) in shipped() {
        let frames = photos.each_ref().map(|wide| {
            let photo = wide.crop(BEYOND, BEYOND, width, height).unwrap();
            let alone = engine.paint_picture(&photo).unwrap();
            let within = engine.paint_picture(wide).unwrap().crop(BEYOND, BEYOND, width, height).unwrap();
            Frame::between(&Lightness::of(&alone), &Lightness::of(&within))
        });
        let sides = (4 * frames.len()) as f64;
        let squares = frames.iter().flat_map(|frame| frame.shifts).map(|shift| shift * shift);
        let shift = (squares.sum::<f64>() / sides).sqrt();
        let contrast = frames.iter().flat_map(|frame| frame.contrasts).sum::<f64>() / sides;
        let name = &card.painting.name;
        assert!(
            shift < MOST_SHIFT && contrast > LEAST_CONTRAST,
            "{name}: {shift:.1} levels off at the border, {contrast:.2} of the contrast"
        );
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

    // A strip that is 60 levels lighter, and one that is faded.
    let framed = picture(SIZE, |x, y| {
        if y < 8 {
            [160; 3]
        } else if x < 8 {
            [100; 3]
        } else {
            [(90 + 20 * (y % 2)) as u8; 3]
        }
    });
    let striped = picture(SIZE, |_, y| [(90 + 20 * (y % 2)) as u8; 3]);
    let Frame { shifts, contrasts } = Frame::between(&Lightness::of(&framed), &Lightness::of(&striped));
    assert!((shifts[2] - 60.0).abs() < 1e-9 && shifts[3] == 0.0, "{shifts:?}");
    assert!(contrasts[2] == 0.0 && contrasts[3] > 0.98, "{contrasts:?}");
}
