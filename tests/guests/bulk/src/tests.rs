use super::*;

fn request(url: &str, event: &str) -> Request {
    let body = [BEGIN, event.as_bytes(), END].concat();
    Request { body: Body::Json(body), ..Request::new(Method::Post, url) }
}

#[test]
fn requests_to_one_url_become_one() {
    let bulk = Bulk { url: String::new(), token: String::new() };
    let alone = request("http://a", "9").header("x-alone", "yes");
    let combined =
        bulk.combine(vec![request("http://a", "1"), alone, request("http://b", "2"), request("http://a", "3")]);
    let members: Vec<_> = combined.iter().map(|combined| combined.members.clone()).collect();
    assert_eq!(members, [vec![0, 3], vec![2]]);
    assert_eq!(combined[0].request.body, Body::Json(br#"{"events":[1,3]}"#.to_vec()));
}

#[test]
fn an_answer_has_one_verdict_or_one_for_each() {
    let answer = |status, body: &str| Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() };
    assert_eq!(answer::verdicts(&answer(500, "")), [Verdict::Retry(None)]);
    let each = r#"{"results":[{"status":200},{"status":500,"afterMs":7},{"status":400},{"status":401}]}"#;
    let reason = "the event was refused with 400".to_owned();
    assert_eq!(
        answer::verdicts(&answer(207, each)),
        [Verdict::Delivered, Verdict::Retry(Some(7)), Verdict::Reject(reason), Verdict::RenewAuth]
    );
}
