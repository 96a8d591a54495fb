//! A destination with its configuration, of which events may fill in some texts.
//!
//! What the host and the cases call instead of the destination itself, so that every destination takes dynamic
//! configurations and none has to know: for an event that fills something in, a destination is configured of its own.

use crate::dynamic::Dynamic;
use crate::reverse_etl;
use crate::{Combined, Context, Destination, Event, Mistakes, Outcome, Reject, Request, Response, Verdict};
use serde_json::Value;

/// The header that says with whose key a request goes.
const AUTHORIZATION: &str = "authorization";

/// A configured destination.
#[derive(Debug)]
pub struct Configured<D>(Dynamic<D>);

impl<D: Destination> Configured<D> {
    /// Takes a configuration, or says everything that is wrong with it at once. What is wrong with defaults alone is
    /// not wrong yet: events may do better.
    ///
    /// # Errors
    /// What is wrong, and where.
    pub fn new(config: &Value) -> Result<Configured<D>, Mistakes> {
        Dynamic::read(config, D::configure).map(Configured)
    }

    /// [`Destination::transform`] with the configuration as it is for the event. What comes from a warehouse has its
    /// row's time by then.
    ///
    /// # Errors
    /// Why the event can never be delivered.
    pub fn transform(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        match reverse_etl::timed(event) {
            None => self.resolved(event, context),
            Some(timed) => self.resolved(&Event::new(&timed, event.raw_metadata()), context),
        }
    }

    fn resolved(&self, event: &Event<'_>, context: &Context) -> Result<Outcome, Reject> {
        self.0.with(event, |destination, event| destination.transform(event, context))
    }

    /// [`Destination::combine`]. Requests of events that filled in another host or another key never share one.
    #[must_use]
    pub fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        match &self.0 {
            Dynamic::Fixed(destination) => destination.combine(requests),
            Dynamic::PerEvent(_) => {
                self.0.at_rest().map(|at_rest| combine_apart(at_rest, requests)).unwrap_or_default()
            }
        }
    }

    /// [`Destination::conclude`]. Without a configuration at rest the status decides.
    #[must_use]
    pub fn conclude(&self, request: &Request, response: &Response) -> Vec<Verdict> {
        match self.0.at_rest() {
            Some(destination) => destination.conclude(request, response),
            None => vec![Verdict::standard(response.status)],
        }
    }

    /// [`Destination::authenticate`].
    #[must_use]
    pub fn authenticate(&self) -> Option<Request> {
        self.0.at_rest()?.authenticate()
    }
}

/// Combines what goes to the same host with the same key, and sends it there: the destination at rest knows only its
/// own.
fn combine_apart<D: Destination>(at_rest: &D, requests: Vec<Request>) -> Vec<Combined> {
    let mut parts: Vec<(Vec<u32>, Vec<Request>)> = Vec::new();
    for (place, request) in (0u32..).zip(requests) {
        match parts.iter_mut().find(|(_, known)| known.first().is_some_and(|first| is_same_way(first, &request))) {
            Some((places, part)) => {
                places.push(place);
                part.push(request);
            }
            None => parts.push((vec![place], vec![request])),
        }
    }
    let mut combined = Vec::new();
    for (places, part) in parts {
        let first = part[0].clone();
        for Combined { mut request, members } in at_rest.combine(part) {
            redirect(&mut request, &first);
            let members = members.into_iter().filter_map(|place| places.get(place as usize).copied()).collect();
            combined.push(Combined { request, members });
        }
    }
    combined
}

fn is_same_way(one: &Request, other: &Request) -> bool {
    origin(&one.url).0 == origin(&other.url).0 && authorization(one) == authorization(other)
}

fn redirect(request: &mut Request, first: &Request) {
    let (there, path) = (origin(&first.url).0, origin(&request.url).1);
    request.url = format!("{there}{path}");
    if let Some(key) = authorization(first) {
        for (name, value) in &mut request.headers {
            if name.eq_ignore_ascii_case(AUTHORIZATION) {
                key.clone_into(value);
            }
        }
    }
}

fn authorization(request: &Request) -> Option<&str> {
    let found = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(AUTHORIZATION));
    found.map(|(_, value)| value.as_str())
}

/// The scheme and host of a URL, and what is behind them.
fn origin(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |place| place + 3);
    let end = url[host..].find(['/', '?', '#']).map_or(url.len(), |place| host + place);
    url.split_at(end)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::{Body, Delivery, Method};
    use serde_json::json;
    use serde_json::value::RawValue;

    struct Desk {
        host: String,
        key: String,
    }

    impl Destination for Desk {
        const MANIFEST: &'static str = "{}";

        fn configure(config: &Value) -> Result<Desk, Mistakes> {
            let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
            let mut mistakes = Mistakes::default();
            if config["key"] == "" {
                mistakes.add("/key", "is required");
            }
            mistakes.or(Desk { host: text("host"), key: text("key") })
        }

        fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
            let request = Request::new(Method::Post, format!("https://{}/one", self.host));
            let body = Body::Json(event.raw().get().as_bytes().to_vec());
            Ok(Request { body, ..request }.header("Authorization", self.key.as_str()).into())
        }

        fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
            let request = Request::new(Method::Post, format!("https://{}/many?n={}", self.host, requests.len()));
            let members = (0u32..).take(requests.len()).collect();
            vec![Combined { request: request.header("authorization", self.key.as_str()), members }]
        }

        fn conclude(&self, _request: &Request, _response: &Response) -> Vec<Verdict> {
            vec![Verdict::Delivered]
        }
    }

    fn request(desk: &Configured<Desk>, event: &str) -> Request {
        let event: &RawValue = serde_json::from_str(event).unwrap();
        match desk.transform(&Event::new(event, None), &Context::default()).unwrap() {
            Outcome::Deliver(mut deliveries) => match deliveries.remove(0) {
                Delivery::Request(request) => request,
                Delivery::Record(record) => panic!("{record:?}"),
            },
            Outcome::Filter(reason) => panic!("{reason}"),
        }
    }

    #[test]
    fn requests_for_another_host_or_key_share_none() {
        let config = json!({"host": "{{ event.to || a.example }}", "key": "{{ event.key || k }}"});
        let desk: Configured<Desk> = Configured::new(&config).unwrap();
        let events = [r#"{"n":1}"#, r#"{"to":"b.example"}"#, r#"{"n":2}"#, r#"{"key":"l"}"#];
        let requests: Vec<Request> = events.iter().map(|event| request(&desk, event)).collect();
        assert_eq!(requests[1].body, Body::Json(b"{}".to_vec()));
        let told = |combined: &Combined| {
            (
                combined.request.url.clone(),
                authorization(&combined.request).unwrap().to_owned(),
                combined.members.clone(),
            )
        };
        let expected = [
            ("https://a.example/many?n=2".to_owned(), "k".to_owned(), vec![0, 2]),
            ("https://b.example/many?n=1".to_owned(), "k".to_owned(), vec![1]),
            ("https://a.example/many?n=1".to_owned(), "l".to_owned(), vec![3]),
        ];
        assert_eq!(desk.combine(requests).iter().map(told).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_configuration_without_a_default_still_judges_answers() {
        let desk: Configured<Desk> = Configured::new(&json!({"host": "h", "key": "{{ event.key || }}"})).unwrap();
        let response = Response { status: 500, headers: Vec::new(), body: Vec::new() };
        assert_eq!(desk.conclude(&Request::new(Method::Get, "https://h/"), &response), [Verdict::Delivered]);
        let event: &RawValue = serde_json::from_str("{}").unwrap();
        let Reject(reason) = desk.transform(&Event::new(event, None), &Context::default()).unwrap_err();
        assert!(reason.contains("/key is required"), "{reason}");
    }

    #[test]
    fn a_url_is_its_origin_and_the_rest() {
        for (url, there, path) in [
            ("https://a.example/x?y", "https://a.example", "/x?y"),
            ("https://a.example", "https://a.example", ""),
            ("https://a.example?q=/", "https://a.example", "?q=/"),
            ("/x", "", "/x"),
        ] {
            assert_eq!(origin(url), (there, path));
        }
    }
}
