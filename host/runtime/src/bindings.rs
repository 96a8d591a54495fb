//! The worlds of `wit/` as wasmtime sees them.

/// World `destination-plugin`.
pub(crate) mod destination {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "destination-plugin",
        exports: { default: async },
    });
    pub(crate) use exports::pintle::plugin::destination::*;
}

/// World `transformation-plugin`.
pub(crate) mod transformation {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "transformation-plugin",
        exports: { default: async },
    });
    pub(crate) use exports::pintle::plugin::transformation::*;
}

/// The import of world `script-engine-net-plugin`; its export is that of `script-engine-plugin`.
pub(crate) mod network {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "script-engine-net-plugin",
        imports: { default: async },
        exports: { default: async },
    });
    pub(crate) use pintle::plugin::network::*;
}

/// World `script-engine-plugin`.
pub(crate) mod script_engine {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "script-engine-plugin",
        exports: { default: async },
    });
    pub(crate) use exports::pintle::plugin::script_engine::*;
}
