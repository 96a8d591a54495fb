//! The real clients, run by Node.

use crate::folder::{project_dir, target_dir};
use crate::workspace::WRITE_KEY;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Posts so many events of so many users, and returns when each is acknowledged.
///
/// # Panics
/// When one was not, or Node cannot be run.
pub async fn post(gateway: SocketAddr, events: usize, users: usize) {
    let url = format!("http://{gateway}");
    let acknowledged = run("post.js", &[&url, WRITE_KEY, &events.to_string(), &users.to_string()]).await;
    assert_eq!(acknowledged, events.to_string(), "acknowledged events");
}

/// Makes every call once with a client, and returns when all of them are acknowledged.
///
/// # Panics
/// When one was not, or Node cannot be run.
pub async fn every_call(client: &str, gateway: SocketAddr) {
    run("every-call.js", &[client, &format!("http://{gateway}"), WRITE_KEY]).await;
}

/// What a script of the package printed.
async fn run(script: &str, arguments: &[&str]) -> String {
    let package = tokio::task::spawn_blocking(package).await.expect("the package is installed");
    let output = tokio::process::Command::new("node")
        .arg(package.join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    assert!(output.status.success(), "{script} {arguments:?} failed: {}", said(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// The folder with the clients, installed as its lockfile says.
fn package() -> PathBuf {
    let package = project_dir().join("tests/e2e/node");
    // Tests of other processes may want the same; the lock goes with the file.
    let lock = target_dir().join("tests");
    std::fs::create_dir_all(&lock).expect("the target folder can be written");
    let lock = File::create(lock.join("npm.lock")).expect("the target folder can be written");
    lock.lock().expect("a file can be locked");
    // npm writes this when it is done.
    let installed = modified(&package.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(&package.join("package-lock.json")) {
        let mut npm = Command::new("npm");
        // Not `npm ci`: it wants every optional package of every platform in the lockfile, and not every registry
        // has them. What the lockfile names is installed as it says either way.
        npm.args(["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"])
            .current_dir(&package)
            .stdin(Stdio::null());
        let output = npm.output().expect("npm runs");
        assert!(output.status.success(), "npm install: {}", said(&output));
    }
    package
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
