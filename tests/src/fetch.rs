//! Fetching loss networks as a library call, from servers that misbehave.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::lossnet::{Arch, Layer, LossNet, LossNetShelf};
use common::space::LossInputSpace;
use common::tensor_file::{self, StoredAs, TensorFile};
use tch::{Device, Kind, Tensor};
use tempfile::TempDir;
use trainer::fetch::{
    Checked, Entry, FetchError, FetchEvent, Http, Installed, Order, Origin, Patience, Pin, Source, TrainedIn,
    Weights, convolutions_sha256,
};

use crate::support::server::{Reply, Server, Version, nobody};

/// The first convolution of a VGG network, as torch.save writes it, and the sha256 of it.
const PTH: &[u8] = include_bytes!("../../trainer/src/fetch/fixtures/zip.pth");

fn sha256(bytes: &[u8]) -> &'static str {
    common::style_file::sha256_hex(bytes).leak()
}

/// A folder of loss networks, and what happened while it was filled.
struct Cellar {
    folder: TempDir,
    http: Http,
    log: Vec<String>,
}

impl Cellar {
    fn new() -> Self {
        // The pauses are short; a silent server is silent for long enough on a busy machine, too.
        let patience = Patience {
            connect: Duration::from_secs(5),
            silence: Duration::from_millis(700),
            pause: Duration::from_millis(1),
        };
        Self { folder: tempfile::tempdir().unwrap(), http: Http::direct(patience), log: Vec::new() }
    }

    fn shelf(&self) -> LossNetShelf {
        LossNetShelf::of(self.folder.path().join("loss-nets"))
    }

    fn order(&mut self, sources: &[Source<'static>], allow_unpinned: bool) -> Result<Installed, FetchError> {
        let sources = sources.to_vec().leak();
        let entry = Entry { name: "vgg19", about: "", sources };
        self.run(&Order { entry: &entry, origin: Origin::Manifest, allow_unpinned })
    }

    fn run(&mut self, order: &Order<'_>) -> Result<Installed, FetchError> {
        let (loss_nets, log) = (self.shelf(), &mut self.log);
        let outcome = order.run(&loss_nets, &self.http, &mut |event| match event {
            FetchEvent::Receiving { .. } | FetchEvent::Converting => {}
            FetchEvent::Asking { .. } => log.push("asking".to_owned()),
            FetchEvent::NoRanges => log.push("no ranges".to_owned()),
            FetchEvent::Retrying(error) => log.push(format!("retrying: {error}")),
            FetchEvent::GivenUp(error) => log.push(format!("given up: {error}")),
        });
        // Whatever happened: a whole network under the name, or nothing.
        assert_eq!(self.path().exists(), outcome.is_ok());
        if let Err(error) = &outcome {
            assert!(!error.to_string().contains('\n'), "{error}");
        }
        outcome
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("loss-nets/vgg19.safetensors")
    }

    fn loads(&self) -> LossNet {
        let layers: [Layer; 1] = ["relu1_1".parse().unwrap()];
        LossNet::load(&self.path(), &layers, Device::Cpu).unwrap()
    }

    /// Names of what is left of downloads.
    fn left(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join("loss-nets/downloads"));
        let names = entries.into_iter().flatten().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

fn weights(convolutions_sha256: Option<&'static str>) -> &'static Weights {
    Box::leak(Box::new(Weights {
        title: "Oxford's",
        arch: Arch::Vgg19,
        trained_in: TrainedIn::OxfordBgr,
        licence: "CC BY 4.0",
        credit: "Oxford",
        convolutions_sha256,
    }))
}

fn source(url: String, pin: Pin<'static>) -> Source<'static> {
    Source { url: url.leak(), pin, bytes: None, weights: weights(None) }
}

fn pinned(server: &Server) -> Source<'static> {
    source(server.url("/net.pth"), Pin::Sha256(sha256(PTH)))
}

#[test]
fn weights_are_fetched_checked_and_converted() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::AsAsked]);
    let installed = cellar.order(&[pinned(&server)], false).unwrap();
    assert_eq!((installed.path.as_path(), installed.checked), (cellar.path().as_path(), Checked::BySum));
    assert_eq!(installed.deepest.to_string(), "relu1_1");
    assert_eq!(cellar.loads().input_space(), &LossInputSpace::oxford_bgr());
    assert_eq!(cellar.left(), [""; 0]);

    let file = TensorFile::open(&cellar.path()).unwrap();
    assert_eq!(file.metadata("licence"), Some("CC BY 4.0"));
    assert_eq!(file.metadata("source_sha256"), Some(sha256(PTH)));
    assert_eq!(file.names().len(), 2, "the classifier stays behind");
}

#[test]
fn the_first_digits_of_a_sum_check_too() {
    let server = Server::start(PTH, vec![Reply::AsAsked]);
    let url = || server.url("/net.pth");
    let installed = Cellar::new().order(&[source(url(), Pin::Sha256Prefix(&sha256(PTH)[..8]))], false);
    assert_eq!(installed.unwrap().checked, Checked::ByFirstDigits);
    let error = Cellar::new().order(&[source(url(), Pin::Sha256Prefix("00000000"))], false).unwrap_err();
    assert!(error.to_string().contains("expected 00000000..."), "{error}");
}

#[test]
fn a_cut_connection_is_continued_where_it_broke() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::CutAfter(4000), Reply::CutAfter(3000), Reply::AsAsked]);
    cellar.order(&[pinned(&server)], false).unwrap();
    assert_eq!(server.ranges(), ["", "bytes=4000-", "bytes=7000-"]);
    assert_eq!(server.requests()[1].if_range, "\"one\"");
    assert!(cellar.log[1].contains("the connection broke at 4000 bytes"), "{:?}", cellar.log);
}

#[test]
fn the_next_run_continues_what_an_earlier_one_left() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::CutAfter(5000), Reply::Status(403), Reply::AsAsked]);
    let error = cellar.order(&[pinned(&server)], false).unwrap_err();
    assert!(error.to_string().contains("403"), "{error}");
    assert!(cellar.left().iter().any(|name| name.starts_with("net.pth.") && name.contains(".part")));
    cellar.order(&[pinned(&server)], false).unwrap();
    assert_eq!(server.ranges().last().unwrap(), "bytes=5000-");
    assert_eq!(cellar.left(), [""; 0]);
}

#[test]
fn a_server_without_ranges_begins_anew() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::CutAfter(4000), Reply::WithoutRanges]);
    cellar.order(&[pinned(&server)], false).unwrap();
    assert_eq!(server.ranges(), ["", "bytes=4000-"]);
}

#[test]
fn a_file_that_has_changed_begins_anew() {
    let mut cellar = Cellar::new();
    let older = Version { content: Arc::new(vec![7; 9000]), tag: "\"older\"" };
    let newer = Version { content: Arc::new(PTH.to_owned()), tag: "\"newer\"" };
    let server = Server::of_versions(vec![(older, Reply::CutAfter(5000)), (newer, Reply::AsAsked)]);
    cellar.order(&[pinned(&server)], false).unwrap();
    assert_eq!(server.requests()[1].if_range, "\"older\"");
}

/// With nothing to tell versions apart, only the sum of the whole can.
#[test]
fn without_a_tag_only_a_pinned_file_is_pieced_together() {
    let version = Version { content: Arc::new(PTH.to_owned()), tag: "" };
    let script = || vec![(version.clone(), Reply::CutAfter(5000)), (version.clone(), Reply::AsAsked)];
    let server = Server::of_versions(script());
    Cellar::new().order(&[pinned(&server)], false).unwrap();
    assert_eq!(server.ranges(), ["", "bytes=5000-"]);
    let server = Server::of_versions(script());
    Cellar::new().order(&[source(server.url("/net.pth"), Pin::Unpinned)], true).unwrap();
    assert_eq!(server.ranges(), ["", ""]);
}

#[test]
fn a_wrong_sum_is_refused_and_the_next_source_asked() {
    let mut cellar = Cellar::new();
    let (wrong, right) =
        (Server::start(b"something else", vec![Reply::AsAsked]), Server::start(PTH, vec![Reply::AsAsked]));
    let installed = cellar.order(&[pinned(&wrong), pinned(&right)], false).unwrap();
    assert_eq!(installed.checked, Checked::BySum);
    assert!(cellar.log[1].contains("given up: the sha256 is"), "{:?}", cellar.log);
    assert_eq!(cellar.left(), [""; 0]);
}

#[test]
fn a_source_that_nothing_is_known_of_is_not_even_asked() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::AsAsked]);
    let unpinned = source(server.url("/net.pth"), Pin::Unpinned);
    let error = cellar.order(&[unpinned], false).unwrap_err();
    assert!(error.to_string().contains("--allow-unpinned"), "{error}");
    assert!(server.requests().is_empty());
    assert_eq!(cellar.order(&[unpinned], true).unwrap().checked, Checked::Not);
}

#[test]
fn files_that_are_nowhere_leave_nothing_behind() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::Status(404)]);
    let unasked = source(server.url("/net.pth"), Pin::Unpinned);
    let error = cellar.order(&[pinned(&server), pinned(&server), unasked], false).unwrap_err().to_string();
    assert!(error.contains("none of the 3 sources has worked") && error.contains("404"), "{error}");
    assert_eq!(server.requests().len(), 2, "what is not there is not asked for again");
    assert_eq!(cellar.left(), [""; 0]);
}

#[test]
fn troubled_servers_are_asked_again_and_unreachable_ones_once() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::Status(503), Reply::Status(429), Reply::AsAsked]);
    let unreachable = source(nobody(), Pin::Sha256(sha256(PTH)));
    cellar.order(&[unreachable, pinned(&server)], false).unwrap();
    assert_eq!(server.requests().len(), 3);
    assert_eq!(cellar.log.iter().filter(|line| line.starts_with("given up")).count(), 1);
}

#[test]
fn silent_servers_end_in_an_error_and_not_in_a_hang() {
    let start = Instant::now();
    let server = Server::start(PTH, vec![Reply::Silence]);
    let error = Cellar::new().order(&[pinned(&server)], false).unwrap_err().to_string();
    assert!(error.contains("nothing came for 0.7 s"), "{error}");

    let server = Server::start(PTH, vec![Reply::SilentAfter(1000), Reply::SilentAfter(0)]);
    let error = Cellar::new().order(&[pinned(&server)], false).unwrap_err().to_string();
    assert!(error.contains("given up after 4 tries") && error.contains("nothing came"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_server_that_always_breaks_off_is_given_up() {
    let server = Server::start(PTH, vec![Reply::CutAfter(2000), Reply::CutAfter(0)]);
    let error = Cellar::new().order(&[pinned(&server)], false).unwrap_err().to_string();
    assert!(error.contains("given up after 4 tries") && error.contains("broke at 2000 bytes"), "{error}");
}

#[test]
fn a_range_is_asked_for_where_the_server_sends_us_too() {
    let mut cellar = Cellar::new();
    let holder = Server::start(PTH, vec![Reply::CutAfter(5000), Reply::AsAsked]);
    let front = Server::start(b"", vec![Reply::SendTo(holder.url("/stored"))]);
    cellar.order(&[pinned(&front)], false).unwrap();
    assert_eq!(holder.ranges(), ["", "bytes=5000-"]);
    assert_eq!(front.requests().len(), 2);
}

#[test]
fn an_endless_file_is_refused_before_it_comes() {
    let server = Server::start(b"", vec![Reply::Promise(1 << 50)]);
    let error = Cellar::new().order(&[pinned(&server)], false).unwrap_err().to_string();
    assert!(error.contains("far larger"), "{error}");
}

#[test]
fn what_is_no_weights_is_refused_in_one_line() {
    for page in [b"<html>\nLog in".as_slice(), b"", &PTH[..5000]] {
        let mut cellar = Cellar::new();
        let server = Server::start(page, vec![Reply::AsAsked]);
        let error = cellar.order(&[source(server.url("/net.pth"), Pin::Unpinned)], true).unwrap_err();
        assert!(error.to_string().contains("no weights of vgg19 that can be used"), "{error}");
        assert_eq!(cellar.left(), [""; 0]);
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_told_at_once() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::AsAsked]);
    std::fs::write(cellar.folder.path().join("loss-nets"), "a file").unwrap();
    let error = cellar.order(&[pinned(&server), pinned(&server)], false).unwrap_err();
    assert!(matches!(error, FetchError::Local { .. }) && error.to_string().ends_with("loss-nets"), "{error}");
    assert!(server.requests().is_empty());
}

/// A published safetensors file: the convolutions up to relu1_2, and a classifier many times as large before and after
/// them.
fn safetensors(folder: &Path) -> (Vec<u8>, Vec<(String, Tensor)>) {
    let deepest: Layer = "relu1_2".parse().unwrap();
    let convolutions: Vec<(String, Tensor)> = Arch::Vgg19
        .layers()
        .take_while(|&layer| layer <= deepest)
        .flat_map(|layer| Arch::Vgg19.expected_tensors(layer))
        .map(|(name, shape)| {
            let count: i64 = shape.iter().product();
            (name, Tensor::arange(count, (Kind::Float, Device::Cpu)).view(shape.as_slice()))
        })
        .collect();
    let mut all: Vec<(String, Tensor)> =
        convolutions.iter().map(|(name, tensor)| (name.clone(), tensor.shallow_clone())).collect();
    for name in ["classifier.before", "head.fc.weight", "pre_logits.fc1.weight"] {
        all.push((name.to_owned(), Tensor::zeros([300_000], (Kind::Float, Device::Cpu))));
    }
    let path = folder.join("published.safetensors");
    tensor_file::write(&path, &all, ("format", "pt".to_owned()), StoredAs::F32).unwrap();
    (std::fs::read(path).unwrap(), convolutions)
}

fn in_part(server: &Server, convolutions_sha256: Option<&'static str>) -> Source<'static> {
    let url = server.url("/model.safetensors").leak();
    Source { url, pin: Pin::Unpinned, bytes: None, weights: weights(convolutions_sha256) }
}

/// How many bytes were asked for.
fn asked_bytes(server: &Server) -> u64 {
    let length = |range: String| {
        let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
        Some(last.parse::<u64>().ok()? + 1 - first.parse::<u64>().ok()?)
    };
    server.ranges().into_iter().map(|range| length(range).expect("a range with both ends")).sum()
}

#[test]
fn only_the_convolutions_of_a_safetensors_file_are_fetched() {
    let mut cellar = Cellar::new();
    let (published, convolutions) = safetensors(cellar.folder.path());
    let server = Server::start(&published, vec![Reply::AsAsked]);
    let installed = cellar.order(&[in_part(&server, None)], true).unwrap();
    assert_eq!((installed.deepest.to_string().as_str(), installed.checked), ("relu1_2", Checked::Not));
    let numbers: u64 = convolutions.iter().map(|(_, tensor)| tensor.numel() as u64).sum();
    assert_eq!(asked_bytes(&server), 4 * numbers + (1 << 15));
    assert!(asked_bytes(&server) * 10 < published.len() as u64);

    let file = TensorFile::open(&cellar.path()).unwrap();
    for (name, tensor) in &convolutions {
        let found = file.load(&[(name.clone(), tensor.size())], |_| true, Device::Cpu).unwrap();
        assert_eq!(&found[name], tensor, "{name}");
    }
    assert_eq!(cellar.left(), [""; 0]);
}

#[test]
fn a_part_is_checked_by_a_sum_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let (published, convolutions) = safetensors(folder.path());
    let server = Server::start(&published, vec![Reply::AsAsked]);
    let sum = convolutions_sha256(&convolutions).leak();
    let installed = Cellar::new().order(&[in_part(&server, Some(sum))], false).unwrap();
    assert_eq!((installed.checked, installed.convolutions_sha256.as_str()), (Checked::ByConvolutions, &*sum));

    let mut cellar = Cellar::new();
    let error = cellar.order(&[in_part(&server, Some(sha256(b"other")))], false).unwrap_err();
    assert!(error.to_string().contains(&*sum), "{error}");
    assert_eq!(cellar.left(), [""; 0]);
}

#[test]
fn a_cut_part_is_continued_too_and_by_the_next_run() {
    let mut cellar = Cellar::new();
    let (published, _) = safetensors(cellar.folder.path());
    let replies =
        vec![Reply::AsAsked, Reply::CutAfter(50_000), Reply::Status(403), Reply::AsAsked, Reply::AsAsked];
    let server = Server::start(&published, replies);
    assert!(cellar.order(&[in_part(&server, None)], true).is_err());
    cellar.order(&[in_part(&server, None)], true).unwrap();
    let first =
        |range: &String| range.trim_start_matches("bytes=").split('-').next().unwrap().parse().unwrap();
    let starts: Vec<u64> = server.ranges().iter().map(first).collect();
    assert_eq!(starts[0], 0);
    assert_eq!(starts[2], starts[1] + 50_000);
    assert_eq!(starts[3..], [0, starts[1] + 50_000], "the header, then what is missing");
}

#[test]
fn a_server_without_ranges_gives_the_whole_safetensors_file() {
    let mut cellar = Cellar::new();
    let (published, _) = safetensors(cellar.folder.path());
    let server = Server::start(&published, vec![Reply::WithoutRanges]);
    let installed = cellar.order(&[in_part(&server, None)], true).unwrap();
    assert_eq!(installed.deepest.to_string(), "relu1_2");
    assert!(cellar.log.contains(&"no ranges".to_owned()), "{:?}", cellar.log);
}

#[test]
fn a_header_that_lies_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (published, _) = safetensors(folder.path());
    let mut long = published.clone();
    long[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    let shapes = String::from_utf8_lossy(&published[..2000]).replace("[64,3,3,3]", "[63,3,3,3]");
    let mut wrong = published.clone();
    wrong[8..2000].copy_from_slice(&shapes.as_bytes()[shapes.len() - 1992..]);
    for (content, word) in
        [(&long, "not a safetensors file"), (&wrong, "safetensors"), (&vec![0; 9], "safetensors")]
    {
        let server = Server::start(content, vec![Reply::AsAsked]);
        let error = Cellar::new().order(&[in_part(&server, None)], true).unwrap_err().to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
fn an_address_of_the_users_is_taken_with_its_sum_or_on_their_word() {
    let mut cellar = Cellar::new();
    let server = Server::start(PTH, vec![Reply::AsAsked]);
    let url = server.url("/net.pth");
    let entry = trainer::fetch::entry("vgg19").unwrap();
    let order =
        |sha256, allow_unpinned| Order { entry, origin: Origin::Url { url: &url, sha256 }, allow_unpinned };

    let error = cellar.run(&order(None, false)).unwrap_err();
    assert!(error.to_string().contains(sha256(PTH)), "{error}");
    // What has come is kept for the case that the user trusts it.
    let installed = cellar.run(&order(Some(sha256(PTH)), false)).unwrap();
    assert_eq!(installed.checked, Checked::BySum);
    assert_eq!(server.ranges(), [String::new(), format!("bytes={}-", PTH.len())]);

    let mut cellar = Cellar::new();
    assert_eq!(cellar.run(&order(None, true)).unwrap().checked, Checked::Not);
    let mut cellar = Cellar::new();
    let error = cellar.run(&order(Some(sha256(b"other")), true)).unwrap_err();
    assert!(matches!(error, FetchError::WrongSum { .. }), "{error}");
}

#[test]
fn a_file_of_the_users_is_converted_and_never_removed() {
    let mut cellar = Cellar::new();
    let entry = trainer::fetch::entry("vgg19-torchvision").unwrap();
    let entry = Entry { name: "vgg19", about: "", sources: entry.sources };
    let path = cellar.folder.path().join("mine.pth");
    std::fs::write(&path, PTH).unwrap();
    let order =
        |sha256| Order { entry: &entry, origin: Origin::File { path: &path, sha256 }, allow_unpinned: false };
    assert!(matches!(cellar.run(&order(Some(sha256(b"other")))), Err(FetchError::WrongSum { .. })));
    assert_eq!(cellar.run(&order(None)).unwrap().checked, Checked::Not);
    assert!(path.exists());
    assert_eq!(cellar.loads().input_space(), &LossInputSpace::torchvision_rgb());
}
