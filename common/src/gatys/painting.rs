//! Up the ladder.

use std::ops::ControlFlow;

use pixel::Picture;
use tch::{Device, Tensor};

use super::canvas::Canvas;
use super::descent::{Descent, DescentEnd};
use super::inputs::at_size;
use super::objective::{Objective, SizedPictures, smallest_side};
use super::{Colours, GatysError, GatysInputs, GatysSettings, Rung};
use crate::loss::LossValues;
use crate::lossnet::LossNet;
use crate::memory;
use crate::photo_colours::with_colour_of;
use crate::space::picture_from_byte_rgb;

/// What an observer learns at each evaluation.
pub struct GatysProgress<'a> {
    /// The size that is worked at.
    pub rung: Rung,
    /// Which evaluation of all it is, from 1.
    pub evaluation: u32,
    /// How much of all the work is done, from 0 to 1; an evaluation counts by its pixels.
    pub done: f64,
    /// What it cost.
    pub losses: &'a LossValues,
    picture: &'a dyn Fn() -> Picture,
}

impl GatysProgress<'_> {
    /// The picture that was evaluated, as it would be written. Waits for the device.
    pub fn picture(&self) -> Picture {
        (self.picture)()
    }
}

/// A picture that was painted.
pub struct GatysPainting {
    /// The result.
    pub picture: Picture,
    /// Its losses at its size: of the result itself but for a moving average, of which the last iterate's are told.
    pub losses: LossValues,
    /// The losses that the last size began with.
    pub first_losses: LossValues,
    /// Evaluations of all sizes.
    pub evaluations: u32,
    /// How it ended.
    pub ending: GatysEnding,
}

/// How an optimisation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GatysEnding {
    /// After all its iterations.
    Complete,
    /// Earlier, since no more was to be gained.
    Converged,
    /// The observer wanted it; the picture is the best so far.
    Stopped,
    /// The loss was no number any more; the picture is the best before that.
    NotFinite,
}

/// An iterate worth keeping.
struct Iterate {
    losses: LossValues,
    byte_rgb: Tensor,
}

/// Optimises one picture. `observe` is told of each evaluation and may end the work; what is best by then is the result, brought to
/// the result's size if a smaller one was being worked at.
///
/// # Errors
/// The pictures are too small for the layers, there is nothing to go by, the loss is no number from the start, or the memory does
/// not hold it.
pub fn paint(
    settings: &GatysSettings,
    inputs: &GatysInputs,
    network: LossNet,
    device: Device,
    mut observe: impl FnMut(&GatysProgress<'_>) -> ControlFlow<()>,
) -> Result<GatysPainting, GatysError> {
    let spec = &settings.loss;
    let needs_content = !spec.content_layers.is_empty() && inputs.content.is_none();
    let needs_style = !spec.style_layers.is_empty() && inputs.styles.is_empty();
    let size = inputs.result_size(settings.long_side_px).ok_or(GatysError::NothingToDo)?;
    if needs_content || needs_style || spec.layers().is_empty() {
        return Err(GatysError::NothingToDo);
    }
    let smallest = smallest_side(spec.layers().into_iter());
    let rungs = settings.ladder.rungs(size, settings.iterations, smallest, inputs.content.is_some());
    memory::catching(|| tch::no_grad(|| climb(settings, inputs, network, device, &rungs, &mut observe)))
        .unwrap_or_else(|reason| Err(GatysError::Memory { width: size.0, height: size.1, reason }))
}

fn climb(
    settings: &GatysSettings,
    inputs: &GatysInputs,
    mut network: LossNet,
    device: Device,
    rungs: &[Rung],
    observe: &mut dyn FnMut(&GatysProgress<'_>) -> ControlFlow<()>,
) -> Result<GatysPainting, GatysError> {
    let last = rungs.last().expect("a ladder has a rung");
    let result_size = (last.width, last.height);
    let work = |rung: &Rung| f64::from(rung.width) * f64::from(rung.height);
    let whole_work: f64 = rungs.iter().map(|rung| work(rung) * f64::from(rung.iterations)).sum();
    let (mut work_done, mut evaluations) = (0.0, 0);
    let mut state: Option<(Canvas, Tensor, Descent)> = None;
    let mut best: Option<Iterate> = None;
    let mut first_losses = None;
    let mut end = DescentEnd::UsedUp;
    for rung in rungs {
        let size = (rung.width, rung.height);
        let pictures = SizedPictures::new(inputs, settings.colours, size, device);
        let objective = Objective::new(inputs, &pictures, settings, size, network, device)?;
        let (canvas, parameters, mut descent) = match state.take() {
            None => {
                let (canvas, parameters) = Canvas::first(settings, &pictures, size, device);
                let descent =
                    Descent::new(&settings.optimizer, settings.averaging, &parameters, rung.iterations);
                (canvas, parameters, descent)
            }
            Some((canvas, parameters, descent)) => {
                let from = canvas.size();
                let (canvas, parameters) = canvas.at_size(&parameters, &pictures, size);
                let descent = descent.at_size(
                    &settings.optimizer,
                    settings.averaging,
                    &parameters,
                    from,
                    &canvas,
                    rung.iterations,
                );
                (canvas, parameters, descent)
            }
        };
        best = None; // losses of two sizes cannot be compared
        first_losses = None;
        end = descent.run(&parameters, &canvas, &objective, rung.iterations, &mut |losses, byte_rgb| {
            evaluations += 1;
            work_done += work(rung);
            first_losses.get_or_insert_with(|| losses.clone());
            let is_best = best.as_ref().is_none_or(|best| losses.total < best.losses.total);
            if losses.total.is_finite() && (is_best || !settings.keeps_best) {
                best = Some(Iterate { losses: losses.clone(), byte_rgb: byte_rgb.copy() });
            }
            let picture = || finished(byte_rgb, inputs, settings.colours, result_size);
            observe(&GatysProgress {
                rung: *rung,
                evaluation: evaluations,
                done: (work_done / whole_work).min(1.0),
                losses,
                picture: &picture,
            })
        });
        let Some(best) = &mut best else { return Err(GatysError::NotFinite) };
        if let Some(average) = descent.average() {
            best.byte_rgb = canvas.draw(average).byte_rgb.copy();
        }
        if matches!(end, DescentEnd::Stopped | DescentEnd::NotFinite) {
            break;
        }
        network = objective.into_network();
        // The next size begins with the best, not with where a line search happened to end.
        let parameters = if canvas.is_of_pixels() { best.byte_rgb.copy().flatten(0, 3) } else { parameters };
        state = Some((canvas, parameters, descent));
    }
    let best = best.expect("at least one evaluation was finite");
    Ok(GatysPainting {
        picture: finished(&best.byte_rgb, inputs, settings.colours, result_size),
        losses: best.losses,
        first_losses: first_losses.expect("as many as there were evaluations"),
        evaluations,
        ending: match end {
            DescentEnd::UsedUp => GatysEnding::Complete,
            DescentEnd::Converged => GatysEnding::Converged,
            DescentEnd::Stopped => GatysEnding::Stopped,
            DescentEnd::NotFinite => GatysEnding::NotFinite,
        },
    })
}

/// The picture as it is written: of the result's size, with the photo's colours and outside of the hole the photo itself, where
/// that was asked for.
fn finished(byte_rgb: &Tensor, inputs: &GatysInputs, colours: Colours, size: (u32, u32)) -> Picture {
    let (width, height) = (i64::from(size.0), i64::from(size.1));
    let byte_rgb = if byte_rgb.size()[2..] == [height, width] {
        byte_rgb.shallow_clone()
    } else {
        byte_rgb.upsample_bicubic2d([height, width], false, None, None)
    };
    let painted = picture_from_byte_rgb(&byte_rgb);
    let Some(content) = &inputs.content else { return painted };
    if colours != Colours::Luminance && inputs.hole.is_none() {
        return painted;
    }
    let photo = picture_from_byte_rgb(&at_size(content, size, Device::Cpu));
    let hole = inputs.hole.as_ref().map(|hole| {
        hole.resize(size.0, size.1, pixel::Filter::Bilinear).expect("both sides are at least one pixel")
    });
    let mut rgb = Vec::with_capacity(painted.rgb().len());
    for (place, (photo, painted)) in
        photo.rgb().as_chunks::<3>().0.iter().zip(painted.rgb().as_chunks::<3>().0).enumerate()
    {
        let is_photo = hole.as_ref().is_some_and(|hole| hole.values()[place] == 0);
        rgb.extend(match colours {
            _ if is_photo => *photo,
            Colours::Luminance => with_colour_of(photo.map(f32::from), painted.map(f32::from))
                .map(crate::space::byte_from_byte_rgb),
            _ => *painted,
        });
    }
    Picture::from_rgb(size.0, size.1, rgb).expect("as many bytes as pixels ask for")
}
