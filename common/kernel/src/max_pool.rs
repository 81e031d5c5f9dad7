//! The largest of each 2x2 pixels, and the way back without having kept where it was: the pictures tell.

use crate::parallel::{self, DisjointSlice};
use crate::simd::{InstructionSet, Kernel, LANES, Simd, load_at, load_some, store_at, store_some};

/// Halves `x` `[planes, height, width]` to `y` `[planes, height / 2, width / 2]`; a last odd row or column is dropped.
///
/// # Panics
/// If a slice's length is not that of its shape.
pub fn forward(x: &[f32], y: &mut [f32], height: usize, width: usize, threads: usize) {
    let (pixels, halved) = (height * width, (height / 2) * (width / 2));
    let planes = x.len() / pixels.max(1);
    assert_eq!(x.len(), planes * pixels, "x: [planes, {height}, {width}]");
    assert_eq!(y.len(), planes * halved, "y: [planes, {}, {}]", height / 2, width / 2);
    if halved == 0 {
        return;
    }
    let y = DisjointSlice::new(y);
    parallel::for_each(threads, planes, |plane| {
        // SAFETY: each plane is one item.
        #[allow(unsafe_code)]
        let y = unsafe { y.part(plane * halved..(plane + 1) * halved) };
        InstructionSet::best().run(ForwardPlane { x: &x[plane * pixels..][..pixels], y, width });
    });
}

struct ForwardPlane<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
    width: usize,
}

impl Kernel for ForwardPlane<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { x, y, width } = self;
        for (rows, y) in x.chunks_exact(2 * width).zip(y.chunks_exact_mut(width / 2)) {
            let (top, bottom) = rows.split_at(width);
            for at in (0..y.len()).step_by(LANES) {
                let [even, odd] = columns(simd, top, bottom, at);
                store_some(simd, simd.max(even, odd), y, at);
            }
        }
    }
}

/// The larger of two rows, at even and at odd columns from `2 * at` on.
#[inline(always)]
fn columns<S: Simd>(simd: S, top: &[f32], bottom: &[f32], at: usize) -> [S::Vector; 2] {
    let (top, bottom) = (pair(simd, top, at), pair(simd, bottom, at));
    [simd.max(top[0], bottom[0]), simd.max(top[1], bottom[1])]
}

/// The even and the odd columns of a row from `2 * at` on, continued by zeros.
#[inline(always)]
fn pair<S: Simd>(simd: S, row: &[f32], at: usize) -> [S::Vector; 2] {
    let first = 2 * at;
    if first + 2 * LANES <= row.len() {
        return simd.deinterleave2([load_at(simd, row, first), load_at(simd, row, first + LANES)]);
    }
    let mut padded = [0.0; 2 * LANES];
    padded[..row.len() - first].copy_from_slice(&row[first..]);
    simd.deinterleave2([load_at(simd, &padded, 0), load_at(simd, &padded, LANES)])
}

/// Takes `gradient`, with respect to the output of [`forward`], through the pooling and the ReLU before it: to each
/// first largest of 2x2 pixels of `relu_output` `[planes, height, width]`, which was pooled. `addend`, a gradient that
/// reaches the ReLU's output by another way, is added before the ReLU takes it to 0 where its output is 0.
///
/// # Panics
/// If a slice's length is not that of its shape.
pub fn backward(
    gradient: &[f32],
    relu_output: &[f32],
    addend: Option<&[f32]>,
    x_gradient: &mut [f32],
    height: usize,
    width: usize,
    threads: usize,
) {
    let (pixels, halved) = (height * width, (height / 2) * (width / 2));
    let planes = relu_output.len() / pixels.max(1);
    assert_eq!(relu_output.len(), planes * pixels, "relu_output: [planes, {height}, {width}]");
    assert_eq!(gradient.len(), planes * halved, "gradient: [planes, {}, {}]", height / 2, width / 2);
    assert_eq!(x_gradient.len(), relu_output.len(), "x_gradient: as relu_output");
    assert!(addend.is_none_or(|addend| addend.len() == relu_output.len()), "addend: as relu_output");
    let x_gradient = DisjointSlice::new(x_gradient);
    parallel::for_each(threads, planes, |plane| {
        let range = plane * pixels..(plane + 1) * pixels;
        // SAFETY: each plane is one item.
        #[allow(unsafe_code)]
        let x_gradient = unsafe { x_gradient.part(range.clone()) };
        InstructionSet::best().run(BackwardPlane {
            gradient: &gradient[plane * halved..][..halved],
            relu_output: &relu_output[range.clone()],
            addend: addend.map(|addend| &addend[range]),
            x_gradient,
            width,
        });
    });
}

struct BackwardPlane<'a> {
    gradient: &'a [f32],
    relu_output: &'a [f32],
    addend: Option<&'a [f32]>,
    x_gradient: &'a mut [f32],
    width: usize,
}

impl Kernel for BackwardPlane<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let width = self.width;
        let (halved, pairs_of_rows) = (width / 2, self.relu_output.len() / (2 * width));
        for row in 0..pairs_of_rows {
            let gradient = &self.gradient[row * halved..][..halved];
            for at in (0..halved).step_by(LANES) {
                self.spread(simd, row, gradient, at);
            }
            if width % 2 == 1 {
                self.pass(simd, 2 * row * width + width - 1, 1);
                self.pass(simd, (2 * row + 1) * width + width - 1, 1);
            }
        }
        self.pass(simd, pairs_of_rows * 2 * width, self.relu_output.len() - pairs_of_rows * 2 * width);
    }
}

impl BackwardPlane<'_> {
    /// Gives the gradient at `at` and the 15 that follow to the four pixels below each.
    #[inline(always)]
    fn spread<S: Simd>(&mut self, simd: S, row: usize, gradient: &[f32], at: usize) {
        let width = self.width;
        let top_at = 2 * row * width;
        let bottom_at = top_at + width;
        let (top_row, bottom_row) =
            (&self.relu_output[top_at..bottom_at], &self.relu_output[bottom_at..bottom_at + width]);
        let (top, bottom) = (pair(simd, top_row, at), pair(simd, bottom_row, at));
        let largest = simd.max(simd.max(top[0], top[1]), simd.max(bottom[0], bottom[1]));
        // Who takes it leaves nothing for those after him.
        let left = load_some(simd, gradient, at, 0.0);
        let top_even = simd.where_equal(top[0], largest, left);
        let left = simd.sub(left, top_even);
        let top_odd = simd.where_equal(top[1], largest, left);
        let left = simd.sub(left, top_odd);
        let bottom_even = simd.where_equal(bottom[0], largest, left);
        let bottom_odd = simd.sub(left, bottom_even);
        let columns = 2 * (gradient.len() - at).min(LANES);
        self.write(simd, top_at + 2 * at, columns, [top_even, top_odd]);
        self.write(simd, bottom_at + 2 * at, columns, [bottom_even, bottom_odd]);
    }

    /// Adds what is to be added, applies the ReLU, and writes up to 32 columns.
    #[inline(always)]
    fn write<S: Simd>(&mut self, simd: S, at: usize, columns: usize, even_and_odd: [S::Vector; 2]) {
        let [first, second] = simd.interleave2(even_and_odd);
        let range = at..at + columns;
        self.finish(simd, at..range.end.min(at + LANES), first);
        if columns > LANES {
            self.finish(simd, at + LANES..range.end, second);
        }
    }

    #[inline(always)]
    fn finish<S: Simd>(&mut self, simd: S, range: std::ops::Range<usize>, gradient: S::Vector) {
        let mut gradient = gradient;
        if let Some(addend) = self.addend {
            gradient = simd.add(gradient, load_some(simd, &addend[range.clone()], 0, 0.0));
        }
        let output = load_some(simd, &self.relu_output[range.clone()], 0, 0.0);
        let to = &mut self.x_gradient[range];
        let gradient = simd.where_positive(output, gradient);
        if to.len() == LANES { store_at(simd, gradient, to, 0) } else { store_some(simd, gradient, to, 0) }
    }

    /// What no pooling saw has only the other gradient.
    #[inline(always)]
    fn pass<S: Simd>(&mut self, simd: S, from: usize, count: usize) {
        for at in (from..from + count).step_by(LANES) {
            self.finish(simd, at..(at + LANES).min(from + count), simd.splat(0.0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pixels in few steps, so that many are equal, and a good part of them 0.
    fn pixels(len: usize) -> Vec<f32> {
        (0..len).map(|at| ((at * 7919 + at / 3) % 5).saturating_sub(1) as f32).collect()
    }

    #[test]
    fn each_gradient_goes_to_the_first_largest_pixel_above_zero() {
        for (height, width) in [(2, 2), (5, 7), (4, 64), (3, 77), (1, 4)] {
            let x = pixels(height * width);
            let halved = (height / 2, width / 2);
            let gradient: Vec<f32> = (1..=halved.0 * halved.1).map(|number| number as f32).collect();
            let addend: Vec<f32> = (0..x.len()).map(|number| 0.25 * number as f32).collect();
            let mut y_expected = vec![0.0; gradient.len()];
            let mut expected = addend.clone();
            for (at, &gradient) in gradient.iter().enumerate() {
                let corner = at / halved.1 * 2 * width + at % halved.1 * 2;
                let window = [corner, corner + 1, corner + width, corner + width + 1];
                let largest = window.map(|pixel| x[pixel]).into_iter().fold(0.0, f32::max);
                let first = window.into_iter().find(|&pixel| x[pixel] == largest).unwrap();
                y_expected[at] = largest;
                expected[first] += gradient;
            }
            for (expected, &x) in expected.iter_mut().zip(&x) {
                *expected = if x > 0.0 { *expected } else { 0.0 };
            }
            for set in InstructionSet::all() {
                let mut y = vec![f32::NAN; gradient.len()];
                if !y.is_empty() {
                    set.run(ForwardPlane { x: &x, y: &mut y, width });
                }
                assert_eq!(y, y_expected, "{height}x{width} {set:?}");
                let mut found = vec![f32::NAN; x.len()];
                set.run(BackwardPlane {
                    gradient: &gradient,
                    relu_output: &x,
                    addend: Some(&addend),
                    x_gradient: &mut found,
                    width,
                });
                assert_eq!(found, expected, "{height}x{width} {set:?}");
            }
        }
    }
}
