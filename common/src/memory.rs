//! How much memory there is: what does not fit is refused with numbers, rather than the program killed.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

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

/// A number of bytes as people type it: `2G` is two times 1024 to the third.
///
/// # Errors
/// In words, what was expected.
pub fn parse_bytes(typed: &str) -> Result<u64, String> {
    let parsed = parse_size::Config::new().with_binary().parse_size(typed);
    parsed.map_err(|_| "expected a number of bytes, as 2G or 700M".to_owned())
}

/// Whether a panic of libtorch's was about memory that it could not get, from its words.
pub fn is_about_memory(panic_message: &str) -> bool {
    // The words of CUDA's allocator, of the CPU's, and of the C++ runtime.
    ["out of memory", "can't allocate memory", "std::bad_alloc"]
        .iter()
        .any(|words| panic_message.contains(words))
}

/// What a panic said, if it said anything.
pub fn panic_message(panic: &(dyn Any + Send)) -> Option<&str> {
    panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied())
}

/// Does `work`. Where libtorch had not enough memory for it, what it said of that; other panics go on.
///
/// What `work` was changing may be half done then, and is to be thrown away.
///
/// # Errors
/// There was not enough memory.
pub fn catching<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| match panic_message(&*panic) {
        Some(message) if is_about_memory(message) => message.to_owned(),
        _ => resume_unwind(panic),
    })
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
    use tch::{Device, Kind, Tensor};

    use super::*;

    #[test]
    fn typed_bytes_are_binary() {
        assert_eq!(parse_bytes("2G"), Ok(2 << 30));
        assert_eq!(parse_bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse_bytes("700m"), Ok(700 << 20));
        assert!(parse_bytes("much").is_err() && parse_bytes("-1").is_err());
    }

    #[test]
    fn libtorchs_refusal_is_told_from_other_panics() {
        // More than any machine has.
        assert!(catching(|| Tensor::zeros([1 << 50], (Kind::Float, Device::Cpu))).is_err());
        assert_eq!(catching(|| 7), Ok(7));
        assert!(catch_unwind(|| catching(|| panic!("something else"))).is_err());
    }

    #[test]
    fn available_memory_is_read_from_the_systems_table() {
        let table = "MemTotal:       24576000 kB\nMemFree:  1 kB\nMemAvailable:   20480 kB\nBuffers: 0 kB\n";
        assert_eq!(parse_available(table), Some(20480 * 1024));
        assert_eq!(parse_resident("Name: x\nVmRSS:\t    12 kB\n"), Some(12 * 1024));
        assert_eq!(parse_available("MemTotal: 1 kB\n"), None);
        assert_eq!(parse_available("MemAvailable: much kB\n"), None);
    }
}
