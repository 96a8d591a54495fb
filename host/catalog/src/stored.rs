//! The document that a revision is stored as. Every format ever stored stays readable.
//!
//! | format | what is different |
//! |---|---|
//! | none | transformations and libraries hold their code as text |
//! | 2 | code is in versions and named by its digest |

use crate::{Catalog, Code, History, Language, Stamp};
use serde_json::{Value, json};

/// The format that is written.
const FORMAT: u64 = 2;

/// A document of a format that this version cannot read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not what it should be.
    #[error("stored document cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It was written by a later version.
    #[error("the stored document has format {0}, and this Pintle knows formats up to {FORMAT}; start a later version")]
    Newer(u64),
}

/// What a revision is stored as.
#[must_use]
pub fn write(catalog: &Catalog) -> Vec<u8> {
    let mut document = serde_json::to_value(catalog).expect("a catalog has text keys only");
    document["format"] = FORMAT.into();
    document.to_string().into_bytes()
}

/// Reads a stored document. Code that an old format holds is returned beside it.
///
/// # Errors
/// When it is of a later format, or damaged.
pub fn read(bytes: &[u8]) -> Result<(Catalog, Vec<Vec<u8>>), Unreadable> {
    let mut document: Value = serde_json::from_slice(bytes)?;
    let format = document.as_object_mut().and_then(|fields| fields.remove("format"));
    let mut code = Vec::new();
    match format.as_ref().map(|format| format.as_u64().unwrap_or(u64::MAX)) {
        None => code = take_code_out(&mut document)?,
        Some(FORMAT) => {}
        Some(other) => return Err(Unreadable::Newer(other)),
    }
    Ok((serde_json::from_value(document)?, code))
}

/// Turns format 1 into format 2.
fn take_code_out(document: &mut Value) -> Result<Vec<Vec<u8>>, serde_json::Error> {
    let mut code = Vec::new();
    for section in ["transformations", "libraries"] {
        let things = document.get_mut(section).and_then(Value::as_object_mut);
        for thing in things.into_iter().flat_map(|all| all.values_mut()).filter_map(Value::as_object_mut) {
            let text = thing.remove("code").and_then(|code| Some(code.as_str()?.to_owned())).unwrap_or_default();
            let language = thing.remove("language").map_or(Ok(Language::default()), serde_json::from_value)?;
            let stamp = Stamp { author: "file".to_owned(), at_ms: 0 };
            let history = History::begin(Code::source(language, text.as_bytes()), stamp);
            thing.remove("version");
            thing.insert("history".to_owned(), json!(history));
            code.push(text.into_bytes());
        }
    }
    Ok(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As 0.1 wrote it before code had versions.
    const FORMAT_1: &str = r#"{"sources":{"site":{"name":"Site","write_key":"wk","enabled":true}},
        "destinations":{"orders":{"name":"Orders","plugin":"webhook","config":{"webhookUrl":"http://x"},"state":"enabled"}},
        "connections":{"c":{"source":"site","destination":"orders","enabled":true,"transformations":["tidy"]}},
        "transformations":{"tidy":{"name":"Tidy","language":"javascript","code":"let a;","version":"0011223344556677"}}}"#;

    /// As it was written with libraries, credentials and granted hosts.
    const FORMAT_1_GIVEN: &str = r#"{"sources":{},"destinations":{},"connections":{},
        "transformations":{"tidy":{"name":"Tidy","language":"python","code":"import a","version":"0011223344556677",
          "hosts":["api.example.com"]}},
        "libraries":{"a":{"name":"A","language":"python","code":"x = 1"}},
        "credentials":{"key":{"value":"${env:KEY}"}}}"#;

    /// As it is written now.
    const FORMAT_2: &str = r#"{"format":2,"sources":{"site":{"name":"Site","write_key":"wk","enabled":true,"transformations":["tidy"]}},
        "destinations":{"orders":{"name":"Orders","plugin":"webhook","config":{},"state":"enabled",
          "delivery":{"requests_per_second_max":2.5,"attempts_max":20}}},
        "connections":{"c":{"source":"site","destination":"orders","enabled":true,"transformations":[],
          "filter":{"message_types":["track"],"events":{"only":["Paid"]},
            "consent":[{"provider":"custom","strategy":"or","ids":["ads"]},{"strategy":"and","ids":["C1"]}]}}},
        "transformations":{"tidy":{"name":"Tidy","hosts":["api.example.com"],"history":{"live":1,
          "draft":{"code":{"digest":"cc","bytes":3,"form":"component"},"saved":{"author":"ann","at_ms":6}},
          "versions":[{"number":1,"code":{"digest":"aa","bytes":9,"form":"source","language":"python"},
            "published":{"author":"ann","at_ms":5},"note":"first"}]}}},
        "libraries":{"strings":{"name":"Strings","history":{"live":null,"versions":[]}}},
        "plugins":{"mine":{"live":1,"versions":[{"number":1,"code":{"digest":"bb","bytes":8,"form":"component"},
            "published":{"author":"ann","at_ms":5},"manifest":{"name":"mine"}}]}},
        "credentials":{"key":{"value":"${env:KEY}"}},"owned":["source/site"]}"#;

    #[test]
    fn format_1_is_read_and_its_code_comes_out() {
        let (catalog, code) = read(FORMAT_1.as_bytes()).unwrap();
        assert_eq!(code, [b"let a;"]);
        let live = catalog.transformations["tidy"].history.live().unwrap();
        assert_eq!((live.number, &live.code), (1, &Code::source(Language::JavaScript, b"let a;")));
        let (again, none) = read(&write(&catalog)).unwrap();
        assert_eq!(again, catalog);
        assert!(none.is_empty());
    }

    #[test]
    fn what_a_transformation_was_given_stays_with_it() {
        let (catalog, code) = read(FORMAT_1_GIVEN.as_bytes()).unwrap();
        assert_eq!(code, [&b"import a"[..], b"x = 1"]);
        assert_eq!(catalog.transformations["tidy"].hosts, ["api.example.com"]);
        let library = catalog.libraries["a"].history.live().unwrap();
        assert_eq!(library.code, Code::source(Language::Python, b"x = 1"));
        assert_eq!(catalog.credentials["key"].value, "${env:KEY}");
        assert_eq!(read(&write(&catalog)).unwrap().0, catalog);
    }

    #[test]
    fn format_2_is_read_and_written_back() {
        let (catalog, _) = read(FORMAT_2.as_bytes()).unwrap();
        let filter = catalog.connections["c"].filter.as_ref().unwrap();
        assert_eq!(filter.consent.as_ref().unwrap()[0].provider.as_deref(), Some("custom"));
        assert_eq!(catalog.destinations["orders"].delivery.as_ref().unwrap().attempts_max, Some(20));
        assert_eq!(catalog.plugins["mine"].live().unwrap().manifest["name"], "mine");
        let history = &catalog.transformations["tidy"].history;
        assert_eq!((history.live().unwrap().number, &history.draft.as_ref().unwrap().code.digest[..]), (1, "cc"));
        assert_eq!(read(&write(&catalog)).unwrap().0, catalog);
    }

    #[test]
    fn a_later_format_is_named() {
        let error = read(br#"{"format":3}"#).unwrap_err().to_string();
        assert!(error.contains("format 3") && error.contains("later"), "{error}");
    }
}
