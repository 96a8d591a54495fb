use super::*;

const SHORT: &str = r#"{"name":"x","version":"1.0.0","messageTypes":["track"]}"#;

fn with(members: &str) -> Result<Manifest, String> {
    let text = format!(r#"{{"name":"x","version":"1.0.0","messageTypes":["track"],{members}}}"#);
    Manifest::parse(&text).map_err(|error| error.to_string())
}

fn schema(schema: &str) -> Manifest {
    with(&format!(r#""config":{schema}"#)).unwrap()
}

fn told(manifest: &Manifest, config: Value) -> Vec<String> {
    let told = |error: ConfigError| format!("{}: {}", error.path, error.message);
    manifest.check_config(&config).into_iter().map(told).collect()
}

#[test]
fn a_short_manifest_gets_the_defaults() {
    let manifest = Manifest::parse(SHORT).unwrap();
    assert_eq!((manifest.conclude, manifest.auth, manifest.combine), (Conclude::Standard, Auth::None, false));
    assert!(manifest.hosts.check("a.example", 443).is_err(), "it may reach nothing");
    assert!(told(&manifest, json!({"anything": 1})).is_empty());
}

#[test]
fn a_plugin_says_what_carries_its_deliveries() {
    assert_eq!(Manifest::parse(SHORT).unwrap().wire, Wire::Http);
    assert_eq!(with(r#""wire":"objects""#).unwrap().wire, Wire::Objects);
    let error = with(r#""wire":"pigeon""#).unwrap_err();
    assert!(error.contains("pigeon") && error.contains("objects"), "{error}");
    let error = with(r#""wire":"objects","combine":true,"batch":{"events":1,"bytes":1}"#).unwrap_err();
    assert!(error.contains("`combine` merges requests"), "{error}");
}

#[test]
fn what_is_wrong_with_a_manifest_is_named() {
    for (text, part) in [
        (r#"{"version":"1.0.0","messageTypes":["track"]}"#, "missing field `name`"),
        (r#"{"name":"","version":"1.0.0","messageTypes":["track"]}"#, "`name` is empty"),
        (r#"{"name":"A B","version":"1.0.0","messageTypes":["track"]}"#, "lower case letters"),
        (r#"{"name":"my-engine","version":"1.0.0","messageTypes":["track"]}"#, "-engine"),
        (r#"{"name":"x","version":"1","messageTypes":["track"]}"#, "`1.2.0`"),
        (r#"{"name":"x","version":"1.0.0","messageTypes":[]}"#, "never be called"),
        (r#"{"name":"x","version":"1.0.0","messageTypes":["buy"]}"#, "`buy`"),
        ("{", "EOF"),
    ] {
        let error = Manifest::parse(text).unwrap_err().to_string();
        assert!(error.contains(part), "{part}: {error}");
    }
    for (members, part) in [
        (r#""hosts":["https://a.example"]"#, "is not a host"),
        (r#""auth":"oauth""#, "unknown variant `oauth`"),
        (r#""rate":{"requestsPerSecond":0}"#, "more than 0"),
        (r#""rate":{"perSecond":1}"#, "unknown field `perSecond`"),
        (r#""combine":true"#, "needs `batch`"),
        (r#""batch":{"events":0,"bytes":1}"#, "nonzero"),
        (r#""config":{"type":"objekt"}"#, "`config/type` is no JSON Schema"),
        (r#""config":{"$ref":"https://elsewhere.example/schema.json"}"#, "is no JSON Schema"),
    ] {
        let error = with(members).unwrap_err();
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(Manifest::parse(&" ".repeat(MANIFEST_BYTES_MAX + 1)).unwrap_err().to_string().contains("262144"));
}

#[test]
fn events_of_a_key_share_a_combined_request_where_nothing_can_come_between_them() {
    let batch = |more: &str| with(&format!(r#""combine":true,"batch":{{"events":10,"bytes":1000{more}}}"#)).unwrap();
    assert!(batch("").combines_in_order(), "one status for all");
    assert!(!batch(r#","ordered":false"#).combines_in_order());
    assert!(!batch(r#"},"conclude":"custom","hosts":["*"],"rate":{"concurrency":1"#).combines_in_order());
    assert!(batch(r#","ordered":true},"conclude":"custom","rate":{"concurrency":1"#).combines_in_order());
}

#[test]
fn a_request_by_itself_is_combined_where_the_manifest_says_so() {
    let manifest = |combine: &str, more: &str| {
        with(&format!(r#""combine":{combine},"batch":{{"events":10,"bytes":1000{more}}}"#)).unwrap()
    };
    assert!(manifest("true", r#","alone":true"#).combines_alone());
    assert!(!manifest("true", "").combines_alone());
    assert!(!manifest("false", r#","alone":true"#).combines_alone(), "nothing is combined at all");
}

#[test]
fn every_mistake_of_a_configuration_has_its_place() {
    let manifest = schema(
        r#"{"type":"object","required":["url","a/b"],"additionalProperties":false,"properties":{
            "url":{"type":"string","pattern":"^https://"},"mode":{"enum":["live","test"]},"a/b":{"type":["integer","null"]},
            "token":{"type":"string","minLength":8,"writeOnly":true},"rows":{"type":"array","items":{"type":"object","required":["id"]}}}}"#,
    );
    assert!(told(&manifest, json!({"url": "https://a", "a/b": null, "mode": "live"})).is_empty());
    let mut found = told(&manifest, json!({"url": 5, "mode": "dev", "token": "hunter2", "rows": [{}, 3], "extra": 1}));
    found.sort();
    assert_eq!(
        found,
        [
            "/a~1b: is required",
            "/extra: is not a setting of this plugin",
            "/mode: must be one of live, test",
            "/rows/0/id: is required",
            "/rows/1: must be a map",
            "/token: must have at least 8 characters",
            "/url: must be a string",
        ]
    );
    assert_eq!(told(&manifest, json!([])), [": the configuration must be a JSON object"]);
}

#[test]
fn a_message_never_holds_a_value() {
    let manifest = schema(
        r#"{"properties":{"a":{"not":{"type":"string"}},"b":{"anyOf":[{"type":"number"},{"const":"x"}]},
            "c":{"pattern":"^x"},"d":{"oneOf":[{"type":"number"}]},"e":{"const":"y"},"f":{"multipleOf":7}}}"#,
    );
    let secret = "hunter2";
    let config = json!({"a": secret, "b": secret, "c": secret, "d": secret, "e": secret, "f": 1234567.5});
    let found = told(&manifest, config);
    assert_eq!(found.len(), 6, "{found:?}");
    assert!(!found.iter().any(|line| line.contains(secret) || line.contains("1234567")), "{found:?}");
}

#[test]
fn a_reference_may_become_anything() {
    let manifest = schema(r#"{"properties":{"url":{"type":"string","pattern":"^https://"}}}"#);
    assert!(told(&manifest, json!({"url": "${env:URL}"})).is_empty());
    assert_eq!(told(&manifest, json!({"url": "http://x"})), ["/url: must match the pattern ^https://"]);
}
