//! Ctrl-C in the middle of a folder.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Darkroom;
use crate::support::programs::infer_command;
use crate::support::scenes;

#[test]
fn ctrl_c_leaves_whole_pictures_and_the_rest_is_gone_on_with() {
    const PHOTOS: usize = 40;
    let darkroom = Darkroom::new();
    std::fs::create_dir(darkroom.path("trip")).unwrap();
    scenes::save(&scenes::rectangles(400, 300, 1), &darkroom.path("trip/p00.png"));
    for photo in 1..PHOTOS {
        std::fs::copy(darkroom.path("trip/p00.png"), darkroom.path(&format!("trip/p{photo:02}.png")))
            .unwrap();
    }
    let mut command = infer_command(darkroom.folder.path());
    command.args(["image", "trip", "-o", "out", "--style", "blue.safetensors"]);
    let mut running = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while !darkroom.path("out/p02.blue.png").exists() {
        assert!(start.elapsed() < Duration::from_mins(1), "no picture after a minute");
        std::thread::sleep(Duration::from_millis(2));
    }
    Command::new("kill").args(["-INT", &running.id().to_string()]).status().unwrap();
    assert_eq!(running.wait().unwrap().code(), Some(130));

    let written = darkroom.files("out");
    assert!(written.len() < PHOTOS, "it was interrupted");
    let stdout = std::io::read_to_string(running.stdout.take().unwrap()).unwrap();
    let said: Vec<&str> = stdout.lines().map(|line| line.strip_prefix("out/").unwrap()).collect();
    assert_eq!(said, written, "what is there has been said, and nothing else is there");
    let expected = darkroom.picture("out/p00.blue.png");
    for name in written {
        assert!(darkroom.picture(&format!("out/{name}")) == expected, "{name}");
    }
    darkroom.image(&["trip", "-o", "out", "--skip-existing", "--quiet"]).expect_success();
    assert_eq!(darkroom.files("out").len(), PHOTOS);
}
