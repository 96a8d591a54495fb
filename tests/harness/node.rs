//! The real clients, run by Node.

use crate::folder::{project_dir, target_dir};
use crate::workspace::WRITE_KEY;
use serde_json::{Value, json};
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tokio::io::AsyncWriteExt as _;

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

/// A browser with a page that makes every call once, until this is told to end.
#[derive(Debug)]
pub struct Browser(tokio::process::Child);

impl Browser {
    /// Opens the page, on which the client sends in one of its ways: `normal`, `beacon` or `batch`.
    ///
    /// # Panics
    /// When Node cannot be run.
    pub async fn open(mode: &str, gateway: SocketAddr) -> Browser {
        let package = tokio::task::spawn_blocking(package).await.expect("the package is installed");
        let mut node = tokio::process::Command::new("node");
        node.arg(package.join("every-call.js"))
            .args([&format!("rudder-browser:{mode}"), &format!("http://{gateway}"), WRITE_KEY])
            .stdin(Stdio::piped())
            .kill_on_drop(true);
        Browser(node.spawn().expect("node runs"))
    }

    /// Closes it.
    ///
    /// # Panics
    /// When something on the page was broken.
    pub async fn close(mut self) {
        // It ends with its stdin.
        drop(self.0.stdin.take());
        let status = self.0.wait().await.expect("node ends");
        assert!(status.success(), "the browser ended with {status}");
    }
}

/// Makes calls with our own SDK: `program` is one of its command lines, which take `{writeKey, dataPlaneUrl, calls}`
/// and give `{delivered, dropped}`.
///
/// # Panics
/// When it fails.
pub async fn our_sdk(program: &str, gateway: SocketAddr, calls: &Value) -> Value {
    let folder = tokio::task::spawn_blocking(our_package).await.expect("the SDK is built");
    let input = json!({"writeKey": WRITE_KEY, "dataPlaneUrl": format!("http://{gateway}"), "calls": calls});
    let mut node = tokio::process::Command::new("node");
    node.arg(folder.join(program)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = node.kill_on_drop(true).spawn().expect("node runs");
    let mut stdin = child.stdin.take().expect("it was asked for");
    stdin.write_all(input.to_string().as_bytes()).await.expect("node reads");
    drop(stdin);
    let output = child.wait_with_output().await.expect("node ends");
    assert!(output.status.success(), "{program} failed: {}", said(&output));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// The folder of our SDK, installed and built.
fn our_package() -> PathBuf {
    let folder = project_dir().join("sdk-js");
    let _locked = lock();
    if modified(&folder.join("node_modules/.package-lock.json")) < modified(&folder.join("package-lock.json")) {
        npm(&folder, &["ci", "--no-audit", "--no-fund"]);
    }
    npm(&folder, &["run", "--silent", "build"]);
    folder
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
    let _locked = lock();
    // npm writes the first file when it is done.
    let installed = modified(&package.join("node_modules/.package-lock.json"));
    if installed.is_none() || installed < modified(&package.join("package-lock.json")) {
        // Not `npm ci`: it wants every optional package of every platform in the lockfile, and not every registry
        // has them. What the lockfile names is installed as it says either way.
        npm(&package, &["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"]);
    }
    package
}

/// Tests of other processes may want the same; the lock goes with the file.
fn lock() -> File {
    let folder = target_dir().join("tests");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    let lock = File::create(folder.join("npm.lock")).expect("the target folder can be written");
    lock.lock().expect("a file can be locked");
    lock
}

fn npm(folder: &Path, arguments: &[&str]) {
    let mut npm = Command::new("npm");
    npm.args(arguments).current_dir(folder).stdin(Stdio::null());
    let output = npm.output().expect("npm runs");
    assert!(output.status.success(), "npm {arguments:?}: {}", said(&output));
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    std::fs::metadata(path).ok()?.modified().ok()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
