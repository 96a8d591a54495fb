//! Configurations of which some texts are filled in by each event.
//!
//! A text of the form `{{ event.path.to.field || default }}`, anywhere in a configuration, stands for the event's
//! value at that path, or for the default when there is none. The value is taken out of the event, so that it is
//! not sent as a part of it. This is RudderStack's dynamic destination configuration, which imported workspaces
//! carry; a configuration without such texts costs nothing more than before.

use crate::json::without_path;
use crate::{Event, Mistakes, Reject};
use serde_json::Value;
use serde_json::value::RawValue;
use std::cell::RefCell;
use std::rc::Rc;

/// Configurations within configurations; deeper texts are taken as they stand.
const DEPTH_MAX: usize = 32;

/// Stands at rest for what has no default.
const ANY: &str = "-";

/// A configuration that was read once, or is read again for each event.
#[derive(Debug)]
pub enum Dynamic<C> {
    /// Nothing in it comes from events.
    Fixed(C),
    /// Some texts come from events.
    PerEvent(PerEvent<C>),
}

/// What is needed to read a configuration for an event.
#[derive(Debug)]
pub struct PerEvent<C> {
    config: Value,
    places: Vec<Place>,
    read: fn(&Value) -> Result<C, Mistakes>,
    defaults: Option<C>,
    /// What the last event filled in, and its configuration: the next one's is often the same.
    last: RefCell<Option<(Vec<Value>, Rc<C>)>>,
}

/// A text that an event fills in.
#[derive(Debug)]
struct Place {
    /// Where it stands, as a JSON Pointer.
    pointer: String,
    /// Where the event has the value; no path names something of the event otherwise.
    path: Option<String>,
    default: String,
}

impl<C> Dynamic<C> {
    /// Reads a configuration, of which texts that events fill in have their defaults. What is wrong with those
    /// alone is not wrong yet: events may do better.
    ///
    /// # Errors
    /// What is wrong with the rest.
    pub fn read(config: &Value, read: fn(&Value) -> Result<C, Mistakes>) -> Result<Dynamic<C>, Mistakes> {
        let mut places = Vec::new();
        find(config, String::new(), DEPTH_MAX, &mut places);
        if places.is_empty() {
            return read(config).map(Dynamic::Fixed);
        }
        let with = |instead: &dyn Fn(&Place) -> String| {
            let mut config = config.clone();
            for place in &places {
                fill(&mut config, &place.pointer, Value::String(instead(place)));
            }
            read(&config)
        };
        let of_places = |path: &str| {
            let is_in = |place: &Place| {
                place.pointer.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            !path.is_empty() && places.iter().any(is_in)
        };
        let defaults = match with(&|place| place.default.clone()) {
            Ok(defaults) => Some(defaults),
            // Often there is no default for what is required, and any text will do.
            Err(Mistakes(mistakes)) if mistakes.iter().all(|mistake| of_places(&mistake.path)) => {
                let is_empty = |place: &Place| place.default.is_empty();
                with(&|place| if is_empty(place) { ANY.to_owned() } else { place.default.clone() }).ok()
            }
            Err(Mistakes(mistakes)) => {
                return Err(Mistakes(mistakes.into_iter().filter(|mistake| !of_places(&mistake.path)).collect()));
            }
        };
        Ok(Dynamic::PerEvent(PerEvent { config: config.clone(), places, read, defaults, last: RefCell::default() }))
    }

    /// The configuration without an event: texts that events fill in have their defaults, or any text where there is
    /// none. Nothing when those make no configuration.
    #[must_use]
    pub fn at_rest(&self) -> Option<&C> {
        match self {
            Dynamic::Fixed(config) => Some(config),
            Dynamic::PerEvent(of_events) => of_events.defaults.as_ref(),
        }
    }

    /// Handles an event with the configuration as it is for that event, and with what is left of the event.
    ///
    /// # Errors
    /// What `handle` says, or what is wrong with the configuration that the event makes.
    pub fn with<T>(
        &self,
        event: &Event<'_>,
        handle: impl FnOnce(&C, &Event<'_>) -> Result<T, Reject>,
    ) -> Result<T, Reject> {
        match self {
            Dynamic::Fixed(config) => handle(config, event),
            Dynamic::PerEvent(of_events) => {
                let (config, rest) = of_events.resolve(event)?;
                match rest {
                    None => handle(&config, event),
                    Some(rest) => handle(&config, &Event::new(&rest, event.raw_metadata())),
                }
            }
        }
    }
}

impl<C> PerEvent<C> {
    fn resolve(&self, event: &Event<'_>) -> Result<(Rc<C>, Option<Box<RawValue>>), Reject> {
        let mut values = Vec::with_capacity(self.places.len());
        let mut rest: Option<Box<RawValue>> = None;
        for place in &self.places {
            let path = place.path.as_deref();
            // In the event as it came: two texts may want the same value.
            let value = path.and_then(|path| event.fields().value(&[path]));
            if let Some(path) = path.filter(|_| value.is_some()) {
                let steps: Vec<&str> = path.split('.').collect();
                let left = without_path(rest.as_deref().unwrap_or(event.raw()), &steps);
                let left = left.and_then(|left| RawValue::from_string(String::from_utf8(left).ok()?).ok());
                rest = left.or(rest);
            }
            values.push(value.unwrap_or_else(|| Value::String(place.default.clone())));
        }
        let mut last = self.last.borrow_mut();
        if let Some((_, known)) = last.as_ref().filter(|(known, _)| *known == values) {
            return Ok((Rc::clone(known), rest));
        }
        let mut config = self.config.clone();
        for (place, value) in self.places.iter().zip(&values) {
            fill(&mut config, &place.pointer, value.clone());
        }
        let read = (self.read)(&config).map_err(|Mistakes(mistakes)| {
            let each: Vec<String> =
                mistakes.into_iter().map(|mistake| format!("{} {}", mistake.path, mistake.message)).collect();
            Reject(format!("the configuration with this event's values is wrong: {}", each.join("; ")))
        })?;
        let read = Rc::new(read);
        *last = Some((values, Rc::clone(&read)));
        Ok((read, rest))
    }
}

fn fill(config: &mut Value, pointer: &str, value: Value) {
    if let Some(place) = config.pointer_mut(pointer) {
        *place = value;
    }
}

fn find(value: &Value, pointer: String, depth: usize, places: &mut Vec<Place>) {
    match value {
        Value::String(text) => {
            if let Some((path, default)) = parse(text) {
                places.push(Place { pointer, path, default });
            }
        }
        Value::Array(items) if depth > 0 => {
            for (place, item) in items.iter().enumerate() {
                find(item, format!("{pointer}/{place}"), depth - 1, places);
            }
        }
        Value::Object(members) if depth > 0 => {
            for (name, value) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                find(value, format!("{pointer}/{name}"), depth - 1, places);
            }
        }
        _ => {}
    }
}

/// `{{ event.a.b || "default" }}`: the path within the event, and the default without its quotes.
fn parse(text: &str) -> Option<(Option<String>, String)> {
    let inside = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let (path, default) = inside.split_once("||")?;
    let path = path.trim();
    let is_name = |step: &str| !step.is_empty() && step.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_');
    if !path.split('.').all(is_name) || path.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let of_event = ["event.", "message."].iter().find_map(|root| path.strip_prefix(root));
    Some((of_event.map(str::to_owned), default.replace('"', "").trim().to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::json;

    fn read(config: &Value) -> Result<(String, Vec<String>), Mistakes> {
        let mut settings = Settings::of(config);
        let read = (settings.required("url", "where to"), settings.list("tags", "tag"));
        settings.end(read)
    }

    fn handled(dynamic: &Dynamic<(String, Vec<String>)>, event: &str) -> Result<(String, Vec<String>, String), Reject> {
        let event: &RawValue = serde_json::from_str(event).unwrap();
        dynamic.with(&Event::new(event, None), |(url, tags), event| {
            Ok((url.clone(), tags.clone(), event.raw().get().to_owned()))
        })
    }

    #[test]
    fn values_come_from_the_event_and_leave_it() {
        let config =
            json!({"url": "{{ event.properties.to || \"http://a\" }}", "tags": ["x", {"tag": "{{message.t||none}}"}]});
        let dynamic = Dynamic::read(&config, read).unwrap();
        assert_eq!(dynamic.at_rest().unwrap().0, "http://a");
        let event = r#"{"t":"blue","properties":{"to":"http://b","n":1.0}}"#;
        let (url, tags, rest) = handled(&dynamic, event).unwrap();
        assert_eq!((url.as_str(), tags.join(",").as_str()), ("http://b", "x,blue"));
        assert_eq!(rest, r#"{"properties":{"n":1.0}}"#);
        let event = r#"{"properties":{"to":null}}"#;
        let (url, tags, rest) = handled(&dynamic, event).unwrap();
        assert_eq!((url.as_str(), tags.join(",").as_str(), rest.as_str()), ("http://a", "x,none", event));
    }

    #[test]
    fn what_only_looks_like_it_stays_as_it_is() {
        for text in ["{{name}} did {{event}}", "{{ a b || c }}", "x{{ event.a || b }}", "{{ 1.a || b }}", "{{||}}"] {
            let config = json!({"url": text});
            assert!(matches!(Dynamic::read(&config, read).unwrap(), Dynamic::Fixed((url, _)) if url == text), "{text}");
        }
        let elsewhere = Dynamic::read(&json!({"url": "{{ env.URL || http://c }}"}), read).unwrap();
        assert_eq!(handled(&elsewhere, r#"{"env":{"URL":"x"}}"#).unwrap().0, "http://c");
    }

    #[test]
    fn a_default_may_be_wrong_and_the_rest_may_not() {
        let config = json!({"url": "{{ event.to || }}", "tags": []});
        let dynamic = Dynamic::read(&config, read).unwrap();
        assert_eq!(dynamic.at_rest().unwrap().0, "-");
        assert_eq!(handled(&dynamic, r#"{"to":"http://b"}"#).unwrap().0, "http://b");
        let Reject(reason) = handled(&dynamic, "{}").unwrap_err();
        assert!(reason.contains("/url is required"), "{reason}");
        let Mistakes(mistakes) = Dynamic::read(&json!({"url": "{{ event.to || }}", "tags": 7}), read).unwrap_err();
        assert_eq!(mistakes.iter().map(|mistake| mistake.path.as_str()).collect::<Vec<_>>(), ["/tags"]);
    }
}
