//! What was recorded of a batch, and what was found.

use pintle_runtime::transformation::{Entry, Handler, Reply};
use serde_json::Value;

/// What was recorded.
pub enum Expected {
    /// All of it is refused; a case of our own says at which line and column, and shows the line.
    Refused(Option<(u32, u32, String)>),
    /// Events that go on, in order; how many errors; and the log, where it was kept.
    Events { outputs: Value, errors: usize, logs: Option<Vec<String>> },
}

impl Expected {
    /// From the case's `result` or `error`.
    pub fn read(case: &Value) -> Expected {
        if let Some(error) = case.get("error") {
            let number = |key: &str| u32::try_from(error[key].as_u64()?).ok();
            let place = || Some((number("line")?, number("column")?, error["excerpt"].as_str()?.to_owned()));
            return Expected::Refused(place());
        }
        let result = &case["result"];
        let (items, logs) = match result {
            Value::Array(items) => (items.clone(), None),
            _ => (result["transformedEvents"].as_array().cloned().unwrap_or_default(), Some(&result["logs"])),
        };
        let mut outputs = Vec::new();
        let mut errors = 0;
        for item in items {
            match Item::of(&item, logs.is_some()) {
                Item::Event(event) => outputs.push(event),
                Item::Error => errors += 1,
                Item::Dropped => {}
            }
        }
        let said = |line: &Value| line.as_str().map(|line| line.trim_start_matches("Log: ").to_owned());
        let logs = logs.and_then(Value::as_array).map(|lines| lines.iter().filter_map(said).collect());
        Expected::Events { outputs: Value::Array(outputs), errors, logs }
    }
}

enum Item {
    Event(Value),
    Error,
    Dropped,
}

impl Item {
    /// A result comes in three shapes; in test mode an event stands for itself.
    fn of(item: &Value, test_mode: bool) -> Item {
        let fields = item.as_object();
        let has = |key: &str| fields.is_some_and(|fields| fields.contains_key(key));
        if has("transformedEvent") {
            Item::Event(item["transformedEvent"].clone())
        } else if has("statusCode") {
            match item["statusCode"].as_u64() {
                Some(200) => Item::Event(item["output"].clone()),
                Some(298) => Item::Dropped,
                _ => Item::Error,
            }
        } else if has("error") {
            Item::Error
        } else if test_mode {
            Item::Event(item.clone())
        } else {
            Item::Dropped
        }
    }
}

/// What was found.
#[derive(Default)]
pub struct Found {
    /// Events that go on, in order.
    pub outputs: Value,
    /// What was said of those that do not.
    pub errors: Vec<String>,
    /// The log's lines.
    pub logs: Vec<String>,
    /// The function that ran, if it came to that.
    pub handler: Option<Handler>,
    /// Where the script is at fault: line, column, the line itself.
    pub place: Option<(u32, u32, String)>,
    /// What the network was asked that had not been recorded.
    pub protests: Vec<String>,
}

impl Found {
    /// A batch of which nothing goes on.
    pub fn refused(message: String, place: Option<(u32, u32, String)>) -> Found {
        Found { outputs: Value::Array(Vec::new()), errors: vec![message], place, ..Found::default() }
    }

    /// What a reply says.
    pub fn of(reply: &Reply, events: usize) -> Found {
        let mut found = Found::default();
        let mut outputs = Vec::with_capacity(events);
        for entry in &reply.entries {
            match entry {
                Entry::Output { event, .. } => outputs.push(serde_json::from_str(event.get()).unwrap_or(Value::Null)),
                Entry::Error { message, stack, .. } => {
                    found
                        .errors
                        .push(stack.as_ref().map_or_else(|| message.clone(), |stack| format!("{message}\n{stack}")));
                }
                Entry::Dropped { .. } => {}
            }
        }
        found.outputs = Value::Array(outputs);
        found.logs = reply.logs.iter().map(|line| line.message.clone()).collect();
        found
    }
}
