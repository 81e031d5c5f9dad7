//! Files that mean harm, in place of a network: an error of one line within a second and 100 MB. (What libtorch holds is not
//! counted, but it gets no more than a file that has been checked.)

use std::fs;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::style_file;
use damage::{DAMAGE, Random};
use peak_alloc::PeakAlloc;
use tch::Device;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// One after the other, since memory is that of the process.
static ALONE: Mutex<()> = Mutex::new(());

const MOST_BYTES: usize = 100 << 20;
const LONGEST: Duration = Duration::from_secs(1);

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is said of the file with these contents.
fn refusal(name: &str, contents: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, contents).unwrap();
    let text = measured(&path).expect_err(name);
    assert!(text.contains(name), "{text:?}");
    text
}

fn measured(path: &Path) -> Result<(), String> {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let start = Instant::now();
    let mut found = style_file::load(path, Device::Cpu);
    if start.elapsed() > LONGEST {
        // The machine may have been busy with something else.
        let again = Instant::now();
        found = style_file::load(path, Device::Cpu);
        assert!(again.elapsed() < LONGEST, "{} takes more than {LONGEST:?}", path.display());
    }
    let peak = MEMORY.peak_usage().saturating_sub(before);
    assert!(peak <= MOST_BYTES, "{} takes {peak} bytes", path.display());
    let text = found.map(|_| ()).map_err(|error| error.to_string());
    if let Err(text) = &text {
        assert!(text.lines().count() == 1 && text.len() < 2000, "{text:?}");
    }
    text
}

fn safetensors(header_bytes: u64, header: &str, data: usize) -> Vec<u8> {
    [&header_bytes.to_le_bytes(), header.as_bytes(), &vec![0; data]].concat()
}

#[test]
fn headers_that_lie_are_refused() {
    let _alone = alone();
    let entry = |shape: &str, end: u64| {
        format!(r#"{{"conv1.conv2d.weight":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
    };
    let huge = entry("[2684354560]", 10_737_418_240);
    let overflowing = entry("[4294967296,4294967296,4294967296]", 16);
    let more_than_there = entry("[2,3,9,9]", 1944);
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let many: Vec<String> = (0..60_000)
        .map(|index| format!(r#""{index}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#))
        .collect();
    let many = format!("{{{}}}", many.join(","));
    for header in [&huge, &overflowing, &more_than_there, &deep, &many] {
        refusal("lies.safetensors", &safetensors(header.len() as u64, header, 16));
        refusal("lies.pth", &safetensors(header.len() as u64, header, 16));
    }
    for header_bytes in [0, 1, 4000, 99_000_000, 100_000_001, 1 << 40, u64::MAX] {
        let text = refusal("lies.safetensors", &safetensors(header_bytes, &huge, 0));
        assert!(text.contains("not a whole safetensors file"), "{text}");
    }
}

#[test]
fn a_file_of_ten_gigabytes_is_not_read() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    for name in ["sparse.safetensors", "sparse.pth", "sparse.onnx"] {
        let path = folder.path().join(name);
        // Takes no room on the disk.
        fs::File::create(&path).unwrap().set_len(10 << 30).unwrap();
        let text = measured(&path).unwrap_err();
        assert!(text.contains("10737418240 bytes are no style"), "{text}");
    }
}

/// A pickle, put together by hand.
#[derive(Default)]
struct Pickle(Vec<u8>);

impl Pickle {
    fn raw(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(bytes.as_ref());
        self
    }

    fn text(self, text: &str) -> Self {
        self.raw(b"X").raw((text.len() as u32).to_le_bytes()).raw(text)
    }

    fn integer(self, value: u64) -> Self {
        self.raw([0x8a, 8]).raw(value.to_le_bytes())
    }

    fn tuple(self, values: &[u64]) -> Self {
        values.iter().fold(self.raw("("), |pickle, &value| pickle.integer(value)).raw("t")
    }

    /// A view of a storage of so many numbers.
    fn tensor(self, stored: u64, shape: &[u64], stride: &[u64]) -> Self {
        self.raw("ctorch._utils\n_rebuild_tensor_v2\n((")
            .text("storage")
            .raw("ctorch\nFloatStorage\n")
            .text("0")
            .text("cpu")
            .integer(stored)
            .raw("tQ")
            .integer(0)
            .tuple(shape)
            .tuple(stride)
            .raw(b"\x89ccollections\nOrderedDict\n)RtR")
    }
}

fn state_dict(tensors: &[(&str, Vec<u64>, u64, u64)]) -> Vec<u8> {
    let start = Pickle::default().raw(b"\x80\x02}(");
    let filled = tensors.iter().fold(start, |pickle, (name, shape, stored, stride)| {
        pickle.text(name).tensor(*stored, shape, &vec![*stride; shape.len()])
    });
    filled.raw("u.").0
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut writer = ZipWriter::new(&mut bytes);
    for (name, contents) in entries {
        writer.start_file(format!("archive/{name}"), SimpleFileOptions::default()).unwrap();
        writer.write_all(contents).unwrap();
    }
    writer.finish().unwrap();
    bytes.into_inner()
}

#[test]
fn small_files_that_declare_much_are_refused() {
    let _alone = alone();
    let number = [0; 4];
    let ten_gigabytes = state_dict(&[("conv1.conv2d.weight", vec![1024, 2_621_440], 2_684_354_560, 1)]);
    refusal("stored.pth", &archive(&[("data.pkl", &ten_gigabytes), ("data/0", &number)]));
    let view = state_dict(&[("conv1.conv2d.weight", vec![1 << 40], 1, 0)]);
    refusal("view.pth", &archive(&[("data.pkl", &view), ("data/0", &number)]));
    let overflowing = state_dict(&[("conv1.conv2d.weight", vec![1 << 40, 1 << 40, 1 << 40], 1, 0)]);
    refusal("overflow.pth", &archive(&[("data.pkl", &overflowing), ("data/0", &number)]));

    // A whole network of the greatest width, each of whose tensors is one number.
    let config = common::net::NetConfig { width: 1024, ..common::net::NetConfig::default() };
    let expected = common::net::Parameters::expected_tensors(&config);
    let tensors: Vec<(&str, Vec<u64>, u64, u64)> = expected
        .iter()
        .map(|(name, shape)| (name.as_str(), shape.iter().map(|&side| side as u64).collect(), 1, 0))
        .collect();
    let text = refusal("wide.pth", &archive(&[("data.pkl", &state_dict(&tensors)), ("data/0", &number)]));
    assert!(text.contains("which a file of"), "{text}");
}

/// A field of protobuf: its number, and its length where that is to lie.
fn field(number: u8, said: u64, contents: &[u8]) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    let mut rest = said;
    while rest >= 128 {
        bytes.push((rest & 127) as u8 | 128);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    [&bytes, contents].concat()
}

fn whole(number: u8, contents: &[u8]) -> Vec<u8> {
    field(number, contents.len() as u64, contents)
}

/// An ONNX file of this graph.
fn onnx(graph: &[u8]) -> Vec<u8> {
    [&[0x08, 8], &whole(7, graph)[..]].concat()
}

#[test]
fn onnx_that_means_harm_is_refused() {
    let _alone = alone();
    let empty_tensor = whole(5, &[]);
    let dims = |side: u64, count: usize| {
        let mut varint = Vec::new();
        let mut rest = side;
        while rest >= 128 {
            varint.push((rest & 127) as u8 | 128);
            rest >>= 7;
        }
        varint.push(rest as u8);
        [&[0x08], &varint[..]].concat().repeat(count)
    };
    let named = whole(8, b"conv1.conv2d.weight");
    let float = [0x10, 1];
    let ten_gigabytes = [&dims(2_684_354_560, 1)[..], &float, &named, &whole(9, &[0; 16])].concat();
    let overflowing = [&dims(1 << 40, 4)[..], &float, &named, &whole(9, &[0; 16])].concat();
    let raw_beyond_the_file = [&dims(2, 4)[..], &float, &named, &field(9, 1 << 31, &[0; 16])].concat();
    let metadata = whole(14, &[&whole(1, b"k")[..], &whole(2, &vec![b'x'; 2 << 20])].concat());
    let card = |json: &str| whole(14, &[&whole(1, b"atelier")[..], &whole(2, json.as_bytes())].concat());
    for (what, contents) in [
        ("millions of tensors", onnx(&empty_tensor.repeat(4 << 20))),
        ("millions of nodes", onnx(&whole(1, &[]).repeat(4 << 20))),
        ("millions of sides", onnx(&whole(5, &dims(1, 4 << 20)))),
        ("ten gigabytes", onnx(&whole(5, &ten_gigabytes))),
        ("an overflow", onnx(&whole(5, &overflowing))),
        ("numbers beyond the file", onnx(&whole(5, &raw_beyond_the_file))),
        ("a graph beyond the file", [&[0x08, 8], &field(7, 1 << 40, &[0; 64])[..]].concat()),
        ("a long text", [onnx(&[]), metadata].concat()),
        ("a card that is none", [onnx(&[]), card("{")].concat()),
        ("a card of another file", [onnx(&[]), card(&card_of_a_style())].concat()),
        ("groups in groups", [&[0x08, 8][..], &vec![0x3b; 1 << 20]].concat()),
        ("no graph", vec![0x08, 8]),
        ("no end", vec![0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    ] {
        let text = refusal("harm.onnx", &contents);
        assert!(!text.contains("panicked"), "{what}: {text}");
    }
}

fn card_of_a_style() -> String {
    let painting = style_file::Painting { name: "none".to_owned(), ..Default::default() };
    serde_json::to_string(&style_file::StyleCard::new(common::net::NetConfig::default(), painting)).unwrap()
}

#[test]
fn files_of_torch7_are_told_so() {
    let _alone = alone();
    let text = refusal("candy.t7", b"\x03\0\0\0\x01\0\0\0\x04\0\0\0\x02\0\0\0\x05\0\0\0model");
    assert!(text.contains("Torch7"), "{text}");
}

#[test]
fn what_unpacks_to_much_is_refused() {
    let _alone = alone();
    let text = refusal("bomb.pth", &archive(&[("data.pkl", &vec![b'N'; 8 << 20])]));
    assert!(text.contains("unpacks to 8388608 bytes"), "{text}");
    for opcode in [b'N', b']', b'}', b'('] {
        // Just within the limit, and beyond it, in an archive and as it is.
        for (length, words) in [(199_990, ""), (1 << 20, "more than 200000 opcodes")] {
            let pickle = vec![opcode; length];
            for contents in [archive(&[("data.pkl", &pickle)]), [b"\x80\x02", &pickle[..]].concat()] {
                let text = refusal("full.pth", &contents);
                assert!(text.contains(words), "{text}");
            }
        }
    }
}

#[test]
fn hostile_opcodes_run_nothing_and_are_refused() {
    let _alone = alone();
    let plain = |body: &[u8]| [b"\x80\x02", body, b"."].concat();
    let laughs = b"(]q\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00h\x00eq\x01".to_vec();
    let mut doubled = b"]q\x00".to_vec();
    for level in 0..60u8 {
        doubled.extend([b'(', b'h', level, b'h', level, b'l', b'q', level + 1]);
    }
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("system", b"cos\nsystem\n(X\x10\x00\x00\x00touch by-a-pickletR".to_vec()),
        ("posix", b"cposix\nsystem\nX\x10\x00\x00\x00touch by-a-pickle\x85R".to_vec()),
        ("eval", b"c__builtin__\neval\n(X\x03\x00\x00\x001+1tR".to_vec()),
        ("instance", b"(X\x02\x00\x00\x00lsios\nsystem\n".to_vec()),
        ("object", b"cos\nsystem\n)\x81}b".to_vec()),
        ("build", b"}(X\x0c\x00\x00\x00__setstate__cos\nsystem\nub".to_vec()),
        ("extension", b"\x82\x01\x83\x01\x00\x84\x01\x00\x00\x00".to_vec()),
        ("long text", b"X\xff\xff\xff\x7f".to_vec()),
        ("longer text", b"\x8d\xff\xff\xff\xff\xff\xff\xff\x0f".to_vec()),
        ("long bytes", b"\x8e\xff\xff\xff\xff\xff\xff\xff\x0f".to_vec()),
        ("long number", b"\x8b\xff\xff\xff\x7f".to_vec()),
        ("frame", b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f".to_vec()),
        ("memo", b"Nr\xff\xff\xff\xff".to_vec()),
        ("nothing to take", b"0000tuse".to_vec()),
        ("deep tuples", [vec![b'('; 100_000], vec![b't'; 100_000]].concat()),
        ("deep lists", b"]".repeat(100_000).into_iter().chain(b"a".repeat(99_999)).collect()),
        ("copies in a list", [laughs, b"h\x01".repeat(10_000)].concat()),
        ("copies doubled", doubled),
    ];
    let cwd: PathBuf = std::env::current_dir().unwrap();
    let magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}q\x00.".to_vec();
    for (what, body) in &bodies {
        let pickle = plain(body);
        for contents in [archive(&[("data.pkl", &pickle)]), [&magic[..], &pickle].concat(), pickle.clone()] {
            refusal(&format!("{what}.pth"), &contents);
        }
    }
    assert!(!cwd.join("by-a-pickle").exists());
}

/// Of the formats of today and until 1.5.
#[test]
fn damaged_networks_are_networks_or_errors() {
    let _alone = alone();
    let count = std::env::var("ATELIER_MUTATIONS").map_or(150, |count| count.parse().expect("a number"));
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/goldens");
    for name in ["import-zip.pth", "import-legacy.pth"] {
        let intact = fs::read(goldens.join(name)).unwrap();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut random = Random::new(7);
        for number in 0..count {
            let (_, damage) = DAMAGE[number % DAMAGE.len()];
            fs::write(&path, damage(&mut random, &intact)).unwrap();
            let _ = measured(&path);
        }
        fs::remove_file(path).unwrap();
    }
}
