//! What is made ready before the first frame: ffmpeg asked, sizes settled, an earlier run's work found.

use anyhow::Context as _;
use film::{
    DecodeOptions, EncodeTarget, Encoder, Encoding, FilmInfo, FilmShape, FrameRate, Input, Programs,
    SampleAspect, looks_flat,
};
use pixel::{DecodeLimits, WebpAnimation};

use super::plan::{Beginning, Part, SourcePlan, TargetPlan, VideoPlan};
use super::settings;
use super::sink::FrameSink;
use super::source::FrameSource;
use super::work_folder::WorkFolder;

/// A film that is ready to be repainted.
pub(super) struct Studio {
    /// What ffmpeg does; none where picture files become picture files.
    pub(super) ffmpeg: Option<Ffmpeg>,
    /// What is known of the film, if it is none of picture files.
    pub(super) film: Option<FilmInfo>,
    pub(super) size: (u32, u32),
    pub(super) aspect: SampleAspect,
    pub(super) rate: Option<FrameRate>,
    /// How many frames there will be, about.
    pub(super) frames: Option<u64>,
    /// Segments that are done or will be.
    pub(super) work: Option<WorkFolder>,
    /// What should be said before.
    pub(super) notes: Vec<String>,
}

/// The programs, and how they encode.
pub(super) struct Ffmpeg {
    pub(super) programs: Programs,
    /// None where frames become picture files.
    pub(super) encoding: Option<Encoding>,
}

impl Studio {
    /// Makes ready all but the painters, and opens the source.
    pub(super) fn open(plan: &VideoPlan) -> anyhow::Result<(Self, FrameSource)> {
        let writes_pictures = matches!(plan.target, TargetPlan::Pictures(_));
        let wants_ffmpeg = matches!(plan.source, SourcePlan::Film(_)) || !writes_pictures;
        let ffmpeg = wants_ffmpeg.then(|| Ffmpeg::find(plan)).transpose()?;
        let mut studio = Self {
            ffmpeg,
            film: None,
            size: (0, 0),
            aspect: SampleAspect::SQUARE,
            rate: plan.part.rate,
            frames: None,
            work: None,
            notes: Vec::new(),
        };
        let source = match (&plan.source, &studio.ffmpeg) {
            (SourcePlan::Film(input), Some(Ffmpeg { programs, .. })) => {
                let programs = programs.clone();
                studio.open_film(plan, input, &programs)?
            }
            (SourcePlan::Film(_), None) => unreachable!("films want ffmpeg"),
            (SourcePlan::Animation(path), _) => {
                let animation = WebpAnimation::open(path, &DecodeLimits::default())?;
                let animation =
                    animation.with_context(|| format!("no animation any more: {}", path.display()))?;
                studio.size = plan.looks[0].output_size(animation.size());
                studio.frames = Some(animation.frames().into());
                let Part { start_s, duration_s, .. } = plan.part;
                FrameSource::animation(animation, studio.size, start_s, duration_s)
            }
            (SourcePlan::Pictures(files), _) => {
                let first = pixel::decode_file(&files[0], &DecodeLimits::default());
                let first = first.map_err(|error| anyhow::anyhow!("{error}: {}", files[0].display()))?;
                studio.size = plan.looks[0].output_size((first.width(), first.height()));
                studio.frames = Some(files.len() as u64);
                let rate = plan.part.rate.expect("picture files have a rate");
                FrameSource::pictures(files.clone(), studio.size, rate)
            }
        };
        studio.work = studio.work_folder(plan)?;
        Ok((studio, source))
    }

    fn open_film(
        &mut self,
        plan: &VideoPlan,
        input: &Input,
        programs: &Programs,
    ) -> anyhow::Result<FrameSource> {
        let (info, probed) = input.probe(programs)?;
        if looks_flat(&info, programs) {
            self.notes.push(
                "this ffmpeg has no zscale filter: the film's high dynamic range will look flat".into(),
            );
        }
        self.size = plan.looks[0].output_size(info.size);
        self.aspect = info.aspect;
        self.rate = self.rate.or(info.rate);
        self.frames = expected_frames(&info, plan);
        let options = DecodeOptions {
            start_s: plan.part.start_s,
            duration_s: plan.part.duration_s,
            rate: plan.part.rate,
            size: Some(self.size),
        };
        let source = FrameSource::film(programs, &info, probed, &options)?;
        self.film = Some(info);
        Ok(source)
    }

    /// For films of which parts can be kept.
    fn work_folder(&self, plan: &VideoPlan) -> anyhow::Result<Option<WorkFolder>> {
        let TargetPlan::Film(output, container) = &plan.target else { return Ok(None) };
        if container.holds_pictures_alone() {
            return Ok(None);
        }
        let encoding = self.ffmpeg.as_ref().and_then(|ffmpeg| ffmpeg.encoding.as_ref());
        let settings = settings::of(plan, encoding, self.size);
        let is_there = WorkFolder::path_for(output).exists();
        Ok(Some(if plan.beginning == Beginning::Resumed && is_there {
            WorkFolder::resume(output, &settings)?
        } else {
            WorkFolder::begin(output, settings)?
        }))
    }
}

impl Ffmpeg {
    fn find(plan: &VideoPlan) -> anyhow::Result<Self> {
        let programs = Programs::find()?;
        let container = match &plan.target {
            TargetPlan::Film(_, container) => Some(*container),
            TargetPlan::Stdout => Some(film::Container::Y4m),
            TargetPlan::Pictures(_) => None,
        };
        let encoding = container.map(|it| Encoding::choose(it, &plan.encoding, &programs)).transpose()?;
        Ok(Self { programs, encoding })
    }

    /// A film of pictures alone, in one go.
    pub(super) fn stream(&self, shape: FilmShape, target: EncodeTarget<'_>) -> anyhow::Result<FrameSink> {
        let encoding = self.encoding.as_ref().expect("films are encoded");
        Ok(FrameSink::Stream(Box::new(Encoder::start(&self.programs, shape, encoding, target)?)))
    }
}

/// Of the part that is taken.
fn expected_frames(info: &FilmInfo, plan: &VideoPlan) -> Option<u64> {
    let part = &plan.part;
    if part.start_s.is_none() && part.duration_s.is_none() && part.rate.is_none() {
        return info.frames;
    }
    let rest_s = info.duration_s.map(|seconds| (seconds - part.start_s.unwrap_or(0.0)).max(0.0));
    let taken_s = match (rest_s, part.duration_s) {
        (Some(rest_s), Some(duration_s)) => Some(rest_s.min(duration_s)),
        (rest_s, duration_s) => rest_s.or(duration_s),
    };
    Some((taken_s? * part.rate.or(info.rate)?.per_second()).round() as u64)
}
