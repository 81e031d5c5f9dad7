//! `infer bench`.

use std::num::NonZeroU32;
use std::str::FromStr;

use crate::completions::style_names;

use clap::Args;

use super::compute::ComputeArgs;

#[derive(Args)]
pub(crate) struct BenchArgs {
    /// Size of the pictures, as 512x512 (width first); can be given several times.
    #[arg(long = "size", value_name = "WxH", default_values = ["512x512", "1024x1024"])]
    pub(crate) sizes: Vec<Size>,
    /// The style: a name or a file [default: a network of the usual shape with random weights, which is as fast].
    #[arg(short, long, value_name = "NAME|FILE", add = style_names())]
    pub(crate) style: Option<String>,
    /// Pictures that are timed; one more is painted before.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,
    /// One line of JSON for each size instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) compute: ComputeArgs,
}

/// A picture's size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl FromStr for Size {
    type Err = String;

    /// `640x360`, or one side of a square.
    fn from_str(typed: &str) -> Result<Self, String> {
        let (width, height) = typed.split_once('x').unwrap_or((typed, typed));
        let side = |typed: &str| typed.parse::<NonZeroU32>().ok().filter(|side| side.get() <= 1 << 16);
        match (side(width), side(height)) {
            (Some(width), Some(height)) => Ok(Self { width: width.get(), height: height.get() }),
            _ => Err("expected a width and a height from 1 to 65536, as 512x512".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read() {
        assert_eq!("640x360".parse(), Ok(Size { width: 640, height: 360 }));
        assert_eq!("512".parse(), Ok(Size { width: 512, height: 512 }));
        for typed in ["", "0x5", "5x", "x", "-1x2", "70000x1", "1x1x1"] {
            assert!(typed.parse::<Size>().is_err(), "{typed}");
        }
    }
}
