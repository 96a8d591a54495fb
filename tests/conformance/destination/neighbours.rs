//! What stands beside a file of cases: recorded answers, and configurations of the same destination.

use anyhow::Context as _;
use serde_json::Value;
use std::path::Path;

/// What the cases of a folder share.
pub struct Neighbours {
    /// `{"httpReq", "httpRes"}` of `_network.json`.
    pub network: Vec<Value>,
    /// Configurations in the folder's cases, each once.
    pub configs: Vec<Value>,
}

impl Neighbours {
    /// Reads a folder.
    pub fn read(folder: &Path) -> anyhow::Result<Neighbours> {
        let mut neighbours = Neighbours { network: Vec::new(), configs: Vec::new() };
        let mut files: Vec<_> =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
        files.sort();
        for file in files {
            let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if !name.ends_with(".json") {
                continue;
            }
            let text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
            let list: Vec<Value> = serde_json::from_str(&text).with_context(|| file.display().to_string())?;
            if name == "_network.json" {
                neighbours.network = list;
            } else if !name.starts_with('_') {
                neighbours.note_configs(&list);
            }
        }
        Ok(neighbours)
    }

    fn note_configs(&mut self, cases: &[Value]) {
        for case in cases {
            let body = &case["input"]["request"]["body"];
            let inputs = body.as_array().or_else(|| body["input"].as_array());
            for config in inputs.into_iter().flatten().map(|input| &input["destination"]["Config"]) {
                if config.is_object() && !self.configs.contains(config) {
                    self.configs.push(config.clone());
                }
            }
        }
    }
}
