//! The same component on an engine without epochs, in a store without limits: no pool, no meter, no time-out.

use crate::Result;
use exports::pintle::plugin::script_engine::{BatchContext, Module};
use serde::Deserialize;
use serde_json::value::RawValue;
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "script-engine-plugin",
    exports: { default: async },
});

/// One instance with the script loaded, used for ever.
pub struct Unlimited {
    guest: ScriptEnginePlugin,
    store: Store<()>,
    ctx: BatchContext,
}

/// An entry of the answer, read as the runtime does.
#[derive(Deserialize)]
struct Entry {
    #[serde(rename = "index")]
    _index: usize,
    output: Option<Box<RawValue>>,
}

impl Unlimited {
    /// Compiles the engine and loads the script, which must export one function by `export function transformEvent`
    /// and import nothing: linking modules is the runtime's business.
    pub async fn load(engine: &[u8], code: &str) -> Result<Unlimited> {
        let mut settings = Config::new();
        // Otherwise as in the runtime's `engine.rs`.
        settings
            .wasm_component_model(true)
            .concurrency_support(false)
            .wasm_threads(false)
            .relaxed_simd_deterministic(true);
        let host = Engine::new(&settings)?;
        let component = Component::new(&host, engine)?;
        let mut store = Store::new(&host, ());
        let guest = ScriptEnginePlugin::instantiate_async(&mut store, &component, &Linker::new(&host)).await?;
        let ctx = BatchContext {
            now_ms: 0,
            random_seed: 0,
            deadline_ms: u32::MAX,
            transformation_id: "bare".to_owned(),
            version_id: "1".to_owned(),
        };
        let module = Module {
            name: "transformation.js".to_owned(),
            import_name: String::new(),
            source: code.replace("export ", "       "),
            prelude: String::new(),
        };
        let exports = ["transformEvent".to_owned()];
        let script = guest.pintle_plugin_script_engine();
        let loaded = script.call_load(&mut store, &ctx, &[module], &exports, &[]).await?;
        loaded.map_err(|error| format!("{}:{}: {}", error.module, error.line, error.message))?;
        Ok(Unlimited { guest, store, ctx })
    }

    /// The outputs of a batch.
    pub async fn transform(&mut self, batch: Vec<u8>) -> Result<Vec<Box<str>>> {
        let script = self.guest.pintle_plugin_script_engine();
        let answer = script.call_transform(&mut self.store, &self.ctx, &batch).await??;
        let entries: Vec<Entry> = serde_json::from_slice(&answer)?;
        Ok(entries.into_iter().filter_map(|entry| Some(entry.output?.into())).collect())
    }
}
