//! The private Postgres, on real servers: started, killed, found again.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop here")]

use pintle_store::embedded::{Config, Error, Postgres, State};
use sqlx::postgres::PgPoolOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Tells a process of this test binary to be a host for that folder.
const HOST_VARIABLE: &str = "PINTLE_TEST_EMBEDDED_HOST";

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("pintle-embedded-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn config(&self) -> Config {
        Config { data_dir: self.0.join("postgres"), ..Config::default() }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Another process of this binary that runs a Postgres until its standard input ends, or it is killed.
struct Host {
    process: Child,
    /// Kept open: the test harness in there ends with a line.
    _output: BufReader<ChildStdout>,
    postgres: libc::pid_t,
}

impl Host {
    fn start(command: &mut Command, folder: &Folder) -> Host {
        command.args(["--exact", "a_host_in_a_process_of_its_own", "--ignored", "--nocapture"]);
        command.env(HOST_VARIABLE, folder.0.join("postgres")).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut output = BufReader::new(process.stdout.take().unwrap());
        let lines = output.by_ref().lines().map_while(Result::ok);
        let pid =
            lines.filter_map(|line| line.split_once("postgres ready ").map(|(_, pid)| pid.parse().unwrap())).next();
        let postgres = pid.expect("the host should have started its postgres");
        Host { process, _output: output, postgres }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn stop(mut self) {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
    }
}

#[test]
#[ignore = "run by the tests beside it"]
fn a_host_in_a_process_of_its_own() {
    let Some(data_dir) = std::env::var_os(HOST_VARIABLE) else { return };
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let config = Config { data_dir: data_dir.into(), ..Config::default() };
        let postgres = Postgres::start(config).await.unwrap();
        add_row(&mut connect(&postgres).await).await;
        println!("\npostgres ready {}", postgres.pid().unwrap());
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await.unwrap().unwrap();
        postgres.stop().await;
    });
}

async fn connect(postgres: &Postgres) -> PgConnection {
    postgres.connect_options().connect().await.unwrap()
}

async fn add_row(connection: &mut PgConnection) {
    sqlx::query("CREATE TABLE IF NOT EXISTS kept (n int)").execute(&mut *connection).await.unwrap();
    sqlx::query("INSERT INTO kept VALUES (1)").execute(connection).await.unwrap();
}

async fn rows(pool: &PgPool) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM kept").fetch_one(pool).await.unwrap()
}

async fn setting(connection: &mut PgConnection, name: &str) -> String {
    sqlx::query_scalar(AssertSqlSafe(format!("SHOW {name}"))).fetch_one(connection).await.unwrap()
}

fn signal(pid: libc::pid_t, signal: libc::c_int) {
    // SAFETY: a plain system call.
    assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
}

fn is_root() -> bool {
    // SAFETY: only returns a number.
    unsafe { libc::geteuid() == 0 }
}

#[tokio::test]
async fn a_second_start_finds_what_the_first_has_kept() {
    let folder = Folder::new();
    let first = Postgres::start(folder.config()).await.unwrap();
    assert!(first.version().starts_with(|c: char| c.is_ascii_digit()));
    add_row(&mut connect(&first).await).await;
    first.stop().await;
    assert_eq!(*first.state().borrow(), State::Stopped);

    let second = Postgres::start(folder.config()).await.unwrap();
    let pool = PgPool::connect_with(second.connect_options()).await.unwrap();
    assert_eq!(rows(&pool).await, 1);
    pool.close().await;
    second.stop().await;
}

#[tokio::test]
async fn it_runs_with_our_settings_and_only_we_can_reach_it() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.settings.insert("work_mem".into(), "5MB".into());
    let postgres = Postgres::start(config).await.unwrap();
    let mut connection = connect(&postgres).await;
    let expected = [
        ("listen_addresses", ""),
        ("synchronous_commit", "on"),
        ("fsync", "on"),
        ("full_page_writes", "on"),
        ("shared_buffers", "128MB"),
        ("max_wal_size", "1GB"),
        ("checkpoint_timeout", "15min"),
        ("jit", "off"),
        ("max_connections", "50"),
        ("work_mem", "5MB"),
    ];
    for (name, value) in expected {
        assert_eq!(setting(&mut connection, name).await, value, "{name}");
    }
    let socket_dir = std::fs::metadata(postgres.socket_dir()).unwrap();
    assert_eq!(socket_dir.permissions().mode() & 0o777, 0o700);
    connection.close().await.unwrap();
    postgres.stop().await;
}

#[tokio::test]
async fn a_killed_postgres_comes_back_and_pools_with_it() {
    let folder = Folder::new();
    let postgres = Postgres::start(folder.config()).await.unwrap();
    let pool = PgPoolOptions::new().max_connections(4).connect_with(postgres.connect_options()).await.unwrap();
    add_row(&mut pool.acquire().await.unwrap()).await;
    for _ in 0..3 {
        let pid = postgres.pid().unwrap();
        let mut state = postgres.state();
        signal(pid.cast_signed(), libc::SIGKILL);
        state.wait_for(|s| matches!(s, State::Running { pid: new } if *new != pid)).await.unwrap();
        assert_eq!(rows(&pool).await, 1);
    }
    pool.close().await;
    postgres.stop().await;
}

#[tokio::test]
async fn whoever_waits_for_its_exit_hears_of_it() {
    let folder = Folder::new();
    let postgres = Postgres::start(folder.config()).await.unwrap();
    // Polled once before the signal, so that it waits for the exit of this server.
    let mut exited = std::pin::pin!(postgres.exited());
    assert!(tokio::time::timeout(Duration::ZERO, exited.as_mut()).await.is_err());
    signal(postgres.pid().unwrap().cast_signed(), libc::SIGKILL);
    let reason = exited.await;
    assert!(reason.contains("signal 9") || reason.contains("started again"), "{reason}");
    postgres.stop().await;
}

#[tokio::test]
async fn a_stop_ends_the_restarts_of_a_postgres_that_cannot_start() {
    let folder = Folder::new();
    let postgres = Postgres::start(folder.config()).await.unwrap();
    let mut state = postgres.state();
    std::fs::write(postgres.cluster_dir().join("pintle.conf"), "no such setting\n").unwrap();
    signal(postgres.pid().unwrap().cast_signed(), libc::SIGKILL);
    let refused = |s: &State| matches!(s, State::Down { reason } if reason.contains("FATAL"));
    state.wait_for(refused).await.unwrap();
    postgres.stop().await;
    assert_eq!(*postgres.state().borrow(), State::Stopped);
}

#[tokio::test]
async fn after_the_host_was_killed_the_next_start_finds_every_row() {
    let folder = Folder::new();
    for killed in 1..=3 {
        let host = Host::start(&mut Command::new(std::env::current_exe().unwrap()), &folder);
        host.kill();
        let postgres = Postgres::start(folder.config()).await.unwrap();
        let pool = PgPool::connect_with(postgres.connect_options()).await.unwrap();
        assert_eq!(rows(&pool).await, killed);
        pool.close().await;
        postgres.stop().await;
    }
}

#[tokio::test]
async fn a_start_waits_for_the_previous_server_to_end() {
    let folder = Folder::new();
    let host = Host::start(&mut Command::new(std::env::current_exe().unwrap()), &folder);
    let previous = host.postgres;
    // Stopped, it cannot act on the signal that its host's death sends.
    signal(previous, libc::SIGSTOP);
    host.kill();
    assert!(Path::new(&format!("/proc/{previous}")).exists());
    let starting = tokio::spawn(Postgres::start(folder.config()));
    signal(previous, libc::SIGCONT);
    let postgres = starting.await.unwrap().unwrap();
    assert_ne!(postgres.pid().unwrap().cast_signed(), previous);
    let pool = PgPool::connect_with(postgres.connect_options()).await.unwrap();
    assert_eq!(rows(&pool).await, 1);
    pool.close().await;
    postgres.stop().await;
}

#[tokio::test]
async fn a_folder_in_use_is_refused_with_the_process_that_has_it() {
    let folder = Folder::new();
    let host = Host::start(&mut Command::new(std::env::current_exe().unwrap()), &folder);
    let refused = Postgres::start(folder.config()).await.unwrap_err();
    assert!(matches!(refused, Error::InUse { .. }));
    assert!(refused.to_string().contains(&format!("process {}", host.process.id())), "{refused}");
    host.stop();
    Postgres::start(folder.config()).await.unwrap().stop().await;
}

#[tokio::test]
async fn a_cluster_that_was_never_finished_is_made_anew() {
    let folder = Folder::new();
    let left = folder.0.join("postgres/cluster.unfinished.1/base");
    std::fs::create_dir_all(&left).unwrap();
    let postgres = Postgres::start(folder.config()).await.unwrap();
    connect(&postgres).await.close().await.unwrap();
    assert!(!left.exists());
    postgres.stop().await;
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_gets_a_short_one_of_its_own() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.data_dir = folder.0.join("a-rather-long-name".repeat(7)).join("postgres");
    let postgres = Postgres::start(config.clone()).await.unwrap();
    connect(&postgres).await.close().await.unwrap();
    let socket_dir = postgres.socket_dir().to_path_buf();
    assert!(!socket_dir.starts_with(&folder.0));
    assert_eq!(std::fs::metadata(&socket_dir).unwrap().permissions().mode() & 0o777, 0o700);
    let recorded = std::fs::read_to_string(config.data_dir.join("socket-dir")).unwrap();
    assert_eq!(Path::new(recorded.trim()), socket_dir);
    postgres.stop().await;
    std::fs::remove_dir(socket_dir).unwrap();
}

#[tokio::test]
async fn missing_binaries_are_named() {
    let folder = Folder::new();
    let refused = Postgres::start(Config { binaries: Some(folder.0.clone()), ..folder.config() }).await.unwrap_err();
    assert!(refused.to_string().contains("no working initdb"), "{refused}");
}

#[tokio::test]
async fn a_cluster_of_a_release_that_is_not_installed_is_left_alone() {
    let folder = Folder::new();
    let cluster = folder.0.join("postgres/cluster");
    std::fs::create_dir_all(&cluster).unwrap();
    std::fs::write(cluster.join("PG_VERSION"), "9\n").unwrap();
    let refused = Postgres::start(folder.config()).await.unwrap_err();
    assert!(matches!(refused, Error::OtherMajor { major: 9, .. }), "{refused}");
    assert!(refused.to_string().contains("pg_upgrade"), "{refused}");
}

#[tokio::test]
async fn a_setting_that_postgres_refuses_fails_the_start_with_its_words() {
    let folder = Folder::new();
    let mut config = folder.config();
    config.settings.insert("no_such_setting".into(), "1".into());
    let refused = Postgres::start(config).await.unwrap_err();
    assert!(
        refused.to_string().contains("no_such_setting") || refused.to_string().contains("contains errors"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_start_that_is_given_up_leaves_nothing_running() {
    let folder = Folder::new();
    let given_up = tokio::time::timeout(Duration::from_millis(1), Postgres::start(folder.config())).await;
    assert!(given_up.is_err());
    // Refused for as long as the other start still cleans up.
    let postgres = loop {
        match Postgres::start(folder.config()).await {
            Err(Error::InUse { .. }) => tokio::task::yield_now().await,
            started => break started.unwrap(),
        }
    };
    postgres.stop().await;
}

/// A copy of this binary and a folder, both for a user who may not read where we were built.
fn for_everybody(folder: &Folder) -> PathBuf {
    let binary = folder.0.join("host");
    std::fs::copy(std::env::current_exe().unwrap(), &binary).unwrap();
    std::fs::set_permissions(&binary, PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&folder.0, PermissionsExt::from_mode(0o755)).unwrap();
    binary
}

#[test]
fn an_ordinary_user_runs_it_as_itself() {
    if !is_root() {
        // Then every other test has shown it.
        return;
    }
    let folder = Folder::new();
    let binary = for_everybody(&folder);
    let nobody = 65534;
    std::fs::create_dir(folder.0.join("postgres")).unwrap();
    std::os::unix::fs::chown(folder.0.join("postgres"), Some(nobody), Some(nobody)).unwrap();
    Host::start(Command::new(&binary).uid(nobody).gid(nobody), &folder).stop();
    let owner = std::fs::metadata(folder.0.join("postgres/cluster/PG_VERSION")).unwrap().uid();
    assert_eq!(owner, nobody);
}

#[test]
fn a_user_without_a_name_runs_it_in_a_namespace() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    let binary = for_everybody(&folder);
    let nameless = 40_961;
    let namespace = Command::new("unshare").args(["--user", "true"]).uid(nameless).gid(nameless).status();
    if !namespace.is_ok_and(|status| status.success()) {
        eprintln!("left out: this machine allows no user namespaces");
        return;
    }
    std::fs::create_dir(folder.0.join("postgres")).unwrap();
    std::os::unix::fs::chown(folder.0.join("postgres"), Some(nameless), Some(nameless)).unwrap();
    Host::start(Command::new(&binary).uid(nameless).gid(nameless), &folder).stop();
    assert_eq!(std::fs::metadata(folder.0.join("postgres/cluster/PG_VERSION")).unwrap().uid(), nameless);
}

#[test]
fn root_without_namespaces_runs_it_as_another_user_and_takes_the_files_back_later() {
    if !is_root() {
        return;
    }
    let folder = Folder::new();
    let binary = for_everybody(&folder);
    let root = folder.0.join("root");
    std::fs::create_dir(&root).unwrap();
    // The kernel makes no user namespace for a process with a root folder of its own.
    let confined = |argument: &str| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-c", r#"mount --rbind / "$0" && chroot "$0" "$@""#]).arg(&root).arg(argument);
        command
    };
    if !confined("true").status().is_ok_and(|status| status.success()) {
        eprintln!("left out: this machine allows no mounts");
        return;
    }
    let cluster_owner = || std::fs::metadata(folder.0.join("postgres/cluster/PG_VERSION")).unwrap().uid();
    Host::start(&mut confined(binary.to_str().unwrap()), &folder).stop();
    assert_ne!(cluster_owner(), 0);
    Host::start(&mut Command::new(&binary), &folder).stop();
    assert_eq!(cluster_owner(), 0);
    Host::start(&mut confined(binary.to_str().unwrap()), &folder).stop();
    assert_ne!(cluster_owner(), 0);
}
