//! What was recorded for several events: each is in one output, alone or with others.

use super::exchange;
use super::status;
use serde_json::Value;

/// What was recorded for some of the events.
pub enum Output {
    /// These requests were sent for these events.
    Sent { jobs: Vec<usize>, requests: Vec<Value> },
    /// These events were filtered.
    Filtered { jobs: Vec<usize> },
    /// These events were refused.
    Refused { jobs: Vec<usize> },
}

/// Reads the outputs; those that share an event are one. An error says which event has none.
pub fn outputs(inputs: &[Value], recorded: &[Value]) -> Result<Vec<Output>, String> {
    let mut named = vec![false; inputs.len()];
    let mut outputs: Vec<Output> = Vec::new();
    for output in recorded {
        let mut jobs = Vec::new();
        for metadata in output["metadata"].as_array().into_iter().flatten() {
            let is_it = |at: &usize| inputs[*at]["metadata"]["jobId"] == metadata["jobId"];
            // Cases may give one number to several events.
            let fresh = (0..inputs.len()).filter(|at| !named[*at]).find(is_it);
            if let Some(at) = fresh.or_else(|| (0..inputs.len()).find(is_it)) {
                named[at] = true;
                jobs.push(at);
            }
        }
        let output = match status(output) {
            298 => Output::Filtered { jobs },
            200..=299 => Output::Sent { jobs, requests: requests(&output["batchedRequest"]) },
            _ => Output::Refused { jobs },
        };
        merge(&mut outputs, output);
    }
    match named.iter().position(|named| !named) {
        None => Ok(outputs),
        Some(at) => Err(format!("nothing was recorded for job {}", inputs[at]["metadata"]["jobId"])),
    }
}

fn requests(recorded: &Value) -> Vec<Value> {
    match recorded {
        Value::Array(requests) => requests.iter().map(exchange::recorded).collect(),
        Value::Null => Vec::new(),
        request => vec![exchange::recorded(request)],
    }
}

fn merge(outputs: &mut Vec<Output>, output: Output) {
    let Output::Sent { jobs: more, requests: added } = output else { return outputs.push(output) };
    for known in outputs.iter_mut() {
        if let Output::Sent { jobs, requests } = known
            && jobs.iter().any(|job| more.contains(job))
        {
            jobs.extend(more.into_iter().filter(|job| !jobs.contains(job)).collect::<Vec<_>>());
            requests.extend(added);
            return;
        }
    }
    outputs.push(Output::Sent { jobs: more, requests: added });
}
