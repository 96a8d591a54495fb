//! Events one by one: N requests of each.

use super::exchange;
use super::itself::Itself;
use super::jobs::{Fate, jobs};
use super::{now_ms, status};
use crate::compare::{Leeway, difference};
use crate::report::Verdict;
use pintle_runtime::destination::DestinationPlugin;
use serde_json::Value;
use std::sync::Arc;

/// Runs a case and compares requests in order.
pub async fn run(plugin: &Arc<DestinationPlugin>, case: &Value) -> Verdict {
    let inputs = case["input"]["request"]["body"].as_array().map(Vec::as_slice).unwrap_or_default();
    let items = case["output"]["response"]["body"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (mut requests, mut filtered, mut refused) = (Vec::new(), 0, Vec::new());
    for job in jobs(plugin, inputs, now_ms(case)).await {
        match job.fate {
            Fate::Sent(deliveries) => requests.extend(deliveries.iter().map(exchange::delivered)),
            Fate::Filtered => filtered += 1,
            Fate::Refused(reason) => refused.push(reason),
        }
    }
    let count = |wanted: fn(u64) -> bool| items.iter().filter(|item| wanted(status(item))).count();
    let (to_filter, to_refuse) = (count(|status| status == 298), count(|status| status >= 400));
    if (filtered, refused.len()) != (to_filter, to_refuse) {
        let refusals = refused.len();
        return Verdict::Failed(format!(
            "{filtered} filtered and {refusals} refused instead of {to_filter} and {to_refuse}: {refused:?}"
        ));
    }
    let sent = items.iter().filter(|item| (200..298).contains(&status(item)));
    let expected: Vec<Value> = sent.filter_map(|item| item.get("output")).map(exchange::recorded).collect();
    let itself = Itself::of(case, expected.iter());
    requests.retain(|request| !itself.has(request));
    match difference(&Value::Array(expected), &Value::Array(requests), &Leeway::default()) {
        None => Verdict::Passed,
        Some(difference) => Verdict::Failed(difference),
    }
}
