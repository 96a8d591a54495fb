//! Many events in one request: PostHog's `batch` list.
//!
//! PostHog counts bytes, not events: 20 MB a request by default. The host's own limits are far below that and
//! decide how many requests come in here; whatever comes fits into one.

use crate::config::Config;
use pintle_plugin_sdk::{Body, Combined, Request};

/// One request with all events that [`crate::mapping::request`] prepared. The key is named once, and each event
/// keeps its bytes.
#[must_use]
pub fn combine(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let mut body = config.head.clone();
    body.extend_from_slice(br#","batch":["#);
    let mut members = Vec::with_capacity(requests.len());
    let mut first = None;
    for (place, request) in (0..).zip(requests) {
        let Some(event) = event(config, request) else { continue };
        if first.is_none() {
            first = Some(request);
        } else {
            body.push(b',');
        }
        body.push(b'{');
        body.extend_from_slice(event);
        members.push(place);
    }
    body.extend_from_slice(b"]}");
    let Some(first) = first else { return Vec::new() };
    let request =
        Request { body: Body::Json(body), headers: first.headers.clone(), ..Request::new(first.method, &first.url) };
    vec![Combined { request, members }]
}

/// A prepared event without its key and its opening brace.
fn event<'a>(config: &Config, request: &'a Request) -> Option<&'a [u8]> {
    let Body::Json(body) = &request.body else { return None };
    body.strip_prefix(config.head.as_slice())?.strip_prefix(b",")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use crate::PostHog;
    use pintle_plugin_sdk::{Body, Context, Delivery, Destination as _, Event, Outcome, Request};
    use serde_json::{Value, json};

    fn prepared(posthog: &PostHog, event: &Value) -> Request {
        let batch = json!([{"message": event}]).to_string();
        let events = Event::batch(batch.as_bytes()).unwrap();
        let outcome = posthog.transform(&events[0], &Context::default()).unwrap();
        match outcome {
            Outcome::Deliver(mut deliveries) => match deliveries.remove(0) {
                Delivery::Request(request) => request,
                Delivery::Record(record) => panic!("{record:?}"),
            },
            Outcome::Filter(reason) => panic!("{reason}"),
        }
    }

    #[test]
    fn events_share_a_request_that_names_the_key_once() {
        let posthog = PostHog::configure(&json!({"teamApiKey": "phc_\"q", "yourInstance": "hog.example.com"})).unwrap();
        let requests = vec![
            prepared(&posthog, &json!({"type": "track", "event": "Lamp Lit", "userId": "ines"})),
            prepared(&posthog, &json!({"type": "page", "anonymousId": "a-7"})),
        ];
        let combined = posthog.combine(requests);
        assert_eq!(combined.len(), 1);
        assert_eq!(combined[0].members, [0, 1]);
        assert_eq!(combined[0].request.url, "https://hog.example.com/batch");
        let Body::Json(body) = &combined[0].request.body else { panic!() };
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["api_key"], "phc_\"q");
        assert_eq!(body["batch"][0]["event"], "Lamp Lit");
        assert_eq!(body["batch"][1]["event"], "$pageview");
        assert_eq!(body["batch"][1].get("api_key"), None);
    }

    #[test]
    fn one_event_is_a_batch_of_one_and_nothing_is_none() {
        let posthog = PostHog::configure(&json!({"teamApiKey": "k"})).unwrap();
        let alone = vec![prepared(&posthog, &json!({"type": "track", "event": "Bell Rung", "userId": 4}))];
        let combined = posthog.combine(alone);
        let Body::Json(body) = &combined[0].request.body else { panic!() };
        let body: Value = serde_json::from_slice(body).unwrap();
        assert_eq!(body["batch"][0]["distinct_id"], "4");
        assert!(posthog.combine(Vec::new()).is_empty());
    }
}
