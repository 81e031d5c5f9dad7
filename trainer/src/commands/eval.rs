//! `trainer eval`: how well styles paint a folder of photos.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use common::exit_status::{ExitStatus, UsageError};
use common::loss::PerceptualLossSpec;
use common::lossnet::{LossNet, LossNetShelf};
use common::net::StyleNet;
use common::space::{byte_rgb_from_interleaved, picture_from_byte_rgb};
use common::style_file::{self, Shelf};
use datasets::{ByteCrop, PhotoFolder, SkippedPhoto, centre_crops};
use indicatif::{ProgressBar, ProgressStyle};
use pixel::{DecodeLimits, Format, Picture};
use serde_json::json;
use tch::{Device, Tensor};
use trainer::eval::{self, Judge, Judgement, Scores};

use super::eval_film;
use super::stdout::print;
use crate::cli::EvalArgs;
use crate::progress;

/// The row of the photos themselves: no content loss, all of their own style.
const PHOTOS_ROW: &str = "photos";

/// An evaluation that can start: what it names is there and makes sense together.
struct EvalPlan {
    styles: Vec<StylePlan>,
    photos: PhotoFolder,
    photo_count: usize,
    judge: JudgePlan,
    size_px: u32,
}

/// A judge that can be made.
pub(super) struct JudgePlan {
    pub(super) spec: PerceptualLossSpec,
    painting: Option<Picture>,
    loss_net: PathBuf,
    pub(super) device: Device,
}

pub(super) struct StylePlan {
    /// As it was typed.
    pub(super) name: String,
    pub(super) file: PathBuf,
    pictures: Option<PathBuf>,
}

/// A style that is being judged.
struct Contestant {
    name: String,
    net: StyleNet,
    pictures: Option<PathBuf>,
    judgements: Vec<Judgement>,
}

pub(crate) fn run(mut args: EvalArgs) -> anyhow::Result<ExitStatus> {
    if let Some(video) = args.video.take() {
        return eval_film::run(&video, &args);
    }
    let (is_json, painting_name) = (args.json, args.painting.clone());
    let plan = EvalPlan::from_args(&args)?;
    let device = plan.judge.device;
    let judge = plan.judge.judge()?;
    let mut contestants: Vec<Contestant> =
        plan.styles.iter().map(|style| Contestant::new(style, device)).collect::<anyhow::Result<_>>()?;

    let mut photos = Vec::new();
    let mut skipped: Vec<SkippedPhoto> = Vec::new();
    let bar = progress_bar(plan.photo_count);
    for (place, crop) in centre_crops(&plan.photos, plan.size_px).take(plan.photo_count).enumerate() {
        match crop {
            Ok(crop) => {
                let photo = byte_rgb_from_interleaved(&crop.byte_rgb, 1, crop.side, crop.side, device);
                photos.push(judge.judge(&photo, &photo));
                for contestant in &mut contestants {
                    contestant.paint(&judge, &photo, place, &crop)?;
                }
            }
            Err(photo) => skipped.push(photo),
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    ensure!(!photos.is_empty(), "none of the {} photos can be used, such as {}", skipped.len(), skipped[0]);
    report_skipped(&skipped);

    let mut rows = vec![(PHOTOS_ROW.to_owned(), judge.scores(&photos))];
    rows.extend(contestants.into_iter().map(|it| (it.name, judge.scores(&it.judgements))));
    if is_json {
        print(&format!("{}\n", to_json(&rows, photos.len(), plan.size_px, painting_name.as_deref())))?;
    } else {
        print(&eval::table(&rows))?;
    }
    Ok(ExitStatus::of_inputs(plan.photo_count, skipped.len()))
}

impl EvalPlan {
    fn from_args(args: &EvalArgs) -> anyhow::Result<Self> {
        let judge = JudgePlan::from_args(args)?;
        let (size, smallest) = (args.size, judge.smallest_side_px());
        if !(smallest..=4096).contains(&size) {
            bail!(UsageError(format!("--size {size}: expected {smallest} to 4096")));
        }
        let styles = StylePlan::all(args)?;
        check_picture_folders(&styles)?;
        let data = args.data.as_ref().expect("--data or --video");
        let photos = PhotoFolder::scan(data).context("--data")?;
        let photo_count = args.limit.map_or(photos.len(), |limit| limit.get().min(photos.len()));
        Ok(Self { styles, photo_count, photos, judge, size_px: size })
    }
}

impl JudgePlan {
    pub(super) fn from_args(args: &EvalArgs) -> anyhow::Result<Self> {
        let mut spec = eval::reference_loss();
        spec.content_layers = args.content_layers.clone().unwrap_or(spec.content_layers);
        spec.style_layers = args.style_layers.clone().unwrap_or(spec.style_layers);
        let device = args.compute.set_up()?;
        let loss_net = LossNetShelf::standard().find(&args.loss_net)?;
        let painting = args.painting.as_ref().map(|path| {
            pixel::decode_file(path, &DecodeLimits::default())
                .with_context(|| format!("the painting {}", path.display()))
        });
        Ok(Self { spec, painting: painting.transpose()?, loss_net, device })
    }

    /// The shortest side of a picture that it can judge.
    pub(super) fn smallest_side_px(&self) -> u32 {
        let deepest = self.spec.layers().into_iter().map(LossNet::smallest_side).max().unwrap_or(1);
        deepest.max(eval::SMALLEST_SIDE_PX)
    }

    pub(super) fn judge(&self) -> anyhow::Result<Judge> {
        Ok(Judge::new(self.spec.clone(), &self.loss_net, self.painting.as_ref(), self.device)?)
    }
}

impl StylePlan {
    pub(super) fn all(args: &EvalArgs) -> anyhow::Result<Vec<Self>> {
        let shelf = Shelf::standard();
        args.styles.iter().map(|name| Self::new(name.clone(), &shelf, args.pictures.as_deref())).collect()
    }

    fn new(name: String, shelf: &Shelf, pictures: Option<&Path>) -> anyhow::Result<Self> {
        let file = shelf.find(&name)?;
        let pictures = pictures.map(|folder| folder.join(file.file_stem().unwrap_or_default()));
        Ok(Self { name, file, pictures })
    }
}

/// Pictures of two styles do not mix, nor with what is there already.
fn check_picture_folders(styles: &[StylePlan]) -> anyhow::Result<()> {
    for (place, style) in styles.iter().enumerate() {
        let Some(folder) = &style.pictures else { continue };
        if styles[..place].iter().any(|other| other.pictures.as_ref() == Some(folder)) {
            bail!("the pictures of two styles would go to {}; judge them one at a time", folder.display());
        }
        if folder.exists() {
            bail!("the folder of pictures is there already; choose other --pictures: {}", folder.display());
        }
    }
    Ok(())
}

impl Contestant {
    fn new(style: &StylePlan, device: Device) -> anyhow::Result<Self> {
        let (_card, net) = style_file::load(&style.file, device)?;
        if let Some(folder) = &style.pictures {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(Self { name: style.name.clone(), net, pictures: style.pictures.clone(), judgements: Vec::new() })
    }

    /// Paints the photo `photo_byte_rgb` and takes the verdict on the picture as it is seen, in 8 bits.
    fn paint(
        &mut self,
        judge: &Judge,
        photo_byte_rgb: &Tensor,
        place: usize,
        crop: &ByteCrop,
    ) -> anyhow::Result<()> {
        let painted = tch::no_grad(|| self.net.forward(photo_byte_rgb).clamp(0.0, 255.0).round());
        self.judgements.push(judge.judge(&painted, photo_byte_rgb));
        if let Some(folder) = &self.pictures {
            // Photos of the same name may lie in several folders.
            let stem = crop.path.file_stem().unwrap_or_default().to_string_lossy();
            let path = folder.join(format!("{:04}-{stem}.png", place + 1));
            pixel::write_file(&picture_from_byte_rgb(&painted), path, Format::Png)?;
        }
        Ok(())
    }
}

fn progress_bar(photos: usize) -> ProgressBar {
    let bar = ProgressBar::new(photos as u64);
    let template = "{bar:24} {pos}/{len} photos  {per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).expect("the template is well formed"));
    bar
}

fn report_skipped(skipped: &[SkippedPhoto]) {
    if skipped.is_empty() {
        return;
    }
    eprintln!("{} photos could not be used", skipped.len());
    for photo in skipped.iter().take(progress::SKIPPED_SHOWN) {
        eprintln!("  {photo}");
    }
}

fn to_json(
    rows: &[(String, Scores)],
    photos: usize,
    size_px: u32,
    painting: Option<&Path>,
) -> serde_json::Value {
    let row = |(name, scores): &(String, Scores)| {
        let mut row = serde_json::to_value(scores).expect("scores hold nothing that JSON cannot");
        row["name"] = json!(name);
        row
    };
    json!({
        "photos": photos,
        "size_px": size_px,
        "painting": painting.map(|path| path.display().to_string()),
        "rows": rows.iter().map(row).collect::<Vec<_>>(),
    })
}
