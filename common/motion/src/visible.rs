//! Which points of a frame are seen in the other one, too: the test of Sundaram, Brox and Keutzer (Dense point trajectories
//! by GPU-accelerated large displacement optical flow, ECCV 2010).

use crate::{Flow, Mask};

/// What becomes of points where the flow changes quickly, beside which something is hidden or shows up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MotionEdges {
    /// They count as any other.
    Kept,
    /// They do not count as visible.
    Hidden,
}

/// Where going there by `forward` and back by `backward` ends near the start: |w + w'|² < 0.01 (|w|² + |w'|²) + 0.5.
/// Points that leave the frame, or whose flow is unknown, are not visible. A motion edge is where
/// |∇u|² + |∇v|² > 0.01 |w|² + 0.002.
///
/// # Panics
/// The sizes differ.
pub fn visible(forward: &Flow, backward: &Flow, edges: MotionEdges) -> Mask {
    let size = (forward.width(), forward.height());
    assert_eq!(size, (backward.width(), backward.height()), "flows of one size");
    Mask::from_fn(size.0, size.1, |x, y| {
        let returns = || {
            let [u, v] = forward.at(x, y)?;
            let [back_u, back_v] = backward.between(x as f32 + u, y as f32 + v)?;
            let gap = square(u + back_u, v + back_v);
            Some(gap < 0.01 * (square(u, v) + square(back_u, back_v)) + 0.5)
        };
        returns().unwrap_or(false) && (edges == MotionEdges::Kept || !is_motion_edge(forward, x, y))
    })
}

fn is_motion_edge(flow: &Flow, x: u32, y: u32) -> bool {
    let Some([u, v]) = flow.at(x, y) else { return true };
    let slope = |next_x: u32, next_y: u32| {
        if next_x >= flow.width() || next_y >= flow.height() {
            return 0.0;
        }
        flow.at(next_x, next_y).map_or(f32::INFINITY, |[next_u, next_v]| square(next_u - u, next_v - v))
    };
    slope(x + 1, y) + slope(x, y + 1) > 0.01 * square(u, v) + 0.002
}

fn square(u: f32, v: f32) -> f32 {
    u * u + v * v
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square of columns 4..8 moves right by 4 pixels; the rest stands still.
    fn square_that_moves() -> (Flow, Flow) {
        let forward =
            Flow::from_fn(16, 4, |x, _| Some(if (4..8).contains(&x) { [4.0, 0.0] } else { [0.0; 2] }));
        let backward =
            Flow::from_fn(16, 4, |x, _| Some(if (8..12).contains(&x) { [-4.0, 0.0] } else { [0.0; 2] }));
        (forward, backward)
    }

    #[test]
    fn what_gets_hidden_is_not_visible() {
        let (forward, backward) = square_that_moves();
        let expected = Mask::from_fn(16, 4, |x, _| !(8..12).contains(&x));
        assert_eq!(visible(&forward, &backward, MotionEdges::Kept), expected);
    }

    #[test]
    fn what_leaves_the_frame_or_is_unknown_is_not_visible() {
        let forward = Flow::from_fn(6, 1, |x, _| (x != 0).then_some([2.0, 0.0]));
        let backward = Flow::from_fn(6, 1, |_, _| Some([-2.0, 0.0]));
        let expected = Mask::from_fn(6, 1, |x, _| (1..4).contains(&x));
        assert_eq!(visible(&forward, &backward, MotionEdges::Kept), expected);
    }

    #[test]
    fn motion_edges_are_left_out_if_asked() {
        let (forward, backward) = square_that_moves();
        // The differences are taken to the right and down, so that the pixel left of a change is the edge.
        let expected = Mask::from_fn(16, 4, |x, _| !(8..12).contains(&x) && x != 3 && x != 7);
        assert_eq!(visible(&forward, &backward, MotionEdges::Hidden), expected);
    }
}
