//! The cluster: making it, and the settings it runs with.

use super::{Error, USER, binaries::Binaries, config::Config, directory::Directory, identity::Identity};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::path::Path;
use std::process::{Command, Stdio};

/// Pintle's settings. What is left out has Postgres' default.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    ("unix_socket_permissions", "0700"),
    ("max_connections", "50"),
    // An acknowledged event is a durable one.
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    // Group commit happens in Pintle; waiting again would only cost latency.
    ("commit_delay", "0"),
    // The log is written once and read from memory: it has no use for a larger cache.
    ("shared_buffers", "128MB"),
    ("wal_compression", "lz4"),
    ("max_wal_size", "1GB"),
    // WAL files are used again instead of being made anew, which writes them twice.
    ("min_wal_size", "512MB"),
    ("checkpoint_timeout", "15min"),
    ("jit", "off"),
    ("cluster_name", "pintle"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("log_line_prefix", "%m [%p] "),
    ("lc_messages", "C"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
];

/// The release that made a cluster.
pub(super) fn major(cluster: &Path) -> Result<Option<u32>, Error> {
    let path = cluster.join("PG_VERSION");
    match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        text => {
            let text = text.map_err(Error::io(format!("read {}", path.display())))?;
            let not_a_number = |error| Error::io(format!("read {}", path.display()))(std::io::Error::other(error));
            text.trim().parse().map(Some).map_err(not_a_number)
        }
    }
}

/// Makes the cluster. It gets its name when it is complete and on disk, so that a cluster that has the name
/// can be used, whenever the power went.
pub(super) fn make(directory: &Directory, binaries: &Binaries, identity: &Identity) -> Result<(), Error> {
    let (unfinished, cluster) = (directory.unfinished_cluster(), directory.cluster());
    tracing::info!(path = %cluster.display(), version = binaries.version, "making the postgres cluster");
    let mut initdb = tool(binaries, "initdb", identity);
    // Nobody but us gets to the socket, so there is nobody to ask for a password.
    initdb.args(["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C"]);
    // Syncing a thousand small files one by one takes seconds; below, the disk gets them all at once.
    initdb.arg("--no-sync").arg("--pgdata").arg(&unfinished);
    let done = initdb.output().map_err(Error::io("run initdb"))?;
    if !done.status.success() {
        let _ = fs::remove_dir_all(&unfinished);
        let output = String::from_utf8_lossy(&done.stderr).trim().to_owned();
        return Err(Error::Init { status: done.status.to_string(), output });
    }
    include_our_settings(&unfinished)?;
    sync_disk_of(&unfinished)?;
    fs::rename(&unfinished, &cluster).map_err(Error::io(format!("name the new cluster {}", cluster.display())))?;
    directory.sync()
}

/// Writes the settings of this start.
pub(super) fn configure(
    config: &Config,
    cluster: &Path,
    socket_dir: &Path,
    binaries: &Binaries,
    identity: &Identity,
) -> Result<(), Error> {
    let mut settings: BTreeMap<&str, String> =
        SETTINGS.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    // A list in which quotes keep commas from being separators.
    let socket_dir = socket_dir.to_string_lossy().replace('"', "\"\"");
    settings.insert("unix_socket_directories", format!("\"{socket_dir}\""));
    if !has_lz4(cluster, binaries, identity) {
        settings.insert("wal_compression", "on".into());
    }
    settings.extend(config.settings.iter().map(|(name, value)| (name.as_str(), value.clone())));
    let mut text =
        String::from("# Written by Pintle at every start. Settings of your own belong into Pintle's configuration.\n");
    for (name, value) in &settings {
        text.push_str(&format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''")));
    }
    write(&cluster.join("pg_hba.conf"), &format!("local all {USER} trust\n"), identity)?;
    write(&cluster.join("pintle.conf"), &text, identity)
}

/// A program of the server, as the user it runs as, with nothing of our environment that would change it.
pub(super) fn tool(binaries: &Binaries, program: &str, identity: &Identity) -> Command {
    let mut command = Command::new(binaries.dir.join(program));
    for (name, _) in std::env::vars_os() {
        // PGPORT and the like are about other servers; with NOTIFY_SOCKET, Postgres would tell systemd that
        // *we* are ready.
        if name.as_encoded_bytes().starts_with(b"PG") || name == "NOTIFY_SOCKET" {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
    // Each chunk is a message of some hundred kilobytes: glibc would map memory for it and unmap it again.
    command.env("MALLOC_MMAP_THRESHOLD_", "33554432").env("MALLOC_TRIM_THRESHOLD_", "16777216");
    identity.apply(&mut command, libc::SIGINT);
    command
}

/// Not every build has it, and a setting that is not understood keeps Postgres from starting.
fn has_lz4(cluster: &Path, binaries: &Binaries, identity: &Identity) -> bool {
    let mut probe = tool(binaries, "postgres", identity);
    // Without the cluster's settings: were one of them wrong, this would be what fails.
    probe.arg("-D").arg(cluster).args(["-c", "config_file=/dev/null"]);
    probe.args(["-c", "wal_compression=lz4", "-C", "wal_compression"]);
    probe.output().is_ok_and(|answer| answer.status.success())
}

/// Has the cluster read our settings after its own, which stay as initdb has written them.
fn include_our_settings(cluster: &Path) -> Result<(), Error> {
    let path = cluster.join("postgresql.conf");
    let opened = fs::File::options().append(true).open(&path);
    let appended = opened.and_then(|mut file| file.write_all(b"\ninclude_if_exists 'pintle.conf'\n"));
    appended.map_err(Error::io(format!("extend {}", path.display())))
}

/// Writes everything to the disk that `dir` is on, and waits for it.
fn sync_disk_of(dir: &Path) -> Result<(), Error> {
    let sync = || {
        let dir = fs::File::open(dir)?;
        // SAFETY: a plain system call on a descriptor that is open.
        if unsafe { libc::syncfs(dir.as_raw_fd()) } == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    };
    sync().map_err(Error::io(format!("sync the disk of {}", dir.display())))
}

/// Replaces a file as a whole, if it differs: a half-written one would keep the next start from succeeding.
fn write(path: &Path, text: &str, identity: &Identity) -> Result<(), Error> {
    if fs::read(path).is_ok_and(|now| now == text.as_bytes()) {
        return Ok(());
    }
    let new = path.with_extension("new");
    let replace = || {
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        let (uid, gid) = identity.owner();
        chown(&new, Some(uid), Some(gid))?;
        fs::rename(&new, path)
    };
    replace().map_err(Error::io(format!("write {}", path.display())))
}
