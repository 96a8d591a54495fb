//! Every recorded call once more, and whether the same came of it.

use super::args::Why;
use super::bench::Bench;
use super::pattern::{Same, compare, difference};
use crate::client::Client;
use crate::failure::Failure;
use crate::show;
use pintle_control::views::traces::{StepView, WhyView};
use serde::Serialize;
use std::io::{self, Write};

/// What came of one call.
#[derive(Debug, Serialize)]
pub(super) struct Call {
    /// The recorded step.
    pub(super) step: String,
    pub(super) kind: String,
    pub(super) destination_id: String,
    /// Which code.
    pub(super) code: String,
    /// The digest of the component that ran.
    pub(super) digest: String,
    /// Nothing when it could not be run.
    pub(super) identical: Option<bool>,
    /// Whether masked secrets were left out of the comparison.
    pub(super) but_for_secrets: bool,
    /// Why it was not run, or where the difference begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorded: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
}

pub(super) async fn all(why: &Why, client: &Client, known: &WhyView) -> Result<Vec<Call>, Failure> {
    let mut bench = Bench::new(why, client)?;
    let mut results = Vec::new();
    let steps = known.events.iter().flat_map(|event| &event.steps);
    for step in steps.filter(|step| matches!(step.kind.as_str(), "transformation" | "destination")) {
        results.push(one(&mut bench, step).await);
    }
    Ok(results)
}

async fn one(bench: &mut Bench<'_>, step: &StepView) -> Call {
    let told = &step.told;
    let word = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let is_transformation = step.kind == "transformation";
    let mut result = Call {
        step: step.id.clone(),
        kind: step.kind.clone(),
        destination_id: step.destination_id.clone(),
        code: if is_transformation { word("transformation") } else { word("plugin") },
        digest: if is_transformation { word("component") } else { word("digest") },
        identical: None,
        but_for_secrets: false,
        reason: None,
        recorded: None,
        found: None,
    };
    if let Some(reason) = told["rerun"].as_str() {
        result.reason = Some(reason.to_owned());
        return result;
    }
    let found = match is_transformation {
        true => bench.transform(told).await,
        false => bench.map(&step.destination_id, told).await,
    };
    let recorded = word("output");
    match found {
        Err(cannot) => result.reason = Some(cannot),
        Ok(found) => {
            let same = compare(&recorded, &found);
            result.identical = Some(same != Same::Different);
            result.but_for_secrets = same == Same::ButForSecrets;
            if same == Same::Different {
                let (at, before, after) = difference(&recorded, &found);
                let reason = format!("from byte {at} on it is {after:?} and was {before:?}");
                (result.reason, result.recorded, result.found) = (Some(reason), Some(recorded), Some(found));
            }
        }
    }
    result
}

pub(super) fn show(results: &[Call], out: &mut dyn Write) -> io::Result<()> {
    for result in results {
        let mark = match result.identical {
            Some(true) if result.but_for_secrets => "identical but for masked secrets",
            Some(true) => "identical",
            Some(false) => "DIFFERENT",
            None => "not run",
        };
        let (kind, code) = (show::plain(&result.kind), show::plain(&result.code));
        let digest = show::short(&result.digest, 13);
        writeln!(out, "{kind} {code} ({digest}) for {}: {mark}", show::plain(&result.destination_id))?;
        if let Some(reason) = &result.reason {
            writeln!(out, "    {}", show::plain(reason))?;
        }
    }
    Ok(())
}
