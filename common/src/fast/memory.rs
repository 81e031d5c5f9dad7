//! Memory that is kept for the next step.

/// Has the process keep the memory that tensors give back, from now on, instead of returning it to the system.
///
/// Libtorch allocates each result anew, and glibc gets such large blocks from the system and gives them back, every
/// time. Of the time of a convolution from 64 to 64 channels at 256x256, a third went into page faults that way. Costs the process its largest use of
/// memory for the rest of its life, which is no more than it needs in each step anyway. Without glibc it does nothing.
pub fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[allow(unsafe_code)]
    // SAFETY: `mallopt` takes plain numbers, and may be called at any time; what it refuses stays as it was.
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, -1);
        libc::mallopt(libc::M_TOP_PAD, 64 << 20);
    }
}
