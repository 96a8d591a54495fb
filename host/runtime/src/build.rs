//! Makes a stand-alone component of a script: a `transformation-plugin` that runs anywhere, without an engine.
//!
//! JavaScript is linked as for an engine and loaded while the component is built, with Node and componentize-js:
//! about 25 s of CPU and 12 MB. Python takes componentize-py, about as long, and 28 MB; it is loaded with the first
//! call. Nothing can be handed to such a component, so credentials and hosts are for scripts on an engine.

use crate::engine::hex;
use crate::script;
use crate::transformation::{Language, ScriptError, Source};
use crate::{Config, instance};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::process::Command;

/// What a failed build says of itself, at most, from the end.
const OUTPUT_BYTES_MAX: usize = 4 << 10;

/// Where the tools are.
#[derive(Clone, Debug)]
pub struct Toolchain {
    /// What is built.
    pub language: Language,
    /// The folder of that language's engine; for JavaScript with its npm packages installed.
    pub folder: PathBuf,
    /// The worlds: the folder that the components are built against.
    pub wit: PathBuf,
    /// Node 20 or later, or a Python that has the packages of the engine's requirements.
    pub interpreter: OsString,
}

/// Why there is no component.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The script itself.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// It needs something that a component cannot be given.
    #[error("a stand-alone component cannot be given {0}; run the source on an engine")]
    Granted(&'static str),
    /// The tools are not there, or a file cannot be written.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
    /// The tools ran and failed.
    #[error("the build failed:\n{0}")]
    Tool(String),
}

impl Toolchain {
    /// The tools in a clone of the project, run by this interpreter.
    #[must_use]
    pub fn in_clone(root: &Path, language: Language, interpreter: impl Into<OsString>) -> Toolchain {
        let folder = root.join("plugins/engines").join(match language {
            Language::JavaScript => "javascript",
            Language::Python => "python",
        });
        Toolchain { language, folder, wit: root.join("wit"), interpreter: interpreter.into() }
    }

    /// The program that builds, and the file that pins what it builds with.
    fn files(&self) -> [PathBuf; 2] {
        match self.language {
            Language::JavaScript => ["build.js", "package-lock.json"],
            Language::Python => ["build.py", "requirements.txt"],
        }
        .map(|name| self.folder.join(name))
    }

    /// Builds the component, or finds it in `cache`: a folder of components named by what they were made from.
    /// A source that is granted hosts becomes one that imports the network; which hosts it may reach is decided
    /// where it runs.
    pub async fn build(&self, source: &Source, config: &Config, cache: Option<&Path>) -> Result<Vec<u8>, Error> {
        if !source.credentials.is_empty() {
            return Err(Error::Granted("credentials"));
        }
        let world = match (source.hosts.is_empty(), self.language) {
            (true, _) => "transformation",
            (false, Language::JavaScript) => "net-transformation",
            (false, Language::Python) => return Err(Error::Granted("hosts")),
        };
        let prepared = match self.language {
            Language::JavaScript => script::prepare(source, config).await?,
            Language::Python => script::python::prepare(source, config)?,
        };
        let modules: Vec<_> = prepared
            .modules
            .iter()
            .map(|module| {
                let name = match module.import_name.as_str() {
                    "" => source.name.clone(),
                    library => script::shown(library),
                };
                let (import_name, text, prelude) = (&module.import_name, &module.source, &module.prelude);
                json!({"name": name, "importName": import_name, "source": text, "prelude": prelude})
            })
            .collect();
        let script = json!({"modules": modules, "exports": prepared.exports});
        let digest = self.digest(world, &script.to_string(), source)?;
        let cached = cache.map(|folder| folder.join(format!("{digest}.wasm")));
        if let Some(bytes) = cached.as_ref().and_then(|file| std::fs::read(file).ok()) {
            return Ok(bytes);
        }
        let mut input = script;
        let (now_ms, seed) = instance::load_moment(&source.version);
        // Numbers of 64 bits are text in JSON.
        input["ctx"] = json!({
            "nowMs": now_ms.to_string(), "randomSeed": seed.to_string(), "deadlineMs": config.deadline_ms(),
            "transformationId": source.id, "versionId": source.version,
        });
        let bytes = self.run(world, &digest, &input.to_string()).await?;
        if let Some(file) = cached {
            write(&file, &bytes)?;
        }
        Ok(bytes)
    }

    /// Changes with everything that decides about the component, but for the moment at which it is built.
    fn digest(&self, world: &str, script: &str, source: &Source) -> Result<String, Error> {
        let mut files = self.files().to_vec();
        let mut folders = vec![self.folder.join("src"), self.wit.clone()];
        while let Some(folder) = folders.pop() {
            let entries = std::fs::read_dir(&folder).map_err(|error| failed(&folder, error))?;
            for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
                match path.is_dir() {
                    // What Python leaves there is no part of the sources.
                    true if path.ends_with("__pycache__") => {}
                    true => folders.push(path),
                    false => files.push(path),
                }
            }
        }
        files.sort();
        let mut hasher = Sha256::new();
        for file in files {
            hasher.update(std::fs::read(&file).map_err(|error| failed(&file, error))?);
        }
        for part in [world, script, &source.id, &source.version] {
            hasher.update(part);
            hasher.update([0]);
        }
        Ok(hex(&hasher.finalize()))
    }

    async fn run(&self, world: &str, digest: &str, input: &str) -> Result<Vec<u8>, Error> {
        let folder = std::env::temp_dir().join(format!("pintle-build-{}-{digest}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| failed(&folder, error))?;
        let _removed = Removed(folder.clone());
        let (prepared, out) = (folder.join("prepared.json"), folder.join("out.wasm"));
        write(&prepared, input.as_bytes())?;
        let [program, _] = self.files();
        let output = Command::new(&self.interpreter)
            .arg(program)
            .arg(world)
            .args([&prepared, &out])
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| failed(Path::new(&self.interpreter), error))?;
        if !output.status.success() {
            let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
            let from = said.floor_char_boundary(said.len().saturating_sub(OUTPUT_BYTES_MAX));
            return Err(Error::Tool(said.split_off(from)));
        }
        std::fs::read(&out).map_err(|error| failed(&out, error))
    }
}

/// Whole or not at all, also when two builds of the same run side by side.
fn write(file: &Path, bytes: &[u8]) -> Result<(), Error> {
    let part = file.with_extension(format!("part-{}", std::process::id()));
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&part, bytes))
        .and_then(|()| std::fs::rename(&part, file))
        .map_err(|error| failed(file, error))
}

fn failed(what: &Path, source: io::Error) -> Error {
    Error::Io { what: what.display().to_string(), source }
}

/// A folder that goes with its build.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // A leftover in the temporary folder harms nobody.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
