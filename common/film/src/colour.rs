//! What the numbers in a film mean, said to ffmpeg in so many words: left to itself it takes every film for BT.601.

use crate::Programs;

/// How a film's numbers become red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColourRule {
    /// Between luma and colours.
    pub matrix: Matrix,
    /// What black and white are.
    pub range: Range,
    /// The light's curve, where it is that of high dynamic range.
    pub(crate) bright: Option<BrightTransfer>,
}

/// The matrix between luma with two differences and red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// BT.601, of standard definition.
    Bt601,
    /// BT.709, of high definition.
    Bt709,
    /// BT.2020, of ultra high definition.
    Bt2020,
    /// None: the film's numbers are red, green and blue.
    Rgb,
}

/// What black and white are, of 8 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// 16 and 235.
    Limited,
    /// 0 and 255.
    Full,
}

/// Curves of high dynamic range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrightTransfer {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

/// What a file says of its colours, as ffprobe names it.
pub(crate) struct StatedColour<'a> {
    pub(crate) size: (u32, u32),
    pub(crate) pixels: Option<&'a str>,
    pub(crate) matrix: Option<&'a str>,
    pub(crate) range: Option<&'a str>,
    pub(crate) transfer: Option<&'a str>,
}

/// Brightness of white in a film of high dynamic range, in candelas per square metre (ITU-R BT.2408).
const HDR_WHITE_NITS: u32 = 203;

impl ColourRule {
    /// What the file says; where it says nothing, what players take it for: BT.709 from 720 rows or 1280 columns on and BT.601
    /// below, in limited range.
    pub(crate) fn of(stated: &StatedColour<'_>) -> Self {
        let pixels = stated.pixels.unwrap_or_default();
        let is_rgb = ["rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8"]
            .iter()
            .any(|start| pixels.starts_with(start));
        let matrix = match stated.matrix {
            _ if is_rgb => Matrix::Rgb,
            Some("gbr") => Matrix::Rgb,
            Some("bt709") => Matrix::Bt709,
            Some("smpte170m" | "bt470bg" | "fcc" | "smpte240m") => Matrix::Bt601,
            Some(name) if name.starts_with("bt2020") => Matrix::Bt2020,
            _ if stated.size.0.max(stated.size.1) >= 1280 || stated.size.0.min(stated.size.1) >= 720 => {
                Matrix::Bt709
            }
            _ => Matrix::Bt601,
        };
        // Formats of JPEG are of full range by their name.
        let is_full =
            is_rgb || stated.range == Some("pc") || (stated.range.is_none() && pixels.starts_with("yuvj"));
        let bright = match stated.transfer {
            Some("smpte2084") => Some(BrightTransfer::Pq),
            Some("arib-std-b67") => Some(BrightTransfer::Hlg),
            _ => None,
        };
        Self { matrix, range: if is_full { Range::Full } else { Range::Limited }, bright }
    }

    /// Whether the film is of high dynamic range.
    pub fn is_hdr(self) -> bool {
        self.bright.is_some()
    }

    /// Filters from the film's pictures to `rgb24` of this size. High dynamic range is brought to that of ordinary screens by
    /// Hable's curve with white at 203 cd/m², where ffmpeg has the filters for it (`zscale`); without, it looks flat.
    pub(crate) fn filters_to_rgb(self, size: (u32, u32), programs: &Programs) -> String {
        let mut filters = String::new();
        let (mut matrix, mut range) = (self.matrix, self.range);
        if let Some(bright) = self.bright
            && can_map_tones(programs)
        {
            let curve = match bright {
                BrightTransfer::Pq => "smpte2084",
                BrightTransfer::Hlg => "arib-std-b67",
            };
            let given = match range {
                Range::Limited => "limited",
                Range::Full => "full",
            };
            filters = format!(
                "zscale=tin={curve}:min=2020_ncl:pin=2020:rin={given}:t=linear:npl={HDR_WHITE_NITS},format=gbrpf32le,\
                 zscale=p=709,tonemap=hable:desat=0,zscale=t=709:m=709:r=limited,format=yuv444p10le,"
            );
            (matrix, range) = (Matrix::Bt709, Range::Limited);
        }
        let of_film = match matrix {
            Matrix::Rgb => String::new(),
            Matrix::Bt601 => format!("in_color_matrix=bt601:in_range={}:", range.name()),
            Matrix::Bt709 => format!("in_color_matrix=bt709:in_range={}:", range.name()),
            Matrix::Bt2020 => format!("in_color_matrix=bt2020:in_range={}:", range.name()),
        };
        let (width, height) = size;
        let flags = "flags=lanczos+accurate_rnd+full_chroma_int+full_chroma_inp";
        filters + &format!("scale={width}:{height}:{of_film}{flags},format=rgb24")
    }
}

/// Whether high dynamic range can be brought to that of ordinary screens.
pub(crate) fn can_map_tones(programs: &Programs) -> bool {
    programs.has_filter("zscale") && programs.has_filter("tonemap")
}

impl Range {
    fn name(self) -> &'static str {
        match self {
            Self::Limited => "tv",
            Self::Full => "pc",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(size: (u32, u32), pixels: &str, matrix: &str, range: &str, transfer: &str) -> ColourRule {
        let stated = |text| Some(text).filter(|text: &&str| !text.is_empty());
        ColourRule::of(&StatedColour {
            size,
            pixels: stated(pixels),
            matrix: stated(matrix),
            range: stated(range),
            transfer: stated(transfer),
        })
    }

    #[test]
    fn silence_means_what_players_take_it_for() {
        assert_eq!(rule((640, 480), "yuv420p", "", "", "").matrix, Matrix::Bt601);
        assert_eq!(rule((1280, 544), "yuv420p", "", "", "").matrix, Matrix::Bt709);
        assert_eq!(rule((720, 1280), "yuv420p", "", "", "").matrix, Matrix::Bt709);
        assert_eq!(rule((640, 480), "yuv420p", "", "", "").range, Range::Limited);
        assert_eq!(rule((640, 480), "yuvj420p", "", "", "").range, Range::Full);
    }

    #[test]
    fn what_is_said_counts() {
        let said = rule((640, 480), "yuv420p10le", "bt2020nc", "pc", "smpte2084");
        assert_eq!((said.matrix, said.range, said.is_hdr()), (Matrix::Bt2020, Range::Full, true));
        assert_eq!(rule((640, 480), "yuv420p", "bt709", "tv", "bt709").matrix, Matrix::Bt709);
        assert_eq!(rule((640, 480), "gbrp", "bt709", "", "").matrix, Matrix::Rgb);
    }
}
