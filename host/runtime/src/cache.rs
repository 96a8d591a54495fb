//! Compiled components: in memory by digest, on disk by digest and by everything that decides whether the
//! code fits ([`crate::engine::fingerprint`]).

mod disk;

use crate::{Config, Error, LoadError, engine, metrics};
use disk::Directory;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Component;

/// The SHA-256 of a component's bytes.
pub(crate) type ComponentDigest = [u8; 32];

/// Loads components, compiling each at most once.
pub(crate) struct Cache {
    engine: Engine,
    memory: moka::future::Cache<ComponentDigest, Component>,
    disk: Arc<Disk>,
    bytes_max: usize,
    /// Compiling takes all cores and hundreds of megabytes for a script engine: one at a time.
    compiler: Semaphore,
}

struct Disk {
    writable: Option<Directory>,
    precompiled: Vec<Directory>,
    native: String,
    portable: Option<String>,
}

impl Cache {
    pub(crate) fn open(engine: &Engine, config: &Config) -> Result<Cache, Error> {
        let writable = match &config.cache_dir {
            Some(path) => Some(Directory::create(path, config.cache_bytes_max)?),
            None => None,
        };
        let precompiled: Vec<_> =
            config.precompiled_dirs.iter().filter_map(|path| Directory::read_only(path)).collect();
        let portable = match precompiled.is_empty() {
            true => None,
            false => Some(engine::fingerprint(&engine::portable(config)?)),
        };
        Ok(Cache {
            memory: moka::future::Cache::new(config.components_max),
            disk: Arc::new(Disk { writable, precompiled, native: engine::fingerprint(engine), portable }),
            engine: engine.clone(),
            bytes_max: config.component_bytes_max,
            compiler: Semaphore::new(1),
        })
    }

    /// A component by its bytes. Whoever asks for the same bytes meanwhile waits for the same work.
    pub(crate) async fn component(&self, bytes: &[u8]) -> Result<(ComponentDigest, Component), LoadError> {
        check_header(bytes, self.bytes_max)?;
        let bytes: Arc<[u8]> = bytes.into();
        let digest = blocking({
            let bytes = bytes.clone();
            move || Ok(Sha256::digest(&bytes).into())
        })
        .await?;
        if let Some(component) = self.memory.get(&digest).await {
            metrics::loaded("memory");
            return Ok((digest, component));
        }
        let load = self.load(digest, bytes);
        let component = self.memory.try_get_with(digest, load).await.map_err(|error| LoadError::clone(&error))?;
        Ok((digest, component))
    }

    async fn load(&self, digest: ComponentDigest, bytes: Arc<[u8]>) -> Result<Component, LoadError> {
        let (engine, disk) = (self.engine.clone(), self.disk.clone());
        if let Some(component) = blocking(move || Ok(disk.find(&engine, &digest))).await? {
            metrics::loaded("disk");
            return Ok(component);
        }
        let _turn = self.compiler.acquire().await.map_err(|_| LoadError::Host("shutting down".to_owned()))?;
        let (engine, disk) = (self.engine.clone(), self.disk.clone());
        let component = blocking(move || disk.compile(&engine, &digest, &bytes)).await?;
        metrics::loaded("compiled");
        Ok(component)
    }
}

impl Disk {
    fn find(&self, engine: &Engine, digest: &ComponentDigest) -> Option<Component> {
        let native = file_name(digest, &self.native);
        if let Some(directory) = &self.writable
            && let Some(component) = directory.load(engine, &native)
        {
            directory.touch(&native);
            return Some(component);
        }
        let portable = self.portable.as_ref().map(|fingerprint| file_name(digest, fingerprint));
        let names = || std::iter::once(&native).chain(&portable);
        self.precompiled.iter().find_map(|directory| names().find_map(|name| directory.load(engine, name)))
    }

    fn compile(&self, engine: &Engine, digest: &ComponentDigest, bytes: &[u8]) -> Result<Component, LoadError> {
        let code = compile(engine, bytes)?;
        let name = file_name(digest, &self.native);
        if let Some(directory) = &self.writable {
            match directory.store(&name, &code) {
                // Mapped from the file, the code is shared with other processes and can be paged out.
                Ok(_) => {
                    if let Some(component) = directory.load(engine, &name) {
                        return Ok(component);
                    }
                }
                Err(error) => tracing::warn!(%error, file = name, "compiled component not cached"),
            }
        }
        // SAFETY: the bytes come straight from this engine's compiler.
        unsafe { Component::deserialize(engine, &code) }.map_err(|error| LoadError::Invalid(format!("{error:#}")))
    }
}

/// Compiles components for any machine of this architecture into a directory that later is one of
/// [`Config::precompiled_dirs`], so that Pintle starts without compiling.
pub struct Precompiler {
    engine: Engine,
    fingerprint: String,
    directory: Directory,
    into: PathBuf,
    names: Vec<String>,
    bytes_max: usize,
}

impl Precompiler {
    /// Makes the directory if it is not there, readable for everybody.
    pub fn open(config: &Config, into: &Path) -> Result<Precompiler, Error> {
        let engine = engine::portable(config)?;
        Ok(Precompiler {
            fingerprint: engine::fingerprint(&engine),
            engine,
            directory: Directory::create_packaged(into)?,
            into: into.to_owned(),
            names: Vec::new(),
            bytes_max: config.component_bytes_max,
        })
    }

    /// Compiles a component, unless that was done before. Returns the file.
    pub fn add(&mut self, bytes: &[u8]) -> Result<PathBuf, Error> {
        check_header(bytes, self.bytes_max)?;
        let name = file_name(&Sha256::digest(bytes).into(), &self.fingerprint);
        if !self.directory.has(&name) {
            let code = compile(&self.engine, bytes)?;
            self.directory.store(&name, &code).map_err(|source| self.failed(source))?;
        }
        let file = self.into.join(&name);
        self.names.push(name);
        Ok(file)
    }

    /// Removes the compiled code of everything that was not added.
    pub fn finish(self) -> Result<(), Error> {
        self.directory.keep_only(&self.names).map_err(|source| self.failed(source))
    }

    fn failed(&self, source: std::io::Error) -> Error {
        Error::Directory { path: self.into.clone(), source }
    }
}

fn compile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, LoadError> {
    let from = Instant::now();
    let code = engine.precompile_component(bytes).map_err(|error| LoadError::Invalid(format!("{error:#}")))?;
    metrics::compiled(from.elapsed());
    tracing::info!(bytes = bytes.len(), seconds = from.elapsed().as_secs_f64(), "component compiled");
    Ok(code)
}

fn check_header(bytes: &[u8], bytes_max: usize) -> Result<(), LoadError> {
    if bytes.len() > bytes_max {
        return Err(LoadError::TooLarge { bytes: bytes.len(), max: bytes_max });
    }
    // The magic number, then the version of the core format, or the component format's version and layer.
    match bytes {
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(LoadError::CoreModule),
        [0, b'a', b's', b'm', ..] => Ok(()),
        _ => Err(LoadError::NotWasm),
    }
}

fn file_name(digest: &ComponentDigest, fingerprint: &str) -> String {
    format!("{}-{fingerprint}.cwasm", engine::hex(digest))
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LoadError> + Send + 'static,
) -> Result<T, LoadError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| LoadError::Host(error.to_string()))?
}
