//! A long film takes no more memory than a short one.

use std::fs;

use super::{CuttingRoom, awaited, frames};
use crate::support::programs::Finished;

/// The most memory that a process has held so far, in KiB.
fn peak_kib(id: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse().ok())
}

#[test]
fn memory_stays_flat_over_a_long_film() {
    const FRAMES: usize = 90 * 25;
    let Some(room) = CuttingRoom::new() else { return };
    clips::with_sound(&room.path("a.mp4"), (32, 24), FRAMES as u32);
    let mut running = room.start(&["a.mp4", "-o", "b.mp4"]);
    let (mut early, mut last) = (None, None);
    awaited("the film's end", || {
        last = peak_kib(running.id()).or(last);
        if early.is_none() && room.exists("b.mp4.parts/00000.nut") {
            early = last;
        }
        running.try_wait().unwrap()
    });
    let finished = Finished(running.wait_with_output().unwrap());
    finished.expect_success();
    assert_eq!(frames(&room.path("b.mp4")), FRAMES);
    let (early, last) = (early.expect("a first segment"), last.unwrap());
    assert!(last <= early + 8 * 1024, "{early} KiB after ten seconds of film, {last} KiB after ninety");
}
