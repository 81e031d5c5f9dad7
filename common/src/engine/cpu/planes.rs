//! The norm of a network that has one behind its last convolution: over planes of colours.

use kernel::interleaved::Statistics;

/// Mean and variance of each colour, gathered row by row and merged in the rows' order, so that bands change no bit.
#[derive(Default)]
pub(super) struct PlaneStatistics {
    count: f64,
    mean: [f64; 3],
    /// Sums of squared distances to the mean.
    squares: [f64; 3],
}

impl PlaneStatistics {
    /// Adds rows `[3, rows, width]`, which follow those added before.
    pub(super) fn add(&mut self, planes: &[f32], width: usize) {
        let plane = planes.len() / 3;
        let row_count = width as f64;
        for start in (0..plane).step_by(width) {
            let count = self.count + row_count;
            for colour in 0..3 {
                let row = &planes[colour * plane + start..][..width];
                let mean = row.iter().map(|&value| f64::from(value)).sum::<f64>() / row_count;
                let squares: f64 = row.iter().map(|&value| (f64::from(value) - mean).powi(2)).sum();
                // Chan, Golub and LeVeque (1979).
                let distance = mean - self.mean[colour];
                self.squares[colour] += squares + distance * distance * self.count * row_count / count;
                self.mean[colour] += distance * row_count / count;
            }
            self.count = count;
        }
    }

    pub(super) fn merged(&self) -> Vec<Statistics> {
        let of = |colour: usize| Statistics {
            mean: self.mean[colour],
            variance: self.squares[colour] / self.count,
        };
        (0..3).map(of).collect()
    }
}

/// A norm whose statistics are known: one multiplication and one addition for each colour.
pub(super) struct PlaneNorm {
    /// Factor and offset.
    colours: Vec<(f32, f32)>,
}

impl PlaneNorm {
    pub(super) fn new(statistics: &[Statistics], scale: &[f32], shift: &[f32], eps: f64) -> Self {
        let of = |(statistics, (&scale, &shift)): (&Statistics, (&f32, &f32))| {
            let factor = f64::from(scale) / (statistics.variance + eps).sqrt();
            (factor as f32, (f64::from(shift) - statistics.mean * factor) as f32)
        };
        Self { colours: statistics.iter().zip(scale.iter().zip(shift)).map(of).collect() }
    }

    /// To rows `[3, rows, width]`.
    pub(super) fn apply(&self, planes: &mut [f32]) {
        let plane = planes.len() / 3;
        for (values, &(factor, offset)) in planes.chunks_exact_mut(plane).zip(&self.colours) {
            for value in values {
                *value = value.mul_add(factor, offset);
            }
        }
    }
}
