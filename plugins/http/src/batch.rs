//! Several requests as one: those to the same address with the same headers, their bodies as a list.

use pintle_plugin_sdk::{Body, Combined, Request};

/// Bytes of a bulk body, as the manifest says.
const BYTES_MAX: usize = 4 << 20;

/// Bulk requests of at most so many events. A request that has no other of its kind becomes a list of one, so that
/// what belongs to one call looks the same; requests without bodies become one request with an empty list.
#[must_use]
pub fn combine(requests: Vec<Request>, events: usize) -> Vec<Combined> {
    let mut groups: Vec<Group> = Vec::new();
    for (place, request) in requests.into_iter().enumerate() {
        let Ok(place) = u32::try_from(place) else { break };
        let body = match &request.body {
            Body::Json(json) => json.as_slice(),
            Body::None => &[],
            Body::Form(_) | Body::Xml(_) | Body::Raw(_) => continue,
        };
        // A new group for the same address takes the place of the one that is full.
        let open = groups.iter_mut().rev().find(|group| group.is_for(&request));
        match open.filter(|group| group.has_room(body, events)) {
            Some(group) => group.add(place, body),
            None => {
                let mut group = Group { json: vec![b'['], members: Vec::new(), request: request.clone() };
                group.add(place, body);
                groups.push(group);
            }
        }
    }
    groups.into_iter().map(Group::end).collect()
}

struct Group {
    request: Request,
    json: Vec<u8>,
    members: Vec<u32>,
}

impl Group {
    fn is_for(&self, other: &Request) -> bool {
        let Request { method, url, query, headers, .. } = &self.request;
        (*method, url, query, headers) == (other.method, &other.url, &other.query, &other.headers)
    }

    fn has_room(&self, body: &[u8], events: usize) -> bool {
        self.members.len() < events && self.json.len() + body.len() + 2 <= BYTES_MAX
    }

    fn add(&mut self, place: u32, body: &[u8]) {
        self.members.push(place);
        if self.json.len() > 1 && !body.is_empty() {
            self.json.push(b',');
        }
        self.json.extend_from_slice(body);
    }

    fn end(mut self) -> Combined {
        self.json.push(b']');
        self.request.body = Body::Json(self.json);
        Combined { request: self.request, members: self.members }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pintle_plugin_sdk::Method;

    fn request(url: &str, body: Option<&str>) -> Request {
        let body = body.map_or(Body::None, |json| Body::Json(json.as_bytes().to_vec()));
        Request { body, ..Request::new(Method::Post, url) }
    }

    /// The bodies and members of what comes out.
    fn combined(requests: &[Request], events: usize) -> Vec<(String, Vec<u32>)> {
        let each = combine(requests.to_vec(), events).into_iter();
        each.map(|combined| match combined.request.body {
            Body::Json(json) => (String::from_utf8(json).unwrap(), combined.members),
            other => panic!("{other:?}"),
        })
        .collect()
    }

    #[test]
    fn requests_to_the_same_address_become_lists() {
        let (here, there) = (|body| request("https://a.example", Some(body)), request("https://b.example", Some("{}")));
        let requests = [here("{\"n\":1.0}"), there.clone(), here("2"), here("3"), there.clone().header("x-a", "b")];
        let expected = [("[{\"n\":1.0},2]", vec![0, 2]), ("[{}]", vec![1]), ("[3]", vec![3]), ("[{}]", vec![4])];
        assert_eq!(combined(&requests, 2), expected.map(|(body, members)| (body.to_owned(), members)));
    }

    #[test]
    fn requests_without_bodies_become_one() {
        let requests = [request("https://a.example", None), request("https://a.example", None)];
        assert_eq!(combined(&requests, 10), [("[]".to_owned(), vec![0, 1])]);
    }

    #[test]
    fn a_bulk_body_has_its_limit_and_other_bodies_stay_alone() {
        let long = format!("\"{}\"", "x".repeat(BYTES_MAX / 2));
        let requests = [request("https://a.example", Some(&long)), request("https://a.example", Some(&long))];
        assert_eq!(combined(&requests, 10).len(), 2);
        let mut form = request("https://a.example", None);
        form.body = Body::Form(Vec::new());
        assert!(combine(vec![form], 10).is_empty());
    }
}
