//! Sizes of what lies between the layers.

use kernel::interleaved::{Rows, stored_channels};
use pixel::Picture;

use crate::net::{NetConfig, inner_side};

/// The picture that the network works on, whose sides it can halve twice, and the values of a pixel at each of its three
/// resolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InnerSize {
    pub(super) height: usize,
    pub(super) width: usize,
    pub(super) full_channels: usize,
    pub(super) half_channels: usize,
    pub(super) quarter_channels: usize,
}

impl InnerSize {
    pub(super) fn of(photo: &Picture, config: &NetConfig) -> Self {
        Self::new(photo.height(), photo.width(), config)
    }

    pub(super) fn new(height: u32, width: u32, config: &NetConfig) -> Self {
        let channels = config.width as usize;
        Self {
            height: inner_side(i64::from(height)) as usize,
            width: inner_side(i64::from(width)) as usize,
            full_channels: stored_channels(channels),
            half_channels: stored_channels(2 * channels),
            quarter_channels: stored_channels(4 * channels),
        }
    }

    /// The colours of rows from `first` on.
    pub(super) fn colours<'a>(&self, values: &'a [f32], first: usize) -> Rows<'a> {
        self.rows(values, first, 1, 3)
    }

    /// Rows at full resolution, from `first` on.
    pub(super) fn full<'a>(&self, values: &'a [f32], first: usize) -> Rows<'a> {
        self.rows(values, first, 1, self.full_channels)
    }

    /// Rows at half resolution, from `first` on.
    pub(super) fn half<'a>(&self, values: &'a [f32], first: usize) -> Rows<'a> {
        self.rows(values, first, 2, self.half_channels)
    }

    /// Rows at quarter resolution, from `first` on.
    pub(super) fn quarter<'a>(&self, values: &'a [f32], first: usize) -> Rows<'a> {
        self.rows(values, first, 4, self.quarter_channels)
    }

    fn rows<'a>(&self, values: &'a [f32], first: usize, reduction: usize, channels: usize) -> Rows<'a> {
        Rows { values, first, height: self.height / reduction, width: self.width / reduction, channels }
    }

    /// Values of a row at full, half and quarter resolution.
    pub(super) fn row_values(&self) -> [usize; 3] {
        [
            self.width * self.full_channels,
            self.width / 2 * self.half_channels,
            self.width / 4 * self.quarter_channels,
        ]
    }

    /// Values of the whole picture at full, half and quarter resolution.
    pub(super) fn values(&self) -> [usize; 3] {
        let [full, half, quarter] = self.row_values();
        [full * self.height, half * (self.height / 2), quarter * (self.height / 4)]
    }
}
