//! The wasmtime engine: one configuration for compiling and for running, so that what one process compiled
//! the next one can map.

use crate::{Config, Error};
use sha2::{Digest, Sha256};
use std::hash::{Hash, Hasher};
use wasmtime::{Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Host functions run on the guest's stack, above what the guest itself may use of it.
const HOST_STACK_BYTES: usize = 1 << 20;
/// Core modules, tables and memories that one component may consist of. Language runtimes that link
/// dynamically (Python) come with about twenty of them.
const CORE_INSTANCES_PER_COMPONENT: u32 = 64;
const TABLES_PER_COMPONENT: u32 = 16;
const MEMORIES_PER_COMPONENT: u32 = 2;
const TABLE_RESIDENT_BYTES_MAX: usize = 64 << 10;
/// What a package's precompiled files may expect of a CPU: every x86-64 server since about 2009.
/// Without these, floating-point rounding and vector code become slow calls.
#[cfg(target_arch = "x86_64")]
const PORTABLE_CPU_FLAGS: &[&str] =
    &["has_cmpxchg16b", "has_sse3", "has_ssse3", "has_sse41", "has_sse42", "has_popcnt"];
#[cfg(not(target_arch = "x86_64"))]
const PORTABLE_CPU_FLAGS: &[&str] = &[];

/// The engine that compiles for this machine and runs.
pub(crate) fn native(config: &Config) -> Result<Engine, Error> {
    let with = |pool| {
        let mut settings = settings(config);
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
        Engine::new(&settings)
    };
    // Without PAGEMAP_SCAN (Linux 6.7), keeping pages means clearing them by hand: dearer than mapping them
    // anew. Asking for it fails where the kernel does not have it.
    let mut scanning = pool(config);
    scanning
        .pagemap_scan(Enabled::Yes)
        .linear_memory_keep_resident(config.resident_bytes_max)
        .table_keep_resident(config.resident_bytes_max.min(TABLE_RESIDENT_BYTES_MAX));
    with(scanning).or_else(|_| with(pool(config))).map_err(|error| Error::Engine(format!("{error:#}")))
}

/// An engine that compiles for any machine of this architecture, for files that travel in packages.
pub(crate) fn portable(config: &Config) -> Result<Engine, Error> {
    let mut settings = settings(config);
    let describe = |error: wasmtime::Error| Error::Engine(format!("{error:#}"));
    // Naming a target, even the host's own, keeps Cranelift from using what this CPU happens to have.
    settings.target(&target()).map_err(describe)?;
    for flag in PORTABLE_CPU_FLAGS {
        // SAFETY: these only name instructions. A machine without them refuses the file when it loads it:
        // the flags are recorded inside and wasmtime compares them with the CPU.
        unsafe { settings.cranelift_flag_enable(flag) };
    }
    Engine::new(&settings).map_err(describe)
}

/// A name for everything that decides whether compiled code fits an engine: its version, compiler
/// settings, CPU features and tunables.
pub(crate) fn fingerprint(engine: &Engine) -> String {
    let mut hasher = Sha256Hasher(Sha256::new());
    engine.precompile_compatibility_hash().hash(&mut hasher);
    hex(&hasher.0.finalize()[..8])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn settings(config: &Config) -> wasmtime::Config {
    let mut settings = wasmtime::Config::new();
    settings
        .wasm_component_model(true)
        // Guests have one thread and call nothing concurrently; without this every call is a little cheaper.
        .concurrency_support(false)
        .wasm_threads(false)
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .max_wasm_stack(config.wasm_stack_bytes)
        .async_stack_size(config.wasm_stack_bytes + HOST_STACK_BYTES)
        .memory_init_cow(true);
    settings
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    let instances = config.instances_max;
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES_PER_COMPONENT)
        .total_memories(instances * MEMORIES_PER_COMPONENT)
        .total_tables(instances * TABLES_PER_COMPONENT)
        .total_stacks(instances)
        .total_gc_heaps(instances)
        .max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT)
        .max_memories_per_component(MEMORIES_PER_COMPONENT)
        .max_tables_per_component(TABLES_PER_COMPONENT)
        .max_tables_per_module(TABLES_PER_COMPONENT)
        .max_memory_size(config.memory_bytes_max)
        .table_elements(config.table_elements_max)
        // Idle slots keep some memory each, so few of them should wait for the module they last held.
        .max_unused_warm_slots(instances.min(16));
    pool
}

fn target() -> String {
    let system = match std::env::consts::OS {
        "macos" => "apple-darwin",
        "windows" => "pc-windows-msvc",
        _ => "unknown-linux-gnu",
    };
    format!("{}-{system}", std::env::consts::ARCH)
}

/// The standard library's hashers promise nothing across releases, and this hash is part of file names.
struct Sha256Hasher(Sha256);

impl Hasher for Sha256Hasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    fn finish(&self) -> u64 {
        let digest = self.0.clone().finalize();
        u64::from_le_bytes(digest[..8].try_into().expect("a digest has 32 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_for_any_machine_is_not_mistaken_for_code_for_this_one() {
        let config = Config::default();
        let native = fingerprint(&native(&config).unwrap());
        let portable = fingerprint(&portable(&config).unwrap());
        assert_ne!(native, portable);
        assert_eq!(native, fingerprint(&super::native(&config).unwrap()));
    }
}
