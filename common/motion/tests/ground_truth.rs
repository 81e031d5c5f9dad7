//! The estimated flow beside ground truth, where there is some: `ATELIER_FLOW_GT` names a folder of folders with
//! `frame0.png`, `frame1.png` and `flow_0_to_1.flo`, such as pairs of Middlebury and Sintel.

#![expect(clippy::print_stderr, reason = "the errors found are worth reading")]

use std::path::PathBuf;

use motion::{Effort, Estimator, Flow, read_flo};
use pixel::{DecodeLimits, decode_file};

/// The mean lengths, in pixels, of the error and of the true motion.
fn end_point_error(found: &Flow, truth: &Flow) -> (f64, f64) {
    let (mut error, mut motion, mut known) = (0.0, 0.0, 0.0);
    let pairs = found.u().iter().zip(found.v()).zip(truth.u().iter().zip(truth.v()));
    for ((&u, &v), (&true_u, &true_v)) in pairs.filter(|(_, (true_u, _))| !true_u.is_nan()) {
        error += f64::from((u - true_u).hypot(v - true_v));
        motion += f64::from(true_u.hypot(true_v));
        known += 1.0;
    }
    (error / known, motion / known)
}

#[test]
fn estimates_are_near_the_truth() {
    let Some(folder) = std::env::var_os("ATELIER_FLOW_GT").map(PathBuf::from) else {
        eprintln!("passed over: ATELIER_FLOW_GT names no folder of pairs with ground truth");
        return;
    };
    let pairs = std::fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("readable").path());
    let mut pairs: Vec<PathBuf> = pairs.filter(|pair| pair.join("flow_0_to_1.flo").is_file()).collect();
    pairs.sort();
    assert!(!pairs.is_empty(), "no pairs with flow_0_to_1.flo in {}", folder.display());
    for pair in pairs {
        let photo = |name: &str| decode_file(pair.join(name), &DecodeLimits::default()).expect("a picture");
        let (from, to) = (photo("frame0.png"), photo("frame1.png"));
        let truth = read_flo(pair.join("flow_0_to_1.flo")).expect("a flow");
        let name = pair.file_name().unwrap_or_default().display();
        for (effort, most) in [(Effort::Light, 0.3), (Effort::Careful, 0.2)] {
            let (found, _) = Estimator::new(effort).both_ways(&from, &to);
            let (error, motion) = end_point_error(&found, &truth);
            eprintln!("{name}, {effort:?}: {error:.3} px of {motion:.3}");
            assert!(error < most * motion, "{name}, {effort:?}: {error:.3} px of {motion:.3}");
        }
    }
}
