//! `pintle plugin new`: writes a folder from a template.

use super::args::{Language, New};
use crate::failure::{Exit, Failure};
use crate::template::{File, write};
use pintle_runtime::destination::Manifest;
use std::io::Write;

const MANIFEST: &str = include_str!("templates/manifest.json");

/// What both templates have.
const SHARED: &[File] = &[
    File { path: "manifest.json", text: MANIFEST },
    File { path: "cases/events.json", text: include_str!("templates/cases.json") },
    File { path: ".gitignore", text: include_str!("templates/gitignore") },
    File { path: "sdk/wit/world.wit", text: include_str!("../../../../wit/world.wit") },
    File { path: "sdk/wit/destination.wit", text: include_str!("../../../../wit/destination.wit") },
    File { path: "sdk/wit/transformation.wit", text: include_str!("../../../../wit/transformation.wit") },
    File { path: "sdk/wit/script-engine.wit", text: include_str!("../../../../wit/script-engine.wit") },
    File { path: "sdk/wit/network.wit", text: include_str!("../../../../wit/network.wit") },
];

/// The guest crate goes along: it fits this Pintle, and building needs no registry for it.
const SDK: &[File] = include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

const RUST: &[File] = &[
    File { path: "Cargo.toml", text: include_str!("templates/rust/Cargo.toml") },
    File { path: "mapping.rs", text: include_str!("templates/rust/mapping.rs") },
];

const JAVASCRIPT: &[File] = &[
    File { path: "destination.js", text: include_str!("templates/javascript/destination.js") },
    File { path: "package.json", text: include_str!("templates/javascript/package.json") },
    // The same tools in the same versions as those that the engine is built with.
    File { path: "package-lock.json", text: include_str!("../../../../plugins/engines/javascript/package-lock.json") },
    File { path: "sdk/build.js", text: include_str!("templates/javascript/build.js") },
    File { path: "sdk/component.js", text: include_str!("templates/javascript/component.js") },
];

pub(super) fn run(new: &New, out: &mut dyn Write) -> Result<Exit, Failure> {
    let name = new.folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Err(error) = Manifest::parse(&MANIFEST.replace("NAME", &name)) {
        return Err(Failure::new(Exit::Usage, format!("{name} cannot be a plugin's name: {error}")));
    }
    let (files, sdk, mapping): (_, &[File], _) = match new.language {
        Language::Rust => (RUST, SDK, "mapping.rs"),
        Language::Javascript => (JAVASCRIPT, &[], "destination.js"),
    };
    write(&new.folder, SHARED.iter().chain(files).chain(sdk), &name)?;
    let folder = new.folder.display();
    writeln!(out, "{folder}: a destination called {name}")?;
    writeln!(out, "  {mapping:<16} what becomes of an event")?;
    writeln!(out, "  manifest.json    its name, limits and settings")?;
    writeln!(out, "  cases/           what must come out: pintle plugin test {folder}")?;
    writeln!(out, "next: pintle plugin build {folder}")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_plugin_gets_every_interface_that_the_worlds_name() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        for name in names.filter(|name| name.ends_with(".wit")) {
            assert!(SHARED.iter().any(|file| file.path == format!("sdk/wit/{name}")), "{name} is left out");
        }
    }
}
