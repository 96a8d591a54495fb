//! References to secrets inside a destination's configuration.
//!
//! `${env:NAME}` is the value of an environment variable, `${file:/absolute/path}` the content of a file
//! without its last line break. They may stand anywhere inside a string: `Bearer ${env:TOKEN}`. Written
//! `$${env:NAME}` the text stays as it is. Catalogs keep the references; only what is handed to a
//! plugin holds the values, so that revisions, diffs and logs never see them.

use serde_json::Value;
use std::cell::RefCell;
use std::fmt;

/// The largest file a `${file:P}` may name.
pub const SECRET_BYTES_MAX: u64 = 64 * 1024;

/// The same value with every reference replaced by what it refers to.
pub fn resolve(config: &Value) -> Result<Value, Unresolved> {
    resolve_with(config, &|name| std::env::var(name).ok())
}

/// The same, and what the references stood for: values that nobody wanted to write down, wherever they stand.
///
/// # Errors
/// When a reference leads nowhere.
pub fn resolve_noting(config: &Value) -> Result<(Value, Vec<String>), Unresolved> {
    let noted = RefCell::new(Vec::new());
    let resolved = resolve_by(config, &|reference| {
        let value = read(reference, &|name| std::env::var(name).ok())?;
        noted.borrow_mut().push(value.clone());
        Ok(value)
    })?;
    Ok((resolved, noted.into_inner()))
}

fn resolve_with(config: &Value, environment: &dyn Fn(&str) -> Option<String>) -> Result<Value, Unresolved> {
    resolve_by(config, &|reference| read(reference, environment))
}

fn resolve_by(
    config: &Value,
    value: &dyn Fn(Reference<'_>) -> Result<String, ReferenceError>,
) -> Result<Value, Unresolved> {
    let mut resolved = config.clone();
    let mut failure = None;
    walk(&mut resolved, &mut String::new(), &mut |text, path| {
        if failure.is_some() || !text.contains("${") {
            return;
        }
        match replace(text, value) {
            Ok(replaced) => *text = replaced,
            Err(error) => failure = Some(Unresolved { path: path.to_owned(), error }),
        }
    });
    failure.map_or(Ok(resolved), Err)
}

/// References that can never be resolved, with their path (`.headers[0].to`).
pub(crate) fn malformed(config: &Value) -> Vec<(String, ReferenceError)> {
    let mut found = Vec::new();
    walk(&mut config.clone(), &mut String::new(), &mut |text, path| {
        if let Err(error) = replace(text, &|_| Ok(String::new())) {
            found.push((path.to_owned(), error));
        }
    });
    found
}

/// The text that [`resolve`] turns back into this one.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace("${env:", "$${env:").replace("${file:", "$${file:")
}

/// Which reference could not be resolved, and why. Never shows a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("config{path}: {error}")]
pub struct Unresolved {
    /// Where in the configuration, e.g. `.headers[0].to`.
    pub path: String,
    /// What went wrong.
    pub error: ReferenceError,
}

/// Why a reference has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReferenceError {
    /// The closing brace is missing.
    Unclosed,
    /// Nothing, or something impossible, stands between the braces.
    Name(String),
    /// The path is relative, and nobody can say to what.
    Relative(String),
    /// The environment variable is not set, or not UTF-8.
    NotSet(String),
    /// The file cannot be used.
    File(String, String),
}

impl ReferenceError {
    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> String {
        match self {
            ReferenceError::Unclosed => "holds a `${` reference without its `}`".to_owned(),
            ReferenceError::Name(name) => format!("`{name}` is not the name of a variable"),
            ReferenceError::Relative(path) => format!("`${{file:{path}}}` is a relative path"),
            ReferenceError::NotSet(name) => {
                format!("the environment variable {name} is not set or not UTF-8")
            }
            ReferenceError::File(path, why) => format!("the file {path} cannot be used: {why}"),
        }
    }

    /// What to do.
    #[must_use]
    pub fn fix(&self) -> &'static str {
        match self {
            ReferenceError::Unclosed => "close it, or write `$${` where the text itself is meant",
            ReferenceError::Name(_) => "write it as `${env:NAME}`",
            ReferenceError::Relative(_) => "write the absolute path",
            ReferenceError::NotSet(_) => "set it where pintle is started",
            ReferenceError::File(..) => "make it a readable text file of at most 64 KiB",
        }
    }
}

impl fmt::Display for ReferenceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.problem(), self.fix())
    }
}

enum Reference<'a> {
    Environment(&'a str),
    File(&'a str),
}

fn read(reference: Reference<'_>, environment: &dyn Fn(&str) -> Option<String>) -> Result<String, ReferenceError> {
    match reference {
        Reference::Environment(name) => environment(name).ok_or_else(|| ReferenceError::NotSet(name.to_owned())),
        Reference::File(path) => read_file(path).map_err(|why| ReferenceError::File(path.to_owned(), why)),
    }
}

fn read_file(path: &str) -> Result<String, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    // One byte past the limit tells a file of exactly the limit from a larger one.
    let read = file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > SECRET_BYTES_MAX {
        return Err(format!("it is larger than {SECRET_BYTES_MAX} bytes"));
    }
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    Ok(text)
}

/// Replaces each reference in one pass: what a reference yields is never looked at again.
fn replace(
    text: &str,
    value: &dyn Fn(Reference<'_>) -> Result<String, ReferenceError>,
) -> Result<String, ReferenceError> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        let inside = &from[2..];
        let is_reference = inside.starts_with("env:") || inside.starts_with("file:");
        if !is_reference {
            out.push_str(before);
            out.push_str("${");
            rest = inside;
            continue;
        }
        if let Some(unescaped) = before.strip_suffix('$') {
            out.push_str(unescaped);
            out.push_str("${");
            rest = inside;
            continue;
        }
        let end = inside.find('}').ok_or(ReferenceError::Unclosed)?;
        out.push_str(before);
        out.push_str(&value(parse(&inside[..end])?)?);
        rest = &inside[end + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

fn parse(inside: &str) -> Result<Reference<'_>, ReferenceError> {
    if let Some(name) = inside.strip_prefix("env:") {
        let bad = name.is_empty() || name.contains(|c: char| c == '=' || c.is_whitespace() || c == '\0');
        return if bad { Err(ReferenceError::Name(name.to_owned())) } else { Ok(Reference::Environment(name)) };
    }
    let path = inside.strip_prefix("file:").unwrap_or(inside);
    if std::path::Path::new(path).is_absolute() {
        Ok(Reference::File(path))
    } else {
        Err(ReferenceError::Relative(path.to_owned()))
    }
}

/// Visits every string of a value (keys excepted) with its path.
pub(crate) fn walk(value: &mut Value, path: &mut String, visit: &mut dyn FnMut(&mut String, &str)) {
    let length = path.len();
    match value {
        Value::String(text) => visit(text, path),
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                path.push_str(&format!("[{index}]"));
                walk(item, path, visit);
                path.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                path.push('.');
                path.push_str(key);
                walk(field, path, visit);
                path.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
