use super::*;

fn manifest() -> Value {
    serde_json::from_str(crate::MANIFEST).unwrap()
}

#[test]
fn the_manifest_says_the_version_of_the_crate() {
    assert_eq!(manifest()["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn the_manifest_explains_every_key_and_marks_the_secrets() {
    let manifest = manifest();
    let properties = manifest["config"]["properties"].as_object().unwrap();
    for key in ["webhookUrl", "webhookMethod", "headers"] {
        assert!(properties.contains_key(key), "{key}");
    }
    for (key, schema) in properties {
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{key}");
    }
    assert_eq!(properties["headers"]["items"]["properties"]["to"]["writeOnly"], true);
}

#[test]
fn a_mistake_never_repeats_a_value() {
    let json = r#"{"webhookUrl":"hunter2","headers":[{"from":"x","to":"hunter2\u0000"}]}"#;
    let mistakes = Config::parse(json).unwrap_err();
    assert_eq!(mistakes.len(), 2);
    assert!(mistakes.iter().all(|mistake| !mistake.message.contains("hunter2")));
}

#[test]
fn what_is_not_json_is_a_mistake_of_the_whole() {
    assert_eq!(Config::parse("{").unwrap_err()[0].path, "");
}

#[test]
fn a_header_named_twice_is_sent_once_with_the_last_value() {
    let json = r#"{"webhookUrl":"https://example.com","headers":[{"from":"X-A","to":"1"},{"from":"x-a","to":"2"}]}"#;
    assert_eq!(Config::parse(json).unwrap().headers, [("x-a".to_owned(), "2".to_owned())]);
}
