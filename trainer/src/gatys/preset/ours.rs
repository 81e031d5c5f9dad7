//! Our own.

use common::gatys::{AdamSettings, GatysSettings, Ladder, Optimizer, Parametrization, Start};
use common::loss::{LayerWeights, LossWeights, PerceptualLossSpec};
use common::net::PairNetConfig;
use common::optim::AdamConfig;

use super::parts::{first_of_each_block, plain, searching_lbfgs};
use super::{Preset, PresetSettings};

pub(super) static PRESETS: &[Preset] = &[
    Preset {
        name: "atelier",
        origin: "this project",
        about: "Coarse to fine with L-BFGS from the photo; weights mean the same for every painting.",
        settings: || with_vgg19(atelier()),
    },
    Preset {
        name: "texture",
        origin: "this project, after Gatys et al. 2015 (Texture Synthesis) and Berger and Memisevic 2016",
        about: "No photo: a texture like the painting, from noise, with structure that repeats.",
        settings: || with_vgg19(texture()),
    },
    Preset {
        name: "inpaint",
        origin: "this project, after Berger and Memisevic 2016",
        about: "For --inpaint: the hole in a photo is filled with the texture around it, and what repeats goes on.",
        settings: || with_vgg19(inpaint()),
    },
    Preset {
        name: "season",
        origin: "this project, after Berger and Memisevic 2016",
        about: "Another season or time of day from a photo of it: shifted Gram matrices, much content.",
        settings: || with_vgg19(season()),
    },
    Preset {
        name: "photoreal",
        origin: "this project, after Li et al. 2019 (High-Resolution Network) and Luan et al. 2017 (Deep Photo Style)",
        about: "A photo stays a photo: a small network for this pair alone, held to local changes of colour.",
        settings: || with_vgg19(photoreal()),
    },
];

fn with_vgg19(settings: GatysSettings) -> PresetSettings {
    PresetSettings { loss_net: "vgg19", pooling: None, settings }
}

fn atelier() -> GatysSettings {
    let loss = PerceptualLossSpec::default();
    let settings = plain(loss, 512, Start::Content, searching_lbfgs(), 100);
    GatysSettings { ladder: Ladder::Auto, keeps_best: true, ..settings }
}

fn of_texture(statistics: &str) -> PerceptualLossSpec {
    PerceptualLossSpec {
        weights: LossWeights { content: 0.0, style: 5e5, total_variation: 1.0 },
        content_layers: LayerWeights::default(),
        style_layers: first_of_each_block(|_| 1.0),
        style_statistics: statistics.parse().expect("statistics that there are"),
        ..PerceptualLossSpec::default()
    }
}

fn texture() -> GatysSettings {
    GatysSettings {
        loss: of_texture("gram,shifted-gram"),
        start: Start::Gaussian(40.0),
        long_side_px: 256,
        iterations: 100,
        ..atelier()
    }
}

fn inpaint() -> GatysSettings {
    GatysSettings { long_side_px: 0, ..texture() }
}

fn season() -> GatysSettings {
    let mut settings = atelier();
    settings.loss.weights.content = 5.0;
    settings.loss.style_statistics = "gram,shifted-gram".parse().expect("statistics that there are");
    settings
}

fn photoreal() -> GatysSettings {
    let mut settings = atelier();
    settings.parametrization = Parametrization::Network(PairNetConfig::default());
    settings.photorealism = 1e8;
    settings.optimizer =
        Optimizer::Adam(AdamSettings { constants: AdamConfig::default(), learning_rate: 5e-3, decay: None });
    settings.iterations = 150;
    settings.ladder = Ladder::Single;
    settings
}
