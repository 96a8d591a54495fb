//! A destination that combines requests: for the tests.
//!
//! An event is a `POST {"events":[…]}` to the configured URL with the member `to` of the event behind it, and bulk
//! requests have more of them in that list, one request for each URL. An answer may say `{"results":[{"status":
//! 200},{"status":500,"afterMs":10},…]}`, one for each; otherwise its status counts for all.
//!
//! What an event asks for with its member `please`:
//!
//! | value | |
//! |---|---|
//! | `two` | two requests, which cannot be combined |
//! | `alone` | the plugin leaves it out when it combines |
//! | `crash` | the plugin crashes when it is to combine it |
//! | `swell` | a bulk request with it becomes ten times as large |
//! | `wrap` | its request is an entry of the list alone, which only `combine` makes a whole request of |

mod answer;

use pintle_plugin_sdk::serde_json::Value;
use pintle_plugin_sdk::{
    Body, Combined, Context, Delivery, Destination, Event, Method, Mistakes, Outcome, Reject, Request, Response,
    Verdict,
};
use std::collections::BTreeMap;

/// The destination with its configuration.
#[derive(Debug)]
pub struct Bulk {
    url: String,
    token: String,
}

const BEGIN: &[u8] = br#"{"events":["#;
const END: &[u8] = b"]}";

impl Destination for Bulk {
    const MANIFEST: &'static str = include_str!("../manifest.json");

    fn configure(config: &Value) -> Result<Bulk, Mistakes> {
        let text = |name: &str| config[name].as_str().unwrap_or_default().to_owned();
        Ok(Bulk { url: text("url"), token: text("token") })
    }

    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        let url = format!("{}{}", self.url, event.text(&["to"]).unwrap_or_default());
        let body = [BEGIN, event.raw().get().as_bytes(), END].concat();
        let request =
            Request { body: Body::Json(body), ..Request::new(Method::Post, url) }.header("x-token", self.token.clone());
        Ok(match event.text(&["please"]).as_deref() {
            Some("wrap") => {
                Request { body: Body::Json(event.raw().get().as_bytes().to_vec()), ..request.header("x-wrap", "yes") }
                    .into()
            }
            Some("two") => Outcome::Deliver(vec![Delivery::Request(request.clone()), Delivery::Request(request)]),
            Some("alone") => request.header("x-alone", "yes").into(),
            _ => request.into(),
        })
    }

    fn combine(&self, requests: Vec<Request>) -> Vec<Combined> {
        let mut by_url: BTreeMap<String, Combined> = BTreeMap::new();
        for (place, mut request) in (0..).zip(requests) {
            if request.headers.last().is_some_and(|(name, _)| name == "x-wrap") {
                request.headers.pop();
                let body = [BEGIN, bytes(&request.body), END].concat();
                request.body = Body::Json(body);
            }
            if request.headers.iter().any(|(name, _)| name == "x-alone") {
                continue;
            }
            let event = events(&request.body);
            assert!(!asks(event, "crash"), "on purpose");
            let swell = asks(event, "swell").then(|| vec![b' '; 9 * event.len()]);
            match by_url.get_mut(&request.url) {
                Some(Combined { request: bulk, members }) => {
                    if let Body::Json(body) = &mut bulk.body {
                        body.truncate(body.len() - END.len());
                        body.push(b',');
                        body.extend_from_slice(event);
                        body.extend_from_slice(&swell.unwrap_or_default());
                        body.extend_from_slice(END);
                    }
                    members.push(place);
                }
                None => {
                    let url = request.url.clone();
                    by_url.insert(url, Combined { request, members: vec![place] });
                }
            }
        }
        by_url.into_values().collect()
    }

    fn conclude(&self, _request: &Request, response: &Response) -> Vec<Verdict> {
        answer::verdicts(response)
    }
}

/// The events of a body, without the brackets around them.
fn events(body: &Body) -> &[u8] {
    bytes(body).strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END)).unwrap_or_default()
}

fn bytes(body: &Body) -> &[u8] {
    if let Body::Json(body) = body { body } else { &[] }
}

fn asks(event: &[u8], what: &str) -> bool {
    let wanted = format!(r#""please":"{what}""#);
    event.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}

pintle_plugin_sdk::destination!(Bulk);

#[cfg(test)]
mod tests;
