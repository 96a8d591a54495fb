//! Requests that the recorder's transform sent itself, instead of giving them to its caller.
//!
//! Pintle's transforms send nothing: what must be sent is among their requests. Of the recorder's own only method
//! and address are known (`networkCalls`), so that is all that can be compared.

use super::exchange;
use serde_json::{Map, Value};

/// Method and address of each.
pub struct Itself(Vec<(String, String)>);

impl Itself {
    /// Those of a case that are not among what was recorded as its output.
    pub fn of<'a>(case: &Value, recorded: impl Iterator<Item = &'a Value> + Clone) -> Itself {
        let calls = case["networkCalls"].as_array().into_iter().flatten();
        let calls = calls.filter_map(|call| {
            let (method, url) = call.as_str()?.split_once(' ')?;
            Some((method.to_uppercase(), exchange::with_query(url, &mut Map::new())))
        });
        let given = |call: &(String, String)| recorded.clone().any(|request| is(request, call));
        Itself(calls.filter(|call| !given(call)).collect())
    }

    /// Whether a request of ours is one of them.
    pub fn has(&self, request: &Value) -> bool {
        self.0.iter().any(|call| is(request, call))
    }
}

fn is(request: &Value, (method, endpoint): &(String, String)) -> bool {
    request["method"] == method.as_str() && request["endpoint"] == endpoint.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_recorder_sent_itself_is_known_by_method_and_address() {
        let case =
            json!({"networkCalls": ["POST https://a.example/names/", "GET https://a.example/names", "nonsense"]});
        let request =
            |method: &str, name: &str| json!({"method": method, "endpoint": format!("https://a.example/{name}")});
        let itself = Itself::of(&case, [].iter());
        assert!(itself.has(&request("POST", "names")) && itself.has(&request("GET", "names")));
        assert!(!itself.has(&request("PUT", "names")) && !itself.has(&request("POST", "others")));
        let recorded = [request("POST", "names")];
        assert!(!Itself::of(&case, recorded.iter()).has(&recorded[0]), "it was given to the caller");
    }
}
