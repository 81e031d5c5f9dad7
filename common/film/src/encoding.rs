//! How pictures become a film's video stream.

use crate::{Container, FilmError, Programs};

/// What the user asks of the encoder; what is left open is chosen so that the film plays everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EncodingOptions {
    /// A codec such as `h264`, or an encoder as ffmpeg names it.
    pub codec: Option<String>,
    /// Constant quality; smaller is better and larger.
    pub crf: Option<u32>,
    /// The encoder's preset.
    pub preset: Option<String>,
    /// Pixel format as ffmpeg names it.
    pub pixels: Option<String>,
    /// Bits per second as ffmpeg takes them, such as `4M`, instead of a constant quality.
    pub bitrate: Option<String>,
}

/// How pictures become a video stream: an encoder, and all that it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoding {
    encoder: String,
    pixels: String,
    settings: Vec<String>,
}

/// A codec by its common name.
struct Known {
    names: &'static [&'static str],
    encoder: &'static str,
    pixels: &'static str,
    crf: Option<u32>,
    preset: Option<(&'static str, &'static str)>, // the option's name, and what it is by default
    more: &'static [&'static str],
}

/// Painted films are full of fine texture, which is what encoders spend their time on: presets are quick ones, whose files are
/// a little larger.
const KNOWN: &[Known] = &[
    Known {
        names: &["h264", "avc", "libx264"],
        encoder: "libx264",
        pixels: "yuv420p",
        crf: Some(18),
        preset: Some(("-preset", "veryfast")),
        more: &[],
    },
    Known {
        names: &["hevc", "h265", "libx265"],
        encoder: "libx265",
        pixels: "yuv420p",
        crf: Some(21),
        preset: Some(("-preset", "veryfast")),
        more: &["-x265-params", "log-level=error"],
    },
    Known {
        names: &["vp9", "libvpx-vp9"],
        encoder: "libvpx-vp9",
        pixels: "yuv420p",
        crf: Some(28),
        preset: Some(("-cpu-used", "5")),
        more: &["-row-mt", "1", "-deadline", "good"],
    },
    Known {
        names: &["av1", "libsvtav1"],
        encoder: "libsvtav1",
        pixels: "yuv420p",
        crf: Some(28),
        preset: Some(("-preset", "9")),
        more: &[],
    },
    Known {
        names: &["prores", "prores_ks"],
        encoder: "prores_ks",
        pixels: "yuv422p10le",
        crf: None,
        preset: None,
        more: &["-profile:v", "hq", "-vendor", "apl0"],
    },
    Known {
        names: &["ffv1"],
        encoder: "ffv1",
        pixels: "gbrp",
        crf: None,
        preset: None,
        more: &["-level", "3"],
    },
];

impl Encoding {
    /// What is asked for, completed by what fits the container.
    ///
    /// # Errors
    /// ffmpeg was built without the encoder.
    pub fn choose(
        container: Container,
        options: &EncodingOptions,
        programs: &Programs,
    ) -> Result<Self, FilmError> {
        let encoding = Self::complete(container, options);
        if programs.has_encoder(&encoding.encoder) {
            Ok(encoding)
        } else {
            Err(FilmError::NoEncoder { encoder: encoding.encoder })
        }
    }

    fn complete(container: Container, options: &EncodingOptions) -> Self {
        let pixels = |usual: &str| options.pixels.clone().unwrap_or_else(|| usual.to_owned());
        let settings = |settings: &[&str]| settings.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let codec = match (&options.codec, container) {
            (Some(codec), _) => codec.as_str(),
            (None, Container::Webm) => "vp9",
            (None, Container::Gif) => {
                return Self {
                    encoder: "gif".into(),
                    pixels: "pal8".into(),
                    settings: settings(&["-loop", "0"]),
                };
            }
            (None, Container::WebP) => {
                let settings = settings(&["-loop", "0", "-quality", "80"]);
                return Self { encoder: "libwebp_anim".into(), pixels: pixels("yuv420p"), settings };
            }
            (None, Container::Y4m) => {
                return Self {
                    encoder: "wrapped_avframe".into(),
                    pixels: pixels("yuv420p"),
                    settings: Vec::new(),
                };
            }
            (None, _) => "h264",
        };
        let Some(known) = KNOWN.iter().find(|known| known.names.contains(&codec)) else {
            return Self::unknown(codec, options);
        };
        let mut settings = settings(known.more);
        if let Some((option, usual)) = known.preset {
            settings.extend([option.to_owned(), options.preset.clone().unwrap_or_else(|| usual.to_owned())]);
        }
        match (&options.bitrate, options.crf.or(known.crf)) {
            (Some(bitrate), _) => settings.extend(["-b:v".to_owned(), bitrate.clone()]),
            (None, Some(crf)) => {
                settings.extend(["-crf".to_owned(), crf.to_string()]);
                if known.encoder == "libvpx-vp9" {
                    // Without it, VP9 takes the crf for no more than a floor under a bitrate.
                    settings.extend(["-b:v".to_owned(), "0".to_owned()]);
                }
            }
            (None, None) => {}
        }
        Self { encoder: known.encoder.into(), pixels: pixels(known.pixels), settings }
    }

    /// An encoder that only ffmpeg knows: it is told what the user typed.
    fn unknown(encoder: &str, options: &EncodingOptions) -> Self {
        let typed = [
            ("-crf", options.crf.map(|crf| crf.to_string())),
            ("-preset", options.preset.clone()),
            ("-b:v", options.bitrate.clone()),
        ];
        let typed = typed.into_iter().filter_map(|(option, value)| Some([option.to_owned(), value?]));
        let pixels = options.pixels.clone().unwrap_or_else(|| "yuv420p".to_owned());
        Self { encoder: encoder.to_owned(), pixels, settings: typed.flatten().collect() }
    }

    /// What ffmpeg is told.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-c:v".to_owned(), self.encoder.clone()];
        arguments.extend_from_slice(&self.settings);
        if !self.is_rgb() {
            for option in ["-colorspace", "-color_primaries", "-color_trc"] {
                arguments.extend([option.to_owned(), "bt709".to_owned()]);
            }
            arguments.extend(["-color_range".to_owned(), self.range().to_owned()]);
        }
        arguments
    }

    /// Filters from `rgb24` to what the encoder takes: BT.709 in limited range, said in so many words.
    pub(crate) fn filters(&self) -> String {
        match self.pixels.as_str() {
            "pal8" => "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=bayer:bayer_scale=4".into(),
            pixels if self.is_rgb() => format!("format={pixels}"),
            pixels => format!(
                "scale=out_color_matrix=bt709:out_range={}:flags=bicubic+accurate_rnd+full_chroma_int,format={pixels}",
                self.range()
            ),
        }
    }

    /// Whether colours are kept for every other column or row only, so that both sides have to be even.
    pub(crate) fn wants_even_sides(&self) -> bool {
        ["420", "422", "411", "410", "440", "nv12", "nv21", "p010"]
            .iter()
            .any(|part| self.pixels.contains(part))
    }

    /// How a track of it is called in MP4 and QuickTime, where ffmpeg's choice does not play everywhere.
    pub(crate) fn tag(&self) -> Option<&'static str> {
        (self.encoder == "libx265").then_some("hvc1")
    }

    fn is_rgb(&self) -> bool {
        ["rgb", "bgr", "gbr", "pal8"].iter().any(|start| self.pixels.starts_with(start))
    }

    fn range(&self) -> &'static str {
        if self.pixels.starts_with("yuvj") { "pc" } else { "tv" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_play_everywhere() {
        let encoding = Encoding::complete(Container::Mp4, &EncodingOptions::default());
        let told = encoding.arguments().join(" ");
        assert_eq!((encoding.encoder.as_str(), encoding.pixels.as_str()), ("libx264", "yuv420p"));
        assert!(told.contains("-crf 18") && told.contains("-colorspace bt709"), "{told}");
        assert!(encoding.wants_even_sides());
        assert_eq!(Encoding::complete(Container::Webm, &EncodingOptions::default()).encoder, "libvpx-vp9");
    }

    #[test]
    fn a_bitrate_stands_in_for_quality() {
        let options = EncodingOptions { bitrate: Some("4M".into()), ..EncodingOptions::default() };
        let told = Encoding::complete(Container::Mp4, &options).arguments().join(" ");
        assert!(told.contains("-b:v 4M") && !told.contains("-crf"), "{told}");
    }

    #[test]
    fn other_encoders_are_told_what_was_typed() {
        let options = EncodingOptions {
            codec: Some("h264_nvenc".into()),
            preset: Some("p5".into()),
            pixels: Some("yuv444p".into()),
            ..EncodingOptions::default()
        };
        let encoding = Encoding::complete(Container::Mkv, &options);
        let told = encoding.arguments().join(" ");
        assert!(told.starts_with("-c:v h264_nvenc -preset p5 -colorspace"), "{told}");
        assert!(!encoding.wants_even_sides());
    }
}
