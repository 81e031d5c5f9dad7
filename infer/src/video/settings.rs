//! What a half-done film has to have been begun with.

use std::path::Path;

use film::{Encoding, Input};

use super::plan::{SourcePlan, VideoPlan};
use super::work_folder::Settings;
use crate::plan::same_file_key;

/// Everything that decides how the film looks, in words: by these a half-done film is known again.
pub(super) fn of(plan: &VideoPlan, encoding: Option<&Encoding>, size: (u32, u32)) -> Settings {
    let source = match &plan.source {
        SourcePlan::Film(Input::File(path)) | SourcePlan::Animation(path) => file(path),
        SourcePlan::Film(other) => format!("{other:?}"),
        SourcePlan::Pictures(files) => {
            let (first, count) = (files.first().map(|path| file(path)), files.len());
            format!("{count} pictures from {}", first.unwrap_or_default())
        }
    };
    let looks = plan.looks.iter().map(|look| {
        let files: Vec<String> = look.files().map(|(_, path)| file(path)).collect();
        format!("{} {}", files.join(" "), look.description())
    });
    let settings = [
        ("input", source),
        ("--style", looks.collect::<Vec<_>>().join(" then ")),
        ("times of styles", format!("{:?}", plan.schedule)),
        ("size", format!("{}x{}", size.0, size.1)),
        ("part", format!("{:?}", plan.part)),
        ("encoding", encoding.map(|encoding| format!("{encoding:?}")).unwrap_or_default()),
        ("steadiness", plan.is_steady.to_string()),
    ];
    settings.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// A file by its place, its length and its age.
fn file(path: &Path) -> String {
    let metadata = std::fs::metadata(path).ok();
    let age = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
    let age =
        age.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |age| age.as_millis());
    format!("{} of {} bytes, from {age}", same_file_key(path).display(), metadata.map_or(0, |it| it.len()))
}
