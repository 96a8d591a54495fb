//! Loads user code: scripts onto their engine, with what they were given, and components as they are.

use super::{Plugins, Unloadable};
use crate::given::Given;
use crate::spec::Running;
use pintle_catalog::{Code, Form, Language};
use pintle_runtime::transformation::{ScriptError, Source, Transformation};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Plugins {
    /// Loads a version of a transformation.
    ///
    /// # Errors
    /// [`Unloadable`] says where and why.
    pub async fn transformation(
        &self,
        id: &str,
        running: &Running,
        given: &Given,
    ) -> Result<Arc<Transformation>, Unloadable> {
        let bytes = self.artifacts.get(&running.code.digest).await?;
        self.transformation_of(id, running, given, &bytes).await
    }

    /// Loads code that need not be stored yet.
    ///
    /// # Errors
    /// As [`Plugins::transformation`].
    pub async fn transformation_of(
        &self,
        id: &str,
        running: &Running,
        given: &Given,
        bytes: &[u8],
    ) -> Result<Arc<Transformation>, Unloadable> {
        if running.code.form == Form::Component {
            let loaded = self.files.runtime.transformation_component(bytes, &running.hosts).await;
            return loaded.map_err(Unloadable::Component);
        }
        let language = running.code.language.unwrap_or_default();
        let source = Source {
            id: id.to_owned(),
            version: running.version(),
            name: running.name.clone(),
            code: text(bytes)?,
            libraries: self.libraries(given, language).await?,
            credentials: given.secrets()?,
            hosts: running.hosts.clone(),
        };
        self.load(language, source).await
    }

    /// Whether a library, which need not be stored yet, can be imported: together with those that it imports
    /// itself.
    ///
    /// # Errors
    /// As [`Plugins::transformation`].
    pub async fn library_of(&self, id: &str, code: &Code, given: &Given, bytes: &[u8]) -> Result<(), Unloadable> {
        let language = code.language.unwrap_or_default();
        if language == Language::Python && !is_identifier(id) {
            return Err(Unloadable::Script(Box::new(ScriptError {
                module: id.to_owned(),
                message: "Python cannot import by this id; use letters, digits and underscores".to_owned(),
                ..ScriptError::default()
            })));
        }
        let mut libraries = self.libraries(given, language).await?;
        libraries.insert(id.to_owned(), text(bytes)?);
        let source = Source {
            id: id.to_owned(),
            version: code.short().to_owned(),
            name: "the library's import".to_owned(),
            code: importer(id, language),
            libraries,
            credentials: given.secrets()?,
            hosts: Vec::new(),
        };
        self.load(language, source).await.map(drop)
    }

    async fn load(&self, language: Language, source: Source) -> Result<Arc<Transformation>, Unloadable> {
        let engine = self.files.engine(language, !source.hosts.is_empty()).await?;
        engine.load(source).await.map_err(|error| Unloadable::Script(Box::new(error)))
    }

    /// The libraries in a language.
    async fn libraries(&self, given: &Given, language: Language) -> Result<BTreeMap<String, String>, Unloadable> {
        let mut libraries = BTreeMap::new();
        for (name, code) in given.libraries.iter().filter(|(_, code)| code.language == Some(language)) {
            libraries.insert(name.clone(), text(&self.artifacts.get(&code.digest).await?)?);
        }
        Ok(libraries)
    }
}

fn text(bytes: &[u8]) -> Result<String, Unloadable> {
    let text = std::str::from_utf8(bytes).map_err(|error| Unloadable::NotText(error.valid_up_to()))?;
    Ok(text.to_owned())
}

fn is_identifier(id: &str) -> bool {
    !id.starts_with(|first: char| first.is_ascii_digit()) && id.chars().all(|c| c == '_' || c.is_alphanumeric())
}

/// A transformation that does nothing but import a library.
fn importer(id: &str, language: Language) -> String {
    match language {
        Language::JavaScript => {
            let name = serde_json::Value::from(id);
            format!("import * as library from {name};\nexport function transformEvent(event) {{ return event; }}\n")
        }
        Language::Python => format!("import {id}\ndef transformEvent(event, metadata):\n    return event\n"),
    }
}
