//! Case files: each is a group.

use anyhow::Context;
use pintle_plugin_sdk::cases::Case;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The cases of one file.
pub struct Group {
    /// The file's path in the folder, without `.json`.
    pub path: String,
    /// Where the file is.
    pub folder: PathBuf,
    /// The cases, in the file's order.
    pub cases: Vec<Value>,
}

impl Group {
    /// What a case is called.
    pub fn description(&self, index: usize) -> String {
        let case = &self.cases[index];
        let named = case["description"].as_str().or(case["test"].as_str());
        named.map_or_else(|| format!("{} {}", case["fn"].as_str().unwrap_or("case"), case["input"]), str::to_owned)
    }
}

/// All groups below a folder, by path. Files that begin with `_` belong to other files, and those that are no lists
/// are none of cases.
pub fn groups(folder: &Path) -> anyhow::Result<Vec<Group>> {
    let mut files = Vec::new();
    find(folder, &mut files)?;
    files.sort();
    let mut groups = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
        let path = file.strip_prefix(folder).unwrap_or(&file).with_extension("");
        let folder = file.parent().unwrap_or(folder).to_owned();
        let context = || format!("{} is no list of cases", file.display());
        let cases = if is_beside_a_plugin(&folder) {
            // What they hold need not fit into a tree: they are read again, as text, when they run.
            let cases: Vec<Case> = serde_json::from_str(&text).with_context(context)?;
            cases.into_iter().map(|case| json!({ "description": case.name })).collect()
        } else {
            // Elsewhere there may be manifests and the like.
            let Value::Array(cases) = serde_json::from_str(&text).with_context(context)? else { continue };
            cases
        };
        groups.push(Group { path: path.display().to_string(), folder, cases });
    }
    Ok(groups)
}

/// Whether a folder holds cases of the plugin whose folder it is in.
pub fn is_beside_a_plugin(folder: &Path) -> bool {
    folder.ends_with("cases") && folder.with_file_name("manifest.json").is_file()
}

fn find(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name == "node_modules" {
            continue;
        }
        if path.is_dir() {
            find(&path, files)?;
        } else if name.ends_with(".json") && !name.starts_with('_') {
            files.push(path);
        }
    }
    Ok(())
}
