//! Test runs and shadow runs: code over events, nothing delivered.

use super::{Api, body, code};
use crate::comparison;
use crate::problem::{Code, Problem};
use crate::views::trials::{ShadowBody, TrialBody, TrialView};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// POST /transformations/{id}/test
pub(super) async fn test(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Json<TrialView>, Problem> {
    let office = api.office()?;
    let asked: TrialBody = body::json(&api, request.into_body()).await?;
    at_most(asked.events.len(), api.config.trial_events_max, "trial-events-max")?;
    let events = asked.events.into_iter().enumerate().map(|(index, event)| sent(index, event));
    let events = events.collect::<Result<Vec<_>, _>>()?;
    let (catalog, candidate) = code::candidate(office, &id, asked.version.as_deref())?;
    Ok(Json(office.workshop.trial(catalog, candidate, events).await?.map_err(Problem::from)?))
}

/// An event as it was sent: alone, or with its metadata.
fn sent(index: usize, event: Value) -> Result<(Box<RawValue>, Box<RawValue>), Problem> {
    let wrong = |why: &str| Problem::new(Code::BadRequest, format!("events[{index}] {why}"));
    let Value::Object(mut fields) = event else { return Err(wrong("is not a JSON object")) };
    let is_wrapped = fields.get("message").is_some_and(Value::is_object)
        && fields.keys().all(|key| key == "message" || key == "metadata");
    let (message, metadata) = match is_wrapped {
        true => (fields.remove("message").unwrap_or_default(), fields.remove("metadata").unwrap_or_default()),
        false => (Value::Object(fields), Value::Null),
    };
    let metadata = match metadata {
        Value::Null => serde_json::json!({"messageId": message["messageId"], "eventType": message["type"]}),
        Value::Object(fields) => Value::Object(fields),
        _ => return Err(wrong("has metadata that are not a JSON object")),
    };
    let raw = |value: &Value| to_raw_value(value).expect("a JSON value is JSON");
    Ok((raw(&message), raw(&metadata)))
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: Option<String>,
}

/// POST /transformations/{id}/shadow
pub(super) async fn shadow(
    State(api): State<Api>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let office = api.office()?;
    let (head, sent) = request.into_parts();
    let form: Form = body::query(&head.uri, "format (json, text or markdown)")?;
    let render = match form.format.as_deref() {
        None | Some("json") => None,
        Some("text") => Some((comparison::text as fn(&_) -> _, "text/plain; charset=utf-8")),
        Some("markdown") => Some((comparison::markdown as fn(&_) -> _, "text/markdown; charset=utf-8")),
        Some(other) => {
            let detail = format!("{other:?} is not a format; use json, text or markdown");
            return Err(Problem::new(Code::BadRequest, detail));
        }
    };
    let asked: ShadowBody = body::json(&api, sent).await?;
    at_most(asked.events, api.config.shadow_events_max, "shadow-events-max")?;
    let which = asked.version.as_deref().unwrap_or("draft");
    let (catalog, candidate) = code::candidate(office, &id, Some(which))?;
    let view = office.workshop.shadow(catalog, candidate, asked).await?.map_err(Problem::from)?;
    Ok(match render {
        None => Json(view).into_response(),
        Some((render, kind)) => ([(header::CONTENT_TYPE, kind)], render(&view)).into_response(),
    })
}

fn at_most(events: usize, max: usize, name: &str) -> Result<(), Problem> {
    if events == 0 || events > max {
        let detail = format!("{events} events are asked for; use 1 to {max} ({name})");
        return Err(Problem::new(Code::BadRequest, detail));
    }
    Ok(())
}
