use super::*;
use serde_json::json;

fn concluded(endpoint: &str, count: usize, status: u16, answer: &Value) -> Vec<Verdict> {
    let entries: Vec<Value> = (0..count).map(|place| json!({"event": place})).collect();
    let request = Request::post_json(format!("https://api.mixpanel.com/{endpoint}/"), &entries.into());
    verdicts(&request, &Response { status, headers: Vec::new(), body: answer.to_string().into_bytes() })
}

fn reject(reason: &str) -> Verdict {
    Verdict::Reject(reason.to_owned())
}

#[test]
fn the_good_events_of_a_list_arrived_and_the_bad_ones_never_will() {
    let answer = json!({
        "code": 400, "error": "some data points in the request failed validation", "num_records_imported": 2,
        "failed_records": [{"index": 1, "insert_id": "x", "field": "properties.time", "message": "is too old"}],
    });
    let expected =
        [Verdict::Delivered, reject("Mixpanel did not take it: properties.time: is too old"), Verdict::Delivered];
    assert_eq!(concluded("import", 3, 400, &answer), expected);
    let answer = json!({"error": "invalid JSON", "failed_records": []});
    assert_eq!(concluded("import", 2, 400, &answer), [reject("Mixpanel answered 400: invalid JSON")]);
    assert_eq!(
        concluded("import", 1, 401, &json!({"error": "unauthorized"})),
        [reject("Mixpanel answered 401: unauthorized")]
    );
}

#[test]
fn what_was_taken_was_taken_as_a_whole() {
    let taken = [
        ("import", json!({"code": 200, "num_records_imported": 2})),
        ("engage", json!({"status": 1, "error": null})),
        ("groups", json!(1)),
    ];
    for (endpoint, answer) in taken {
        assert_eq!(concluded(endpoint, 2, 200, &answer), [Verdict::Delivered], "{endpoint}");
    }
}

#[test]
fn a_profile_may_be_refused_though_the_status_is_a_good_one() {
    let refused = reject("Mixpanel did not take it: $distinct_id is missing");
    let answer = json!({"status": 0, "error": "$distinct_id is missing"});
    assert_eq!(concluded("engage", 2, 200, &answer), [refused]);
    assert_eq!(concluded("groups", 1, 200, &json!(0)), [reject("Mixpanel did not take it: it gave no reason")]);
}

#[test]
fn what_may_pass_comes_again_and_what_is_too_much_in_halves() {
    for status in [429, 500, 503] {
        assert_eq!(concluded("import", 2, status, &Value::Null), [Verdict::Retry(None)]);
    }
    assert_eq!(concluded("import", 2, 413, &Value::Null), [reject("Mixpanel answered 413")]);
}
