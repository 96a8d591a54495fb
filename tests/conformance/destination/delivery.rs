//! An answer, and what it means for each event of its request.

use super::answer::{Answer, answer, looked_up};
use super::asked;
use super::neighbours::Neighbours;
use crate::report::Verdict;
use pintle_plugin_sdk::Verdict as Standard;
use pintle_runtime::destination::{Conclude, Destination, DestinationPlugin, Request, Response, Verdict as Judged};
use serde_json::Value;
use std::sync::Arc;

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Delivered,
    Retry,
    Reject,
    RenewAuth,
}

/// Runs a case.
pub async fn run(plugin: &Arc<DestinationPlugin>, case: &Value, neighbours: &Neighbours) -> Verdict {
    let body = &case["input"]["request"]["body"];
    let mut request = asked::request(body);
    if let Some(url) = looked_up(case) {
        url.clone_into(&mut request.url);
    }
    let output = &case["output"]["response"]["body"]["output"];
    let events = body["metadata"].as_array().map_or(1, Vec::len).max(1);
    let Some(answer) = answer(case, &request, neighbours) else {
        return Verdict::LeftOut("the vendor's answer was not recorded".to_owned());
    };
    let found = match &answer {
        // The router tries again whatever had no answer.
        Answer::Silence => Ok(vec![Class::Retry]),
        Answer::Response(response) if plugin.manifest().conclude == Conclude::Standard => {
            Ok(vec![Class::from(&Standard::standard(response.status))])
        }
        Answer::Response(response) => {
            let told = &body["destinationConfig"];
            match configured(plugin, told, neighbours).await {
                Ok(destination) => concluded(&destination, &request, response, events).await,
                Err(error) => Err(error),
            }
        }
    };
    let found = match found {
        Ok(found) => found,
        Err(error) => return Verdict::Failed(error),
    };
    let expected = expected(&body["metadata"], output, events);
    let other = contradiction(output);
    let fits = |(at, expected): (usize, &Class)| {
        let found = found[at.min(found.len() - 1)];
        fits(*expected, found) || other == Some(found)
    };
    if expected.iter().enumerate().all(fits) {
        return Verdict::Passed;
    }
    let status = match &answer {
        Answer::Response(response) => response.status.to_string(),
        Answer::Silence => "nothing".to_owned(),
    };
    Verdict::Failed(format!("{found:?} instead of {expected:?} for the answer {status}"))
}

/// The plugin with the case's own configuration, or with one of its neighbours': requests carry what they need,
/// and the recorder's cases do without.
async fn configured(
    plugin: &Arc<DestinationPlugin>,
    own: &Value,
    neighbours: &Neighbours,
) -> Result<Arc<Destination>, String> {
    let mut refusal = "there is no configuration".to_owned();
    for config in [own].into_iter().filter(|own| own.is_object()).chain(&neighbours.configs) {
        match plugin.configure(config).await {
            Ok(destination) => return Ok(destination),
            Err(error) => refusal = error.to_string(),
        }
    }
    Err(format!("no recorded configuration is taken: {refusal}"))
}

/// One class for all events, or one for each.
async fn concluded(
    destination: &Destination,
    request: &Request,
    response: &Response,
    events: usize,
) -> Result<Vec<Class>, String> {
    let verdicts = destination.conclude(request, response, events).await;
    let verdicts = verdicts.map_err(|failure| format!("conclude: {failure}"))?;
    Ok(verdicts.iter().map(Class::from).collect())
}

/// What was recorded, in the order of the events.
fn expected(metadata: &Value, output: &Value, events: usize) -> Vec<Class> {
    let of_all = output["status"].as_u64().unwrap_or_default();
    let Some(told) = output["response"].as_array() else { return vec![of_status(of_all); events] };
    let number = |metadata: &Value| match metadata.get("jobId") {
        Some(number) => number.clone(),
        None => metadata["$asymmetric"]["objectContaining"]["jobId"].clone(),
    };
    let of_event = |at: usize| {
        let job = number(&metadata[at]);
        let named = told.iter().find(|event| !job.is_null() && number(&event["metadata"]) == job);
        let event = named.or_else(|| told.get(at)).unwrap_or(&Value::Null);
        of_status(event["statusCode"].as_u64().unwrap_or(of_all))
    };
    (0..events).map(of_event).collect()
}

/// What else is right: of some failures the recorder says that they are one, with a status that says that they
/// are none.
fn contradiction(output: &Value) -> Option<Class> {
    let succeeded = of_status(output["status"].as_u64()?) == Class::Delivered && output["response"].is_null();
    match output["statTags"]["errorType"].as_str().filter(|_| succeeded)? {
        "retryable" | "throttled" => Some(Class::Retry),
        _ => Some(Class::Reject),
    }
}

/// What the recorder's callers do with a status.
fn of_status(status: u64) -> Class {
    match status {
        200..=299 => Class::Delivered,
        408 | 429 | 500..=599 => Class::Retry,
        _ => Class::Reject,
    }
}

/// New credentials are a reason to try again, and where they cannot be had, to refuse.
fn fits(expected: Class, found: Class) -> bool {
    expected == found || (found == Class::RenewAuth && expected != Class::Delivered)
}

impl From<&Judged> for Class {
    fn from(verdict: &Judged) -> Class {
        match verdict {
            Judged::Delivered => Class::Delivered,
            Judged::Retry(_) => Class::Retry,
            Judged::Reject(_) => Class::Reject,
            Judged::RenewAuth => Class::RenewAuth,
        }
    }
}

impl From<&Standard> for Class {
    fn from(verdict: &Standard) -> Class {
        match verdict {
            Standard::Delivered => Class::Delivered,
            Standard::Retry(_) => Class::Retry,
            Standard::Reject(_) => Class::Reject,
            Standard::RenewAuth => Class::RenewAuth,
        }
    }
}
