//! VGG-16 and VGG-19 (Simonyan and Zisserman 2014, <https://arxiv.org/abs/1409.1556>, table 1, D and E): the
//! convolutional part, under torchvision's key names.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use tch::{Device, Tensor};

use super::recording::Extractor;
use super::{Layer, VggRecording};
use crate::precision::Precision;
use crate::space::LossInputSpace;
use crate::tensor_file::{ExpectedTensor, TensorFile, TensorFileError};

/// Which of the two networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VggArch {
    /// 13 convolutions: blocks of 2, 2, 3, 3, 3.
    Vgg16,
    /// 16 convolutions: blocks of 2, 2, 4, 4, 4.
    Vgg19,
}

/// How a block's output is halved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// The largest of each 2x2, as the networks were trained.
    Max,
    /// The mean of each 2x2 (Gatys et al. 2015, section 2, for smoother results).
    Average,
}

/// Why a loss network cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LossNetError {
    /// The file or the tensors in it are not as they should be.
    #[error("loss network: {0}")]
    File(TensorFileError),
    /// The file's metadata make no sense.
    #[error("loss network: metadata `{key}` is `{value}`, expected {expected}: {}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// The metadata key.
        key: &'static str,
        /// What it holds.
        value: String,
        /// What it may hold.
        expected: &'static str,
    },
    /// The network has no such layer.
    #[error("loss network: {arch} has no layer {layer}: {}", path.display())]
    NoSuchLayer {
        /// The layer asked for.
        layer: Layer,
        /// The network in the file.
        arch: VggArch,
        /// The file.
        path: PathBuf,
    },
    /// The file ends before the layer that is asked for.
    #[error(
        "loss network: the file ends before layer {layer} (it has no `{missing}`); \
         choose layers up to {deepest}, or a file that goes deeper: {}", path.display()
    )]
    EndsBefore {
        /// The layer asked for.
        layer: Layer,
        /// The first tensor that it lacks.
        missing: String,
        /// The deepest layer that it holds, or `none`.
        deepest: String,
        /// The file.
        path: PathBuf,
    },
}

impl From<TensorFileError> for LossNetError {
    fn from(error: TensorFileError) -> Self {
        Self::File(error)
    }
}

impl VggArch {
    fn convolutions_of_block(self, block: u8) -> u8 {
        match (self, block) {
            (_, 1 | 2) => 2,
            (Self::Vgg16, _) => 3,
            (Self::Vgg19, _) => 4,
        }
    }

    /// As a file's metadata say it: `vgg16` or `vgg19`.
    pub fn id(self) -> &'static str {
        match self {
            Self::Vgg16 => "vgg16",
            Self::Vgg19 => "vgg19",
        }
    }

    /// Every layer of the network, from the shallowest to the deepest.
    pub fn layers(self) -> impl Iterator<Item = Layer> {
        (1..=5).flat_map(move |block| {
            (1..=self.convolutions_of_block(block)).filter_map(move |index| Layer::new(block, index))
        })
    }

    /// The number N of torchvision's `features.N` for the convolution under `layer`: each convolution and its ReLU
    /// count one, each pooling one.
    fn feature_index(self, layer: Layer) -> usize {
        let convolutions_before =
            (1..layer.block()).map(|block| usize::from(self.convolutions_of_block(block))).sum::<usize>()
                + usize::from(layer.index())
                - 1;
        let poolings_before = usize::from(layer.block()) - 1;
        2 * convolutions_before + poolings_before
    }

    /// The names and shapes of the weight and the bias under `layer`.
    pub fn expected_tensors(self, layer: Layer) -> [ExpectedTensor; 2] {
        let outputs = channels_of_block(layer.block());
        let inputs = match (layer.block(), layer.index()) {
            (1, 1) => 3,
            (block, 1) => channels_of_block(block - 1),
            _ => outputs,
        };
        let name = format!("features.{}", self.feature_index(layer));
        [(format!("{name}.weight"), vec![outputs, inputs, 3, 3]), (format!("{name}.bias"), vec![outputs])]
    }
}

fn channels_of_block(block: u8) -> i64 {
    (64 << (block - 1)).min(512)
}

impl fmt::Display for VggArch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Vgg16 => "VGG-16",
            Self::Vgg19 => "VGG-19",
        })
    }
}

/// A frozen VGG network up to the deepest layer that anybody asked for.
pub struct Vgg {
    arch: VggArch,
    input_space: LossInputSpace,
    pooling: Pooling,
    convolutions: Vec<Convolution>,
    extractors: Extractors,
}

/// The network laid out for the pass that trains, for each precision that was asked for.
#[derive(Default)]
struct Extractors {
    f32: OnceCell<Extractor>,
    bf16: OnceCell<Extractor>,
}

struct Convolution {
    layer: Layer,
    weight: Tensor, // [outputs, inputs, 3, 3]
    bias: Tensor,
}

/// Activations by layer.
pub type Features = BTreeMap<Layer, Tensor>;

impl Vgg {
    /// Loads the network up to the deepest of `layers`. What lies deeper in the file is not looked at.
    ///
    /// The file is safetensors (f32, f16 or bf16, mixed as it likes) with torchvision's names; the classifier's
    /// tensors may be in it. It may end early, as long as no deeper layer is asked for. Its metadata may say:
    ///
    /// | key | values | without it |
    /// |---|---|---|
    /// | `arch` | `vgg16`, `vgg19` | told from the shapes |
    /// | `channel_order` | `rgb`, `bgr` | torchvision's space, whose key names the file uses |
    /// | `input_range` | `0-1`, `0-255` | `0-255` for `bgr`, `0-1` for `rgb` |
    /// | `mean`, `std` | three numbers each, in the channel order | Oxford's for `bgr`, torchvision's for `rgb` |
    /// | `pooling` | `max`, `average` | `max` |
    ///
    /// # Errors
    /// The file cannot be read, ends before a layer asked for, or its names, shapes or metadata are not as above.
    pub fn load(path: &Path, layers: &[Layer], device: Device) -> Result<Self, LossNetError> {
        let file = TensorFile::open(path)?;
        let arch = arch_of(&file)?;
        let input_space = input_space_of(&file)?;
        let pooling = pooling_of(&file)?;

        let deepest = layers.iter().max().copied();
        let wanted: Vec<Layer> = match deepest {
            None => Vec::new(),
            Some(deepest) if arch.layers().any(|layer| layer == deepest) => {
                arch.layers().take_while(|&layer| layer <= deepest).collect()
            }
            Some(layer) => {
                return Err(LossNetError::NoSuchLayer { layer, arch, path: path.to_owned() });
            }
        };
        check_depth(&file, arch, &wanted)?;

        let expected: Vec<ExpectedTensor> =
            wanted.iter().flat_map(|&layer| arch.expected_tensors(layer)).collect();
        let known: Vec<String> =
            arch.layers().flat_map(|layer| arch.expected_tensors(layer)).map(|(name, _)| name).collect();
        let is_ignored =
            |name: &str| name.starts_with("classifier.") || known.iter().any(|known| known == name);
        let mut tensors = file.load(&expected, is_ignored, device)?;

        let convolutions = wanted
            .into_iter()
            .map(|layer| {
                let [weight, bias] = arch
                    .expected_tensors(layer)
                    .map(|(name, _)| tensors.remove(&name).expect("every expected tensor was loaded"));
                Convolution { layer, weight, bias }
            })
            .collect();
        Ok(Self { arch, input_space, pooling, convolutions, extractors: Extractors::default() })
    }

    /// A network around given tensors under torchvision's names, up to the deepest of `layers`.
    ///
    /// # Panics
    /// If a tensor is missing.
    pub fn from_tensors(
        arch: VggArch,
        input_space: LossInputSpace,
        layers: &[Layer],
        tensor: impl Fn(&str, &[i64]) -> Tensor,
    ) -> Self {
        let deepest = layers.iter().max().copied();
        let convolutions = arch
            .layers()
            .take_while(|&layer| Some(layer) <= deepest)
            .map(|layer| {
                let [weight, bias] = arch.expected_tensors(layer).map(|(name, shape)| tensor(&name, &shape));
                Convolution { layer, weight, bias }
            })
            .collect();
        Self { arch, input_space, pooling: Pooling::Max, convolutions, extractors: Extractors::default() }
    }

    /// Which of the two networks.
    pub fn arch(&self) -> VggArch {
        self.arch
    }

    /// What its first convolution wants to see.
    pub fn input_space(&self) -> &LossInputSpace {
        &self.input_space
    }

    /// The activations of `byte_rgb` `[n, 3, h, w]` at `layers`, each `[n, channels, h', w']`. Nothing deeper than the
    /// deepest of them is computed.
    ///
    /// # Panics
    /// If a layer is deeper than the network was loaded, or the picture too small for it: `h` and `w` must be at least
    /// [`Vgg::smallest_side`].
    pub fn features(&self, byte_rgb: &Tensor, layers: &[Layer]) -> Features {
        let Some(&deepest) = layers.iter().max() else { return Features::new() };
        assert!(
            self.convolutions.iter().any(|convolution| convolution.layer == deepest),
            "{deepest} was not loaded"
        );
        let mut features = Features::new();
        let mut x = self.input_space.loss_input_from_byte_rgb(byte_rgb);
        for Convolution { layer, weight, bias } in &self.convolutions {
            if layer.index() == 1 && layer.block() > 1 {
                x = match self.pooling {
                    Pooling::Max => x.max_pool2d(2, 2, 0, 1, /*ceil_mode=*/ false),
                    Pooling::Average => x.avg_pool2d(2, 2, 0, /*ceil_mode=*/ false, true, None),
                };
            }
            x = x.conv2d(weight, Some(bias), 1, 1, 1, 1).relu();
            if layers.contains(layer) {
                features.insert(*layer, x.shallow_clone());
            }
            if *layer == deepest {
                break;
            }
        }
        features
    }

    /// [`Vgg::features`] in `precision`, laid out as is best for it; nothing of it can be differentiated.
    ///
    /// # Panics
    /// As [`Vgg::features`].
    pub fn features_in(&self, byte_rgb: &Tensor, layers: &[Layer], precision: Precision) -> Features {
        self.extractor(precision).features(byte_rgb, layers)
    }

    /// [`Vgg::features`] in `precision`, with what it takes to go back: the pass that trains. It computes the same as
    /// [`Vgg::features`] and autograd, in less time and memory.
    ///
    /// # Panics
    /// As [`Vgg::features`].
    pub fn record(&self, byte_rgb: &Tensor, layers: &[Layer], precision: Precision) -> VggRecording<'_> {
        self.extractor(precision).record(byte_rgb, layers)
    }

    fn extractor(&self, precision: Precision) -> &Extractor {
        let cell = match precision {
            Precision::F32 | Precision::Tf32 => &self.extractors.f32,
            Precision::Bf16 => &self.extractors.bf16,
        };
        cell.get_or_init(|| {
            let layers =
                self.convolutions.iter().map(|Convolution { layer, weight, bias }| (*layer, weight, bias));
            tch::no_grad(|| Extractor::new(&self.input_space, self.pooling, layers, precision))
        })
    }

    /// The shortest side of a picture that still has a pixel at `layer`.
    pub fn smallest_side(layer: Layer) -> u32 {
        1 << (layer.block() - 1)
    }
}

fn metadata_error(file: &TensorFile, key: &'static str, value: &str, expected: &'static str) -> LossNetError {
    LossNetError::Metadata { path: file.path().to_owned(), key, value: value.to_owned(), expected }
}

fn arch_of(file: &TensorFile) -> Result<VggArch, LossNetError> {
    match file.metadata("arch") {
        Some("vgg16") => Ok(VggArch::Vgg16),
        Some("vgg19") => Ok(VggArch::Vgg19),
        Some(other) => Err(metadata_error(file, "arch", other, "vgg16 or vgg19")),
        // The two differ first in what follows conv3_3: features.16 is conv3_4 of VGG-19 and a pooling in VGG-16.
        // A file that ends before it serves both.
        None if file.shape("features.16.weight").is_some() => Ok(VggArch::Vgg19),
        None => Ok(VggArch::Vgg16),
    }
}

/// The input space that a file's metadata tell, if they tell a channel order at all.
///
/// # Errors
/// The metadata make no sense.
pub fn declared_input_space(file: &TensorFile) -> Result<Option<LossInputSpace>, LossNetError> {
    file.metadata("channel_order").map(|_| input_space_of(file)).transpose()
}

fn input_space_of(file: &TensorFile) -> Result<LossInputSpace, LossNetError> {
    let mut space = match file.metadata("channel_order") {
        None | Some("rgb") => LossInputSpace::torchvision_rgb(),
        Some("bgr") => LossInputSpace::oxford_bgr(),
        Some(other) => return Err(metadata_error(file, "channel_order", other, "rgb or bgr")),
    };
    match file.metadata("input_range") {
        None => {}
        Some("0-1") => space.scale_from_byte = 1.0 / 255.0,
        Some("0-255") => space.scale_from_byte = 1.0,
        Some(other) => return Err(metadata_error(file, "input_range", other, "0-1 or 0-255")),
    }
    if let Some(mean) = three_numbers(file, "mean")? {
        space.mean = mean;
    }
    if let Some(std) = three_numbers(file, "std")? {
        if std.contains(&0.0) {
            return Err(metadata_error(file, "std", "0", "three numbers other than 0"));
        }
        space.std = std;
    }
    Ok(space)
}

fn three_numbers(file: &TensorFile, key: &'static str) -> Result<Option<[f64; 3]>, LossNetError> {
    let Some(text) = file.metadata(key) else { return Ok(None) };
    let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
    numbers
        .and_then(|numbers| <[f64; 3]>::try_from(numbers).ok())
        .filter(|numbers| numbers.iter().all(|number| number.is_finite()))
        .map(Some)
        .ok_or_else(|| metadata_error(file, key, text, "three numbers with commas between"))
}

fn pooling_of(file: &TensorFile) -> Result<Pooling, LossNetError> {
    match file.metadata("pooling") {
        None | Some("max") => Ok(Pooling::Max),
        Some("average" | "avg") => Ok(Pooling::Average),
        Some(other) => Err(metadata_error(file, "pooling", other, "max or average")),
    }
}

/// A file that ends early gets an error of its own, which names the layer; a hole in the middle is a mismatch like
/// any other.
fn check_depth(file: &TensorFile, arch: VggArch, wanted: &[Layer]) -> Result<(), LossNetError> {
    let names = file.names();
    let has = |layer: &Layer| arch.expected_tensors(*layer).iter().any(|(name, _)| names.contains(name));
    let held: Vec<Layer> = arch.layers().take_while(has).collect();
    let is_cut = arch.layers().skip(held.len()).all(|layer| !has(&layer));
    let Some(&layer) = wanted.last() else { return Ok(()) };
    if is_cut && held.last().is_none_or(|deepest| *deepest < layer) && !held.is_empty() {
        let first_missing = arch.layers().nth(held.len()).unwrap_or(layer);
        let [(missing, _), _] = arch.expected_tensors(first_missing);
        let deepest = held.last().map_or_else(|| "none".to_owned(), Layer::to_string);
        return Err(LossNetError::EndsBefore { layer, missing, deepest, path: file.path().to_owned() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::tensor_file::{StoredAs, write};

    fn layers(names: &[&str]) -> Vec<Layer> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    fn layer(name: &str) -> Layer {
        name.parse().unwrap()
    }

    /// A file of zeros up to `deepest`; `change` may spoil it.
    fn file_up_to(
        arch: VggArch,
        deepest: &str,
        change: impl Fn(&mut Vec<(String, Tensor)>),
    ) -> (tempfile::TempDir, PathBuf) {
        let mut tensors: Vec<(String, Tensor)> = arch
            .layers()
            .take_while(|&held| held <= layer(deepest))
            .flat_map(|held| arch.expected_tensors(held))
            .map(|(name, shape)| (name, Tensor::zeros(shape, (Kind::Float, Device::Cpu))))
            .collect();
        change(&mut tensors);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vgg.safetensors");
        write(&path, &tensors, ("source", "test".to_owned()), StoredAs::F16).unwrap();
        (folder, path)
    }

    fn error_of(path: &Path, names: &[&str]) -> String {
        Vgg::load(path, &layers(names), Device::Cpu).err().expect("an error").to_string()
    }

    #[test]
    fn names_are_torchvisions() {
        let name = |arch: VggArch, at: &str| arch.expected_tensors(layer(at))[0].0.clone();
        assert_eq!(name(VggArch::Vgg19, "relu1_1"), "features.0.weight");
        assert_eq!(name(VggArch::Vgg19, "relu4_2"), "features.21.weight");
        assert_eq!(name(VggArch::Vgg19, "relu5_4"), "features.34.weight");
        assert_eq!(name(VggArch::Vgg16, "relu3_3"), "features.14.weight");
        assert_eq!(name(VggArch::Vgg16, "relu5_3"), "features.28.weight");
    }

    #[test]
    fn only_what_is_asked_for_is_computed_and_returned() {
        let (_folder, path) = file_up_to(VggArch::Vgg19, "relu3_1", |_| ());
        let wanted = layers(&["relu3_1", "relu1_2"]);
        let vgg = Vgg::load(&path, &wanted, Device::Cpu).unwrap();
        let features = vgg.features(&Tensor::zeros([2, 3, 20, 12], tch::kind::FLOAT_CPU), &wanted);
        let sizes: Vec<Vec<i64>> = features.values().map(Tensor::size).collect();
        assert_eq!(sizes, [vec![2, 64, 20, 12], vec![2, 256, 5, 3]]);
    }

    #[test]
    fn a_file_may_end_early_until_a_deeper_layer_is_asked_for() {
        let (_folder, path) = file_up_to(VggArch::Vgg19, "relu3_4", |_| ());
        assert!(Vgg::load(&path, &layers(&["relu3_4"]), Device::Cpu).is_ok());
        let message = error_of(&path, &["relu1_1", "relu4_2"]);
        for part in ["relu4_2", "features.19.weight", "up to relu3_4", "vgg.safetensors"] {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn a_hole_and_a_wrong_shape_are_reported_together() {
        let (_folder, path) = file_up_to(VggArch::Vgg19, "relu3_1", |tensors| {
            tensors.retain(|(name, _)| name != "features.2.bias");
            tensors[0].1 = Tensor::zeros([64, 1, 3, 3], tch::kind::FLOAT_CPU);
        });
        let message = error_of(&path, &["relu3_1"]);
        for part in
            ["missing features.2.bias", "features.0.weight (shape [64, 1, 3, 3], expected [64, 3, 3, 3])"]
        {
            assert!(message.contains(part), "{message}");
        }
    }

    #[test]
    fn the_classifier_is_ignored_and_strangers_are_not() {
        let (_folder, path) = file_up_to(VggArch::Vgg16, "relu1_2", |tensors| {
            tensors.push(("classifier.0.bias".to_owned(), Tensor::zeros([8], tch::kind::FLOAT_CPU)));
        });
        assert!(Vgg::load(&path, &layers(&["relu1_2"]), Device::Cpu).is_ok());
        let (_folder, path) = file_up_to(VggArch::Vgg16, "relu1_2", |tensors| {
            tensors.push(("layer1.0.weight".to_owned(), Tensor::zeros([8], tch::kind::FLOAT_CPU)));
        });
        assert!(error_of(&path, &["relu1_2"]).contains("unexpected layer1.0.weight"));
    }

    #[test]
    fn the_architecture_is_told_from_the_names() {
        for (arch, deepest) in [(VggArch::Vgg16, "relu4_1"), (VggArch::Vgg19, "relu3_4")] {
            let (_folder, path) = file_up_to(arch, deepest, |_| ());
            assert_eq!(Vgg::load(&path, &[], Device::Cpu).unwrap().arch(), arch);
        }
        let (_folder, path) = file_up_to(VggArch::Vgg16, "relu4_1", |_| ());
        assert!(error_of(&path, &["relu3_4"]).contains("VGG-16 has no layer relu3_4"));
    }

    #[test]
    fn metadata_choose_the_input_space() {
        let space = |entries: &str| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("vgg.safetensors");
            // An empty safetensors file: the length of its header, then the header.
            let header = format!("{{\"__metadata__\":{{{entries}}}}}");
            let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
            bytes.extend(header.as_bytes());
            std::fs::write(&path, bytes).unwrap();
            Vgg::load(&path, &[], Device::Cpu).map(|vgg| vgg.input_space().clone()).map_err(|e| e.to_string())
        };
        assert_eq!(space("").unwrap(), LossInputSpace::torchvision_rgb());
        assert_eq!(space(r#""channel_order":"bgr""#).unwrap(), LossInputSpace::oxford_bgr());
        let own =
            space(r#""channel_order":"bgr","input_range":"0-1","mean":"1,2, 3","std":"4,5,6""#).unwrap();
        assert_eq!((own.mean, own.std), ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0]));
        assert_eq!(own.scale_from_byte, 1.0 / 255.0);
        for wrong in
            [r#""channel_order":"grb""#, r#""mean":"1,2""#, r#""std":"1,0,1""#, r#""input_range":"8""#]
        {
            assert!(space(wrong).unwrap_err().contains("expected"), "{wrong}");
        }
    }
}
