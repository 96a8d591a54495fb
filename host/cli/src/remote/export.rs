//! `pintle export`: the whole catalog in file form.

use super::args::Export;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::plain;
use hyper::Method;
use pintle_catalog::export as form;
use std::io::Write;
use std::path::{Component, Path};

pub(super) async fn run(export: &Export, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::of(&export.server)?;
    let exported: form::Export = client.get("/admin/v1/export").await?;
    let folder = &export.out;
    if folder.read_dir().is_ok_and(|mut entries| entries.next().is_some()) {
        let message = format!("{} is not empty; name a folder that is not there yet", folder.display());
        return Err(Failure::new(Exit::Usage, message));
    }
    std::fs::create_dir_all(folder)?;
    for file in &exported.files {
        let path = Path::new(&file.path);
        // The server says where files go: not out of the folder.
        if !path.components().all(|part| matches!(part, Component::Normal(_))) {
            return Err(Failure::new(
                Exit::Failed,
                format!("the server names a path that is none: {}", plain(&file.path)),
            ));
        }
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let request = format!("/admin/v1/artifacts/{}", encoded(&file.digest));
        std::fs::write(path, client.send(Method::GET, &request, Sent::Nothing, &[]).await?.body)?;
    }
    std::fs::write(folder.join("workspace.yaml"), &exported.workspace)?;
    if export.server.json {
        crate::commands::json(&exported, out)?;
    } else {
        writeln!(out, "{}", folder.join("workspace.yaml").display())?;
        for variable in &exported.variables {
            writeln!(err, "set {} to the secret of {}", plain(&variable.name), plain(&variable.stands_for))?;
        }
        for plugin in exported.files.iter().filter(|file| file.path.starts_with("plugins/")) {
            let path = folder.join(&plugin.path);
            writeln!(err, "put {} into the data directory's folder plugins, or push it", path.display())?;
        }
    }
    Ok(Exit::Done)
}
