//! Whether a plugin's bulk requests carry what it was given: each request at most once, none made up. A
//! request that two bulk requests carry would arrive twice, and nobody could tell which verdict is its own.

use super::Combined;
use crate::CallFailure;

/// Checks what `combine` made of `given` requests.
pub(super) fn check(combined: &[Combined], given: usize) -> Result<(), CallFailure> {
    let mut seen = vec![false; given];
    for Combined { members, .. } in combined {
        if members.is_empty() {
            return Err(CallFailure::BadOutput("it gave a combined request without members".to_owned()));
        }
        for member in members {
            let why = match seen.get_mut(*member) {
                Some(seen) if !*seen => {
                    *seen = true;
                    continue;
                }
                Some(_) => "twice",
                None => "which does not exist",
            };
            return Err(CallFailure::BadOutput(format!("it combined request {member}, {why}, of {given}")));
        }
    }
    Ok(())
}

/// Checks how many verdicts `conclude` gave on a request with so many members: one for all, or one for each.
pub(super) fn check_verdicts(verdicts: usize, members: usize) -> Result<(), CallFailure> {
    if verdicts == 1 || verdicts == members {
        return Ok(());
    }
    let events = if members == 1 { "event" } else { "events" };
    Err(CallFailure::BadOutput(format!("it gave {verdicts} verdicts for {members} {events}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::{Body, Method, Request};

    fn combined(members: &[&[usize]]) -> Vec<Combined> {
        let request = Request {
            method: Method::Post,
            url: "https://a.example/".to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Body::None,
            gzip: false,
        };
        members.iter().map(|members| Combined { request: request.clone(), members: members.to_vec() }).collect()
    }

    #[test]
    fn every_request_is_carried_once_at_most() {
        for good in [&[&[0, 1, 2][..]][..], &[&[2, 0], &[1]], &[&[1]], &[]] {
            assert_eq!(check(&combined(good), 3), Ok(()), "{good:?}");
        }
        for (bad, part) in [
            (&[&[0, 1][..], &[1, 2]][..], "1, twice"),
            (&[&[0, 0]], "0, twice"),
            (&[&[0, 3]], "3, which does not exist"),
            (&[&[0], &[]], "without members"),
        ] {
            let Err(CallFailure::BadOutput(why)) = check(&combined(bad), 3) else { panic!("{bad:?}") };
            assert!(why.contains(part), "{why}");
        }
    }

    #[test]
    fn there_is_one_verdict_for_all_or_one_for_each() {
        assert!([(1, 1), (1, 5), (5, 5)].iter().all(|(verdicts, members)| check_verdicts(*verdicts, *members).is_ok()));
        for (verdicts, members) in [(0, 1), (2, 1), (4, 5), (6, 5), (0, 5)] {
            assert!(check_verdicts(verdicts, members).is_err(), "{verdicts} for {members}");
        }
        let Err(CallFailure::BadOutput(why)) = check_verdicts(3, 5) else { panic!() };
        assert_eq!(why, "it gave 3 verdicts for 5 events");
    }
}
