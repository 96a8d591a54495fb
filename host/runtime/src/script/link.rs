//! Finds the libraries that a module needs and puts everything in the order in which it is evaluated.
//!
//! ```text
//!  user ──import──▶ tidy ──import──▶ strings          evaluated: strings, tidy, user
//!    └─────import──▶ strings
//! ```
//! Names are bound by a *prelude* around a module's text, and a library's text ends in the object of its
//! exports: nothing of what the user wrote moves. Bindings are taken when a module starts, which makes no
//! difference as long as there are no cycles and nobody assigns to an exported variable later.

use super::module::{Export, Exported, Module, unused};
use super::{Limits, Linked, Prepared, Problem};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// The handlers, which have to be declared under their own names.
const HANDLERS: [&str; 2] = ["transformEvent", "transformBatch"];
/// How the engine is told of a script of code version 0.
const VERSION_0: &str = "version-0:transform";
/// Known libraries that an error names.
const NAMES_SHOWN: usize = 10;

/// Something that stands in the way, in the user's module or in a library.
#[derive(Debug)]
pub(super) struct Fault {
    /// The library's import name; none for the user's module.
    pub(super) library: Option<String>,
    pub(super) problem: Problem,
}

/// Links the user's module with what it needs of the libraries, which are known by their import names.
pub(super) fn link(code: &str, libraries: &BTreeMap<String, String>, limits: Limits) -> Result<Prepared, Fault> {
    let bytes = code.len();
    let mut linker = Linker { libraries, limits, bytes, names: BTreeMap::new(), done: Vec::new(), path: Vec::new() };
    let mut user = Module::parse(code).map_err(|problem| Fault { library: None, problem })?;
    linker.resolve(&user, None)?;
    let registry = unused(code, "$modules");
    let exports = match user.version_0 {
        true => vec![VERSION_0.to_owned()],
        false => linker.handlers(&mut user, &registry),
    };
    let prelude = linker.prelude(&user, &registry);
    let mut modules = linker.done;
    modules.push(Linked { import_name: String::new(), source: user.source, prelude });
    Ok(Prepared { modules, exports })
}

struct Linker<'a> {
    libraries: &'a BTreeMap<String, String>,
    limits: Limits,
    /// Bytes of all texts so far.
    bytes: usize,
    /// The names that each linked library offers.
    names: BTreeMap<String, BTreeSet<String>>,
    /// Linked libraries in the order in which they are evaluated.
    done: Vec<Linked>,
    /// The libraries being linked: each is asked for by the one before.
    path: Vec<String>,
}

impl Linker<'_> {
    /// Links what a module asks for, then checks that every name it brings in is offered there.
    fn resolve(&mut self, module: &Module, library: Option<&str>) -> Result<(), Fault> {
        let fault = |offset: usize, message: String| Fault {
            library: library.map(str::to_owned),
            problem: Problem { offset, message },
        };
        for (name, offset) in &module.requests {
            if self.names.contains_key(name) {
                continue;
            }
            if self.path.contains(name) {
                let path = self.path.join(" -> ");
                return Err(fault(*offset, format!("import cycle: {path} -> {name}")));
            }
            let Some(code) = self.libraries.get(name) else {
                return Err(fault(*offset, format!("import from {name} failed. Module not found; {}", self.known())));
            };
            self.library(name, code)?;
        }
        let imports = module.imports.iter().map(|import| (&import.from, &import.name, import.offset));
        let reexports = module.exports.iter().filter_map(|export| match &export.what {
            Exported::From { module, name, offset } => Some((module, name, *offset)),
            Exported::Local(_) => None,
        });
        for (from, name, offset) in imports.chain(reexports) {
            let Some(name) = name else { continue };
            let offered = &self.names[from];
            if !offered.contains(name) {
                let offered: Vec<&str> = offered.iter().map(String::as_str).collect();
                let offered = if offered.is_empty() { "nothing".to_owned() } else { offered.join(", ") };
                return Err(fault(
                    offset,
                    format!("\"{from}\" does not export \"{name}\"; it exports {offered} (types: `import type`)"),
                ));
            }
        }
        Ok(())
    }

    fn library(&mut self, name: &str, code: &str) -> Result<(), Fault> {
        let fault = |problem| Fault { library: Some(name.to_owned()), problem };
        let too_large = |message| fault(Problem { offset: 0, message });
        self.limits.check_module(code).map_err(too_large)?;
        self.bytes += code.len();
        if self.bytes > self.limits.all_bytes_max {
            let max = self.limits.all_bytes_max;
            return Err(too_large(format!("with it, all modules have more than the {max} bytes of linked-bytes-max")));
        }
        let mut module = Module::parse(code).map_err(fault)?;
        self.path.push(name.to_owned());
        self.resolve(&module, Some(name))?;
        self.path.pop();
        let registry = unused(code, "$modules");
        let prelude = self.prelude(&module, &registry);
        let offered = self.offer(&mut module, &registry);
        self.names.insert(name.to_owned(), offered);
        self.done.push(Linked { import_name: name.to_owned(), source: module.source, prelude });
        Ok(())
    }

    /// Ends a library's text with the object of its exports; returns their names.
    fn offer(&self, module: &mut Module, registry: &str) -> BTreeSet<String> {
        let mut offered: BTreeSet<String> = module.exports.iter().map(|export| export.name.clone()).collect();
        let mut object = String::from("\n;({__proto__:null");
        let mut getter = |name: &str, value: &str| {
            // A getter, so that a namespace shows what an exported variable has become.
            let _ = write!(object, ",get {}(){{return {value}}}", quoted(name));
        };
        for export in &module.exports {
            getter(&export.name, &value(export, registry));
        }
        for star in &module.stars {
            for name in &self.names[star] {
                if name != "default" && offered.insert(name.clone()) {
                    getter(name, &format!("{registry}[{}][{}]", quoted(star), quoted(name)));
                }
            }
        }
        object.push_str("});");
        module.append(&object);
        offered
    }

    /// What binds the names that a module brings in.
    fn prelude(&self, module: &Module, registry: &str) -> String {
        if module.version_0 {
            return String::new();
        }
        let mut prelude = format!("const {registry}=arguments[1];");
        if let Some(binding) = &module.default_binding {
            let _ = write!(prelude, "let {binding};");
        }
        for import in &module.imports {
            let member = import.name.as_ref().map(|name| format!("[{}]", quoted(name))).unwrap_or_default();
            let _ = write!(prelude, "const {}={registry}[{}]{member};", import.local, quoted(&import.from));
        }
        prelude
    }

    /// The user's exported names. A handler that is exported under another name than its own, or comes from a
    /// library, gets that name behind the last line.
    fn handlers(&self, user: &mut Module, registry: &str) -> Vec<String> {
        let mut names: Vec<String> = user.exports.iter().map(|export| export.name.clone()).collect();
        let mut declarations = String::new();
        for export in &user.exports {
            let declared = matches!(&export.what, Exported::Local(local) if *local == export.name);
            if HANDLERS.contains(&export.name.as_str()) && !declared {
                let _ = write!(declarations, "\nconst {} = {};", export.name, value(export, registry));
            }
        }
        for star in &user.stars {
            for name in self.names[star].iter().filter(|name| HANDLERS.contains(&name.as_str())) {
                if !names.contains(name) {
                    names.push(name.clone());
                    let _ = write!(declarations, "\nconst {name} = {registry}[{}][{}];", quoted(star), quoted(name));
                }
            }
        }
        user.append(&declarations);
        names
    }

    fn known(&self) -> String {
        let mut names: Vec<&str> = self.libraries.keys().map(String::as_str).take(NAMES_SHOWN).collect();
        if names.is_empty() {
            return "there are no libraries".to_owned();
        }
        if self.libraries.len() > NAMES_SHOWN {
            names.push("…");
        }
        format!("the libraries are {}", names.join(", "))
    }
}

fn value(export: &Export, registry: &str) -> String {
    match &export.what {
        Exported::Local(local) => local.clone(),
        Exported::From { module, name: Some(name), .. } => format!("{registry}[{}][{}]", quoted(module), quoted(name)),
        Exported::From { module, name: None, .. } => format!("{registry}[{}]", quoted(module)),
    }
}

/// A JavaScript string.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
