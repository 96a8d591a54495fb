//! A catalog in file form: a workspace file, and the files of its code beside it.

use crate::{Catalog, Connection, Delivery, Filter, Form, History, masking};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A catalog in file form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The text of `workspace.yaml`.
    pub workspace: String,
    /// The files beside it, their content named by digest.
    pub files: Vec<File>,
    /// Environment variables that stand for secrets: a file does not hold them.
    pub variables: Vec<Variable>,
}

/// A file of an export.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its path, from the workspace file's folder.
    pub path: String,
    /// The digest of its content.
    pub digest: String,
}

/// An environment variable that the exported file refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// The secret that it stands for, e.g. `destinations.orders.headers[0].to`.
    pub stands_for: String,
}

/// Writes a catalog in file form. `schemas` gives the JSON Schemas of a plugin's configuration: what they
/// mark as secret becomes a reference to an environment variable.
///
/// # Errors
/// When the file cannot be written as YAML.
pub fn export(catalog: &Catalog, schemas: &BTreeMap<String, Vec<Value>>) -> Result<Export, String> {
    let mut writer = Writer { files: Vec::new(), variables: Vec::new() };
    let mut document = Map::new();
    let sources = catalog.sources.iter().map(|(id, source)| {
        let mut entry = json!({"name": source.name, "write-key": source.write_key});
        set(&mut entry, "enabled", (!source.enabled).then_some(json!(false)));
        set(&mut entry, "transformations", list(&source.transformations));
        set(&mut entry, "events-per-second-max", source.events_per_second_max.map(|max| json!(max)));
        set(&mut entry, "anonymize-ip", source.anonymize_ip.then_some(json!(true)));
        (id.clone(), entry)
    });
    document.insert("sources".to_owned(), sources.collect::<Map<_, _>>().into());
    let destinations: Map<_, _> = (catalog.destinations.iter())
        .map(|(id, destination)| {
            let known: Vec<&Value> = schemas.get(&destination.plugin).into_iter().flatten().collect();
            let config = writer.without_secrets(&format!("destinations.{id}"), &known, &destination.config);
            let mut entry = json!({"name": destination.name, "plugin": destination.plugin, "config": config});
            let state = json!(destination.state);
            set(&mut entry, "state", (state != "enabled").then_some(state));
            set(&mut entry, "message-types", destination.message_types.as_ref().map(|types| json!(types)));
            set(&mut entry, "integration", destination.integration.as_ref().map(|name| json!(name)));
            set(&mut entry, "delivery", destination.delivery.as_ref().map(delivery_entry));
            (id.clone(), entry)
        })
        .collect();
    insert(&mut document, "destinations", destinations);
    let connections = catalog.connections.iter().map(|(id, connection)| (id.clone(), connection_entry(connection)));
    insert(&mut document, "connections", connections.collect());
    let mut transformations = Map::new();
    for (id, transformation) in &catalog.transformations {
        if let Some(mut entry) = writer.code("transformations", id, &transformation.name, &transformation.history) {
            let description = &transformation.description;
            set(&mut entry, "description", (!description.is_empty()).then(|| json!(description)));
            set(&mut entry, "hosts", list(&transformation.hosts));
            transformations.insert(id.clone(), entry);
        }
    }
    insert(&mut document, "transformations", transformations);
    let mut libraries = Map::new();
    for (id, library) in &catalog.libraries {
        if let Some(mut entry) = writer.code("libraries", id, &library.name, &library.history) {
            set(&mut entry, "description", (!library.description.is_empty()).then(|| json!(library.description)));
            libraries.insert(id.clone(), entry);
        }
    }
    insert(&mut document, "libraries", libraries);
    let credentials: Map<_, _> = (catalog.credentials.iter())
        .map(|(id, credential)| {
            let value = json!(credential.value);
            (id.clone(), writer.without_secrets(&format!("credentials.{id}"), &[], &value))
        })
        .collect();
    insert(&mut document, "credentials", credentials);
    for (name, plugin) in &catalog.plugins {
        if let Some(live) = plugin.live() {
            writer.files.push(File { path: format!("plugins/{name}.wasm"), digest: live.code.digest.clone() });
        }
    }
    let text = serde_saphyr::to_string(&Value::Object(document)).map_err(|error| error.to_string())?;
    Ok(Export { workspace: text, files: writer.files, variables: writer.variables })
}

struct Writer {
    files: Vec<File>,
    variables: Vec<Variable>,
}

impl Writer {
    fn without_secrets(&mut self, path: &str, schemas: &[&Value], config: &Value) -> Value {
        let mut written = config.clone();
        masking::visit(schemas, &mut written, &mut |leaf, inside| {
            if masking::is_reference(leaf) {
                return;
            }
            let stands_for = format!("{path}{inside}");
            let mut name: String = stands_for
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            name = format!("PINTLE_{}", name.trim_end_matches('_'));
            while self.variables.iter().any(|variable| variable.name == name) {
                name.push('_');
            }
            *leaf = json!(format!("${{env:{name}}}"));
            self.variables.push(Variable { name, stands_for });
        });
        written
    }

    /// The entry of a thing with code; what was never published is not in a file.
    fn code(&mut self, section: &str, id: &str, name: &str, history: &History) -> Option<Value> {
        let code = &history.live()?.code;
        let extension = match (code.form, code.language) {
            (Form::Component, _) => "wasm",
            (Form::Source, language) => language.unwrap_or_default().extension(),
        };
        let path = format!("{section}/{id}.{extension}");
        self.files.push(File { path: path.clone(), digest: code.digest.clone() });
        let mut entry = json!({"name": name, "file": path});
        if code.form == Form::Source {
            set(&mut entry, "language", code.language.map(|language| json!(language)));
        }
        Some(entry)
    }
}

/// A connection that is off for a reason of its import stays off.
fn connection_entry(connection: &Connection) -> Value {
    let mut entry = json!({"source": connection.source, "destination": connection.destination});
    set(&mut entry, "enabled", (!connection.is_on()).then_some(json!(false)));
    set(&mut entry, "transformations", list(&connection.transformations));
    set(&mut entry, "filter", connection.filter.as_ref().map(filter_entry));
    entry
}

/// Whole numbers without a fraction: not all of the settings take one.
fn delivery_entry(delivery: &Delivery) -> Value {
    let number = |value: f64| if value.fract() == 0.0 { json!(value as i64) } else { json!(value) };
    delivery.given().map(|(name, value)| (name.to_owned(), number(value))).collect::<Map<_, _>>().into()
}

/// Only the names of the outermost fields are written otherwise than in the catalog.
fn filter_entry(filter: &Filter) -> Value {
    let mut entry = json!({});
    set(&mut entry, "message-types", filter.message_types.as_ref().map(|types| json!(types)));
    set(&mut entry, "events", filter.events.as_ref().map(|events| json!(events)));
    set(&mut entry, "consent", filter.consent.as_ref().map(|consent| json!(consent)));
    entry
}

fn list(items: &[String]) -> Option<Value> {
    (!items.is_empty()).then(|| json!(items))
}

fn set(entry: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        entry[name] = value;
    }
}

fn insert(document: &mut Map<String, Value>, section: &str, entries: Map<String, Value>) {
    if !entries.is_empty() {
        document.insert(section.to_owned(), entries.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Catalog, Credential, file};
    use std::collections::BTreeSet;

    const FILE: &str = "
sources:
  site: {name: Site, write-key: wk-1, transformations: [tidy], events-per-second-max: 500, anonymize-ip: true}
destinations:
  orders:
    plugin: webhook
    state: paused
    integration: Order Book
    delivery: {requests-per-second-max: 0.5, concurrency-max: 4, attempts-max: 20, retry-time-window: 3600}
    config: {webhookUrl: 'http://x', headers: [{from: a, to: hunter2}]}
transformations:
  tidy: {code: 'let a;', language: python, hosts: ['api.example.com:8443']}
libraries:
  strings: {code: 'let b;'}
connections:
  c:
    source: site
    destination: orders
    enabled: false
    transformations: [tidy]
    filter:
      message-types: [track]
      events: {except: ['Noise: all of it', 7]}
      consent: [{provider: custom, strategy: or, ids: [ads, mail]}, {ids: [C1]}]
";

    #[test]
    fn an_export_is_read_back_as_the_same_catalog() {
        let plugins = BTreeSet::from(["webhook".to_owned()]);
        let config = file::Config::default();
        let folder = std::env::temp_dir().join(format!("pintle-export-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let parsed = crate::workspace::parse(FILE, &folder.join("w.yaml"), &plugins, &config).unwrap();
        let mut catalog = parsed.catalog;
        catalog.credentials.insert("key".into(), Credential { description: String::new(), value: "hunter3".into() });
        let schema = json!({"properties": {"headers": {"items": {"properties": {"to": {"writeOnly": true}}}}}});
        let exported = export(&catalog, &BTreeMap::from([("webhook".to_owned(), vec![schema])])).unwrap();

        assert!(!exported.workspace.contains("hunter"), "{}", exported.workspace);
        let stands_for: Vec<&str> = exported.variables.iter().map(|v| v.stands_for.as_str()).collect();
        assert_eq!(stands_for, ["destinations.orders.headers.0.to", "credentials.key"]);
        for file in &exported.files {
            let path = folder.join(&file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, &parsed.code[&file.digest]).unwrap();
        }
        let again = crate::workspace::parse(&exported.workspace, &folder.join("w.yaml"), &plugins, &config).unwrap();
        let mut expected = Catalog { ..catalog };
        let orders = expected.destinations.get_mut("orders").unwrap();
        orders.config["headers"][0]["to"] = json!(format!("${{env:{}}}", exported.variables[0].name));
        expected.credentials.get_mut("key").unwrap().value = format!("${{env:{}}}", exported.variables[1].name);
        assert_eq!(again.catalog, expected);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
