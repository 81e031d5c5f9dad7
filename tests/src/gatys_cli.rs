//! `trainer gatys` from outside.

use std::path::PathBuf;

use pixel::{DecodeLimits, Picture, decode_file};
use tempfile::TempDir;

use crate::support::programs::{Finished, trainer, trainer_in_shell};
use crate::support::{scenes, tiny_vgg};

/// A folder with all that an optimisation needs.
struct Easel {
    folder: TempDir,
}

impl Easel {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let save = |name: &str, width, height, seed| {
            scenes::save(&scenes::rectangles(width, height, seed), &folder.path().join(name));
        };
        save("photo.png", 48, 40, 1);
        save("painting.png", 40, 40, 2);
        save("other.png", 40, 32, 3);
        tiny_vgg::write(&folder.path().join("vgg.safetensors"));
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn picture(&self, name: &str) -> Picture {
        decode_file(self.path(name), &DecodeLimits::default()).unwrap()
    }

    /// A mask of the photo's size whose left half is white.
    fn save_half(&self, name: &str, width: u32, height: u32) {
        let pixel = |x: u32| if x < width / 2 { [255; 3] } else { [0; 3] };
        let rgb = (0..height).flat_map(|_| (0..width).flat_map(pixel)).collect();
        scenes::save(&Picture::from_rgb(width, height, rgb).unwrap(), &self.path(name));
    }

    fn words(options: &str) -> Vec<&str> {
        let mut words = vec![
            "gatys",
            "--loss-net",
            "vgg.safetensors",
            "--style-layers",
            tiny_vgg::STYLE_LAYERS,
            "--content-layers",
            tiny_vgg::CONTENT_LAYER,
            "--device",
            "cpu",
        ];
        words.extend(options.split_whitespace());
        words
    }

    fn gatys(&self, options: &str) -> Finished {
        trainer(self.folder.path(), &Self::words(options))
    }

    /// With a photo, a painting and few iterations.
    fn paint(&self, options: &str) -> Finished {
        self.gatys(&format!("--content photo.png --style painting.png --iterations 5 {options}"))
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn expect_nothing_written(&self) {
        assert_eq!(self.files(), ["other.png", "painting.png", "photo.png", "vgg.safetensors"]);
    }
}

#[test]
fn a_photo_is_painted_and_the_file_named() {
    let easel = Easel::new();
    let run = easel.paint("-o out.png");
    run.expect_success();
    assert_eq!(run.stdout(), "out.png\n");
    assert!(run.stderr().contains("48x40, 5 iterations"), "{}", run.stderr());
    let picture = easel.picture("out.png");
    assert_eq!((picture.width(), picture.height()), (48, 40));
    assert!(picture != easel.picture("photo.png"));
}

#[test]
fn all_ways_to_paint_can_be_chosen() {
    let easel = Easel::new();
    easel.save_half("mask.png", 48, 40);
    for (name, options) in [
        (
            "adam",
            "--optimizer adam --lr 3 --beta1 0.8 --beta2 0.9 --epsilon 1e-10 --lr-decay 2,0.5 --average 0.9 --normalize-gradients",
        ),
        ("fixed", "--line-search fixed --history 5 --tolerance 0"),
        ("noise", "--init blend:0.6 --pooling average --tv absolute --reduction sum --style-unit raw"),
        ("file", "--init other.png --scales 24,32 --style-layer-growth 2 --style-scale 0.8"),
        ("several", "--style other.png --style-blend 2,1 --statistic mean-std,shifted-gram:1:2=0.5"),
        ("masks", "--style other.png --style-mask mask.png --style-mask mask.png --statistic histogram"),
        ("colors", "--colors luminance --statistic gaussian-w2 --tv keras"),
        ("moved", "--colors match-transport --statistic sliced-wasserstein,mirrored-gram"),
        ("strips", "--memory 1K --statistic gram,gaussian-w2"),
        ("network", "--parametrization network --network-width 4 --optimizer adam --photorealism 10"),
    ] {
        easel.paint(&format!("{options} -q -o {name}.png")).expect_success();
        // Not assert_ne, which would print both.
        assert!(easel.picture(&format!("{name}.png")) != easel.picture("photo.png"), "{name}");
    }
}

#[test]
fn a_hole_is_filled_from_around_it_and_the_rest_stays() {
    let easel = Easel::new();
    easel.save_half("hole.png", 48, 40);
    easel.gatys("--content photo.png --inpaint hole.png --iterations 8 -o filled.png").expect_success();
    let (photo, filled) = (easel.picture("photo.png"), easel.picture("filled.png"));
    let right = |picture: &Picture| picture.crop(24, 0, 24, 40).unwrap();
    assert!(right(&photo) == right(&filled), "outside of the hole it is the photo");
    assert!(photo != filled);
}

#[test]
fn a_texture_needs_no_photo() {
    let easel = Easel::new();
    easel.gatys("--style painting.png --size 32 --iterations 5 -o texture.png").expect_success();
    assert_eq!(easel.picture("texture.png").width(), 32);
}

#[test]
fn snapshots_curves_and_json_show_how_it_goes() {
    let easel = Easel::new();
    let run = easel.paint("--scales none --save-every 2 --tensorboard curves --json -o out.png");
    run.expect_success();
    for name in ["out.png", "out.000002.png", "out.000004.png"] {
        assert_eq!(easel.picture(name).width(), 48, "{name}");
    }
    let losses: Vec<f64> = run
        .stdout()
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["losses"]["total"].as_f64().unwrap()
        })
        .collect();
    assert_eq!(losses.len(), 5);
    assert!(losses[4] < losses[0]);
    assert_eq!(std::fs::read_dir(easel.path("curves/tensorboard")).unwrap().count(), 1);
}

#[test]
fn presets_are_listed_with_where_they_come_from() {
    let run = trainer(Easel::new().folder.path(), &["gatys", "--list-presets"]);
    run.expect_success();
    for words in
        ["neural-style-pt\n", "From ProGamerGov", "kvsnoufal\n", "keras\n", "photoreal\n", "season\n"]
    {
        assert!(run.stdout().contains(words), "{}", run.stdout());
    }
}

#[test]
fn a_sweep_becomes_one_sheet_with_the_losses() {
    let easel = Easel::new();
    let run = easel
        .paint("--scales none --sweep init=content,uniform:20 --sweep style-weight=1e3,1e5,1e6 -o sheet.png");
    run.expect_success();
    let said = run.stderr();
    for heading in ["init=content style-weight=1e3: loss", "init=uniform:20 style-weight=1e6: loss"] {
        assert!(said.contains(heading), "{said}");
    }
    let sheet = easel.picture("sheet.png");
    assert!(sheet.width() > 2 * 48 && sheet.height() > 2 * 40, "{}x{}", sheet.width(), sheet.height());
    // Values that make no sense are found before anything is painted.
    let easel = Easel::new();
    easel.paint("--sweep style-weight=1,x -o sheet.png").expect_error(2, &["style-weight", "x"]);
    easel.paint("--sweep none=1 -o sheet.png").expect_error(2, &["--none"]);
    easel.paint("--sweep init=content,nothing -o sheet.png").expect_error(2, &["--init", "nothing"]);
    easel.expect_nothing_written();
}

#[test]
fn ctrl_c_writes_the_best_so_far() {
    let easel = Easel::new();
    let command = "timeout --signal=INT 4 \"$TRAINER\" gatys --content photo.png --style painting.png \
        --loss-net vgg.safetensors --style-layers relu1_1,relu2_1 --content-layers relu1_2 --device cpu \
        --iterations 1000000 --tolerance 0 --scales none -o out.png; exit $?";
    let run = trainer_in_shell(easel.folder.path(), command);
    assert!(run.stderr().contains("the best so far"), "{}", run.stderr());
    assert_eq!(easel.picture("out.png").width(), 48);
}

#[test]
fn bad_input_gets_one_line_and_leaves_nothing() {
    let easel = Easel::new();
    // Values that clap itself refuses come with its own words.
    for (options, words) in [
        ("--style-layers relu9_1", ["relu9_1", "layer3.5"]),
        ("--statistic grams", ["grams", "shifted-gram"]),
        ("--style-layers relu1_1=-1", ["relu1_1", "0 or more"]),
        ("--scales x", ["--scales", "128,256"]),
    ] {
        let run = easel.paint(&format!("{options} -o out.png"));
        assert_eq!(run.status(), Some(2), "{options}");
        assert!(words.iter().all(|word| run.stderr().contains(word)), "{}", run.stderr());
    }
    easel.paint("--content-layers layer2.3 -o out.png").expect_error(1, &["layer2.3", "relu1_1", "relu5_4"]);
    easel.paint("--content-layers relu4_2 -o out.png").expect_error(1, &["relu4_2", "up to relu2_1"]);
    easel.paint("--preset none -o out.png").expect_error(2, &["--list-presets"]);
    easel.paint("--iterations 0 -o out.png").expect_error(2, &["--iterations"]);
    easel.paint("--style-weight -1 -o out.png").expect_error(2, &["--style-weight"]);
    easel.paint("--style-weight nan -o out.png").expect_error(2, &["--style-weight"]);
    easel.paint("--lr 0 -o out.png").expect_error(2, &["--lr"]);
    easel.paint("--beta1 0.5 -o out.png").expect_error(2, &["--optimizer adam"]);
    easel.paint("--optimizer adam --history 5 -o out.png").expect_error(2, &["--optimizer lbfgs"]);
    easel.paint("--normalize-gradients -o out.png").expect_error(2, &["--line-search fixed"]);
    easel.paint("--style-blend 1,2 -o out.png").expect_error(2, &["2 weights for 1"]);
    easel.paint("--init nowhere.png -o out.png").expect_error(2, &["nowhere.png", "gaussian"]);
    easel.paint("-o out.xyz").expect_error(1, &["xyz"]);
    easel.paint("-o nowhere/out.png").expect_error(1, &["no such folder", "nowhere"]);
    easel.paint("-o photo.png --overwrite").expect_error(2, &["replace an input"]);
    easel.gatys("--content none.png --style painting.png -o out.png").expect_error(1, &["none.png"]);
    easel.gatys("--content photo.png -o out.png").expect_error(2, &["--style"]);
    easel
        .gatys("--content vgg.safetensors --style painting.png -o out.png")
        .expect_error(1, &["vgg.safetensors"]);
    easel.expect_nothing_written();
}

#[test]
fn masks_have_the_photos_size() {
    let easel = Easel::new();
    easel.save_half("mask.png", 40, 40);
    easel.paint("--style-mask mask.png -o out.png").expect_error(1, &["40x40", "48x40", "mask.png"]);
    easel.paint("--inpaint mask.png -o out.png").expect_error(1, &["40x40", "48x40", "mask.png"]);
    easel.gatys("--style painting.png --inpaint mask.png -o out.png").expect_error(2, &["--content"]);
    assert!(!easel.path("out.png").exists());
}

#[test]
fn a_loss_that_is_no_number_says_what_to_lower_and_keeps_the_best() {
    let easel = Easel::new();
    let run = easel.paint("--optimizer adam --lr 1e38 -o out.png");
    assert_eq!(run.status(), Some(1));
    assert!(run.stderr().contains("lower --lr"), "{}", run.stderr());
    assert_eq!(easel.picture("out.png").width(), 48);
}

#[test]
fn what_is_there_is_replaced_only_when_that_is_said() {
    let easel = Easel::new();
    std::fs::write(easel.path("out.png"), "mine").unwrap();
    easel.paint("-o out.png").expect_error(1, &["--overwrite", "out.png"]);
    assert_eq!(std::fs::read(easel.path("out.png")).unwrap(), b"mine");
    easel.paint("--overwrite -o out.png").expect_success();
    assert_eq!(easel.picture("out.png").width(), 48);
}
