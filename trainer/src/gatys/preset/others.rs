//! Other people's.

use common::gatys::{AdamSettings, Colours, GatysSettings, Ladder, Optimizer, Parametrization, Start};
use common::loss::{Reduction, StyleUnit, TotalVariation, TotalVariationForm};
use common::lossnet::Pooling;
use common::net::PairNetConfig;
use common::optim::AdamConfig;

use super::parts::{
    adam, first_of_each_block, fixed_lbfgs, gatys_factor, keras_factor, layers, plain, raw_loss,
    searching_lbfgs, sum_factor,
};
use super::{Preset, PresetSettings};

/// Nothing is smoothed.
const NO_TV: (f64, TotalVariation) =
    (0.0, TotalVariation { form: TotalVariationForm::Squared, reduction: Reduction::Mean });

pub(super) static PRESETS: &[Preset] = &[
    Preset {
        name: "gatys-2016",
        origin: "Gatys, Ecker and Bethge 2016, Image Style Transfer Using Convolutional Neural Networks",
        about: "The paper: VGG-19 with average pooling, from white noise, L-BFGS, content to style as 1 to 1000.",
        settings: || with("vgg19", Some(Pooling::Average), gatys_2016()),
    },
    Preset {
        name: "neural-style",
        origin: "jcjohnson/neural-style (Lua)",
        about: "Squared total variation; otherwise as neural-style-pt.",
        settings: || {
            let mut settings = neural_style_pt();
            // Its total variation has the gradient of half the sum of squared differences.
            settings.loss.weights.total_variation = 0.5e-3;
            settings.loss.total_variation.form = TotalVariationForm::Squared;
            with("vgg19", None, settings)
        },
    },
    Preset {
        name: "neural-style-pt",
        origin: "ProGamerGov/neural-style-pt",
        about: "VGG-19 with max pooling, from faint noise, 1000 steps of L-BFGS without a line search, total variation of \
                sizes.",
        settings: || with("vgg19", None, neural_style_pt()),
    },
    Preset {
        name: "keras",
        origin: "the neural style transfer example of Keras",
        about: "Content at block5_conv2, sums instead of means, total variation to the power of 1.25, L-BFGS 10 times 20. \
                SciPy's L-BFGS-B, which remembers 10 steps, is ours with as many.",
        settings: || with("vgg19", None, keras()),
    },
    Preset {
        name: "anishathalye",
        origin: "anishathalye/neural-style",
        about: "Adam at 10 levels a step from noise; several styles by their weights; mean squared total variation.",
        settings: || with("vgg19", None, anishathalye()),
    },
    Preset {
        name: "tf-vgg16-adam",
        origin: "the 100-line TensorFlow scripts over VGG-16",
        about: "Adam from the photo, content 0.025, style 5, total variation 0.1, the best picture of the run. Their losses are \
                taken as the Keras example's, which they follow.",
        settings: || with("vgg16", None, tf_vgg16_adam()),
    },
    Preset {
        name: "tf-noise-adam",
        origin: "the TensorFlow VGG-19 scripts from a blend of photo and noise",
        about: "60 % noise, average pooling, style weights that rise with depth, Adam at 2 levels a step.",
        settings: || with("vgg19", Some(Pooling::Average), tf_noise_adam()),
    },
    Preset {
        name: "gordicaleksa",
        origin: "gordicaleksa/pytorch-neural-style-transfer",
        about: "VGG-19, from the photo, L-BFGS with a strong-Wolfe search, sums over Gram matrices.",
        settings: || with("vgg19", None, gordicaleksa()),
    },
    Preset {
        name: "gordicaleksa-adam",
        origin: "the same, by Adam",
        about: "3000 steps of 10 levels.",
        settings: || {
            let settings = GatysSettings { optimizer: adam(10.0), iterations: 3000, ..gordicaleksa() };
            with("vgg19", None, settings)
        },
    },
    Preset {
        name: "gordicaleksa-vgg16",
        origin: "the same, over VGG-16",
        about: "Content at relu2_2, style at relu1_2, relu2_2, relu3_3 and relu4_3.",
        settings: || {
            let mut settings = gordicaleksa();
            settings.loss.content_layers = layers("relu2_2");
            // Four layers share what five did; each is a sum over its Gram matrix.
            settings.loss.style_layers = layers("relu1_2=1024,relu2_2=4096,relu3_3=16384,relu4_3=65536");
            with("vgg16", None, settings)
        },
    },
    Preset {
        name: "resnet50",
        origin: "experiments with other backbones by followers of gordicaleksa/pytorch-neural-style-transfer",
        about: "ResNet-50. Its features are of other sizes, so that weights are in the painting's own unit.",
        settings: || {
            with("resnet50-torchvision", None, backbone("layer2.3", "relu,layer1.2,layer2.3,layer3.5"))
        },
    },
    Preset {
        name: "inception-v3",
        origin: "the same experiments",
        about: "Inception-v3, in the same unit.",
        settings: || {
            let settings =
                backbone("Mixed_5d", "Conv2d_1a_3x3,Conv2d_2b_3x3,Conv2d_4a_3x3,Mixed_5b,Mixed_6a");
            with("inception_v3-torchvision", None, settings)
        },
    },
    Preset {
        name: "crowsonkb",
        origin: "crowsonkb/style-transfer-pytorch",
        about: "Gaussian statistics by their 2-Wasserstein distance, Adam up a ladder of sizes, averaged iterates. Its 9-point \
                total variation is our squared one.",
        settings: || with("vgg19", None, crowsonkb()),
    },
    Preset {
        name: "mean-std",
        origin: "Huang and Belongie 2017, Arbitrary Style Transfer in Real-time (its loss), for one picture",
        about: "Means and standard deviations at relu1_1 to relu4_1, content at relu4_1.",
        settings: || with("vgg19", None, mean_std()),
    },
    Preset {
        name: "histogram",
        origin: "Risser, Wilmot and Barnes 2017, Stable and Controllable Neural Texture Synthesis and Style Transfer",
        about: "Gram matrices, and the histogram of each channel beside them, at all style layers.",
        settings: || with("vgg19", None, histogram()),
    },
    Preset {
        name: "preserve-color",
        origin: "Gatys et al. 2016, Preserving Color in Neural Artistic Style Transfer",
        about: "gatys-2016 from the photo, on light and dark alone; the photo's colours are put back.",
        settings: || {
            let settings =
                GatysSettings { colours: Colours::Luminance, start: Start::Content, ..gatys_2016() };
            with("vgg19", Some(Pooling::Average), settings)
        },
    },
    Preset {
        name: "kvsnoufal",
        origin: "kvsnoufal's transformation network, after Li et al. 2019",
        about: "The weights of a full-resolution network are optimised for one pair, by Adam at 0.005.",
        settings: || with("vgg19", None, kvsnoufal()),
    },
];

fn with(loss_net: &'static str, pooling: Option<Pooling>, settings: GatysSettings) -> PresetSettings {
    PresetSettings { loss_net, pooling, settings }
}

fn gatys_2016() -> GatysSettings {
    // Equation 1 is half the sum of squared differences of content.
    let content = (0.5, layers("relu4_2"));
    let style = (1000.0, first_of_each_block(|block| gatys_factor(block) / 5.0));
    let mut loss = raw_loss(content, style, NO_TV);
    loss.content_reduction = Reduction::Sum;
    plain(loss, 512, Start::Gaussian(40.0), searching_lbfgs(), 500)
}

fn neural_style_pt() -> GatysSettings {
    let sizes = TotalVariation { form: TotalVariationForm::Absolute, reduction: Reduction::Sum };
    let loss = raw_loss((5.0, layers("relu4_2")), (100.0, first_of_each_block(|_| 1.0)), (1e-3, sizes));
    plain(loss, 512, Start::Gaussian(1e-3), fixed_lbfgs(), 1000)
}

fn keras() -> GatysSettings {
    let power = TotalVariation { form: TotalVariationForm::Keras, reduction: Reduction::Sum };
    let style = first_of_each_block(|block| keras_factor(block) / 5.0);
    let mut loss = raw_loss((0.025, layers("relu5_2")), (1.0, style), (1.0, power));
    loss.content_reduction = Reduction::Sum;
    let optimizer = match searching_lbfgs() {
        Optimizer::Lbfgs(lbfgs) => Optimizer::Lbfgs(common::optim::LbfgsConfig { history: 10, ..lbfgs }),
        other @ Optimizer::Adam(_) => other,
    };
    plain(loss, 400, Start::Content, optimizer, 200)
}

fn anishathalye() -> GatysSettings {
    let style = first_of_each_block(|_| 0.2);
    let squared = TotalVariation::default();
    let loss = raw_loss((5.0, layers("relu4_2")), (500.0, style), (100.0, squared));
    plain(loss, 512, Start::Gaussian(0.256), adam(10.0), 1000)
}

fn tf_vgg16_adam() -> GatysSettings {
    let sizes = TotalVariation { form: TotalVariationForm::Absolute, reduction: Reduction::Sum };
    let style = first_of_each_block(|block| keras_factor(block) / 5.0);
    let mut loss = raw_loss((0.025, layers("relu4_2")), (5.0, style), (0.1, sizes));
    loss.content_reduction = Reduction::Sum;
    GatysSettings { keeps_best: true, ..plain(loss, 512, Start::Content, adam(5.0), 1000) }
}

fn tf_noise_adam() -> GatysSettings {
    const WEIGHTS: [f64; 5] = [0.5, 1.0, 1.5, 3.0, 4.0];
    // A quarter of the mean squared difference of content; the published ratio is 5 to 100.
    let content = (5.0 * 0.25, layers("relu4_2"));
    let style = (100.0, first_of_each_block(|block| WEIGHTS[block] * gatys_factor(block)));
    plain(raw_loss(content, style, NO_TV), 512, Start::Blend(0.6), adam(2.0), 1000)
}

fn gordicaleksa() -> GatysSettings {
    let sizes = TotalVariation { form: TotalVariationForm::Absolute, reduction: Reduction::Sum };
    let style = first_of_each_block(|block| sum_factor(block) / 5.0);
    let loss = raw_loss((1e5, layers("relu4_2")), (3e4, style), (1.0, sizes));
    plain(loss, 400, Start::Content, searching_lbfgs(), 1000)
}

fn backbone(content: &str, style: &str) -> GatysSettings {
    let mut loss = raw_loss((1.0, layers(content)), (1.0, layers(style)), NO_TV);
    loss.style_unit = StyleUnit::Painting;
    loss.weights.style = 10.0;
    loss.weights.total_variation = 1e-4;
    plain(loss, 400, Start::Content, searching_lbfgs(), 500)
}

fn crowsonkb() -> GatysSettings {
    const WEIGHTS: [f64; 5] = [256.0, 64.0, 16.0, 4.0, 1.0];
    let style = first_of_each_block(|block| WEIGHTS[block] / 341.0);
    let mut loss = raw_loss((0.015, layers("relu4_2")), (1.0, style), (2e-4, TotalVariation::default()));
    loss.style_statistics = "gaussian-w2".parse().expect("a statistic that there is");
    let optimizer = Optimizer::Adam(AdamSettings {
        constants: AdamConfig { beta2: 0.99, ..AdamConfig::default() },
        learning_rate: 0.02 * 255.0,
        decay: None,
    });
    let settings = plain(loss, 512, Start::Content, optimizer, 500);
    GatysSettings { ladder: Ladder::Auto, averaging: Some(0.99), ..settings }
}

fn mean_std() -> GatysSettings {
    let mut loss =
        raw_loss((1.0, layers("relu4_1")), (10.0, layers("relu1_1,relu2_1,relu3_1,relu4_1")), NO_TV);
    loss.style_statistics = "mean-std".parse().expect("a statistic that there is");
    plain(loss, 512, Start::Content, searching_lbfgs(), 300)
}

fn histogram() -> GatysSettings {
    let loss = raw_loss((1.0, layers("relu4_1")), (1.0, layers("relu1_1,relu2_1,relu3_1,relu4_1")), NO_TV);
    let mut settings = plain(loss, 256, Start::Content, searching_lbfgs(), 300);
    // The paper leaves the balance to tuning; in the painting's unit one serves all.
    settings.loss.style_unit = StyleUnit::Painting;
    settings.loss.weights.style = 2e5;
    settings.loss.style_statistics = "gram,histogram".parse().expect("statistics that there are");
    settings
}

fn kvsnoufal() -> GatysSettings {
    const WEIGHTS: [f64; 5] = [0.1, 0.2, 0.4, 0.8, 1.6];
    let loss =
        raw_loss((150.0, layers("relu4_2")), (15.0, first_of_each_block(|block| WEIGHTS[block])), NO_TV);
    let optimizer = Optimizer::Adam(AdamSettings {
        constants: AdamConfig::default(),
        learning_rate: 5e-3,
        decay: Some((200, 0.9)),
    });
    let settings = plain(loss, 500, Start::Content, optimizer, 1000);
    GatysSettings { parametrization: Parametrization::Network(PairNetConfig::default()), ..settings }
}
