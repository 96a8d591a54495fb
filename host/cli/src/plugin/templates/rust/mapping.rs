//! What becomes of an event on its way to the destination.

use pintle_plugin_sdk::serde_json::{Value, json};
use pintle_plugin_sdk::{Context, Destination, Event, Mistakes, Outcome, Reject, Request, http};

/// The destination with its configuration.
pub struct NewDestination {
    url: String,
    token: Option<String>,
}

impl Destination for NewDestination {
    const MANIFEST: &'static str = include_str!("manifest.json");

    /// The host has checked the configuration against the manifest's schema. What a schema cannot say is
    /// checked here.
    fn configure(config: &Value) -> Result<Self, Mistakes> {
        let mut mistakes = Mistakes::default();
        let url = config["url"].as_str().unwrap_or_default().to_owned();
        if let Err(wrong) = http::check_url(&url) {
            mistakes.add("/url", wrong);
        }
        let token = config["token"].as_str().map(str::to_owned);
        mistakes.or(NewDestination { url, token })
    }

    /// Describes the requests for one event. Nothing is sent here: the host sends, retries and keeps order.
    fn transform(&self, event: &Event<'_>, _context: &Context) -> Result<Outcome, Reject> {
        let who = event.text(&["userId", "context.traits.id", "anonymousId"]).ok_or("the event names nobody")?;
        let document = match event.kind().as_str() {
            "track" => json!({
                "kind": "event",
                "who": who,
                "name": event.text(&["event"]).ok_or("the event has no name")?,
                "properties": event.fields().value(&["properties"]),
            }),
            "identify" => json!({
                "kind": "person",
                "who": who,
                "email": event.text(&["traits.email", "context.traits.email"]),
            }),
            other => return Ok(Outcome::filter(format!("events of type {other} have no counterpart there"))),
        };
        let mut request = Request::post_json(&self.url, &document);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Ok(request.into())
    }
}

pintle_plugin_sdk::destination!(NewDestination);

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_plugin_sdk::cases;

    #[test]
    fn every_case_comes_out_as_its_file_says() {
        let run = cases::assert_all::<NewDestination>(concat!(env!("CARGO_MANIFEST_DIR"), "/cases").as_ref());
        assert!(run > 0);
    }
}
