//! Prepares a user's module and its libraries for a script engine, which evaluates scripts and not modules.
//!
//! No byte of them moves: `import`, `export`, types and whole type declarations become spaces in place, so
//! every line and column that the engine reports is the user's own, without a source map. TypeScript is
//! accepted as far as it can be erased, as in Node.

mod edits;
mod erase;
mod link;
mod modifiers;
mod module;
mod position;
pub(crate) mod python;

pub(crate) use position::excerpt;

use crate::Config;
use crate::transformation::{ScriptError, Source};
use link::Fault;
use position::position;
use tokio::sync::Semaphore;

/// The parser is recursive and takes this much stack for one level at most; a level has at least one byte.
/// The kernel gives memory for what is used only.
const STACK_BYTES_PER_SOURCE_BYTE: usize = 2 << 10;
const STACK_BYTES_MIN: usize = 4 << 20;
/// A script that is all brackets can make the parser touch its whole stack: one script at a time.
static PARSER: Semaphore = Semaphore::const_new(1);

/// What the engine can evaluate.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The modules in order, the user's last.
    pub(crate) modules: Vec<Linked>,
    /// The names that the user's module exports.
    pub(crate) exports: Vec<String>,
}

/// A module that is evaluated after those it needs.
#[derive(Debug)]
pub(crate) struct Linked {
    /// The name by which others import it; empty for the user's module.
    pub(crate) import_name: String,
    /// The text: the author's, with spaces where something was erased, and what a library offers behind it.
    pub(crate) source: String,
    /// JavaScript that binds what it imports.
    pub(crate) prelude: String,
}

/// Something that stands in the way, at a byte of the source.
#[derive(Debug)]
struct Problem {
    offset: usize,
    message: String,
}

/// Links a module with its libraries.
pub(crate) async fn prepare(source: &Source, config: &Config) -> Result<Prepared, ScriptError> {
    let failed = |module: String, message: String| ScriptError { module, message, ..ScriptError::default() };
    let limits = Limits { module_bytes_max: config.source_bytes_max, all_bytes_max: config.linked_bytes_max };
    if let Err(message) = limits.check_module(&source.code) {
        return Err(failed(source.name.clone(), message));
    }
    let libraries = source.libraries.values().map(String::len).filter(|bytes| *bytes <= limits.module_bytes_max);
    let longest = libraries.max().unwrap_or_default().max(source.code.len());
    let _turn = PARSER.acquire().await.expect("nobody closes it");
    let (answer, prepared) = tokio::sync::oneshot::channel();
    let (code, libraries) = (source.code.clone(), source.libraries.clone());
    std::thread::Builder::new()
        .name("pintle-parser".to_owned())
        .stack_size(STACK_BYTES_MIN + longest * STACK_BYTES_PER_SOURCE_BYTE)
        .spawn(move || {
            // Nobody waits any more when this fails.
            let _ = answer.send(link::link(&code, &libraries, limits));
        })
        .map_err(|error| failed(source.name.clone(), format!("there is no memory to parse it: {error}")))?;
    match prepared.await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(Fault { library, problem })) => {
            let code = library.as_ref().and_then(|name| source.libraries.get(name)).unwrap_or(&source.code);
            let (line, column) = position(code, problem.offset);
            let excerpt = excerpt(code, line, column);
            let module = library.map_or_else(|| source.name.clone(), |name| shown(&name));
            Err(ScriptError { module, message: problem.message, line, column, excerpt, stack: String::new() })
        }
        Err(_) => Err(failed(source.name.clone(), "the parser crashed on it".to_owned())),
    }
}

/// A library's name in stack traces.
pub(crate) fn shown(import_name: &str) -> String {
    format!("library {import_name}")
}

/// How large texts may be.
#[derive(Clone, Copy)]
struct Limits {
    module_bytes_max: usize,
    all_bytes_max: usize,
}

impl Limits {
    fn check_module(self, code: &str) -> Result<(), String> {
        let (bytes, max) = (code.len(), self.module_bytes_max);
        if bytes > max { Err(format!("it has {bytes} bytes, more than the {max} of source-bytes-max")) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests;
