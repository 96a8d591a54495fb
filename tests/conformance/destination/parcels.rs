//! What transformed events become on the wire: single requests, or bulk requests where the plugin merges.

use super::exchange;
use super::jobs::{Fate, Job};
use pintle_runtime::destination::{Body, Delivery, Destination, Request};
use serde_json::Value;

/// One thing that is sent, and the jobs that it carries.
pub struct Parcel {
    /// Places of the inputs.
    pub jobs: Vec<usize>,
    /// In the shape that is compared.
    pub sent: Value,
}

/// How much goes into one bulk request.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Requests, at most: the manifest's `batch`.
    pub requests: usize,
    /// Entries of the bulk request's list, at most, where the recorder had set its own bound.
    pub entries: Option<usize>,
}

/// Everything that is sent, bulk requests at the place of their first member.
pub async fn parcels(inputs: &[Value], jobs: &[Job], limits: Limits) -> Result<Vec<Parcel>, String> {
    let mut parcels = Vec::new();
    let mut groups: Vec<(Value, &Destination, Vec<Single>)> = Vec::new();
    for (at, job) in jobs.iter().enumerate() {
        let (Fate::Sent(deliveries), Some(destination)) = (&job.fate, job.destination.as_deref()) else { continue };
        for delivery in deliveries {
            match delivery {
                Delivery::Request(request) if destination.manifest().combine => {
                    let single = Single { job: at, request: request.clone() };
                    let key = group(inputs, at);
                    match groups.iter_mut().find(|(known, ..)| *known == key) {
                        Some((.., singles)) => singles.push(single),
                        None => groups.push((key, destination, vec![single])),
                    }
                }
                other => parcels.push(Parcel { jobs: vec![at], sent: exchange::delivered(other) }),
            }
        }
    }
    for (_, destination, singles) in groups {
        for piece in pieces(&singles, limits) {
            parcels.extend(combined(destination, piece).await?);
        }
    }
    parcels.sort_by_key(|parcel| parcel.jobs.iter().min().copied());
    Ok(parcels)
}

/// A request of one event.
struct Single {
    job: usize,
    request: Request,
}

/// What may share a bulk request: one destination's events. Each configuration is a destination of its own unless
/// it was said not to change from event to event; who must not be merged is alone.
fn group(inputs: &[Value], at: usize) -> Value {
    let input = &inputs[at];
    let destination = &input["destination"];
    if input["metadata"]["dontBatch"] == true {
        return at.into();
    }
    let config = if destination["hasDynamicConfig"] == false { &Value::Null } else { &destination["Config"] };
    serde_json::json!([destination["ID"], config])
}

async fn combined(destination: &Destination, singles: &[Single]) -> Result<Vec<Parcel>, String> {
    let requests: Vec<&Request> = singles.iter().map(|single| &single.request).collect();
    let merged = destination.combine(&requests).await.map_err(|failure| format!("combine: {failure}"))?;
    let mut parcels: Vec<(usize, Parcel)> = Vec::new();
    for (at, single) in singles.iter().enumerate() {
        if merged.iter().all(|combined| !combined.members.contains(&at)) {
            parcels.push((at, Parcel { jobs: vec![single.job], sent: exchange::found(&single.request) }));
        }
    }
    for combined in merged {
        let place = combined.members.iter().min().copied().unwrap_or(usize::MAX);
        let mut jobs: Vec<usize> = combined.members.iter().map(|member| singles[*member].job).collect();
        jobs.dedup();
        parcels.push((place, Parcel { jobs, sent: exchange::found(&combined.request) }));
    }
    parcels.sort_by_key(|(place, _)| *place);
    Ok(parcels.into_iter().map(|(_, parcel)| parcel).collect())
}

/// In order, as many as the limits allow.
fn pieces(singles: &[Single], limits: Limits) -> Vec<&[Single]> {
    let mut pieces = Vec::new();
    let (mut start, mut entries) = (0, 0);
    for (at, single) in singles.iter().enumerate() {
        let more = weight(&single.request);
        let full = at - start >= limits.requests || limits.entries.is_some_and(|most| entries + more > most);
        if full && at > start {
            pieces.push(&singles[start..at]);
            (start, entries) = (at, 0);
        }
        entries += more;
    }
    pieces.push(&singles[start..]);
    pieces
}

/// How many entries a single request already has in its list.
fn weight(request: &Request) -> usize {
    let Body::Json(json) = &request.body else { return 1 };
    let longest = match serde_json::from_slice(json) {
        Ok(Value::Array(entries)) => entries.len(),
        Ok(Value::Object(members)) => {
            members.values().filter_map(Value::as_array).map(Vec::len).max().unwrap_or_default()
        }
        _ => 1,
    };
    longest.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// How many requests each piece gets; they carry lists of these lengths.
    fn sizes(lists: &[usize], requests: usize, entries: Option<usize>) -> Vec<usize> {
        let single = |length: &usize| {
            let body = json!({"body": {"JSON": {"kind": "rows", "rows": vec![0; *length]}}});
            Single { job: 0, request: super::super::asked::request(&body) }
        };
        let singles: Vec<Single> = lists.iter().map(single).collect();
        pieces(&singles, Limits { requests, entries }).into_iter().map(<[Single]>::len).collect()
    }

    #[test]
    fn a_bulk_request_gets_as_much_as_its_bounds_allow() {
        assert_eq!(sizes(&[1; 5], 2, None), [2, 2, 1]);
        assert_eq!(sizes(&[1, 2, 1, 1], 10, Some(3)), [2, 2]);
        assert_eq!(sizes(&[4, 1], 10, Some(3)), [1, 1], "what is too much is alone");
        assert_eq!(sizes(&[0, 0, 0], 10, Some(2)), [2, 1], "without a list it is one entry");
    }

    #[test]
    fn events_share_a_bulk_request_within_a_destination() {
        let input = |id: &str, key: i32, more: Value| {
            let mut input = json!({"destination": {"ID": id, "Config": {"key": key}}, "metadata": {}});
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let of = |left: &Value, right: &Value| {
            let inputs = [left.clone(), right.clone()];
            group(&inputs, 0) == group(&inputs, 1)
        };
        let one = input("a", 1, json!({}));
        assert!(of(&one, &one));
        assert!(!of(&one, &input("b", 1, json!({}))), "another destination");
        assert!(!of(&one, &input("a", 2, json!({}))), "another configuration");
        let fixed = |key: i32| {
            input("a", key, json!({"destination": {"ID": "a", "Config": {"key": key}, "hasDynamicConfig": false}}))
        };
        assert!(of(&fixed(1), &fixed(2)), "which was said to be the same");
        let alone = input("a", 1, json!({"metadata": {"dontBatch": true}}));
        assert!(!of(&alone, &alone));
    }
}
