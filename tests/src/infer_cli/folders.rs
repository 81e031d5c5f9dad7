//! Folders, patterns, several styles, and outputs that are there.

use super::Darkroom;

#[test]
fn a_folder_is_painted_into_a_tree_of_its_own() {
    let darkroom = Darkroom::new();
    for (seed, photo) in
        ["trip/a.jpg", "trip/day 1/ü.png", "trip/.hidden.jpg", "trip/.cache/c.jpg"].iter().enumerate()
    {
        darkroom.add_photo(photo, seed as u64);
    }
    std::fs::write(darkroom.path("trip/notes.txt"), "").unwrap();
    let finished = darkroom.image(&["trip", "--recursive", "-o", "painted"]);
    finished.expect_success();
    assert_eq!(finished.stdout(), "painted/a.blue.jpg\npainted/day 1/ü.blue.png\n");
    assert_eq!(finished.stderr(), "", "no bar where stderr is no terminal");
    assert_eq!(darkroom.files("painted"), ["a.blue.jpg", "day 1/ü.blue.png"]);
    darkroom.image(&["trip", "-o", "flat/"]).expect_success();
    assert_eq!(darkroom.files("flat"), ["a.blue.jpg"]);
}

#[test]
fn a_folder_is_gone_on_with() {
    let darkroom = Darkroom::new();
    darkroom.add_photo("trip/a.png", 1);
    darkroom.image(&["trip"]).expect_success();
    let first = std::fs::read(darkroom.path("trip/a.blue.png")).unwrap();
    std::fs::write(darkroom.path("trip/a.blue.png"), "kept").unwrap();
    darkroom.add_photo("trip/b.png", 2);
    std::fs::write(darkroom.path("trip/c.png"), "no picture").unwrap();

    darkroom.image(&["trip"]).expect_error(1, &["there already", "--skip-existing", "trip/a.blue.png"]);
    assert!(!darkroom.path("trip/b.blue.png").exists(), "nothing is painted where something is in the way");
    let finished = darkroom.image(&["trip", "--skip-existing", "--quiet"]);
    assert_eq!(finished.status(), Some(3));
    assert_eq!(finished.stdout(), "trip/b.blue.png\n");
    assert!(finished.stderr().starts_with("error: trip/c.png: not a picture"), "{}", finished.stderr());
    assert_eq!(std::fs::read(darkroom.path("trip/a.blue.png")).unwrap(), b"kept");

    std::fs::remove_file(darkroom.path("trip/c.png")).unwrap();
    let finished = darkroom.image(&["trip", "--skip-existing"]);
    assert!(
        finished.expect_success().stderr().contains("their outputs are there: 2"),
        "{}",
        finished.stderr()
    );
    darkroom.image(&["trip", "--overwrite"]).expect_success();
    assert_eq!(
        std::fs::read(darkroom.path("trip/a.blue.png")).unwrap(),
        first,
        "the same photo, the same picture"
    );
    assert_eq!(darkroom.image(&["trip", "--overwrite", "--skip-existing"]).status(), Some(2));
}

#[test]
fn patterns_that_no_shell_expanded() {
    let darkroom = Darkroom::new();
    for (seed, photo) in ["a1.jpg", "a2.jpg", "b[1].jpg"].iter().enumerate() {
        darkroom.add_photo(photo, seed as u64);
    }
    let finished = darkroom.image(&["a*.jpg", "b[1].jpg"]);
    assert_eq!(finished.expect_success().stdout(), "a1.blue.jpg\na2.blue.jpg\nb[1].blue.jpg\n");
    let finished = darkroom.image(&["a?.*", "--overwrite"]);
    assert_eq!(finished.expect_success().stdout(), "a1.blue.jpg\na2.blue.jpg\n", "not their outputs");
    darkroom.image(&["z*.jpg"]).expect_error(1, &["no pictures to paint match", "z*.jpg"]);
}

#[test]
fn several_styles_make_a_picture_each() {
    let darkroom = Darkroom::new();
    darkroom.add_style("red", 2);
    std::fs::write(darkroom.path("broken.jpg"), "no picture").unwrap();
    let styles = ["--style", "blue.safetensors", "--style", "red.safetensors"];
    let finished = darkroom.image(&[&["photo.png", "broken.jpg", "-o", "out/"], &styles[..]].concat());
    assert_eq!(finished.stdout(), "out/photo.blue.png\nout/photo.red.png\n");
    assert_eq!(finished.stderr().lines().count(), 1, "a broken photo is said once: {}", finished.stderr());
    assert_eq!(finished.status(), Some(3));
    assert_ne!(darkroom.picture("out/photo.blue.png"), darkroom.picture("out/photo.red.png"));
    darkroom.image(&["photo.png", "-o", "red/", "--style", "red.safetensors"]).expect_success();
    assert_eq!(darkroom.picture("red/photo.red.png"), darkroom.picture("out/photo.red.png"));
    let finished = darkroom.image(&[&["photo.png", "-o", "one.png"], &styles[..]].concat());
    finished.expect_error(1, &["one file for 2 pictures"]);
}

#[test]
fn formats_by_name() {
    let darkroom = Darkroom::new();
    darkroom.image(&["photo.png"]).expect_success();
    for (format, suffix, magic) in [
        ("jpg", "jpg", &b"\xff\xd8\xff"[..]),
        ("webp", "webp", b"RIFF"),
        ("tiff", "tif", b"II"),
        ("bmp", "bmp", b"BM"),
    ] {
        darkroom.image(&["photo.png", "--format", format]).expect_success();
        let name = format!("photo.blue.{suffix}");
        assert!(std::fs::read(darkroom.path(&name)).unwrap().starts_with(magic), "{name}");
        if suffix != "jpg" {
            assert_eq!(darkroom.picture(&name), darkroom.picture("photo.blue.png"), "{name}");
        }
    }
    darkroom
        .image(&["photo.png", "--format", "png", "-o", "new.jpg"])
        .expect_error(2, &["contradicts", "new.jpg"]);
    assert_eq!(darkroom.image(&["photo.png", "--format", "gif"]).status(), Some(2));
}
