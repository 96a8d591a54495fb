//! Several events at once: transformed, merged where the plugin merges, and compared output by output.

use super::itself::Itself;
use super::jobs::{Fate, Job, jobs};
use super::now_ms;
use super::outputs::{Output, outputs};
use super::parcels::{Limits, Parcel, parcels};
use crate::compare::{Leeway, difference, short};
use crate::report::Verdict;
use pintle_runtime::destination::DestinationPlugin;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Runs a case. The order of outputs is free, and of the requests within one unless they are a single event's.
pub async fn run(plugin: &Arc<DestinationPlugin>, case: &Value) -> Verdict {
    let Some(inputs) = case["input"]["request"]["body"]["input"].as_array() else {
        return Verdict::LeftOut(
            "it has no list of events, which only the recorder's own interface can lack".to_owned(),
        );
    };
    let recorded = case["output"]["response"]["body"]["output"].as_array();
    let expected = match outputs(inputs, recorded.map(Vec::as_slice).unwrap_or_default()) {
        Ok(expected) => expected,
        Err(reason) => return Verdict::LeftOut(reason),
    };
    let jobs = jobs(plugin, inputs, now_ms(case)).await;
    let requests = plugin.manifest().batch.map_or(usize::MAX, |batch| batch.events.get());
    let mut parcels = match parcels(inputs, &jobs, Limits { requests, entries: entries_max(case) }).await {
        Ok(parcels) => parcels,
        Err(error) => return Verdict::Failed(error),
    };
    let recorded = expected.iter().filter_map(|output| match output {
        Output::Sent { requests, .. } => Some(requests),
        Output::Filtered { .. } | Output::Refused { .. } => None,
    });
    let itself = Itself::of(case, recorded.flatten());
    parcels.retain(|parcel| !itself.has(&parcel.sent));
    let name = |job: &usize| inputs[*job]["metadata"]["jobId"].to_string();
    let in_order = !plugin.manifest().combine;
    match expected.iter().find_map(|output| differs(output, &jobs, &parcels, in_order, &name)) {
        None => Verdict::Passed,
        Some(difference) => Verdict::Failed(difference),
    }
}

/// The bound that the recorder ran with, if it was not its own.
fn entries_max(case: &Value) -> Option<usize> {
    let overrides = case["mocks"]["configOverrides"].as_array()?.first()?.as_object()?;
    overrides.values().find_map(Value::as_u64).and_then(|most| usize::try_from(most).ok())
}

fn differs(
    output: &Output,
    jobs: &[Job],
    parcels: &[Parcel],
    in_order: bool,
    name: &impl Fn(&usize) -> String,
) -> Option<String> {
    let unlike = |wanted: &[usize], fits: fn(&Fate) -> bool, what: &str| {
        let other = wanted.iter().find(|job| !fits(&jobs[**job].fate))?;
        let became = match &jobs[*other].fate {
            Fate::Sent(_) => "sent".to_owned(),
            Fate::Filtered => "filtered".to_owned(),
            Fate::Refused(reason) => format!("refused ({reason})"),
        };
        Some(format!("job {} is {became} instead of {what}", name(other)))
    };
    match output {
        Output::Filtered { jobs } => unlike(jobs, |fate| matches!(fate, Fate::Filtered), "filtered"),
        Output::Refused { jobs } => unlike(jobs, |fate| matches!(fate, Fate::Refused(_)), "refused"),
        Output::Sent { jobs: wanted, requests } => {
            if let Some(unlike) = unlike(wanted, |fate| matches!(fate, Fate::Sent(_)), "sent") {
                return Some(unlike);
            }
            let names = |jobs: &BTreeSet<usize>| jobs.iter().map(name).collect::<Vec<_>>().join(", ");
            let wanted: BTreeSet<usize> = wanted.iter().copied().collect();
            let ours: Vec<&Parcel> =
                parcels.iter().filter(|parcel| parcel.jobs.iter().any(|job| wanted.contains(job))).collect();
            let together: BTreeSet<usize> = ours.iter().flat_map(|parcel| parcel.jobs.iter().copied()).collect();
            if !together.is_subset(&wanted) {
                return Some(format!("jobs {} go together instead of {}", names(&together), names(&wanted)));
            }
            let sent: Vec<&Value> = ours.iter().map(|parcel| &parcel.sent).collect();
            let differs = requests_differ(requests, &sent, in_order && wanted.len() == 1)?;
            Some(format!("jobs {}: {differs}", names(&wanted)))
        }
    }
}

/// The first request that is not there, beside the one of ours that is most likely meant to be it.
fn requests_differ(expected: &[Value], found: &[&Value], in_order: bool) -> Option<String> {
    let leeway = Leeway::default();
    if in_order {
        let found = found.iter().map(|found| (*found).clone()).collect();
        return difference(&Value::Array(expected.to_vec()), &Value::Array(found), &leeway);
    }
    let mut left = found.to_vec();
    let mut missing = Vec::new();
    for request in expected {
        match left.iter().position(|found| difference(request, found, &leeway).is_none()) {
            Some(at) => drop(left.remove(at)),
            None => missing.push(request),
        }
    }
    let (wanted, given) = (expected.len(), found.len());
    let count = if wanted == given { String::new() } else { format!("{given} requests instead of {wanted}; ") };
    let rest = match missing.first() {
        None => format!("{} was not expected", short(left.first()?)),
        Some(request) => {
            let at_address = left.iter().find(|found| found["endpoint"] == request["endpoint"]);
            let nearest = at_address.or(left.first());
            nearest
                .and_then(|found| difference(request, found, &leeway))
                .unwrap_or_else(|| short(request) + " is missing")
        }
    };
    Some(count + &rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sent(bodies: &[(&[usize], &str)]) -> Vec<Parcel> {
        bodies.iter().map(|(jobs, body)| Parcel { jobs: jobs.to_vec(), sent: request(body) }).collect()
    }

    fn request(body: &str) -> Value {
        json!({"endpoint": "https://a.example", "body": body})
    }

    /// What differs when these outputs were recorded for three events that were all sent.
    fn told(outputs: &[Output], parcels: &[Parcel], in_order: bool) -> Option<String> {
        let jobs: Vec<Job> = (0..3).map(|_| Job { fate: Fate::Sent(Vec::new()), destination: None }).collect();
        outputs.iter().find_map(|output| differs(output, &jobs, parcels, in_order, &usize::to_string))
    }

    fn output(jobs: &[usize], bodies: &[&str]) -> Output {
        Output::Sent { jobs: jobs.to_vec(), requests: bodies.iter().map(|body| request(body)).collect() }
    }

    #[test]
    fn bulk_requests_are_compared_with_those_of_the_same_events() {
        let parcels = sent(&[(&[0, 2], "ac"), (&[1], "b")]);
        assert_eq!(told(&[output(&[1], &["b"]), output(&[2, 0], &["ac"])], &parcels, false), None);
        assert_eq!(told(&[output(&[0, 1, 2], &["b", "ac"])], &parcels, false), None);
        let wrong = |outputs: &[Output]| told(outputs, &parcels, false).unwrap();
        assert_eq!(wrong(&[output(&[0], &["ac"])]), "jobs 0, 2 go together instead of 0");
        assert_eq!(wrong(&[output(&[1], &["x"])]), r#"jobs 1: /body: "b" instead of "x""#);
        assert!(wrong(&[output(&[1], &[])]).contains("1 requests instead of 0"));
        assert!(wrong(&[output(&[1], &["b", "c"])]).contains("1 requests instead of 2"));
        assert_eq!(wrong(&[Output::Refused { jobs: vec![1] }]), "job 1 is sent instead of refused");
        assert_eq!(wrong(&[Output::Filtered { jobs: vec![1] }]), "job 1 is sent instead of filtered");
    }

    #[test]
    fn one_events_own_requests_keep_their_order() {
        let parcels = sent(&[(&[0], "first"), (&[0], "second")]);
        let swapped = [output(&[0], &["second", "first"])];
        assert!(told(&swapped, &parcels, true).is_some());
        assert!(told(&swapped, &parcels, false).is_none());
    }
}
