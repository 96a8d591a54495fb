//! Destination plugins.

use super::args::RemotePlugin;
use super::code::versions;
use super::{cell, change, figures, print, read_file, text};
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::plain;
use crate::show::table::Table;
use hyper::Method;
use pintle_control::views::figures::FiguresView;
use serde_json::{Value, json};
use std::io::Write;

pub(crate) async fn run(command: RemotePlugin, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let path = |id: &str, rest: &str| format!("/admin/v1/plugins/{}{rest}", encoded(id));
    match command {
        RemotePlugin::List { server } => {
            let page: Value = Client::of(&server)?.get("/admin/v1/plugins").await?;
            print(&server, &page, out, list)
        }
        RemotePlugin::Show { id, server } => {
            let client = Client::of(&server)?;
            let (mut plugin, tag): (Value, _) = client.tagged(&path(&id, "")).await?;
            if let Some(tag) = tag {
                plugin["etag"] = tag.into();
            }
            let figures: FiguresView = client.get(&path(&id, "/figures")).await?;
            plugin["figures"] = serde_json::to_value(&figures)?;
            print(&server, &plugin, out, |plugin, out| {
                show(plugin, out)?;
                figures::write(&figures, out)
            })
        }
        RemotePlugin::Versions { id, server } => {
            let page: Value = Client::of(&server)?.get(&path(&id, "/versions")).await?;
            print(&server, &page, out, versions)
        }
        RemotePlugin::Push { file, change: said, server } => {
            let client = Client::of(&server)?;
            let sent = Sent::Bytes(read_file(&file)?);
            let plugin = change(&client, Method::POST, "/admin/v1/plugins", sent, &said).await?.json(&client)?;
            print(&server, &plugin, out, live)
        }
        RemotePlugin::Rollback { id, to, change: said, server } => {
            let client = Client::of(&server)?;
            let sent = Sent::Json(json!({"to": to}));
            let plugin = change(&client, Method::POST, &path(&id, "/rollback"), sent, &said).await?.json(&client)?;
            print(&server, &plugin, out, live)
        }
        RemotePlugin::Delete { id, change: said, server } => {
            let client = Client::of(&server)?;
            change(&client, Method::DELETE, &path(&id, ""), Sent::Nothing, &said).await?;
            writeln!(err, "{} is deleted", plain(&id))?;
            Ok(Exit::Done)
        }
    }
}

fn list(page: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let mut table = Table::new(&["ID", "ORIGIN", "VERSION", "LIVE#", "TYPES", "USED BY"]);
    for plugin in page["items"].as_array().into_iter().flatten() {
        table.row([
            text(plugin, "id"),
            text(plugin, "origin"),
            cell(&plugin["manifest"], "version"),
            cell(&plugin["live"], "number"),
            cell(&plugin["manifest"], "messageTypes"),
            cell(plugin, "destinations"),
        ]);
    }
    table.write(out)
}

fn show(plugin: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    live(plugin, out)?;
    let manifest = &plugin["manifest"];
    for name in ["version", "messageTypes", "hosts", "auth"] {
        writeln!(out, "{name:<14} {}", plain(&cell(manifest, name)))?;
    }
    writeln!(out, "{:<14} {}", "destinations", plain(&cell(plugin, "destinations")))?;
    let schema = serde_json::to_string_pretty(&manifest["config"]).unwrap_or_default();
    writeln!(out, "config:\n{}", crate::show::plain_lines(&schema))
}

fn live(plugin: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let number = plugin["live"]["number"].as_u64().map(|number| format!(", version {number} is live"));
    writeln!(out, "{} {}{}", plain(&text(plugin, "id")), text(plugin, "origin"), number.unwrap_or_default())
}
