//! What can go wrong, split by what to do about it: the runtime itself is broken ([`Error`]), a file is not
//! a plugin ([`LoadError`]), or one call came to nothing ([`CallFailure`]).

use std::path::PathBuf;
use std::time::Duration;

/// The runtime cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting that cannot work.
    #[error("{key}: {fix}")]
    Config {
        /// The setting.
        key: &'static str,
        /// What to set instead.
        fix: &'static str,
    },
    /// The compiler or the pool of instances could not be set up.
    #[error("the WebAssembly engine cannot start: {0}")]
    Engine(String),
    /// A directory of ours cannot be used.
    #[error("{path}: {source}; it must be a directory that only this user can write to")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A component could not be compiled ahead of time.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Why a file is not a plugin that can run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// Not WebAssembly at all.
    #[error("this is not a WebAssembly component: the file does not start with its magic number")]
    NotWasm,
    /// A core module where a component is needed.
    #[error(
        "this is a core WebAssembly module, not a component; turn it into one, for example with `wasm-tools component new`"
    )]
    CoreModule,
    /// Larger than `component-bytes-max`.
    #[error("the component has {bytes} bytes, more than the {max} of component-bytes-max")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        max: usize,
    },
    /// The compiler refused it.
    #[error("the component is not valid: {0}")]
    Invalid(String),
    /// It wants something from the host that its world does not offer.
    #[error("the component imports `{import}`; plugins of this kind import nothing")]
    Import {
        /// The first import that is not allowed.
        import: String,
    },
    /// It wants something of the system that its world is not given.
    #[error(
        "the component imports `{import}`, which plugins of this kind are not given: of the system they get a clock, \
         randomness and standard streams, no sockets and no files; `pintle:plugin/network` is the way to granted hosts"
    )]
    System {
        /// The first import that is not there.
        import: String,
    },
    /// It wants the way out, and its transformation was granted no host.
    #[error(
        "the component imports `pintle:plugin/network`, and the transformation was granted no host; grant those \
             that it may reach first"
    )]
    NoHosts,
    /// Hosts that cannot be granted.
    #[error("hosts: {0}")]
    Hosts(String),
    /// It does not export its world's interface.
    #[error("the component does not export `{wanted}`; it exports {found}")]
    Export {
        /// The interface it must export.
        wanted: String,
        /// What it exports instead.
        found: String,
    },
    /// The interface is there and one of its functions is not as it should be.
    #[error("the component's `{interface}` does not fit: {problem}")]
    Shape {
        /// The interface.
        interface: String,
        /// What does not fit.
        problem: String,
    },
    /// A destination's `describe` gave no usable manifest.
    #[error("the plugin's manifest is not usable: {0}")]
    Manifest(String),
    /// It could not be started to ask it for its manifest.
    #[error("the plugin cannot be asked to describe itself: {0}")]
    Start(CallFailure),
    /// No instance was free in time to try it. Nothing is known against it: try again later.
    #[error("the component could not be tried: no instance was free in time")]
    Busy,
    /// The machine failed us: a thread died, a disk is full.
    #[error("the component could not be loaded: {0}")]
    Host(String),
}

/// Why one call of a guest came to nothing. The text is a sentence for a dead letter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallFailure {
    /// The guest itself refused the whole batch.
    #[error("{0}")]
    Refused(String),
    /// It ran, or waited, for longer than it may.
    #[error("it was stopped after {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It wanted more memory than it may have.
    #[error("it ran out of memory")]
    OutOfMemory,
    /// It crashed.
    #[error("it crashed: {0}")]
    Trapped(String),
    /// It returned more than it may.
    #[error("it returned more than {max} bytes")]
    OutputTooLarge {
        /// The limit.
        max: usize,
    },
    /// It returned something that its contract does not allow.
    #[error("its answer is not usable: {0}")]
    BadOutput(String),
    /// No instance was free in time. Nobody's fault: try again later.
    #[error("no instance was free in time")]
    Busy,
}

impl CallFailure {
    /// Whether the events of the batch may be to blame, so that it makes sense to try each of them alone.
    pub fn guilty(&self) -> bool {
        !matches!(self, CallFailure::Busy)
    }

    /// A short name for metrics.
    pub fn kind(&self) -> &'static str {
        match self {
            CallFailure::Refused(_) => "refused",
            CallFailure::TimedOut(_) => "timed-out",
            CallFailure::OutOfMemory => "out-of-memory",
            CallFailure::Trapped(_) => "trapped",
            CallFailure::OutputTooLarge { .. } => "output-too-large",
            CallFailure::BadOutput(_) => "bad-output",
            CallFailure::Busy => "busy",
        }
    }
}
