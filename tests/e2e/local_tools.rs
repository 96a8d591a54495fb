//! `pintle plugin` and `pintle transform`, which need no server.

use pintle_tests::folder::{Folder, project_dir, target_dir};
use pintle_tests::pintle::{Said, program};
use pintle_tests::receiver::Receiver;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn said(arguments: &[&str]) -> Said {
    let output = Command::new(program())
        .args(arguments)
        .env("PINTLE_CACHE_DIR", target_dir().join("tests/compiled"))
        .env("PINTLE_PLUGINS_DIR", target_dir().join("plugins"))
        .output()
        .expect("the program runs");
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("our folders have plain names")
}

#[test]
fn the_webhooks_cases_come_out_the_same_through_its_component() {
    let folder = project_dir().join("plugins/webhook");
    let component = target_dir().join("plugins/webhook.wasm");
    let said = said(&["plugin", "test", text(&folder), "--component", text(&component), "--json"]);
    assert_eq!(said.code, 0, "{said:?}");
    let report: Value = said.json();
    assert_eq!(report["failed"], 0);
    assert!(report["passed"].as_u64().unwrap() > 20, "{report:#}");
}

#[test]
fn a_component_is_told_from_what_is_none() {
    let plugins = target_dir().join("plugins");
    let good = said(&["plugin", "check", text(&plugins.join("webhook.wasm"))]);
    assert_eq!(good.code, 0, "{good:?}");
    for part in
        ["webhook 0.1.0", "pintle:plugin/destination@", "imports nothing", "any public host", "webhookUrl required"]
    {
        assert!(good.out.contains(part), "{part}: {}", good.out);
    }
    let engine = said(&["plugin", "check", text(&plugins.join("javascript-engine.wasm"))]);
    assert_eq!(engine.code, 65);
    assert!(engine.err.contains("script engine") && engine.err.contains("destination@"), "{}", engine.err);
    let none = said(&["plugin", "check", text(&project_dir().join("Cargo.toml"))]);
    assert_eq!(none.code, 65);
    assert!(none.err.contains("not a WebAssembly component"), "{}", none.err);
}

#[test]
fn a_configuration_is_checked_with_every_mistake() {
    let folder = Folder::new("check");
    let config = folder.path().join("config.yaml");
    std::fs::write(&config, "webhookUrl: ftp://a\nwebhookMethod: TRACE\n").unwrap();
    let component = target_dir().join("plugins/webhook.wasm");
    let said = said(&["plugin", "check", text(&component), "--config", text(&config), "--json"]);
    assert_eq!(said.code, 1, "{said:?}");
    let paths: Vec<Value> =
        said.json()["mistakes"].as_array().unwrap().iter().map(|mistake| mistake["path"].clone()).collect();
    assert_eq!(paths, ["/webhookUrl", "/webhookMethod"]);
}

#[test]
fn a_new_transformation_passes_its_own_tests_and_a_change_shows() {
    for language in ["javascript", "typescript", "python"] {
        let folder = Folder::new("transform");
        let new = folder.path().join("tidy");
        assert_eq!(said(&["transform", "new", text(&new), "--language", language]).code, 0);
        let passed = said(&["transform", "test", text(&new)]);
        assert_eq!(passed.code, 0, "{passed:?}");
        assert!(passed.out.contains("2 in, 1 out, 1 dropped, 0 failed"), "{}", passed.out);

        let expected = new.join("tests/output/orders.json");
        let text_before = std::fs::read_to_string(&expected).unwrap();
        std::fs::write(&expected, text_before.replace("19.5", "20")).unwrap();
        let failed = said(&["transform", "test", text(&new), "--json"]);
        assert_eq!(failed.code, 1, "{failed:?}");
        let differences = &failed.json()["files"][0]["differences"];
        assert_eq!(differences[0], "- /0/properties/total 20", "{differences}");
        assert_eq!(said(&["transform", "test", text(&new), "--accept"]).code, 0);
        assert_eq!(said(&["transform", "test", text(&new)]).code, 0);

        let again = said(&["transform", "new", text(&new)]);
        assert_eq!(again.code, 64, "nothing is written over: {again:?}");
    }
}

#[test]
fn a_component_of_a_script_passes_the_tests_of_its_source() {
    let engines = project_dir().join("plugins/engines");
    let folder = Folder::new("build");
    for (language, ending) in [("typescript", "ts"), ("python", "py")] {
        let new = folder.path().join(language);
        assert_eq!(said(&["transform", "new", text(&new), "--language", language]).code, 0);
        let built = said(&["transform", "build", text(&new), "--engines-dir", text(&engines)]);
        assert_eq!(built.code, 0, "{built:?}");
        std::fs::remove_file(new.join(format!("transformation.{ending}"))).unwrap();
        let passed = said(&["transform", "test", text(&new)]);
        assert_eq!(passed.code, 0, "{passed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn code_that_was_granted_a_host_fetches_here_as_well_from_source_and_as_a_component() {
    let service = Receiver::start().await;
    let engines = project_dir().join("plugins/engines");
    let folder = Folder::new("granted");
    let (input, output) = (folder.path().join("tests/input"), folder.path().join("tests/output"));
    for (folder, text) in [(&input, r#"{"type":"track"}"#), (&output, r#"[{"status":200}]"#)] {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join("one.json"), text).unwrap();
    }
    let code = folder.path().join("transformation.js");
    let script = format!(
        "export async function transformEvent() {{
           const {{ status }} = await fetchV2('{}');
           return {{ status }};
         }}",
        service.url("/")
    );
    std::fs::write(&code, script).unwrap();
    let grants = ["--host", "127.0.0.1", "--egress-allow", "127.0.0.0/8"];
    let test = |grants: &[&str]| said(&[&["transform", "test", text(folder.path())], grants].concat());

    let refused = test(&[]);
    assert!(refused.code == 1 && refused.out.contains("no host has been granted"), "{refused:?}");
    let refused = test(&["--host", "127.0.0.1"]);
    assert!(refused.code == 1 && refused.out.contains("non-public address"), "{refused:?}");
    assert_eq!(service.connections(), 0);
    let passed = test(&grants);
    assert_eq!(passed.code, 0, "{passed:?}");

    let built = said(&["transform", "build", text(folder.path()), "--network", "--engines-dir", text(&engines)]);
    assert_eq!(built.code, 0, "{built:?}");
    std::fs::remove_file(&code).unwrap();
    let refused = test(&[]);
    assert!(refused.code == 65 && refused.err.contains("grant those"), "{refused:?}");
    let passed = test(&grants);
    assert_eq!(passed.code, 0, "{passed:?}");
    assert_eq!(service.count(), 2);
}

#[test]
fn credentials_are_given_by_name_and_never_shown() {
    let folder = Folder::new("credentials");
    std::fs::create_dir_all(folder.path().join("tests/input")).unwrap();
    std::fs::write(folder.path().join("tests/input/one.json"), r#"{"type":"track"}"#).unwrap();
    let code = "export function transformEvent(event) { return { found: getCredential('key') === 'hunter2' }; }";
    std::fs::write(folder.path().join("transformation.js"), code).unwrap();
    let done = said(&["transform", "test", text(folder.path()), "--accept", "--credential", "key=hunter2"]);
    assert!(done.code == 0 && !format!("{done:?}").contains("hunter2"), "{done:?}");
    let found = std::fs::read_to_string(folder.path().join("tests/output/one.json")).unwrap();
    assert!(found.contains("\"found\": true"), "{found}");
}

#[test]
fn a_script_that_does_not_load_becomes_no_component() {
    let engines = project_dir().join("plugins/engines");
    let folder = Folder::new("no-build");
    let code = folder.path().join("transformation.js");
    std::fs::write(&code, "export function transformEvent(event) {\n  return event +;\n}\n").unwrap();
    let refused = said(&["transform", "build", text(&code), "--engines-dir", text(&engines)]);
    assert!(refused.code != 0 && refused.err.contains("transformation.js:2:"), "{refused:?}");
    let lost = said(&["transform", "build", text(&code), "--engines-dir", text(folder.path())]);
    assert!(lost.code == 64 && lost.err.contains("plugins/engines"), "{lost:?}");
}

#[test]
fn errors_and_logs_of_a_transformation_are_shown_with_their_place() {
    let folder = Folder::new("errors");
    let code = folder.path().join("transformation.js");
    std::fs::create_dir_all(folder.path().join("tests/input")).unwrap();
    std::fs::write(folder.path().join("tests/input/one.json"), r#"{"type":"track"}"#).unwrap();
    std::fs::write(
        &code,
        "export function transformEvent(event) {\n  log('seen', event.type);\n  return event.no.such;\n}\n",
    )
    .unwrap();
    let missing = said(&["transform", "test", text(folder.path())]);
    assert_eq!(missing.code, 65);
    assert!(missing.err.contains("--accept"), "{}", missing.err);
    let accepted = said(&["transform", "test", text(folder.path()), "--accept"]);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert!(accepted.out.contains("seen track") && accepted.out.contains("transformation.js:3:"), "{}", accepted.out);

    std::fs::write(&code, "export function transformEvent(event) {\n  return event +;\n}\n").unwrap();
    let broken = said(&["transform", "test", text(folder.path())]);
    assert_eq!(broken.code, 65);
    assert!(broken.err.contains("transformation.js:2:") && broken.err.contains("return event +;"), "{}", broken.err);
}

#[test]
fn a_new_plugin_must_have_a_usable_name_and_an_empty_folder() {
    let folder = Folder::new("new");
    for language in ["rust", "javascript"] {
        let new = folder.path().join(language);
        let made = said(&["plugin", "new", text(&new), "--language", language]);
        assert_eq!(made.code, 0, "{made:?}");
        let manifest: Value = serde_json::from_slice(&std::fs::read(new.join("manifest.json")).unwrap()).unwrap();
        assert_eq!(manifest["name"], language);
        let untested = said(&["plugin", "test", text(&new)]);
        assert!(untested.code == 65 && untested.err.contains("pintle plugin build"), "{untested:?}");
        assert_eq!(said(&["plugin", "new", text(&new)]).code, 64);
    }
    let named = said(&["plugin", "new", text(&folder.path().join("My Plugin"))]);
    assert!(named.code == 64 && named.err.contains("lower case"), "{named:?}");
}
