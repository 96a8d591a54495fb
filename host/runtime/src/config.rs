//! Every limit of the runtime: a name, a unit and a default.

use crate::Error;
use pintle_events::seconds;
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// What guests may use, and what the runtime keeps.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Where compiled components are kept between starts; made with mode 0700. Without it, every start
    /// compiles what it needs. Default: none.
    pub cache_dir: Option<PathBuf>,
    /// Size of the cache directory; beyond it the longest unused files go. Default: 1 GiB.
    pub cache_bytes_max: u64,
    /// Directories of components compiled ahead by [`crate::precompile`], read and never written. Default: none.
    pub precompiled_dirs: Vec<PathBuf>,
    /// The largest component that is accepted. Default: 64 MiB.
    pub component_bytes_max: usize,
    /// Compiled components kept in memory, at most; the ones in use are held by their users. Default: 256.
    pub components_max: u64,

    /// Linear memory of one instance, at most. Default: 128 MiB.
    pub memory_bytes_max: usize,
    /// Elements of one table of a guest, at most. Default: 100,000.
    pub table_elements_max: usize,
    /// Stack of a running guest. Default: 512 KiB.
    pub wasm_stack_bytes: usize,
    /// How long one call may run. Default: 4 s.
    #[serde(with = "seconds")]
    pub run_time_max: Duration,
    /// How long one call may take with everything it waits for. Default: 60 s.
    #[serde(with = "seconds")]
    pub call_time_max: Duration,
    /// A running guest lets other tasks run this often, and is stopped this exactly. Default: 10 ms.
    #[serde(with = "seconds")]
    pub epoch_tick: Duration,
    /// What one call may return. Default: 8 MiB.
    pub output_bytes_max: usize,
    /// The largest script or library that is accepted. Default: 512 KiB.
    pub source_bytes_max: usize,
    /// A script and all libraries that it needs, together. Default: 4 MiB.
    pub linked_bytes_max: usize,
    /// What a script engine may write to each of its standard streams in one call; the rest is counted and
    /// left out. Default: 64 KiB.
    pub written_bytes_max: usize,
    /// Requests that one call of a transformation may send. Default: 1,000.
    pub fetches_per_call_max: u32,
    /// Log lines kept of one batch. Default: 100.
    pub logs_per_batch_max: usize,
    /// A log line, error message or stack is cut after this many bytes. Default: 4 KiB.
    pub text_bytes_max: usize,

    /// Instances of all components together, at most. Default: 256.
    pub instances_max: u32,
    /// Instances of one configured destination or one transformation version. Default: 4.
    pub instances_per_component_max: u32,
    /// How long a call waits for an instance before it fails as busy. Default: 30 s.
    #[serde(with = "seconds")]
    pub instance_wait_max: Duration,
    /// Linear memory of all instances together. Idle instances go first; while busy ones hold more than
    /// this, no new one starts. Default: 1 GiB.
    pub memory_budget_bytes: usize,
    /// Bytes of a returned memory slot that stay resident for its next user. Default: 2 MiB.
    pub resident_bytes_max: usize,

    /// Start every batch in a fresh instance: nothing survives from batch to batch, at the price of loading
    /// a script each time (about a millisecond). Default: false.
    pub fresh_per_batch: bool,
    /// An instance is replaced after so many batches, or as few as half of it: the exact number is drawn
    /// for each instance, so that they do not all go at once. Default: 1,000.
    pub recycle_batches: u32,
    /// An instance is replaced when its memory has grown by this much since it was ready: script engines
    /// collect garbage lazily and would climb to 70 MB. Default: 16 MiB.
    pub recycle_memory_bytes: usize,
    /// An instance is replaced when it has returned this much: some guest toolchains never free what they
    /// return. Default: 32 MiB.
    pub recycle_output_bytes: usize,
    /// An instance without work is dropped after this long. Default: 60 s.
    #[serde(with = "seconds")]
    pub idle_time_max: Duration,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            cache_dir: None,
            cache_bytes_max: 1 << 30,
            precompiled_dirs: Vec::new(),
            component_bytes_max: 64 * MIB,
            components_max: 256,
            memory_bytes_max: 128 * MIB,
            table_elements_max: 100_000,
            wasm_stack_bytes: 512 * KIB,
            run_time_max: Duration::from_secs(4),
            call_time_max: Duration::from_secs(60),
            epoch_tick: Duration::from_millis(10),
            output_bytes_max: 8 * MIB,
            source_bytes_max: 512 * KIB,
            linked_bytes_max: 4 * MIB,
            written_bytes_max: 64 * KIB,
            fetches_per_call_max: 1_000,
            logs_per_batch_max: 100,
            text_bytes_max: 4 * KIB,
            instances_max: 256,
            instances_per_component_max: 4,
            instance_wait_max: Duration::from_secs(30),
            memory_budget_bytes: 1 << 30,
            resident_bytes_max: 2 * MIB,
            fresh_per_batch: false,
            recycle_batches: 1_000,
            recycle_memory_bytes: 16 * MIB,
            recycle_output_bytes: 32 * MIB,
            idle_time_max: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Refuses values that cannot work, naming the key and the fix.
    pub fn validate(&self) -> Result<(), Error> {
        let checks = [
            ("memory-bytes-max", self.memory_bytes_max >= 64 * KIB, "give a guest at least one page, 65536 bytes"),
            ("memory-bytes-max", self.memory_bytes_max <= 4 << 30, "a guest cannot address more than 4 GiB"),
            ("wasm-stack-bytes", (64 * KIB..=16 * MIB).contains(&self.wasm_stack_bytes), "choose 65536 to 16777216"),
            ("run-time-max", !self.run_time_max.is_zero(), "choose more than 0"),
            ("call-time-max", self.call_time_max >= self.run_time_max, "choose at least run-time-max"),
            ("epoch-tick", self.epoch_tick >= Duration::from_millis(1), "choose at least 0.001"),
            ("output-bytes-max", self.output_bytes_max >= KIB, "choose at least 1024"),
            ("instances-max", self.instances_max >= 1, "choose at least 1"),
            ("instances-per-component-max", self.instances_per_component_max >= 1, "choose at least 1"),
            ("recycle-batches", self.recycle_batches >= 1, "choose at least 1"),
            (
                "memory-budget-bytes",
                self.memory_budget_bytes >= self.memory_bytes_max,
                "choose at least memory-bytes-max",
            ),
        ];
        match checks.into_iter().find(|(_, holds, _)| !holds) {
            Some((key, _, fix)) => Err(Error::Config { key, fix }),
            None => Ok(()),
        }
    }
}

impl Config {
    /// What guests are told about `run_time_max`.
    pub(crate) fn deadline_ms(&self) -> u32 {
        u32::try_from(self.run_time_max.as_millis()).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_valid() {
        Config::default().validate().unwrap();
    }

    #[test]
    fn a_value_that_cannot_work_names_its_key_and_the_fix() {
        let config: Config = serde_json::from_str(r#"{"run-time-max": 0}"#).unwrap();
        assert_eq!(config.validate().unwrap_err().to_string(), "run-time-max: choose more than 0");
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let error = serde_json::from_str::<Config>(r#"{"run-time": 1}"#).unwrap_err();
        assert!(error.to_string().contains("unknown field `run-time`"), "{error}");
    }
}
