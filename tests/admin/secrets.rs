//! Secrets stay secret, and their key can be changed.

use crate::setup::{connected, mark, publish, revision, source};
use pintle_tests::events::{Events, post};
use pintle_tests::pintle::{Options, Pintle};
use pintle_tests::receiver::Receiver;
use serde_json::{Value, json};

const SECRETS: [&str; 3] = ["hunter2-header", "hunter3-credential", "hunter4-changed"];

#[tokio::test(flavor = "multi_thread")]
async fn secrets_are_in_no_answer_and_no_log_line() {
    let receiver = Receiver::start().await;
    let pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "t", &mark("v", "1")).await;
    connected(&pintle, &receiver, &["t"]).await;
    let config = json!({"webhookUrl": receiver.url("/"), "headers": [{"from": "x-secret", "to": SECRETS[0]}]});
    let path = "/admin/v1/destinations/orders";
    let put = pintle.make("PUT", path, &json!({"plugin": "webhook", "config": config})).await;
    pintle.make("PUT", "/admin/v1/credentials/key", &json!({"value": SECRETS[1]})).await;

    // What is shown can be sent back: the secret stays.
    let mut body = json!({"plugin": "webhook", "config": put["config"], "name": "Orders"});
    pintle.make("PUT", path, &body).await;
    post(pintle.gateway(), &Events::new(1, 0).many(2, 2), 4).await.unwrap();
    pintle.wait_delivered("orders", 4).await;
    assert!(receiver.received().iter().all(|one| one.headers.get("x-secret").is_some_and(|value| value == SECRETS[0])));
    // But not to where it would be shown.
    let secret = body["config"]["headers"][0]["to"].clone();
    body["config"]["headers"][0] = json!({"from": secret, "to": "x"});
    let (status, problem) = pintle.call("PUT", path, &body).await;
    assert_eq!(status, 400, "{problem:#}");
    body["config"]["headers"][0] = json!({"from": "x-secret", "to": SECRETS[2]});
    pintle.make("PUT", path, &body).await;
    pintle
        .make("POST", "/admin/v1/transformations/t/test", &json!({"events": [{"type": "track", "properties": {}}]}))
        .await;

    let newest = revision(&pintle).await.to_string();
    let document = pintle.make("GET", "/admin/v1/openapi.json", &Value::Null).await;
    let mut asked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if operations["get"].is_null() || path.ends_with("/tail") {
            continue;
        }
        let ids =
            if path.contains("{id}") { vec!["orders", "site", "site-orders", "t", "key", "webhook"] } else { vec![""] };
        for id in ids {
            let path = path.replace("{id}", id).replace("{revision}", &newest);
            let answer = pintle.ask("GET", &path, &[], b"").await.unwrap();
            asked += usize::from(answer.status == 200);
            for secret in SECRETS {
                assert!(!answer.text.contains(secret), "{path} gives {secret} away: {}", answer.text);
            }
        }
    }
    assert!(asked > 20, "only {asked} answers were looked at");
    for secret in SECRETS {
        assert!(!pintle.said().contains(secret), "the log gives {secret} away");
    }
    let diff = pintle.make("GET", &format!("/admin/v1/revisions/{newest}/diff"), &Value::Null).await;
    assert!(diff["lines"][0].as_str().unwrap().starts_with("destination orders changed: config #"), "{diff:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_seals_everything_anew_and_a_wrong_key_is_named() {
    let receiver = Receiver::start().await;
    let mut pintle = Pintle::start(Options::without_file()).await;
    publish(&pintle, "t", &mark("v", "1")).await;
    connected(&pintle, &receiver, &["t"]).await;
    let file = pintle.data_dir().join("secret.key");
    let old = std::fs::read_to_string(&file).unwrap();

    let done = pintle.cli(&["secrets", "rotate", "--json"]).await;
    assert_eq!(done.code, 0, "{done:?}");
    let done = done.json();
    assert!(done["revisions"].as_u64().unwrap() >= 4 && done["artifacts"] == 1, "{done:#}");
    let new = std::fs::read_to_string(&file).unwrap();
    assert_ne!(old, new);
    assert!(!pintle.said().contains(new.trim()), "the log gives the key away");
    // The running process goes on with the new key, and the next one starts with it.
    publish(&pintle, "t", &mark("v", "2")).await;
    pintle.stop();
    pintle.restart().await;
    post(pintle.gateway(), &Events::new(1, 0).many(2, 2), 4).await.unwrap();
    pintle.wait_delivered("orders", 4).await;
    assert_eq!(pintle.make("GET", "/admin/v1/revisions/1", &Value::Null).await["revision"], 1);

    pintle.stop();
    std::fs::write(&file, &old).unwrap();
    let said = pintle.restart_to_fail().await;
    let key = done["key"].as_str().unwrap();
    assert!(said.contains("secret.key") && said.contains(key), "it names file and key: {said}");
    // The other way round: the old key in the environment is replaced by the one in the file.
    std::fs::write(&file, &new).unwrap();
    let third = pintle_tests::http::base64(&[7; 32]);
    let options = Options::without_file().environment("PINTLE_SECRET_KEY", &third);
    pintle.set_options(options.clone());
    assert!(pintle.restart_to_fail().await.contains("PINTLE_SECRET_KEY"));
    pintle.set_options(options.environment("PINTLE_SECRET_KEY_OLD", new.trim()));
    pintle.restart().await;
    let (status, problem) = pintle.call("POST", "/admin/v1/secrets/rotate", &Value::Null).await;
    assert!(status == 409 && problem["detail"].as_str().unwrap().contains("PINTLE_SECRET_KEY_OLD"), "{problem:#}");
    assert_eq!(pintle.make("GET", "/admin/v1/transformations/t", &Value::Null).await["live"]["number"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_cut_short_is_brought_to_its_end() {
    let mut pintle = Pintle::start(Options::without_file()).await;
    source(&pintle).await;
    pintle.stop();
    pintle.restart_armed("secrets:after-rotate=1").await;
    let file = pintle.data_dir().join("secret.key");
    let old = std::fs::read_to_string(&file).unwrap();
    assert!(pintle.ask("POST", "/admin/v1/secrets/rotate", &[], b"").await.is_err(), "it answered");
    pintle.die().await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), old, "the crash came before the file was replaced");
    pintle.restart().await;
    assert_ne!(std::fs::read_to_string(&file).unwrap(), old);
    assert_eq!(pintle.make("GET", "/admin/v1/sources/site", &Value::Null).await["name"], "Site");
}
