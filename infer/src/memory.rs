//! A picture that does not fit into memory is refused with numbers, rather than the program killed.

/// Says that `needed` bytes for a picture of this size are more than `available`, if they are.
pub(crate) fn check(width: u32, height: u32, needed: u64, available: Option<u64>) -> anyhow::Result<()> {
    let gibibytes = |bytes: u64| bytes as f64 / (1u64 << 30) as f64;
    match available {
        Some(available) if needed > available => anyhow::bail!(
            "painting {width}x{height} pixels takes some {:.1} GiB of memory, {:.1} GiB are free; make the picture smaller",
            gibibytes(needed),
            gibibytes(available)
        ),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_that_does_not_fit_is_refused_with_numbers() {
        let message = check(6000, 4000, 29 << 30, Some(8 << 30)).unwrap_err().to_string();
        for part in ["6000x4000", "29.0 GiB", "8.0 GiB", "smaller"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(check(6000, 4000, 29 << 30, Some(30 << 30)).is_ok());
        assert!(check(6000, 4000, 29 << 30, None).is_ok());
    }
}
