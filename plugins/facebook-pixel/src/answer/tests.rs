use super::*;

fn verdict_on(status: u16, body: &str, headers: &[(&str, &str)]) -> Verdict {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    verdict(&Response { status, headers, body: body.as_bytes().to_vec() })
}

#[test]
fn without_an_error_the_status_counts() {
    assert_eq!(verdict_on(200, r#"{"events_received":1}"#, &[]), Verdict::Delivered);
    assert_eq!(verdict_on(502, "<html>", &[]), Verdict::Retry(None));
    assert!(matches!(verdict_on(404, "", &[]), Verdict::Reject(_)));
}

#[test]
fn limits_and_outages_pass() {
    for code in [1, 2, 4, 17, 32, 341, 368, 613, 21_009, 80_004] {
        let body = format!(r#"{{"error":{{"message":"m","code":{code}}}}}"#);
        assert_eq!(verdict_on(400, &body, &[]), Verdict::Retry(None), "{code}");
    }
    let transient = r#"{"error":{"message":"m","code":100,"is_transient":true}}"#;
    assert_eq!(verdict_on(400, transient, &[]), Verdict::Retry(None));
    let unheard_of = r#"{"error":{"message":"m","code":4711}}"#;
    assert_eq!(verdict_on(400, unheard_of, &[]), Verdict::Retry(None));
}

#[test]
fn a_limit_may_say_how_long_it_lasts() {
    let body = r#"{"error":{"message":"m","code":80004}}"#;
    let wait = |minutes: u32| {
        let usage = format!(r#"{{"77":[{{"estimated_time_to_regain_access":{minutes}}},{{"call_count":9}}]}}"#);
        verdict_on(400, body, &[("x-business-use-case-usage", &usage)])
    };
    assert_eq!(wait(3), Verdict::Retry(Some(180_000)));
    assert_eq!(wait(0), Verdict::Retry(None));
    assert_eq!(wait(100_000), Verdict::Retry(Some(3_600_000)));
}

#[test]
fn what_will_not_pass_is_a_dead_letter_that_says_why() {
    for (code, more) in [(3, ""), (10, ""), (190, ""), (200, ""), (275, ""), (100, r#","error_subcode":33"#)] {
        let body = format!(r#"{{"error":{{"message":"short","error_user_msg":"long","code":{code}{more}}}}}"#);
        let Verdict::Reject(reason) = verdict_on(500, &body, &[]) else { panic!("{code} was not rejected") };
        assert!(reason.contains(&format!("error {code}")) && reason.ends_with(": long"), "{reason}");
    }
    let unheard_of = r#"{"error":{"message":"m","code":4711,"is_transient":false}}"#;
    assert!(matches!(verdict_on(503, unheard_of, &[]), Verdict::Reject(_)));
}
