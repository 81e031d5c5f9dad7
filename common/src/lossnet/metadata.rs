//! What a loss network file says of itself.

use super::{Arch, LossNetError, Pooling};
use crate::space::LossInputSpace;
use crate::tensor_file::TensorFile;

fn metadata_error(file: &TensorFile, key: &'static str, value: &str, expected: &'static str) -> LossNetError {
    LossNetError::Metadata { path: file.path().to_owned(), key, value: value.to_owned(), expected }
}

/// Which network it is; where the metadata do not say it, it is told from the names.
pub(super) fn arch_of(file: &TensorFile) -> Result<Arch, LossNetError> {
    if let Some(id) = file.metadata("arch") {
        let expected = "vgg16, vgg19, resnet50 or inception_v3";
        return Arch::of_id(id).ok_or_else(|| metadata_error(file, "arch", id, expected));
    }
    let names = file.names();
    let holds = |start: &str| names.iter().any(|name| name.starts_with(start));
    Ok(match () {
        // The two differ first in what follows conv3_3: features.16 is conv3_4 of VGG-19 and a pooling in VGG-16.
        // A file that ends before it serves both.
        () if file.shape("features.16.weight").is_some() => Arch::Vgg19,
        () if holds("features.") => Arch::Vgg16,
        () if holds("conv1.") || holds("layer1.0.conv1.") => Arch::ResNet50,
        () if holds("Conv2d_1a_3x3.") || holds("Mixed_5b.branch1x1.") => Arch::InceptionV3,
        () => Arch::Vgg16,
    })
}

/// The input space that a file's metadata tell, if they tell a channel order at all.
///
/// # Errors
/// The metadata make no sense.
pub fn declared_input_space(file: &TensorFile, arch: Arch) -> Result<Option<LossInputSpace>, LossNetError> {
    file.metadata("channel_order").map(|_| input_space_of(file, arch)).transpose()
}

pub(super) fn input_space_of(file: &TensorFile, arch: Arch) -> Result<LossInputSpace, LossNetError> {
    let mut space = match file.metadata("channel_order") {
        None | Some("rgb") => arch.torchvision_input_space(),
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

pub(super) fn pooling_of(file: &TensorFile) -> Result<Pooling, LossNetError> {
    match file.metadata("pooling") {
        None | Some("max") => Ok(Pooling::Max),
        Some("average" | "avg") => Ok(Pooling::Average),
        Some(other) => Err(metadata_error(file, "pooling", other, "max or average")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tch::Device;

    use super::*;
    use crate::lossnet::LossNet;

    /// An empty safetensors file: the length of its header, then the header.
    fn write(path: &Path, metadata: &str) {
        let header = format!("{{\"__metadata__\":{{{metadata}}}}}");
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        std::fs::write(path, bytes).unwrap();
    }

    fn net(metadata: &str) -> Result<LossNet, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("net.safetensors");
        write(&path, metadata);
        LossNet::load(&path, &[], Device::Cpu).map_err(|error| error.to_string())
    }

    fn space(metadata: &str) -> Result<LossInputSpace, String> {
        net(metadata).map(|net| net.input_space().clone())
    }

    #[test]
    fn metadata_choose_the_input_space() {
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

    #[test]
    fn metadata_choose_the_network() {
        for arch in Arch::ALL {
            let net = net(&format!(r#""arch":"{}""#, arch.id())).unwrap();
            assert_eq!((net.arch(), net.input_space()), (arch, &arch.torchvision_input_space()));
        }
        let error = net(r#""arch":"alexnet""#).err().unwrap();
        assert!(error.contains("`alexnet`, expected vgg16, vgg19, resnet50 or inception_v3"), "{error}");
    }

    /// torchvision's pretrained Inception is given ImageNet's normalisation and undoes it first.
    #[test]
    fn inception_sees_what_transform_input_makes_of_imagenets_normalisation() {
        let normalised = LossInputSpace::torchvision_rgb();
        let own = Arch::InceptionV3.torchvision_input_space();
        for byte in [0.0, 100.0, 255.0] {
            for channel in 0..3 {
                let value = |space: &LossInputSpace| {
                    (byte * space.scale_from_byte - space.mean[channel]) / space.std[channel]
                };
                let (mean, std) = (normalised.mean[channel], normalised.std[channel]);
                let transformed = value(&normalised) * (std / 0.5) + (mean - 0.5) / 0.5;
                assert!((value(&own) - transformed).abs() < 1e-12);
            }
        }
    }
}
