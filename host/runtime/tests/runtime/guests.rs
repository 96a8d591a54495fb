//! Guests for the tests: small components built from text, and the ones that Pintle ships.

use pintle_runtime::transformation::{Context, Entry, Reply, Transformation};
use pintle_runtime::{CallFailure, Config, Runtime};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::Resolve;

/// A transformation that does what the first byte of its batch says.
pub const OBEDIENT: &str = r#"
(module
  (memory (export "memory") 2)
  (global $calls (mut i32) (i32.const 0))
  (global $heap (mut i32) (i32.const 4096))
  (data (i32.const 1024) "[{\"log\":{\"message\":\"0\"}}]")
  (data (i32.const 1100) "not json")
  (data (i32.const 1200) "I will not")
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 3))))
  (func $recurse (param i32) (result i32)
    (i32.add (call $recurse (i32.add (local.get 0) (i32.const 1))) (i32.const 1)))
  (func $answer (param $error i32) (param $at i32) (param $bytes i32) (result i32)
    (i32.store8 (i32.const 16) (local.get $error))
    (i32.store (i32.const 20) (local.get $at))
    (i32.store (i32.const 24) (local.get $bytes))
    (i32.const 16))
  (func (export "pintle:plugin/transformation@0.1.0#transform")
    (param i64 i64 i32 i32 i32 i32 i32) (param $batch i32) (param i32) (result i32)
    (local $order i32)
    (global.set $heap (i32.const 4096))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (local.set $order (i32.load8_u (local.get $batch)))
    (if (i32.eq (local.get $order) (i32.const 0x4c)) ;; L: loop for ever
      (then (loop $again (br $again))))
    (if (i32.eq (local.get $order) (i32.const 0x4d)) ;; M: take all memory
      (then (loop $again
        (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then (unreachable)))
        (br $again))))
    (if (i32.eq (local.get $order) (i32.const 0x47)) ;; G: grow by 1 MiB and go on
      (then (drop (memory.grow (i32.const 16)))))
    (if (i32.eq (local.get $order) (i32.const 0x52)) ;; R: recurse for ever
      (then (drop (call $recurse (i32.const 0)))))
    (if (i32.eq (local.get $order) (i32.const 0x54)) ;; T: trap
      (then (unreachable)))
    (if (i32.eq (local.get $order) (i32.const 0x48)) ;; H: a huge answer
      (then (return (call $answer (i32.const 0) (i32.const 0) (i32.const 130000)))))
    (if (i32.eq (local.get $order) (i32.const 0x4f)) ;; O: an answer outside of memory
      (then (return (call $answer (i32.const 0) (i32.const 0x7fffff00) (i32.const 0x1000)))))
    (if (i32.eq (local.get $order) (i32.const 0x4a)) ;; J: an answer that is not JSON
      (then (return (call $answer (i32.const 0) (i32.const 1100) (i32.const 8)))))
    (if (i32.eq (local.get $order) (i32.const 0x45)) ;; E: an error
      (then (return (call $answer (i32.const 1) (i32.const 1200) (i32.const 10)))))
    ;; anything else: which call of this instance it is
    (i32.store8 (i32.const 1044) (i32.add (i32.const 0x30) (i32.rem_u (global.get $calls) (i32.const 10))))
    (call $answer (i32.const 0) (i32.const 1024) (i32.const 25))))
"#;

/// A transformation that imports the network and does nothing.
pub const NETWORKED: &str = r#"
(module
  (import "pintle:plugin/network@0.1.0" "fetch-batch" (func (param i32 i32 i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "pintle:plugin/transformation@0.1.0#transform")
    (param i64 i64 i32 i32 i32 i32 i32) (param i32) (param i32) (result i32)
    (unreachable)))
"#;

/// A component of a world, from the text of its core module.
pub fn component(wit: &str, world: &str, module: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let package = resolve.push_str("test.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    let mut module = wat::parse_str(module).unwrap();
    wit_component::embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8, false).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// The WIT package of Pintle as one text.
pub fn wit() -> String {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "wit"));
    // The file that names the package comes first.
    files.sort_by_key(|path| !path.ends_with("world.wit"));
    files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect::<Vec<_>>().join("\n")
}

pub fn obedient() -> Vec<u8> {
    component(&wit(), "transformation-plugin", OBEDIENT)
}

/// Another component that does the same.
pub fn obedient_again(number: u32) -> Vec<u8> {
    let module = OBEDIENT.replacen("(module", &format!("(module (global i32 (i32.const {number}))"), 1);
    component(&wit(), "transformation-plugin", &module)
}

/// Settings that let few instances run and stop them soon.
pub fn small() -> Config {
    Config {
        memory_bytes_max: 8 << 20,
        memory_budget_bytes: 64 << 20,
        output_bytes_max: 64 << 10,
        run_time_max: Duration::from_millis(200),
        call_time_max: Duration::from_secs(20),
        instances_max: 8,
        ..Config::default()
    }
}

pub async fn obey(transformation: &Transformation, order: &str) -> Result<Reply, CallFailure> {
    transformation.transform(&Context::default(), order.as_bytes().to_vec(), 1).await
}

/// How many calls the instance that answered has seen.
pub async fn calls_seen(transformation: &Transformation) -> String {
    obey(transformation, "?").await.unwrap().logs[0].message.clone()
}

pub async fn load(config: Config) -> (Runtime, Arc<Transformation>) {
    let runtime = Runtime::new(config).unwrap();
    let transformation = runtime.transformation_component(&obedient(), &[]).await.unwrap();
    (runtime, transformation)
}

/// A component that `scripts/build-plugins` has built.
pub fn shipped(name: &str) -> Vec<u8> {
    let path = plugins_dir().join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}; run scripts/build-plugins", path.display()))
}

fn plugins_dir() -> PathBuf {
    if let Some(directory) = std::env::var_os("PINTLE_PLUGINS_DIR") {
        return directory.into();
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    workspace.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into())).join("plugins")
}

/// Compiled code that outlives the tests: the JavaScript engine takes many seconds.
pub fn lasting_cache() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("runtime-test-cache")
}

pub fn outputs(reply: &Reply) -> Vec<String> {
    let shown = |entry: &Entry| match entry {
        Entry::Output { index, event } => format!("{index}: {event}"),
        Entry::Error { index, message, .. } => format!("{index}! {message}"),
        Entry::Dropped { index } => format!("{index} dropped"),
    };
    reply.entries.iter().map(shown).collect()
}
