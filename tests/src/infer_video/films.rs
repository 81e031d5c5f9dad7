//! A film in, a film out: what is kept and what changes.

use std::fs;

use super::{CuttingRoom, SMALL, frames, lasts};
use crate::support::programs::Finished;

#[test]
fn a_film_keeps_its_frames_its_times_and_its_sound() {
    let Some(room) = CuttingRoom::new() else { return };
    let (from, to) = (room.path("a.mp4"), room.path("a.blue.mp4"));
    clips::with_sound(&from, SMALL, 50);
    let original = fs::read(&from).unwrap();
    let finished = room.video(&["a.mp4"]);
    assert_eq!(finished.expect_success().stdout(), "a.blue.mp4\n");
    assert_eq!(finished.stderr(), "");
    assert_eq!(clips::times(&to), clips::times(&from));
    assert_eq!(clips::stream_hash(&to, "a:0"), clips::stream_hash(&from, "a:0"));
    for kind in ["v", "a"] {
        let (before, after) = (lasts(&from, kind), lasts(&to, kind));
        assert!((before - after).abs() <= 0.04, "{kind}: {before} s became {after} s");
    }
    let stream = clips::stream(&to, "v");
    for (key, value) in [
        ("codec_name", "h264"),
        ("pix_fmt", "yuv420p"),
        ("color_range", "tv"),
        ("color_space", "bt709"),
        ("color_transfer", "bt709"),
        ("color_primaries", "bt709"),
    ] {
        assert_eq!(stream[key], value, "{key}");
    }
    assert_ne!(clips::pixels(&to), clips::pixels(&from), "it was painted");
    assert_eq!(fs::read(&from).unwrap(), original, "the original is untouched");
    assert_eq!(room.names("").iter().filter(|name| name.starts_with("a.")).count(), 2, "no parts are left");
}

#[test]
fn odd_sides_get_their_last_pixels_twice() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mp4"), (481, 271), 1);
    room.video(&["a.mp4", "-o", "b.mp4", "--crf", "0"]).expect_success();
    let stream = clips::stream(&room.path("b.mp4"), "v");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(482), Some(272)));
    let pixels = clips::pixels(&room.path("b.mp4"));
    assert_eq!(pixels.len(), 482 * 272 * 3);
    let row = |y: usize| &pixels[y * 482 * 3..][..482 * 3];
    let apart = |one: &[u8], two: &[u8]| {
        one.iter().zip(two).map(|(one, two)| f64::from(one.abs_diff(*two))).sum::<f64>() / one.len() as f64
    };
    // Brightness is without loss; colours are shared by four pixels.
    assert!(apart(row(270), row(271)) < 2.0, "{}", apart(row(270), row(271)));
    let column = |x: usize| (0..272).flat_map(|y| row(y)[3 * x..][..3].to_vec()).collect::<Vec<u8>>();
    assert!(apart(&column(480), &column(481)) < 2.0, "{}", apart(&column(480), &column(481)));
}

#[test]
fn one_frame_is_a_film() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mkv"), SMALL, 1);
    let finished = room.video(&["a.mkv", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&finished.expect_success().stdout()).unwrap();
    assert_eq!(frames(&room.path("a.blue.mkv")), 1);
    assert_eq!(told["output"], "a.blue.mkv");
    for (key, value) in
        [("frames", 1), ("frames_done_before", 0), ("width", 64), ("height", 48), ("scene_cuts", 0)]
    {
        assert_eq!(told[key], value, "{key}");
    }
    assert!(told["seconds"].as_f64().unwrap() > 0.0 && told["frames_per_second"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_turned_film_is_painted_upright() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mp4"), SMALL, 3);
    clips::turned(&room.path("a.mp4"), &room.path("turned.mp4"));
    room.video(&["turned.mp4", "-o", "b.mp4"]).expect_success();
    let stream = clips::stream(&room.path("b.mp4"), "v");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(48), Some(64)));
    assert!(stream["side_data_list"].is_null(), "{stream}");
}

#[test]
fn uneven_times_are_kept() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::draw(
        "-f lavfi -i testsrc2=size=64x48:rate=30000/1001 -frames:v 40 -vf select='mod(n,3)*not(eq(mod(n,17),5))' \
         -fps_mode vfr -c:v libx264 -video_track_timescale 30000",
        &room.path("a.mp4"),
    );
    room.video(&["a.mp4", "-o", "b.mp4"]).expect_success();
    let since_first = |name: &str| {
        let (times, base) = clips::times(&room.path(name));
        (times.iter().map(|time| time - times[0]).collect::<Vec<_>>(), base)
    };
    let (times, base) = since_first("a.mp4");
    assert!(times.windows(3).any(|three| three[1] - three[0] != three[2] - three[1]), "{times:?}");
    assert_eq!(since_first("b.mp4"), (times, base));
}

#[test]
fn a_part_at_another_rate_and_size() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::with_sound(&room.path("a.mp4"), SMALL, 75);
    room.video(&["a.mp4", "-o", "part.mp4", "--start", "0:01", "--duration", "1"]).expect_success();
    assert_eq!(frames(&room.path("part.mp4")), 25);
    let sound_s = lasts(&room.path("part.mp4"), "a");
    assert!((sound_s - 1.0).abs() < 0.05, "{sound_s}");
    room.video(&["a.mp4", "-o", "small.mp4", "--fps", "10", "--max-size", "32"]).expect_success();
    let small = room.path("small.mp4");
    let steps: Vec<f64> = clips::seconds(&small).windows(2).map(|two| two[1] - two[0]).collect();
    assert!(steps.len() == 29 && steps.iter().all(|step| (step - 0.1).abs() < 1e-3), "{steps:?}");
    let stream = clips::stream(&small, "v");
    assert_eq!((stream["width"].as_u64(), stream["height"].as_u64()), (Some(32), Some(24)));
    let behind = room.video(&["a.mp4", "-o", "none.mp4", "--start", "100"]);
    behind.expect_error(1, &["no frames in it", "a.mp4"]);
    assert!(!room.exists("none.mp4") && !room.exists("none.mp4.parts"));
}

#[test]
fn subtitles_chapters_and_tags_go_along() {
    let Some(room) = CuttingRoom::new() else { return };
    let text =
        "1\n00:00:00,200 --> 00:00:00,900\nGood evening\n\n2\n00:00:01,000 --> 00:00:01,500\nGood night\n";
    fs::write(room.path("a.srt"), text).unwrap();
    let tags = ";FFMETADATA1\ntitle=Evening\nartist=Somebody\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=One\n\
                [CHAPTER]\nTIMEBASE=1/1000\nSTART=1000\nEND=2000\ntitle=Two\n";
    fs::write(room.path("tags.txt"), tags).unwrap();
    let at = |name: &str| room.path(name).display().to_string();
    clips::draw(
        &format!(
            "-f lavfi -i testsrc=size=64x48:rate=25 -f lavfi -i sine=frequency=440 -i {} -i {} -t 2 -map 0 -map 1 -map 2 \
             -map_metadata 3 -map_chapters 3 -c:v libx264 -c:a pcm_s16le -c:s srt -metadata:s:a language=deu",
            at("a.srt"),
            at("tags.txt")
        ),
        &room.path("a.mkv"),
    );
    let finished = room.video(&["a.mkv", "-o", "b.mp4"]);
    let notes = finished.expect_success().stderr();
    assert!(
        notes.contains("sound in pcm_s16le became aac") && notes.contains("subtitles in subrip"),
        "{notes}"
    );
    let to = room.path("b.mp4");
    assert_eq!(clips::stream(&to, "a")["codec_name"], "aac");
    assert_eq!(clips::stream(&to, "a")["tags"]["language"], "deu");
    assert_eq!(clips::stream(&to, "s")["codec_name"], "mov_text");
    let told = clips::probed(&to, &["-show_format", "-show_chapters"]);
    assert_eq!(told["format"]["tags"]["title"], "Evening");
    assert_eq!(told["format"]["tags"]["artist"], "Somebody");
    let titles: Vec<_> = told["chapters"].as_array().unwrap().iter().map(|it| &it["tags"]["title"]).collect();
    assert_eq!(titles, ["One", "Two"]);
    clips::draw(&format!("-i {} -map 0:s:0", to.display()), &room.path("b.srt"));
    let said = fs::read_to_string(room.path("b.srt")).unwrap();
    assert!(said.contains("Good evening") && said.contains("Good night"), "{said}");

    room.video(&["a.mkv", "-o", "c.mkv"]).expect_success();
    for stream in ["a:0", "s:0"] {
        let hash = |name: &str| clips::stream_hash(&room.path(name), stream);
        assert_eq!(hash("c.mkv"), hash("a.mkv"), "{stream}: Matroska takes it as it is");
    }
}

#[test]
fn files_may_be_called_as_they_like() {
    let Some(room) = CuttingRoom::new() else { return };
    clips::silent(&room.path("a.mp4"), SMALL, 3);
    for name in ["12:30.mp4", "-i.mp4", "50%d 'q' é.mp4"] {
        fs::copy(room.path("a.mp4"), room.path(name)).unwrap();
        let finished = Finished(room.command(&[]).args(["--", name]).output().unwrap());
        let painted = name.replace(".mp4", ".blue.mp4");
        assert_eq!(finished.expect_success().stdout(), format!("{painted}\n"));
        assert_eq!(frames(&room.path(&painted)), 3);
    }
}
