//! The folder: its lock, who owns it, where the socket is.

use super::{Error, PORT, identity::Identity};
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Bytes of a socket's path, at most, without the NUL: `sun_path` has 108.
const SOCKET_PATH_BYTES_MAX: usize = 107;

/// The folder, ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Directory {
    root: PathBuf,
    /// Released with the last handle on the file; no child inherits it.
    _lock: File,
}

impl Directory {
    /// Makes the folder if there is none, and takes its lock.
    pub(super) fn open(root: &Path) -> Result<Directory, Error> {
        // Only the last folder is ours alone: a Postgres that runs as another user has to pass through the others.
        let parents = root.parent().map_or(Ok(()), fs::create_dir_all);
        let made = parents.and_then(|()| DirBuilder::new().recursive(true).mode(0o700).create(root));
        made.map_err(Error::io(format!("make the folder {}", root.display())))?;
        let root = root.canonicalize().map_err(Error::io(format!("find {}", root.display())))?;
        let lock = take_lock(&root)?;
        Ok(Directory { root, _lock: lock })
    }

    /// Where the cluster is, or will be.
    pub(super) fn cluster(&self) -> PathBuf {
        self.root.join("cluster")
    }

    /// Where a cluster is made, before it gets its name.
    pub(super) fn unfinished_cluster(&self) -> PathBuf {
        self.root.join(format!("cluster.unfinished.{}", std::process::id()))
    }

    /// Removes what a first start has left that did not get to its end.
    pub(super) fn remove_unfinished(&self) -> Result<(), Error> {
        let entries = fs::read_dir(&self.root).map_err(Error::io(format!("read {}", self.root.display())))?;
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with("cluster.unfinished.") {
                let path = entry.path();
                tracing::info!(path = %path.display(), "removing a cluster that was never finished");
                fs::remove_dir_all(&path).map_err(Error::io(format!("remove {}", path.display())))?;
            }
        }
        Ok(())
    }

    /// Makes a new name in the folder durable.
    pub(super) fn sync(&self) -> Result<(), Error> {
        let synced = File::open(&self.root).and_then(|dir| dir.sync_all());
        synced.map_err(Error::io(format!("sync {}", self.root.display())))
    }

    /// Where Postgres' log is.
    pub(super) fn log(&self) -> PathBuf {
        self.root.join("postgres.log")
    }

    /// Makes the files belong to those that Postgres runs as, where that is possible.
    pub(super) fn give_to(&self, identity: &Identity) -> Result<(), Error> {
        let (uid, gid) = identity.owner();
        if is_root() {
            // Back to root as well: in a namespace, root may not enter what is another user's.
            own(&self.root, uid, gid)?;
        }
        if let Some(user) = identity.other() {
            self.check_reachable(user, uid, gid)?;
        }
        let cluster = self.cluster();
        if cluster.exists() { own_all(&cluster, uid, gid) } else { Ok(()) }
    }

    /// A folder for the socket that only Postgres' user and root may enter: in this folder, or, when the path
    /// would be too long for a socket, under a short one that is derived from it.
    pub(super) fn socket_dir(&self, identity: &Identity) -> Result<PathBuf, Error> {
        let (uid, gid) = identity.owner();
        let inside = self.root.join("socket");
        let dir = if fits(&inside) { inside } else { self.short_socket_dir(identity)? };
        match DirBuilder::new().mode(0o700).create(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            made => made.map_err(Error::io(format!("make the folder {}", dir.display())))?,
        }
        let found = fs::symlink_metadata(&dir).map_err(Error::io(format!("look at {}", dir.display())))?;
        // Under /tmp, somebody else could have been there first.
        if !found.is_dir() || (found.uid() != uid && !is_root()) {
            return Err(Error::NotOurs { dir, owner: found.uid(), us: uid });
        }
        own(&dir, uid, gid)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))
            .map_err(Error::io(format!("close {} to others", dir.display())))?;
        // Left by a server that was killed. The number in the lock file may mean another process by now, and
        // no server runs here: that has been made sure of.
        for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
            let _ = fs::remove_file(dir.join(name));
        }
        let recorded = fs::write(self.root.join("socket-dir"), format!("{}\n", dir.display()));
        recorded.map_err(Error::io("write down where the socket is"))?;
        Ok(dir)
    }

    fn short_socket_dir(&self, identity: &Identity) -> Result<PathBuf, Error> {
        let name = format!("pintle-{:016x}", xxhash_rust::xxh3::xxh3_64(self.root.as_os_str().as_encoded_bytes()));
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        // Another user could not enter our runtime folder.
        let runtime = runtime.filter(|dir| identity.other().is_none() && dir.is_absolute() && dir.is_dir());
        let candidates = [runtime, Some(std::env::temp_dir()), Some("/tmp".into())];
        let dir = candidates.into_iter().flatten().map(|dir| dir.join(&name)).find(|dir| fits(dir));
        dir.ok_or_else(|| Error::io("find a short path for the socket")(std::io::ErrorKind::InvalidFilename.into()))
    }

    /// Every folder above must let the other user pass.
    fn check_reachable(&self, user: &str, uid: u32, gid: u32) -> Result<(), Error> {
        for dir in self.root.ancestors() {
            let found = fs::metadata(dir).map_err(Error::io(format!("look at {}", dir.display())))?;
            let bit = if found.uid() == uid {
                0o100
            } else if found.gid() == gid {
                0o010
            } else {
                0o001
            };
            if found.mode() & bit == 0 {
                return Err(Error::Barred { user: user.to_owned(), dir: dir.to_path_buf() });
            }
        }
        Ok(())
    }
}

/// Takes the folder's lock or says who has it.
fn take_lock(root: &Path) -> Result<File, Error> {
    let path = root.join("lock");
    let opened = File::options().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path);
    let mut lock = opened.map_err(Error::io(format!("open {}", path.display())))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = lock.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "unknown".into() } else { holder.trim().to_owned() };
            return Err(Error::InUse { dir: root.to_path_buf(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(Error::io(format!("lock {}", path.display()))(error)),
    }
    let mut note = || {
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{}", std::process::id())
    };
    note().map_err(Error::io(format!("write {}", path.display())))?;
    Ok(lock)
}

/// Whether a socket in `dir` has a path that the kernel takes, and that a configuration file can hold.
fn fits(dir: &Path) -> bool {
    let socket = dir.join(format!(".s.PGSQL.{PORT}"));
    let plain = dir.to_str().is_some_and(|text| !text.contains(char::is_control));
    plain && socket.as_os_str().len() <= SOCKET_PATH_BYTES_MAX
}

/// Gives everything below `path` to a user, unless it is that user's already.
fn own_all(path: &Path, uid: u32, gid: u32) -> Result<(), Error> {
    let found = fs::symlink_metadata(path).map_err(Error::io(format!("look at {}", path.display())))?;
    if found.uid() == uid {
        return Ok(());
    }
    if !is_root() {
        return Err(Error::NotOurs { dir: path.to_path_buf(), owner: found.uid(), us: uid });
    }
    tracing::info!(path = %path.display(), uid, "giving the cluster to the user that postgres runs as");
    let mut folders = vec![path.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).map_err(Error::io(format!("read {}", folder.display())))?;
        for entry in entries {
            let entry = entry.map_err(Error::io(format!("read {}", folder.display())))?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
            own(&entry.path(), uid, gid)?;
        }
    }
    // Last: its owner says that all is done.
    own(path, uid, gid)
}

fn own(path: &Path, uid: u32, gid: u32) -> Result<(), Error> {
    let found = fs::symlink_metadata(path).map_err(Error::io(format!("look at {}", path.display())))?;
    if found.uid() == uid {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(uid), Some(gid))
        .map_err(Error::io(format!("give {} to user {uid}", path.display())))
}

fn is_root() -> bool {
    // SAFETY: only returns a number.
    unsafe { libc::geteuid() == 0 }
}
