//! How much memory there is: a picture that does not fit is refused with a number, rather than the program killed.

/// Memory that can be had without swapping, in bytes; `None` where the system does not say (it does on Linux).
pub(crate) fn available_bytes() -> Option<u64> {
    parse_available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

fn parse_available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

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
    fn available_memory_is_read_from_the_systems_table() {
        let table = "MemTotal:       24576000 kB\nMemFree:  1 kB\nMemAvailable:   20480 kB\nBuffers: 0 kB\n";
        assert_eq!(parse_available(table), Some(20480 * 1024));
        assert_eq!(parse_available("MemTotal: 1 kB\n"), None);
        assert_eq!(parse_available("MemAvailable: much kB\n"), None);
    }

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
