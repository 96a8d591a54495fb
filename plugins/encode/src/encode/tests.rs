use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, Function, FunctionSection, ImportSection, Module, TypeSection,
    ValType,
};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::*;

/// A core module that exports `answer`, as the world `wit` asks, and imports what it is told to.
fn core(wit: &str, imports: &[(&str, &str)]) -> Vec<u8> {
    let mut types = TypeSection::new();
    types.ty().function([], [ValType::I32]);
    let mut import_section = ImportSection::new();
    for (module, name) in imports {
        import_section.import(module, name, EntityType::Function(0));
    }
    let mut functions = FunctionSection::new();
    functions.function(0);
    let mut exports = ExportSection::new();
    exports.export("answer", ExportKind::Func, imports.len() as u32);
    let mut code = CodeSection::new();
    let mut body = Function::new([]);
    body.instructions().i32_const(42).end();
    code.function(&body);

    let mut module = Module::new();
    module.section(&types).section(&import_section).section(&functions).section(&exports).section(&code);
    let mut bytes = module.finish();

    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8, false).unwrap();
    bytes
}

const WORLD: &str = "package a:b; world w { export answer: func() -> u32; }";

#[test]
fn a_module_without_imports_becomes_a_component() {
    let component = component(&core(WORLD, &[])).unwrap();
    assert!(matches!(wit_component::decode(&component).unwrap(), DecodedWasm::Component(..)));
}

#[test]
fn every_import_is_named_in_the_refusal() {
    let error = component(&core(WORLD, &[("wasi_snapshot_preview1", "clock_time_get"), ("env", "now")])).unwrap_err();
    let message = format!("{error:#}");
    assert!(message.contains("`wasi_snapshot_preview1.clock_time_get`, `env.now`"), "{message}");
}

#[test]
fn a_module_that_lacks_an_export_of_its_world_is_refused() {
    let wit = "package a:b; world w { export answer: func() -> u32; export more: func() -> u32; }";
    let message = format!("{:#}", component(&core(wit, &[])).unwrap_err());
    assert!(message.contains("does not fit the world") && message.contains("more"), "{message}");
}

#[test]
fn a_module_that_was_not_built_from_wit_is_refused() {
    let message = format!("{:#}", component(&Module::new().finish()).unwrap_err());
    assert!(message.contains("exports nothing"), "{message}");
}

#[test]
fn what_is_no_module_is_refused() {
    let message = format!("{:#}", component(b"#!/bin/sh").unwrap_err());
    assert!(message.contains("not a WebAssembly module"), "{message}");
}

#[test]
fn a_component_is_not_encoded_again() {
    let once = component(&core(WORLD, &[])).unwrap();
    let message = format!("{:#}", component(&once).unwrap_err());
    assert!(message.contains("a component already"), "{message}");
}
