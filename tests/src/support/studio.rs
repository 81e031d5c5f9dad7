//! Trainings that take moments: a tiny network, a tiny loss network, a handful of small photos.

use std::path::{Path, PathBuf};

use common::net::NetConfig;
use common::optim::{Decay, LearningRateSchedule};
use common::style_file::{Painting, StyleCard};
use common::tensor_file::StoredAs;
use datasets::{PhotoFolder, centre_crops};
use tch::Device;
use trainer::config::RunSettings;
use trainer::recipe::Recipe;
use trainer::run_folder::RunFolder;
use trainer::training::{StylePicture, TrainingInputs};
use trainer::validation::ValidationSet;

use super::{scenes, tiny_vgg};

/// A recipe that learns something within a hundred steps of a few milliseconds.
pub(crate) fn tiny_recipe(steps: u64) -> Recipe {
    let mut recipe = Recipe { steps, batch: 2, crop_px: 32, ..Recipe::default() };
    recipe.net = NetConfig { width: 4, residual_blocks: 1, ..NetConfig::default() };
    recipe.learning_rate = LearningRateSchedule { peak: 1e-2, warmup_steps: 2, decay: Decay::Constant };
    recipe.output_rate_factor = 0.2;
    recipe.loss.content_layers = tiny_vgg::CONTENT_LAYER.parse().expect("layers");
    recipe.loss.style_layers = tiny_vgg::STYLE_LAYERS.parse().expect("layers");
    recipe.loss.style_unit = common::loss::StyleUnit::Raw;
    recipe.loss.weights.content = 1.0;
    recipe.loss.weights.style = 100.0;
    recipe.loss.weights.total_variation = 1e-4;
    recipe
}

/// A folder with all that a training needs: six photos, a broken one, and the loss network.
pub(crate) struct Studio {
    folder: PathBuf,
}

impl Studio {
    pub(crate) fn new(folder: &Path) -> Self {
        scenes::photo_folder(&folder.join("photos"), 6);
        std::fs::write(folder.join("photos/broken.jpg"), "no picture")
            .expect("a folder that can be written to");
        tiny_vgg::write(&folder.join("vgg.safetensors"));
        Self { folder: folder.to_owned() }
    }

    /// A new run folder, or that of the run before.
    pub(crate) fn run_folder(&self) -> RunFolder {
        let runs = self.folder.join("runs");
        match RunFolder::create(&runs, "test") {
            Ok(run) => run,
            Err(_) => RunFolder::open(&runs.join("test"), "test").expect("nobody else has it open"),
        }
    }

    /// Reports of every step, nothing written but at the end.
    pub(crate) fn settings() -> RunSettings {
        RunSettings { log_every: 1, store: StoredAs::F32, preview_every: 0, ..RunSettings::default() }
    }

    pub(crate) fn inputs(&self, recipe: &Recipe) -> TrainingInputs {
        let painting = Painting { name: "test".to_owned(), ..Painting::default() };
        let picture = scenes::rectangles(64, 48, 99);
        TrainingInputs {
            card: StyleCard::new(recipe.net.clone(), painting),
            paintings: vec![StylePicture { picture, weight: 1.0, sha256: "of the picture".to_owned() }],
            photos: PhotoFolder::scan(self.folder.join("photos")).expect("photos"),
            from: None,
            validation: None,
            loss_net: self.folder.join("vgg.safetensors"),
            device: Device::Cpu,
            decode_threads: 2,
        }
    }

    /// The studio's own photos, to judge by.
    pub(crate) fn validation(&self, recipe: &Recipe) -> ValidationSet {
        let photos = PhotoFolder::scan(self.folder.join("photos")).expect("photos");
        ValidationSet::new(centre_crops(&photos, recipe.crop_px).flatten().collect())
    }
}
