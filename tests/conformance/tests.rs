//! Cases of our own, all of which pass, and recorded ones as far as they were promised.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

use pintle_tests::folder::{Folder, project_dir};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The report of the cases in a folder.
fn report(arguments: &[&str], folder: &Path) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_conformance")).args(arguments).arg(folder).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn own_cases() -> PathBuf {
    project_dir().join("tests/conformance/cases")
}

#[test]
fn cases_of_our_own_pass() {
    let report = report(&[], &own_cases());
    assert_eq!((&report["total"]["failed"], &report["total"]["left_out"]), (&0.into(), &0.into()), "{report:#}");
    let passed = |group: &str| report["groups"][group]["passed"].as_u64().unwrap();
    assert!(passed("user_transformation/typescript") >= 15, "{report:#}");
    assert!(passed("user_transformation/contract") >= 12, "{report:#}");
    for destination in ["am", "braze", "facebook_pixel", "ga4", "http", "klaviyo", "mp", "posthog", "slack", "webhook"]
    {
        assert!(passed(&format!("destinations/{destination}/router")) >= 16, "{destination}: {report:#}");
        assert!(passed(&format!("destinations/{destination}/dataDelivery")) >= 20, "{destination}: {report:#}");
    }
}

#[test]
fn cases_beside_the_plugins_pass_through_their_components() {
    let report = report(&[], &project_dir().join("plugins"));
    assert_eq!((&report["total"]["failed"], &report["total"]["left_out"]), (&0.into(), &0.into()), "{report:#}");
    assert!(report["total"]["passed"].as_u64().unwrap() >= 400, "{report:#}");
}

#[test]
fn recorded_destinations_do_what_was_recorded() {
    let Some(folder) = std::env::var_os("PINTLE_CONFORMANCE") else {
        eprintln!("conformance cases: left out (PINTLE_CONFORMANCE does not name their folder)");
        return;
    };
    let report = report(&["--only", "destinations/"], Path::new(&folder));
    let is_ours = |path: &str| {
        let named = path.split('/').nth(1).unwrap_or_default();
        let ours = "am braze customerio facebook_pixel ga4 http klaviyo mp posthog s3 slack webhook";
        ours.split(' ').any(|name| name == named)
    };
    assert_passes(&report, 95, |path| is_ours(path) && path.ends_with("/processor"));
    assert_passes(&report, 90, |path| is_ours(path) && !path.ends_with("/processor"));
}

/// The groups of a report of some cases with the plugin `webhook`, by kind.
fn of_webhook(cases: &[(&str, Value)]) -> Value {
    let folder = Folder::new("conformance");
    let inside = folder.path().join("webhook");
    std::fs::create_dir_all(&inside).unwrap();
    for (kind, case) in cases {
        let mut case = case.clone();
        (case["module"], case["feature"]) = ("destination".into(), (*kind).into());
        std::fs::write(inside.join(format!("{kind}.json")), json!([case]).to_string()).unwrap();
    }
    report(&[], folder.path())["groups"].clone()
}

/// An event for one address, and the request that carries it.
fn event_and_request(name: &str) -> (Value, Value) {
    let message = json!({"type": "track", "event": name});
    let config = json!({"webhookUrl": "https://bells.example.com"});
    let request = json!({"method": "POST", "endpoint": "https://bells.example.com", "body": {"JSON": message}});
    (json!({"message": message, "metadata": {"jobId": name}, "destination": {"Config": config}}), request)
}

#[test]
fn what_is_not_as_recorded_is_told() {
    let ((event, _), (other, wrong)) = (event_and_request("Bell Rung"), event_and_request("Bell Cast"));
    let groups = of_webhook(&[
        (
            "processor",
            json!({"input": {"request": {"body": [event]}}, "output": {"response": {"body": [{"output": wrong}]}}}),
        ),
        (
            "router",
            json!({
                "input": {"request": {"body": {"input": [event, other]}}},
                "output": {"response": {"body": {"output": [
                    {"metadata": [{"jobId": "Bell Rung"}, {"jobId": "Bell Cast"}], "batchedRequest": wrong},
                ]}}},
            }),
        ),
        (
            "dataDelivery",
            json!({
                "mocks": {"network": [{"url": "https://bells.example.com", "status": 503}]},
                "input": {"request": {"body": wrong}},
                "output": {"response": {"body": {"output": {"status": 400}}}},
            }),
        ),
    ]);
    let told = |kind: &str| groups[format!("webhook/{kind}")]["failures"][0]["difference"].as_str().unwrap().to_owned();
    assert!(told("processor").contains(r#"/0/body/JSON/event: "Bell Rung" instead of "Bell Cast""#), "{groups:#}");
    assert!(told("router").contains("2 requests instead of 1"), "{groups:#}");
    assert_eq!(told("dataDelivery"), "[Retry] instead of [Reject] for the answer 503");
}

#[test]
fn what_cannot_be_compared_is_left_out_with_the_reason() {
    let ((event, _), (_, wrong)) = (event_and_request("Bell Rung"), event_and_request("Bell Cast"));
    let groups = of_webhook(&[
        (
            "processor",
            json!({
                "networkCalls": ["GET https://bells.example.com/names"],
                "input": {"request": {"body": [event]}},
                "output": {"response": {"body": [{"output": wrong}]}},
            }),
        ),
        ("router", json!({"input": {"request": {"body": {"input": {}}}}})),
        ("dataDelivery", json!({"input": {"request": {"body": wrong}}, "output": {"response": {"body": {}}}})),
        ("batch", json!({"name": "webhook"})),
    ]);
    let told = |kind: &str| {
        groups[format!("webhook/{kind}")]["left_out_reasons"][0]["reason"].as_str().unwrap_or_default().to_owned()
    };
    assert!(told("processor").starts_with("needs a look-up"), "{groups:#}");
    assert!(told("router").contains("no list of events"), "{groups:#}");
    assert!(told("dataDelivery").contains("was not recorded"), "{groups:#}");
    assert!(told("batch").contains("not run"), "{groups:#}");
}

#[test]
fn scripts_do_the_same_as_components_of_their_own() {
    let report = report(&["--components", "--only", "contract"], &own_cases());
    let group = &report["groups"]["user_transformation/contract"];
    assert_eq!(group["failed"], 0, "{report:#}");
    assert!(group["passed"].as_u64().unwrap() >= 12, "{report:#}");
}

/// What part of a group must pass, in percent. Cases in Python, and those that need a look-up, aside.
fn assert_passes(report: &Value, percent: u64, wanted: impl Fn(&str) -> bool) {
    for (path, group) in report["groups"].as_object().unwrap().iter().filter(|(path, _)| wanted(path)) {
        let count = |key: &str| group[key].as_u64().unwrap();
        let reasons = group["left_out_reasons"].as_array().unwrap();
        let is_foreign = |reason: &str| reason == "the code is Python" || reason.starts_with("needs a look-up");
        let foreign = reasons.iter().filter(|one| one["reason"].as_str().is_some_and(is_foreign)).count() as u64;
        let (passed, failed, left_out) = (count("passed"), count("failed"), count("left_out") - foreign);
        let all = passed + failed + left_out;
        let enough = if all < 20 { failed <= 1 } else { passed * 100 >= (passed + failed) * percent };
        assert!(enough, "{path}: {passed} of {} passed: {group:#}", passed + failed);
        assert!(left_out * 20 <= all.max(20), "{path}: {left_out} of {all} left out: {reasons:#?}");
    }
}

#[test]
fn recorded_user_transformations_give_what_was_recorded() {
    let Some(folder) = std::env::var_os("PINTLE_CONFORMANCE") else {
        eprintln!("conformance cases: left out (PINTLE_CONFORMANCE does not name their folder)");
        return;
    };
    let report = report(&["--only", "user_transformation"], Path::new(&folder));
    let fetches = |path: &str| path.ends_with("_fetch");
    assert_passes(&report, 95, |path| !fetches(path));
    assert_passes(&report, 90, fetches);
}
