//! Transformations and libraries.

use super::args::{Change, RemoteTransform, Versioned};
use super::{all, cell, change, figures, print, read_file, text, trials};
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, plain, size};
use hyper::Method;
use pintle_catalog::Language;
use pintle_control::views::figures::FiguresView;
use serde::Deserialize as _;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;

pub(crate) async fn transform(
    command: RemoteTransform,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    match command {
        RemoteTransform::Versioned(command) => run("transformations", command, out, err).await,
        RemoteTransform::Logs { id, limit, follow, server } => {
            trials::logs(&id, limit, follow, &server, out, err).await
        }
        RemoteTransform::TestRun { id, events, version, server } => {
            trials::test_run(&id, &events, version, &server, out, err).await
        }
        RemoteTransform::Shadow { id, connection, events, version, format, check, server } => {
            let asked = json!({"connection": connection, "events": events, "version": version});
            trials::shadow(&id, &asked, format, check, &server, out).await
        }
    }
}

pub(super) async fn library(command: Versioned, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    run("libraries", command, out, err).await
}

async fn run(kind: &str, command: Versioned, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let path = |id: &str, rest: &str| format!("/admin/v1/{kind}/{}{rest}", encoded(id));
    match command {
        Versioned::List { server } => {
            let items = all(&Client::of(&server)?, &format!("/admin/v1/{kind}")).await?;
            print(&server, &json!({"items": items}), out, |_, out| list(&items, out))
        }
        Versioned::Show { id, server } => {
            let client = Client::of(&server)?;
            let (mut thing, tag): (Value, _) = client.tagged(&path(&id, "")).await?;
            if kind == "transformations" {
                thing["figures"] = client.get(&path(&id, "/figures")).await?;
            }
            show(&server, thing, tag, out)
        }
        Versioned::Versions { id, server } => {
            let page: Value = Client::of(&server)?.get(&path(&id, "/versions")).await?;
            print(&server, &page, out, |page, out| versions(page, out))
        }
        Versioned::Code { id, version, server } => {
            let query = version.map(|version| format!("?version={}", encoded(&version))).unwrap_or_default();
            let (client, path) = (Client::of(&server)?, path(&id, &format!("/code{query}")));
            out.write_all(&client.send(Method::GET, &path, Sent::Nothing, &[]).await?.body)?;
            Ok(Exit::Done)
        }
        Versioned::Push { id, file, language, publish, note, change, server } => {
            let client = Client::of(&server)?;
            let thing = push(&client, kind, &id, &file, language, &change).await?;
            if !publish {
                let draft = text(&thing["draft"], "digest");
                let what = if draft.is_empty() {
                    "is live already".to_owned()
                } else {
                    format!("is the draft ({})", start(&draft))
                };
                return print(&server, &thing, out, |_, out| writeln!(out, "{}: {what}", plain(&id)));
            }
            // The draft that was just made and no other; what was live already has none.
            let digest = thing["draft"]["digest"].as_str().or(thing["live"]["digest"].as_str());
            let body = json!({"note": note, "digest": digest});
            let nothing = Change { reason: change.reason, if_match: None };
            published(&client, &path(&id, "/publish"), body, &nothing, &id, &server, out).await
        }
        Versioned::Publish { id, note, change, server } => {
            let client = Client::of(&server)?;
            published(&client, &path(&id, "/publish"), json!({"note": note}), &change, &id, &server, out).await
        }
        Versioned::Rollback { id, to, change, server } => {
            let client = Client::of(&server)?;
            published(&client, &path(&id, "/rollback"), json!({"to": to}), &change, &id, &server, out).await
        }
        Versioned::Set { id, name, description, hosts, no_hosts, change: said, server } => {
            let mut body = json!({});
            for (field, value) in [("name", name), ("description", description)] {
                if let Some(value) = value {
                    body[field] = value.into();
                }
            }
            if no_hosts || !hosts.is_empty() {
                body["hosts"] = json!(hosts);
            }
            let client = Client::of(&server)?;
            let reply = change(&client, Method::PUT, &path(&id, ""), Sent::Json(body), &said).await?;
            let (tag, thing) = (reply.tag.clone(), reply.json(&client)?);
            show(&server, thing, tag, out)
        }
        Versioned::Delete { id, change: said, server } => {
            let client = Client::of(&server)?;
            change(&client, Method::DELETE, &path(&id, ""), Sent::Nothing, &said).await?;
            writeln!(err, "{} is deleted", plain(&id))?;
            Ok(Exit::Done)
        }
    }
}

/// Saves a file as the draft.
pub(super) async fn push(
    client: &Client,
    kind: &str,
    id: &str,
    file: &Path,
    language: Option<Language>,
    said: &Change,
) -> Result<Value, Failure> {
    let bytes = read_file(file)?;
    // stdin has no name to go by: then it is as it was before.
    let by_name = file.extension().map(|_| Language::of_file(file));
    save(client, kind, id, bytes, language.or(by_name), said).await
}

pub(super) async fn save(
    client: &Client,
    kind: &str,
    id: &str,
    bytes: Vec<u8>,
    language: Option<Language>,
    said: &Change,
) -> Result<Value, Failure> {
    let query = language.map(|language| format!("?language={}", language.as_str())).unwrap_or_default();
    let path = format!("/admin/v1/{kind}/{}/draft{query}", encoded(id));
    change(client, Method::PUT, &path, Sent::Bytes(bytes), said).await?.json(client)
}

async fn published(
    client: &Client,
    path: &str,
    body: Value,
    said: &Change,
    id: &str,
    server: &Server,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let answer: Value = change(client, Method::POST, path, Sent::Json(body), said).await?.json(client)?;
    print(server, &answer, out, |answer, out| {
        let version = &answer["version"];
        let since = if answer["changed"] == true { "is live now" } else { "was live already" };
        let digest = text(version, "digest");
        writeln!(out, "{}: version {} ({}) {since}", plain(id), version["number"], start(&digest))
    })
}

fn show(server: &Server, mut thing: Value, tag: Option<String>, out: &mut dyn Write) -> Result<Exit, Failure> {
    if let Some(tag) = tag {
        thing["etag"] = tag.into();
    }
    print(server, &thing, out, |thing, out| {
        for name in ["id", "name", "description", "hosts", "connections", "sources", "file"] {
            let value = text(thing, name);
            if !value.is_empty() {
                writeln!(out, "{name:<12} {}", plain(&value))?;
            }
        }
        for (name, code) in [("live", &thing["live"]), ("draft", &thing["draft"])] {
            writeln!(out, "{name:<12} {}", described(code))?;
        }
        writeln!(out, "{:<12} {}", "versions", thing["versions"])?;
        match FiguresView::deserialize(&thing["figures"]) {
            Ok(figures) => figures::write(&figures, out),
            // A library does nothing by itself.
            Err(_) => Ok(()),
        }
    })
}

fn list(items: &[Value], out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(&["ID", "NAME", "LIVE#", "FORM", "LANGUAGE", "DRAFT", "USED BY"]);
    for item in items {
        let code = if item["live"].is_null() { &item["draft"] } else { &item["live"] };
        let users = [text(item, "connections"), text(item, "sources")];
        let users = users.iter().filter(|users| !users.is_empty()).cloned().collect::<Vec<_>>().join(", ");
        table.row([
            text(item, "id"),
            text(item, "name"),
            cell(&item["live"], "number"),
            cell(code, "form"),
            cell(code, "language"),
            if item["draft"].is_null() { "-".to_owned() } else { start(&text(&item["draft"], "digest")).to_owned() },
            if users.is_empty() { "-".to_owned() } else { users },
        ]);
    }
    table.write(out)
}

pub(super) fn versions(page: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let now = crate::commands::now_ms();
    let mut table = Table::new(&["VERSION#", "LIVE", "FORM", "SIZE#", "DIGEST", "BY", "WHEN", "NOTE"]);
    for version in page["items"].as_array().into_iter().flatten() {
        table.row([
            version["number"].to_string(),
            if version["live"] == true { "live".to_owned() } else { String::new() },
            text(version, "form"),
            size(version["bytes"].as_u64().unwrap_or_default()),
            start(&text(version, "digest")).to_owned(),
            text(version, "author"),
            ago(version["at_ms"].as_i64().unwrap_or_default(), now),
            text(version, "note"),
        ]);
    }
    table.write(out)
}

fn described(code: &Value) -> String {
    if code.is_null() {
        return "none".to_owned();
    }
    let number = code["number"].as_u64().map(|number| format!("version {number}, ")).unwrap_or_default();
    let language = code["language"].as_str().map(|language| format!(" in {language}")).unwrap_or_default();
    let (bytes, digest) = (size(code["bytes"].as_u64().unwrap_or_default()), text(code, "digest"));
    plain(&format!("{number}{}{language}, {bytes}, {} by {}", text(code, "form"), start(&digest), text(code, "author")))
}

fn start(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
