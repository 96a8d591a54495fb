//! Has the plugin make bulk requests of deliveries that were gathered. One call for all of them; nothing is sent.

use super::Shared;
use super::bulk::Bulk;
use super::item::Live;
use crate::delivery::body_bytes;
use pintle_runtime::destination::{Combined, Request};
use std::collections::HashMap;
use tracing::warn;

/// What the plugin made of them.
#[derive(Debug, Default)]
pub(super) struct Planned {
    pub(super) bulks: Vec<Bulk>,
    /// Those that come again, by themselves or in less company, in their order.
    pub(super) back: Vec<Box<Live>>,
    /// Deliveries of one key went into different requests, or out of their order.
    pub(super) out_of_order: bool,
}

/// The bulk request that carries this one alone; nothing where the plugin leaves it as it is.
pub(super) async fn alone(shared: &Shared, request: &Request) -> Option<Request> {
    match shared.plugin.combine(&[request]).await {
        Ok(combined) => combined.into_iter().next().map(|combined| combined.request),
        Err(failure) => {
            note(shared, &format!("the plugin could not combine a request, it goes as it is: {failure}"));
            None
        }
    }
}

/// Says that the plugin failed. No event is lost over it.
fn note(shared: &Shared, error: &str) {
    warn!(destination = %shared.destination_id, %error, "combine failed");
    shared.board.error(error);
    shared.metrics.uncombined.increment(1);
}

pub(super) async fn plan(shared: &Shared, mut members: Vec<Box<Live>>) -> Planned {
    let requests: Vec<&Request> = members.iter().filter_map(|live| live.combinable()).collect();
    let combined = match shared.plugin.combine(&requests).await {
        Ok(combined) => combined,
        Err(failure) => {
            // No event is lost over it: all of them have requests of their own.
            let count = members.len();
            note(shared, &format!("the plugin could not combine {count} requests, they go one by one: {failure}"));
            members.iter_mut().for_each(|live| live.company = 1);
            return Planned { back: members, ..Planned::default() };
        }
    };
    let keys: Vec<u64> = members.iter().map(|live| live.delivery.key_hash).collect();
    if !keeps_order(&keys, &combined) {
        return Planned { back: members, out_of_order: true, ..Planned::default() };
    }
    divide(shared, members, combined)
}

fn divide(shared: &Shared, members: Vec<Box<Live>>, combined: Vec<Combined>) -> Planned {
    let bytes_max = shared.bounds.map_or(usize::MAX, |bounds| bounds.bytes);
    let mut bulks = Vec::with_capacity(combined.len());
    let mut back = Vec::new();
    let mut members: Vec<Option<Box<Live>>> = members.into_iter().map(Some).collect();
    for Combined { request, members: places } in combined {
        let (half, is_shared) = (places.len().div_ceil(2), places.len() > 1);
        let taken = places.into_iter().filter_map(|place| Some((place, members.get_mut(place)?.take()?)));
        if is_shared && body_bytes(&request.body) > bytes_max {
            shared.metrics.halved.increment(1);
            back.extend(taken.map(|(place, mut live)| {
                live.company = half;
                (place, live)
            }));
        } else {
            bulks.push(Bulk { request, members: taken.map(|(_, live)| live).collect() });
        }
    }
    for (place, left_out) in members.into_iter().enumerate() {
        if let Some(mut live) = left_out {
            live.company = 1;
            back.push((place, live));
        }
    }
    back.sort_by_key(|(place, _)| *place);
    Planned { bulks, back: back.into_iter().map(|(_, live)| live).collect(), out_of_order: false }
}

/// Whether all deliveries of a key are in one request and in their order, or all left out: requests are sent at
/// the same time, and what is left out goes one after another.
fn keeps_order(keys: &[u64], combined: &[Combined]) -> bool {
    // For each key: the request that carries it, and its last place there.
    let mut seen: HashMap<u64, (usize, usize)> = HashMap::with_capacity(keys.len());
    let mut carried = vec![false; keys.len()];
    for (number, Combined { members: places, .. }) in combined.iter().enumerate() {
        for place in places {
            carried[*place] = true;
            if let Some((request, before)) = seen.insert(keys[*place], (number, *place))
                && (request != number || before > *place)
            {
                return false;
            }
        }
    }
    keys.iter().zip(carried).all(|(key, carried)| carried || !seen.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_runtime::destination::{Body, Method};

    fn keeps(keys: &[u64], combined: &[&[usize]]) -> bool {
        let request = Request {
            method: Method::Post,
            url: String::new(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            gzip: false,
        };
        let each = combined.iter();
        let combined: Vec<_> =
            each.map(|members| Combined { request: request.clone(), members: members.to_vec() }).collect();
        keeps_order(keys, &combined)
    }

    #[test]
    fn events_of_a_key_stay_together_and_in_order() {
        assert!(keeps(&[1, 2, 1, 3], &[&[0, 1, 2, 3]]));
        assert!(keeps(&[1, 2, 1, 3], &[&[1, 3], &[0, 2]]), "other keys may be elsewhere");
        assert!(keeps(&[1, 2, 1, 3], &[&[3, 1]]), "what is left out goes one by one");
        assert!(keeps(&[1, 2, 3], &[&[2, 0, 1]]), "keys have no order among themselves");
        assert!(!keeps(&[1, 2, 1, 3], &[&[2, 1, 0]]), "the later one first");
        assert!(!keeps(&[1, 2, 1, 3], &[&[0, 1], &[2, 3]]), "two requests at the same time");
        assert!(!keeps(&[1, 2, 1, 3], &[&[0, 1]]), "the later one by itself");
        assert!(!keeps(&[1, 2, 1, 3], &[&[1, 2]]), "the earlier one by itself");
    }
}
