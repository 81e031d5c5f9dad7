//! The one manifest of loss networks: which weights a name means, where they lie, and how they are recognised.
//!
//! Where the pins come from: none of the files has been in this project's hands. Whole sums are those that several
//! independent public projects state alike; a prefix is the one that the authors put into the file's name, which
//! PyTorch's own loader compares with the beginning of the sha256.

use common::lossnet::Arch;
use common::space::LossInputSpace;

use super::pin::Pin;

/// A name that the user knows, and where its weights may come from, best first.
pub struct Entry {
    /// One of [`common::lossnet::LOSS_NET_NAMES`].
    pub name: &'static str,
    /// For the list.
    pub about: &'static str,
    /// In the order in which they are tried; at least one.
    pub sources: &'static [Source<'static>],
}

/// One file somewhere.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Where it lies.
    pub url: &'a str,
    /// How it is recognised.
    pub pin: Pin<'a>,
    /// Its size, where that is known.
    pub bytes: Option<u64>,
    /// What is in it.
    pub weights: &'a Weights,
}

/// The outcome of one training of a network.
#[derive(Debug)]
pub struct Weights {
    /// Whose.
    pub title: &'static str,
    /// Of which network.
    pub arch: Arch,
    /// What its first convolution wants to see.
    pub trained_in: TrainedIn,
    /// The terms of use.
    pub licence: &'static str,
    /// Whom to name.
    pub credit: &'static str,
    /// The sha256 of the layers' numbers (see [`super::convolutions_sha256`]). With it, weights can be checked of
    /// which only that part was fetched. None: nobody of this project has had the weights in hands yet; whoever has
    /// fetched a whole file fills in the sum that is printed then.
    pub convolutions_sha256: Option<&'static str>,
}

/// The value spaces that the networks were trained in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainedIn {
    /// Blue first, 0..255, mean subtracted.
    OxfordBgr,
    /// Red first, 0..1, normalised.
    TorchvisionRgb,
    /// Red first, -1..1, as TensorFlow has it.
    InceptionRgb,
}

impl TrainedIn {
    /// The numbers.
    pub fn input_space(self) -> LossInputSpace {
        match self {
            Self::OxfordBgr => LossInputSpace::oxford_bgr(),
            Self::TorchvisionRgb => LossInputSpace::torchvision_rgb(),
            Self::InceptionRgb => Arch::InceptionV3.torchvision_input_space(),
        }
    }
}

/// The entry of a name.
pub fn entry(name: &str) -> Option<&'static Entry> {
    MANIFEST.iter().find(|entry| entry.name == name)
}

/// What a file of this sha256 is, wherever it comes from.
pub(super) fn recognise(arch: Arch, sha256: &str) -> Option<&'static Source<'static>> {
    let sources = MANIFEST.iter().flat_map(|entry| entry.sources);
    sources.filter(|source| source.weights.arch == arch).find(|source| source.pin.fits(sha256) == Some(true))
}

const fn oxford(arch: Arch) -> Weights {
    Weights {
        title: "Oxford's",
        arch,
        trained_in: TrainedIn::OxfordBgr,
        licence: "CC BY 4.0",
        credit: "Karen Simonyan and Andrew Zisserman, Visual Geometry Group, University of Oxford, 2014",
        convolutions_sha256: None,
    }
}

const fn torchvision(arch: Arch) -> Weights {
    Weights {
        title: "torchvision's",
        arch,
        trained_in: TrainedIn::TorchvisionRgb,
        licence: "BSD-3-Clause",
        credit: "torchvision, IMAGENET1K_V1",
        convolutions_sha256: None,
    }
}

static OXFORD_19: Weights = oxford(Arch::Vgg19);
static OXFORD_16: Weights = oxford(Arch::Vgg16);
static TORCHVISION_19: Weights = torchvision(Arch::Vgg19);
static TORCHVISION_16: Weights = torchvision(Arch::Vgg16);
static TORCHVISION_RESNET50: Weights = torchvision(Arch::ResNet50);
static TORCHVISION_INCEPTION_V3: Weights = Weights {
    trained_in: TrainedIn::InceptionRgb,
    credit: "torchvision, IMAGENET1K_V1, after Google's TensorFlow weights",
    ..torchvision(Arch::InceptionV3)
};

/// Justin Johnson's conversion of the Caffe model.
const OXFORD_19_MICHIGAN: Source<'static> = Source {
    url: "https://web.eecs.umich.edu/~justincj/models/vgg19-d01eb7cb.pth",
    pin: Pin::Sha256Prefix("d01eb7cb"),
    bytes: None,
    weights: &OXFORD_19,
};

/// The same, saved once more by neural-style-pt, which renames two of the classifier's layers.
const OXFORD_19_MIRROR: Source<'static> = Source {
    url: "https://huggingface.co/spaces/AfrodreamsAI/afrodreams/resolve/\
          8970ea4f6cc349d826137af0866565df84f0a0ed/vgg19-d01eb7cb.pth",
    pin: Pin::Sha256("dd893d447ece014ad32d71b8d32b1e0b5c09b912a2866990c286fdeebd368d74"),
    bytes: Some(574_679_411),
    weights: &OXFORD_19,
};

const OXFORD_16_MICHIGAN: Source<'static> = Source {
    url: "https://web.eecs.umich.edu/~justincj/models/vgg16-00b39a1b.pth",
    pin: Pin::Sha256Prefix("00b39a1b"),
    bytes: None,
    weights: &OXFORD_16,
};

const TORCHVISION_19_PYTORCH: Source<'static> = Source {
    url: "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
    pin: Pin::Sha256("dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"),
    bytes: Some(574_673_361),
    weights: &TORCHVISION_19,
};

const TORCHVISION_16_PYTORCH: Source<'static> = Source {
    url: "https://download.pytorch.org/models/vgg16-397923af.pth",
    pin: Pin::Sha256("397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0"),
    bytes: Some(553_433_881),
    weights: &TORCHVISION_16,
};

const TORCHVISION_19_TIMM: Source<'static> = Source {
    url: "https://huggingface.co/timm/vgg19.tv_in1k/resolve/main/model.safetensors",
    pin: Pin::Unpinned,
    bytes: None,
    weights: &TORCHVISION_19,
};

const TORCHVISION_16_TIMM: Source<'static> = Source {
    url: "https://huggingface.co/timm/vgg16.tv_in1k/resolve/\
          b8d8aa2dd860af9233c8c67385a8097fd6c35d3f/model.safetensors",
    pin: Pin::Sha256("57b026918159a6bf9faf8405c3a551903768e7138989d9c6224a14227203fad8"),
    bytes: None,
    weights: &TORCHVISION_16,
};

const RESNET50_PYTORCH: Source<'static> = Source {
    url: "https://download.pytorch.org/models/resnet50-0676ba61.pth",
    pin: Pin::Sha256("0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a"),
    bytes: Some(102_530_333),
    weights: &TORCHVISION_RESNET50,
};

const RESNET50_TIMM: Source<'static> = Source {
    url: "https://huggingface.co/timm/resnet50.tv_in1k/resolve/\
          78f3ecfdb38e06d9b8397f662e7ab8fee96026fa/model.safetensors",
    pin: Pin::Sha256("5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888"),
    bytes: Some(102_469_840),
    weights: &TORCHVISION_RESNET50,
};

const INCEPTION_V3_PYTORCH: Source<'static> = Source {
    url: "https://download.pytorch.org/models/inception_v3_google-0cc3c7bd.pth",
    pin: Pin::Sha256Prefix("0cc3c7bd"),
    bytes: None,
    weights: &TORCHVISION_INCEPTION_V3,
};

/// In the order of the list.
pub static MANIFEST: [Entry; 6] = [
    Entry {
        name: "vgg19",
        about: "VGG-19, Oxford's weights, which the recipes are for; where they cannot be had, torchvision's",
        sources: &[OXFORD_19_MICHIGAN, OXFORD_19_MIRROR, TORCHVISION_19_PYTORCH, TORCHVISION_19_TIMM],
    },
    Entry {
        name: "vgg16",
        about: "VGG-16, Oxford's weights, as in Johnson et al.; where they cannot be had, torchvision's",
        sources: &[OXFORD_16_MICHIGAN, TORCHVISION_16_PYTORCH, TORCHVISION_16_TIMM],
    },
    // The safetensors file first: of it, the convolutions alone can be fetched.
    Entry {
        name: "vgg19-torchvision",
        about: "VGG-19, torchvision's weights (IMAGENET1K_V1)",
        sources: &[TORCHVISION_19_TIMM, TORCHVISION_19_PYTORCH],
    },
    Entry {
        name: "vgg16-torchvision",
        about: "VGG-16, torchvision's weights (IMAGENET1K_V1)",
        sources: &[TORCHVISION_16_TIMM, TORCHVISION_16_PYTORCH],
    },
    Entry {
        name: "resnet50-torchvision",
        about: "ResNet-50, torchvision's weights (IMAGENET1K_V1)",
        sources: &[RESNET50_PYTORCH, RESNET50_TIMM],
    },
    Entry {
        name: "inception_v3-torchvision",
        about: "Inception-v3, torchvision's weights (IMAGENET1K_V1)",
        sources: &[INCEPTION_V3_PYTORCH],
    },
];

#[cfg(test)]
mod tests {
    use common::lossnet::LOSS_NET_NAMES;

    use super::*;

    #[test]
    fn every_name_has_an_entry_and_sources_of_its_network() {
        let names: Vec<&str> = MANIFEST.iter().map(|entry| entry.name).collect();
        assert_eq!(names, LOSS_NET_NAMES);
        for entry in &MANIFEST {
            assert!(!entry.sources.is_empty());
            for source in entry.sources {
                assert!(entry.name.starts_with(source.weights.arch.id()), "{} {}", entry.name, source.url);
                let any = !entry.name.ends_with("-torchvision");
                let Weights { arch, trained_in, .. } = source.weights;
                let is_torchvisions = trained_in.input_space() == arch.torchvision_input_space();
                assert!(any || is_torchvisions, "{}", source.url);
            }
        }
    }

    #[test]
    fn addresses_and_sums_are_well_formed() {
        for source in MANIFEST.iter().flat_map(|entry| entry.sources) {
            assert!(source.url.starts_with("https://") && !source.url.contains(' '), "{}", source.url);
            let digits = match source.pin {
                Pin::Sha256(digits) => {
                    assert_eq!(digits.len(), 64);
                    digits
                }
                Pin::Sha256Prefix(digits) => {
                    assert!(source.url.contains(digits), "the prefix is the one in the file's name");
                    digits
                }
                Pin::Unpinned => "",
            };
            assert!(digits.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)));
        }
    }

    #[test]
    fn a_whole_sum_begins_with_the_digits_in_torchvisions_file_names() {
        for source in [TORCHVISION_19_PYTORCH, TORCHVISION_16_PYTORCH, RESNET50_PYTORCH] {
            let Pin::Sha256(sum) = source.pin else { panic!("pinned whole") };
            assert!(source.url.ends_with(&format!("-{}.pth", &sum[..8])));
        }
    }

    #[test]
    fn a_file_is_recognised_by_its_sum_only_for_its_own_network() {
        let Pin::Sha256(sum) = TORCHVISION_19_PYTORCH.pin else { panic!("pinned whole") };
        assert_eq!(recognise(Arch::Vgg19, sum).unwrap().weights.title, "torchvision's");
        assert!(recognise(Arch::Vgg16, sum).is_none());
        assert!(recognise(Arch::Vgg19, &"0".repeat(64)).is_none());
    }
}
