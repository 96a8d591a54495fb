//! Events of pages that can do nothing but load a picture.

use crate::query;
use http_body_util::Full;
use hyper::Response;
use hyper::body::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use pintle_events::Kind;
use pintle_events::frame::timestamp;
use pintle_events::times::now_ms;
use serde_json::{Map, Value, json};

/// A transparent picture of one dot: GIF89a, one colour that is transparent.
const PICTURE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";
/// What a page without a name is called.
const UNKNOWN_PAGE: &str = "Unknown Page";

/// The event that a query describes: every parameter is a text in it, and dots in its name lead inwards. The
/// write key is none of it.
pub(crate) fn event(query: &str, kind: Kind) -> String {
    let now = timestamp(now_ms());
    let mut event = json!({
        "channel": "web",
        "integrations": {"All": true},
        "originalTimestamp": now,
        "sentAt": now,
    });
    let members = event.as_object_mut().expect("it was just made");
    for (name, value) in query::pairs(query).filter(|(name, _)| name != "writeKey" && !name.is_empty()) {
        let value = if name == "anonymousId" { value.replace(['"', '\''], "") } else { value.into_owned() };
        put(members, &name, value);
    }
    members.insert("type".to_owned(), kind.as_str().into());
    if kind == Kind::Page && members.get("name").and_then(Value::as_str).is_none_or(str::is_empty) {
        members.insert("name".to_owned(), UNKNOWN_PAGE.into());
    }
    event.to_string()
}

/// Of two that contradict each other (`a=1&a.b=2`), the later one counts.
fn put(members: &mut Map<String, Value>, path: &str, value: String) {
    let mut members = members;
    let (way, name) = path.rsplit_once('.').map_or(("", path), |(way, name)| (way, name));
    for step in way.split('.').filter(|_| !way.is_empty()) {
        let inner = members.entry(step).or_insert_with(|| json!({}));
        if !inner.is_object() {
            *inner = json!({});
        }
        members = inner.as_object_mut().expect("it was just made sure of");
    }
    members.insert(name.to_owned(), value.into());
}

/// The picture, whatever became of the event: a page must not show that something broke.
pub(crate) fn picture() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from_static(PICTURE)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("image/gif"));
    // A picture out of a cache would be an event that nobody hears of.
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str, kind: Kind) -> Value {
        serde_json::from_str(&event(query, kind)).unwrap()
    }

    #[test]
    fn parameters_become_texts_and_dots_lead_inwards() {
        let query = "writeKey=k&anonymousId=%22a%22&event=Bought+it&properties.total=5&context.page.url=http%3A%2F%2Fx";
        let event = read(query, Kind::Track);
        assert_eq!(event["properties"]["total"], "5");
        assert_eq!(event["context"]["page"]["url"], "http://x");
        assert_eq!((&event["anonymousId"], &event["event"]), (&json!("a"), &json!("Bought it")));
        assert_eq!((&event["channel"], &event["type"]), (&json!("web"), &json!("track")));
        assert_eq!(event["integrations"]["All"], true);
        assert!(event.get("writeKey").is_none() && event["sentAt"].is_string());
    }

    #[test]
    fn what_contradicts_itself_is_still_an_event() {
        assert_eq!(read("a=1&a.b=2&a.c=3", Kind::Track)["a"], json!({"b": "2", "c": "3"}));
        assert_eq!(read("a.b=2&a=1", Kind::Track)["a"], "1");
        assert_eq!(read("..=1&.a=2", Kind::Track)[""][""][""], "1");
    }

    #[test]
    fn a_page_has_a_name() {
        assert_eq!(read("name=", Kind::Page)["name"], UNKNOWN_PAGE);
        assert_eq!(read("name=Home", Kind::Page)["name"], "Home");
        assert!(read("", Kind::Track).get("name").is_none());
    }
}
