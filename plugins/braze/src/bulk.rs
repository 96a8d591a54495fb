//! Many requests as few: each of Braze's addresses that is used takes lists.

use crate::config::Config;
use crate::group::{Subscription, Subscriptions};
use crate::identity::Identify;
use crate::marks::Writer;
use crate::merge::Merges;
use crate::tracking::{OBJECTS_MAX, PARTNER};
use pintle_plugin_sdk::{Body, Combined, Request};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Users in one request to any of the other addresses, at most.
const USERS_MAX: usize = 50;

/// The bulk requests that carry these, one address after another: users are identified before anything is said
/// of them, and merged at the end.
#[must_use]
pub fn combine(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let mut combined = identities(config, requests);
    combined.extend(trackings(config, requests));
    combined.extend(subscriptions(config, requests));
    combined.extend(merges(config, requests));
    combined
}

/// The requests to an address, with their places and bodies as far as they can be read.
fn to<'a, T: Deserialize<'a>>(path: &'static str, requests: &'a [Request]) -> impl Iterator<Item = (u32, T)> {
    let fitting = (0_u32..)
        .zip(requests)
        .filter(move |(_, request)| request.url.strip_suffix(path).is_some_and(|host| host.ends_with('/')));
    fitting.filter_map(|(place, request)| match &request.body {
        Body::Json(body) => Some((place, serde_json::from_slice(body).ok()?)),
        _ => None,
    })
}

/// The lists of a request to `/users/track`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Tracking<'a> {
    #[serde(borrow)]
    attributes: Vec<&'a RawValue>,
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
    #[serde(borrow)]
    purchases: Vec<&'a RawValue>,
}

const LISTS: [&str; 3] = ["attributes", "events", "purchases"];

fn trackings(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let mut bulks: Vec<([Writer; 3], Vec<u32>)> = Vec::new();
    for (place, tracking) in to::<Tracking<'_>>("users/track", requests) {
        let given = [tracking.attributes, tracking.events, tracking.purchases];
        let fits = |(lists, _): &&mut ([Writer; 3], Vec<u32>)| {
            lists.iter().zip(&given).all(|(list, more)| list.len() + more.len() <= OBJECTS_MAX)
        };
        if bulks.last_mut().filter(fits).is_none() {
            bulks.push((std::array::from_fn(|_| Writer::new()), Vec::new()));
        }
        let Some((lists, members)) = bulks.last_mut() else { continue };
        for (list, more) in lists.iter_mut().zip(given) {
            list.add(more.into_iter().map(RawValue::get));
        }
        members.push(place);
    }
    let written = |(lists, members): ([Writer; 3], Vec<u32>)| {
        let mut body = format!(r#"{{"partner":"{PARTNER}""#).into_bytes();
        for (name, list) in LISTS.iter().zip(lists).filter(|(_, list)| list.len() > 0) {
            body.extend_from_slice(format!(r#","{name}":"#).as_bytes());
            body.extend(list.end());
        }
        body.push(b'}');
        Combined { request: config.post("users/track", body), members }
    };
    bulks.into_iter().map(written).collect()
}

fn identities(config: &Config, requests: &[Request]) -> Vec<Combined> {
    #[derive(Deserialize)]
    struct Aliases<'a> {
        #[serde(borrow)]
        aliases_to_identify: Vec<&'a RawValue>,
    }
    let all: Vec<(u32, Aliases<'_>)> = to("users/identify", requests).collect();
    let pieces = all.chunks(USERS_MAX).map(|piece| {
        let aliases = piece.iter().flat_map(|(_, body)| &body.aliases_to_identify).collect();
        (config.send("users/identify", &Identify::of(aliases)), piece.iter().map(|(place, _)| *place).collect())
    });
    sent(pieces)
}

fn merges(config: &Config, requests: &[Request]) -> Vec<Combined> {
    #[derive(Deserialize)]
    struct Given<'a> {
        #[serde(borrow)]
        merge_updates: Vec<&'a RawValue>,
    }
    let all: Vec<(u32, Given<'_>)> = to("users/merge", requests).collect();
    let pieces = all.chunks(USERS_MAX).map(|piece| {
        let merge_updates = piece.iter().flat_map(|(_, body)| &body.merge_updates).collect();
        (config.send("users/merge", &Merges { merge_updates }), piece.iter().map(|(place, _)| *place).collect())
    });
    sent(pieces)
}

fn subscriptions(config: &Config, requests: &[Request]) -> Vec<Combined> {
    let all: Vec<(u32, Subscriptions)> = to("v2/subscription/status/set", requests).collect();
    let pieces = all.chunks(USERS_MAX).map(|piece| {
        let mut bulk = Subscriptions::default();
        for given in piece.iter().flat_map(|(_, body)| &body.subscription_groups) {
            join(&mut bulk.subscription_groups, given);
        }
        (config.send("v2/subscription/status/set", &bulk), piece.iter().map(|(place, _)| *place).collect())
    });
    sent(pieces)
}

/// Adds users to those who get the same state in the same group, each once.
fn join(groups: &mut Vec<Subscription>, given: &Subscription) {
    let alike = |group: &&mut Subscription| {
        group.subscription_group_id == given.subscription_group_id
            && group.subscription_state == given.subscription_state
            // Braze refuses addresses and numbers in one entry.
            && (group.emails.is_empty() || given.phones.is_empty())
            && (group.phones.is_empty() || given.emails.is_empty())
    };
    // A user's last word counts, so that nothing may be joined past an entry of the other state.
    let others = groups.iter().rposition(|group| {
        group.subscription_group_id == given.subscription_group_id
            && group.subscription_state != given.subscription_state
    });
    let from = others.map_or(0, |place| place + 1);
    match groups[from..].iter_mut().find(alike) {
        None => groups.push(given.clone()),
        Some(group) => {
            let lists = [
                (&mut group.external_ids, &given.external_ids),
                (&mut group.emails, &given.emails),
                (&mut group.phones, &given.phones),
            ];
            for (known, more) in lists {
                for id in more {
                    if !known.contains(id) {
                        known.push(id.clone());
                    }
                }
            }
        }
    }
}

/// Bulk requests; one that could not be written leaves its members to be sent singly.
fn sent(pieces: impl Iterator<Item = (Result<Request, String>, Vec<u32>)>) -> Vec<Combined> {
    pieces.filter_map(|(request, members)| Some(Combined { request: request.ok()?, members })).collect()
}

#[cfg(test)]
mod tests;
