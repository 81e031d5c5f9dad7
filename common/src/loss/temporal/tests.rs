use proptest::prelude::*;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;
use tch::Device;

use super::*;

fn key(seed: u64) -> MotionKey {
    MotionKey { seed, step: 3, batch: 1 }
}

/// Smooth, as photos are, in 0..255.
fn picture(size: [i64; 4], seed: u64) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let coarse: Vec<f32> = (0..size[0] * 3 * 25).map(|_| rng.random::<f32>() * 255.0).collect();
    Tensor::from_slice(&coarse).view([size[0], 3, 5, 5]).upsample_bilinear2d(
        [size[2], size[3]],
        true,
        None,
        None,
    )
}

/// Everything moves by as much.
fn shift(size: [i64; 4], [across, down]: [f64; 2]) -> Motion {
    let plane = |value: f64| Tensor::full([size[0], 1, size[2], size[3]], value, (Kind::Float, Device::Cpu));
    Motion::new(Tensor::cat(&[plane(across), plane(down)], 1), None)
}

fn value(loss: &Tensor) -> f64 {
    loss.double_value(&[])
}

fn largest(x: &Tensor) -> f64 {
    x.abs().max().double_value(&[])
}

#[test]
fn what_stands_still_and_is_painted_alike_has_no_loss() {
    let size = [2, 3, 20, 28];
    let (painted, still) = (picture(size, 1), shift(size, [0.0, 0.0]));
    assert_eq!(value(&still.visible().mean(Kind::Float)), 1.0);
    assert!(largest(&(still.move_photos(&painted) - &painted)) < 1e-3);
    assert!(value(&temporal_loss(&painted, &painted, &still)) < 1e-9);
}

#[test]
fn a_difference_of_the_whole_range_is_a_loss_of_one() {
    let size = [1, 3, 9, 12];
    let (black, white) =
        (Tensor::zeros(size, tch::kind::FLOAT_CPU), Tensor::full(size, 255.0, tch::kind::FLOAT_CPU));
    let loss = value(&temporal_loss(&black, &white, &shift(size, [2.5, -1.0])));
    assert!((loss - 1.0).abs() < 1e-6, "{loss}");
}

#[test]
fn what_leaves_the_frame_does_not_count() {
    let size = [1, 3, 16, 16];
    let painted = picture(size, 2);
    let motion = shift(size, [3.0, 0.0]);
    let moved = motion.warp(&painted);
    // The last three columns look beyond the frame.
    let mut disturbed = moved.narrow(3, 13, 3);
    disturbed += 100.0;
    assert!(value(&temporal_loss(&painted, &moved, &motion)) < 1e-9);
    let (_, [_, of_moved]) = temporal_loss_and_gradients(&painted, &(&moved + 1.0), &motion, 1.0);
    assert_eq!(largest(&of_moved.narrow(3, 13, 3)), 0.0);
    assert!(largest(&of_moved.narrow(3, 0, 13)) > 0.0);
}

#[test]
fn by_hand_and_autograd_agree() {
    for (seed, size) in [[2, 3, 32, 48], [3, 3, 21, 17]].into_iter().enumerate() {
        let seed = seed as u64;
        let motion = Motion::draw(key(seed), [size[0], size[2], size[3]], 3.0, Device::Cpu);
        let pictures = [5, 9].map(|base| picture(size, base + seed).set_requires_grad(true));
        let [painted, moved] = &pictures;
        let loss = temporal_loss(painted, moved, &motion);
        let expected = Tensor::run_backward(&[&(&loss * 7.0)], &[painted, moved], false, false);
        let (found_loss, found) =
            temporal_loss_and_gradients(&painted.detach(), &moved.detach(), &motion, 7.0);
        assert!(!found_loss.requires_grad() && found.iter().all(|gradient| !gradient.requires_grad()));
        assert!((value(&found_loss) / value(&loss) - 1.0).abs() < 1e-6);
        for (expected, found) in expected.iter().zip(&found) {
            let error = value(&(expected - found).norm()) / value(&expected.norm());
            assert!(error < 1e-6, "{size:?}: off by {error:e}");
        }
    }
}

#[test]
fn gradients_are_those_of_finite_differences() {
    let size = [1, 3, 12, 10];
    let motion = Motion::draw(key(4), [1, 12, 10], 0.0, Device::Cpu);
    let pictures = [1, 2].map(|seed| picture(size, seed));
    let (_, gradients) = temporal_loss_and_gradients(&pictures[0], &pictures[1], &motion, 1.0);
    for which in [0, 1] {
        let direction = picture(size, 7) - 127.5;
        let loss_at = |along: f64| {
            let mut changed = pictures.each_ref().map(Tensor::shallow_clone);
            changed[which] = &changed[which] + &direction * along;
            value(&temporal_loss(&changed[0], &changed[1], &motion))
        };
        let expected = (loss_at(0.01) - loss_at(-0.01)) / 0.02;
        let found = value(&(&gradients[which] * &direction).sum(Kind::Float));
        assert!((found / expected - 1.0).abs() < 1e-2, "{found} and {expected}");
    }
}

#[test]
fn a_key_decides_the_motion_and_each_part_of_it_matters() {
    let moved = |key, noise| {
        Motion::draw(key, [2, 24, 24], noise, Device::Cpu).move_photos(&picture([2, 3, 24, 24], 1))
    };
    let first = MotionKey { seed: 1, step: 2, batch: 3 };
    assert!(moved(first, 4.0).equal(&moved(first, 4.0)));
    for other in
        [MotionKey { seed: 2, ..first }, MotionKey { step: 3, ..first }, MotionKey { batch: 0, ..first }]
    {
        assert!(!moved(first, 4.0).equal(&moved(other, 4.0)), "{other:?}");
    }
    assert!(!moved(first, 4.0).equal(&moved(first, 0.0)));
}

#[test]
fn noise_has_no_mean_and_at_most_the_deviation_that_is_asked_for() {
    let grey = Tensor::full([64, 3, 32, 32], 128.0, tch::kind::FLOAT_CPU);
    let noise = Motion::draw(key(1), [64, 32, 32], 10.0, Device::Cpu).move_photos(&grey) - 128.0;
    let each = Vec::<f64>::try_from(
        noise.flatten(1, 3).std_dim([1i64].as_slice(), true, false).to_kind(Kind::Double),
    )
    .unwrap();
    assert!(value(&noise.mean(Kind::Float)).abs() < 0.2);
    assert!(each.iter().all(|&deviation| deviation < 10.5), "{each:?}");
    assert!(each.iter().any(|&deviation| deviation > 8.0) && each.iter().any(|&deviation| deviation < 2.0));
}

#[test]
fn motions_are_smooth_of_a_frame_s_size_and_grow_with_the_crop() {
    for side in [64, 256] {
        let scale = side as f64 / 256.0;
        let motion = Motion::draw(key(5), [96, side, side], 0.0, Device::Cpu);
        let displacement = motion.displacement();
        let lengths =
            displacement.square().sum_dim_intlist([1i64].as_slice(), false, Kind::Float).sqrt() / scale;
        let (mean, most) = (value(&lengths.mean(Kind::Float)), value(&lengths.max()));
        assert!((2.0..12.0).contains(&mean) && most < 50.0, "{side}: mean {mean}, at most {most}");
        // Neighbours keep their order: nothing folds.
        for (axis, channel) in [(3, 0), (2, 1)] {
            let plane = displacement.narrow(1, channel, 1);
            let step = plane.narrow(axis, 1, side - 1) - plane.narrow(axis, 0, side - 1);
            assert!(largest(&step) < 0.7, "{side}: {}", largest(&step));
        }
        let visible = value(&motion.visible().mean(Kind::Float));
        assert!((0.85..1.0).contains(&visible), "{visible}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_shift_by_whole_pixels_is_a_crop(across in -6i64..7, down in -6i64..7) {
        let (height, width) = (15, 19);
        let size = [2, 3, height, width];
        let photo = picture(size, 3);
        let motion = shift(size, [across as f64, down as f64]);
        let moved = motion.move_photos(&photo);
        // The part of the moved picture that shows what is in the frame, and that part of the photo.
        let part = |picture: &Tensor, sign: i64| picture
            .narrow(3, (sign * across).max(0), width - across.abs())
            .narrow(2, (sign * down).max(0), height - down.abs());
        prop_assert!(largest(&(part(&moved, -1) - part(&photo, 1))) < 2e-3);
        let expected = ((width - across.abs()) * (height - down.abs())) as f64;
        prop_assert_eq!(value(&motion.visible().select(0, 0).sum(Kind::Float)), expected);
        prop_assert_eq!(value(&part(motion.visible(), -1).mean(Kind::Float)), 1.0);
    }

    #[test]
    fn whatever_is_visible_lies_in_the_frame(seed in 0u64..1000, height in 1i64..40, width in 1i64..40) {
        let motion = Motion::draw(key(seed), [3, height, width], 0.0, Device::Cpu);
        let line = |side| Tensor::arange(side, tch::kind::FLOAT_CPU);
        let x = line(width).view([1, 1, 1, width]) + motion.displacement().narrow(1, 0, 1);
        let y = line(height).view([1, 1, height, 1]) + motion.displacement().narrow(1, 1, 1);
        let beyond = |place: &Tensor, last: i64| {
            (place.neg().clamp_min(0.0) + (place - last as f64).clamp_min(0.0)) * motion.visible()
        };
        prop_assert!(largest(&beyond(&x, width - 1)) < 1e-3);
        prop_assert!(largest(&beyond(&y, height - 1)) < 1e-3);
        let photo = picture([3, 3, height, width], seed);
        let moved = motion.move_photos(&photo);
        prop_assert_eq!(moved.size(), photo.size());
        prop_assert!(moved.isfinite().all().int64_value(&[]) == 1);
    }
}
