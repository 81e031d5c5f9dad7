//! Painting one picture by optimising it: the presets, under which the systems that people use today are found again. The work itself is
//! [`common::gatys`].

mod preset;

pub use preset::{Preset, PresetSettings, UnknownPreset};
