//! The real program, as a child process.

mod admin;
mod books;
mod command;
mod log;
mod memory;

pub use admin::destination;
pub use books::Books;
pub use command::Said;
pub use memory::Memory;

use crate::folder::{Folder, profile_dir, target_dir};
use crate::process;
use crate::workspace::Workspace;
use log::Log;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

/// How long a start may take: the first one compiles the JavaScript engine, on a machine that does much else.
const START_TIME_MAX: Duration = Duration::from_secs(240);
/// How long a clean stop may take.
const STOP_TIME_MAX: Duration = Duration::from_secs(60);
/// How long the private Postgres of a Pintle that was killed may take to notice.
const POSTGRES_TIME_MAX: Duration = Duration::from_secs(30);
/// Running at the same time: more only slow each other down, and each has a Postgres of its own.
static TURNS: Semaphore = Semaphore::const_new(2);

/// How to start it.
#[derive(Clone, Debug)]
pub struct Options {
    /// Without one, everything is configured through the admin API.
    workspace: Option<String>,
    config: Value,
    database_url: Option<String>,
    plugins: PathBuf,
    environment: Vec<(String, String)>,
}

impl Options {
    /// With this workspace, and with retries that are quick enough for a test.
    #[must_use]
    pub fn new(workspace: &Workspace) -> Options {
        Options::with_file(workspace.text())
    }

    /// With this text as the workspace file.
    #[must_use]
    pub fn with_file(workspace: impl Into<String>) -> Options {
        let config = json!({
            "runtime": {"cache-dir": target_dir().join("tests/compiled")},
            "router": {
                "retry-base": 0.1, "retry-max": 0.5, "attempt-timeout": 2, "first-byte-timeout": 2,
                // Receivers are on this machine.
                "egress-allow": ["127.0.0.0/8"],
            },
            // The build machine's disk is its own affair.
            "store": {"disk-free-min": 0},
        });
        let workspace = Some(workspace.into());
        let plugins = target_dir().join("plugins");
        Options { workspace, config, database_url: None, plugins, environment: Vec::new() }
    }

    /// Without a workspace file: everything comes through the admin API.
    #[must_use]
    pub fn without_file() -> Options {
        Options { workspace: None, ..Options::with_file("") }
    }

    /// With an environment variable.
    #[must_use]
    pub fn environment(mut self, name: &str, value: &str) -> Options {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a setting, e.g. `("store", "log-bytes-max", 1 << 26)`.
    #[must_use]
    pub fn set(mut self, section: &str, name: &str, value: impl Into<Value>) -> Options {
        self.config[section][name] = value.into();
        self
    }

    /// With the plugins of this folder.
    #[must_use]
    pub fn plugins(mut self, folder: &Path) -> Options {
        self.plugins = folder.to_owned();
        self
    }

    /// On this database instead of a private Postgres.
    #[must_use]
    pub fn database(mut self, url: String) -> Options {
        self.database_url = Some(url);
        self
    }
}

/// A running Pintle. It stops when this is dropped, and its books have to balance then; what it said is shown when
/// the test has failed.
#[derive(Debug)]
pub struct Pintle {
    options: Options,
    running: Option<Running>,
    gateway: watch::Sender<SocketAddr>,
    log: Log,
    /// Whether the books are looked at when it ends.
    is_audited: bool,
    // Dropped last: the next one starts when this one and its folder are gone.
    folder: Folder,
    _turn: SemaphorePermit<'static>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    admin: SocketAddr,
}

/// The program under test: `$PINTLE_BIN`, else the one that was built beside this test.
///
/// # Panics
/// When it is not there.
#[must_use]
pub fn program() -> PathBuf {
    let program = std::env::var_os("PINTLE_BIN").map_or_else(|| profile_dir().join("pintle"), PathBuf::from);
    assert!(program.is_file(), "{} is not there: `cargo build -p pintle-server` first", program.display());
    program
}

impl Pintle {
    /// Starts it, and returns when it serves.
    ///
    /// # Panics
    /// When it ends or is not up in time.
    pub async fn start(options: Options) -> Pintle {
        let turn = TURNS.acquire().await.expect("the semaphore is never closed");
        let folder = Folder::new("pintle");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        let gateway = watch::Sender::new(nowhere);
        let mut pintle =
            Pintle { options, running: None, gateway, log: Log::default(), is_audited: true, folder, _turn: turn };
        if let Some(workspace) = &pintle.options.workspace {
            pintle.write_workspace(workspace);
        }
        pintle.launch().await;
        pintle
    }

    async fn launch(&mut self) {
        assert!(self.try_launch(None).await, "it does not end before it is up");
    }

    /// False when it ended before it was up.
    async fn try_launch(&mut self, fail_point: Option<&str>) -> bool {
        let config = self.folder.path().join("pintle.yaml");
        std::fs::write(&config, format!("{:#}\n", self.options.config)).expect("our folder can be written");
        let mut command = Command::new(program());
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PINTLE_") {
                command.env_remove(name);
            }
        }
        command.arg("up").args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--log-format", "json"]);
        command.arg("--config").arg(config).arg("--data-dir").arg(self.data_dir());
        if self.options.workspace.is_some() {
            command.arg("--workspace").arg(self.workspace_file());
        }
        command.envs(self.options.environment.iter().map(|(name, value)| (name, value)));
        command.arg("--plugins-dir").arg(&self.options.plugins);
        if let Some(url) = &self.options.database_url {
            command.args(["--database-url", url]);
        }
        if let Some(point) = fail_point {
            command.env("PINTLE_FAIL_POINT", point);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        process::end_with_us(&mut command, libc::SIGTERM);
        let mut child = command.spawn().expect("the program runs");
        let stderr = child.stderr.take().expect("it was piped");
        let up = self.log.follow(stderr);
        // Owned from here on, so that it ends if the wait below fails.
        let running = self.running.insert(Running { child, admin: *self.gateway.borrow() });
        let Ok((listen, admin)) = tokio::time::timeout(START_TIME_MAX, up).await.expect("it is up in time") else {
            return false;
        };
        running.admin = admin;
        self.gateway.send_replace(listen);
        true
    }

    /// Stops it with SIGTERM and waits for its end.
    ///
    /// # Panics
    /// When it does not stop cleanly.
    pub fn stop(&mut self) {
        let mut running = self.running.take().expect("it runs");
        process::signal(running.child.id(), libc::SIGTERM);
        let ended = process::ended_within(&mut running.child, STOP_TIME_MAX);
        if !ended {
            process::signal(running.child.id(), libc::SIGKILL);
        }
        let status = running.child.wait().expect("a child can be waited for");
        assert!(ended && status.success(), "it did not stop cleanly: {status}");
    }

    /// Ends it with SIGKILL.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut running = self.running.take().expect("it runs");
        process::signal(running.child.id(), libc::SIGKILL);
        running.child.wait().expect("a child can be waited for");
    }

    /// Starts it again, in the same folder, on other ports.
    ///
    /// # Panics
    /// As [`Pintle::start`].
    pub async fn restart(&mut self) {
        assert!(self.running.is_none(), "stop or kill it first");
        self.launch().await;
    }

    /// Starts it again with a fail point armed, `point=passes`, that is passed later.
    ///
    /// # Panics
    /// As [`Pintle::restart`].
    pub async fn restart_armed(&mut self, fail_point: &str) {
        assert!(self.running.is_none(), "stop or kill it first");
        assert!(self.try_launch(Some(fail_point)).await, "it does not end before it is up");
    }

    /// Waits until the fail point has killed it.
    ///
    /// # Panics
    /// When it does not die in time.
    pub async fn die(&mut self) {
        let mut running = self.running.take().expect("it runs");
        let died = tokio::task::spawn_blocking(move || {
            let died = process::ended_within(&mut running.child, STOP_TIME_MAX);
            if !died {
                process::signal(running.child.id(), libc::SIGKILL);
                _ = running.child.wait();
            }
            died
        });
        assert!(died.await.expect("waiting does not panic"), "the fail point was never passed");
    }

    /// Starts it again although it cannot run, and gives what it said before it ended.
    ///
    /// # Panics
    /// When it comes up.
    pub async fn restart_to_fail(&mut self) -> String {
        assert!(self.running.is_none(), "stop or kill it first");
        assert!(!self.try_launch(None).await, "it came up");
        let mut running = self.running.take().expect("it was just started");
        _ = running.child.wait();
        self.log.text()
    }

    /// The same Pintle with other options, from the next start on.
    pub fn set_options(&mut self, options: Options) {
        self.options = options;
    }

    /// What it has said on stderr.
    #[must_use]
    pub fn said(&self) -> String {
        self.log.text()
    }

    /// Starts it again with a fail point armed, `point=passes`, and waits until that has killed it.
    ///
    /// # Panics
    /// When it runs, or does not die in time.
    pub async fn restart_to_die(&mut self, fail_point: &str) {
        assert!(self.running.is_none(), "stop or kill it first");
        // It may be gone before it is up: a backlog is delivered at once.
        _ = self.try_launch(Some(fail_point)).await;
        let mut running = self.running.take().expect("it was just started");
        let end = tokio::task::spawn_blocking(move || {
            if !process::ended_within(&mut running.child, START_TIME_MAX) {
                process::signal(running.child.id(), libc::SIGKILL);
                _ = running.child.wait();
                return None;
            }
            running.child.wait().ok()
        });
        let status =
            end.await.expect("waiting does not panic").unwrap_or_else(|| panic!("{fail_point} was never passed"));
        assert_eq!(status.signal(), Some(libc::SIGKILL), "{fail_point}: it ended by itself, with {status}");
    }

    /// What the books of a destination said was delivered when the last start read them: the rest comes
    /// again. Nothing when that start has not come so far.
    pub fn delivered_at_start(&self, destination: &str) -> Option<u64> {
        let books =
            self.log.said("destination goes on from its books", |fields| fields["destination"] == destination)?;
        books["delivered"].as_u64()
    }

    /// The same, once the start that goes on has come so far.
    ///
    /// # Panics
    /// As [`Pintle::wait_until`].
    pub async fn wait_delivered_at_start(&self, destination: &str) -> u64 {
        self.wait_until("the books", |_| self.delivered_at_start(destination).is_some()).await;
        self.delivered_at_start(destination).expect("it was just there")
    }

    /// Where SDKs send to.
    #[must_use]
    pub fn gateway(&self) -> SocketAddr {
        *self.gateway.borrow()
    }

    /// Where SDKs send to, also after a restart.
    #[must_use]
    pub fn gateway_now(&self) -> watch::Receiver<SocketAddr> {
        self.gateway.subscribe()
    }

    /// The admin address.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn admin_address(&self) -> SocketAddr {
        self.running.as_ref().expect("it runs").admin
    }

    /// The process.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.running.as_ref().expect("it runs").child.id()
    }

    /// The process of its private Postgres, if that runs.
    #[must_use]
    pub fn postgres_pid(&self) -> Option<u32> {
        let text = std::fs::read_to_string(self.cluster().join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Ends its private Postgres with SIGKILL.
    ///
    /// # Panics
    /// When none runs.
    pub fn kill_postgres(&self) {
        let pid = self.postgres_pid().expect("its Postgres runs");
        process::signal(pid, libc::SIGKILL);
    }

    /// Replaces the workspace file as a whole.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_workspace(&self, text: &str) {
        let (new, file) = (self.folder.path().join("workspace.new"), self.workspace_file());
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, &file)).expect("our folder can be written");
    }

    /// Puts a component into the data directory's plugins, in the place of one with the same name.
    ///
    /// # Panics
    /// When it cannot be written.
    pub fn write_plugin(&self, name: &str, component: &[u8]) {
        let folder = self.data_dir().join("plugins");
        let new = folder.join(format!("{name}.part"));
        std::fs::write(&new, component)
            .and_then(|()| std::fs::rename(&new, folder.join(format!("{name}.wasm"))))
            .expect("our folder can be written");
    }

    /// Applies another workspace, and returns when it is in force.
    pub async fn apply(&self, workspace: &Workspace) {
        let before = self.status().await["catalog"]["revision"].as_i64();
        self.write_workspace(&workspace.text());
        self.wait_until("a new revision", |status| {
            status["catalog"]["revision"].as_i64() > before && status["catalog"]["last_error"].is_null()
        })
        .await;
    }

    /// Where it keeps everything.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn workspace_file(&self) -> PathBuf {
        // Not `.json`: that would be RudderStack's, and errors would be told in its terms.
        self.folder.path().join("workspace.yaml")
    }

    fn cluster(&self) -> PathBuf {
        self.data_dir().join("postgres/cluster")
    }
}

impl Drop for Pintle {
    fn drop(&mut self) {
        let postgres = self.postgres_pid();
        // Whatever a test was about: what was accepted is accounted for.
        let unbalanced = if std::thread::panicking() { None } else { self.unbalanced() };
        if let Some(mut running) = self.running.take() {
            let failed = std::thread::panicking();
            process::signal(running.child.id(), if failed { libc::SIGKILL } else { libc::SIGTERM });
            if !process::ended_within(&mut running.child, STOP_TIME_MAX) {
                process::signal(running.child.id(), libc::SIGKILL);
                _ = running.child.wait();
            }
        }
        if let Some(pid) = postgres {
            process::await_end_of(pid, &self.cluster(), POSTGRES_TIME_MAX);
        }
        if std::thread::panicking() || unbalanced.is_some() {
            eprintln!("--- what pintle said ---\n{}", self.log.text());
        }
        if let Some(rows) = unbalanced {
            panic!("the books do not balance: {rows}");
        }
    }
}
