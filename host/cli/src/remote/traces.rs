//! `pintle trace`: whose events are recorded step by step.

use super::{cell, print, text};
use crate::args::Server;
use crate::client::{Client, Sent, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, duration, plain};
use crate::why::args::seconds;
use clap::{Args, Subcommand};
use hyper::Method;
use pintle_control::views::traces::TraceBody;
use serde_json::Value;
use std::io::Write;

const PATH: &str = "/admin/v1/traces";

#[derive(Debug, Subcommand)]
pub(crate) enum Trace {
    /// Record every step of the next events of a user, a connection or a source
    On(On),
    /// What is traced, and was
    List {
        /// At most so many
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
        /// Only older ones than this
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        #[command(flatten)]
        server: Server,
    },
    /// Trace no more events; what was recorded stays
    Off {
        /// Its id, from the list
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

#[derive(Debug, Args)]
pub(crate) struct On {
    /// Events of this user: their userId or anonymousId
    #[arg(long, value_name = "ID")]
    user: Option<String>,
    /// Events on their way over this connection
    #[arg(long, value_name = "ID")]
    connection: Option<String>,
    /// Events of this source
    #[arg(long, value_name = "ID")]
    source: Option<String>,
    /// The next so many [default: 100]
    #[arg(long, value_name = "N")]
    next: Option<u64>,
    /// For so long, e.g. 90s, 15m, 6h [default: 1h]
    #[arg(long = "for", value_name = "TIME", value_parser = seconds)]
    time: Option<u64>,
    /// What it is for
    #[arg(long, value_name = "TEXT", default_value = "")]
    note: String,
    #[command(flatten)]
    server: Server,
}

pub(super) async fn run(command: Trace, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    match command {
        Trace::On(On { user, connection, source, next, time, note, server }) => {
            if user.is_none() && connection.is_none() && source.is_none() {
                let message = "say whose events are meant: --user, --connection or --source, or several of them";
                return Err(Failure::new(Exit::Usage, message));
            }
            let body = TraceBody { user_id: user, connection, source, events: next, seconds: time, note };
            let (client, sent) = (Client::of(&server)?, Sent::Json(serde_json::to_value(&body)?));
            let made: Value = client.send(Method::POST, PATH, sent, &[]).await?.json(&client)?;
            let now = crate::commands::now_ms();
            print(&server, &made, out, |made, out| {
                let left = duration((made["until_ms"].as_i64().unwrap_or_default() - now).max(0) as f64 / 1000.0);
                let events = text(made, "events_max");
                writeln!(out, "trace {} is on for the next {events} events, at most {left}", plain(&text(made, "id")))
            })
        }
        Trace::List { limit, before, server } => {
            let before = before.map(|before| format!("&before={}", encoded(&before))).unwrap_or_default();
            let page: Value = Client::of(&server)?.get(&format!("{PATH}?limit={limit}{before}")).await?;
            if !server.json {
                if page["items"].as_array().is_none_or(Vec::is_empty) {
                    writeln!(err, "nothing is traced")?;
                }
                if let Some(next) = page["next"].as_str() {
                    writeln!(err, "older ones: --before {}", plain(next))?;
                }
            }
            print(&server, &page, out, table)
        }
        Trace::Off { id, server } => {
            let path = format!("{PATH}/{}", encoded(&id));
            Client::of(&server)?.send(Method::DELETE, &path, Sent::Nothing, &[]).await?;
            writeln!(err, "trace {} is off", plain(&id))?;
            Ok(Exit::Done)
        }
    }
}

fn table(page: &Value, out: &mut dyn Write) -> std::io::Result<()> {
    let now = crate::commands::now_ms();
    let mut table =
        Table::new(&["ID#", "STATE", "WHEN", "BY", "USER", "CONNECTION", "SOURCE", "EVENTS#", "OF#", "NOTE"]);
    for one in page["items"].as_array().into_iter().flatten() {
        let left = (one["until_ms"].as_i64().unwrap_or_default() - now).max(0) as f64 / 1000.0;
        let state = match (one["on"].as_bool(), one["off_at_ms"].is_null()) {
            (Some(true), _) => format!("on, {} left", duration(left)),
            (_, false) => "switched off".to_owned(),
            _ if left > 0.0 => "has all its events".to_owned(),
            _ => "its time is over".to_owned(),
        };
        table.cells(vec![
            text(one, "id"),
            state,
            ago(one["at_ms"].as_i64().unwrap_or_default(), now),
            text(one, "author"),
            cell(one, "user_id"),
            cell(one, "connection"),
            cell(one, "source"),
            text(one, "events"),
            text(one, "events_max"),
            text(one, "note"),
        ]);
    }
    table.write(out)
}
