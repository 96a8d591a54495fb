use super::*;
use serde_json::json;

fn answered(request: &Value, status: u16, body: &str) -> Vec<Verdict> {
    let request = Request::post_json("https://rest.iad-01.braze.com/users/track", request);
    conclude(&request, &Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

#[test]
fn what_may_pass_is_tried_again() {
    for status in [408, 429, 500, 503] {
        assert_eq!(answered(&json!({}), status, "<html>"), [Verdict::Retry(None)], "{status}");
    }
}

#[test]
fn a_fatal_error_is_told_in_brazes_words() {
    let body = r#"{"message": "Invalid API Key"}"#;
    let reason = "the destination answered 401: Invalid API Key".to_owned();
    assert_eq!(answered(&json!({}), 401, body), [Verdict::Reject(reason)]);
    let body =
        r#"{"message": "no data", "errors": [{"type": "'time' is not valid", "input_array": "events", "index": 0}]}"#;
    let reason = "the destination answered 400: no data: 'time' is not valid".to_owned();
    assert_eq!(answered(&json!({}), 400, body), [Verdict::Reject(reason)]);
    assert_eq!(answered(&json!({}), 404, ""), [Verdict::Reject("the destination answered 404".to_owned())]);
    // Some addresses answer 201 to what they refuse.
    assert_eq!(
        answered(&json!({}), 201, r#"{"message": "no such alias"}"#),
        [Verdict::Reject("no such alias".to_owned())]
    );
}

#[test]
fn success_is_delivered_whatever_was_minor() {
    for body in ["", r#"{"message": "success"}"#, r#"{"message": "queued"}"#] {
        assert_eq!(answered(&json!({"events": [{}]}), 201, body), [Verdict::Delivered], "{body}");
    }
    let minor = r#"{"message": "success", "errors": ["an alias is unknown"]}"#;
    assert_eq!(answered(&json!({"aliases_to_identify": [{}]}), 201, minor), [Verdict::Delivered]);
}

#[test]
fn a_single_event_is_refused_when_all_of_it_was() {
    let body =
        json!({"message": "success", "errors": [{"type": "'name' is required", "input_array": "events", "index": 0}]})
            .to_string();
    let refused = Verdict::Reject("'name' is required".to_owned());
    assert_eq!(answered(&json!({"events": [{"name": ""}]}), 201, &body), [refused]);
    let partly = json!({"events": [{"name": ""}], "attributes": [{"plan": "solo"}]});
    assert_eq!(answered(&partly, 201, &body), [Verdict::Delivered]);
}
