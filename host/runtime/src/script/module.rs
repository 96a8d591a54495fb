//! One module: its text without what only modules and TypeScript know, and what it wants and offers.

use super::Problem;
use super::erase::{Erased, Eraser};
use oxc_allocator::Allocator;
use oxc_ast::ast::{BindingPattern, Declaration, Program, Statement};
use oxc_ast_visit::Visit;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::SourceType;
use oxc_syntax::module_record::{
    ExportEntry, ExportExportName, ExportImportName, ExportLocalName, ImportImportName, NameSpan,
};

/// An assignment to it has to fit where `export default` stood.
pub(super) const DEFAULT_BINDING_MAX: usize = 12;

/// The function that a script of code version 0 declares.
const VERSION_0: &str = "transform";

/// A module that stands alone no more than its imports let it.
#[derive(Debug)]
pub(super) struct Module {
    /// The text: the user's, with spaces where something was erased.
    pub(super) source: String,
    /// The modules that it asks for, in the order of the text, and where.
    pub(super) requests: Vec<(String, usize)>,
    /// The names that it brings in.
    pub(super) imports: Vec<Import>,
    /// The names that it offers.
    pub(super) exports: Vec<Export>,
    /// Modules all of whose names it offers, and where it says so.
    pub(super) stars: Vec<String>,
    /// What an anonymous default export is assigned to, to be declared around the text.
    pub(super) default_binding: Option<String>,
    /// It is no module but a script of code version 0.
    pub(super) version_0: bool,
}

/// A name that a module brings in.
#[derive(Debug)]
pub(super) struct Import {
    pub(super) from: String,
    /// The name there; all of it as an object when absent.
    pub(super) name: Option<String>,
    pub(super) local: String,
    pub(super) offset: usize,
}

/// A name that a module offers.
#[derive(Debug)]
pub(super) struct Export {
    pub(super) name: String,
    pub(super) what: Exported,
}

/// What stands behind an offered name.
#[derive(Debug)]
pub(super) enum Exported {
    /// A name at the module's own top level.
    Local(String),
    /// A name of another module; all of it as an object when absent.
    From { module: String, name: Option<String>, offset: usize },
}

impl Module {
    /// Reads a module, JavaScript or TypeScript.
    pub(super) fn parse(code: &str) -> Result<Module, Problem> {
        let arena = Allocator::default();
        let javascript = Parser::new(&arena, code, SourceType::mjs()).parse();
        let Some(problem) = first_problem(&javascript) else {
            if !javascript.module_record.has_module_syntax && declares_version_0(&javascript.program) {
                return Ok(Module::script(code));
            }
            return Module::of(code, &javascript);
        };
        let typescript = Parser::new(&arena, code, SourceType::ts()).parse();
        match first_problem(&typescript) {
            // What strict code may not do, an old script may.
            Some(_) if is_version_0(code) => Ok(Module::script(code)),
            // Whichever language it was meant to be, the parser got further in that one.
            Some(other) if other.offset > problem.offset => Err(other),
            Some(_) => Err(problem),
            None => {
                let module = Module::of(code, &typescript)?;
                let again = Parser::new(&arena, &module.source, SourceType::mjs()).parse();
                match first_problem(&again) {
                    None => Ok(module),
                    Some(Problem { offset, message }) => Err(Problem {
                        offset,
                        message: format!(
                            "without its types this is not JavaScript: {message}; write the type on one line"
                        ),
                    }),
                }
            }
        }
    }

    fn script(code: &str) -> Module {
        Module {
            source: code.to_owned(),
            requests: Vec::new(),
            imports: Vec::new(),
            exports: Vec::new(),
            stars: Vec::new(),
            default_binding: None,
            version_0: true,
        }
    }

    fn of(code: &str, parsed: &ParserReturn<'_>) -> Result<Module, Problem> {
        let binding = unused(code, "$default");
        let mut eraser = Eraser::new(code, &binding);
        eraser.visit_program(&parsed.program);
        let Erased { edits, named } = eraser.finish()?;
        let record = &parsed.module_record;
        let imports: Vec<Import> = record
            .import_entries
            .iter()
            .filter(|entry| !entry.is_type)
            .map(|entry| Import {
                from: entry.module_request.name.to_string(),
                name: match &entry.import_name {
                    ImportImportName::Name(name) => Some(name.name.to_string()),
                    ImportImportName::Default(_) => Some("default".to_owned()),
                    ImportImportName::NamespaceObject => None,
                },
                local: entry.local_name.name.to_string(),
                offset: match &entry.import_name {
                    ImportImportName::Name(name) => name.span.start as usize,
                    _ => entry.local_name.span.start as usize,
                },
            })
            .collect();
        let mut default_binding = None;
        let mut exports = Vec::new();
        for entry in record.local_export_entries.iter().filter(|entry| !entry.is_type) {
            let Some(name) = exported_name(entry) else { continue };
            let local = match &entry.local_name {
                ExportLocalName::Name(local) => local.name.to_string(),
                ExportLocalName::Default(_) | ExportLocalName::Null => {
                    default_binding = Some(binding.clone());
                    binding.clone()
                }
            };
            exports.push(Export { name, what: Exported::Local(local) });
        }
        for entry in record.indirect_export_entries.iter().filter(|entry| !entry.is_type) {
            let (Some(name), Some(module)) = (exported_name(entry), &entry.module_request) else { continue };
            let what = match named.get(&name) {
                // Imported first and exported then: it is a name of the top level like any other.
                Some(local) => Exported::Local(local.clone()),
                None => reexported(module, entry),
            };
            exports.push(Export { name, what });
        }
        let stars = record.star_export_entries.iter().filter(|entry| !entry.is_type);
        let stars = stars.filter_map(|entry| Some(entry.module_request.as_ref()?.name.to_string())).collect();
        let mut requests: Vec<(String, usize)> = Vec::new();
        for (name, asked) in &record.requested_modules {
            // `import { type A }` asks for nothing either.
            let types_only = |start: u32| {
                let mut names = record.import_entries.iter().filter(|entry| entry.statement_span.start == start);
                names.clone().next().is_some() && names.all(|entry| entry.is_type)
            };
            let first = asked.iter().find(|one| !one.is_type && !types_only(one.statement_span.start));
            requests.extend(first.map(|one| (name.to_string(), one.span.start as usize)));
        }
        requests.sort_by_key(|(_, offset)| *offset);
        Ok(Module { source: edits.apply(code), requests, imports, exports, stars, default_binding, version_0: false })
    }

    /// Adds text behind the last line, where nothing is in the way.
    pub(super) fn append(&mut self, text: &str) {
        self.source.push_str(text);
    }
}

fn exported_name(entry: &ExportEntry<'_>) -> Option<String> {
    match &entry.export_name {
        ExportExportName::Name(name) => Some(name.name.to_string()),
        ExportExportName::Default(_) => Some("default".to_owned()),
        ExportExportName::Null => None,
    }
}

fn reexported(module: &NameSpan<'_>, entry: &ExportEntry<'_>) -> Exported {
    let (name, offset) = match &entry.import_name {
        ExportImportName::Name(name) => (Some(name.name.to_string()), name.span.start),
        _ => (None, module.span.start),
    };
    Exported::From { module: module.name.to_string(), name, offset: offset as usize }
}

/// A name that the text does not use.
pub(super) fn unused(code: &str, name: &str) -> String {
    let mut free = name.to_owned();
    let mut number = 0;
    while code.contains(&free) && free.len() < DEFAULT_BINDING_MAX {
        free = format!("{name}{number}");
        number += 1;
    }
    free
}

fn is_version_0(code: &str) -> bool {
    let arena = Allocator::default();
    let script = Parser::new(&arena, code, SourceType::cjs()).parse();
    first_problem(&script).is_none() && declares_version_0(&script.program)
}

fn declares_version_0(program: &Program<'_>) -> bool {
    program.body.iter().filter_map(Statement::as_declaration).any(|declaration| match declaration {
        Declaration::FunctionDeclaration(function) => {
            function.id.as_ref().is_some_and(|id| id.name.as_str() == VERSION_0)
        }
        Declaration::VariableDeclaration(variables) => variables.declarations.iter().any(
            |variable| matches!(&variable.id, BindingPattern::BindingIdentifier(id) if id.name.as_str() == VERSION_0),
        ),
        _ => false,
    })
}

fn first_problem(parsed: &ParserReturn<'_>) -> Option<Problem> {
    let first = parsed.diagnostics.errors().next()?;
    let help = first.help.as_ref().map(|help| format!(": {help}")).unwrap_or_default();
    Some(Problem {
        offset: first.labels.first().map_or(0, |label| label.offset() as usize),
        message: format!("SyntaxError: {}{help}", first.message),
    })
}
