//! What Klaviyo's answers mean.

use crate::combine::{job, people};
use pintle_plugin_sdk::tree::Look as _;
use pintle_plugin_sdk::{Request, Response, Verdict};
use serde_json::Value;

/// One verdict for all that a request carries, or one for each person of a job when some are refused.
///
/// Klaviyo answers in the form of JSON:API: each error says in words what is wrong, and by a pointer where. One
/// that points to a person of a job is that person's alone; the others are asked for again, without them. A job
/// that is refused as a whole has one verdict, so that it is sent again in parts, and all but the guilty get
/// through; unless it is the key that is refused, which no part mends.
#[must_use]
pub fn conclude(request: &Request, response: &Response) -> Vec<Verdict> {
    match response.status {
        200..=299 => return vec![Verdict::Delivered],
        408 | 429 | 500..=599 => return vec![Verdict::Retry(retry_after_ms(response))],
        _ => {}
    }
    let status = response.status;
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let errors = document.list("errors");
    let people = job(request).map_or(1, |document| people(&document).len().max(1));
    let of = |person: usize| errors.iter().find(|error| place(error) == Some(person));
    let whole = Verdict::Reject(reason(status, errors.first()));
    if people == 1 {
        return vec![whole];
    }
    if (0..people).any(|person| of(person).is_some()) {
        let verdict = |error| Verdict::Reject(reason(status, Some(error)));
        return (0..people).map(|person| of(person).map_or(Verdict::Retry(None), verdict)).collect();
    }
    if matches!(status, 401 | 403) { vec![whole; people] } else { vec![whole] }
}

/// How long Klaviyo asks to wait: seconds, in the header that goes with 429.
fn retry_after_ms(response: &Response) -> Option<u64> {
    let (_, seconds) = response.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("retry-after"))?;
    seconds.trim().parse::<u64>().ok()?.checked_mul(1000)
}

/// Which person of a job an error points to.
fn place(error: &Value) -> Option<usize> {
    let pointer = error.at("source.pointer")?.as_str()?;
    let behind = ["/data/attributes/profiles/data/", "/data/attributes/subscriptions/"]
        .iter()
        .find_map(|people| pointer.strip_prefix(people))?;
    behind.split('/').next()?.parse().ok()
}

fn reason(status: u16, error: Option<&Value>) -> String {
    let words = error.and_then(|error| error.text(&["detail", "title", "code"]));
    let whose = error.and_then(|error| error.text(&["meta.duplicate_profile_id"]));
    match (status, words, whose) {
        (409, Some(words), Some(id)) => format!("Klaviyo answered 409: {words} (profile {id})"),
        (_, Some(words), _) => format!("Klaviyo answered {status}: {words}"),
        (_, None, _) => format!("Klaviyo answered {status}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::subscription::CREATE;
    use serde_json::json;

    fn asked(people: usize) -> Request {
        let people: Vec<Value> = (0..people)
            .map(|n| json!({"type": "profile", "attributes": {"email": format!("p{n}@example.org")}}))
            .collect();
        Request::post_json(CREATE, &json!({"data": {"attributes": {"profiles": {"data": people}}}}))
    }

    fn answered(status: u16, headers: &[(&str, &str)], body: &Value) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Response { status, headers, body: body.to_string().into_bytes() }
    }

    #[test]
    fn what_is_taken_is_delivered() {
        assert_eq!(conclude(&asked(3), &answered(202, &[], &json!(null))), [Verdict::Delivered]);
        let event = Request::post_json("https://a.klaviyo.com/api/events", &json!({"data": {}}));
        assert_eq!(conclude(&event, &answered(202, &[], &json!({}))), [Verdict::Delivered]);
    }

    #[test]
    fn a_full_window_is_waited_for_as_long_as_klaviyo_says() {
        let throttled = answered(429, &[("retry-after", "17")], &json!({"errors": []}));
        assert_eq!(conclude(&asked(2), &throttled), [Verdict::Retry(Some(17_000))]);
        assert_eq!(conclude(&asked(1), &answered(503, &[], &json!("down"))), [Verdict::Retry(None)]);
    }

    #[test]
    fn one_person_who_is_refused_does_not_keep_the_others_out() {
        let error = json!({"detail": "Not a valid address.", "source": {"pointer": "/data/attributes/profiles/data/1/attributes/email"}});
        let verdicts = conclude(&asked(3), &answered(400, &[], &json!({"errors": [error]})));
        let refused = Verdict::Reject("Klaviyo answered 400: Not a valid address.".to_owned());
        assert_eq!(verdicts, [Verdict::Retry(None), refused.clone(), Verdict::Retry(None)]);
        let alone =
            json!({"detail": "Not a valid address.", "source": {"pointer": "/data/attributes/profiles/data/0"}});
        assert_eq!(conclude(&asked(1), &answered(400, &[], &json!({"errors": [alone]}))), [refused]);
    }

    #[test]
    fn what_concerns_everybody_is_refused_as_a_whole() {
        let error = json!({"detail": "Incorrect authentication credentials.", "source": {"pointer": "/data/"}});
        let verdicts = conclude(&asked(2), &answered(401, &[], &json!({"errors": [error]})));
        let reason = "Klaviyo answered 401: Incorrect authentication credentials.".to_owned();
        assert_eq!(verdicts, vec![Verdict::Reject(reason); 2]);
        let list = json!({"detail": "No such list.", "source": {"pointer": "/data/relationships/list"}});
        let verdicts = conclude(&asked(2), &answered(404, &[], &json!({"errors": [list]})));
        assert_eq!(verdicts, [Verdict::Reject("Klaviyo answered 404: No such list.".to_owned())]);
        assert_eq!(
            conclude(&asked(1), &answered(404, &[], &json!(7))),
            [Verdict::Reject("Klaviyo answered 404".to_owned())]
        );
    }

    #[test]
    fn a_profile_that_is_another_one_already_is_named() {
        let error =
            json!({"code": "duplicate_profile", "detail": "It exists.", "meta": {"duplicate_profile_id": "01ABC"}});
        let import = Request::post_json("https://a.klaviyo.com/api/profile-import", &json!({"data": {}}));
        let verdicts = conclude(&import, &answered(409, &[], &json!({"errors": [error]})));
        assert_eq!(verdicts, [Verdict::Reject("Klaviyo answered 409: It exists. (profile 01ABC)".to_owned())]);
    }
}
