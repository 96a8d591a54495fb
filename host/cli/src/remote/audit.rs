//! What people did by hand.

use super::args::Audit;
use super::{print, text};
use crate::client::{Client, encoded};
use crate::failure::{Exit, Failure};
use crate::show::table::Table;
use crate::show::{ago, plain};
use serde_json::Value;
use std::io::Write;

pub(super) async fn run(command: Audit, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let Audit { limit, before, server } = command;
    let before = before.map(|before| format!("&before={}", encoded(&before))).unwrap_or_default();
    let page: Value = Client::of(&server)?.get(&format!("/admin/v1/audit?limit={limit}{before}")).await?;
    if let Some(next) = page["next"].as_str().filter(|_| !server.json) {
        writeln!(err, "older ones: --before {}", plain(next))?;
    }
    print(&server, &page, out, |page, out| {
        let now = crate::commands::now_ms();
        let mut table = Table::new(&["WHEN", "BY", "ACTION", "COUNT#", "TO", "REASON"]);
        for one in page["items"].as_array().into_iter().flatten() {
            table.row([
                ago(one["at_ms"].as_i64().unwrap_or_default(), now),
                text(one, "author"),
                text(one, "action"),
                one["count"].to_string(),
                text(one, "subject"),
                text(one, "reason"),
            ]);
        }
        table.write(out)
    })
}
