//! One case, read.

use super::outcome::Expected;
use crate::cases::Group;
use pintle_runtime::egress::Networks;
use pintle_runtime::transformation::Source;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What a case is about.
pub enum Subject {
    /// A script and a batch.
    Batch(Code),
    /// A script that is only loaded.
    Load(Code),
    /// Whether a text is an address.
    Address(Value),
}

/// A script and what it is given.
pub struct Code {
    pub name: String,
    pub version: String,
    pub text: String,
    pub libraries: BTreeMap<String, String>,
    pub credentials: BTreeMap<String, String>,
    pub network: bool,
}

/// One case.
pub struct Case {
    pub subject: Subject,
    /// The batch as a guest takes it, and its number of events.
    pub batch: Vec<u8>,
    pub events: usize,
    pub expected: Expected,
    /// Recorded requests and answers, in order.
    pub fetches: Vec<Value>,
    /// Networks that are not public and that were allowed.
    pub allowed: Networks,
    /// The recorder's words for failed requests.
    pub words: Vec<String>,
    /// It asks a service for places, of which nothing is recorded.
    pub asks_places: bool,
}

impl Code {
    /// A script that is given nothing.
    pub fn plain(text: &str) -> Code {
        Code {
            name: "transformation".to_owned(),
            version: "1".to_owned(),
            text: text.to_owned(),
            libraries: BTreeMap::new(),
            credentials: BTreeMap::new(),
            network: false,
        }
    }

    /// As the runtime takes it.
    pub fn source(&self) -> Source {
        Source {
            id: "conformance".to_owned(),
            version: self.version.clone(),
            name: self.name.clone(),
            code: self.text.clone(),
            libraries: self.libraries.clone(),
            credentials: self.credentials.clone(),
            hosts: if self.network { vec!["*".to_owned()] } else { Vec::new() },
        }
    }
}

impl Case {
    /// A case about one event and nothing else.
    pub fn of_one(message: &Value) -> Case {
        let (batch, events) = encode(&json!([{ "message": message }]));
        Case {
            subject: Subject::Address(Value::Null),
            batch,
            events,
            expected: Expected::Refused(None),
            fetches: Vec::new(),
            allowed: Networks::default(),
            words: Vec::new(),
            asks_places: false,
        }
    }

    /// Reads a case; an error says why it cannot be run.
    pub fn read(group: &Group, index: usize) -> Result<Case, String> {
        let case = &group.cases[index];
        let (subject, events) = match case["fn"].as_str().unwrap_or_default() {
            "validateIp" => {
                // What was recorded of a valid one is that nothing happened.
                let expected = match case.get("error") {
                    Some(_) => Expected::Refused(None),
                    None => Expected::Events { outputs: json!([]), errors: 0, logs: None },
                };
                let subject = Subject::Address(case["input"].clone());
                return Ok(Case { subject, expected, ..Case::of_one(&json!({})) });
            }
            "userTransformHandler" => {
                let transformation = transformation(group, index)?;
                let libraries = libraries(group, index, &transformation["code"]);
                (Subject::Batch(code(&transformation, libraries, &case["events"], has_fetches(case))?), &case["events"])
            }
            "transformRoutine" => {
                let (transformation, libraries) = dependencies(&case["deps"]);
                let events = &case["args"][0];
                (Subject::Batch(code(&transformation, libraries, events, has_fetches(case))?), events)
            }
            "setupUserTransformHandler" => {
                let code = code(&case["args"][1], BTreeMap::new(), &Value::Null, false)?;
                (Subject::Load(code), &Value::Null)
            }
            other => return Err(format!("`{other}` is an inner function of the recorded system")),
        };
        let (batch, count) = encode(events);
        let fetches = case["fetches"].as_array().cloned().unwrap_or_default();
        let words = fetches.iter().filter_map(|fetch| Some(fetch["error"].as_str()?.to_owned())).collect();
        let ranges = case["env"]["ALLOW_IP_RANGES"].as_str().unwrap_or_default();
        let allowed = ranges.split(',').filter_map(|range| range.trim().parse().ok()).collect();
        let asks_places = match &subject {
            Subject::Batch(code) => code.text.contains("geolocation(") && case["env"]["GEOLOCATION_URL"].is_string(),
            _ => false,
        };
        let expected = Expected::read(case);
        let allowed = Networks::new(allowed);
        Ok(Case { subject, batch, events: count, expected, fetches, allowed, words, asks_places })
    }
}

fn has_fetches(case: &Value) -> bool {
    case["fetches"].as_array().is_some_and(|fetches| !fetches.is_empty())
}

fn encode(events: &Value) -> (Vec<u8>, usize) {
    let none = Vec::new();
    let events = events.as_array().unwrap_or(&none);
    let known = |event: &Value| match &event["metadata"] {
        Value::Object(_) => event["metadata"].clone(),
        _ => json!({}),
    };
    let batch: Vec<Value> =
        events.iter().map(|event| json!({"message": event["message"], "metadata": known(event)})).collect();
    (Value::Array(batch).to_string().into_bytes(), events.len())
}

/// The case's transformation. Where the recorder found it in its cache, it is that of the nearest case before
/// with the same version that asked the network for the same.
fn transformation(group: &Group, index: usize) -> Result<Value, String> {
    let case = &group.cases[index];
    if case["transformation"].is_object() {
        return Ok(case["transformation"].clone());
    }
    let same = |other: &&Value| {
        let asked = |case: &Value| {
            let fetches = case["fetches"].as_array().cloned().unwrap_or_default();
            fetches.iter().map(|fetch| (fetch["url"].clone(), fetch["error"].clone())).collect::<Vec<_>>()
        };
        other["versionId"] == case["versionId"] && other["transformation"].is_object() && asked(other) == asked(case)
    };
    let earlier = group.cases[..index].iter().rev().find(same);
    earlier.map(|case| case["transformation"].clone()).ok_or_else(|| "its source is in no case of the file".to_owned())
}

/// The case's libraries. One that the recorder found in its cache is named by its version alone: it is the
/// file's library with the name that the source imports.
fn libraries(group: &Group, index: usize, code: &Value) -> BTreeMap<String, String> {
    let case = &group.cases[index];
    let of = |case: &Value| {
        let own = case["libraries"].as_array().into_iter().flatten();
        let bundled = case["rudderLibraries"].as_array().into_iter().flatten();
        own.chain(bundled).filter_map(library).collect::<Vec<_>>()
    };
    let mut found: BTreeMap<String, String> = of(case).into_iter().collect();
    let named = case["libraryVersionIds"].as_array().map_or(0, Vec::len);
    let given = case["libraries"].as_array().map_or(0, Vec::len);
    if named > given {
        let text = code.as_str().unwrap_or_default();
        for (name, code) in group.cases.iter().flat_map(of) {
            let imported = text.contains(&format!("'{name}'")) || text.contains(&format!("\"{name}\""));
            if imported {
                found.entry(name).or_insert(code);
            }
        }
    }
    found
}

/// What a recorded run fetched from its configuration.
fn dependencies(deps: &Value) -> (Value, BTreeMap<String, String>) {
    let mut transformation = Value::Null;
    let mut libraries = BTreeMap::new();
    for dep in deps.as_array().into_iter().flatten() {
        match dep["fn"].as_str() {
            // One that was not found is no code, which is refused.
            Some("getTransformationCode") => transformation = dep["value"].clone(),
            _ => libraries.extend(library(&dep["value"])),
        }
    }
    (transformation, libraries)
}

fn library(library: &Value) -> Option<(String, String)> {
    let text = |key: &str| library[key].as_str();
    let name = text("importName").or(text("handleName")).map(str::to_owned);
    Some((name.unwrap_or_else(|| camel_case(text("name").unwrap_or_default())), text("code")?.to_owned()))
}

/// `js Lib1` is imported as `jsLib1`.
fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut out = String::new();
    for (at, word) in words.enumerate() {
        let (first, rest) = word.split_at(word.chars().next().map_or(0, char::len_utf8));
        let first = if at == 0 { first.to_lowercase() } else { first.to_uppercase() };
        out.push_str(&first);
        out.push_str(rest);
    }
    out
}

fn code(
    transformation: &Value,
    libraries: BTreeMap<String, String>,
    events: &Value,
    network: bool,
) -> Result<Code, String> {
    let text = |key: &str| transformation[key].as_str();
    // TypeScript is JavaScript to the engine, whatever it is called.
    if text("language").is_some_and(|language| language.starts_with("python")) {
        return Err("the code is Python".to_owned());
    }
    let credentials = events[0]["credentials"].as_array().into_iter().flatten();
    let pair =
        |credential: &Value| Some((credential["key"].as_str()?.to_owned(), credential["value"].as_str()?.to_owned()));
    Ok(Code {
        name: text("name").unwrap_or("base transformation").to_owned(),
        version: text("versionId").unwrap_or("1").to_owned(),
        text: text("code").unwrap_or_default().to_owned(),
        libraries,
        credentials: credentials.filter_map(pair).collect(),
        network,
    })
}
