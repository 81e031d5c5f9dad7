//! `trainer` from outside.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::support::programs::{Finished, infer, trainer, trainer_in_shell};
use crate::support::{scenes, tiny_vgg};

/// A folder with all that a training needs.
struct Studio {
    folder: TempDir,
}

impl Studio {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        scenes::save(&scenes::rectangles(64, 48, 99), &folder.path().join("Red_House.png"));
        scenes::photo_folder(&folder.path().join("photos"), 5);
        tiny_vgg::write(&folder.path().join("vgg.safetensors"));
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A short training; an option given in `changes` replaces the one here.
    fn train(&self, changes: &[(&str, &str)]) -> Finished {
        let mut options = vec![
            ("--style", "Red_House.png"),
            ("--data", "photos"),
            ("--loss-net", "vgg.safetensors"),
            ("--steps", "3"),
            ("--batch", "2"),
            ("--size", "32"),
            ("--style-layers", tiny_vgg::STYLE_LAYERS),
            ("--content-layers", tiny_vgg::CONTENT_LAYER),
            ("--device", "cpu"),
        ];
        options.retain(|(option, _)| changes.iter().all(|(changed, _)| changed != option));
        options.extend(changes);
        let args: Vec<&str> = ["train"]
            .into_iter()
            .chain(options.into_iter().flat_map(|(option, value)| [option, value]))
            .filter(|word| !word.is_empty())
            .collect();
        trainer(self.folder.path(), &args)
    }

    fn expect_no_run(&self) {
        assert!(!self.path("runs").exists(), "nothing is written before the arguments are found good");
    }
}

fn cut(path: &Path, length: usize) {
    let bytes = std::fs::read(path).unwrap();
    std::fs::write(path, &bytes[..length]).unwrap();
}

#[test]
fn what_crops_are_cut_from_is_decided_when_a_run_starts() {
    let studio = Studio::new();
    studio.train(&[("--name", "a"), ("--resident", "0.001")]).expect_success();
    let config = std::fs::read_to_string(studio.path("runs/a/config.toml")).unwrap();
    assert!(
        config.contains("resident_gb = 0.001") && config.contains("reduce_photos_first = true"),
        "{config}"
    );
    // The room may change, and with it nothing but speed.
    let resume = |run: &str, room: &str| {
        let args =
            ["train", "--device", "cpu", "--steps", "5", "--resume", run, "--resident", room, "--quiet"];
        trainer(studio.folder.path(), &args)
    };
    resume("runs/a", "off").expect_success();

    studio.train(&[("--name", "b")]).expect_success();
    let config = std::fs::read_to_string(studio.path("runs/b/config.toml")).unwrap();
    assert!(
        config.contains("resident_gb = \"off\"") && config.contains("reduce_photos_first = false"),
        "{config}"
    );
    resume("runs/b", "1").expect_error(1, &["`reduce_photos_first` of the recipe", "runs/b"]);
    assert!(resume("runs/b", "-1").stderr().contains("expected gigabytes, auto or off"));
}

#[test]
fn a_training_leaves_a_run_folder_and_a_style_that_infer_paints_with() {
    let studio = Studio::new();
    std::fs::write(studio.path("photos/text.jpg"), "not a picture").unwrap();
    std::fs::write(studio.path("photos/nested/empty.png"), "").unwrap();
    let finished = studio.train(&[("--val-data", "photos")]);
    finished.expect_success();
    assert_eq!(finished.stdout().trim(), "runs/red-house/red-house.safetensors");
    for name in ["red-house.safetensors", "config.toml", "journal.jsonl", "report.html", "skipped.txt"] {
        assert!(studio.path("runs/red-house").join(name).is_file(), "{name}");
    }
    for name in ["checkpoints/step-00000003.safetensors", "previews/step-000003.png"] {
        assert!(studio.path("runs/red-house").join(name).is_file(), "{name}");
    }
    let stderr = finished.stderr();
    for words in ["images/s", "2 photos could not be used", "text.jpg", "nested/empty.png", "times less"] {
        assert!(stderr.contains(words), "`{words}` is not in:\n{stderr}");
    }

    scenes::save(&scenes::rectangles(37, 23, 5), &studio.path("photo.png"));
    let style = "runs/red-house/red-house.safetensors";
    infer(studio.folder.path(), &["image", "photo.png", "--style", style]).expect_success();
    let painted =
        pixel::decode_file(studio.path("photo.red-house.png"), &pixel::DecodeLimits::default()).unwrap();
    assert_eq!((painted.width(), painted.height()), (37, 23));
}

#[test]
fn the_same_arguments_write_the_same_network() {
    let studio = Studio::new();
    let [a, b] = ["a", "b"].map(|name| {
        studio.train(&[("--name", name), ("--store", "f32")]).expect_success();
        let file = studio.path(&format!("runs/{name}/{name}.safetensors"));
        common::style_file::load(&file, tch::Device::Cpu).unwrap().1
    });
    assert!(a.parameters().flat().equal(b.parameters().flat()));
}

#[test]
fn a_training_goes_on_from_a_style_file() {
    let studio = Studio::new();
    studio.train(&[("--name", "first"), ("--log-every", "1")]).expect_success();
    let from =
        [("--name", "second"), ("--from", "runs/first/first.safetensors"), ("--seed", "2"), ("--lr", "1e-9")];
    studio.train(&from).expect_success();
    let load = |name: &str| {
        let path = studio.path(&format!("runs/{name}/{name}.safetensors"));
        common::style_file::load(&path, tch::Device::Cpu).unwrap()
    };
    let ((_, first), (card, second)) = (load("first"), load("second"));
    assert_eq!(card.recipe["from"], "first");
    let [ancestor] = &card.ancestors[..] else { panic!("{:?}", card.ancestors) };
    assert_eq!((&ancestor.painting.name[..], ancestor.outcome.is_some()), ("first", true));
    // With next to no learning rate the network stays what it was.
    assert!(second.parameters().flat().allclose(first.parameters().flat(), 1e-5, 1e-6, false));
    studio.train(&[("--name", "third"), ("--from", "no-such")]).expect_error(1, &["no-such"]);

    // It does so when it is resumed before its first checkpoint, too.
    std::fs::remove_file(studio.path("runs/second/second.safetensors")).unwrap();
    std::fs::remove_dir_all(studio.path("runs/second/checkpoints")).unwrap();
    trainer(studio.folder.path(), &["train", "--device", "cpu", "--resume", "runs/second"]).expect_success();
    assert!(load("second").1.parameters().flat().allclose(first.parameters().flat(), 1e-5, 1e-6, false));

    // A resumed run knows its ancestors, even where they are no longer there, and hands them on.
    std::fs::remove_file(studio.path("runs/first/first.safetensors")).unwrap();
    let resumed = ["train", "--device", "cpu", "--resume", "runs/second", "--steps", "8"];
    trainer(studio.folder.path(), &resumed).expect_success();
    let second = "runs/second/second.safetensors";
    studio.train(&[("--name", "third"), ("--from", second)]).expect_success();
    let lineage = load("third").0.into_lineage();
    let names: Vec<&str> = lineage.iter().map(|training| &training.painting.name[..]).collect();
    assert_eq!(names, ["first", "second", "third"]);
    assert_eq!((&lineage[0], lineage[1].outcome.as_ref().unwrap().steps), (ancestor, 8));

    // Each can be trained again: the first by what the last one's card says of it.
    let again = [("--name", "again"), ("--recipe-of", "runs/third/third.safetensors"), ("--ancestor", "1")];
    studio.train(&again).expect_success();
    let (again, _) = load("again");
    assert_eq!((&again.recipe, again.ancestors.len()), (&ancestor.recipe, 0));
    let second = [("--name", "none"), ("--recipe-of", second), ("--ancestor", "3")];
    studio.train(&second).expect_error(1, &["--ancestor 3: it has 2", "second.safetensors"]);
}

#[test]
fn a_training_goes_on_from_the_mean_of_several_styles() {
    let studio = Studio::new();
    studio.train(&[("--name", "first"), ("--store", "f32")]).expect_success();
    let first = "runs/first/first.safetensors";
    for (name, seed) in [("left", "2"), ("right", "3")] {
        let args = [("--name", name), ("--from", first), ("--seed", seed), ("--store", "f32")];
        studio.train(&args).expect_success();
    }
    let [left, right] = ["left", "right"].map(|name| format!("runs/{name}/{name}.safetensors"));
    let parts = [("--from", &format!("{left}=3")[..]), ("--from", &format!("{right}=1"))];
    let mean =
        [&parts[..], &[("--name", "mean"), ("--store", "f32"), ("--steps", "0"), ("--val-data", "photos")]];
    studio.train(&mean.concat()).expect_success();
    let load = |file: &str| common::style_file::load(&studio.path(file), tch::Device::Cpu).unwrap();
    let flat = |file: &str| load(file).1.parameters().flat().shallow_clone();
    let (card, net) = load("runs/mean/mean.safetensors");
    let expected = flat(&left) * 0.75 + flat(&right) * 0.25;
    assert!(net.parameters().flat().allclose(&expected, 1e-6, 1e-7, false));
    assert!(!flat(&left).allclose(&flat(&right), 1e-4, 1e-5, false), "they are one");
    let names: Vec<&str> = card.ancestors.iter().map(|ancestor| &ancestor.painting.name[..]).collect();
    assert_eq!((names, &card.recipe["from"]), (vec!["first", "left", "right"], &"left + right".into()));
    let parents: Vec<_> = card.parents.iter().flatten().map(|it| (it.ancestor, it.weight)).collect();
    assert_eq!(parents, [(2, 0.75), (3, 0.25)]);
    let outcome = card.outcome.unwrap();
    assert_eq!((outcome.steps, outcome.images, outcome.validation.is_some()), (0, 0, true));
    let told = infer(studio.folder.path(), &["styles", "runs/mean/mean.safetensors"]);
    let told = told.expect_success().stdout();
    for words in ["3. right (3 steps, 6 photos), from 1", "from 0.75 of 2 and 0.25 of 3"] {
        assert!(told.contains(words), "{words}: {told}");
    }

    // Its recipe is that of what it is the mean of.
    let by_mean = [("--name", "by-mean"), ("--recipe-of", "runs/mean/mean.safetensors"), ("--from", first)];
    studio.train(&by_mean).expect_success();
    assert_eq!(load("runs/by-mean/by-mean.safetensors").0.recipe["seed"], 3);

    // It can be trained on, and what has no mean is refused.
    let trained_on = [("--name", "next"), ("--from", "runs/mean/mean.safetensors")];
    studio.train(&trained_on).expect_success();
    assert_eq!(load("runs/next/next.safetensors").0.ancestors[3].parents, card.parents);
    let wide = "runs/wide/wide.safetensors";
    std::fs::write(studio.path("wide.toml"), "[recipe.net]\nwidth = 8\n").unwrap();
    studio.train(&[("--name", "wide"), ("--config", "wide.toml")]).expect_success();
    let unlike = [("--name", "none"), ("--from", first), ("--from", wide)];
    studio.train(&unlike).expect_error(1, &["first.safetensors", "wide.safetensors", "different shapes"]);
    studio
        .train(&[("--name", "none"), ("--from", &format!("{first}=0"))])
        .expect_error(2, &["=0", "above 0"]);
    studio.train(&[("--name", "none"), ("--steps", "0")]).expect_error(2, &["--steps 0"]);
}

#[test]
fn a_style_is_trained_again_by_its_card() {
    let studio = Studio::new();
    studio.train(&[("--name", "first"), ("--style-weight", "77"), ("--seed", "5")]).expect_success();
    let first = "runs/first/first.safetensors";
    let card = |name: &str| {
        let file = studio.path(&format!("runs/{name}/{name}.safetensors"));
        common::style_file::load_card(&file).unwrap()
    };
    let inputs = ["--style", "Red_House.png", "--data", "photos", "--loss-net", "vgg.safetensors"];
    let by_card = ["train", "--name", "again", "--recipe-of", first, "--device", "cpu"];
    trainer(studio.folder.path(), &[&by_card[..], &inputs].concat()).expect_success();
    assert_eq!(card("again").recipe, card("first").recipe);
    let net = |file| common::style_file::load(&studio.path(file), tch::Device::Cpu).unwrap().1;
    let [again, first_net] = ["runs/again/again.safetensors", first].map(net);
    assert!(again.parameters().flat().equal(first_net.parameters().flat()));

    // What is typed goes before it.
    studio.train(&[("--name", "third"), ("--recipe-of", first), ("--steps", "2")]).expect_success();
    assert_eq!((&card("third").recipe["steps"], &card("third").recipe["seed"]), (&2.into(), &5.into()));
    studio
        .train(&[("--name", "none"), ("--recipe-of", "vgg.safetensors")])
        .expect_error(1, &["vgg.safetensors"]);
}

#[test]
fn matched_colours_are_part_of_the_recipe() {
    let studio = Studio::new();
    studio.train(&[("--steps", "1"), ("--match-colors", "cholesky")]).expect_success();
    let style = studio.path("runs/red-house/red-house.safetensors");
    assert_eq!(common::style_file::load_card(&style).unwrap().recipe["match_colors"], "cholesky");
    let other = ["train", "--device", "cpu", "--resume", "runs/red-house", "--match-colors", "none"];
    trainer(studio.folder.path(), &other).expect_error(1, &["`match_colors` of the recipe"]);
    let unknown = studio.train(&[("--match-colors", "lab")]);
    assert!(
        unknown.stderr().contains("expected cholesky, symmetric, optimal-transport or none"),
        "{}",
        unknown.stderr()
    );
}

#[test]
fn a_training_for_films_says_what_it_was_told_and_what_came_of_it() {
    let studio = Studio::new();
    let films = [("--temporal", "2"), ("--temporal-features", "0.5"), ("--temporal-ramp", "0,0")];
    let finished = studio.train(&[&films[..], &[("--val-data", "photos")]].concat());
    finished.expect_success();
    let style = studio.path("runs/red-house/red-house.safetensors");
    let card = common::style_file::load_card(&style).unwrap();
    let temporal = serde_json::json!({"weight": 2.0, "features": 0.5, "noise": 4.0, "ramp": [0.0, 0.0]});
    assert_eq!(card.recipe["temporal"], temporal);
    let judged = card.outcome.and_then(|outcome| outcome.validation).unwrap();
    assert!(judged.temporal.is_some() && judged.temporal_features.is_some());
    let stderr = finished.stderr();
    for words in [" temporal ", " features "] {
        assert!(stderr.contains(words), "`{words}` is not in:\n{stderr}");
    }
    for file in ["report.html", "journal.jsonl"] {
        let text = std::fs::read_to_string(studio.path("runs/red-house").join(file)).unwrap();
        assert!(text.contains("emporal, features") || text.contains("temporal_features"), "{file}");
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    let script = "{ \"$TRAINER\" fetch --list; echo \"status $?\" >&2; } | true";
    let finished = trainer_in_shell(folder.path(), script);
    assert!(finished.stderr().ends_with("status 0\n"), "{}", finished.stderr());
}

#[test]
fn a_batch_that_does_not_fit_is_refused_with_one_that_does() {
    let studio = Studio::new();
    studio.train(&[("--batch", "90000000")]).expect_error(1, &["do not fit into memory", "--batch"]);
    studio.expect_no_run();
}

#[test]
fn a_run_is_not_replaced_unasked() {
    let studio = Studio::new();
    studio.train(&[]).expect_success();
    studio.train(&[]).expect_error(1, &["there already", "--overwrite", "red-house"]);
    studio.train(&[("--overwrite", "")]).expect_success();
}

#[test]
fn missing_inputs_are_named() {
    let studio = Studio::new();
    studio.train(&[("--style", "none.jpg")]).expect_error(1, &["painting", "none.jpg"]);
    studio.train(&[("--data", "none")]).expect_error(1, &["--data", "no such folder", "none"]);
    studio
        .train(&[("--loss-net", "none.safetensors")])
        .expect_error(1, &["loss network", "none.safetensors"]);
    studio.expect_no_run();
}

#[test]
fn an_empty_folder_and_a_folder_of_broken_photos_are_refused() {
    let studio = Studio::new();
    std::fs::create_dir(studio.path("empty")).unwrap();
    studio.train(&[("--data", "empty")]).expect_error(1, &["no photos found", "empty"]);
    studio.expect_no_run();
    std::fs::create_dir(studio.path("broken")).unwrap();
    std::fs::write(studio.path("broken/a.jpg"), "text").unwrap();
    let finished = studio.train(&[("--data", "broken")]);
    assert!(finished.stderr().contains("error: training stopped: none of the 1 photos can be used"));
    assert!(!finished.stderr().contains("panicked"));
}

#[test]
fn a_painting_that_is_none_is_refused() {
    let studio = Studio::new();
    std::fs::write(studio.path("text.jpg"), "not a picture").unwrap();
    studio.train(&[("--style", "text.jpg")]).expect_error(1, &["not a picture", "text.jpg"]);
    std::fs::write(studio.path("empty.jpg"), "").unwrap();
    studio.train(&[("--style", "empty.jpg")]).expect_error(1, &["empty", "empty.jpg"]);
}

#[test]
fn a_loss_network_that_does_not_fit_is_refused() {
    let studio = Studio::new();
    studio
        .train(&[("--style-layers", "relu4_1")])
        .expect_error(1, &["relu4_1", "vgg.safetensors", "relu2_1"]);
    studio.train(&[("--style-layers", "relu9_9")]).expect_error_of_clap("relu9_9");
    scenes::save(&scenes::rectangles(8, 8, 1), &studio.path("picture.png"));
    studio.train(&[("--loss-net", "picture.png")]).expect_error(1, &["safetensors", "picture.png"]);
    cut(&studio.path("vgg.safetensors"), 5000);
    studio.train(&[]).expect_error(1, &["cut short", "vgg.safetensors"]);
    studio.expect_no_run();
}

#[test]
fn a_loss_network_of_a_wrong_shape_is_refused() {
    use common::tensor_file::{StoredAs, write};
    let studio = Studio::new();
    let tensors = [("features.0.weight".to_owned(), tch::Tensor::zeros([64, 1, 3, 3], tch::kind::FLOAT_CPU))];
    write(&studio.path("vgg.safetensors"), &tensors, ("arch", "vgg19".to_owned()), StoredAs::F32).unwrap();
    let layers = [("--style-layers", "relu1_1"), ("--content-layers", "relu1_1")];
    studio.train(&layers).expect_error(1, &["features.0.weight", "[64, 1, 3, 3]", "[64, 3, 3, 3]"]);
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    let studio = Studio::new();
    for (option, value) in [
        ("--steps", "0"),
        ("--batch", "0"),
        ("--size", "1"),
        ("--lr", "-1"),
        ("--lr", "NaN"),
        ("--style-weight", "inf"),
        ("--temporal", "-1"),
        ("--temporal-features", "NaN"),
        ("--zoom", "0.5"),
        ("--zoom-style-power", "9"),
        ("--temporal-ramp", "0.5,0.2"),
        ("--temporal-ramp", "0.1"),
        ("--name", "../escape"),
    ] {
        let finished = studio.train(&[(option, value)]);
        finished.expect_error(2, &[option]);
    }
    studio.expect_no_run();
}

#[test]
fn a_gpu_that_is_not_there_is_an_error() {
    let studio = Studio::new();
    studio.train(&[("--device", "cuda:77")]).expect_error(1, &["no GPU"]);
    studio.expect_no_run();
}

#[test]
fn a_run_folder_that_cannot_be_written_is_an_error() {
    let studio = Studio::new();
    std::fs::write(studio.path("file"), "").unwrap();
    studio.train(&[("--runs", "file")]).expect_error(1, &["cannot write", "file"]);
}

impl Finished {
    /// Clap refused an argument and named it.
    #[track_caller]
    fn expect_error_of_clap(&self, word: &str) {
        assert!(self.stderr().starts_with("error: ") && self.stderr().contains(word), "{}", self.stderr());
    }
}
