//! `pintle import rudder-cli DIR`: transformations and libraries of a rudder-cli project.

use super::args::Change;
use super::{change, code};
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::plain;
use hyper::Method;
use pintle_catalog::rudder_cli::{self, Item, Project};
use serde::Serialize;
use serde_json::json;
use std::io::Write;

/// What became of a project.
#[derive(Debug, Serialize)]
struct Done {
    #[serde(flatten)]
    project: Project,
    /// Ids that are live now.
    published: Vec<String>,
}

pub(crate) async fn import(
    import: &crate::args::RudderCli,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<Exit, Failure> {
    let project = rudder_cli::read(&import.folder).map_err(|problems| {
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        Failure::new(Exit::BadFile, text)
    })?;
    let client = Client::of(&import.server)?;
    let mut published = Vec::new();
    // Libraries first: a transformation is checked with what it imports.
    for (kind, items) in [("libraries", &project.libraries), ("transformations", &project.transformations)] {
        for item in items {
            bring(&client, kind, item, import.publish).await?;
            if import.publish {
                published.push(item.id.clone());
            }
            if !import.server.json {
                let state = if import.publish { "published" } else { "saved as draft" };
                writeln!(out, "{kind}/{} {state}", plain(&item.id))?;
            }
        }
    }
    if import.server.json {
        crate::commands::json(&Done { project, published }, out)?;
    } else {
        for ignored in &project.ignored {
            writeln!(err, "left out {}: {}", ignored.file.display(), plain(&ignored.why))?;
        }
    }
    Ok(Exit::Done)
}

/// Saves one, and publishes it when that is asked for. Doing so again changes nothing.
async fn bring(client: &Client, kind: &str, item: &Item, publish: bool) -> Result<(), Failure> {
    let said = Change { reason: Some(format!("imported from {}", item.file.display())), if_match: None };
    let path = format!("/admin/v1/{kind}/{}", encoded(&item.id));
    let about = json!({"name": item.name, "description": item.description});
    change(client, Method::PUT, &path, Sent::Json(about), &said).await?;
    let bytes = item.code.clone().into_bytes();
    let thing = code::save(client, kind, &item.id, bytes, Some(item.language), &said).await?;
    if publish {
        let digest = thing["draft"]["digest"].as_str().or(thing["live"]["digest"].as_str());
        let body = Sent::Json(json!({"digest": digest}));
        change(client, Method::POST, &format!("{path}/publish"), body, &said).await?;
    }
    Ok(())
}
