//! How much memory the process takes.

use super::Pintle;

/// Resident memory in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Now.
    pub now: u64,
    /// The most since the start, or since [`Pintle::forget_peak`].
    pub peak: u64,
}

impl Pintle {
    /// What the kernel says.
    ///
    /// # Panics
    /// When the process is gone.
    #[must_use]
    pub fn memory(&self) -> Memory {
        let path = format!("/proc/{}/status", self.pid());
        let text = std::fs::read_to_string(path).expect("the process runs");
        let kib = |name: &str| -> u64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name)).expect("Linux says so");
            line.trim().trim_end_matches(" kB").parse().expect("a number")
        };
        Memory { now: kib("VmRSS:") << 10, peak: kib("VmHWM:") << 10 }
    }

    /// Lets the peak begin at what is taken now.
    ///
    /// # Panics
    /// When the kernel refuses.
    pub fn forget_peak(&self) {
        std::fs::write(format!("/proc/{}/clear_refs", self.pid()), "5").expect("our own child may be reset");
    }
}
