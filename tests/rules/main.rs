//! Which crate may depend on which: the "may use" and "never" of ARCHITECTURE.md, read from `cargo metadata`.

use pintle_tests::folder::project_dir;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// For each crate: the crates of ours that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("catalog", &["events"]),
    ("store", &["events", "catalog"]),
    ("runtime", &["events"]),
    ("gateway", &["events", "catalog", "store"]),
    ("router", &["events", "catalog", "store", "runtime"]),
    ("objects", &["router", "runtime"]),
    ("processor", &["events", "catalog", "store", "runtime", "router", "objects"]),
    ("control", &["events", "catalog", "store", "runtime"]),
    ("cli", &["catalog", "control", "runtime", "encode", "plugin-sdk"]),
    (
        "server",
        &["events", "catalog", "store", "runtime", "gateway", "router", "objects", "processor", "control", "cli"],
    ),
];

/// For each crate: the libraries that it must not name itself.
const NEVER: &[(&str, &[&str])] = &[
    ("events", &["tokio", "sqlx", "hyper", "wasmtime"]),
    ("catalog", &["tokio", "sqlx", "hyper", "wasmtime"]),
    ("store", &["hyper", "axum", "wasmtime"]),
    ("runtime", &["sqlx", "hyper"]),
    ("gateway", &["sqlx", "wasmtime"]),
    ("router", &["sqlx", "wasmtime"]),
    ("objects", &["sqlx", "wasmtime"]),
    ("processor", &["sqlx", "wasmtime", "hyper", "object_store"]),
    ("control", &["sqlx", "wasmtime"]),
    ("cli", &["sqlx", "wasmtime"]),
    ("server", &["wasmtime", "hyper"]),
];

/// What each workspace crate names in `[dependencies]`; test-only and build-only ones do not count.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = project_dir().join("Cargo.toml");
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline", "--manifest-path"])
        .arg(manifest)
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let packages = metadata["packages"].as_array().expect("packages are a list");
    packages
        .iter()
        .map(|package| {
            let named = package["dependencies"].as_array().expect("dependencies are a list");
            let normal = named.iter().filter(|dependency| dependency["kind"].is_null());
            let names = normal.filter_map(|dependency| dependency["name"].as_str()).map(str::to_owned).collect();
            (package["name"].as_str().unwrap_or_default().to_owned(), names)
        })
        .collect()
}

#[test]
fn every_host_crate_has_a_rule() {
    let known: BTreeSet<String> = MAY_USE.iter().map(|(name, _)| format!("pintle-{name}")).collect();
    let others = ["pintle-encode", "pintle-bulk-guest", "pintle-hostile-guest", "pintle-tests"];
    let is_other = |package: &str| others.contains(&package) || package.starts_with("pintle-plugin-");
    for package in dependencies().keys().filter(|package| !is_other(package)) {
        assert!(known.contains(package), "{package} is new: say in tests/rules and ARCHITECTURE.md what it may use");
    }
}

#[test]
fn crates_use_only_the_crates_they_may() {
    let dependencies = dependencies();
    for (name, allowed) in MAY_USE {
        let ours = dependencies[&format!("pintle-{name}")].iter().filter_map(|d| d.strip_prefix("pintle-"));
        for used in ours {
            assert!(allowed.contains(&used), "pintle-{name} may not use pintle-{used}");
        }
    }
}

#[test]
fn plugins_use_nothing_of_ours_but_the_sdk() {
    let dependencies = dependencies();
    let plugins = dependencies.iter().filter(|(name, _)| name.starts_with("pintle-plugin-"));
    for (name, used) in plugins {
        let ours: Vec<_> = used.iter().filter(|d| d.starts_with("pintle-") && *d != "pintle-plugin-sdk").collect();
        assert!(ours.is_empty(), "{name} may not use {ours:?}");
    }
}

#[test]
fn crates_keep_away_from_the_libraries_that_are_others_business() {
    let dependencies = dependencies();
    for (name, never) in NEVER {
        for library in *never {
            let named = dependencies[&format!("pintle-{name}")]
                .iter()
                .any(|d| d == library || d.starts_with(&format!("{library}-")));
            assert!(!named, "pintle-{name} may not use {library}");
        }
    }
}
