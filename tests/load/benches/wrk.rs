//! Debian's `wrk`, posting the same events.

use super::Bench;
use anyhow::{Context, ensure};
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::Command;

const SCRIPT: &str = r#"
local requests, at = {}, 0
function init(arguments)
  for line in io.lines(arguments[1]) do
    requests[#requests + 1] = wrk.format("POST", "/", {["Content-Type"] = "application/json"}, line)
  end
end
function request()
  at = at % #requests + 1
  return requests[at]
end
"#;

/// Requests per second that the server answers.
pub async fn requests_per_second(
    bench: &Bench,
    target: SocketAddr,
    connections: usize,
    span: Duration,
) -> anyhow::Result<f64> {
    let script = bench.scratch.join("post.lua");
    std::fs::write(&script, SCRIPT)?;
    let out = Command::new("wrk")
        .args(["-t1", &format!("-c{connections}"), &format!("-d{}s", span.as_secs()), "-s"])
        .arg(&script)
        .arg(format!("http://{target}/"))
        .arg("--")
        .arg(&bench.events)
        .stderr(Stdio::inherit())
        .output()
        .await
        .context("cannot start wrk: apt-get install wrk")?;
    let text = String::from_utf8_lossy(&out.stdout);
    ensure!(out.status.success() && !text.contains("Non-2xx"), "wrk said: {text}");
    let line = text.lines().find_map(|line| line.strip_prefix("Requests/sec:"));
    line.and_then(|rate| rate.trim().parse().ok()).with_context(|| format!("wrk said: {text}"))
}
