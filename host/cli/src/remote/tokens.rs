//! Tokens and the key.

use super::args::{Secrets, Token};
use super::print;
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, plain};
use hyper::Method;
use pintle_control::views::{NewToken, Page, RotationView, TokenView};
use serde_json::json;
use std::io::Write;

pub(super) async fn run(command: Token, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Token::Create { name, role, server, .. } => {
            let client = Client::of(&server)?;
            let body = Sent::Json(json!({"name": name, "role": role}));
            let made = client.send(Method::POST, "/admin/v1/tokens", body, &[]).await?.json(&client)?;
            show_new(&made, server.json, out)?;
        }
        Token::List { server, .. } => {
            let page: Page<TokenView> = Client::of(&server)?.get("/admin/v1/tokens").await?;
            show_all(&page, server.json, out)?;
        }
        Token::Revoke { id, server, .. } => {
            let path = format!("/admin/v1/tokens/{}", encoded(&id));
            Client::of(&server)?.send(Method::DELETE, &path, Sent::Nothing, &[]).await?;
            writeln!(err, "{} is revoked", plain(&id))?;
        }
    }
    Ok(Exit::Done)
}

pub(super) async fn secrets(command: Secrets, out: &mut dyn Write, _: &mut dyn Write) -> Result<Exit, Failure> {
    let Secrets::Rotate { server } = command;
    rotate(&server, out).await
}

async fn rotate(server: &Server, out: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::of(server)?;
    let reply = client.send(Method::POST, "/admin/v1/secrets/rotate", Sent::Nothing, &[]).await?;
    let done: RotationView = reply.json(&client)?;
    print(server, &json!(done), out, |_, out| {
        let RotationView { key, revisions, artifacts } = &done;
        writeln!(out, "key {} seals everything now: {revisions} revisions, {artifacts} artifacts", plain(key))
    })
}

/// A new token. The secret alone is on stdout, so that a script can keep it.
pub(crate) fn show_new(made: &NewToken, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if json {
        return crate::commands::json(made, out);
    }
    writeln!(out, "{}", plain(&made.secret))?;
    Ok(())
}

/// All tokens.
pub(crate) fn show_all(page: &Page<TokenView>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if json {
        return crate::commands::json(page, out);
    }
    let now = crate::commands::now_ms();
    let mut table = Table::new(&["ID", "NAME", "ROLE", "MADE", "BY", "REVOKED"]);
    for token in &page.items {
        table.row([
            token.id.clone(),
            token.name.clone(),
            token.role.clone(),
            ago(token.created_at_ms, now),
            token.created_by.clone(),
            token.revoked_at_ms.map_or("-".to_owned(), |at| ago(at, now)),
        ]);
    }
    table.write(out)?;
    Ok(())
}
