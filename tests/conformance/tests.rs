//! Cases of our own, all of which pass, and recorded ones as far as they were promised.

#![allow(clippy::unwrap_used, reason = "in a test the line is the message, also in a function that tests share")]

use pintle_tests::folder::project_dir;
use serde_json::Value;
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
}

#[test]
fn scripts_do_the_same_as_components_of_their_own() {
    let report = report(&["--components", "--only", "contract"], &own_cases());
    let group = &report["groups"]["user_transformation/contract"];
    assert_eq!(group["failed"], 0, "{report:#}");
    assert!(group["passed"].as_u64().unwrap() >= 12, "{report:#}");
}

/// What part of a group must pass, in percent. Cases in Python, and of what Pintle has no part for, aside.
fn assert_passes(report: &Value, percent: u64, wanted: impl Fn(&str) -> bool) {
    for (path, group) in report["groups"].as_object().unwrap().iter().filter(|(path, _)| wanted(path)) {
        let count = |key: &str| group[key].as_u64().unwrap();
        let reasons = group["left_out_reasons"].as_array().unwrap();
        let foreign = reasons.iter().filter(|one| one["reason"] == "the code is Python").count() as u64;
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
