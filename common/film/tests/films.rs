//! Through the real programs: what goes in comes out at the same times, in the same colours, with the same sound.

use std::path::Path;

use film::{
    Assembly, Container, DecodeOptions, Decoder, EncodeTarget, Encoder, Encoding, EncodingOptions, FilmError,
    FilmInfo, FilmShape, Frame, Input, Original, Programs, Segment, TimeBase,
};
use tempfile::TempDir;

/// The programs and a folder; `None` where there are no programs.
fn studio() -> Option<(Programs, TempDir)> {
    clips::are_possible().then(|| (Programs::find().unwrap(), tempfile::tempdir().unwrap()))
}

fn decoded(programs: &Programs, path: &Path, options: &DecodeOptions) -> (FilmInfo, Vec<Frame>, TimeBase) {
    let (info, input) = Input::File(path.to_owned()).probe(programs).unwrap();
    let mut decoder = Decoder::start(programs, &info, input, options).unwrap();
    let mut frames = Vec::new();
    while let Some(frame) = decoder.next_frame().unwrap() {
        frames.push(frame);
    }
    (info, frames, decoder.time_base().unwrap())
}

/// The film decoded, encoded in segments of `segment` frames, and put together again.
fn copied(
    programs: &Programs,
    from: &Path,
    to: &Path,
    segment: usize,
    options: &DecodeOptions,
) -> Vec<String> {
    let (info, frames, time_base) = decoded(programs, from, options);
    let container = Container::of_path(to).unwrap();
    let encoding = Encoding::choose(container, &EncodingOptions::default(), programs).unwrap();
    let size = (frames[0].picture.width(), frames[0].picture.height());
    let shape = FilmShape { size, aspect: info.aspect, time_base, rate: info.rate };
    let folder = to.parent().unwrap();
    let mut segments = Vec::new();
    for (index, frames) in frames.chunks(segment).enumerate() {
        let name = format!("{index:05}.nut");
        let target = folder.join(&name);
        let mut encoder = Encoder::start(programs, shape, &encoding, EncodeTarget::Segment(&target)).unwrap();
        for frame in frames {
            encoder.write(&frame.picture, frame.ticks).unwrap();
        }
        encoder.finish().unwrap();
        segments.push(Segment { name, first_ticks: frames[0].ticks });
    }
    let original = Original { info: &info, start_s: options.start_s, duration_s: options.duration_s };
    let assembly = Assembly {
        folder,
        segments: &segments,
        time_base,
        encoding: &encoding,
        original: Some(original),
        ends_after_s: None,
        container,
        target: to,
    };
    assembly.write(programs).unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn times_sound_and_colours_survive_segments() {
    let Some((programs, folder)) = studio() else { return };
    let (from, to) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    clips::with_sound(&from, (160, 90), 60);
    let notes = copied(&programs, &from, &to, 25, &DecodeOptions::default());
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!(clips::times(&to), clips::times(&from));
    assert_eq!(clips::stream_hash(&to, "a:0"), clips::stream_hash(&from, "a:0"));
    let stream = clips::stream(&to, "v");
    for (key, value) in
        [("color_space", "bt709"), ("color_range", "tv"), ("pix_fmt", "yuv420p"), ("codec_name", "h264")]
    {
        assert_eq!(stream[key], value, "{key}");
    }
}

#[test]
fn uneven_times_are_kept_to_the_tick() {
    let Some((programs, folder)) = studio() else { return };
    let (from, to) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    // Drops every third frame and some more, in the odd time base of American television.
    clips::draw(
        "-f lavfi -i testsrc2=size=64x48:rate=30000/1001 -frames:v 120 -vf select='mod(n,3)*not(eq(mod(n,17),5))' \
         -fps_mode vfr -c:v libx264 -video_track_timescale 30000",
        &from,
    );
    copied(&programs, &from, &to, 20, &DecodeOptions::default());
    let (times, _) = clips::times(&from);
    assert!(times.windows(3).any(|three| three[1] - three[0] != three[2] - three[1]), "{times:?}");
    // ffmpeg lets a film begin at nothing.
    let since_first = |path| clips::times(path).0.iter().map(|time| time - times[0]).collect::<Vec<_>>();
    let shift = times[0] - clips::times(&to).0[0];
    assert_eq!(since_first(&to).iter().map(|time| time + shift).collect::<Vec<_>>(), since_first(&from));
    assert_eq!(clips::times(&to).1, "1/30000");
}

#[test]
fn pictures_that_begin_after_the_sound_still_do() {
    let Some((programs, folder)) = studio() else { return };
    let (from, to) = (folder.path().join("a.mkv"), folder.path().join("b.mkv"));
    clips::draw(
        "-itsoffset 0.48 -f lavfi -i testsrc2=size=64x48:rate=25:duration=1 -f lavfi -i sine=duration=2 -c:v libx264 \
         -c:a aac",
        &from,
    );
    copied(&programs, &from, &to, 10, &DecodeOptions::default());
    let lag = |path: &Path| {
        let sound = clips::stream(path, "a")["start_time"].as_str().unwrap().parse::<f64>().unwrap();
        clips::seconds(path)[0] - sound
    };
    assert!((lag(&from) - lag(&to)).abs() < 0.0015 && lag(&to) > 0.4, "{} {}", lag(&from), lag(&to));
}

#[test]
fn turned_films_come_upright_and_odd_sizes_become_even() {
    let Some((programs, folder)) = studio() else { return };
    let at = |name: &str| folder.path().join(name);
    clips::silent(&at("a.mkv"), (61, 33), 3);
    clips::turned(&at("a.mkv"), &at("turned.mp4"));
    let (info, frames, _) = decoded(&programs, &at("turned.mp4"), &DecodeOptions::default());
    assert_eq!(info.size, (33, 61));
    assert_eq!((frames[0].picture.width(), frames[0].picture.height(), frames.len()), (33, 61, 3));
    copied(&programs, &at("turned.mp4"), &at("b.mp4"), 2, &DecodeOptions::default());
    let stream = clips::stream(&at("b.mp4"), "v");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(34), Some(62)));
    assert!(stream["side_data_list"].is_null(), "it is upright, and need not be turned");
}

#[test]
fn colours_mean_what_the_file_says() {
    let Some((programs, folder)) = studio() else { return };
    for (matrix, range) in [("bt709", "tv"), ("smpte170m", "tv"), ("bt709", "pc"), ("bt2020nc", "tv")] {
        let path = folder.path().join("a.mkv");
        let scale = if matrix == "bt2020nc" { "bt2020" } else { matrix };
        clips::draw(
            &format!(
                "-f lavfi -i color=0xC86432:size=64x64:rate=25 -frames:v 1 \
                 -vf format=rgb24,scale=out_color_matrix={scale}:out_range={range},format=yuv444p -c:v ffv1 \
                 -colorspace {matrix} -color_range {range}"
            ),
            &path,
        );
        let (_, frames, _) = decoded(&programs, &path, &DecodeOptions::default());
        let middle = &frames[0].picture.rgb()[3 * (32 * 64 + 32)..][..3];
        let expected = [0xC8u8, 0x64, 0x32];
        assert!(middle.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2), "{matrix} {range}: {middle:?}");
    }
}

#[test]
fn high_dynamic_range_is_brought_down() {
    let Some((programs, folder)) = studio() else { return };
    let path = folder.path().join("a.mkv");
    // Code 596 of 10 bits is about 203 cd/m2, white on paper; 940 is 10000.
    let frame = |luma: u32| {
        clips::draw(
            &format!(
                "-f lavfi -i color=black:size=64x64:rate=25 -frames:v 1 -vf \
                 format=yuv420p10le,geq=lum={luma}:cb=512:cr=512 -c:v ffv1 -color_trc smpte2084 -color_primaries bt2020 \
                 -colorspace bt2020nc -color_range tv"
            ),
            &path,
        );
        let (info, frames, _) = decoded(&programs, &path, &DecodeOptions::default());
        assert!(info.colour.is_hdr() && !film::looks_flat(&info, &programs));
        frames[0].picture.rgb()[3 * (32 * 64 + 32) + 1]
    };
    let (dark, white, bright) = (frame(64), frame(573), frame(900));
    assert!(dark <= 2 && (140..=225).contains(&white) && bright > white + 20, "{dark} {white} {bright}");
}

#[test]
fn a_part_is_what_was_asked_for() {
    let Some((programs, folder)) = studio() else { return };
    let (from, to) = (folder.path().join("a.mp4"), folder.path().join("b.mp4"));
    clips::with_sound(&from, (64, 48), 100);
    let options = DecodeOptions {
        start_s: Some(1.0),
        duration_s: Some(2.0),
        size: Some((32, 24)),
        ..Default::default()
    };
    copied(&programs, &from, &to, 30, &options);
    assert_eq!(clips::seconds(&to).len(), 50);
    let stream = clips::stream(&to, "v");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(32), Some(24)));
    let sound: f64 = clips::stream(&to, "a")["duration"].as_str().unwrap().parse().unwrap();
    assert!((sound - 2.0).abs() < 0.05, "{sound}");
    let (_, frames, _) =
        decoded(&programs, &from, &DecodeOptions { rate: Some("10".parse().unwrap()), ..options });
    assert_eq!(frames.len(), 20);
}

#[test]
fn what_is_no_film_is_told() {
    let Some((programs, folder)) = studio() else { return };
    let at = |name: &str| folder.path().join(name);
    clips::with_sound(&at("a.mp4"), (64, 48), 50);
    // The table of contents is at the end of the file.
    let bytes = std::fs::read(at("a.mp4")).unwrap();
    std::fs::write(at("cut.mp4"), &bytes[..bytes.len() / 2]).unwrap();
    std::fs::write(at("text.mp4"), "no film").unwrap();
    clips::draw("-f lavfi -i sine=duration=1", &at("sound.m4a"));
    let error = |name: &str| Input::File(at(name)).probe(&programs).unwrap_err().to_string();
    assert!(error("cut.mp4").contains("moov atom not found"), "{}", error("cut.mp4"));
    assert!(error("text.mp4").contains("Invalid data"), "{}", error("text.mp4"));
    assert!(error("sound.m4a").contains("no video"), "{}", error("sound.m4a"));
    assert!(error("none.mp4").contains("No such file"), "{}", error("none.mp4"));
}

#[test]
fn a_full_disk_is_told_in_ffmpegs_words() {
    let Some((programs, _folder)) = studio() else { return };
    if !Path::new("/dev/full").exists() {
        return;
    }
    let encoding = Encoding::choose(Container::Mp4, &EncodingOptions::default(), &programs).unwrap();
    let time_base = TimeBase { numerator: 1, denominator: 25 };
    let shape = FilmShape { size: (320, 240), aspect: film::SampleAspect::SQUARE, time_base, rate: None };
    let target = EncodeTarget::Segment(Path::new("/dev/full"));
    let mut encoder = Encoder::start(&programs, shape, &encoding, target).unwrap();
    let noise = (0..320 * 240 * 3u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let picture = pixel::Picture::from_rgb(320, 240, noise).unwrap();
    let written = (0..60).try_for_each(|time| encoder.write(&picture, time));
    let error = written.and_then(|()| encoder.finish()).unwrap_err();
    assert!(matches!(error, FilmError::Ended { .. }));
    assert!(error.to_string().contains("No space left on device"), "{error}");
}
