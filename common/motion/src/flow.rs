//! [`Flow`]: how far each pixel moves.

use thiserror::Error;

/// How far, in pixels, each pixel of a frame moves until another frame: `u` to the right, `v` downwards, `[height, width]`.
///
/// Where that is unknown, both are NaN. Both sides are at least 1.
#[derive(Debug, Clone)]
pub struct Flow {
    width: u32,
    height: u32,
    u: Vec<f32>,
    v: Vec<f32>,
}

/// Why a flow cannot be made from these numbers.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FlowError {
    /// A side is zero.
    #[error("a flow needs at least one pixel, found a size of {width}x{height}")]
    NoPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
    },
    /// A buffer does not hold what the size promises.
    #[error("a flow of {width}x{height} pixels has as many values each way, found {u} across and {v} down")]
    WrongLength {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// Values of `u`.
        u: usize,
        /// Values of `v`.
        v: usize,
    },
}

impl Flow {
    /// A flow from its two components, `[height, width]` each. Where one of them is not finite, both become unknown.
    ///
    /// # Errors
    /// A zero side, or buffers of another length than `width * height`.
    pub fn new(width: u32, height: u32, mut u: Vec<f32>, mut v: Vec<f32>) -> Result<Self, FlowError> {
        if width == 0 || height == 0 {
            return Err(FlowError::NoPixels { width, height });
        }
        let expected = u64::from(width) * u64::from(height);
        if u.len() as u64 != expected || v.len() as u64 != expected {
            return Err(FlowError::WrongLength { width, height, u: u.len(), v: v.len() });
        }
        for (u, v) in u.iter_mut().zip(&mut v) {
            if !(u.is_finite() && v.is_finite()) {
                (*u, *v) = (f32::NAN, f32::NAN);
            }
        }
        Ok(Self { width, height, u, v })
    }

    /// The flow `[u, v]` of each pixel by its column and row; `None` is unknown.
    ///
    /// # Panics
    /// A side is zero.
    pub fn from_fn(width: u32, height: u32, mut flow: impl FnMut(u32, u32) -> Option<[f32; 2]>) -> Self {
        let pixels = width as usize * height as usize;
        let (mut u, mut v) = (Vec::with_capacity(pixels), Vec::with_capacity(pixels));
        for y in 0..height {
            for x in 0..width {
                let [right, down] = flow(x, y).unwrap_or([f32::NAN; 2]);
                u.push(right);
                v.push(down);
            }
        }
        Self::new(width, height, u, v).expect("sides of at least one pixel")
    }

    /// Nothing moves.
    ///
    /// # Panics
    /// A side is zero.
    pub fn still(width: u32, height: u32) -> Self {
        Self::from_fn(width, height, |_, _| Some([0.0; 2]))
    }

    /// Pixels across, at least 1.
    pub const fn width(&self) -> u32 {
        self.width
    }

    /// Pixels down, at least 1.
    pub const fn height(&self) -> u32 {
        self.height
    }

    /// To the right, in pixels, `[height, width]`; NaN where unknown.
    pub fn u(&self) -> &[f32] {
        &self.u
    }

    /// Downwards, in pixels, `[height, width]`; NaN where unknown.
    pub fn v(&self) -> &[f32] {
        &self.v
    }

    /// The flow `[u, v]` of a pixel, where it is known.
    ///
    /// # Panics
    /// The pixel lies outside.
    pub fn at(&self, x: u32, y: u32) -> Option<[f32; 2]> {
        assert!(x < self.width && y < self.height, "{x},{y} lies outside {}x{}", self.width, self.height);
        let place = y as usize * self.width as usize + x as usize;
        let flow = [self.u[place], self.v[place]];
        (!flow[0].is_nan()).then_some(flow)
    }

    /// The flow between pixels, linear; 0, 0 is the centre of the first pixel. `None` outside of the outermost centres,
    /// and where one of the pixels around is unknown.
    pub fn between(&self, x: f32, y: f32) -> Option<[f32; 2]> {
        let (right, bottom) = ((self.width - 1) as f32, (self.height - 1) as f32);
        if !(x >= 0.0 && y >= 0.0 && x <= right && y <= bottom) {
            return None;
        }
        let (left, top) = (x as usize, y as usize);
        let (share_x, share_y) = (x - left as f32, y - top as f32);
        let row = self.width as usize;
        let step_x = usize::from(left + 1 < row);
        let step_y = if top + 1 < self.height as usize { row } else { 0 };
        let first = top * row + left;
        let linear = |values: &[f32]| {
            let above = lerp(values[first], values[first + step_x], share_x);
            let below = lerp(values[first + step_y], values[first + step_y + step_x], share_x);
            lerp(above, below, share_y)
        };
        let flow = [linear(&self.u), linear(&self.v)];
        (!flow[0].is_nan()).then_some(flow)
    }

    /// The same motion seen at another size: values are scaled with the sides, and linear in between.
    ///
    /// # Panics
    /// A side is zero.
    #[must_use]
    pub fn resized(&self, width: u32, height: u32) -> Self {
        let scale = [self.width as f32 / width as f32, self.height as f32 / height as f32];
        self.scaled(width, height, scale)
    }

    /// The same motion at `factor` times the size, cut to this size: what was halved need not have been even.
    pub(crate) fn enlarged(&self, factor: u32, width: u32, height: u32) -> Self {
        self.scaled(width, height, [1.0 / factor as f32; 2])
    }

    fn scaled(&self, width: u32, height: u32, [scale_x, scale_y]: [f32; 2]) -> Self {
        let (right, bottom) = ((self.width - 1) as f32, (self.height - 1) as f32);
        Self::from_fn(width, height, |x, y| {
            let own_x = ((x as f32 + 0.5) * scale_x - 0.5).clamp(0.0, right);
            let own_y = ((y as f32 + 0.5) * scale_y - 0.5).clamp(0.0, bottom);
            let [u, v] = self.between(own_x, own_y)?;
            Some([u / scale_x, v / scale_y])
        })
    }
}

fn lerp(from: f32, to: f32, share: f32) -> f32 {
    from + (to - from) * share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_checked_and_what_is_half_unknown_is_unknown() {
        assert_eq!(Flow::new(0, 2, vec![], vec![]).unwrap_err(), FlowError::NoPixels { width: 0, height: 2 });
        let wrong = Flow::new(2, 2, vec![0.0; 4], vec![0.0; 3]).unwrap_err();
        assert_eq!(wrong, FlowError::WrongLength { width: 2, height: 2, u: 4, v: 3 });
        let flow = Flow::new(2, 1, vec![1.0, f32::INFINITY], vec![2.0, 0.0]).unwrap();
        assert_eq!((flow.at(0, 0), flow.at(1, 0)), (Some([1.0, 2.0]), None));
        assert!(flow.v()[1].is_nan());
    }

    #[test]
    fn between_pixels_it_is_linear_and_unknown_spreads() {
        let flow = Flow::from_fn(3, 2, |x, y| (x < 2).then_some([x as f32, 10.0 * y as f32]));
        assert_eq!(flow.between(0.25, 0.5), Some([0.25, 5.0]));
        assert_eq!(flow.between(1.5, 0.0), None, "beside an unknown pixel");
        assert_eq!(flow.between(-0.01, 0.0), None);
        assert_eq!(flow.between(0.0, 1.01), None);
        assert_eq!(flow.between(f32::NAN, 0.0), None);
    }

    #[test]
    fn resizing_scales_the_motion() {
        let flow = Flow::from_fn(4, 6, |_, _| Some([2.0, -3.0])).resized(8, 3);
        assert_eq!((flow.width(), flow.height()), (8, 3));
        assert!(flow.u().iter().all(|&u| u == 4.0) && flow.v().iter().all(|&v| v == -1.5));
    }
}
