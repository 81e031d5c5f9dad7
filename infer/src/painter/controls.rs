//! What the arguments ask of the painting, checked.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use common::exit_status::UsageError;

use super::args::PainterArgs;
use super::size::OutputSize;

/// How a painting is made, whatever its style.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Controls {
    /// 0 is the photo, 1 the painting.
    pub(super) strength: f32,
    pub(super) keeps_colours: bool,
    /// How much larger strokes are than the network learnt them.
    pub(super) stroke: f64,
    pub(super) size: OutputSize,
    pub(super) mask_feather_px: f32,
}

/// What one result for each photo is painted with.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Look {
    /// Style files, at least one, each with the mask of where it paints. All of them have a mask, or there is one without.
    pub(super) styles: Vec<(PathBuf, Option<PathBuf>)>,
    pub(super) controls: Controls,
}

impl PainterArgs {
    /// The looks that these styles are asked for in: one look of each style, or, where there are masks, one of them all.
    ///
    /// # Errors
    /// A number makes no sense, there are more or fewer masks than styles, or a mask is not there.
    pub(crate) fn looks(&self, styles: Vec<PathBuf>) -> anyhow::Result<Vec<Look>> {
        let controls = Controls::from_args(self)?;
        if self.mask.is_empty() {
            let alone = |style| Look { styles: vec![(style, None)], controls: controls.clone() };
            return Ok(styles.into_iter().map(alone).collect());
        }
        check(self.mask.len() == styles.len(), || {
            let (masks, styles) = (self.mask.len(), styles.len());
            format!("found {masks} --mask for {styles} --style; give one for each style, in the same order")
        })?;
        for mask in &self.mask {
            ensure!(mask.is_file(), "no such mask: {}", mask.display());
        }
        let styles = styles.into_iter().zip(self.mask.iter().cloned().map(Some)).collect();
        Ok(vec![Look { styles, controls }])
    }
}

impl Look {
    /// The files it is painted by: what they are, and where.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        self.styles.iter().flat_map(|(style, mask)| {
            let mask = mask.as_deref().map(|mask| ("a mask", mask));
            std::iter::once(("a style", style.as_path())).chain(mask)
        })
    }

    /// The size of the result for a photo of this size.
    pub(crate) fn output_size(&self, photo: (u32, u32)) -> (u32, u32) {
        self.controls.size.of(photo)
    }

    /// The same look for photos that have the result's size already.
    pub(crate) fn of_sized_photos(mut self) -> Self {
        self.controls.size = OutputSize { scale: 1.0, longest_px: None };
        self
    }

    /// All that decides how it paints, in words for notes.
    pub(crate) fn description(&self) -> String {
        format!("{:?}", self.controls)
    }

    /// The style's name, or those of all styles with `+` between them.
    pub(crate) fn name(&self) -> String {
        let stems = self.styles.iter().map(|(style, _)| style.file_stem().unwrap_or_default());
        let names: Vec<String> = stems.map(|stem| stem.to_string_lossy().into_owned()).collect();
        names.join("+")
    }
}

impl Controls {
    fn from_args(args: &PainterArgs) -> Result<Self, UsageError> {
        let &PainterArgs { strength, keep_colors, stroke, max_size, scale, mask_feather, .. } = args;
        check((0.0..=3.0).contains(&strength), || format!("--strength {strength}: expected 0 to 3"))?;
        check((0.25..=8.0).contains(&stroke), || format!("--stroke {stroke}: expected 0.25 to 8"))?;
        check(scale > 0.0 && scale <= 16.0, || format!("--scale {scale}: expected above 0, up to 16"))?;
        check(max_size != Some(0), || "--max-size 0: expected at least 1 pixel".to_owned())?;
        check((0.0..=10_000.0).contains(&mask_feather), || {
            format!("--mask-feather {mask_feather}: expected 0 to 10000 pixels")
        })?;
        Ok(Self {
            strength,
            keeps_colours: keep_colors,
            stroke,
            size: OutputSize { scale, longest_px: max_size },
            mask_feather_px: mask_feather,
        })
    }
}

fn check(holds: bool, message: impl FnOnce() -> String) -> Result<(), UsageError> {
    if holds { Ok(()) } else { Err(UsageError(message())) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        painter: PainterArgs,
    }

    fn looks(typed: &[&str], styles: &[&str]) -> anyhow::Result<Vec<Look>> {
        let typed = Typed::try_parse_from([&["infer"], typed].concat())?;
        typed.painter.looks(styles.iter().map(PathBuf::from).collect())
    }

    #[test]
    fn each_style_is_a_look_of_its_own_without_masks() {
        let looks = looks(&[], &["a.safetensors", "b.safetensors"]).unwrap();
        let names: Vec<String> = looks.iter().map(Look::name).collect();
        assert_eq!(names, ["a", "b"]);
        let as_it_is = OutputSize { scale: 1.0, longest_px: None };
        let controls = Controls {
            strength: 1.0,
            keeps_colours: false,
            stroke: 1.0,
            size: as_it_is,
            mask_feather_px: 0.0,
        };
        assert!(looks.iter().all(|look| look.controls == controls));
    }

    #[test]
    fn masks_make_one_look_of_all_styles() {
        let folder = tempfile::tempdir().unwrap();
        let mask = folder.path().join("mask.png");
        std::fs::write(&mask, "").unwrap();
        let mask = mask.to_str().unwrap();
        let both = looks(&["--mask", mask, "--mask", mask], &["a.safetensors", "b.safetensors"]).unwrap();
        assert_eq!((both.len(), both[0].name().as_str()), (1, "a+b"));
        let error = looks(&["--mask", mask], &["a", "b"]).unwrap_err();
        assert!(error.is::<UsageError>() && error.to_string().contains("1 --mask for 2 --style"), "{error}");
        let error = looks(&["--mask", "none.png"], &["a"]).unwrap_err();
        assert_eq!(error.to_string(), "no such mask: none.png");
    }

    #[test]
    fn numbers_that_make_no_sense_are_refused() {
        for typed in [
            ["--strength", "-0.1"],
            ["--strength", "NaN"],
            ["--strength", "4"],
            ["--stroke", "0"],
            ["--stroke", "inf"],
            ["--scale", "0"],
            ["--scale", "-1"],
            ["--scale", "NaN"],
            ["--max-size", "0"],
        ] {
            let error = looks(&typed, &["a"]).unwrap_err();
            assert!(error.is::<UsageError>() && error.to_string().starts_with(typed[0]), "{error}");
        }
        assert!(looks(&["--mask-feather", "3"], &["a"]).is_err(), "there is no mask to soften");
    }
}
