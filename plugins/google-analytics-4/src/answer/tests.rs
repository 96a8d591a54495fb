use super::*;

fn verdict_on(status: u16, body: &str) -> Verdict {
    verdict(&Response { status, headers: Vec::new(), body: body.as_bytes().to_vec() })
}

#[test]
fn what_the_validation_server_complains_of_is_a_dead_letter() {
    let body = r#"{"validationMessages":[{"fieldPath":"events[0].params","description":"Too long.","validationCode":"VALUE_INVALID"}]}"#;
    let Verdict::Reject(reason) = verdict_on(200, body) else { panic!("it was not rejected") };
    assert!(reason.contains("VALUE_INVALID: events[0].params: Too long."), "{reason}");
    let bare = r#"{"validationMessages":[{"validationCode":"INTERNAL_ERROR"}]}"#;
    assert!(matches!(verdict_on(200, bare), Verdict::Reject(_)));
}

#[test]
fn anything_else_is_judged_by_its_status() {
    for body in ["", "not json", r#"{"validationMessages":[]}"#, "{}"] {
        assert_eq!(verdict_on(204, body), Verdict::Delivered, "{body}");
    }
    assert_eq!(verdict_on(503, ""), Verdict::Retry(None));
    assert!(matches!(verdict_on(413, ""), Verdict::Reject(_)));
}
