//! Moving a frame back onto another, by the flow from that one to it.

use pixel::Picture;

use crate::{Flow, Mask};

/// A frame as it would be seen from another one.
#[derive(Debug, Clone)]
pub struct Warped {
    /// `[height, width, 3]`, 0..255; zero where not known.
    pub byte_rgb: Vec<f32>,
    /// Where the flow was known and did not leave the frame.
    pub known: Mask,
}

/// `frame` as seen from where `flow` starts: each pixel is fetched from where the flow leads, linear in between.
///
/// # Panics
/// The sizes differ.
pub fn warp(frame: &Picture, flow: &Flow) -> Warped {
    assert_eq!((frame.width(), frame.height()), (flow.width(), flow.height()), "a flow of the frame's size");
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let mut byte_rgb = Vec::with_capacity(frame.rgb().len());
    let known = Mask::from_fn(frame.width(), frame.height(), |x, y| {
        let place = y as usize * width + x as usize;
        let (at_x, at_y) = (x as f32 + flow.u()[place], y as f32 + flow.v()[place]);
        let colour = between(frame.rgb(), width, height, at_x, at_y);
        byte_rgb.extend(colour.unwrap_or_default());
        colour.is_some()
    });
    Warped { byte_rgb, known }
}

/// The colour between pixels; `None` outside of the outermost centres, and where there is no place (NaN).
fn between(rgb: &[u8], width: usize, height: usize, x: f32, y: f32) -> Option<[f32; 3]> {
    if !(x >= 0.0 && y >= 0.0 && x <= (width - 1) as f32 && y <= (height - 1) as f32) {
        return None;
    }
    let (left, top) = (x as usize, y as usize);
    let (share_x, share_y) = (x - left as f32, y - top as f32);
    let pixels = rgb.as_chunks::<3>().0;
    let first = top * width + left;
    let step_x = usize::from(left + 1 < width);
    let step_y = if top + 1 < height { width } else { 0 };
    let corners = [first, first + step_x, first + step_y, first + step_y + step_x].map(|at| pixels[at]);
    Some(std::array::from_fn(|channel| {
        let corners = corners.map(|pixel| f32::from(pixel[channel]));
        let above = corners[0] + (corners[1] - corners[0]) * share_x;
        let below = corners[2] + (corners[3] - corners[2]) * share_x;
        above + (below - above) * share_y
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Picture {
        Picture::from_rgb(3, 2, (0..18).map(|value| value * 10).collect()).unwrap()
    }

    #[test]
    fn what_does_not_move_is_the_same() {
        let warped = warp(&sample(), &Flow::still(3, 2));
        let bytes: Vec<u8> = warped.byte_rgb.iter().map(|&value| value as u8).collect();
        assert_eq!(bytes, sample().rgb());
        assert_eq!(warped.known, Mask::all(3, 2));
    }

    #[test]
    fn pixels_are_fetched_from_where_the_flow_leads() {
        let warped = warp(&sample(), &Flow::from_fn(3, 2, |_, _| Some([1.5, 0.5])));
        // From column 1.5 and row 0.5: the mean of four pixels whose reds are 30, 60, 120 and 150.
        assert_eq!(warped.byte_rgb[..3], [90.0, 100.0, 110.0]);
        assert_eq!(warped.known, Mask::from_fn(3, 2, |x, y| x == 0 && y == 0));
        assert_eq!(warped.byte_rgb[3..], [0.0; 15]);
    }

    #[test]
    fn unknown_flow_is_not_known() {
        let flow = Flow::from_fn(3, 2, |x, _| (x != 2).then_some([0.0, 0.0]));
        assert_eq!(warp(&sample(), &flow).known, Mask::from_fn(3, 2, |x, _| x != 2));
    }
}
