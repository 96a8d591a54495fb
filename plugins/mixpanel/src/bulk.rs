//! Endpoints of Mixpanel, which all take lists, and many events or changes in one request.

use crate::config::{Config, Naming};
use pintle_plugin_sdk::{Body, Combined, Method, Request};
use serde::Serialize;

/// Bytes of one request. Mixpanel once took 2 MB, and takes more now.
const BYTES_MAX: usize = 2_000_000;

/// Where requests go, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    url: String,
    query: (&'static str, &'static str),
    authorization: Option<String>,
    /// Entries in one request, as Mixpanel's documentation has it for each endpoint.
    entries_max: usize,
}

impl Endpoint {
    /// An endpoint of a host.
    #[must_use]
    pub fn new(
        host: &str,
        name: &str,
        query: (&'static str, &'static str),
        authorization: Option<String>,
        entries_max: usize,
    ) -> Endpoint {
        Endpoint { url: format!("{host}/{name}/"), query, authorization, entries_max }
    }

    /// The request that carries one event or change.
    ///
    /// # Panics
    /// Never: trees have texts for keys.
    #[must_use]
    pub fn request(&self, entry: &impl Serialize) -> Request {
        self.carrying(&serde_json::to_string(entry).expect("a tree can be written"))
    }

    fn carrying(&self, entries: &str) -> Request {
        let mut request = Request::new(Method::Post, self.url.as_str());
        request.query = vec![(self.query.0.to_owned(), self.query.1.to_owned())];
        if let Some(authorization) = &self.authorization {
            request.headers.push(("authorization".to_owned(), authorization.clone()));
        }
        request.body = Body::Json(["[", entries, "]"].concat().into_bytes());
        request
    }

    /// The entries of a request, when it is one to here.
    fn entries<'r>(&self, request: &'r Request) -> Option<&'r str> {
        let Body::Json(body) = &request.body else { return None };
        let body = std::str::from_utf8(body).ok().filter(|_| request.url == self.url)?;
        body.strip_prefix('[')?.strip_suffix(']')
    }
}

/// What an entry came of, as far as it can be told from the entry: calls of a kind share requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Track,
    View,
    Identity,
    Membership,
}

/// A bulk request as it fills.
struct Filling<'c> {
    endpoint: &'c Endpoint,
    kind: Kind,
    entries: String,
    members: Vec<u32>,
}

/// Merges requests to the same endpoint that came of calls of the same kind, in their order and into as few as the
/// limits allow. A request that stays alone is left as it is.
pub fn combine(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let mut filling: Vec<Filling<'_>> = Vec::new();
    let mut full: Vec<Filling<'_>> = Vec::new();
    for (place, request) in (0u32..).zip(requests) {
        let endpoints = [&config.import, &config.engage, &config.groups];
        let found = endpoints.into_iter().find_map(|endpoint| Some((endpoint, endpoint.entries(request)?)));
        let Some((endpoint, entry)) = found else { continue };
        let kind = kind(config, entry);
        let at = filling.iter().position(|known| known.endpoint == endpoint && known.kind == kind);
        let at = at.unwrap_or_else(|| {
            filling.push(Filling { endpoint, kind, entries: String::new(), members: Vec::new() });
            filling.len() - 1
        });
        let bulk = &mut filling[at];
        if bulk.members.len() == endpoint.entries_max || bulk.entries.len() + entry.len() + 3 > BYTES_MAX {
            let next = Filling { endpoint, kind, entries: String::new(), members: Vec::new() };
            full.push(std::mem::replace(bulk, next));
        }
        if !bulk.members.is_empty() {
            bulk.entries.push(',');
        }
        bulk.entries.push_str(entry);
        bulk.members.push(place);
    }
    let bulks = full.into_iter().chain(filling).filter(|bulk| bulk.members.len() > 1);
    let mut combined: Vec<Combined> =
        bulks.map(|bulk| Combined { request: bulk.endpoint.carrying(&bulk.entries), members: bulk.members }).collect();
    // As they would have begun one by one.
    combined.sort_by_key(|combined| combined.members.first().copied());
    combined
}

/// Members of an entry stand in the order of their names, so that its beginning and its end tell what it is.
fn kind(config: &Config, entry: &str) -> Kind {
    if let Some(name) = entry.strip_prefix(r#"{"event":""#) {
        let is_view = |naming: &Naming| matches!(naming, Naming::Same(same) if name.starts_with(same));
        return match () {
            () if name.starts_with(r#"$merge""#) || name.starts_with(r#"$create_alias""#) => Kind::Identity,
            () if is_view(&config.pages) || is_view(&config.screens) => Kind::View,
            () => Kind::Track,
        };
    }
    if entry.starts_with(r#"{"$add":"#) || entry.starts_with(r#"{"$append":{"$transactions":"#) {
        return Kind::Track;
    }
    // Of what sets properties, only a person's own has a time.
    let has_time = entry.rsplit_once(r#","$token":"#).and_then(|(before, _)| before.rsplit_once(r#","$time":"#));
    let has_time = has_time.is_some_and(|(_, time)| time.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if entry.contains(r#""$set":{"#) && !has_time { Kind::Membership } else { Kind::Identity }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping;
    use pintle_plugin_sdk::{Delivery, Outcome};
    use serde_json::{Value, json};

    fn config() -> Config {
        Config::read(&json!({"token": "t"})).unwrap()
    }

    fn sent(config: &Config, event: &Value) -> Vec<Request> {
        let Ok(Outcome::Deliver(deliveries)) = mapping::outcome(config, event.clone(), 0) else { panic!("{event}") };
        let request = |delivery| if let Delivery::Request(request) = delivery { request } else { panic!() };
        deliveries.into_iter().map(request).collect()
    }

    #[test]
    fn calls_of_a_kind_share_requests_by_endpoint() {
        let config = Config::read(&json!({
            "token": "t", "groupKeySettings": [{"groupKey": "guild"}], "setOnceProperties": [{"property": "first"}],
        }));
        let config = config.unwrap();
        let call = |kind: &str, n: u32| {
            json!({"type": kind, "event": "e", "name": "n", "userId": format!("u{n}"), "anonymousId": "a",
                "traits": {"guild": "g", "first": 1}, "properties": {"revenue": 5}, "timestamp": "2024-05-06T07:08:09Z"})
        };
        let calls = ["track", "identify", "page", "group", "alias", "identify", "screen", "track", "group"];
        let mut requests = Vec::new();
        let mut names = Vec::new();
        for (n, kind) in (0..).zip(calls) {
            for request in sent(&config, &call(kind, n)) {
                let endpoint = request.url.rsplit('/').nth(1).unwrap_or_default();
                names.push(format!("{kind} {endpoint}"));
                requests.push(request);
            }
        }
        let found: Vec<Vec<&str>> = combine(&config, &requests)
            .iter()
            .map(|combined| combined.members.iter().map(|member| names[*member as usize].as_str()).collect())
            .collect();
        let expected: [&[&str]; 7] = [
            &["track engage"; 2],
            &["track import"; 2],
            &["identify engage"; 4],
            &["identify import", "alias import", "identify import"],
            &["page import", "screen import"],
            &["group engage"; 2],
            &["group groups"; 2],
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_bulk_request_is_as_its_members_were() {
        let config = config();
        let requests: Vec<Request> = (1..3).map(|n| config.import.request(&json!({"event": n}))).collect();
        let combined = combine(&config, &requests);
        let Combined { request, members } = &combined[0];
        let Body::Json(body) = &request.body else { panic!("{request:?}") };
        assert_eq!(serde_json::from_slice::<Value>(body).unwrap(), json!([{"event": 1}, {"event": 2}]));
        assert_eq!((&request.headers, &request.query), (&requests[0].headers, &requests[0].query));
        assert_eq!(members, &[0, 1]);
        assert_eq!(combine(&config, &requests[..1]), []);
    }

    #[test]
    fn a_request_holds_no_more_than_mixpanel_takes() {
        let config = config();
        let members = |requests: Vec<Request>| -> Vec<usize> {
            combine(&config, &requests).iter().map(|combined| combined.members.len()).collect()
        };
        assert_eq!(members(vec![config.import.request(&json!({})); 2001]), [2000]);
        assert_eq!(members(vec![config.engage.request(&json!({})); 450]), [200, 200, 50]);
        let large = json!({"event": "x".repeat(900_000)});
        assert_eq!(members(vec![config.import.request(&large); 5]), [2, 2]);
    }
}
