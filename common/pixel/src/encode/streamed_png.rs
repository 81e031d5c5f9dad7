//! PNG, row by row, so that neither pixels in another layout nor compressed bytes are held twice.

use std::borrow::Cow;
use std::io::{self, Write as _};

use png::{BitDepth, ColorType, Compression, Encoder, Filter, Info};

use super::profile::srgb_profile;
use crate::{DeepPicture, Picture};

/// Bytes of a chunk of compressed pixels.
const CHUNK: usize = 1 << 16;

pub(super) fn encode(picture: &Picture, exif: Option<&[u8]>) -> io::Result<Vec<u8>> {
    let size = (picture.width(), picture.height());
    let rows = picture.rgb().chunks_exact(size.0 as usize * 3);
    write(size, BitDepth::Eight, picture.alpha(), rows, exif, |pixels, alphas, row| match alphas {
        None => row.extend_from_slice(pixels),
        Some(alphas) => {
            for (pixel, &alpha) in pixels.as_chunks::<3>().0.iter().zip(alphas) {
                row.extend_from_slice(pixel);
                row.push(alpha);
            }
        }
    })
}

pub(super) fn encode_deep(picture: &DeepPicture, exif: Option<&[u8]>) -> io::Result<Vec<u8>> {
    let size = (picture.width(), picture.height());
    let rows = picture.rgb().chunks_exact(size.0 as usize * 3);
    write(size, BitDepth::Sixteen, picture.alpha(), rows, exif, |pixels, alphas, row| {
        let mut alphas = alphas.into_iter().flatten();
        for pixel in pixels.as_chunks::<3>().0 {
            for value in pixel {
                row.extend_from_slice(&value.to_be_bytes());
            }
            // 255 * 257 is 65535: the same byte twice.
            row.extend(alphas.next().into_iter().flat_map(|&alpha| [alpha; 2]));
        }
    })
}

/// `lay_out` appends the bytes of one row, as PNG has them.
fn write<'a, Sample: 'a>(
    (width, height): (u32, u32),
    depth: BitDepth,
    alpha: Option<&[u8]>,
    rows: impl Iterator<Item = &'a [Sample]>,
    exif: Option<&[u8]>,
    lay_out: impl Fn(&[Sample], Option<&[u8]>, &mut Vec<u8>),
) -> io::Result<Vec<u8>> {
    let mut info = Info::with_size(width, height);
    info.color_type = if alpha.is_some() { ColorType::Rgba } else { ColorType::Rgb };
    info.bit_depth = depth;
    info.icc_profile = Some(Cow::Borrowed(srgb_profile()));
    info.exif_metadata = exif.map(Cow::Borrowed);

    let mut bytes = Vec::new();
    let mut encoder = Encoder::with_info(&mut bytes, info)?;
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut file = encoder.write_header()?;
    let mut pixels = file.stream_writer_with_size(CHUNK)?;
    let mut row = Vec::new();
    for (y, samples) in rows.enumerate() {
        let columns = y * width as usize..(y + 1) * width as usize;
        row.clear();
        lay_out(samples, alpha.map(|alpha| &alpha[columns]), &mut row);
        pixels.write_all(&row)?;
    }
    pixels.finish()?;
    file.finish()?;
    Ok(bytes)
}
