//! RudderStack's `rudder-cli` projects: a folder of YAML files, of which Pintle takes the transformations
//! and their libraries.
//!
//! ```yaml
//! version: rudder/v1
//! kind: transformation            # or transformation-library, with import_name
//! metadata: {name: …}
//! spec: {id: tidy, name: Tidy, language: javascript, file: code/tidy.js}
//! ```

use crate::Language;
use crate::file::{Config, read_text};
use crate::problem::Problem;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Files that are looked at in one project, at most.
pub const PROJECT_FILES_MAX: usize = 10_000;
/// How deep folders are followed.
const DEPTH_MAX: usize = 32;

/// What a project holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Project {
    /// Its transformations.
    pub transformations: Vec<Item>,
    /// Its libraries; the id is the name they are imported by.
    pub libraries: Vec<Item>,
    /// What was left out, and why.
    pub ignored: Vec<Ignored>,
}

/// A transformation or a library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// What it is written in.
    pub language: Language,
    /// The source text.
    #[serde(skip)]
    pub code: String,
    /// The file that describes it.
    pub file: PathBuf,
}

/// Something that was left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ignored {
    /// The file.
    pub file: PathBuf,
    /// Why.
    pub why: String,
}

#[derive(Deserialize)]
struct Envelope {
    kind: Option<String>,
    spec: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Spec {
    id: String,
    name: String,
    #[serde(default)]
    description: String,
    language: Language,
    code: Option<String>,
    file: Option<PathBuf>,
    import_name: Option<String>,
    #[serde(default)]
    tests: Vec<serde_json::Value>,
}

/// Reads a project.
///
/// # Errors
/// Everything that is wrong with the transformations and libraries in it.
pub fn read(folder: &Path) -> Result<Project, Vec<Problem>> {
    let mut files = Vec::new();
    walk(folder, 0, &mut files).map_err(|problem| vec![problem])?;
    files.sort();
    let (mut project, mut problems) = (Project::default(), Vec::new());
    for file in files {
        if let Err(problem) = take(&file, &mut project) {
            problems.push(problem);
        }
    }
    for items in [&mut project.transformations, &mut project.libraries] {
        items.sort_by(|a, b| a.id.cmp(&b.id));
        for pair in items.windows(2).filter(|pair| pair[0].id == pair[1].id) {
            problems.push(Problem::new(
                pair[1].file.display().to_string(),
                format!("has the id `{}`, as {} has", pair[1].id, pair[0].file.display()),
                "give each an id of its own",
            ));
        }
    }
    if problems.is_empty() { Ok(project) } else { Err(problems) }
}

fn walk(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::new(folder.display().to_string(), format!("cannot be read: {error}"), "name a readable folder")
    };
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let (path, kind) = (entry.path(), entry.file_type().map_err(unreadable)?);
        let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        // Links are not followed: a loop of them has no end.
        if kind.is_dir() && !hidden && depth < DEPTH_MAX {
            walk(&path, depth + 1, files)?;
        } else if kind.is_file() && path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
            files.push(path);
            if files.len() > PROJECT_FILES_MAX {
                let message = format!("holds more than {PROJECT_FILES_MAX} YAML files");
                return Err(Problem::new(folder.display().to_string(), message, "name the project's own folder"));
            }
        }
    }
    Ok(())
}

fn take(file: &Path, project: &mut Project) -> Result<(), Problem> {
    let wrong = |message: String, fix: &str| Problem::new(file.display().to_string(), message, fix);
    let limits = Config::default();
    let text = read_text(file, limits.workspace_bytes_max).map_err(|why| wrong(why, "make it a readable text file"))?;
    let options = serde_saphyr::options! { with_snippet: false };
    let envelope: Envelope = serde_saphyr::from_str_with_options(&text, options)
        .map_err(|error| wrong(error.without_snippet().to_string(), "correct the file"))?;
    let is_library = match envelope.kind.as_deref() {
        Some("transformation") => false,
        Some("transformation-library") => true,
        other => {
            let why = match other {
                Some(kind) => format!("kind {kind} is not a transformation"),
                None => "it has no kind".to_owned(),
            };
            project.ignored.push(Ignored { file: file.to_owned(), why });
            return Ok(());
        }
    };
    let spec = envelope.spec.unwrap_or_default();
    let spec: Spec =
        serde_json::from_value(spec).map_err(|error| wrong(format!("spec: {error}"), "correct the spec"))?;
    let code = match (spec.code, spec.file) {
        (Some(code), None) => code,
        (None, Some(path)) => {
            let path = file.parent().unwrap_or(Path::new("")).join(path);
            let fix = "the path is taken from the YAML file's folder; make it a readable text file";
            read_text(&path, limits.code_bytes_max)
                .map_err(|why| wrong(format!("spec.file: {}: {why}", path.display()), fix))?
        }
        (Some(_), Some(_)) => return Err(wrong("has both `code` and `file`".to_owned(), "keep one of the two")),
        (None, None) => return Err(wrong("has neither `code` nor `file`".to_owned(), "add one of the two")),
    };
    if code.trim().is_empty() {
        return Err(wrong("has no code".to_owned(), "write some"));
    }
    if !spec.tests.is_empty() {
        let why = format!("{} test suites: they stay in the project", spec.tests.len());
        project.ignored.push(Ignored { file: file.to_owned(), why });
    }
    let id = match (is_library, spec.import_name) {
        (true, Some(name)) => name,
        (true, None) => return Err(wrong("has no `import_name`".to_owned(), "say what it is imported by")),
        (false, _) => spec.id,
    };
    let item = Item {
        id,
        name: spec.name,
        description: spec.description,
        language: spec.language,
        code,
        file: file.to_owned(),
    };
    if is_library {
        project.libraries.push(item)
    } else {
        project.transformations.push(item)
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Folder {
            let folder = std::env::temp_dir().join(format!("pintle-rudder-cli-{name}-{}", std::process::id()));
            for (path, text) in files {
                let path = folder.join(path);
                std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                std::fs::write(path, text).unwrap();
            }
            Folder(folder)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const TIDY: &str = "version: rudder/v1\nkind: transformation\nmetadata: {name: x}\nspec:\n  id: tidy\n  name: Tidy\n  language: javascript\n  file: js/tidy.js\n  tests: [{name: t}]\n";

    #[test]
    fn transformations_and_libraries_come_with_their_code() {
        let library = "version: rudder/v1\nkind: transformation-library\nspec: {id: l, name: L, language: python, import_name: strings, code: 'a = 1'}\n";
        let files = [
            ("a/tidy.yaml", TIDY),
            ("a/js/tidy.js", "export function transformEvent(e) { return e }"),
            ("lib.yml", library),
            ("plan.yaml", "version: rudder/v1\nkind: tracking-plan\nspec: {}\n"),
        ];
        let folder = Folder::new("good", &files);
        let project = read(&folder.0).unwrap();
        assert_eq!(project.transformations[0].id, "tidy");
        assert!(project.transformations[0].code.contains("transformEvent"));
        let library = &project.libraries[0];
        assert_eq!((library.id.as_str(), library.language), ("strings", Language::Python));
        let why: Vec<&str> = project.ignored.iter().map(|i| i.why.as_str()).collect();
        assert_eq!(why, ["1 test suites: they stay in the project", "kind tracking-plan is not a transformation"]);
    }

    #[test]
    fn everything_wrong_is_told_with_its_file() {
        let files =
            [("a.yaml", TIDY), ("b.yaml", "kind: transformation\nspec: {id: b, name: B, language: cobol, code: x}\n")];
        let folder = Folder::new("bad", &files);
        let problems = read(&folder.0).unwrap_err();
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(text.contains("a.yaml: spec.file: ") && text.contains("tidy.js"), "{text}");
        assert!(text.contains("b.yaml: spec: ") && text.contains("cobol"), "{text}");
    }

    #[test]
    fn an_id_that_is_there_twice_is_told() {
        let one = "kind: transformation\nspec: {id: b, name: B, language: python, code: x}\n";
        let folder = Folder::new("twice", &[("a.yaml", one), ("b.yaml", one)]);
        assert!(read(&folder.0).unwrap_err()[0].to_string().contains("`b`"));
    }
}
