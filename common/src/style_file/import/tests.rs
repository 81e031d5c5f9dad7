use super::*;
use crate::net::{InputSpace, NetConfig, OutputRange, Padding, Residual, Upsample};

fn shapes(names: &[(&str, &[i64])]) -> plan::Shapes {
    names.iter().map(|(name, shape)| ((*name).to_owned(), shape.to_vec())).collect()
}

#[test]
fn families_are_told_apart_by_names_and_shapes() {
    let (family, plan) = Family::of(&shapes(&[("conv1.conv2d.weight", &[16, 3, 9, 9])])).unwrap();
    assert_eq!(
        (family, plan.config.width, plan.config.output),
        (Family::PytorchExamples, 16, OutputRange::Linear)
    );

    let (family, plan) = Family::of(&shapes(&[("Variable", &[9, 9, 3, 32])])).unwrap();
    let NetConfig { width, padding, upsample, last_norm, .. } = plan.config;
    assert_eq!(family, Family::Lengstrom);
    assert_eq!((width, padding, upsample, last_norm), (32, Padding::ZeroSame, Upsample::Transposed, true));

    let bottleneck = [
        ("ConvBlock.0.conv_layer.weight", [32i64, 3, 9, 9].as_slice()),
        ("ResidualBlock.0.conv1.conv_layer.weight", &[64, 128, 1, 1]),
        ("ResidualBlock.0.conv3.conv_layer.weight", &[128, 64, 1, 1]),
    ];
    let (family, plan) = Family::of(&shapes(&bottleneck)).unwrap();
    let NetConfig { residual_blocks, residual, input, .. } = plan.config;
    assert_eq!(family, Family::Rrmina);
    assert_eq!((residual_blocks, residual, input), (1, Residual::Bottleneck, InputSpace::ByteBgr));

    // As PyTorch 0.4 numbers them in ONNX.
    let names = Parameters::expected_tensors(&NetConfig { width: 8, ..NetConfig::default() }).into_iter();
    let numbered: plan::Shapes =
        names.enumerate().map(|(index, (_, shape))| ((index + 1).to_string(), shape)).collect();
    let (family, plan) = Family::of(&numbered).unwrap();
    assert_eq!((family, plan.config.width, plan.config.residual_blocks), (Family::PytorchExamples, 8, 5));
    assert!(plan.compare(&numbered, |_| false).is_empty());

    assert!(Family::of(&shapes(&[("features.0.weight", &[64, 3, 3, 3])])).is_none());
}

#[test]
fn shapes_that_no_network_has_are_no_family() {
    for shape in [&[][..], &[0, 3, 9, 9], &[i64::MAX; 4], &[-1, 3, 9, 9], &[1 << 40, 3, 9, 9]] {
        assert!(Family::of(&shapes(&[("conv1.conv2d.weight", shape)])).is_none(), "{shape:?}");
        assert!(Family::of(&shapes(&[("Variable", shape)])).is_none(), "{shape:?}");
    }
}

#[test]
fn every_difference_is_told() {
    let (_, plan) = Family::of(&shapes(&[("conv1.conv2d.weight", &[2, 3, 9, 9])])).unwrap();
    let mut found: plan::Shapes = Parameters::expected_tensors(&plan.config).into_iter().collect();
    assert!(plan.compare(&found, |_| false).is_empty());
    found.insert("in1.running_mean".to_owned(), vec![2]);
    assert!(plan.compare(&found, |name| Family::PytorchExamples.ignores(name)).is_empty());
    found.insert("in2.weight".to_owned(), vec![3]);
    found.remove("in5.bias");
    found.insert("extra\n".to_owned(), vec![1]);
    let text = plan.compare(&found, |_| false).to_string();
    for part in
        ["missing in5.bias", "unexpected extra\\n, in1.running_mean", "in2.weight (shape [3], expected [4])"]
    {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_sample_of_names_is_one_short_line() {
    let long = "x\u{1b}".repeat(5000);
    let found = shapes(&[(long.as_str(), &[1; 50]), ("a", &[]), ("b", &[2]), ("c", &[3]), ("d", &[4])]);
    let text = plan::sample(&found);
    assert!(text.starts_with("5 tensors: a [], b [2], c [3], d [4], ..."), "{text}");
    let text = plan::sample(&shapes(&[(long.as_str(), &[1; 50])]));
    assert!(text.len() < 500 && !text.contains('\u{1b}') && text.ends_with("..."), "{text}");
    assert_eq!(plan::sample(&shapes(&[])), "no tensors");
}
