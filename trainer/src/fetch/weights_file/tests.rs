use std::path::PathBuf;

use super::*;

/// Of today, until 1.5, and both of early 2017.
const FORMATS: [&str; 4] = ["zip.pth", "legacy.pth", "legacy-python2.pth", "tar-python2.pth"];

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fetch/fixtures").join(name)
}

fn written(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights");
    std::fs::write(&path, bytes).unwrap();
    (folder, path)
}

#[test]
fn every_format_that_pytorch_has_had_holds_the_same() {
    for name in FORMATS {
        let Found { tensors, input_space } = read(&fixture(name), Arch::Vgg19).unwrap();
        assert_eq!(tensors.keys().collect::<Vec<_>>(), ["features.0.bias", "features.0.weight"], "{name}");
        assert!(input_space.is_none());
        let weight = &tensors["features.0.weight"];
        assert_eq!(weight.size(), [64, 3, 3, 3]);
        assert_eq!(weight.double_value(&[63, 2, 2, 2]), 1727.0 / 8.0);
        assert_eq!(tensors["features.0.bias"].double_value(&[0]), 1728.0 / 8.0);
    }
}

#[test]
fn counts_of_batches_and_classifiers_stay_behind() {
    for name in ["inception.pth", "inception-legacy.pth"] {
        let Found { tensors, .. } = read(&fixture(name), Arch::InceptionV3).unwrap();
        let names: Vec<&str> =
            tensors.keys().map(|name| name.strip_prefix("Conv2d_1a_3x3.").expect(name)).collect();
        assert_eq!(names, ["bn.bias", "bn.running_mean", "bn.running_var", "bn.weight", "conv.weight"]);
        assert_eq!(tensors["Conv2d_1a_3x3.bn.running_var"].double_value(&[31]), 128.0 / 8.0);
        let error = read(&fixture(name), Arch::ResNet50).unwrap_err();
        assert!(error.contains("not the layers of ResNet-50: missing conv1.weight"), "{error}");
    }
}

#[test]
fn a_pickle_runs_nothing() {
    let error = read(&fixture("runs-a-program.pth"), Arch::Vgg19).unwrap_err();
    assert!(error.contains("missing features.0.bias") || error.contains("pickle"), "{error}");
    assert!(!Path::new("executed-by-a-pickle").exists());
}

#[test]
fn a_small_file_that_claims_32_gib_is_refused() {
    let error = read(&fixture("huge.pth"), Arch::Vgg19).unwrap_err();
    assert!(error.contains("byte limit") || error.contains("8589934592"), "{error}");
}

#[test]
fn files_cut_anywhere_are_refused() {
    let (_folder, path) = written(b"");
    for name in FORMATS {
        let whole = std::fs::read(fixture(name)).unwrap();
        // Of a TAR file's padding nothing is missed.
        let needed = whole.iter().rposition(|&byte| byte != 0).unwrap();
        for length in (0..=needed).step_by(173) {
            std::fs::write(&path, &whole[..length]).unwrap();
            let error = read(&path, Arch::Vgg19).expect_err(&format!("{name} cut at {length}"));
            assert!(!error.contains('\n'), "{error}");
        }
    }
}

/// Whatever byte is wrong: an error, or weights of the right shapes (only today's format has a sum of the numbers), no
/// panic.
#[test]
fn damaged_files_do_not_panic() {
    let (_folder, path) = written(b"");
    for name in FORMATS {
        let whole = std::fs::read(fixture(name)).unwrap();
        for position in (0..1200).step_by(7).chain((1200..whole.len()).step_by(211)) {
            let mut damaged = whole.clone();
            damaged[position] ^= 1 << (position % 8);
            std::fs::write(&path, &damaged).unwrap();
            if let Ok(found) = read(&path, Arch::Vgg19) {
                assert_eq!(found.tensors["features.0.weight"].size(), [64, 3, 3, 3], "{name} at {position}");
            }
        }
    }
}

#[test]
fn what_is_no_weights_at_all_is_told_so() {
    let (_folder, path) = written(b"<!DOCTYPE html><title>Log in to the network</title>");
    let error = read(&path, Arch::Vgg19).unwrap_err();
    assert!(error.contains("neither safetensors nor a PyTorch file"), "{error}");
    let (_folder, path) = written(b"");
    assert!(read(&path, Arch::Vgg19).is_err());
}

#[test]
fn weights_of_another_network_are_told_by_their_shapes() {
    let shapes = TensorShapes::from([("features.0.weight".to_owned(), vec![64, 3, 11, 11])]);
    let error = check(Arch::Vgg19, &shapes).unwrap_err();
    assert!(error.contains("VGG-19") && error.contains("[64, 3, 11, 11]"), "{error}");
}
