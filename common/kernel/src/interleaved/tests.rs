use super::*;
use crate::simd::InstructionSet;

/// Numbers in -0.5..0.5, the same each time.
fn noise(length: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 9) as f32 / (1u32 << 23) as f32 - 0.5
    };
    (0..length).map(|_| next()).collect()
}

/// A picture `[height, width, channels]` of which the first `used` channels are noise.
fn picture(height: usize, width: usize, channels: usize, used: usize, seed: u32) -> Vec<f32> {
    let mut values = noise(height * width * channels, seed);
    for pixel in values.chunks_exact_mut(channels) {
        pixel[used..].fill(0.0);
    }
    values
}

fn whole(values: &[f32], height: usize, width: usize, channels: usize) -> Rows<'_> {
    Rows { values, first: 0, height, width, channels }
}

/// The convolution as it is written in the books: `weight(output, input, row, column)`, the kernel's first entry on the
/// pixel `before` pixels before.
struct Plain<'a> {
    input: Rows<'a>,
    norm: Option<&'a Norm>,
    border: Border,
    before: usize,
    kernel: usize,
}

impl Plain<'_> {
    fn value(&self, row: isize, column: isize, channel: usize) -> f64 {
        let (Some(row), Some(column)) =
            (self.border.source(row, self.input.height), self.border.source(column, self.input.width))
        else {
            return 0.0;
        };
        let value = f64::from(self.input.row(row)[column * self.input.channels + channel]);
        self.norm.map_or(value, |norm| {
            (value * f64::from(norm.factor[channel]) + f64::from(norm.offset[channel])).max(0.0)
        })
    }

    fn at(
        &self,
        row: usize,
        column: usize,
        inputs: usize,
        weight: impl Fn(usize, usize, usize) -> f32,
    ) -> f64 {
        let mut sum = 0.0;
        for (down, across) in
            (0..self.kernel).flat_map(|down| (0..self.kernel).map(move |across| (down, across)))
        {
            for input in 0..inputs {
                let (row, column) = (
                    (row + down) as isize - self.before as isize,
                    (column + across) as isize - self.before as isize,
                );
                sum += self.value(row, column, input) * f64::from(weight(input, down, across));
            }
        }
        sum
    }
}

/// Runs `check` with each instruction set that this processor has.
fn with_every_instruction_set(check: impl Fn(&str)) {
    for set in InstructionSet::all() {
        InstructionSet::force(Some(set));
        check(&format!("{set:?}"));
    }
    InstructionSet::force(None);
}

fn assert_close(found: f32, expected: f64, what: &str) {
    assert!(
        (f64::from(found) - expected).abs() < 2e-5 * expected.abs().max(1.0),
        "{what}: {found} {expected}"
    );
}

fn some_norm(channels: usize, used: usize) -> Norm {
    let statistics: Vec<Statistics> =
        (0..channels).map(|channel| Statistics { mean: channel as f64 * 0.01, variance: 0.3 }).collect();
    let (scale, shift) = (noise(used, 91), noise(used, 92));
    Norm::new(&statistics, &scale, &shift, 1e-5)
}

/// The statistics are those of what was written.
fn check_statistics(statistics: &RowStatistics, written: &[f32], channels: usize, what: &str) {
    for (channel, found) in statistics.merged().into_iter().enumerate() {
        let values: Vec<f64> =
            written.iter().skip(channel).step_by(channels).map(|&it| f64::from(it)).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        assert!((found.mean - mean).abs() < 1e-6 * mean.abs().max(1.0), "{what}, mean of {channel}");
        assert!(
            (found.variance - variance).abs() < 1e-5 * variance.max(1e-3),
            "{what}, variance of {channel}"
        );
    }
}

#[test]
fn direct_convolutions_are_the_plain_ones() {
    with_every_instruction_set(|set| {
        for (border, before_of_stride_2) in [(Border::Reflect, 1), (Border::Zero, 0)] {
            for (stored, inputs, outputs, kernel, stride) in
                [(3, 3, 5, 9, 1), (32, 7, 40, 3, 2), (96, 70, 3, 3, 2)]
            {
                let (height, width) = (14, 22);
                let before = if stride == 2 { before_of_stride_2 } else { kernel / 2 };
                let values = picture(height, width, stored, inputs, 1);
                let weight = noise(outputs * inputs * kernel * kernel, 2);
                let conv = DirectConv::prepare(&weight, outputs, inputs, stored, kernel, stride);
                let norm = (stored > 3).then(|| some_norm(stored, inputs));
                let input = whole(&values, height, width, stored);
                let (out_height, out_width) = (height / stride, width / stride);
                let channels = conv.stored_outputs();
                let mut output = vec![f32::NAN; out_height * out_width * channels];
                let mut statistics = conv.statistics(out_height);
                let rows = RowsMut { values: &mut output, rows: 0..out_height };
                conv.convolve(
                    input,
                    norm.as_ref(),
                    (border, before),
                    rows,
                    out_width,
                    Some(&mut statistics),
                    2,
                );

                let plain = Plain { input, norm: norm.as_ref(), border, before, kernel };
                for (at, &found) in output.iter().enumerate() {
                    let (pixel, channel) = (at / channels, at % channels);
                    let (row, column) = (pixel / out_width * stride, pixel % out_width * stride);
                    let expected = if channel < outputs {
                        plain.at(row, column, inputs, |input, down, across| {
                            weight[((channel * inputs + input) * kernel + down) * kernel + across]
                        })
                    } else {
                        0.0
                    };
                    assert_close(
                        found,
                        expected,
                        &format!("{set} {border:?} {kernel} {stride} at {pixel} {channel}"),
                    );
                }
                check_statistics(&statistics, &output, channels, set);
            }
        }
    });
}

#[test]
fn tiled_convolutions_are_the_plain_ones() {
    with_every_instruction_set(|set| {
        for (border, height, width, inputs, outputs) in
            [(Border::Reflect, 9, 21, 40, 5), (Border::Zero, 4, 3, 3, 33), (Border::Replicate, 6, 70, 8, 8)]
        {
            let stored = stored_channels(inputs);
            let values = picture(height, width, stored, inputs, 3);
            let weight = noise(outputs * inputs * 9, 4);
            let conv = TileConv::prepare(&weight, outputs, inputs, 2);
            let norm = some_norm(stored, inputs);
            let input = whole(&values, height, width, stored);
            let channels = conv.stored_outputs();
            let mut output = vec![f32::NAN; height * width * channels];
            let mut statistics = conv.statistics(height, width);
            conv.convolve(input, Some(&norm), border, &(0..height), &mut output, Some(&mut statistics), 2);

            let plain = Plain { input, norm: Some(&norm), border, before: 1, kernel: 3 };
            for (at, &found) in output.iter().enumerate() {
                let (pixel, channel) = (at / channels, at % channels);
                let expected = if channel < outputs {
                    plain.at(pixel / width, pixel % width, inputs, |input, down, across| {
                        weight[(channel * inputs + input) * 9 + down * 3 + across]
                    })
                } else {
                    0.0
                };
                assert_close(found, expected, &format!("{set} {border:?} at {pixel} {channel}"));
            }
            check_statistics(&statistics, &output, channels, set);
        }
    });
}

#[test]
fn doubling_convolutions_are_those_of_the_enlarged_picture() {
    let (height, width, inputs, outputs) = (6, 9, 5, 34);
    let stored = stored_channels(inputs);
    let values = picture(height, width, stored, inputs, 5);
    let weight = noise(outputs * inputs * 9, 6);
    let conv = TileConv::prepare_doubling(&weight, outputs, inputs, 3);
    let mut output = vec![f32::NAN; 4 * height * width * conv.stored_outputs()];
    let mut statistics = conv.statistics(height, width);
    let input = whole(&values, height, width, stored);
    conv.convolve(input, None, Border::Replicate, &(0..height), &mut output, Some(&mut statistics), 2);

    let enlarged: Vec<f32> = (0..4 * height * width)
        .flat_map(|pixel| {
            let (row, column) = (pixel / (2 * width) / 2, pixel % (2 * width) / 2);
            values[(row * width + column) * stored..][..stored].to_vec()
        })
        .collect();
    let input = whole(&enlarged, 2 * height, 2 * width, stored);
    let plain = Plain { input, norm: None, border: Border::Reflect, before: 1, kernel: 3 };
    for pixel in 0..4 * height * width {
        for channel in 0..outputs {
            let expected =
                plain.at(pixel / (2 * width), pixel % (2 * width), inputs, |input, down, across| {
                    weight[(channel * inputs + input) * 9 + down * 3 + across]
                });
            let found = output[pixel * conv.stored_outputs() + channel];
            assert_close(found, expected, &format!("at {pixel} {channel}"));
        }
    }
    check_statistics(&statistics, &output, conv.stored_outputs(), "doubled");
}

#[test]
fn transposed_convolutions_spread_each_pixel() {
    let (height, width, inputs, outputs) = (5, 6, 3, 4);
    let stored = stored_channels(inputs);
    let values = picture(height, width, stored, inputs, 7);
    let weight = noise(outputs * inputs * 9, 8);
    for cut in [0, 1] {
        let conv = TileConv::prepare_transposed(&weight, outputs, inputs, cut, 1);
        let mut output = vec![f32::NAN; 4 * height * width * conv.stored_outputs()];
        let input = whole(&values, height, width, stored);
        conv.convolve(input, None, Border::Zero, &(0..height), &mut output, None, 2);

        let full_width = 2 * width + 1;
        let mut full = vec![0.0f64; full_width * (2 * height + 1) * outputs];
        for (row, column) in (0..height).flat_map(|row| (0..width).map(move |column| (row, column))) {
            for (input, entry) in (0..inputs).flat_map(|input| (0..9).map(move |entry| (input, entry))) {
                let at = (2 * row + entry / 3) * full_width + 2 * column + entry % 3;
                let value = f64::from(values[(row * width + column) * stored + input]);
                for output in 0..outputs {
                    full[at * outputs + output] +=
                        value * f64::from(weight[(input * outputs + output) * 9 + entry]);
                }
            }
        }
        for (row, column) in (0..2 * height).flat_map(|row| (0..2 * width).map(move |column| (row, column))) {
            for channel in 0..outputs {
                let found = output[(row * 2 * width + column) * conv.stored_outputs() + channel];
                let expected = full[((row + cut) * full_width + column + cut) * outputs + channel];
                assert_close(found, expected, &format!("cut {cut} at {row},{column}"));
            }
        }
    }
}

#[test]
fn the_last_convolution_is_the_plain_one() {
    with_every_instruction_set(|set| {
        for (border, kernel, height, width) in
            [(Border::Reflect, 9, 11, 300), (Border::Zero, 9, 40, 7), (Border::Reflect, 3, 5, 4)]
        {
            let (inputs, stored) = (6, 32);
            let values = picture(height, width, stored, inputs, 9);
            let weight = noise(3 * inputs * kernel * kernel, 10);
            let bias = [0.1, -0.2, 0.3];
            let conv = RowSumConv::prepare(&weight, bias, inputs, stored, kernel);
            let norm = some_norm(stored, inputs);
            let input = whole(&values, height, width, stored);
            let rows = 2..height;
            let mut planes = vec![f32::NAN; 3 * rows.len() * width];
            conv.convolve(input, &norm, border, &rows, &mut planes, 2);

            let plain = Plain { input, norm: Some(&norm), border, before: kernel / 2, kernel };
            for (at, &found) in planes.iter().enumerate() {
                let (colour, pixel) = (at / (rows.len() * width), at % (rows.len() * width));
                let (row, column) = (rows.start + pixel / width, pixel % width);
                let expected = plain.at(row, column, inputs, |input, down, across| {
                    weight[((colour * inputs + input) * kernel + down) * kernel + across]
                });
                assert_close(found, expected + f64::from(bias[colour]), &format!("{set} {border:?} at {at}"));
            }
        }
    });
}

#[test]
fn norms_are_applied_and_added() {
    let norm = some_norm(32, 20);
    let values = picture(3, 700, 32, 20, 11);
    let mut normed = values.clone();
    normalise(&mut normed, &norm, 2);
    let mut sums = values.clone();
    add_normalised(&mut sums, &values, &norm, 2);
    for (at, &value) in values.iter().enumerate() {
        let (factor, offset) = (f64::from(norm.factor[at % 32]), f64::from(norm.offset[at % 32]));
        let expected = f64::from(value) * factor + offset;
        assert_close(normed[at], expected.max(0.0), "normalised");
        assert_close(sums[at], f64::from(value) + expected, "added");
    }
}
