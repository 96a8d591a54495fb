//! Tokens and roles.

use crate::setup::{connected, mark, publish};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

async fn token(pintle: &Pintle, role: &str) -> String {
    let data_dir = pintle.data_dir();
    let made = pintle
        .cli(&["token", "create", "--name", role, "--role", role, "--data-dir", data_dir.to_str().unwrap()])
        .await;
    assert_eq!(made.code, 0, "{made:?}");
    made.out.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn as_soon_as_there_is_a_token_everything_needs_one_and_roles_are_kept() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "t", &mark("v", "1")).await;
    connected(&pintle, &receiver, &["t"]).await;
    let (viewer, editor, admin) =
        (token(&pintle, "viewer").await, token(&pintle, "editor").await, token(&pintle, "admin").await);

    let bearer = |token: &str| format!("Bearer {token}");
    let document = pintle.make("GET", "/admin/v1/openapi.json", &Value::Null).await;
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let role = operation["x-role"].as_str();
            let path = path.replace("{id}", "nobody").replace("{revision}", "0").replace("{digest}", "0");
            let path = if path.ends_with("/tail") { continue } else { path };
            let ask = async |token: Option<&str>| {
                let authorization = token.map(bearer).unwrap_or_default();
                let headers = [("Authorization", authorization.as_str())];
                let headers = if token.is_some() { &headers[..] } else { &[] };
                pintle.ask(&method.to_uppercase(), &path, headers, b"").await.unwrap().status
            };
            let Some(role) = role else {
                assert_eq!(ask(None).await, 200, "{method} {path}");
                continue;
            };
            assert_eq!(ask(None).await, 401, "{method} {path} without a token");
            assert_eq!(ask(Some("pintle_wrong")).await, 401, "{method} {path} with a wrong token");
            if role != "viewer" {
                assert_eq!(ask(Some(&viewer)).await, 403, "{method} {path} as viewer");
            }
            if role == "admin" {
                assert_eq!(ask(Some(&editor)).await, 403, "{method} {path} as editor");
            } else {
                let status = ask(Some(&editor)).await;
                assert!(status != 401 && status != 403, "{method} {path} as editor: {status}");
            }
        }
    }

    let say = |said: &pintle_tests::pintle::Said| format!("{}{}", said.out, said.err);
    let list = pintle.command(&["token", "list", "--json"]).env("PINTLE_TOKEN", &admin).output().await.unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 3, "{list:#}");
    for secret in [&viewer, &editor, &admin] {
        assert!(!list.to_string().contains(secret.rsplit('_').next().unwrap()), "a secret in the list");
        assert!(!pintle.said().contains(secret.rsplit('_').next().unwrap()), "a secret in the log");
    }
    let id = list["items"].as_array().unwrap().iter().find(|token| token["name"] == "viewer").unwrap()["id"].clone();
    let revoked =
        pintle.command(&["token", "revoke", id.as_str().unwrap()]).env("PINTLE_TOKEN", &admin).output().await.unwrap();
    assert!(revoked.status.success(), "{revoked:?}");
    let headers = [("Authorization", bearer(&viewer))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(pintle.ask("GET", "/admin/v1/status", &headers, b"").await.unwrap().status, 401);
    let without = pintle.cli(&["status"]).await;
    assert!(without.code == 1 && say(&without).contains("PINTLE_TOKEN"), "{without:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_author_of_a_change_is_who_holds_the_token() {
    let pintle = Pintle::start(Options::without_file()).await;
    pintle.make("PUT", "/admin/v1/sources/a", &json!({})).await;
    let editor = token(&pintle, "editor").await;
    let put = pintle
        .command(&["source", "put", "b", "--name", "Bee", "--reason", "spring"])
        .env("PINTLE_TOKEN", &editor)
        .output()
        .await
        .unwrap();
    assert!(put.status.success(), "{put:?}");
    let list = pintle.command(&["revisions", "list", "--json"]).env("PINTLE_TOKEN", &editor).output().await.unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let of = |at: usize| (list["items"][at]["author"].clone(), list["items"][at]["reason"].clone());
    assert_eq!(of(0), (json!("editor"), json!("spring")), "{list:#}");
    assert_eq!(of(1), (json!("local"), json!("source a was put")), "{list:#}");
}
