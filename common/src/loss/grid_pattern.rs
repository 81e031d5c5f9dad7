//! The grid pattern: fine detail that repeats with the network's own grid, seen as a weave or a checkerboard.
//!
//! Style networks work on a quarter of the resolution and enlarge what comes of it. Which of the 4 x 4 places of that grid a
//! pixel has is the only thing that tells pixels of a plain surface apart, and a style loss that asks for the painting's grain
//! makes them use it. No paper has this loss; the measure is that of tests/src/collection.rs, taken in patches.

use tch::{Kind, Tensor};

/// Side of the grid's cells, in pixels.
const GRID: i64 = 4;

/// Cells along each side of the patches that a place of the grid is averaged over: enough for detail that knows nothing of the
/// grid to cancel out, few enough to find a pattern that one part of the picture has and another has turned round.
const PATCH_CELLS: i64 = 16;

/// How strongly the fine detail of a picture `[n, c, h, w]` repeats with the grid: each pixel less the mean of the 4 x 4 pixels
/// around it, averaged over all pixels of a patch that have the same place in their cell; the mean square of these 16 averages
/// about their mean. A scalar in squared levels, differentiable; 0 for a picture too small for a whole cell.
pub fn grid_pattern_loss(picture: &Tensor) -> Tensor {
    let (count, channels, height, width) = picture.size4().expect("a picture has four dimensions");
    // As many as there are places for the mean of 4 x 4.
    let (rows, columns) = ((height - GRID + 1) / GRID, (width - GRID + 1) / GRID);
    if rows < 1 || columns < 1 {
        return picture.new_zeros([1], (picture.kind(), picture.device())).squeeze();
    }
    let around = picture.avg_pool2d([GRID, GRID], [1, 1], [0, 0], false, true, None::<i64>);
    let cut =
        |tensor: &Tensor, from: i64| tensor.narrow(2, from, rows * GRID).narrow(3, from, columns * GRID);
    let fine = cut(picture, GRID / 2) - cut(&around, 0);
    let by_place = fine
        .reshape([count * channels, rows, GRID, columns, GRID])
        .permute([0, 2, 4, 1, 3])
        .reshape([count * channels, GRID * GRID, rows, columns]);
    let patches = [rows, columns].map(|cells| (cells + PATCH_CELLS - 1) / PATCH_CELLS);
    let pattern = by_place.adaptive_avg_pool2d(patches);
    let about_mean = &pattern - pattern.mean_dim([1i64].as_slice(), true, Kind::Float);
    about_mean.square().mean(Kind::Float)
}

/// [`grid_pattern_loss`] and `weight` times its gradient.
pub(super) fn grid_pattern_loss_and_gradient(picture: &Tensor, weight: f64) -> (Tensor, Tensor) {
    tch::with_grad(|| {
        let leaf = picture.detach().set_requires_grad(true);
        let loss = grid_pattern_loss(&leaf);
        let gradient = if loss.requires_grad() {
            Tensor::run_backward(&[&(&loss * weight)], &[&leaf], false, false).remove(0)
        } else {
            picture.zeros_like()
        };
        (loss.detach(), gradient)
    })
}

#[cfg(test)]
mod tests {
    use tch::kind::FLOAT_CPU;

    use super::*;
    use crate::noise::gaussian;

    /// Levels by the place in the cell, over the whole picture.
    fn woven(height: i64, width: i64, level: impl Fn(i64, i64) -> f32) -> Tensor {
        let rgb = (0..3 * height * width)
            .map(|index| level(index / width % height % GRID, index % width % GRID))
            .collect::<Vec<_>>();
        Tensor::from_slice(&rgb).view([1, 3, height, width])
    }

    #[test]
    fn a_checkerboard_is_found_whole() {
        // Every mean over a cell is 0, so that all of it is fine detail.
        let board = woven(131, 99, |y, x| if (x / 2 + y / 2) % 2 == 0 { 3.0 } else { -3.0 });
        assert!((grid_pattern_loss(&board).double_value(&[]) - 9.0).abs() < 1e-4);
        // It is found where it is turned round half way, too.
        let turned = Tensor::cat(&[&board, &-&board], 2).narrow(2, 0, 256);
        let found = grid_pattern_loss(&turned).double_value(&[]);
        assert!(found > 4.0, "{found}");
    }

    #[test]
    fn what_knows_nothing_of_the_grid_is_no_pattern() {
        let noise = gaussian(&[1, 3, 260, 260], 7) * 20.0;
        let found = grid_pattern_loss(&noise).double_value(&[]);
        // Of its variance, 400, what 256 cells leave of it.
        assert!(found < 400.0 / 256.0 * 1.2, "{found}");
        let ramp = Tensor::arange(200, FLOAT_CPU).expand([1, 3, 200, 200], true);
        assert!(grid_pattern_loss(&ramp).double_value(&[]) < 1e-6);
    }

    /// Networks hand out pictures whose channels lie together.
    #[test]
    fn the_layout_does_not_matter() {
        let picture = gaussian(&[2, 3, 37, 70], 5) * 20.0;
        let together = picture.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
        let (loss, gradient) = grid_pattern_loss_and_gradient(&picture, 1.0);
        let (other_loss, other_gradient) = grid_pattern_loss_and_gradient(&together, 1.0);
        assert!((&loss - &other_loss).abs().double_value(&[]) < 1e-5 * loss.double_value(&[]));
        assert!((&gradient - &other_gradient).abs().max().double_value(&[]) < 1e-6);
    }

    #[test]
    fn small_pictures_have_no_pattern() {
        for size in [[1, 3, 6, 40], [2, 3, 1, 1]] {
            let picture = Tensor::rand(size, FLOAT_CPU) * 255.0;
            let (loss, gradient) = grid_pattern_loss_and_gradient(&picture, 2.0);
            assert_eq!(loss.double_value(&[]), 0.0);
            assert_eq!(gradient.abs().sum(Kind::Float).double_value(&[]), 0.0);
        }
    }

    #[test]
    fn a_step_down_the_gradient_takes_the_pattern_away() {
        let picture = woven(64, 80, |y, x| (5 * y + 3 * x * x) as f32) + gaussian(&[1, 3, 64, 80], 3);
        let (loss, gradient) = grid_pattern_loss_and_gradient(&picture, 1.0);
        let plain = grid_pattern_loss(&picture);
        assert!((&plain - &loss).double_value(&[]).abs() < 1e-6 * plain.double_value(&[]));
        // The loss is a square: along the gradient g it is least after a step of |g|^2 / (g H g), where H g is g's own gradient.
        let (_, bent) = grid_pattern_loss_and_gradient(&gradient, 1.0);
        let dot = |a: &Tensor, b: &Tensor| (a * b).sum(Kind::Double).double_value(&[]);
        let step = dot(&gradient, &gradient) / dot(&gradient, &bent);
        let after = grid_pattern_loss(&(&picture - &gradient * step)).double_value(&[]);
        assert!(after < 0.1 * loss.double_value(&[]), "{after} of {loss:?}");
    }
}
