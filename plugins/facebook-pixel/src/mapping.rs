//! What becomes of an event.

use crate::config::Config;
use crate::custom_data::{self, Options};
use crate::standard_events::{self, Content};
use crate::{app_data, server_event, user_data};
use pintle_plugin_sdk::entries::Entries;
use pintle_plugin_sdk::node::Node;
use pintle_plugin_sdk::{Body, Method, Request};

/// The name of page and screen calls, whatever page it was: Meta has one standard event for them.
const PAGE_VIEW: &str = "PageView";

/// The request that carries an event.
///
/// # Errors
/// Why there is none.
pub fn request(config: &Config, event: &Node<'_>, now_ms: u64) -> Result<Request, String> {
    let kind = event.text(&["type"]).ok_or("the event has no type")?.to_ascii_lowercase();
    let (name, content) = match kind.as_str() {
        "identify" if config.sends_identify => ("identify".to_owned(), None),
        "identify" => return Err("identify calls are sent with advanced matching (advancedMapping) only".to_owned()),
        "page" | "screen" => (PAGE_VIEW.to_owned(), Some(Content::Custom)),
        "track" => {
            let standard = standard_events::of(config, name(event)?);
            (standard.name, Some(standard.content))
        }
        _ => return Err(format!("the pixel takes no {kind} events")),
    };
    let own = options(event);
    let source = server_event::source(event, own)?;
    let time_ms = server_event::time(event, source, now_ms)?;
    let hashed = own.and_then(|own| own.get("hashed")) == Some(&Node::Bool(true));

    let mut user = user_data::of(config, event, time_ms, hashed);
    let mut server = Entries::new();
    server.set("event_name", Node::from(name));
    server.set("event_time", Node::from(time_ms.div_euclid(1000)));
    server.set("action_source", Node::from(source));
    server_event::describe(config, event, &mut server);
    if source == "app" {
        server.set("app_data", app_data::of(event, &mut user));
    }
    server.set("user_data", user.node());
    if let Some(content) = content {
        let options = Options { hashed, content_type: own.and_then(|own| own.text(&["contentType"])) };
        let properties = event.get("properties").unwrap_or(&Node::Null);
        server.set("custom_data", custom_data::of(config, content, properties, options)?);
    }
    Ok(sent(config, &server.node().json()))
}

fn sent(config: &Config, server_event: &str) -> Request {
    let mut form = vec![("data".to_owned(), format!("[{server_event}]"))];
    form.extend(config.test_event_code.iter().map(|code| ("test_event_code".to_owned(), code.clone())));
    Request {
        query: vec![("access_token".to_owned(), config.access_token.clone())],
        body: Body::Form(form),
        ..Request::new(Method::Post, config.url.clone())
    }
}

fn name<'n>(event: &'n Node<'_>) -> Result<&'n str, String> {
    match event.at("event").ok_or("the event has no name")? {
        Node::Text(name) if name.trim().is_empty() => Err("the event has no name".to_owned()),
        Node::Text(name) => Ok(name),
        _ => Err("the event's name is no text".to_owned()),
    }
}

/// The options that an event carries for this destination; it is called `Facebook Pixel` there, or `FB Pixel`,
/// with or without a blank or an underscore.
fn options<'n, 'a>(event: &'n Node<'a>) -> Option<&'n Node<'a>> {
    let ours = |name: &str| {
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        ["facebookpixel", "fbpixel"].iter().any(|ours| name.eq_ignore_ascii_case(ours))
    };
    let all = event.get("integrations")?.members().iter();
    all.filter(|(name, options)| matches!(options, Node::Object(_)) && ours(name)).map(|(_, options)| options).next()
}

#[cfg(test)]
mod tests;
