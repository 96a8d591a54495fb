use super::*;
use crate::{Form, Language};

/// A directory of its own for each test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("pintle-catalog-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn load_file(path: &Path) -> Result<Loaded, FileError> {
    load(path, &bundled_plugins())
}

#[test]
fn code_is_read_from_beside_the_workspace_and_watched_with_it() {
    let folder = Folder::new("code");
    let code = folder.write("tidy.js", "export function transformEvent(e) { return e }\n");
    let file = folder.write("w.yaml", "sources: {}\ntransformations:\n  tidy: {file: tidy.js}\n");
    let loaded = load_file(&file).unwrap();
    let tidy = &loaded.catalog.transformations["tidy"];
    let live = &tidy.history.live().unwrap().code;
    assert_eq!((live.form, live.language), (Form::Source, Some(Language::JavaScript)));
    assert!(String::from_utf8_lossy(&loaded.code[&live.digest]).contains("transformEvent"));
    assert_eq!(loaded.files, [file, code]);
    assert_eq!(loaded.report, None);
}

#[test]
fn the_language_is_what_the_file_says_or_how_its_name_ends() {
    let folder = Folder::new("language");
    folder.write("tidy.py", "def transformEvent(event, metadata):\n    return event\n");
    let entries = [
        ("{file: tidy.py}", Language::Python),
        ("{file: tidy.py, language: javascript}", Language::JavaScript),
        ("{code: x, language: python}", Language::Python),
        ("{code: x}", Language::JavaScript),
    ];
    for (entry, language) in entries {
        let file = folder.write("w.yaml", format!("sources: {{}}\ntransformations:\n  tidy: {entry}\n"));
        let catalog = load_file(&file).unwrap().catalog;
        let live = catalog.transformations["tidy"].history.live().unwrap();
        assert_eq!(live.code.language, Some(language), "{entry}");
    }
}

#[test]
fn the_content_decides_which_kind_of_file_it_is() {
    let folder = Folder::new("kind");
    let pintle = folder.write("a.json", r#"{"sources": {"s": {"write-key": "wk"}}}"#);
    assert_eq!(load_file(&pintle).unwrap().catalog.sources["s"].write_key, "wk");
    let rudder = folder.write("b.yaml", "\u{feff}\n{\"Sources\": [], \"workspaceId\": \"w\"}");
    assert!(load_file(&rudder).unwrap().report.is_some());
    let flow = folder.write("c.yaml", "{sources: {s: {write-key: wk}}}");
    assert_eq!(load_file(&flow).unwrap().catalog.sources.len(), 1);
}

#[test]
fn broken_json_says_line_and_column() {
    let folder = Folder::new("json");
    let file = folder.write("w.json", "{\n  \"sources\": [\n    {\"id\": \"s\",}\n");
    let error = load_file(&file).unwrap_err();
    assert_eq!((error.line(), error.column()), (Some(3), Some(16)));
    let text = error.to_string();
    assert!(text.contains("w.json:3:16: is not JSON: trailing comma; correct it"), "{text}");
}

#[test]
fn a_missing_file_a_folder_and_bytes_that_are_no_text_are_named() {
    let folder = Folder::new("bad");
    let missing = load_file(&folder.0.join("none.yaml")).unwrap_err().to_string();
    assert!(missing.contains("none.yaml: cannot be read: No such file"), "{missing}");
    let directory = load_file(&folder.0).unwrap_err().to_string();
    assert!(directory.contains("cannot be read: Is a directory"), "{directory}");
    let file = folder.write("latin1.yaml", b"sources: {} # \xe9");
    let bytes = load_file(&file).unwrap_err().to_string();
    assert!(bytes.contains("is not UTF-8 at byte 14"), "{bytes}");
}

#[test]
fn a_file_past_its_limit_is_refused_before_it_is_parsed() {
    let folder = Folder::new("large");
    let file = folder.write("w.yaml", "sources: {} # and a comment that is too long\n");
    let config = Config { workspace_bytes_max: 20, ..Config::default() };
    let error = config.load(&file, &bundled_plugins()).unwrap_err().to_string();
    assert!(error.contains("is larger than 20 bytes"), "{error}");

    folder.write("t.js", "x".repeat(100));
    let file = folder.write("t.yaml", "sources: {}\ntransformations:\n  t: {file: t.js}\n");
    let config = Config { code_bytes_max: 99, ..Config::default() };
    let error = config.load(&file, &bundled_plugins()).unwrap_err().to_string();
    assert!(error.contains("t.js: is larger than 99 bytes"), "{error}");
}

#[test]
fn an_empty_code_file_is_not_taken_for_code() {
    let folder = Folder::new("empty");
    folder.write("t.js", "\n");
    let file = folder.write("t.yaml", "sources: {}\ntransformations:\n  t: {file: t.js}\n");
    let error = load_file(&file).unwrap_err().to_string();
    assert!(error.contains("transformations.t.file: names an empty file"), "{error}");
}
