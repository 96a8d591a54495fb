//! Runs `cases/*.json` against the mapping; `src/config/tests.rs` runs those that are about the
//! configuration. `event` and `body` are compared as the bytes that stand in the file.

use std::{collections::BTreeMap, fs, path::Path};

use super::*;

#[derive(Deserialize)]
struct Case {
    name: String,
    config: Box<RawValue>,
    event: Option<Box<RawValue>>,
    #[serde(default)]
    requests: Vec<Expected>,
    rejected: Option<String>,
    invalid: Option<Vec<(String, String)>>,
}

#[derive(Deserialize)]
struct Expected {
    method: String,
    url: String,
    #[serde(default)]
    query: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    body: Option<Box<RawValue>>,
}

#[test]
fn every_case_comes_out_as_its_file_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut run = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        let cases: Vec<Case> =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for case in cases {
            check(&case);
            run += 1;
        }
    }
    assert!(run > 20, "only {run} cases were found");
}

fn check(case: &Case) {
    let name = &case.name;
    let config = match (Config::parse(case.config.get()), &case.invalid) {
        (Ok(config), None) => config,
        (Err(found), Some(expected)) => {
            assert_eq!(found.len(), expected.len(), "{name}: {found:?}");
            for (found, (path, message)) in found.iter().zip(expected) {
                assert_eq!(&found.path, path, "{name}");
                assert!(found.message.contains(message), "{name}: {:?} does not say {message:?}", found.message);
            }
            return;
        }
        (found, expected) => panic!("{name}: the configuration gave {found:?}, expected mistakes: {expected:?}"),
    };
    let event = case.event.as_ref().expect("a case that is not about the configuration has an event");
    let batch = format!(r#"[{{"message":{},"metadata":{{"sourceId":"s"}}}}]"#, event.get());
    let outcomes = transform(&config, batch.as_bytes()).unwrap();
    assert_eq!(outcomes.len(), 1, "{name}");
    match (&outcomes[0], &case.rejected) {
        (Outcome::Deliver(request), None) => same(name, request, &case.requests[0]),
        (Outcome::Reject(reason), Some(expected)) => assert!(reason.contains(expected), "{name}: {reason}"),
        (found, _) => panic!("{name}: {found:?}"),
    }
}

fn same(name: &str, found: &Request, expected: &Expected) {
    assert_eq!(format!("{:?}", found.method).to_uppercase(), expected.method, "{name}");
    assert_eq!(found.url, expected.url, "{name}");
    assert_eq!(found.query, expected.query, "{name}");
    assert_eq!(found.headers.iter().cloned().collect::<BTreeMap<_, _>>(), expected.headers, "{name}");
    assert_eq!(found.headers.len(), expected.headers.len(), "{name}: a header is there twice");
    let body = found.body.as_deref().map(|body| str::from_utf8(body).unwrap());
    assert_eq!(body, expected.body.as_ref().map(|body| body.get()), "{name}");
}

fn config(method: &str) -> Config {
    Config::parse(&format!(r#"{{"webhookUrl":"https://example.com","webhookMethod":"{method}"}}"#)).unwrap()
}

#[test]
fn one_bad_event_does_not_touch_its_neighbours() {
    let batch = br#"[{"message":{"a":1}},{"metadata":{},"message":7},{"message":{"b":2}}]"#;
    let outcomes = transform(&config("POST"), batch).unwrap();
    assert!(matches!(outcomes[0], Outcome::Deliver(_)));
    assert!(matches!(outcomes[1], Outcome::Reject(_)));
    assert!(matches!(outcomes[2], Outcome::Deliver(_)));
}

#[test]
fn an_event_nested_without_end_is_passed_on_as_a_body_and_refused_as_a_query() {
    let deep = format!(r#"{{"properties":{{"a":{}{}}}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let event = RawValue::from_string(deep.clone()).unwrap();
    let Outcome::Deliver(request) = outcome(&config("POST"), &event) else { panic!("the body was refused") };
    assert_eq!(request.body.unwrap(), deep.as_bytes());
    let Outcome::Reject(reason) = outcome(&config("GET"), &event) else { panic!("the query was built") };
    assert!(reason.contains("nested deeper"), "{reason}");
}

#[test]
fn a_key_with_escapes_is_still_that_key() {
    let event = RawValue::from_string(r#"{"full\u0050ath":"https://other.example.com","a":1}"#.to_owned()).unwrap();
    let Outcome::Deliver(request) = outcome(&config("POST"), &event) else { panic!("refused") };
    assert_eq!(request.url, "https://other.example.com");
    assert_eq!(request.body.unwrap(), br#"{"a":1}"#);
}
