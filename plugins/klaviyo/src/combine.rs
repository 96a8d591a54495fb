//! Subscription jobs of several people as one.
//!
//! Klaviyo takes 1000 people in a job that subscribes and 100 in one that unsubscribes. Profiles and events have
//! no such list at the endpoints used here and go one by one.

use crate::mapping::IMPORT;
use crate::subscription::{CREATE, DELETE};
use pintle_plugin_sdk::tree::Look as _;
use pintle_plugin_sdk::{Body, Combined, Request};
use serde_json::Value;

/// Where a job has its people: today's place, and that of 2023.
const PEOPLE: [&str; 2] = ["/data/attributes/profiles/data", "/data/attributes/subscriptions"];

/// A job that others may still join.
struct Job<'a> {
    request: &'a Request,
    document: Value,
    list: String,
    /// Whether it stands behind the import of its person's profile, and so must come behind other imports as well.
    is_identify: bool,
    members: Vec<u32>,
}

/// Merges jobs for the same list. Whoever asks twice is asked for in that order: a wish never comes before an
/// earlier one that says the opposite.
#[must_use]
pub fn combine(requests: &[Request]) -> Vec<Combined> {
    let mut jobs: Vec<Job<'_>> = Vec::new();
    for (at, (place, request)) in (0..).zip(requests).enumerate() {
        let Some(document) = job(request) else { continue };
        let Some(list) = list(&document) else { continue };
        let is_identify = at.checked_sub(1).is_some_and(|before| is_import_of(&requests[before], &document));
        let is_open = |job: &Job<'_>| {
            job.list == list
                && job.is_identify == is_identify
                && job.request.url == request.url
                && job.request.headers == request.headers
                && people(&job.document).len() < people_max(&request.url)
        };
        let overtakes = |job: &Job<'_>| job.list == list && shares(&job.document, &document);
        let joined = jobs.iter().rposition(is_open).filter(|open| !jobs[open + 1..].iter().any(overtakes));
        match joined {
            Some(open) => {
                let job = &mut jobs[open];
                if let Some(all) = people_mut(&mut job.document) {
                    all.extend(people(&document).iter().cloned());
                    job.members.push(place);
                }
            }
            None => jobs.push(Job { request, document, list, is_identify, members: vec![place] }),
        }
    }
    let merged = jobs.into_iter().filter(|job| job.members.len() > 1);
    merged
        .map(|job| Combined {
            request: Request {
                headers: job.request.headers.clone(),
                ..Request::post_json(&job.request.url, &job.document)
            },
            members: job.members,
        })
        .collect()
}

/// How many people a job may have, as Klaviyo's reference says of each endpoint.
fn people_max(url: &str) -> usize {
    if url == CREATE { 1000 } else { 100 }
}

/// The people of a job.
pub(crate) fn people(document: &Value) -> &[Value] {
    PEOPLE.iter().find_map(|place| document.pointer(place)?.as_array()).map_or(&[], Vec::as_slice)
}

fn people_mut(document: &mut Value) -> Option<&mut Vec<Value>> {
    let place = PEOPLE.iter().find(|place| document.pointer(place).is_some())?;
    document.pointer_mut(place)?.as_array_mut()
}

/// The document of a request that is a job.
pub(crate) fn job(request: &Request) -> Option<Value> {
    let Body::Json(body) = &request.body else { return None };
    [CREATE, DELETE].contains(&request.url.as_str()).then(|| serde_json::from_slice(body).ok())?
}

fn list(document: &Value) -> Option<String> {
    document.text(&["data.relationships.list.data.id", "data.attributes.list_id"])
}

/// Whether a request imports the profile of a job's person.
fn is_import_of(request: &Request, job: &Value) -> bool {
    let Body::Json(body) = &request.body else { return false };
    if request.url != IMPORT {
        return false;
    }
    let profile: Value = serde_json::from_slice(body).unwrap_or_default();
    profile.at("data").is_some_and(|profile| people(job).iter().any(|person| is_same(profile, person)))
}

/// Whether two jobs have somebody in common.
fn shares(one: &Value, other: &Value) -> bool {
    people(one).iter().any(|person| people(other).iter().any(|another| is_same(person, another)))
}

fn is_same(one: &Value, other: &Value) -> bool {
    [["attributes.email", "email"], ["attributes.phone_number", "phone_number"]].iter().any(|paths| {
        let found = one.text(paths);
        found.is_some() && found == other.text(paths)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::mapping;
    use serde_json::json;

    fn requests(version: &str, events: &[Value]) -> Vec<Request> {
        let config = Config::read(&json!({"privateApiKey": "pk_1", "apiVersion": version})).unwrap();
        let raw = |event: &Value| serde_json::value::to_raw_value(event).unwrap();
        events.iter().flat_map(|event| mapping::requests(&config, &raw(event)).unwrap()).collect()
    }

    fn member(email: &str, list: &str, subscribe: bool) -> Value {
        json!({"type": "group", "groupId": list, "traits": {"email": email, "subscribe": subscribe, "consent": "email"}})
    }

    fn emails(combined: &Combined) -> Vec<String> {
        let Body::Json(body) = &combined.request.body else { panic!() };
        let document: Value = serde_json::from_slice(body).unwrap();
        people(&document).iter().map(|person| person.text(&["attributes.email", "email"]).unwrap()).collect()
    }

    #[test]
    fn people_of_one_list_share_a_job() {
        let events = [
            member("ada@example.org", "L1", true),
            member("bo@example.org", "L2", true),
            member("cy@example.org", "L1", true),
            member("di@example.org", "L1", false),
        ];
        for version in ["v1", "v2", "v3"] {
            let combined = combine(&requests(version, &events[..if version == "v1" { 3 } else { 4 }]));
            assert_eq!(combined.len(), 1, "{version}");
            assert_eq!(combined[0].members, [0, 2]);
            assert_eq!(emails(&combined[0]), ["ada@example.org", "cy@example.org"]);
        }
    }

    #[test]
    fn a_later_wish_does_not_overtake_an_earlier_one() {
        let events = [
            member("ada@example.org", "L1", true),
            member("ada@example.org", "L1", false),
            member("ada@example.org", "L1", true),
            member("bo@example.org", "L1", true),
            member("cy@example.org", "L1", false),
        ];
        let combined = combine(&requests("v3", &events));
        let members: Vec<&[u32]> = combined.iter().map(|combined| combined.members.as_slice()).collect();
        assert_eq!(members, [&[1, 4][..], &[2, 3]]);
    }

    #[test]
    fn subscriptions_behind_an_import_are_kept_apart_from_those_without() {
        let identify = |email: &str| {
            let wish = json!({"subscribe": true, "listId": "L1", "consent": ["email"]});
            json!({"type": "identify", "userId": email, "traits": {"email": email, "properties": wish}})
        };
        let events = [identify("ada@example.org"), member("bo@example.org", "L1", true), identify("cy@example.org")];
        let combined = combine(&requests("v2", &events));
        assert_eq!(combined.len(), 1);
        assert_eq!(combined[0].members, [1, 4]);
    }

    #[test]
    fn a_job_is_no_larger_than_klaviyo_takes() {
        let events: Vec<Value> = (0..250).map(|n| member(&format!("p{n}@example.org"), "L1", false)).collect();
        let sizes: Vec<usize> = combine(&requests("v3", &events)).iter().map(|job| job.members.len()).collect();
        assert_eq!(sizes, [100, 100, 50]);
    }
}
