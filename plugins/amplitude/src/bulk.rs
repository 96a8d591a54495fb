//! Many events in one request to the HTTP V2 API.

use pintle_plugin_sdk::{Body, Combined, Method, Request};
use serde_json::{Map, Value};

/// Events in one request. Amplitude takes up to 2000; its smallest plan takes 1000 in a second.
const EVENTS_MAX: usize = 1000;
/// Bytes of one request: Amplitude asks for less than 1 MB.
const BYTES_MAX: usize = 1_000_000;

/// Where events go, and what stands around them in a request's body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    url: String,
    before: String,
    after: &'static str,
}

impl Upload {
    /// Requests to this address with this key.
    #[must_use]
    pub fn new(url: String, api_key: &str) -> Upload {
        Upload {
            url,
            before: format!(r#"{{"api_key":{},"events":["#, Value::from(api_key)),
            // Ids may be as short as they are; Amplitude would drop those of less than five characters.
            after: r#"],"options":{"min_id_length":1}}"#,
        }
    }

    /// The request that carries one event.
    #[must_use]
    pub fn request(&self, event: Map<String, Value>) -> Request {
        self.carrying(&Value::Object(event).to_string())
    }

    fn carrying(&self, events: &str) -> Request {
        let body = [self.before.as_str(), events, self.after].concat();
        Request { body: Body::Json(body.into_bytes()), ..Request::new(Method::Post, self.url.as_str()) }
    }

    /// The events of a request, when it is one of ours.
    fn events<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let Body::Json(body) = &request.body else { return None };
        let body = std::str::from_utf8(body).ok().filter(|_| request.url == self.url)?;
        body.strip_prefix(self.before.as_str())?.strip_suffix(self.after)
    }
}

/// Merges uploads into as few as the limits allow. Properties of groups and aliases are sent singly.
pub fn combine(upload: &Upload, requests: &[Request]) -> Vec<Combined> {
    let mut combined = Vec::new();
    let (mut events, mut members) = (String::new(), Vec::new());
    for (place, request) in (0u32..).zip(requests) {
        let Some(event) = upload.events(request) else { continue };
        let is_full = members.len() == EVENTS_MAX || events.len() + event.len() + upload.before.len() + 64 > BYTES_MAX;
        if is_full {
            close(upload, &mut events, &mut members, &mut combined);
        }
        if !members.is_empty() {
            events.push(',');
        }
        events.push_str(event);
        members.push(place);
    }
    close(upload, &mut events, &mut members, &mut combined);
    combined
}

/// Begins the next request; one event alone stays the request that it is.
fn close(upload: &Upload, events: &mut String, members: &mut Vec<u32>, combined: &mut Vec<Combined>) {
    if members.len() > 1 {
        combined.push(Combined { request: upload.carrying(events), members: std::mem::take(members) });
    }
    events.clear();
    members.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn uploads(upload: &Upload, count: usize, name: &str) -> Vec<Request> {
        let event = json!({"event_type": name});
        (0..count).map(|_| upload.request(event.as_object().unwrap().clone())).collect()
    }

    #[test]
    fn events_share_a_request_and_everything_else_stays_alone() {
        let upload = Upload::new("https://api2.amplitude.com/2/httpapi".to_owned(), "k\"ey");
        let mut requests = uploads(&upload, 2, "a");
        requests.insert(1, Request::new(Method::Post, "https://api2.amplitude.com/groupidentify"));
        let combined = combine(&upload, &requests);
        assert_eq!(combined.len(), 1);
        assert_eq!(combined[0].members, [0, 2]);
        let Body::Json(body) = &combined[0].request.body else { panic!("{combined:?}") };
        let expected = json!({"api_key": "k\"ey", "events": [{"event_type": "a"}, {"event_type": "a"}], "options": {"min_id_length": 1}});
        assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), expected);
        assert_eq!(combine(&upload, &requests[..1]), []);
    }

    #[test]
    fn a_request_holds_no_more_than_amplitude_takes() {
        let upload = Upload::new("https://api2.amplitude.com/2/httpapi".to_owned(), "key");
        let members = |requests: &[Request]| -> Vec<usize> {
            combine(&upload, requests).iter().map(|combined| combined.members.len()).collect()
        };
        assert_eq!(members(&uploads(&upload, 2001, "a")), [1000, 1000]);
        assert_eq!(members(&uploads(&upload, 5, &"x".repeat(300_000))), [3, 2]);
    }
}
