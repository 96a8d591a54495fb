//! `pintle transform new`: writes a folder from a template.

use super::args::{Language, New};
use crate::failure::{Exit, Failure};
use crate::template::{File, write};
use std::io::Write;

const TESTS: [File; 2] = [
    File { path: "tests/input/orders.json", text: include_str!("templates/input.json") },
    File { path: "tests/output/orders.json", text: include_str!("templates/output.json") },
];
const JAVASCRIPT: File = File { path: "transformation.js", text: include_str!("templates/transformation.js") };
const TYPESCRIPT: File = File { path: "transformation.ts", text: include_str!("templates/transformation.ts") };
const PYTHON: File = File { path: "transformation.py", text: include_str!("templates/transformation.py") };

pub(super) fn run(new: &New, out: &mut dyn Write) -> Result<Exit, Failure> {
    let code = match new.language {
        Language::Javascript => &JAVASCRIPT,
        Language::Typescript => &TYPESCRIPT,
        Language::Python => &PYTHON,
    };
    write(&new.folder, TESTS.iter().chain([code]), "")?;
    let folder = new.folder.display();
    writeln!(out, "{folder}: a transformation")?;
    writeln!(out, "  {:<20} runs on every event", code.path)?;
    writeln!(out, "  tests/input          events")?;
    writeln!(out, "  tests/output         what must become of them")?;
    writeln!(out, "next: pintle transform test {folder}")?;
    Ok(Exit::Done)
}
