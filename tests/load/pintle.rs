//! The program under test, in a process of its own.

use crate::client::Connection;
use crate::processes;
use crate::scratch::{Scratch, beside_program};
use anyhow::{Context, bail, ensure};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The key of the one source of every workspace here.
pub const WRITE_KEY: &str = "benchbenchbenchbenchbenchbe";
/// A first start makes a database and compiles the plugins, which takes a while in a debug build.
const START_TIME_MAX: Duration = Duration::from_secs(300);
/// How long another workspace may take to be in force.
const APPLY_TIME_MAX: Duration = Duration::from_secs(60);
const APPLY_LOOK_EVERY: Duration = Duration::from_millis(50);
/// Between two looks at whether it answers.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A source without destinations: the gateway and the log alone.
pub fn gateway_only() -> String {
    format!("sources:\n  bench:\n    write-key: {WRITE_KEY}\n")
}

/// The source with webhook destinations: each with its id, its URL, and its state.
pub fn webhooks(destinations: &[(&str, &str, &str)]) -> String {
    let mut text = format!("{}destinations:\n", gateway_only());
    for (id, url, state) in destinations {
        text += &format!("  {id}: {{plugin: webhook, state: {state}, config: {{webhookUrl: '{url}'}}}}\n");
    }
    text += "connections:\n";
    for (id, ..) in destinations {
        text += &format!("  bench-{id}: {{source: bench, destination: {id}}}\n");
    }
    text
}

/// The demo of `scripts/up`, delivering to that port.
pub fn demo(receiver_port: u16) -> anyhow::Result<String> {
    let demo = fs::read_to_string(demo_dir().join("demo.yaml")).context("the demo workspace")?;
    Ok(demo.replace("WRITE_KEY", WRITE_KEY).replace("RECEIVER_URL", &format!("http://127.0.0.1:{receiver_port}")))
}

/// The demo's transformation.
pub fn demo_transformation() -> PathBuf {
    demo_dir().join("transformation.js")
}

fn demo_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/up.d")
}

/// A data directory with a workspace, and the process that serves it. It is killed when this is dropped.
#[derive(Debug)]
pub struct Pintle {
    home: PathBuf,
    child: Child,
    pub listen: SocketAddr,
    admin: SocketAddr,
}

impl Pintle {
    /// Starts on a new data directory and waits until it takes events.
    pub async fn start(scratch: &Scratch, name: &str, workspace: &str) -> anyhow::Result<Pintle> {
        Pintle::start_with(scratch, name, workspace, "").await
    }

    /// The same with other settings than the defaults: the text of a configuration file.
    pub async fn start_with(scratch: &Scratch, name: &str, workspace: &str, settings: &str) -> anyhow::Result<Pintle> {
        let home = scratch.join(name);
        fs::create_dir_all(&home)?;
        fs::write(home.join("workspace.yaml"), workspace)?;
        fs::write(home.join("pintle.yaml"), settings)?;
        fs::copy(demo_transformation(), home.join("transformation.js"))?;
        let (pintle, _) = Pintle::start_again(&home)?;
        Ok(pintle)
    }

    /// Starts on the folder of a former start; returns how long it took until an event was answered with 200.
    pub fn start_again(home: &Path) -> anyhow::Result<(Pintle, Duration)> {
        let (listen, admin) = (free_address()?, free_address()?);
        let program = sibling("PINTLE_BIN", "pintle")?;
        let log = File::options().create(true).append(true).open(home.join("pintle.log"))?;
        let started = Instant::now();
        let child = Command::new(&program)
            .args(["up", "--listen", &listen.to_string(), "--admin-listen", &admin.to_string()])
            .args(["--egress-allow", "127.0.0.0/8"])
            .arg("--config")
            .arg(home.join("pintle.yaml"))
            .arg("--data-dir")
            .arg(home.join("data"))
            .arg("--workspace")
            .arg(home.join("workspace.yaml"))
            .arg("--plugins-dir")
            .arg(plugins_dir()?)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut pintle = Pintle { home: home.to_owned(), child, listen, admin };
        while !posts_an_event(listen) {
            if let Some(status) = pintle.child.try_wait()? {
                bail!("pintle ended with {status}; its log: {}", pintle.log_end());
            }
            if started.elapsed() > START_TIME_MAX {
                bail!("pintle takes no events; its log: {}", pintle.log_end());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok((pintle, started.elapsed()))
    }

    /// The folder with everything of it, to start on again.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Stops it as a service manager would, and waits.
    pub fn stop(mut self) -> anyhow::Result<()> {
        signal(self.child.id(), libc::SIGTERM);
        let status = self.child.wait()?;
        if !status.success() {
            bail!("pintle stopped with {status}; its log: {}", self.log_end());
        }
        Ok(())
    }

    /// Kills the host, and Postgres before it if asked to.
    pub fn kill(mut self, postgres_too: bool) -> anyhow::Result<()> {
        if postgres_too {
            // The host must not see it: it would start another.
            signal(self.child.id(), libc::SIGSTOP);
            signal(processes::postmaster(&self.cluster())?, libc::SIGKILL);
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// CPU time of the host so far.
    pub fn cpu_us(&self) -> anyhow::Result<u64> {
        processes::cpu_us(self.child.id()).with_context(|| format!("its log: {}", self.log_end()))
    }

    /// CPU time of its Postgres so far.
    pub fn postgres_cpu_us(&self) -> anyhow::Result<u64> {
        processes::postgres_cpu_us(&self.cluster())
    }

    /// Resident memory of the host.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        processes::resident_bytes(self.child.id())
    }

    /// The most resident memory of the host since its start, or since [`Pintle::forget_peak`].
    pub fn peak_bytes(&self) -> anyhow::Result<u64> {
        processes::peak_bytes(self.child.id())
    }

    /// Lets the peak begin at what is resident now.
    pub fn forget_peak(&self) -> anyhow::Result<()> {
        processes::forget_peak(self.child.id())
    }

    /// The sum of a counter over its labels.
    pub async fn counter(&self, name: &str) -> anyhow::Result<f64> {
        self.counter_of(name, "").await
    }

    /// The sum of a counter over those of its labels that have this text in them.
    pub async fn counter_of(&self, name: &str, labels: &str) -> anyhow::Result<f64> {
        let text = Connection::open(self.admin).await?.get("/metrics").await?;
        let is_of_it = |rest: &str| rest.starts_with([' ', '{']) && rest.contains(labels);
        let of_it = text.lines().filter(|line| line.strip_prefix(name).is_some_and(is_of_it));
        Ok(of_it.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// The status document.
    pub async fn status(&self) -> anyhow::Result<serde_json::Value> {
        Ok(serde_json::from_str(&Connection::open(self.admin).await?.get("/admin/v1/status").await?)?)
    }

    /// Serves another workspace; returns when it is in force.
    pub async fn apply(&self, workspace: &str) -> anyhow::Result<()> {
        let file = self.home.join("workspace.yaml");
        if fs::read_to_string(&file)? == workspace {
            return Ok(());
        }
        let before = self.status().await?["catalog"]["revision"].as_i64();
        let new = self.home.join("workspace.new");
        fs::write(&new, workspace)?;
        fs::rename(&new, &file)?;
        let deadline = Instant::now() + APPLY_TIME_MAX;
        loop {
            let status = self.status().await?;
            if status["catalog"]["revision"].as_i64() > before && status["catalog"]["last_error"].is_null() {
                return Ok(());
            }
            ensure!(Instant::now() < deadline, "the workspace is not in force; the status: {status}");
            tokio::time::sleep(APPLY_LOOK_EVERY).await;
        }
    }

    /// What its Postgres answers to a statement.
    pub fn postgres(&self, statement: &str) -> anyhow::Result<String> {
        let recorded = fs::read_to_string(self.home.join("data/postgres/socket-dir"));
        let folder = recorded.context("where its Postgres has its socket")?;
        let said = Command::new("psql")
            .args(["--no-psqlrc", "--no-align", "--tuples-only", "-h", folder.trim(), "-U", "pintle", "-d", "postgres"])
            .args(["-c", statement])
            .output()
            .context("cannot start psql")?;
        ensure!(said.status.success(), "{statement}: {}", String::from_utf8_lossy(&said.stderr));
        Ok(String::from_utf8_lossy(&said.stdout).trim().to_owned())
    }

    /// Changes something through the admin API with a JSON document, null for none.
    pub async fn change(&self, method: &str, path: &str, body: &serde_json::Value) -> anyhow::Result<()> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.send(method, path, body.as_bytes()).await
    }

    /// The same with any bytes.
    pub async fn send(&self, method: &str, path: &str, body: &[u8]) -> anyhow::Result<()> {
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\r\n", body.len())
                .into_bytes();
        request.extend_from_slice(body);
        let status = Connection::open(self.admin).await?.exchange(&request).await?;
        ensure!((200..300).contains(&status), "{method} {path} was answered {status}");
        Ok(())
    }

    fn cluster(&self) -> PathBuf {
        self.home.join("data/postgres/cluster")
    }

    fn log_end(&self) -> String {
        const LINES: usize = 12;
        let text = fs::read_to_string(self.home.join("pintle.log")).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        format!("\n  {}", lines[lines.len().saturating_sub(LINES)..].join("\n  "))
    }
}

impl Drop for Pintle {
    fn drop(&mut self) {
        // One that has ended is not there any more to be killed.
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The plugins that `scripts/build-plugins` has built.
pub fn plugins_dir() -> anyhow::Result<PathBuf> {
    sibling("PINTLE_PLUGINS_DIR", "../plugins")
}

/// A program or folder: the one that the variable names, or one beside this program.
pub fn sibling(variable: &str, relative: &str) -> anyhow::Result<PathBuf> {
    std::env::var_os(variable).map_or_else(|| beside_program(relative), |path| Ok(PathBuf::from(path)))
}

/// An address that nobody listens on.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

/// Whether an event is answered with 200.
fn posts_an_event(listen: SocketAddr) -> bool {
    let body = r#"{"type":"track","event":"Started","anonymousId":"bench","properties":{}}"#;
    let key = "YmVuY2hiZW5jaGJlbmNoYmVuY2hiZW5jaGJlOg==";
    let request = format!(
        "POST /v1/track HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {key}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let exchange = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(listen)?;
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer.starts_with(b"HTTP/1.1 200"))
    };
    exchange().unwrap_or(false)
}

fn signal(pid: u32, signal: libc::c_int) {
    if let Ok(pid) = libc::pid_t::try_from(pid) {
        // SAFETY: a plain system call; the process is a child of ours that was not waited for, or its child.
        unsafe { libc::kill(pid, signal) };
    }
}
