//! Fetching networks other than VGG: their first layers stand for the whole.

use std::path::Path;
use std::time::Duration;

use common::lossnet::{Arch, Layer, LossNet, LossNetShelf};
use common::tensor_file::{self, StoredAs, TensorFile};
use tch::{Device, Kind, Tensor};
use trainer::fetch::{
    Checked, Entry, FetchError, Http, Installed, Order, Origin, Patience, Pin, Source, Weights, entry,
};

use crate::support::programs::trainer_with;
use crate::support::server::{Reply, Server};

/// Inception-v3's first layer and a bit of its classifiers, as torch.save writes them.
const INCEPTION: &[u8] = include_bytes!("../../trainer/src/fetch/fixtures/inception.pth");
const INCEPTION_LEGACY: &[u8] = include_bytes!("../../trainer/src/fetch/fixtures/inception-legacy.pth");

fn sha256(bytes: &[u8]) -> &'static str {
    common::style_file::sha256_hex(bytes).leak()
}

fn run(
    folder: &Path,
    name: &'static str,
    url: String,
    pin: Pin<'static>,
    allow_unpinned: bool,
) -> Result<Installed, FetchError> {
    let weights: &'static Weights = entry(name).unwrap().sources[0].weights;
    let sources = vec![Source { url: url.leak(), pin, bytes: None, weights }].leak();
    let entry = Entry { name, about: "", sources };
    let patience = Patience {
        connect: Duration::from_secs(5),
        silence: Duration::from_millis(700),
        pause: Duration::from_millis(1),
    };
    let order = Order { entry: &entry, origin: Origin::Manifest, allow_unpinned };
    order.run(&LossNetShelf::of(folder.to_owned()), &Http::direct(patience), &mut |_| {})
}

#[test]
fn inception_is_checked_by_its_first_digits_and_converted() {
    for published in [INCEPTION, INCEPTION_LEGACY] {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(published, vec![Reply::CutAfter(3000), Reply::AsAsked]);
        let url = || server.url("/inception_v3.pth");
        let pin = Pin::Sha256Prefix(&sha256(published)[..8]);
        let installed = run(folder.path(), "inception_v3-torchvision", url(), pin, false).unwrap();
        assert_eq!((installed.checked, installed.deepest), (Checked::ByFirstDigits, layer("Conv2d_1a_3x3")));
        assert!(installed.path.ends_with("inception_v3-torchvision.safetensors"));

        let file = TensorFile::open(&installed.path).unwrap();
        assert_eq!((file.metadata("arch"), file.names().len()), (Some("inception_v3"), 5));
        let net = LossNet::load(&installed.path, &[layer("Conv2d_1a_3x3")], Device::Cpu).unwrap();
        assert_eq!(net.arch(), Arch::InceptionV3);
        assert_eq!(net.input_space(), &Arch::InceptionV3.torchvision_input_space());

        let pin = Pin::Sha256Prefix("0cc3c7bd");
        let error = run(folder.path(), "inception_v3-torchvision", url(), pin, false).unwrap_err();
        assert!(error.to_string().contains("expected 0cc3c7bd..."), "{error}");
        assert!(installed.path.exists(), "what was there is untouched");
    }
}

fn layer(name: &str) -> Layer {
    name.parse().unwrap()
}

/// The stem of ResNet-50 as published in safetensors, its classifier larger than itself.
fn resnet(folder: &Path) -> Vec<u8> {
    let tensor = |(name, shape): (String, Vec<i64>)| {
        let count = shape.iter().product::<i64>();
        (name, Tensor::arange(count, (Kind::Float, Device::Cpu)).view(shape.as_slice()))
    };
    let mut tensors: Vec<(String, Tensor)> =
        Arch::ResNet50.expected_tensors(layer("relu")).into_iter().map(tensor).collect();
    for (name, count) in [("fc.weight", 200_000), ("bn1.num_batches_tracked", 1)] {
        tensors.push((name.to_owned(), Tensor::zeros([count], (Kind::Float, Device::Cpu))));
    }
    let path = folder.join("published.safetensors");
    tensor_file::write(&path, &tensors, ("format", "pt".to_owned()), StoredAs::F32).unwrap();
    std::fs::read(path).unwrap()
}

#[test]
fn of_resnets_safetensors_file_only_the_layers_are_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let published = resnet(folder.path());
    let server = Server::start(&published, vec![Reply::AsAsked]);
    let url = server.url("/model.safetensors");
    let installed = run(folder.path(), "resnet50-torchvision", url, Pin::Unpinned, true).unwrap();
    assert_eq!((installed.deepest, installed.checked), (layer("relu"), Checked::Not));
    assert!(!server.ranges().is_empty() && server.ranges().iter().all(|range| !range.is_empty()));

    let net = LossNet::load(&installed.path, &[layer("maxpool")], Device::Cpu).unwrap();
    assert_eq!((net.arch(), net.input_space()), (Arch::ResNet50, &Arch::ResNet50.torchvision_input_space()));
    let error = LossNet::load(&installed.path, &[layer("layer1")], Device::Cpu).err().unwrap().to_string();
    assert!(error.contains("ends before layer layer1.2"), "{error}");
}

#[test]
fn from_outside_a_network_gets_in_under_its_own_name_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("own.pth"), INCEPTION).unwrap();
    let cache = [("ATELIER_CACHE", "cache")];
    let fetch = |name| trainer_with(folder.path(), &["fetch", name, "--source", "own.pth"], &cache);
    fetch("resnet50-torchvision")
        .expect_error(1, &["not the layers of ResNet-50", "conv1.weight", "own.pth"]);
    let fetched = fetch("inception_v3-torchvision");
    fetched.expect_success();
    assert!(fetched.stderr().contains("up to Conv2d_1a_3x3, red first"), "{}", fetched.stderr());
    let list = trainer_with(folder.path(), &["fetch", "--list"], &cache).stdout();
    for words in ["resnet50-torchvision", "here: your own weights up to Conv2d_1a_3x3"] {
        assert!(list.contains(words), "`{words}` is not in:\n{list}");
    }
}
