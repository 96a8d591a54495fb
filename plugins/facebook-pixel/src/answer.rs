//! What an answer means: <https://developers.facebook.com/docs/graph-api/guides/error-handling>,
//! <https://developers.facebook.com/docs/graph-api/overview/rate-limiting>.

use pintle_plugin_sdk::tree::Look as _;
use pintle_plugin_sdk::{Response, Verdict};
use serde_json::Value;

/// Too many calls: of the app, of the user, of the page, of the object, of the business.
const LIMITS: [i64; 6] = [4, 17, 32, 341, 368, 613];
/// Limits of one kind of use of a business, each with a code.
const BUSINESS_LIMITS: std::ops::RangeInclusive<i64> = 80_000..=80_014;

/// Something of Meta's is down, or not ready yet.
const PASSING: [i64; 3] = [1, 2, 21_009];

/// The method, the parameters, the token, the session, a duplicate, an object that is not there.
const PERMANENT: [i64; 11] = [3, 10, 33, 100, 102, 104, 190, 506, 803, 2500, 2635];
/// Permissions that are missing.
const PERMISSIONS: std::ops::RangeInclusive<i64> = 200..=299;

/// The longest wait that a limit may ask for.
const WAIT_MAX_MINUTES: u64 = 60;

/// The verdict on the event that was sent.
///
/// Meta's code counts, and not the HTTP status, which is 400 or 500 for anything. A code that nobody knows says
/// nothing against the event: it is tried again, unless Meta says that it will not pass.
#[must_use]
pub fn verdict(response: &Response) -> Verdict {
    let answer: Option<Value> = serde_json::from_slice(&response.body).ok();
    let Some(error) = answer.as_ref().and_then(|answer| answer.at("error")).filter(|error| error.is_object()) else {
        return Verdict::standard(response.status);
    };
    let code = error.at("code").and_then(Value::as_i64).unwrap_or_default();
    let is_transient = error.at("is_transient").and_then(Value::as_bool);
    if LIMITS.contains(&code) || BUSINESS_LIMITS.contains(&code) {
        return Verdict::Retry(wait_ms(response));
    }
    let known = PERMANENT.contains(&code) || PERMISSIONS.contains(&code);
    if is_transient == Some(true) || PASSING.contains(&code) || (!known && is_transient.is_none()) {
        return Verdict::Retry(None);
    }
    Verdict::Reject(reason(error, code))
}

fn reason(error: &Value, code: i64) -> String {
    let message = error.text(&["error_user_msg", "message"]).unwrap_or_default();
    match error.at("error_subcode").and_then(Value::as_i64) {
        Some(subcode) => format!("Meta answered with error {code}, {subcode}: {message}"),
        None => format!("Meta answered with error {code}: {message}"),
    }
}

/// How long the limit lasts, where the answer says it.
fn wait_ms(response: &Response) -> Option<u64> {
    let (_, usage) = response.headers.iter().find(|(name, _)| name == "x-business-use-case-usage")?;
    let usage: Value = serde_json::from_str(usage).ok()?;
    let uses = usage.as_object()?.values().filter_map(Value::as_array).flatten();
    let minutes = uses.filter_map(|usage| usage.at("estimated_time_to_regain_access")?.as_u64()).max()?;
    (minutes > 0).then(|| minutes.min(WAIT_MAX_MINUTES) * 60_000)
}

#[cfg(test)]
mod tests;
