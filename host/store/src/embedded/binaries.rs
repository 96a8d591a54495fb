//! Which of the installed server binaries to use.

use super::Error;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest release: chunks need `lz4` for full-page images, and nothing older is tested.
const MAJOR_LEAST: u32 = 15;

/// One release on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The folder with `initdb` and `postgres`.
    pub dir: PathBuf,
    /// The release, e.g. 15.
    pub major: u32,
    /// In full, e.g. `15.18`.
    pub version: String,
}

/// The binaries to use: those of `setting`, else the ones that fit `cluster` (its folder and release), else the newest.
pub(super) fn find(setting: Option<&Path>, cluster: Option<(&Path, u32)>) -> Result<Binaries, Error> {
    let candidates = match setting {
        Some(dir) => vec![inspect(dir)?],
        None => {
            let dirs = usual_dirs();
            let found: Vec<Binaries> = dirs.iter().filter_map(|dir| inspect(dir).ok()).collect();
            if found.is_empty() {
                let searched = "PATH, /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin".into();
                return Err(Error::NotInstalled { searched, install: install_command(None) });
            }
            found
        }
    };
    choose(candidates, cluster)
}

/// The candidate that fits.
fn choose(candidates: Vec<Binaries>, cluster: Option<(&Path, u32)>) -> Result<Binaries, Error> {
    let found =
        candidates.iter().map(|b| format!("{} ({})", b.version, b.dir.display())).collect::<Vec<_>>().join(", ");
    if let Some((dir, major)) = cluster {
        return candidates.into_iter().find(|b| b.major == major).ok_or_else(|| Error::OtherMajor {
            cluster: dir.to_path_buf(),
            major,
            found,
            install: install_command(Some(major)),
        });
    }
    // The first of equals, so that PATH's order counts.
    let newest = candidates.into_iter().rev().max_by_key(|b| b.major);
    newest.filter(|b| b.major >= MAJOR_LEAST).ok_or_else(|| Error::TooOld {
        least: MAJOR_LEAST,
        found,
        install: install_command(Some(MAJOR_LEAST)),
    })
}

/// Folders that usually hold server binaries, each once, in the order of preference.
fn usual_dirs() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).filter(|dir| dir.is_absolute()).collect();
    dirs.extend(children(Path::new("/usr/lib/postgresql"), "").map(|dir| dir.join("bin")));
    dirs.extend(children(Path::new("/usr"), "pgsql-").map(|dir| dir.join("bin")));
    let mut seen = BTreeSet::new();
    dirs.retain(|dir| dir.join("postgres").exists() && seen.insert(dir.canonicalize().unwrap_or_else(|_| dir.clone())));
    dirs
}

/// The folders in `dir` whose names start with `prefix`.
fn children(dir: &Path, prefix: &'static str) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter(move |entry| entry.file_name().to_string_lossy().starts_with(prefix)).map(|entry| entry.path())
}

/// Looks whether `dir` has what is needed, and of which release it is.
fn inspect(dir: &Path) -> Result<Binaries, Error> {
    let broken = |program, why: String| Error::Binaries { dir: dir.to_path_buf(), program, why };
    if !dir.join("initdb").is_file() {
        return Err(broken("initdb", "there is no such file".into()));
    }
    let answer = Command::new(dir.join("postgres"))
        .arg("--version")
        .output()
        .map_err(|error| broken("postgres", error.to_string()))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    parse_version(&text)
        .map(|(major, version)| Binaries { dir: dir.to_path_buf(), major, version })
        .ok_or_else(|| broken("postgres", format!("it answers {:?} to --version", text.trim())))
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → 15 and `15.18`.
fn parse_version(text: &str) -> Option<(u32, String)> {
    let version = text.split_once("(PostgreSQL)")?.1.split_whitespace().next()?;
    let digits = version.find(|c: char| !c.is_ascii_digit()).unwrap_or(version.len());
    Some((version[..digits].parse().ok()?, version.to_owned()))
}

/// How to install the server here; of a certain release where the packages are named after releases.
fn install_command(major: Option<u32>) -> String {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    install_command_for(&release, major)
}

fn install_command_for(os_release: &str, major: Option<u32>) -> String {
    let value = |key: &str| {
        let line = os_release.lines().find_map(|line| line.strip_prefix(key))?;
        Some(line.trim_matches('"').to_owned())
    };
    let ids = [value("ID=").unwrap_or_default(), value("ID_LIKE=").unwrap_or_default()].join(" ");
    let is = |names: &[&str]| ids.split_whitespace().any(|id| names.contains(&id));
    let numbered = |name: &str| major.map_or(name.to_owned(), |major| format!("{name}-{major}"));
    if is(&["debian", "ubuntu"]) {
        format!("apt-get install {}", numbered("postgresql"))
    } else if is(&["fedora", "rhel", "centos"]) {
        major.map_or("dnf install postgresql-server".into(), |major| format!("dnf install postgresql{major}-server"))
    } else if is(&["alpine"]) {
        format!("apk add postgresql{}", major.map(|m| m.to_string()).unwrap_or_default())
    } else if is(&["suse", "opensuse"]) {
        format!("zypper install postgresql{}-server", major.map(|m| m.to_string()).unwrap_or_default())
    } else if is(&["arch"]) {
        "pacman -S postgresql".into()
    } else {
        "your package manager (the server, with initdb)".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(major: u32, dir: &str) -> Binaries {
        Binaries { dir: dir.into(), major, version: format!("{major}.1") }
    }

    #[test]
    fn the_newest_release_makes_a_new_cluster() {
        let chosen = choose(vec![release(15, "/a"), release(17, "/b"), release(17, "/c")], None).unwrap();
        assert_eq!(chosen.dir, Path::new("/b"));
    }

    #[test]
    fn a_cluster_gets_the_release_that_made_it() {
        let both = vec![release(17, "/b"), release(15, "/a")];
        assert_eq!(choose(both.clone(), Some((Path::new("/c"), 15))).unwrap().major, 15);
        let refused = choose(both, Some((Path::new("/c"), 16))).unwrap_err().to_string();
        assert!(refused.contains("made by PostgreSQL 16") && refused.contains("17.1 (/b)"), "{refused}");
        assert!(refused.contains("pg_upgrade"), "{refused}");
    }

    #[test]
    fn a_release_that_is_too_old_makes_no_cluster() {
        let refused = choose(vec![release(13, "/a")], None).unwrap_err().to_string();
        assert!(refused.contains("PostgreSQL 15 or newer") && refused.contains("13.1"), "{refused}");
    }

    #[test]
    fn versions_of_packagers_and_betas_are_understood() {
        assert_eq!(parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some((15, "15.18".into())));
        assert_eq!(parse_version("postgres (PostgreSQL) 18beta2\n"), Some((18, "18beta2".into())));
        assert_eq!(parse_version("cockroach v24"), None);
    }

    #[test]
    fn the_install_command_is_the_one_of_the_distribution() {
        assert_eq!(install_command_for("NAME=x\nID=debian\n", None), "apt-get install postgresql");
        assert_eq!(
            install_command_for("ID=pop\nID_LIKE=\"ubuntu debian\"\n", Some(17)),
            "apt-get install postgresql-17"
        );
        assert_eq!(
            install_command_for("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", None),
            "dnf install postgresql-server"
        );
        assert!(install_command_for("", None).contains("package manager"));
    }
}
