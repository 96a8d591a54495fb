//! What Customer.io's answers mean.

use crate::batch::entries;
use pintle_plugin_sdk::{Request, Response, Verdict};
use serde::Deserialize;

/// The answer to a batch: what is wrong with entries, by their places in it. The others were taken.
#[derive(Default, Deserialize)]
struct Answer {
    #[serde(default)]
    errors: Vec<Wrong>,
}

#[derive(Deserialize)]
struct Wrong {
    #[serde(default)]
    batch_index: usize,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    field: String,
    #[serde(default)]
    message: String,
}

/// One verdict for all that a request carries, or one for each entry of a batch when some were refused.
///
/// A batch that is refused as a whole has one verdict: sent again in parts, all but the guilty entry get through.
pub(crate) fn conclude(request: &Request, response: &Response) -> Vec<Verdict> {
    let whole = standard(response);
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    if whole != Verdict::Delivered || answer.errors.is_empty() {
        return vec![whole];
    }
    let mut verdicts = vec![whole; entries(request)];
    for wrong in answer.errors {
        if let Some(verdict) = verdicts.get_mut(wrong.batch_index) {
            *verdict = Verdict::Reject(wrong.to_string());
        }
    }
    verdicts
}

/// 2xx was taken; 408, 429 and 5xx may pass; all else never will, in Customer.io's words.
fn standard(response: &Response) -> Verdict {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(default)]
        message: String,
        #[serde(default)]
        meta: Meta,
    }
    #[derive(Default, Deserialize)]
    struct Meta {
        #[serde(default)]
        error: String,
    }
    match Verdict::standard(response.status) {
        Verdict::Reject(reason) => {
            let said = serde_json::from_slice(&response.body).ok();
            let said = said.map(|Refusal { message, meta }| if message.is_empty() { meta.error } else { message });
            Verdict::Reject(match said.filter(|said| !said.is_empty()) {
                Some(said) => format!("{reason}: {said}"),
                None => reason,
            })
        }
        verdict => verdict,
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [&self.reason, &self.field, &self.message];
        let said: Vec<&str> = parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        if said.is_empty() { f.write_str("Customer.io refused the entry") } else { f.write_str(&said.join(": ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_plugin_sdk::Method;
    use serde_json::{Value, json};

    fn conclude(request: &Value, status: u16, body: &Value) -> Vec<Verdict> {
        let request = Request::post_json("https://track.customer.io/api/v2/batch", request);
        super::conclude(&request, &Response { status, headers: Vec::new(), body: body.to_string().into_bytes() })
    }

    #[test]
    fn an_entry_that_is_refused_does_not_touch_its_neighbours() {
        let batch = json!({"batch": [{"type": "person"}, {"type": "person"}, {"type": "object"}]});
        let answer = json!({"errors": [{"batch_index": 2, "reason": "required", "field": "identifiers", "message": "is missing"}]});
        let refused = Verdict::Reject("required: identifiers: is missing".to_owned());
        assert_eq!(conclude(&batch, 207, &answer), [Verdict::Delivered, Verdict::Delivered, refused]);
        assert_eq!(conclude(&batch, 200, &json!({})), [Verdict::Delivered]);
        let unplaced = json!({"errors": [{"batch_index": 9, "message": "of another batch"}]});
        assert_eq!(conclude(&batch, 207, &unplaced), [Verdict::Delivered, Verdict::Delivered, Verdict::Delivered]);
    }

    #[test]
    fn a_batch_that_is_refused_has_one_verdict_with_the_reason() {
        let batch = json!({"batch": [{}, {}]});
        let refused = Verdict::Reject("the destination answered 401: Unauthorized".to_owned());
        assert_eq!(conclude(&batch, 401, &json!({"message": "Unauthorized"})), [refused]);
        assert_eq!(conclude(&batch, 503, &json!(null)), [Verdict::Retry(None)]);
        let request = Request::new(Method::Delete, "https://track.customer.io/api/v1/customers/a/devices/b");
        let response = Response { status: 429, headers: Vec::new(), body: Vec::new() };
        assert_eq!(super::conclude(&request, &response), [Verdict::Retry(None)]);
    }
}
