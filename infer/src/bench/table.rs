//! Measurements for people.

use std::fmt::Write as _;

use super::Measured;

pub(super) fn table(measured: &Measured) -> String {
    let Measured { size, device, ms, megapixels_per_s, peak_memory_mib, layers_ms } = measured;
    let mut text = String::new();
    let _ = write!(text, "{size} on {device}: {ms:.1} ms a picture, {megapixels_per_s:.2} megapixels/s");
    if let Some(mib) = peak_memory_mib {
        let _ = write!(text, ", {mib:.0} MiB of memory at the most");
    }
    text.push('\n');
    let mut layers: Vec<(&String, &f64)> = layers_ms.iter().collect();
    layers.sort_by(|a, b| b.1.total_cmp(a.1));
    for (layer, layer_ms) in layers {
        let _ = writeln!(text, "  {layer:<18}{layer_ms:>9.1} ms  {:>3.0} %", layer_ms / ms * 100.0);
    }
    text
}
