//! The encoding itself: check, encode, check again.

use anyhow::{Context, bail};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, DecodedWasm};

/// The component made of a core module, which must import nothing.
///
/// # Errors
/// What it imports, or why it is no module that can become a component.
pub fn component(core: &[u8]) -> anyhow::Result<Vec<u8>> {
    let imports = core_imports(core)?;
    if !imports.is_empty() {
        bail!(
            "it imports {}; a plugin gets everything it may know as arguments and must import nothing. \
             Find the dependency that asks for it (often a clock or a source of randomness) and do without",
            imports.join(", ")
        );
    }
    let component = ComponentEncoder::default()
        .module(core)
        .context("its WIT section cannot be read; was it built with wit-bindgen?")?
        .validate(true)
        .encode()
        .context("it does not fit the world it was built for")?;
    check_world(&component)?;
    Ok(component)
}

/// What a core module imports, as `module.name`.
fn core_imports(core: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for payload in Parser::new(0).parse_all(core) {
        match payload.context("it is not a WebAssembly module")? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.context("its import section is damaged")?;
                    found.push(format!("`{}.{}`", import.module, import.name));
                }
            }
            Payload::ComponentSection { .. } | Payload::ComponentTypeSection(_) => bail!("it is a component already"),
            _ => {}
        }
    }
    Ok(found)
}

/// Types that a world `use`s from elsewhere become an import of the component although the core module
/// has none. And a module without a WIT section makes an empty component, which is of no use to anyone.
fn check_world(component: &[u8]) -> anyhow::Result<()> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        bail!("the encoder made a WIT package and no component");
    };
    let world = &resolve.worlds[world];
    if !world.imports.is_empty() {
        let names: Vec<String> = world.imports.keys().map(|key| format!("`{}`", resolve.name_world_key(key))).collect();
        bail!("its world imports {}; export one interface that holds its own types", names.join(", "));
    }
    if world.exports.is_empty() {
        bail!("it exports nothing; was it built with wit-bindgen, for one of the worlds in wit/?");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
