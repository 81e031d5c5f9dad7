//! How much memory there is: what does not fit is refused with numbers, rather than the program killed.

/// Memory that can be had without swapping, in bytes; `None` where the system does not say (it does on Linux).
pub fn available_bytes() -> Option<u64> {
    parse_available(&std::fs::read_to_string("/proc/meminfo").ok()?)
}

/// Memory that this process holds, in bytes; `None` where the system does not say (it does on Linux).
pub fn resident_bytes() -> Option<u64> {
    parse_resident(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// The most memory that this process has held so far, in bytes; `None` where the system does not say (it does on Linux).
pub fn peak_resident_bytes() -> Option<u64> {
    parse_kibibytes(&std::fs::read_to_string("/proc/self/status").ok()?, "VmHWM:")
}

/// Whether a panic of libtorch's was about memory that it could not get, from its words.
pub fn is_about_memory(panic_message: &str) -> bool {
    // The words of CUDA's allocator, of the CPU's, and of the C++ runtime.
    ["out of memory", "can't allocate memory", "std::bad_alloc"]
        .iter()
        .any(|words| panic_message.contains(words))
}

fn parse_available(meminfo: &str) -> Option<u64> {
    parse_kibibytes(meminfo, "MemAvailable:")
}

fn parse_resident(status: &str) -> Option<u64> {
    parse_kibibytes(status, "VmRSS:")
}

fn parse_kibibytes(table: &str, name: &str) -> Option<u64> {
    let line = table.lines().find_map(|line| line.strip_prefix(name))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let table = "MemTotal:       24576000 kB\nMemFree:  1 kB\nMemAvailable:   20480 kB\nBuffers: 0 kB\n";
        assert_eq!(parse_available(table), Some(20480 * 1024));
        assert_eq!(parse_resident("Name: x\nVmRSS:\t    12 kB\n"), Some(12 * 1024));
        assert_eq!(parse_available("MemTotal: 1 kB\n"), None);
        assert_eq!(parse_available("MemAvailable: much kB\n"), None);
    }
}
