//! A component that has arrived: what it is, and whether it may stay.

use crate::LoadError;
use crate::cache::ComponentDigest;
use crate::engine::hex;
use crate::fetch;
use crate::limiter::State;
use crate::system;
use wasmtime::component::{InstancePre, Linker};

/// What kind of plugin a component is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Describes requests for a destination.
    Destination,
    /// Transforms events.
    Transformation,
    /// Runs source code that transforms events.
    ScriptEngine,
}

impl World {
    const ALL: [World; 3] = [World::Destination, World::Transformation, World::ScriptEngine];

    /// The interface that a component of this world exports, with the versions that this host speaks.
    pub fn interface(self) -> &'static str {
        match self {
            World::Destination => "pintle:plugin/destination@0.1.x",
            World::Transformation => "pintle:plugin/transformation@0.1.x",
            World::ScriptEngine => "pintle:plugin/script-engine@0.1.x",
        }
    }

    /// Whether an export is that interface in one of those versions.
    fn is(self, export: &str) -> bool {
        let spoken = self.interface().strip_suffix('x').expect("the last number is left open");
        is_patch_of(spoken, export)
    }
}

/// A compiled component that imports nothing but what its world offers, and exports the world's interface.
#[derive(Clone)]
pub struct Component {
    compiled: wasmtime::component::Component,
    digest: ComponentDigest,
    world: World,
    /// The interface as it exports it.
    interface: String,
    network: bool,
    needs_system: bool,
}

/// Whether an import is the way out, in a version that this host speaks.
fn is_network(import: &str) -> bool {
    is_patch_of("pintle:plugin/network@0.1.", import)
}

/// Whether a name is `spoken` with the number of a patch behind it. A pre-release is compatible with nothing.
fn is_patch_of(spoken: &str, name: &str) -> bool {
    name.strip_prefix(spoken).is_some_and(|patch| patch.parse::<u32>().is_ok_and(|n| n.to_string() == patch))
}

impl Component {
    /// Checks what a component asks for and offers. `wanted` narrows it to one world.
    pub(crate) fn check(
        digest: ComponentDigest,
        compiled: wasmtime::component::Component,
        wanted: Option<World>,
    ) -> Result<Component, LoadError> {
        let engine = compiled.engine();
        let kind = compiled.component_type();
        let found = World::ALL
            .into_iter()
            .filter(|world| wanted.is_none_or(|wanted| wanted == *world))
            .find_map(|world| Some((world, kind.exports(engine).find(|(name, _)| world.is(name))?.0.to_owned())));
        let imports = || kind.imports(engine).map(|(import, _)| import);
        let offered = |import: &str| match found {
            Some((World::ScriptEngine | World::Transformation, _)) => is_network(import) || system::offers(import),
            Some((World::Destination, _)) | None => false,
        };
        if let Some(import) = imports().find(|import| !offered(import)) {
            let import = import.to_owned();
            return Err(match found {
                Some((World::ScriptEngine | World::Transformation, _)) => LoadError::System { import },
                Some((World::Destination, _)) | None => LoadError::Import { import },
            });
        }
        let Some((world, interface)) = found else {
            let exports: Vec<_> = kind.exports(engine).map(|(name, _)| format!("`{name}`")).collect();
            return Err(LoadError::Export {
                wanted: wanted.map_or("pintle:plugin/…@0.1.x", World::interface).to_owned(),
                found: if exports.is_empty() { "nothing".to_owned() } else { exports.join(", ") },
            });
        };
        let network = imports().any(is_network);
        let needs_system = imports().any(system::offers);
        Ok(Component { compiled, digest, world, interface, network, needs_system })
    }

    /// Whether it asks for the way out.
    pub(crate) fn network(&self) -> bool {
        self.network
    }

    /// What kind of plugin it is.
    pub fn world(&self) -> World {
        self.world
    }

    /// The SHA-256 of its bytes in hexadecimal.
    pub fn digest(&self) -> String {
        hex(&self.digest)
    }

    /// Whether its stores need a [`system::System`].
    pub(crate) fn needs_system(&self) -> bool {
        self.needs_system
    }

    /// Resolves the component once, so that starting an instance is a matter of microseconds. The linker is
    /// empty, but for those that may fetch and those that cannot start without a system: there is nothing else
    /// that a guest could call.
    pub(crate) fn pre(&self) -> Result<InstancePre<State>, LoadError> {
        let mut linker = Linker::new(self.compiled.engine());
        let mut linked = if self.network { fetch::link(&mut linker) } else { Ok(()) };
        if self.needs_system {
            linked = linked.and_then(|()| system::add_to(&mut linker));
        }
        linked.and_then(|()| linker.instantiate_pre(&self.compiled)).map_err(|error| self.misfit(error))
    }

    pub(crate) fn misfit(&self, error: wasmtime::Error) -> LoadError {
        self.unfit(format!("{error:#}"))
    }

    pub(crate) fn unfit(&self, problem: String) -> LoadError {
        LoadError::Shape { interface: self.interface.clone(), problem }
    }
}

impl std::fmt::Debug for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Component").field("world", &self.world).field("digest", &self.digest()).finish()
    }
}
