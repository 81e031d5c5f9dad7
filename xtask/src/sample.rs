//! The sample pictures that ship with the repository: a valley with a lake and a cottage, drawn by code so
//! that they are our own. A small renderer with a fixed scene; the same code gives the same bytes on every
//! machine.
//!
//! The scene's triangles go through [`stage`] into images of surfaces, [`light`], [`sky`] and [`water`] turn
//! each sample of the view into light, and [`tone`] turns light into the picture. Lengths are metres
//! (kilometres for clouds), x is right, y up, z away from the eye.

mod grass;
mod house;
mod light;
mod math;
mod noise;
mod rows;
mod sky;
mod stage;
mod terrain;
mod tone;
mod trees;
mod water;

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use math::{Vec3, vec3};
use sky::Sky;
use stage::{Camera, Kind, Lens, Stage};

/// A picture of the scene.
pub(crate) struct View {
    name: &'static str,
    /// Width and height in pixels.
    size: (u32, u32),
    lens: Lens,
}

/// The pictures that ship: the whole valley, 54 degrees across, and upright through a longer lens the cottage in it.
pub(crate) const VIEWS: [View; 2] = [
    View { name: "valley", size: (960, 640), lens: Lens { focal: 0.98, middle: 0.5, horizon: 0.5 } },
    View { name: "cottage", size: (640, 800), lens: Lens { focal: 2.2, middle: -0.18, horizon: 0.42 } },
];
/// Samples along each side of a pixel.
const SAMPLES: usize = 2;
/// Weights of the samples before, in and after a pixel, along each axis.
const LENS: [f32; SAMPLES + 2] = [0.11, 0.39, 0.39, 0.11];
/// Quality of the pictures as JPEG: fine, and small enough for a repository.
const JPEG_QUALITY: u8 = 90;

/// Draws a picture of the scene and writes it to `folder`. Returns its path.
pub(crate) fn run(view: &View, folder: &Path) -> anyhow::Result<PathBuf> {
    let (width, height) = view.size;
    let picture = pixel::Picture::from_rgb(width, height, render(width, height, &view.lens))?;
    let out = folder.join(view.name).with_extension("jpg");
    pixel::write_file(&picture, &out, pixel::Format::Jpeg { quality: JPEG_QUALITY })
        .with_context(|| format!("writing {}", out.display()))?;
    Ok(out)
}

/// Draws the scene at a size in pixels and returns interleaved 8-bit sRGB.
fn render(width: u32, height: u32, lens: &Lens) -> Vec<u8> {
    let (width, height) = (width as usize, height as usize);
    let camera = Camera::new(width * SAMPLES, height * SAMPLES, lens);
    let mut stage = Stage::new(camera);
    terrain::draw(&mut stage);
    house::draw(&mut stage);
    trees::draw(&mut stage);
    grass::draw(&mut stage);
    let sky = Sky::new(&camera);
    let film = expose(&stage, &sky);
    let mut picture = vec![0; width * height * 3];
    rows::for_each(&mut picture, width * 3, |row, line| {
        for (column, pixel) in line.chunks_exact_mut(3).enumerate() {
            let light = film_at(&film, &camera, column, row);
            let from_middle = |at: usize, size: usize| (at as f32 + 0.5) / size as f32 * 2.0 - 1.0;
            let offset = (from_middle(column, width), from_middle(row, height));
            pixel.copy_from_slice(&tone::print(light, (column, row), offset));
        }
    });
    picture
}

/// Each sample's light as the film keeps it. Developing before averaging keeps bright edges smooth.
fn expose(stage: &Stage, sky: &Sky) -> Vec<Vec3> {
    let Camera { width, height, .. } = stage.camera;
    let mut film = vec![Vec3::default(); width * height];
    rows::for_each(&mut film, width, |row, line| {
        for (column, light) in line.iter_mut().enumerate() {
            *light = tone::develop(sample(stage, sky, column as f32 + 0.5, row as f32 + 0.5));
        }
    });
    film
}

/// The light of a pixel: its own samples and, as through a real lens, a little of its neighbours'.
fn film_at(film: &[Vec3], camera: &Camera, column: usize, row: usize) -> Vec3 {
    let mut sum = Vec3::default();
    for (dy, weight_y) in LENS.into_iter().enumerate() {
        let y = (row * SAMPLES + dy).saturating_sub(1).min(camera.height - 1);
        for (dx, weight_x) in LENS.into_iter().enumerate() {
            let x = (column * SAMPLES + dx).saturating_sub(1).min(camera.width - 1);
            sum += film[y * camera.width + x] * (weight_x * weight_y);
        }
    }
    sum
}

/// The light that reaches the eye at a place in the view.
fn sample(stage: &Stage, sky: &Sky, x: f32, y: f32) -> Vec3 {
    let texel = stage.view.at(x, y);
    let (across, up) = stage.camera.slopes(x, y);
    let lake = if up < 0.0 { Camera::EYE / -up } else { f32::INFINITY };
    if texel.is_sky() {
        let to_lake = up < 0.0;
        return if to_lake {
            water::radiance(stage, sky, (across, up), None)
        } else {
            sky.toward(across, up)
        };
    }
    let distance = 1.0 / texel.nearness;
    let point = vec3(across * distance, Camera::EYE + up * distance, distance);
    let surface = texel.surface();
    if distance <= lake {
        return light::hazed(light::radiance(stage, sky, &surface, point), point);
    }
    let bed = (surface.kind == Kind::Ground && point.y > -1.5)
        .then(|| (light::radiance(stage, sky, &surface, point), -point.y));
    water::radiance(stage, sky, (across, up), bed)
}

#[cfg(test)]
mod tests {
    use super::{VIEWS, render};

    /// How much smaller than what ships the pictures are here.
    const REDUCTION: u32 = 5;
    /// Side of the squares that must not be of one colour, in pixels.
    const SQUARE: usize = 16;

    #[test]
    fn the_pictures_are_always_the_same() {
        for view in VIEWS {
            assert_eq!(render(48, 32, &view.lens), render(48, 32, &view.lens));
        }
    }

    #[test]
    fn no_part_of_the_pictures_is_flat() {
        for view in VIEWS {
            let (width, height) = (view.size.0 / REDUCTION, view.size.1 / REDUCTION);
            let picture = render(width, height, &view.lens);
            let (width, height) = (width as usize, height as usize);
            for top in (0..height).step_by(SQUARE) {
                for left in (0..width).step_by(SQUARE) {
                    let greens = (0..SQUARE * SQUARE).map(|index| {
                        let (x, y) = (left + index % SQUARE, top + index / SQUARE);
                        picture[(y * width + x) * 3 + 1]
                    });
                    let range = greens.clone().max().unwrap_or(0) - greens.min().unwrap_or(0);
                    assert!(range >= 10, "{}: flat at {left},{top}: green varies by {range}", view.name);
                }
            }
        }
    }
}
