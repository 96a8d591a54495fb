//! `pintle why`: everything that is known of one event, and its recorded calls once more.

pub(crate) mod args;
mod bench;
mod pattern;
mod rerun;

use crate::client::{Client, encoded};
use crate::commands::{json, now_ms};
use crate::failure::{Exit, Failure};
use crate::show;
use args::Why;
use pintle_control::views::traces::WhyView;
use std::io::Write;

pub(crate) async fn run(why: Why, out: &mut dyn Write, err: &mut dyn Write) -> Result<Exit, Failure> {
    let client = Client::of(&why.server)?;
    let now = now_ms();
    let mut path = format!("/admin/v1/events/by-message-id/{}", encoded(&why.message_id));
    let ago = |seconds: u64| now.saturating_sub(i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX));
    let query = [
        ("source", why.source.clone()),
        ("since_ms", why.since.map(|since| ago(since).to_string())),
        ("until_ms", why.until.map(|until| ago(until).to_string())),
    ];
    let mut joint = '?';
    for (name, value) in query {
        if let Some(value) = value {
            path.push_str(&format!("{joint}{name}={}", encoded(&value)));
            joint = '&';
        }
    }
    let known: WhyView = client.get(&path).await?;
    if !why.rerun {
        if why.server.json {
            json(&known, out)?;
        } else {
            show::why::all(&known, now, why.full, out)?;
        }
        return Ok(Exit::Done);
    }
    let results = rerun::all(&why, &client, &known).await?;
    if why.server.json {
        json(&serde_json::json!({"message_id": known.message_id, "calls": results}), out)?;
    } else {
        rerun::show(&results, out)?;
    }
    if results.is_empty() {
        writeln!(err, "no call of it was recorded: `pintle trace on` records those of the next events")?;
    }
    let ran = results.iter().any(|result| result.identical.is_some());
    let same = results.iter().all(|result| result.identical != Some(false));
    Ok(if ran && same { Exit::Done } else { Exit::Failed })
}
