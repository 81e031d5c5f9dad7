//! `infer image --sheet`: one photo in many styles.

use std::path::Path;

use anyhow::Context as _;
use common::exit_status::ExitStatus;
use common::style_file;
use pixel::{Picture, SheetCell};

use crate::crash::caught;
use crate::interrupt::{self, UnderWay};
use crate::painter::{FinishedPicture, Look, Painter};
use crate::plan::{SheetPlan, Source, Target};
use crate::report::PictureBar;
use crate::{photo_file, stdout, viewer};

pub(crate) fn run(plan: &SheetPlan) -> anyhow::Result<ExitStatus> {
    interrupt::listen(interrupt::PICTURE_UNDER_WAY)?;
    let name = || plan.source.name().into_owned();
    let bytes = photo_file::read(&plan.source).with_context(name)?;
    let photo = caught(|| Ok(photo_file::decode(&bytes)?)).with_context(name)?;
    // A painted cell-sized photo shows a hand as clearly as a painted original does when reduced, in a fraction of the time.
    let reduced = pixel::reduced_to(&photo.picture, plan.cell_px);

    let mut cells = vec![SheetCell {
        picture: reduced.clone(),
        heading: "the photo".to_owned(),
        text: match &plan.source {
            Source::File(path) => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            Source::Stdin => String::new(),
        },
    }];
    let bar = PictureBar::new(plan.looks.len(), plan.is_quiet);
    let mut failed = 0;
    for (look, style) in &plan.looks {
        if interrupt::is_requested() {
            bar.finish();
            return Ok(ExitStatus::Interrupted);
        }
        let _under_way = UnderWay::begin();
        match caught(|| cell(look, style, &reduced, plan)) {
            Ok(cell) => cells.push(cell),
            Err(error) => {
                failed += 1;
                bar.suspend(|| eprintln!("error: {error:#}"));
            }
        }
        bar.advance();
    }
    bar.finish();
    if failed == plan.looks.len() {
        return Ok(ExitStatus::Failure);
    }
    let _under_way = UnderWay::begin();
    let sheet = pixel::contact_sheet(&cells, plan.cell_px).context("there is nothing to show")?;
    let sheet = FinishedPicture::Eight(sheet);
    photo_file::write(&sheet, &photo.metadata, &plan.output, plan.writing)?;
    if let Target::File(path) = &plan.output.target {
        stdout::write(format!("{}\n", path.display()).as_bytes())?;
        if plan.opens_viewer {
            viewer::show(std::slice::from_ref(path));
        }
    }
    Ok(ExitStatus::of_inputs(plan.looks.len(), failed))
}

fn cell(look: &Look, style: &Path, photo: &Picture, plan: &SheetPlan) -> anyhow::Result<SheetCell> {
    let card = style_file::load_card(style)?;
    let painter = Painter::load(look, &plan.engine)?;
    let heading = look.name();
    let caption = card.caption();
    let text = if caption == heading { String::new() } else { caption };
    Ok(SheetCell { picture: painter.paint(photo)?, heading, text })
}
