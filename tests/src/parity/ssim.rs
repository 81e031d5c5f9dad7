//! Structural similarity, by scikit-image's.

use common::metric::ssim;
use tch::Tensor;

use super::golden::Golden;
use super::hashed;

/// Both sides calculate in float64; the golden is stored in float32.
const TOLERANCE: f64 = 1e-6;
const HEIGHT: i64 = 33;
const WIDTH: i64 = 47;

#[test]
fn structural_similarity_of_unlike_like_and_inverted_pictures() {
    let golden = Golden::open("ssim");
    let noise = |name: &str| hashed::bytes(&format!("ssim.{name}"), &[1, 1, HEIGHT, WIDTH]);
    golden.check_head("ssim.a", &noise("a"));
    let blocks = hashed::bytes("ssim.blocks.a", &[1, 1, 7, 10])
        .repeat_interleave_self_int(5, 2, None)
        .repeat_interleave_self_int(5, 3, None)
        .narrow(2, 0, HEIGHT)
        .narrow(3, 0, WIDTH)
        .to_kind(tch::Kind::Double);
    let check = |name: &str, a: &Tensor, b: &Tensor| {
        golden.check(name, &ssim(a, b).to_kind(tch::Kind::Float), TOLERANCE);
    };
    check("unlike", &noise("a"), &noise("b"));
    check("structured", &blocks, &(&blocks * 0.8 + noise("a").to_kind(tch::Kind::Double) * 0.2));
    check("inverted", &blocks, &(255.0 - &blocks));
}
