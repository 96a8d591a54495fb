//! The system that a language runtime finds around itself: enough of WASI to start Python, and nothing of
//! the machine.
//!
//! Script engines and transformations may import it ([`crate::component`]); destinations import nothing at all. A
//! clock stands where the batch's context says, randomness comes from the context's seed, and what is
//! written to the standard streams becomes log lines. There are no files, no sockets, no names to look up,
//! no environment and no arguments: those calls are there and say no.

mod chance;
mod sheet;
mod time;

use crate::limiter::State;
use crate::transformation::LogLine;
use chance::Chance;
use sheet::Sheet;
use time::Time;
use wasmtime::component::{Linker, ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

/// The interfaces that are there, in every release of WASI 0.2. Releases only add to each other.
const INTERFACES: &[&str] = &[
    "wasi:cli/environment",
    "wasi:cli/exit",
    "wasi:cli/stderr",
    "wasi:cli/stdin",
    "wasi:cli/stdout",
    "wasi:cli/terminal-input",
    "wasi:cli/terminal-output",
    "wasi:cli/terminal-stderr",
    "wasi:cli/terminal-stdin",
    "wasi:cli/terminal-stdout",
    "wasi:clocks/monotonic-clock",
    "wasi:clocks/wall-clock",
    "wasi:filesystem/preopens",
    "wasi:filesystem/types",
    "wasi:io/error",
    "wasi:io/poll",
    "wasi:io/streams",
    "wasi:random/insecure",
    "wasi:random/insecure-seed",
    "wasi:random/random",
    "wasi:sockets/instance-network",
    "wasi:sockets/ip-name-lookup",
    "wasi:sockets/network",
    "wasi:sockets/tcp",
    "wasi:sockets/tcp-create-socket",
    "wasi:sockets/udp",
    "wasi:sockets/udp-create-socket",
];

/// Things of the system that a guest may hold at once: streams, pollables, sockets that are not there.
const RESOURCES_MAX: usize = 1_000;
/// What a guest may ask for in one call. More is a trap.
const RANDOM_BYTES_MAX: u64 = 1 << 20;

/// Whether the system has this import, e.g. `wasi:io/poll@0.2.9`.
pub(crate) fn offers(import: &str) -> bool {
    let (interface, version) = import.split_once('@').unwrap_or((import, ""));
    INTERFACES.contains(&interface) && version.starts_with("0.2.")
}

/// Gives a component the system.
pub(crate) fn add_to(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    time::add_to(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}

/// The system of one instance.
pub(crate) struct System {
    ctx: WasiCtx,
    resources: ResourceTable,
    time: Time,
    chance: Chance,
    out: Sheet,
    err: Sheet,
}

impl System {
    /// A system whose streams keep so many bytes of each call.
    pub(crate) fn new(written_bytes_max: usize) -> System {
        let (time, chance) = (Time::default(), Chance::default());
        let (out, err) = (Sheet::new(written_bytes_max), Sheet::new(written_bytes_max));
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(RESOURCES_MAX);
        let ctx = WasiCtx::builder()
            .wall_clock(time.clone())
            .monotonic_clock(time.clone())
            .secure_random(chance.clone())
            .insecure_random(chance.clone())
            .insecure_random_seed(0)
            .max_random_size(RANDOM_BYTES_MAX)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .stdout(out.clone())
            .stderr(err.clone())
            .build();
        System { ctx, resources, time, chance, out, err }
    }

    /// Sets the clock and the randomness for a call, and forgets what was written before it.
    pub(crate) fn begin(&mut self, now_ms: u64, seed: u64) {
        self.time.set(now_ms);
        self.chance.sow(seed);
        self.out.take();
        self.err.take();
    }

    /// What was written to the standard streams since the call began.
    pub(crate) fn written(&mut self) -> Vec<LogLine> {
        let mut lines = self.out.take().lines("info");
        lines.append(&mut self.err.take().lines("error"));
        lines
    }

    /// The last thing a guest said before it went down.
    pub(crate) fn last_words(&mut self) -> Option<String> {
        self.err.take().lines("error").pop().map(|line| line.message)
    }
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let system = self.system.as_mut().expect("only components that import the system are linked to it");
        WasiCtxView { ctx: &mut system.ctx, table: &mut system.resources }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_named_is_not_there() {
        assert!(offers("wasi:io/poll@0.2.9"));
        for import in ["wasi:io/poll", "wasi:io/poll@0.3.0", "wasi:http/types@0.2.9", "wasi:cli/stdout2@0.2.0", ""] {
            assert!(!offers(import), "{import}");
        }
    }
}
