//! Sources, destinations, connections and credentials.

use super::args::{Change, Common, Connection, Credential, Destination, Source};
use super::{all, cell, change, filter, print, read_file, text};
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{plain, plain_lines};
use hyper::Method;
use serde_json::{Value, json};
use std::io::Write;

pub(super) async fn source(command: Source, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Source::Common(command) => common("sources", &["name", "write_key", "enabled"], command, out, err).await,
        Source::Put {
            id,
            name,
            write_key,
            enabled,
            transformations,
            events_per_second_max,
            anonymize_ip,
            change,
            server,
        } => {
            let given = [
                ("name", name.map(Value::from)),
                ("write_key", write_key.map(Value::from)),
                ("enabled", enabled.map(Value::from)),
                ("transformations", list(transformations, "none", json!([]))),
                ("events_per_second_max", events_per_second_max.map(|max| limit(&max)).transpose()?),
                ("anonymize_ip", anonymize_ip.map(Value::from)),
            ];
            put("sources", &id, given, &change, &server, out).await
        }
    }
}

pub(super) async fn destination(
    command: Destination,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        Destination::Common(command) => {
            common("destinations", &["name", "plugin", "state", "message_types"], command, out, err).await
        }
        Destination::Put { id, name, plugin, config, state, message_types, integration, delivery, change, server } => {
            let config = match config {
                None => None,
                Some(file) => {
                    let parsed = serde_json::from_slice::<Value>(&read_file(&file)?);
                    Some(parsed.map_err(|error| {
                        Failure::new(Exit::BadFile, format!("{}: {error}; write a JSON object", file.display()))
                    })?)
                }
            };
            let given = [
                ("name", name.map(Value::from)),
                ("plugin", plugin.map(Value::from)),
                ("config", config),
                ("state", state.map(Value::from)),
                ("message_types", list(message_types, "any", Value::Null)),
                ("integration", integration.map(|name| if name == "none" { Value::Null } else { name.into() })),
            ];
            let given = given.map(|(name, value)| (name.to_owned(), value));
            let given = given.into_iter().chain(super::delivery::given(&delivery)?);
            put("destinations", &id, given, &change, &server, out).await
        }
    }
}

pub(super) async fn connection(command: Connection, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Connection::Common(command) => {
            common("connections", &["source", "destination", "enabled", "transformations"], command, out, err).await
        }
        Connection::Put { id, source, destination, enabled, transformations, filter, change, server } => {
            let [types, events, consent] = filter::given(filter)?;
            let given = [
                ("source", source.map(Value::from)),
                ("destination", destination.map(Value::from)),
                ("enabled", enabled.map(Value::from)),
                ("transformations", list(transformations, "none", json!([]))),
                ("filter.message_types", types),
                ("filter.events", events),
                ("filter.consent", consent),
            ];
            put("connections", &id, given, &change, &server, out).await
        }
    }
}

pub(super) async fn credential(command: Credential, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Credential::Common(command) => common("credentials", &["description", "value"], command, out, err).await,
        Credential::Put { id, description, value_file, change, server } => {
            let value = match value_file {
                None => None,
                Some(file) => {
                    let text = String::from_utf8(read_file(&file)?);
                    let text =
                        text.map_err(|_| Failure::new(Exit::BadFile, format!("{}: not UTF-8", file.display())))?;
                    Some(Value::from(text.trim_end_matches(['\r', '\n'])))
                }
            };
            let given = [("description", description.map(Value::from)), ("value", value)];
            put("credentials", &id, given, &change, &server, out).await
        }
    }
}

/// A list that was given; `nothing` stands for none at all.
pub(super) fn list(given: Vec<String>, nothing: &str, none: Value) -> Option<Value> {
    match given.as_slice() {
        [] => None,
        [one] if one == nothing => Some(none),
        _ => Some(json!(given)),
    }
}

/// A number that may be left open.
fn limit(given: &str) -> Result<Value, Failure> {
    match given {
        "none" => Ok(Value::Null),
        number => number.parse::<u32>().map(Value::from).map_err(|_| {
            Failure::new(Exit::Usage, format!("--events-per-second-max {number} is neither a number nor `none`"))
        }),
    }
}

/// Reads a thing, changes what was given, and sends it back with the tag of what was read: two who do so at
/// the same time do not undo each other's change. A dot leads to a field within a field.
async fn put(
    kind: &str,
    id: &str,
    given: impl IntoIterator<Item = (impl AsRef<str>, Option<Value>)>,
    said: &Change,
    server: &Server,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let path = format!("/admin/v1/{kind}/{}", encoded(id));
    let there = client.find(&path).await?;
    let is_there = there.is_some();
    let (mut body, tag) = there.unwrap_or((json!({}), None));
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !["id", "file", "off_because"].contains(&name.as_str()));
    }
    for (name, value) in given {
        if let Some(value) = value {
            *name.as_ref().split('.').fold(&mut body, |at, step| &mut at[step]) = value;
        }
    }
    let mut headers = vec![match (&said.if_match, is_there) {
        (Some(tag), _) => ("if-match", tag.clone()),
        (None, true) => ("if-match", tag.unwrap_or_else(|| "*".to_owned())),
        (None, false) => ("if-none-match", "*".to_owned()),
    }];
    if let Some(reason) = &said.reason {
        headers.push(("pintle-reason", reason.clone()));
    }
    let reply = client.send(Method::PUT, &path, Sent::Json(body), &headers).await?;
    let (tag, thing) = (reply.tag.clone(), reply.json(&client)?);
    show(server, thing, tag, out)
}

async fn common(
    kind: &str,
    columns: &[&'static str],
    command: Common,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let path = |id: &str| format!("/admin/v1/{kind}/{}", encoded(id));
    match command {
        Common::List { server } => {
            let items = all(&Client::of(&server)?, &format!("/admin/v1/{kind}")).await?;
            print(&server, &json!({"items": items}), out, |_, out| {
                let mut table = Table::new(&[&["id"], columns, &["file"]].concat());
                for item in &items {
                    let names = ["id"].iter().chain(columns).chain(&["file"]);
                    table.cells(names.map(|name| cell(item, name)).collect());
                }
                table.write(out)
            })
        }
        Common::Show { id, server } => {
            let (thing, tag) = Client::of(&server)?.tagged(&path(&id)).await?;
            show(&server, thing, tag, out)
        }
        Common::Delete { id, change: said, server } => {
            let client = Client::of(&server)?;
            change(&client, Method::DELETE, &path(&id), Sent::Nothing, &said).await?;
            writeln!(err, "{} is deleted", plain(&id))?;
            Ok(Exit::Done)
        }
    }
}

fn show(server: &Server, mut thing: Value, tag: Option<String>, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(tag) = tag {
        thing["etag"] = tag.into();
    }
    print(server, &thing, out, |thing, out| {
        for (name, value) in thing.as_object().into_iter().flatten() {
            match value {
                Value::Object(_) => {
                    let pretty = serde_json::to_string_pretty(value).unwrap_or_default();
                    writeln!(out, "{}:\n{}", plain(name), plain_lines(&pretty))?;
                }
                _ => writeln!(out, "{:<16} {}", plain(name), plain(&text(thing, name)))?,
            }
        }
        Ok(())
    })
}
