//! What came of the cases.

use crate::cases::Group;
use crate::known::fingerprint;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What came of one case.
pub enum Verdict {
    /// As recorded.
    Passed,
    /// Something else than recorded; what.
    Failed(String),
    /// Not run, or its outcome does not count; why.
    LeftOut(String),
}

#[derive(Default)]
struct Tally {
    passed: usize,
    failures: Vec<Value>,
    left_out: Vec<Value>,
}

/// The cases so far.
#[derive(Default)]
pub struct Report {
    groups: BTreeMap<String, Tally>,
}

impl Report {
    /// Notes a case.
    pub fn add(&mut self, group: &Group, index: usize, verdict: Verdict) {
        let tally = self.groups.entry(group.path.clone()).or_default();
        let note =
            |key: &str, text: String| json!({"index": index, "description": group.description(index), key: text});
        match verdict {
            Verdict::Passed => tally.passed += 1,
            Verdict::Failed(difference) => {
                let mut failure = note("difference", difference);
                failure["fingerprint"] = fingerprint(&group.cases[index]).into();
                tally.failures.push(failure);
            }
            Verdict::LeftOut(reason) => tally.left_out.push(note("reason", reason)),
        }
    }

    /// The report. `left_out_reasons` has one entry per case that was left out.
    pub fn json(&self) -> Value {
        let groups: serde_json::Map<String, Value> = self
            .groups
            .iter()
            .map(|(path, tally)| {
                let shown = json!({
                    "passed": tally.passed, "failed": tally.failures.len(), "left_out": tally.left_out.len(),
                    "failures": tally.failures, "left_out_reasons": tally.left_out,
                });
                (path.clone(), shown)
            })
            .collect();
        let sum = |count: fn(&Tally) -> usize| self.groups.values().map(count).sum::<usize>();
        json!({
            "groups": groups,
            "total": {
                "passed": sum(|tally| tally.passed), "failed": sum(|tally| tally.failures.len()),
                "left_out": sum(|tally| tally.left_out.len()),
            },
        })
    }

    /// The same for people.
    pub fn summary(&self) -> String {
        let line = |(path, tally): (&String, &Tally)| {
            let (failed, left_out) = (tally.failures.len(), tally.left_out.len());
            format!("{path}: {} passed, {failed} failed, {left_out} left out", tally.passed)
        };
        self.groups.iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
