//! Pintle's own workspace file.
//!
//! ```yaml
//! sources:
//!   site:
//!     write-key: 2mQf0yT9
//!
//! destinations:
//!   orders:
//!     plugin: webhook
//!     config:                         # the plugin's own settings
//!       webhookUrl: https://example.com/orders
//!       headers:
//!         - {from: Authorization, to: "Bearer ${env:ORDERS_TOKEN}"}
//!     delivery:                       # where it differs from the server's settings; seconds
//!       requests-per-second-max: 50
//!       attempt-timeout: 30
//!       attempts-max: 20
//!
//! transformations:
//!   tidy:
//!     file: tidy.js                   # beside this file; or `code: |` and the text
//!     hosts: [api.example.com]        # where it may fetch from
//!
//! libraries:                          # imported by id
//!   strings: {file: strings.js}
//!
//! credentials:                        # for getCredential
//!   api-key: ${env:API_KEY}
//!
//! connections:
//!   site-orders:
//!     source: site
//!     destination: orders
//!     transformations: [tidy]
//!     filter:                         # judged before any code runs; each part may be left out
//!       message-types: [track, page]
//!       events: {only: [Order Completed]}      # or `except`; names of track events
//!       consent:
//!         - {provider: custom, strategy: or, ids: [marketing, analytics]}
//! ```
//!
//! Every entry may have a `name` for people (the id otherwise). Sources and connections may say
//! `enabled: false`; destinations `state: paused` or `disabled`, `message-types: [track, …]`, and `integration`,
//! one more name for them in the `integrations` of events. A source may have `transformations` as well: they run
//! before it is known where an event goes. Code may say `language: python`; a file that ends in `.wasm` is a
//! component.

mod delivery;
mod filter;

use crate::check::check;
use crate::file::{Config, read_bytes, read_text};
use crate::problem::{FileError, Problem};
use crate::{
    Catalog, Code, Connection, Credential, Destination, DestinationState, History, Language, Library, Source, Stamp,
    Transformation,
};
use delivery::DeliveryEntry;
use filter::FilterEntry;
use pintle_events::Kind;
use serde::Deserialize;
use serde_saphyr::{Location, Spanned};
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// A section: a map by id, each entry knowing its place. Blank counts as empty.
type Section<T> = Option<BTreeMap<String, Spanned<T>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(default)]
    sources: Section<SourceEntry>,
    #[serde(default)]
    destinations: Section<DestinationEntry>,
    #[serde(default)]
    connections: Section<ConnectionEntry>,
    #[serde(default)]
    transformations: Section<TransformationEntry>,
    #[serde(default)]
    libraries: Section<LibraryEntry>,
    #[serde(default)]
    credentials: Section<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct SourceEntry {
    name: Option<String>,
    write_key: Spanned<String>,
    #[serde(default = "yes")]
    enabled: bool,
    transformations: Option<Vec<Spanned<String>>>,
    events_per_second_max: Option<NonZeroU32>,
    #[serde(default)]
    anonymize_ip: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct DestinationEntry {
    name: Option<String>,
    plugin: Spanned<String>,
    config: Option<Spanned<serde_json::Value>>,
    #[serde(default)]
    state: DestinationState,
    message_types: Option<Vec<Spanned<String>>>,
    integration: Option<Spanned<String>>,
    delivery: Option<Spanned<DeliveryEntry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct ConnectionEntry {
    source: Spanned<String>,
    destination: Spanned<String>,
    transformations: Option<Vec<Spanned<String>>>,
    filter: Option<Spanned<FilterEntry>>,
    #[serde(default = "yes")]
    enabled: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct TransformationEntry {
    name: Option<String>,
    description: Option<String>,
    language: Option<Language>,
    code: Option<Spanned<String>>,
    file: Option<Spanned<PathBuf>>,
    hosts: Option<Vec<Spanned<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct LibraryEntry {
    name: Option<String>,
    description: Option<String>,
    language: Option<Language>,
    code: Option<Spanned<String>>,
    file: Option<Spanned<PathBuf>>,
}

fn yes() -> bool {
    true
}

/// What a workspace text describes.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) catalog: Catalog,
    /// The files that code was read from.
    pub(crate) files: Vec<PathBuf>,
    /// The code, by digest.
    pub(crate) code: BTreeMap<String, Vec<u8>>,
}

/// Reads a workspace text.
pub(crate) fn parse(text: &str, file: &Path, plugins: &BTreeSet<String>, config: &Config) -> Result<Parsed, FileError> {
    let document = read(text).map_err(|problem| FileError::new(file, vec![problem]))?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut reader =
        Reader { folder, config, places: BTreeMap::new(), files: vec![], problems: vec![], contents: BTreeMap::new() };
    let catalog = reader.catalog(document);
    let Reader { places, files, mut problems, contents, .. } = reader;
    problems.extend(check(&catalog, plugins));
    if problems.is_empty() {
        return Ok(Parsed { catalog, files, code: contents });
    }
    let placed = problems.into_iter().map(|problem| placed(problem, &places)).collect();
    Err(FileError::new(file, placed))
}

fn read(text: &str) -> Result<Document, Problem> {
    // Snippets would copy lines of the file, secrets included, into logs.
    let options = serde_saphyr::options! { with_snippet: false };
    let document: Document = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let message = error.without_snippet().to_string();
        let fix = "correct the file; the last good revision stays in force until then";
        let problem = Problem::new("", without_place(&message), fix);
        error.location().map_or(problem.clone(), |at| problem.at(at.line(), at.column()))
    })?;
    if document.sources.is_none() {
        // An editor that truncates before it writes must not remove everything for a moment.
        return Err(Problem::new(
            "sources",
            "the file lists no sources",
            "add one, or write `sources: {}` to say that there are none",
        )
        .at(1, 1));
    }
    Ok(document)
}

/// The parser's message without the place it ends or begins with, which the problem says itself.
fn without_place(message: &str) -> &str {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let message = message.strip_prefix("line ").and_then(|m| m.split_once(": ")).map_or(message, |m| m.1);
    message.split(" at line ").next().unwrap_or(message).trim()
}

/// Gives a problem the place of the nearest thing whose place is known.
fn placed(problem: Problem, places: &BTreeMap<String, Location>) -> Problem {
    if problem.line.is_some() {
        return problem;
    }
    let mut path = problem.path.as_str();
    loop {
        if let Some(at) = places.get(path) {
            return problem.at(at.line(), at.column());
        }
        match path.rfind(['.', '[']) {
            Some(end) => path = &path[..end],
            None => return problem,
        }
    }
}

struct Reader<'a> {
    folder: &'a Path,
    config: &'a Config,
    places: BTreeMap<String, Location>,
    files: Vec<PathBuf>,
    problems: Vec<Problem>,
    contents: BTreeMap<String, Vec<u8>>,
}

/// Where an entry says that its code is.
struct Written {
    language: Option<Language>,
    code: Option<Spanned<String>>,
    file: Option<Spanned<PathBuf>>,
}

impl Reader<'_> {
    fn catalog(&mut self, document: Document) -> Catalog {
        Catalog {
            sources: self.section("sources", document.sources, Self::source),
            destinations: self.section("destinations", document.destinations, Self::destination),
            connections: self.section("connections", document.connections, Self::connection),
            transformations: self.section("transformations", document.transformations, Self::transformation),
            libraries: self.section("libraries", document.libraries, Self::library),
            credentials: self.section("credentials", document.credentials, Self::credential),
            ..Catalog::default()
        }
    }

    fn section<E, T>(
        &mut self,
        section: &str,
        entries: Section<E>,
        make: fn(&mut Self, &str, &str, E) -> T,
    ) -> BTreeMap<String, T> {
        let mut made = BTreeMap::new();
        for (id, entry) in entries.unwrap_or_default() {
            let path = format!("{section}.{id}");
            self.places.insert(path.clone(), entry.referenced);
            let thing = make(self, &path, &id, entry.value);
            made.insert(id, thing);
        }
        made
    }

    fn source(&mut self, path: &str, id: &str, entry: SourceEntry) -> Source {
        Source {
            name: entry.name.unwrap_or_else(|| id.to_owned()),
            write_key: self.place(format!("{path}.write-key"), entry.write_key),
            enabled: entry.enabled,
            transformations: self.names(&format!("{path}.transformations"), entry.transformations),
            events_per_second_max: entry.events_per_second_max,
            anonymize_ip: entry.anonymize_ip,
        }
    }

    fn names(&mut self, path: &str, names: Option<Vec<Spanned<String>>>) -> Vec<String> {
        let names = names.unwrap_or_default().into_iter().enumerate();
        names.map(|(index, name)| self.place(format!("{path}[{index}]"), name)).collect()
    }

    fn destination(&mut self, path: &str, id: &str, entry: DestinationEntry) -> Destination {
        let config = entry.config.map(|config| self.place(format!("{path}.config"), config));
        let types = entry.message_types.map(|types| self.message_types(path, types));
        Destination {
            name: entry.name.unwrap_or_else(|| id.to_owned()),
            plugin: self.place(format!("{path}.plugin"), entry.plugin),
            config: config.unwrap_or_else(|| serde_json::json!({})),
            state: entry.state,
            message_types: types,
            integration: entry.integration.map(|name| self.place(format!("{path}.integration"), name)),
            delivery: self.delivery(path, entry.delivery),
        }
    }

    fn message_types(&mut self, path: &str, types: Vec<Spanned<String>>) -> Vec<String> {
        let known = Kind::ALL.map(Kind::as_str).join(", ");
        let mut accepted = Vec::new();
        for (index, entry) in types.into_iter().enumerate() {
            let name = self.place(format!("{path}.message-types[{index}]"), entry).to_lowercase();
            if Kind::from_name(&name).is_none() {
                self.problems.push(Problem::new(
                    format!("{path}.message-types[{index}]"),
                    format!("`{}` is not a type of event", name.escape_debug()),
                    format!("use {known}"),
                ));
            }
            accepted.push(name);
        }
        accepted
    }

    fn connection(&mut self, path: &str, _id: &str, entry: ConnectionEntry) -> Connection {
        let transformations = self.names(&format!("{path}.transformations"), entry.transformations);
        let filter = self.filter(path, entry.filter);
        Connection {
            source: self.place(format!("{path}.source"), entry.source),
            destination: self.place(format!("{path}.destination"), entry.destination),
            enabled: entry.enabled,
            transformations,
            filter,
            off_because: None,
        }
    }

    fn transformation(&mut self, path: &str, id: &str, entry: TransformationEntry) -> Transformation {
        let TransformationEntry { name, description, language, code, file, hosts } = entry;
        Transformation {
            name: name.unwrap_or_else(|| id.to_owned()),
            description: description.unwrap_or_default(),
            hosts: self.names(&format!("{path}.hosts"), hosts),
            history: self.history(path, Written { language, code, file }),
        }
    }

    fn library(&mut self, path: &str, id: &str, entry: LibraryEntry) -> Library {
        let LibraryEntry { name, description, language, code, file } = entry;
        Library {
            name: name.unwrap_or_else(|| id.to_owned()),
            description: description.unwrap_or_default(),
            history: self.history(path, Written { language, code, file }),
        }
    }

    fn credential(&mut self, _path: &str, _id: &str, value: String) -> Credential {
        Credential { description: String::new(), value }
    }

    /// The code as a first version; [`Catalog::with_file`] puts it behind those that there are.
    fn history(&mut self, path: &str, written: Written) -> History {
        let Written { language, code, file } = written;
        let (code, bytes) = match (code, file) {
            (Some(code), None) => {
                let text = self.place(format!("{path}.code"), code);
                if text.trim().is_empty() {
                    self.wrong(path.to_owned(), "has no code", "write it under `code: |`");
                }
                let bytes = text.into_bytes();
                (Code::source(language.unwrap_or_default(), &bytes), bytes)
            }
            (None, Some(file)) => {
                let file = self.place(format!("{path}.file"), file);
                self.code_file(path, &file, language)
            }
            (Some(_), Some(file)) => {
                self.place(format!("{path}.file"), file);
                self.wrong(format!("{path}.file"), "names a file although `code` is there", "keep one of the two");
                return stand_in();
            }
            (None, None) => {
                self.wrong(
                    path.to_owned(),
                    "has neither `code` nor `file`",
                    "write the code under `code: |`, or name its file with `file:`",
                );
                return stand_in();
            }
        };
        self.contents.insert(code.digest.clone(), bytes);
        History::begin(code, Stamp { author: "file".to_owned(), at_ms: 0 })
    }

    fn code_file(&mut self, path: &str, file: &Path, language: Option<Language>) -> (Code, Vec<u8>) {
        let file = self.folder.join(file);
        // Watched even when it cannot be read: its arrival repairs the workspace.
        self.files.push(file.clone());
        let is_component = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("wasm"));
        let read = if is_component {
            read_bytes(&file, self.config.component_bytes_max)
        } else {
            read_text(&file, self.config.code_bytes_max).map(String::into_bytes)
        };
        let bytes = match read {
            Ok(bytes) if bytes.trim_ascii().is_empty() => {
                self.wrong(format!("{path}.file"), "names an empty file", "write the code into it");
                Vec::new()
            }
            Ok(bytes) => bytes,
            Err(why) => {
                self.wrong(
                    format!("{path}.file"),
                    &format!("{}: {why}", file.display()),
                    "the path is taken from the workspace file's folder; make it a readable file",
                );
                Vec::new()
            }
        };
        let code = match is_component {
            true => Code::component(&bytes),
            false => Code::source(language.unwrap_or_else(|| Language::of_file(&file)), &bytes),
        };
        (code, bytes)
    }

    fn wrong(&mut self, path: String, message: &str, fix: &str) {
        self.problems.push(Problem::new(path, message, fix));
    }

    fn place<T>(&mut self, path: String, spanned: Spanned<T>) -> T {
        self.places.insert(path, spanned.referenced);
        spanned.value
    }
}

/// A history that is not itself a problem, where one has been noted.
fn stand_in() -> History {
    History::begin(Code::source(Language::default(), b"-"), Stamp { author: String::new(), at_ms: 0 })
}

#[cfg(test)]
mod tests;
