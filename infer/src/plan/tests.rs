//! From arguments to a plan; nothing is loaded, so that style files may be empty.

use std::collections::HashSet;

use clap::Parser as _;
use proptest::prelude::*;

use super::*;
use crate::cli::{Cli, Command};

/// A folder with files in it, among them the styles `blue` and `red`.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new(files: &[&str]) -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        for file in files.iter().chain(&["styles/blue.safetensors", "styles/red.safetensors"]) {
            std::fs::create_dir_all(desk.at(file).parent().unwrap()).unwrap();
            std::fs::write(desk.at(file), "").unwrap();
        }
        desk
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `infer image` with these words, of which those with `@/` are below the desk.
    fn plan_at(&self, words: &str, stdout_is_terminal: bool) -> anyhow::Result<ImagePlan> {
        let place = |word: &str| match word.strip_prefix("@/") {
            Some(rest) => self.at(rest).into_os_string(),
            None => word.into(),
        };
        let words = ["infer", "image", "--device", "cpu"].into_iter().chain(words.split_whitespace());
        let Command::Image(args) = Cli::try_parse_from(words.map(place))?.command else { unreachable!() };
        let styles = Shelf::of(vec![self.at("styles")]);
        ImagePlan::from_args(&args, &Surroundings { shelf: &styles, stdout_is_terminal })
    }

    fn plan(&self, words: &str) -> anyhow::Result<ImagePlan> {
        self.plan_at(words, false)
    }

    /// The outputs as they lie on the desk.
    fn outputs(&self, words: &str) -> Vec<String> {
        let plan = self.plan(words).unwrap();
        let outputs = plan.jobs.iter().flat_map(|job| &job.outputs);
        let below = |output: &Output| match &output.target {
            Target::File(path) => path.strip_prefix(self.folder.path()).unwrap().to_str().unwrap().to_owned(),
            Target::Stdout => "-".to_owned(),
        };
        outputs.map(below).collect()
    }

    #[track_caller]
    fn refuses(&self, words: &str, because: &str) {
        let error = self.plan(words).err().expect("a plan that is refused").to_string();
        assert!(error.contains(because), "`{because}` is not in: {error}");
    }
}

#[test]
fn each_photo_beside_itself_in_each_style() {
    let desk = Desk::new(&["trip/a.jpg", "b.gif"]);
    assert_eq!(
        desk.outputs("@/trip/a.jpg @/b.gif -s blue -s red"),
        ["trip/a.blue.jpg", "trip/a.red.jpg", "b.blue.png", "b.red.png"]
    );
    let plan = desk.plan("@/trip/a.jpg @/b.gif -s blue -s red").unwrap();
    assert_eq!((plan.jobs.len(), plan.output_count()), (2, 4), "a photo is decoded once");
}

#[test]
fn a_folders_tree_is_mirrored() {
    let desk = Desk::new(&["trip/a.jpg", "trip/day/b.jpg", "trip/a.blue.jpg", "trip/a.sheet.png"]);
    assert_eq!(
        desk.outputs("@/trip -r -s blue -o @/out --overwrite"),
        ["out/a.blue.jpg", "out/day/b.blue.jpg"],
        "a name without suffix is a folder, for a folder"
    );
    assert_eq!(
        desk.outputs("@/trip -s red --format webp -o @/out.d/"),
        ["out.d/a.blue.red.webp", "out.d/a.red.webp"]
    );
}

#[test]
fn formats_by_suffix_or_by_name() {
    let desk = Desk::new(&["a.jpg"]);
    let format = |words: &str| desk.plan(words).unwrap().jobs[0].outputs[0].format;
    assert_eq!(format("@/a.jpg -s blue --quality 80"), Some(Format::Jpeg { quality: 80 }));
    assert_eq!(format("@/a.jpg -s blue -o @/new.tif"), Some(Format::Tiff));
    assert_eq!(format("@/a.jpg -s blue -o @/new --format bmp"), Some(Format::Bmp));
    assert_eq!(format("@/a.jpg -s blue --format JPEG --quality 7"), Some(Format::Jpeg { quality: 7 }));
    assert_eq!(desk.outputs("@/a.jpg -s blue --format tiff"), ["a.blue.tif"]);
    assert_eq!(format("@/a.jpg -s blue -o -"), None, "the photo's own");
    assert_eq!(format("- -s blue --format png"), Some(Format::Png));
    desk.refuses("@/a.jpg -s blue -o @/new.xyz", "cannot tell the picture format");
    desk.refuses("@/a.jpg -s blue -o @/new.jpg --format png", "--format png contradicts");
}

#[test]
fn sixteen_bits_only_where_the_format_has_room() {
    let desk = Desk::new(&["a.jpg", "b.png", "c.gif"]);
    let bits = |words: &str| desk.plan(words).unwrap().writing.bits;
    assert_eq!(bits("@/b.png -s blue"), BitDepth::Eight);
    for words in [
        "@/b.png @/c.gif -s blue",
        "@/a.jpg -s blue --format tiff",
        "@/a.jpg -s blue -o @/new.png",
        "- -s blue --format png",
    ] {
        assert_eq!(bits(&format!("{words} --bits 16")), BitDepth::Sixteen, "{words}");
    }
    desk.refuses("@/b.png @/a.jpg -s blue --bits 16", "not into JPEG; choose one by -o or --format: ");
    desk.refuses("@/b.png @/a.jpg -s blue --bits 16", "a.blue.jpg");
    desk.refuses("@/b.png -s blue -o @/new.webp --bits 16", "not into WebP");
    desk.refuses("@/b.png -s blue -o - --bits 16", "--format that has room, png or tiff");
    let error = desk.plan("@/a.jpg -s blue --bits 16").err().unwrap();
    assert!(error.is::<UsageError>(), "{error}");
    for words in ["@/b.png -s blue --bits 12", "@/b.png --sheet --bits 16"] {
        assert!(desk.plan(words).is_err(), "{words}");
    }
}

#[test]
fn stdin_goes_to_stdout_unless_told_otherwise() {
    let desk = Desk::new(&["a.jpg"]);
    assert_eq!(desk.outputs("- -s blue"), ["-"]);
    assert_eq!(desk.outputs("- -s blue -o @/new.jpg"), ["new.jpg"]);
    assert_eq!(desk.outputs("- -s blue -s red -o @/"), ["stdin.blue.png", "stdin.red.png"]);
    desk.refuses("- -s blue -s red", "stdout takes one picture, these are 2");
    desk.refuses("- -s blue --json", "--json would spoil it");
    let error = desk.plan_at("@/a.jpg -s blue -o -", true).err().unwrap();
    assert!(error.is::<UsageError>() && error.to_string().contains("to a terminal"), "{error}");
}

#[test]
fn outputs_that_harm_are_refused() {
    let desk = Desk::new(&["a.jpg", "a.blue.jpg", "b/a.jpg", "other/blue.safetensors"]);
    desk.refuses("@/a.jpg -s blue", "there already");
    desk.refuses("@/a.jpg -s blue -o @/./b/../a.jpg --overwrite", "replace an input");
    desk.refuses("@/a.jpg @/a.blue.jpg -s blue --overwrite", "replace an input");
    desk.refuses("@/a.jpg @/b/a.jpg -s blue -o @/out/", "would both become");
    desk.refuses("@/b/a.jpg -s blue -s @/other/blue.safetensors", "two styles have one name");
    desk.refuses("@/a.jpg @/b/a.jpg -s blue -o @/one.jpg", "one file for 2 pictures");
    assert_eq!(desk.outputs("@/a.jpg -s blue --overwrite"), ["a.blue.jpg"]);
}

#[test]
fn what_a_picture_is_painted_by_is_never_an_output() {
    let desk = Desk::new(&["a.jpg", "mask.png", "a.blue.jpg"]);
    desk.refuses("@/a.jpg -s blue --mask @/mask.png -o @/./mask.png --overwrite", "replace a mask");
    desk.refuses("@/a.jpg -s blue --mask @/a.blue.jpg --overwrite", "replace a mask");
    desk.refuses("@/a.jpg -s blue -o @/styles/blue.safetensors --format png --overwrite", "replace a style");
    assert_eq!(desk.outputs("@/a.jpg -s blue --mask @/mask.png --overwrite"), ["a.blue.jpg"]);
    assert_eq!(
        desk.outputs("@/mask.png -s blue --mask @/mask.png"),
        ["mask.blue.png"],
        "a photo can be its own mask"
    );
}

#[test]
fn what_is_there_can_be_left_out() {
    let desk = Desk::new(&["a.jpg", "b.jpg", "a.blue.jpg", "a.red.jpg", "b.red.jpg"]);
    assert_eq!(desk.outputs("@/a.jpg @/b.jpg -s blue -s red --skip-existing"), ["b.blue.jpg"]);
    let plan = desk.plan("@/a.jpg @/b.jpg -s blue -s red --skip-existing").unwrap();
    assert_eq!((plan.skipped, plan.jobs.len()), (3, 1));
    desk.refuses("@/a.jpg @/b.jpg -s blue -s red", "and 2 more");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn outputs_are_unique_and_never_inputs(
        names in proptest::collection::vec("[ab](\\.(blue|red|sheet))?\\.(jpg|JPG|png|gif)", 1..6),
        folders in proptest::collection::vec("(|x/|x/\\.\\./|y/)", 6),
        styles in "(-s blue|-s red|-s blue -s red)",
        place in "(|-o @/out/|-o @/|-o @/x/|-o @/x/a\\.png)",
        folder_too in "(|@/x|@/ -r)",
    ) {
        let files: Vec<String> = names.iter().zip(&folders).map(|(name, folder)| format!("{folder}{name}")).collect();
        let mut there: Vec<&str> = files.iter().map(String::as_str).collect();
        there.extend(["x/a.jpg", "y/b.png"]);
        let desk = Desk::new(&there);
        let words: Vec<String> = files.iter().map(|file| format!("@/{file}")).collect();
        let words = format!("{} {folder_too} {styles} {place} --overwrite", words.join(" "));
        if let Ok(plan) = desk.plan(&words) {
            let inputs: HashSet<PathBuf> = plan.jobs.iter().map(|job| match &job.source {
                Source::File(path) => path.canonicalize().unwrap(),
                Source::Stdin => unreachable!(),
            }).collect();
            prop_assert_eq!(inputs.len(), plan.jobs.len(), "each photo once");
            let mut outputs = HashSet::new();
            for output in plan.jobs.iter().flat_map(|job| &job.outputs) {
                // What the system makes of it: the file is made, then asked for its one name.
                let path = output.target.file().unwrap();
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                let is_new = !path.exists();
                if is_new {
                    std::fs::write(path, "").unwrap();
                }
                let path = path.canonicalize().unwrap();
                prop_assert!(!inputs.contains(&path), "{} is an input", path.display());
                prop_assert!(outputs.insert(path.clone()), "{} is made twice", path.display());
            }
        }
    }
}
