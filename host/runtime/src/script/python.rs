//! Python needs no preparation: the engine runs modules as they are, finds the handler itself, and imports
//! libraries when they are asked for.

use super::{Limits, Linked, Prepared, shown};
use crate::Config;
use crate::transformation::{ScriptError, Source};
use std::collections::BTreeMap;

/// The module as it is, and every library whose name occurs in it or in such a library: the others cannot be
/// meant. Fails when they are too large.
pub(crate) fn prepare(source: &Source, config: &Config) -> Result<Prepared, ScriptError> {
    let limits = Limits { module_bytes_max: config.source_bytes_max, all_bytes_max: config.linked_bytes_max };
    let too_large =
        |module: &str, message| ScriptError { module: module.to_owned(), message, ..ScriptError::default() };
    limits.check_module(&source.code).map_err(|message| too_large(&source.name, message))?;
    let mut bytes = source.code.len();
    let mut named = BTreeMap::new();
    let mut unread = vec![source.code.as_str()];
    while let Some(text) = unread.pop() {
        for (name, code) in &source.libraries {
            if named.contains_key(name) || !text.contains(name.as_str()) {
                continue;
            }
            limits.check_module(code).map_err(|message| too_large(&shown(name), message))?;
            bytes += code.len();
            if bytes > limits.all_bytes_max {
                let max = limits.all_bytes_max;
                let message = format!("with it, all modules have more than the {max} bytes of linked-bytes-max");
                return Err(too_large(&shown(name), message));
            }
            named.insert(name, code);
            unread.push(code);
        }
    }
    let module = |import_name: &str, code: &str| Linked {
        import_name: import_name.to_owned(),
        source: code.to_owned(),
        prelude: String::new(),
    };
    let libraries = named.into_iter().map(|(name, code)| module(name, code));
    let modules = libraries.chain(std::iter::once(module("", &source.code))).collect();
    Ok(Prepared { modules, exports: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prepared(libraries: &[(&str, &str)], config: &Config) -> Result<Vec<String>, String> {
        let libraries = libraries.iter().map(|(name, code)| ((*name).to_owned(), (*code).to_owned())).collect();
        let source = Source { code: "import a\nx = 'b'".to_owned(), libraries, ..Source::default() };
        let names = |prepared: Prepared| prepared.modules.into_iter().map(|module| module.import_name).collect();
        prepare(&source, config).map(names).map_err(|error| error.to_string())
    }

    #[test]
    fn only_libraries_that_are_named_somewhere_go_along() {
        let libraries = [("a", "import deep"), ("b", ""), ("deep", "import a"), ("other", "import deep")];
        assert_eq!(prepared(&libraries, &Config::default()).unwrap(), ["a", "b", "deep", ""]);
    }

    #[test]
    fn what_is_too_large_is_named() {
        let config = Config { source_bytes_max: 100, linked_bytes_max: 130, ..Config::default() };
        let long = "#".repeat(101);
        let error = prepared(&[("a", &long), ("other", "")], &config).unwrap_err();
        assert_eq!(error, "library a: it has 101 bytes, more than the 100 of source-bytes-max");
        let error = prepared(&[("a", &long[..90]), ("b", &long[..90])], &config).unwrap_err();
        assert_eq!(error, "library b: with it, all modules have more than the 130 bytes of linked-bytes-max");
        assert!(prepared(&[("a", ""), ("other", &long)], &config).is_ok());
    }
}
