//! The command line over the admin API.

use crate::setup::connected;
use pintle_tests::events::{Events, post};
use pintle_tests::folder::{Folder, target_dir};
use pintle_tests::pintle::{Options, Pintle, Said};
use pintle_tests::receiver::Receiver;
use serde_json::Value;
use std::path::Path;

fn done(said: Said) -> Said {
    assert_eq!(said.code, 0, "{said:?}");
    said
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

const CODE: &str = "export function transformEvent(event) { event.properties.seen = true; return event; }\n";

#[tokio::test(flavor = "multi_thread")]
async fn everything_can_be_set_up_exported_and_read_back_from_the_command_line() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    let folder = Folder::new("commands");
    let config = format!(
        "{{\"webhookUrl\": \"{}\", \"headers\": [{{\"from\": \"x-key\", \"to\": \"hunter2\"}}]}}",
        receiver.url("/")
    );
    let (code, config) = (write(folder.path(), "tidy.js", CODE), write(folder.path(), "config.json", &config));
    let secret = write(folder.path(), "secret", "hunter3\n");
    for line in [
        vec!["transform", "push", "tidy", &code, "--publish", "--note", "first"],
        vec!["source", "put", "site", "--write-key", "test-write-key"],
        vec!["destination", "put", "orders", "--plugin", "webhook", "--config", &config],
        vec!["connection", "put", "c", "--source", "site", "--destination", "orders", "--transformation", "tidy"],
        vec!["credential", "put", "key", "--value-file", &secret],
        // The rest of a thing stays when one field is changed.
        vec!["destination", "put", "orders", "--name", "Our orders"],
        vec!["transform", "set", "tidy", "--host", "api.example.com"],
    ] {
        let said = done(pintle.cli(&line).await);
        assert!(!format!("{said:?}").contains("hunter"), "{said:?}");
    }
    post(pintle.gateway(), &Events::new(1, 0).many(3, 2), 6).await.unwrap();
    pintle.wait_delivered("orders", 6).await;
    assert!(receiver.received().iter().all(|one| one.json()["properties"]["seen"] == true));
    assert!(receiver.received().iter().all(|one| one.headers.get("x-key").is_some_and(|value| value == "hunter2")));

    let shown = done(pintle.cli(&["transform", "list"]).await);
    assert!(shown.out.contains("tidy") && shown.out.contains("javascript"), "{}", shown.out);
    let versions = done(pintle.cli(&["transform", "versions", "tidy"]).await);
    assert!(versions.out.contains("first") && versions.out.contains("live"), "{}", versions.out);
    assert_eq!(done(pintle.cli(&["transform", "code", "tidy"]).await).out, CODE);
    let listed = done(pintle.cli(&["destination", "list"]).await);
    assert!(listed.out.contains("Our orders"), "{}", listed.out);
    let plugins = done(pintle.cli(&["plugin", "list"]).await);
    assert!(plugins.out.contains("webhook") && plugins.out.contains("bundled"), "{}", plugins.out);
    let revisions = done(pintle.cli(&["revisions", "list"]).await);
    assert!(revisions.out.contains("transformation tidy changed: hosts none → api.example.com"), "{}", revisions.out);

    let events =
        write(folder.path(), "events.ndjson", "{\"type\":\"track\",\"properties\":{}}\n{\"type\":\"track\"}\n");
    let tried = pintle.cli(&["transform", "test-run", "tidy", "--events", &events]).await;
    assert!(tried.code == 1 && tried.out.contains("0: {") && tried.out.contains("1: error: "), "{tried:?}");
    let bad = write(folder.path(), "bad.js", "export function transformEvent(event) { return event + }\n");
    let refused = pintle.cli(&["transform", "push", "tidy", &bad]).await;
    assert!(refused.code == 1 && refused.err.contains("tidy:1:") && refused.err.contains("^"), "{refused:?}");

    // What is exported is a workspace that another Pintle serves.
    let out = folder.path().join("out");
    let exported = done(pintle.cli(&["export", "--out", out.to_str().unwrap()]).await);
    assert!(exported.err.contains("PINTLE_CREDENTIALS_KEY"), "{exported:?}");
    let text = std::fs::read_to_string(out.join("workspace.yaml")).unwrap();
    assert!(!text.contains("hunter"), "{text}");
    assert_eq!(std::fs::read_to_string(out.join("transformations/tidy.js")).unwrap(), CODE);
    let checked = pintle.cli(&["import", "--check", out.join("workspace.yaml").to_str().unwrap()]).await;
    assert_eq!(checked.code, 0, "{checked:?}");
    let again = pintle.cli(&["export", "--out", out.to_str().unwrap()]).await;
    assert_eq!(again.code, 64, "{again:?}");

    let gone = pintle.cli(&["transform", "delete", "tidy"]).await;
    assert!(gone.code == 1 && gone.err.contains("connections.c"), "{gone:?}");
    assert_eq!(pintle.cli(&["source", "show", "nobody"]).await.code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rudder_cli_project_is_brought_in_and_again_without_effect() {
    let pintle = Pintle::start(Options::without_file()).await;
    let folder = Folder::new("rudder-cli");
    write(folder.path(), "js/tidy.js", CODE);
    write(
        folder.path(),
        "tidy.yaml",
        "version: rudder/v1\nkind: transformation\nmetadata: {name: t}\nspec: {id: tidy, name: Tidy, language: javascript, file: js/tidy.js}\n",
    );
    write(
        folder.path(),
        "lib.yaml",
        "version: rudder/v1\nkind: transformation-library\nspec: {id: x, name: Words, language: javascript, import_name: words, code: 'export const a = 1;'}\n",
    );
    write(folder.path(), "plan.yaml", "version: rudder/v1\nkind: tracking-plan\nspec: {}\n");
    let project = folder.path().to_str().unwrap();
    let first = done(pintle.cli(&["import", "rudder-cli", project, "--publish"]).await);
    assert_eq!(first.out, "libraries/words published\ntransformations/tidy published\n");
    assert!(first.err.contains("kind tracking-plan"), "{first:?}");
    let before = pintle.make("GET", "/admin/v1/catalog", &Value::Null).await;
    assert_eq!(before["transformations"]["tidy"]["name"], "Tidy", "{before:#}");
    assert_eq!(before["libraries"]["words"]["live"]["number"], 1, "{before:#}");
    done(pintle.cli(&["import", "rudder-cli", project, "--publish"]).await);
    assert_eq!(pintle.make("GET", "/admin/v1/catalog", &Value::Null).await, before, "a second time changes nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_plugin_takes_the_bundled_ones_place_and_gives_it_back() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    connected(&pintle, &receiver, &[]).await;
    let webhook = target_dir().join("plugins/webhook.wasm");
    let webhook = webhook.to_str().unwrap();
    let pushed = done(pintle.cli(&["plugin", "push", webhook, "--json"]).await).json();
    assert_eq!((&pushed["origin"], &pushed["live"]["number"]), (&"uploaded".into(), &1.into()), "{pushed:#}");
    let before = pintle.make("GET", "/admin/v1/catalog", &Value::Null).await["revision"].clone();
    let again = done(pintle.cli(&["plugin", "push", webhook, "--json"]).await).json();
    assert_eq!(again["live"]["number"], 1, "the same bytes are the same version");
    assert_eq!(pintle.make("GET", "/admin/v1/catalog", &Value::Null).await["revision"], before);
    post(pintle.gateway(), &Events::new(1, 0).many(2, 2), 4).await.unwrap();
    pintle.wait_delivered("orders", 4).await;
    let shown = done(pintle.cli(&["plugin", "show", "webhook"]).await);
    assert!(shown.out.contains("webhookUrl"), "{}", shown.out);
    done(pintle.cli(&["plugin", "delete", "webhook"]).await);
    post(pintle.gateway(), &Events::new(2, 0).after(2).many(2, 2), 4).await.unwrap();
    pintle.wait_delivered("orders", 8).await;
    let folder = Folder::new("junk");
    let refused = pintle.cli(&["plugin", "push", &write(folder.path(), "junk.wasm", "junk")]).await;
    assert!(refused.code == 1 && refused.err.contains("magic number"), "{refused:?}");
    assert_eq!(pintle.cli(&["plugin", "push", folder.path().join("none.wasm").to_str().unwrap()]).await.code, 65);
}
