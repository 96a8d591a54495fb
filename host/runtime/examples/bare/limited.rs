//! The runtime with its defaults.

use crate::Result;
use pintle_runtime::transformation::{Context, Entry, Source, Transformation};
use pintle_runtime::{Config, Runtime};
use std::sync::Arc;

/// A transformation in a pool of instances, each with every limit.
pub struct Limited {
    transformation: Arc<Transformation>,
    ctx: Context,
    _runtime: Runtime,
}

impl Limited {
    /// Compiles the engine for this very machine, as the other one is.
    pub async fn load(engine: &[u8], code: &str) -> Result<Limited> {
        let runtime = Runtime::new(Config::default())?;
        let ctx = Context { transformation_id: "bare".to_owned(), version_id: "1".to_owned(), ..Context::default() };
        let source = Source {
            id: ctx.transformation_id.clone(),
            version: ctx.version_id.clone(),
            name: "transformation.js".to_owned(),
            code: code.to_owned(),
            ..Source::default()
        };
        let transformation = runtime.script_engine(engine).await?.load(source).await?;
        Ok(Limited { transformation, ctx, _runtime: runtime })
    }

    /// The outputs of a batch.
    pub async fn transform(&self, batch: Vec<u8>, events: usize) -> Result<Vec<Box<str>>> {
        let reply = self.transformation.transform(&self.ctx, batch, events).await?;
        Ok(reply.entries.into_iter().filter_map(output).collect())
    }
}

fn output(entry: Entry) -> Option<Box<str>> {
    match entry {
        Entry::Output { event, .. } => Some(event.into()),
        Entry::Error { .. } | Entry::Dropped { .. } => None,
    }
}
