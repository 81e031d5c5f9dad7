//! The controls, exactly as they are typed.

use std::path::PathBuf;

use clap::Args;

/// What can be asked of the painting itself.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "The painting")]
pub(crate) struct PainterArgs {
    /// How much of the painting shows: 0 is the photo, 1 the painting, up to 3 more than the painting.
    #[arg(long, value_name = "0..3", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) strength: f32,
    /// Keep the photo's colours, and take only light and dark from the painting.
    #[arg(long)]
    pub(crate) keep_colors: bool,
    /// Larger strokes (2 for twice as large) or finer ones (0.5), from a quarter to eight times.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) stroke: f64,
    /// Shrink photos whose longest side has more pixels.
    #[arg(long, value_name = "PIXELS")]
    pub(crate) max_size: Option<u32>,
    /// Shrink (0.5) or enlarge (2) photos before they are painted.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, allow_negative_numbers = true)]
    pub(crate) scale: f64,
    /// Paint only where this picture is white, and half where it is grey; it is stretched to each photo's size. With a mask
    /// for each of several styles, in the same order, all of them paint on one picture.
    #[arg(long, value_name = "PICTURE")]
    pub(crate) mask: Vec<PathBuf>,
    /// Soften the masks' edges over this many pixels of the result to either side.
    #[arg(
        long,
        value_name = "PIXELS",
        default_value_t = 0.0,
        requires = "mask",
        allow_negative_numbers = true
    )]
    pub(crate) mask_feather: f32,
}
