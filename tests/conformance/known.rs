//! Cases whose recorded output is not what Pintle wants to do, with the reason. They count neither way.

use anyhow::Context;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// Reasons by fingerprint of the case.
pub struct Known(BTreeMap<String, String>);

impl Known {
    /// Reads the table: `| fingerprint | reason |` per line.
    pub fn read(file: &Path) -> anyhow::Result<Known> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let entry = |line: &str| {
            let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
            let (fingerprint, reason) = (cells.next()?, cells.next()?);
            let is_one = fingerprint.len() == 16 && fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit());
            is_one.then(|| (fingerprint.to_owned(), reason.to_owned()))
        };
        Ok(Known(text.lines().filter_map(entry).collect()))
    }

    /// Why the case does not count, if it does not.
    pub fn reason(&self, case: &Value) -> Option<&str> {
        self.0.get(&fingerprint(case)).map(String::as_str)
    }
}

/// A case is known by what goes in and what was recorded, wherever it stands in its file.
pub fn fingerprint(case: &Value) -> String {
    use std::hash::Hasher as _;
    // FNV-1a: small, and the same everywhere.
    struct Fnv(u64);
    impl std::hash::Hasher for Fnv {
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
        fn finish(&self) -> u64 {
            self.0
        }
    }
    let mut hasher = Fnv(0xcbf2_9ce4_8422_2325);
    hasher.write(case.to_string().as_bytes());
    format!("{:016x}", hasher.finish())
}
