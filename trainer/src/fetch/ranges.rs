//! Only the convolutions (and norms) of a safetensors file, where the server gives ranges: a seventh of the bytes for
//! VGG-19, a ninth for VGG-16, as the classifier holds the others.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::ops::Range;
use std::path::Path;

use common::lossnet::{Arch, TensorShapes, deepest_layer};
use safetensors::tensor::{Metadata, TensorInfo};
use tch::Tensor;
use ureq::Body;
use ureq::http::{Response, StatusCode};

use super::http::{Asked, Http, Setback, content_range, validator_of};
use super::part::{Part, State};
use super::weights_file::kind_of_safetensors;
use super::{FetchError, Watch, download};

/// Asked for at first, in the hope that it is all of the header.
const FIRST_BYTES: u64 = 1 << 15;
/// A VGG network's takes some 4 kB, Inception-v3's some 60.
const LARGEST_HEADER: u64 = 1 << 20;
/// Spans this close are fetched at once: another request costs more than the bytes between.
const SMALL_GAP: u64 = 1 << 16;

/// What was fetched, and the part that it came from.
pub(super) struct Fetched {
    pub(super) tensors: BTreeMap<String, Tensor>,
    pub(super) part: Part,
}

/// The convolutions by name; None where the server does not give ranges, or none of a file that could be told from
/// another version of it.
pub(super) fn convolutions(
    http: &Http,
    url: &str,
    arch: Arch,
    folder: &Path,
    watch: &mut Watch<'_>,
) -> Result<Option<Fetched>, FetchError> {
    let unusable = |reason: String| FetchError::server(url, reason);
    let Some(header) = http.persist(watch, |_| fetch_header(http, url))? else { return Ok(None) };
    let wanted = wanted_tensors(&header.metadata, arch).map_err(unusable)?;

    let spans = joined(wanted.iter().map(|(_, info)| header.span_of(info)).collect());
    let state = State {
        url: url.to_owned(),
        validator: Some(header.validator.clone()),
        total: Some(header.total),
        spans: Some(spans.clone()),
    };
    let mut part = Part::open(folder, url, ".convolutions")?;
    download::spans(http, url, &mut part, &state, watch)?;
    let bytes = std::fs::read(part.path()).map_err(|cause| FetchError::local(part.path(), cause))?;
    let tensors = wanted
        .into_iter()
        .map(|(name, info)| {
            let data = slice_of(&spans, &header.span_of(info), &bytes)
                .ok_or_else(|| unusable("the connection gave fewer bytes than were asked for".to_owned()))?;
            let shape: Vec<i64> = info.shape.iter().map(|&side| side as i64).collect();
            let kind = kind_of_safetensors(info.dtype).expect("checked before anything was fetched");
            Ok((name, Tensor::from_data_size(data, &shape, kind)))
        })
        .collect::<Result<BTreeMap<_, _>, FetchError>>()?;
    Ok(Some(Fetched { tensors, part }))
}

struct Header {
    metadata: Metadata,
    /// Where the tensors' bytes begin.
    data_start: u64,
    total: u64,
    validator: String,
}

impl Header {
    /// Where a tensor lies in the file.
    fn span_of(&self, info: &TensorInfo) -> Range<u64> {
        let (start, end) = info.data_offsets;
        self.data_start + start as u64..self.data_start + end as u64
    }
}

fn fetch_header(http: &Http, url: &str) -> Result<Option<Header>, Setback> {
    let refused = |reason: &str| Setback::Final(FetchError::server(url, reason));
    let response = http.get(url, Asked::Between(0, FIRST_BYTES), None)?;
    let (Some(0), Some(total)) = content_range(&response) else { return Ok(None) };
    let Some(validator) = validator_of(&response) else { return Ok(None) };
    if response.status() != StatusCode::PARTIAL_CONTENT {
        return Ok(None);
    }
    let mut bytes = body_of(http, url, response, FIRST_BYTES)?;
    let no_safetensors = "not a safetensors file";
    let length = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length));
    let length = length.ok_or_else(|| refused(no_safetensors))?;
    if length > LARGEST_HEADER || length + 8 > total || bytes.get(8) != Some(&b'{') {
        return Err(refused(no_safetensors));
    }
    let data_start = length + 8;
    if data_start > bytes.len() as u64 {
        let asked = Asked::Between(bytes.len() as u64, data_start);
        let response = http.get(url, asked, Some(&validator))?;
        if response.status() != StatusCode::PARTIAL_CONTENT
            || content_range(&response).0 != Some(bytes.len() as u64)
        {
            return Err(Setback::passing(url, "the file has changed while it was being fetched"));
        }
        bytes.extend(body_of(http, url, response, data_start)?);
    }
    let header = bytes.get(8..data_start as usize);
    let header = header.ok_or_else(|| Setback::passing(url, "the connection broke in the header"))?;
    // Offsets that overlap, leave gaps or do not fit the shapes are refused here.
    let metadata: Metadata = serde_json::from_slice(header).map_err(|_| refused(no_safetensors))?;
    if data_start + metadata.data_len() as u64 != total {
        return Err(refused("the file is not as long as its header says"));
    }
    Ok(Some(Header { metadata, data_start, total, validator }))
}

fn body_of(http: &Http, url: &str, response: Response<Body>, at_most: u64) -> Result<Vec<u8>, Setback> {
    let mut bytes = Vec::new();
    let read = response.into_body().into_reader().take(at_most).read_to_end(&mut bytes);
    read.map_err(|error| Setback::passing(url, http.told(&ureq::Error::from(error))))?;
    Ok(bytes)
}

fn wanted_tensors(metadata: &Metadata, arch: Arch) -> Result<Vec<(String, &TensorInfo)>, String> {
    let mut wanted: Vec<(String, &TensorInfo)> =
        metadata.tensors().into_iter().filter(|(name, _)| arch.is_of_layers(name)).collect();
    wanted.sort_by_key(|(_, info)| info.data_offsets);
    let shape = |info: &TensorInfo| info.shape.iter().map(|&side| side as i64).collect();
    let shapes: TensorShapes = wanted.iter().map(|(name, info)| (name.clone(), shape(info))).collect();
    deepest_layer(arch, &shapes).map_err(|mismatch| format!("not the layers of {arch}: {mismatch}"))?;
    if let Some((name, info)) = wanted.iter().find(|(_, info)| kind_of_safetensors(info.dtype).is_none()) {
        return Err(format!("{name} holds {:?} numbers", info.dtype));
    }
    Ok(wanted)
}

/// Ordered spans, those that are close made one.
fn joined(spans: Vec<Range<u64>>) -> Vec<Range<u64>> {
    let mut joined: Vec<Range<u64>> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if span.start <= last.end + SMALL_GAP => last.end = last.end.max(span.end),
            _ => joined.push(span),
        }
    }
    joined
}

/// What of `bytes`, which are those of `spans`, belongs to `wanted`.
fn slice_of<'a>(spans: &[Range<u64>], wanted: &Range<u64>, bytes: &'a [u8]) -> Option<&'a [u8]> {
    let mut before = 0;
    for span in spans {
        if span.start <= wanted.start && wanted.end <= span.end {
            let start = before + (wanted.start - span.start);
            return bytes.get(start as usize..(start + (wanted.end - wanted.start)) as usize);
        }
        before += span.end - span.start;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_spans_become_one_and_far_ones_do_not() {
        let far = 10 + SMALL_GAP;
        assert_eq!(joined(vec![0..10, 10..20, far..far + 1]), vec![0..far + 1; 1]);
        assert_eq!(joined(vec![0..10, far + 1..far + 2]), [0..10, far + 1..far + 2]);
    }

    #[test]
    fn a_tensor_is_found_again_among_the_bytes_of_the_spans() {
        let spans = [100..104, 200..203];
        assert_eq!(slice_of(&spans, &(101..103), b"abcdefg"), Some(b"bc".as_slice()));
        assert_eq!(slice_of(&spans, &(200..203), b"abcdefg"), Some(b"efg".as_slice()));
        assert_eq!(slice_of(&spans, &(200..203), b"abcde"), None);
        assert_eq!(slice_of(&spans, &(103..105), b"abcdefg"), None);
    }
}
