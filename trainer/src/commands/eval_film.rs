//! `trainer eval --video`: how much films flicker that styles paint frame by frame.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use common::engine::{Engine, EngineOptions, PaintPrecision, SharedNorms};
use common::exit_status::ExitStatus;
use common::space::byte_rgb_from_picture;
use common::style_file;
use indicatif::{ProgressBar, ProgressStyle};
use motion::{
    Effort, Estimator, Flow, Mask, MotionEdges, PairError, SceneCuts, Steadier, WarpingErrors, visible,
    warping_error,
};
use pixel::{DecodeLimits, Picture};
use serde_json::json;
use tch::Device;
use trainer::eval::film::{self, Film, FilmScores, FlowSource, TrueFlow};
use trainer::eval::{Judge, Judgement};

use super::eval::{JudgePlan, StylePlan};
use super::stdout::print;
use crate::cli::EvalArgs;

/// A measurement that can start: what it names is there and makes sense together.
struct FilmPlan {
    styles: Vec<StylePlan>,
    films: Vec<(Film, Option<Vec<TrueFlow>>)>,
    judge: JudgePlan,
    loss_frames: usize,
    is_steady: bool,
}

pub(super) fn run(video: &Path, args: &EvalArgs) -> anyhow::Result<ExitStatus> {
    let plan = FilmPlan::from_args(video, args)?;
    let judge = plan.judge.judge()?;
    let mut styles: Vec<StyleAtWork> =
        plan.styles.iter().map(|style| StyleAtWork::new(style, &plan)).collect::<anyhow::Result<_>>()?;
    let bar = progress_bar(plan.films.iter().map(|(film, _)| film.frames.len() as u64).sum());
    let mut rows = Vec::new();
    for (film, true_flows) in &plan.films {
        rows.extend(measure(film, true_flows.as_deref(), &mut styles, &judge, &plan, &bar)?);
    }
    bar.finish_and_clear();
    let means = if plan.films.len() > 1 { FilmScores::means(&rows) } else { Vec::new() };
    if args.json {
        let painting = args.painting.as_ref().map(|path| path.display().to_string());
        let found = json!({ "painting": painting, "rows": rows, "means": means });
        print(&format!("{found}\n"))?;
    } else {
        rows.extend(means);
        print(&film::table(&rows))?;
    }
    Ok(ExitStatus::Success)
}

impl FilmPlan {
    fn from_args(video: &Path, args: &EvalArgs) -> anyhow::Result<Self> {
        let judge = JudgePlan::from_args(args)?;
        let styles = StylePlan::all(args)?;
        let films = film::films(video, args.limit.map(Into::into)).context("--video")?;
        let films: Vec<_> = films
            .into_iter()
            .map(|film| {
                let flows = args.flow.as_ref().map(|root| film::true_flows(root, &film)).transpose()?;
                Ok((film, flows.flatten()))
            })
            .collect::<anyhow::Result<_>>()
            .context("--flow")?;
        if let Some(flow) = &args.flow
            && films.iter().all(|(_, flows)| flows.is_none())
        {
            bail!(
                "--flow: found no .flo files for any of the films; without --flow motion is estimated: {}",
                flow.display()
            );
        }
        Ok(Self { styles, films, judge, loss_frames: args.loss_frames.get(), is_steady: args.steady })
    }
}

/// Frames are read one after the other, and of those that were only the last is kept.
fn measure(
    film: &Film,
    true_flows: Option<&[TrueFlow]>,
    styles: &mut [StyleAtWork],
    judge: &Judge,
    plan: &FilmPlan,
    bar: &ProgressBar,
) -> anyhow::Result<Vec<FilmScores>> {
    let device = plan.judge.device;
    let mut cuts = SceneCuts::new();
    let mut estimator = Estimator::new(Effort::Careful);
    let mut photos = Reel::default();
    let mut visible_sum = 0.0;
    for style in &mut *styles {
        style.start();
    }
    for (place, path) in film.frames.iter().enumerate() {
        let photo = pixel::decode_file(path, &DecodeLimits::default())
            .map_err(|error| anyhow!("{error}: {}", path.display()))?;
        check_size(&photo, photos.last.as_ref(), plan.judge.smallest_side_px(), path)?;
        let motion = match (&photos.last, true_flows) {
            (None, _) => None,
            (Some(last), Some(flows)) => Some(flows[place - 1].read((last.width(), last.height()))?),
            (Some(last), None) => Some(estimate(&mut estimator, last, &photo)),
        };
        let is_cut = cuts.is_cut(&photo);
        let verdict_wanted = is_loss_frame(place, film.frames.len(), plan.loss_frames);
        for style in &mut *styles {
            style.paint(&photo, is_cut, motion.as_ref(), verdict_wanted.then_some((judge, device)))?;
        }
        if let Some(pair) = photos.take(photo, motion.as_ref()) {
            visible_sum += pair.points as f64 / pair.all_points as f64;
        }
        bar.inc(1);
    }
    let source = if true_flows.is_some() { FlowSource::GroundTruth } else { FlowSource::Estimated };
    let pairs = photos.errors.pairs() as f64;
    let floor = FilmScores::photos(&film.name, source, visible_sum / pairs, &photos.errors);
    let mut rows = vec![floor.clone()];
    rows.extend(styles.iter().flat_map(|style| style.scores(&floor, judge)));
    Ok(rows)
}

fn check_size(photo: &Picture, last: Option<&Picture>, smallest: u32, path: &Path) -> anyhow::Result<()> {
    let (width, height) = (photo.width(), photo.height());
    if let Some(last) = last {
        let (before, below) = (last.width(), last.height());
        ensure!(
            (width, height) == (before, below),
            "frames of a film have one size; this one is {width}x{height} pixels, those before it {before}x{below}: {}",
            path.display()
        );
    }
    ensure!(
        width.min(height) >= smallest,
        "the frame is {width}x{height} pixels; the losses need at least {smallest} a side: {}",
        path.display()
    );
    Ok(())
}

/// The motion from one photo to the next, and which points are seen in both.
fn estimate(estimator: &mut Estimator, last: &Picture, next: &Picture) -> (Flow, Mask) {
    let (there, back) = estimator.both_ways(last, next);
    let seen = visible(&there, &back, MotionEdges::Hidden);
    (there, seen)
}

/// Whether a frame is one of `wanted` that lie evenly in a film, the last of which is its last one: what steadying blurs, it blurs
/// more and more at first.
fn is_loss_frame(place: usize, frames: usize, wanted: usize) -> bool {
    let share = |place: usize| place * wanted / frames;
    wanted >= frames || share(place) != share(place + 1)
}

/// Frames from one source, as they are compared.
#[derive(Default)]
struct Reel {
    last: Option<Picture>,
    errors: WarpingErrors,
    judgements: Vec<Judgement>,
}

impl Reel {
    /// Takes the next frame, and says how it differs from the last one.
    fn take(&mut self, frame: Picture, motion: Option<&(Flow, Mask)>) -> Option<PairError> {
        let last = self.last.replace(frame);
        let (last, (flow, seen)) = last.zip(motion)?;
        let pair = warping_error(&last, self.last.as_ref()?, flow, seen);
        self.errors.add(pair);
        Some(pair)
    }
}

/// What `infer video` does to steady a film, and what comes of it.
#[derive(Default)]
struct Steadied {
    norms: SharedNorms,
    steadier: Steadier,
    reel: Reel,
}

/// A style that paints the films.
struct StyleAtWork {
    name: String,
    engine: Engine,
    plain: Reel,
    steady: Option<Steadied>,
}

impl StyleAtWork {
    fn new(style: &StylePlan, plan: &FilmPlan) -> anyhow::Result<Self> {
        let device = plan.judge.device;
        let (_card, net) = style_file::load(&style.file, device)?;
        let options = EngineOptions { device, precision: PaintPrecision::F32, memory_bytes: None };
        let steady = plan.is_steady.then(Steadied::default);
        Ok(Self {
            name: style.name.clone(),
            engine: Engine::new(net, &options),
            plain: Reel::default(),
            steady,
        })
    }

    /// Another film.
    fn start(&mut self) {
        self.plain = Reel::default();
        self.steady = self.steady.take().map(|_| Steadied::default());
    }

    /// Paints the next frame, and takes the verdict of a judge where there is one.
    fn paint(
        &mut self,
        photo: &Picture,
        is_cut: bool,
        motion: Option<&(Flow, Mask)>,
        judge: Option<(&Judge, Device)>,
    ) -> anyhow::Result<()> {
        let judged = |reel: &mut Reel| {
            if let (Some((judge, device)), Some(painted)) = (judge, &reel.last) {
                let [painted, photo] = [painted, photo].map(|picture| byte_rgb_from_picture(picture, device));
                reel.judgements.push(judge.judge(&painted, &photo));
            }
        };
        let painted = self.engine.paint_picture(photo)?;
        if let Some(Steadied { norms, steadier, reel }) = &mut self.steady {
            if is_cut {
                norms.reset();
                steadier.reset();
            }
            let painted = self.engine.paint_frame_picture(photo, Some(norms))?;
            reel.take(steadier.steady(photo, painted), motion);
            judged(reel);
        }
        self.plain.take(painted, motion);
        judged(&mut self.plain);
        Ok(())
    }

    fn scores<'a>(
        &'a self,
        floor: &'a FilmScores,
        judge: &'a Judge,
    ) -> impl Iterator<Item = FilmScores> + 'a {
        let steady = self.steady.as_ref().map(|steadied| (format!("{}, steady", self.name), &steadied.reel));
        std::iter::once((self.name.clone(), &self.plain)).chain(steady).map(|(name, reel)| {
            let losses = judge.scores(&reel.judgements);
            floor.painted(&name, &reel.errors, (losses.content, losses.style))
        })
    }
}

fn progress_bar(frames: u64) -> ProgressBar {
    let bar = ProgressBar::new(frames);
    let template = "{bar:24} {pos}/{len} frames  {per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_frames_are_as_many_as_asked_for_and_evenly_spread() {
        let frames = |frames: usize, wanted: usize| -> Vec<usize> {
            (0..frames).filter(|&place| is_loss_frame(place, frames, wanted)).collect()
        };
        assert_eq!(frames(10, 3), [3, 6, 9]);
        assert_eq!(frames(5, 8), [0, 1, 2, 3, 4]);
        assert_eq!(frames(50, 8).len(), 8);
        assert_eq!(frames(2, 1), [1]);
    }
}
