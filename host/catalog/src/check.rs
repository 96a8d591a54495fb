//! What must be true of every catalog, wherever it came from.

use crate::problem::Problem;
use crate::{Catalog, Connection, Destination, DestinationState, Form, Source, secrets};
use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv6Addr;

/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 128;
/// The longest write key, in bytes.
pub const WRITE_KEY_BYTES_MAX: usize = 256;
/// How many known names an error lists.
const NAMES_SHOWN: usize = 10;

/// Everything that is wrong with this catalog; nothing when it may be used.
#[must_use]
pub fn check(catalog: &Catalog, plugins: &BTreeSet<String>) -> Vec<Problem> {
    let mut problems = Vec::new();
    check_ids(catalog, &mut problems);
    check_sources(&catalog.sources, &mut problems);
    let plugins: BTreeSet<&String> = plugins.iter().chain(catalog.plugins.keys()).collect();
    for (id, destination) in &catalog.destinations {
        check_destination(id, destination, &plugins, &mut problems);
    }
    check_code(catalog, &mut problems);
    for (id, credential) in &catalog.credentials {
        let value = serde_json::Value::String(credential.value.clone());
        for (_, error) in secrets::malformed(&value) {
            problems.push(Problem::new(format!("credentials.{id}"), error.problem(), error.fix()));
        }
    }
    for (id, source) in &catalog.sources {
        let path = format!("sources.{id}.transformations");
        check_chain(&path, &source.transformations, catalog, &mut problems);
    }
    check_connections(catalog, &mut problems);
    problems
}

fn check_ids(catalog: &Catalog, problems: &mut Vec<Problem>) {
    let ids = (catalog.sources.keys().map(|id| ("sources", id)))
        .chain(catalog.destinations.keys().map(|id| ("destinations", id)))
        .chain(catalog.connections.keys().map(|id| ("connections", id)))
        .chain(catalog.transformations.keys().map(|id| ("transformations", id)))
        .chain(catalog.libraries.keys().map(|id| ("libraries", id)))
        .chain(catalog.plugins.keys().map(|id| ("plugins", id)))
        .chain(catalog.credentials.keys().map(|id| ("credentials", id)));
    for (section, id) in ids {
        if !is_id(id) {
            problems.push(Problem::new(
                format!("{section}.{}", id.escape_debug()),
                "is not a usable id",
                format!(
                    "use 1 to {ID_BYTES_MAX} bytes without spaces, slashes, quotes or control \
                     characters"
                ),
            ));
        }
    }
}

/// Ids stand in paths, metric labels and log lines.
fn is_id(id: &str) -> bool {
    let refused = |c: char| c.is_whitespace() || c.is_control() || "/\\\"'?#%`".contains(c);
    !id.is_empty() && id.len() <= ID_BYTES_MAX && !id.contains(refused)
}

/// What is live must be there, libraries are source code, and hosts must be names.
fn check_code(catalog: &Catalog, problems: &mut Vec<Problem>) {
    let histories = (catalog.transformations.iter().map(|(id, t)| ("transformations", id, &t.history)))
        .chain(catalog.libraries.iter().map(|(id, l)| ("libraries", id, &l.history)));
    for (section, id, history) in histories {
        if history.live.is_some() && history.live().is_none() {
            problems.push(Problem::new(
                format!("{section}.{id}"),
                "its live version is not among its versions",
                "roll back to one that is listed",
            ));
        }
    }
    for (id, library) in &catalog.libraries {
        if library.history.live().is_some_and(|live| live.code.form == Form::Component) {
            problems.push(Problem::new(
                format!("libraries.{id}"),
                "is a component, and components have no way to import one another",
                "write the library as source code",
            ));
        }
    }
    for (id, transformation) in &catalog.transformations {
        for (index, host) in transformation.hosts.iter().enumerate() {
            if !is_host(host) {
                problems.push(Problem::new(
                    format!("transformations.{id}.hosts[{index}]"),
                    format!("`{}` is not the name of a host", host.escape_debug()),
                    "write `api.example.com`, `*.example.com` or `*`, without scheme and path; a port may follow a \
                     colon",
                ));
            }
        }
    }
}

/// `api.example.com`, `*.example.com`, an IPv6 address in brackets, each perhaps with a port; or `*`.
fn is_host(host: &str) -> bool {
    if host == "*" {
        return true;
    }
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    };
    let label = |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_name = match name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => name.len() <= 253 && name.strip_prefix("*.").unwrap_or(name).split('.').all(label),
    };
    is_name && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn check_sources(sources: &BTreeMap<String, Source>, problems: &mut Vec<Problem>) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, source) in sources {
        let path = format!("sources.{id}.write-key");
        let key = source.write_key.as_str();
        if let Some((message, fix)) = unusable_write_key(key) {
            problems.push(Problem::new(path, message, fix));
        } else if let Some(owner) = owners.insert(key, id) {
            problems.push(Problem::new(
                path,
                format!("is the write key of source `{owner}` as well"),
                "give every source a key of its own: the key tells which source sent an event",
            ));
        }
    }
}

fn unusable_write_key(key: &str) -> Option<(&'static str, &'static str)> {
    if key.is_empty() {
        Some(("is empty", "write the key that SDKs will authenticate with"))
    } else if key.len() > WRITE_KEY_BYTES_MAX {
        Some(("is longer than 256 bytes", "use a shorter key"))
    } else if key.contains("${") {
        Some((
            "holds a reference",
            "write the key itself: it is public, and references work in destination config only",
        ))
    } else if key.contains(|c: char| c == ':' || c.is_whitespace() || c.is_control()) {
        Some((
            "holds a colon, a space or a control character",
            "leave it out: the key is the user name of HTTP Basic authentication",
        ))
    } else {
        None
    }
}

fn check_destination(id: &str, destination: &Destination, plugins: &BTreeSet<&String>, problems: &mut Vec<Problem>) {
    // A disabled destination needs no plugin: nothing is mapped for it.
    if destination.state != DestinationState::Disabled && !plugins.contains(&destination.plugin) {
        problems.push(Problem::new(
            format!("destinations.{id}.plugin"),
            format!("there is no plugin `{}`", destination.plugin.escape_debug()),
            format!(
                "{}, or put `{}.wasm` into the plugins directory",
                known("plugins", plugins.iter().copied()),
                destination.plugin.escape_debug()
            ),
        ));
    }
    if destination.integration.as_ref().is_some_and(|name| name.trim().is_empty()) {
        problems.push(Problem::new(
            format!("destinations.{id}.integration"),
            "is blank",
            "write the name that events call it by in their `integrations`, or leave it out",
        ));
    }
    if let Some(delivery) = &destination.delivery {
        delivery.check(&format!("destinations.{id}.delivery"), problems);
    }
    if !destination.config.is_object() {
        problems.push(Problem::new(
            format!("destinations.{id}.config"),
            "is not a map",
            "write the plugin's settings as `key: value`",
        ));
    }
    for (path, error) in secrets::malformed(&destination.config) {
        let path = format!("destinations.{id}.config{path}");
        problems.push(Problem::new(path, error.problem(), error.fix()));
    }
}

fn check_connections(catalog: &Catalog, problems: &mut Vec<Problem>) {
    let mut pairs: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for (id, connection) in &catalog.connections {
        check_connection(id, connection, catalog, problems);
        let pair = (connection.source.as_str(), connection.destination.as_str());
        if let Some(other) = pairs.insert(pair, id) {
            problems.push(Problem::new(
                format!("connections.{id}"),
                format!("joins `{}` and `{}`, as `{other}` does", pair.0, pair.1),
                "keep one of them: every event would arrive twice",
            ));
        }
    }
}

fn check_connection(id: &str, connection: &Connection, catalog: &Catalog, problems: &mut Vec<Problem>) {
    if !catalog.sources.contains_key(&connection.source) {
        problems.push(Problem::new(
            format!("connections.{id}.source"),
            format!("there is no source `{}`", connection.source.escape_debug()),
            known("sources", catalog.sources.keys()),
        ));
    }
    if !catalog.destinations.contains_key(&connection.destination) {
        problems.push(Problem::new(
            format!("connections.{id}.destination"),
            format!("there is no destination `{}`", connection.destination.escape_debug()),
            known("destinations", catalog.destinations.keys()),
        ));
    }
    let path = format!("connections.{id}.transformations");
    check_chain(&path, &connection.transformations, catalog, problems);
    if let Some(filter) = &connection.filter {
        filter.check(&format!("connections.{id}.filter"), problems);
    }
}

/// Transformations that run one after the other: each must be there, published, and named once.
fn check_chain(path: &str, names: &[String], catalog: &Catalog, problems: &mut Vec<Problem>) {
    for (index, name) in names.iter().enumerate() {
        let path = format!("{path}[{index}]");
        match catalog.transformations.get(name) {
            None => problems.push(Problem::new(
                path,
                format!("there is no transformation `{}`", name.escape_debug()),
                known("transformations", catalog.transformations.keys()),
            )),
            Some(transformation) if transformation.history.live.is_none() => problems.push(Problem::new(
                path,
                format!("transformation `{name}` was never published"),
                format!("publish its draft first: `pintle transform publish {name}`"),
            )),
            Some(_) if names[..index].contains(name) => {
                problems.push(Problem::new(path, format!("names `{name}` a second time"), "keep one of them"));
            }
            Some(_) => {}
        }
    }
}

/// What to write instead: "use one of the sources site, shop".
fn known<'a>(what: &str, names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let count = names.len();
    if count == 0 {
        return format!("there are no {what} yet: add it under `{what}`");
    }
    let mut shown: Vec<String> = names.take(NAMES_SHOWN).map(|name| name.escape_debug().to_string()).collect();
    if count > NAMES_SHOWN {
        shown.push(format!("and {} more", count - NAMES_SHOWN));
    }
    format!("use one of the {what} {}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts_are_names_without_scheme_and_path() {
        for host in ["api.example.com", "localhost:8080", "*.example.com", "*", "127.0.0.1", "[::1]", "[::1]:443"] {
            assert!(is_host(host), "{host}");
        }
        for host in ["", "https://a.example", "a.example/b", "a b", "*a.example", "a.*", "a:b", "::1", "[x]", "a..b"] {
            assert!(!is_host(host), "{host}");
        }
    }
}
