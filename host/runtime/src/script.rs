//! Prepares a user's module for a script engine, which evaluates scripts and not modules.
//!
//! No byte of it moves: `export`, types and whole type declarations become spaces in place, so every line
//! and column that the engine reports is the user's own, without a source map. TypeScript is accepted as far
//! as it can be erased, as in Node.

mod edits;
mod erase;
mod modifiers;
mod position;

pub(crate) use position::excerpt;

use crate::Config;
use crate::transformation::{ScriptError, Source};
use edits::Edits;
use erase::Eraser;
use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::SourceType;
use oxc_syntax::module_record::{ExportExportName, ExportLocalName};
use position::position;
use tokio::sync::Semaphore;

/// The parser is recursive and takes this much stack for one level at most; a level has at least one byte.
/// The kernel gives memory for what is used only.
const STACK_BYTES_PER_SOURCE_BYTE: usize = 2 << 10;
const STACK_BYTES_MIN: usize = 4 << 20;
/// A script that is all brackets can make the parser touch its whole stack: one script at a time.
static PARSER: Semaphore = Semaphore::const_new(1);

/// A module that the engine can evaluate.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// The text: the user's, with spaces where something was erased.
    pub(crate) source: String,
    /// The names that the module exports.
    pub(crate) exports: Vec<String>,
}

/// Something that stands in the way, at a byte of the source.
#[derive(Debug)]
struct Problem {
    offset: usize,
    message: String,
}

/// Turns a module into a script.
pub(crate) async fn prepare(source: &Source, config: &Config) -> Result<Prepared, ScriptError> {
    let name = source.name.clone();
    let failed = |message: String| ScriptError { module: name.clone(), message, ..ScriptError::default() };
    if source.code.len() > config.source_bytes_max {
        let (bytes, max) = (source.code.len(), config.source_bytes_max);
        return Err(failed(format!("the script has {bytes} bytes, more than the {max} of source-bytes-max")));
    }
    let _turn = PARSER.acquire().await.expect("nobody closes it");
    let (answer, prepared) = tokio::sync::oneshot::channel();
    let code = source.code.clone();
    std::thread::Builder::new()
        .name("pintle-parser".to_owned())
        .stack_size(STACK_BYTES_MIN + code.len() * STACK_BYTES_PER_SOURCE_BYTE)
        .spawn(move || {
            // Nobody waits any more when this fails.
            let _ = answer.send(module_to_script(&code));
        })
        .map_err(|error| failed(format!("there is no memory to parse it: {error}")))?;
    match prepared.await {
        Ok(Ok(prepared)) => Ok(prepared),
        Ok(Err(problem)) => {
            let (line, column) = position(&source.code, problem.offset);
            let excerpt = excerpt(&source.code, line, column);
            let (module, message) = (source.name.clone(), problem.message);
            Err(ScriptError { module, message, line, column, excerpt, stack: String::new() })
        }
        Err(_) => Err(failed("the parser crashed on it".to_owned())),
    }
}

fn module_to_script(code: &str) -> Result<Prepared, Problem> {
    let arena = Allocator::default();
    let javascript = Parser::new(&arena, code, SourceType::mjs()).parse();
    let Some(problem) = first_problem(&javascript) else {
        return erase(code, &javascript);
    };
    let typescript = Parser::new(&arena, code, SourceType::ts()).parse();
    match first_problem(&typescript) {
        // Whichever language it was meant to be, the parser got further in that one.
        Some(other) if other.offset > problem.offset => Err(other),
        Some(_) => Err(problem),
        None => {
            let prepared = erase(code, &typescript)?;
            let again = Parser::new(&arena, &prepared.source, SourceType::mjs()).parse();
            match first_problem(&again) {
                None => Ok(prepared),
                Some(Problem { offset, message }) => Err(Problem {
                    offset,
                    message: format!("without its types this is not JavaScript: {message}; write the type on one line"),
                }),
            }
        }
    }
}

fn first_problem(parsed: &ParserReturn<'_>) -> Option<Problem> {
    let first = parsed.diagnostics.errors().next()?;
    let help = first.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
    Some(Problem {
        offset: first.labels.first().map_or(0, |label| label.offset() as usize),
        message: format!("SyntaxError: {}{help}", first.message),
    })
}

fn erase(code: &str, parsed: &ParserReturn<'_>) -> Result<Prepared, Problem> {
    let mut eraser = Eraser::new(code);
    eraser.visit_program(&parsed.program);
    let mut edits = eraser.finish()?;
    let exports = exports(parsed, &mut edits);
    Ok(Prepared { source: edits.apply(code), exports })
}

/// The exported names. A handler that is exported under another name than its own gets that name behind
/// the user's last line, where nothing is in the way.
fn exports(parsed: &ParserReturn<'_>, edits: &mut Edits) -> Vec<String> {
    let mut names = Vec::new();
    for entry in parsed.module_record.local_export_entries.iter().filter(|entry| !entry.is_type) {
        let name = match &entry.export_name {
            ExportExportName::Name(name) => name.name.as_str(),
            ExportExportName::Default(_) => "default",
            ExportExportName::Null => continue,
        };
        if let ExportLocalName::Name(local) = &entry.local_name
            && ["transformEvent", "transformBatch"].contains(&name)
            && local.name.as_str() != name
        {
            edits.append(&format!("\nconst {name} = {};", local.name));
        }
        names.push(name.to_owned());
    }
    names
}

#[cfg(test)]
mod tests;
