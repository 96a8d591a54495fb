use super::*;
use pintle_plugin_sdk::Method;
use serde_json::json;

fn upload(count: usize) -> Request {
    let events: Vec<Value> = (0..count).map(|place| json!({"event_type": "e", "user_id": place})).collect();
    Request::post_json("https://api2.amplitude.com/2/httpapi", &json!({"api_key": "k", "events": events}))
}

fn concluded(count: usize, status: u16, answer: &Value) -> Vec<Verdict> {
    let response = Response { status, headers: Vec::new(), body: answer.to_string().into_bytes() };
    verdicts(&upload(count), &response)
}

fn told(verdicts: &[Verdict]) -> Vec<&str> {
    let each = verdicts.iter().map(|verdict| match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Retry(_) => "retry",
        Verdict::Reject(reason) => reason,
        Verdict::RenewAuth => "renew",
    });
    each.collect()
}

#[test]
fn what_was_taken_was_taken_as_a_whole() {
    assert_eq!(told(&concluded(3, 200, &json!({"code": 200, "events_ingested": 3}))), ["delivered"]);
    let form =
        Request { body: Body::Form(Vec::new()), ..Request::new(Method::Post, "https://api2.amplitude.com/usermap") };
    let response = Response { status: 200, headers: Vec::new(), body: b"success".to_vec() };
    assert_eq!(verdicts(&form, &response), [Verdict::Delivered]);
}

#[test]
fn only_the_events_that_a_refusal_names_are_given_up() {
    let answer = json!({
        "code": 400, "error": "Request invalid", "events_with_invalid_fields": {"time": [1]},
        "events_with_missing_fields": {"event_type": [2, 9]}, "silenced_events": [3],
    });
    let verdicts = concluded(5, 400, &answer);
    let told = told(&verdicts);
    assert_eq!((told[0], told[4]), ("retry", "retry"));
    assert!(told[1].contains("Request invalid: events with invalid fields time"), "{}", told[1]);
    assert!(told[2].contains("event_type") && told[3].contains("silenced"), "{told:?}");
}

#[test]
fn a_refusal_that_names_none_of_the_events_is_about_all() {
    let answer = json!({"code": 400, "error": "Request missing required field", "missing_field": "api_key"});
    for count in [1, 2] {
        let verdicts = concluded(count, 400, &answer);
        let reason = "Amplitude answered 400: Request missing required field (api_key)";
        assert_eq!(told(&verdicts), [reason]);
    }
    assert!(told(&concluded(1, 400, &json!({"error": "e", "silenced_events": [0]})))[0].contains("silenced"));
    assert_eq!(told(&concluded(2, 401, &Value::Null)), ["Amplitude answered 401"]);
}

#[test]
fn those_who_send_too_much_wait_and_the_others_do_not() {
    let answer =
        json!({"code": 429, "error": "Too many requests", "throttled_users": {"u": 40}, "throttled_events": [1]});
    assert_eq!(concluded(2, 429, &answer), [Verdict::Retry(None), Verdict::Retry(Some(THROTTLED_MS))]);
    assert_eq!(concluded(2, 429, &Value::Null), [Verdict::Retry(Some(THROTTLED_MS))]);
    let headers = vec![("retry-after".to_owned(), "120".to_owned())];
    let response = Response { status: 429, headers, body: Vec::new() };
    assert_eq!(verdicts(&upload(1), &response), [Verdict::Retry(Some(120_000))]);
}

#[test]
fn what_may_pass_comes_again_and_what_is_too_much_in_halves() {
    assert_eq!(concluded(2, 503, &Value::Null), [Verdict::Retry(None)]);
    assert_eq!(
        told(&concluded(2, 413, &json!({"error": "Payload too large"}))),
        ["Amplitude answered 413: Payload too large"]
    );
}
