//! Lists the files of the guest crate, which `pintle plugin new` copies beside a destination: whatever is in its
//! folder goes along.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let here = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").expect("cargo says where the package is"));
    let sdk = here.join("../../plugins/sdk");
    let mut files = vec![sdk.join("Cargo.toml")];
    sources(&sdk.join("src"), &mut files)?;
    files.sort();
    let mut list = String::from("&[\n");
    for file in &files {
        let path = file.strip_prefix(&sdk).expect("it was found below").display();
        let file = file.canonicalize()?;
        writeln!(list, "    File {{ path: \"sdk/{path}\", text: include_str!({file:?}) }},").expect("memory is there");
    }
    list.push_str("]\n");
    // Relative to this package: an absolute one would tie a shared target folder to one clone.
    println!("cargo::rerun-if-changed=../../plugins/sdk/src");
    let out = PathBuf::from(std::env::var("OUT_DIR").expect("cargo says where to write"));
    std::fs::write(out.join("sdk.rs"), list)
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}
