//! Transformations that import a library, and whether they would still run with another version of it.

use super::code::must_run;
use super::export::artifact;
use crate::office::Office;
use crate::problem::{Code as ProblemCode, Detail, Problem};
use pintle_catalog::{Catalog, Code, Form};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Refuses `after` when a live transformation that imports `library` runs with the catalog as it is and would
/// not run then. `change` is the change in words: "with this version of it".
pub(super) async fn still_run(
    office: &Office,
    before: &Arc<Catalog>,
    after: Catalog,
    library: &str,
    change: &str,
) -> Result<(), Problem> {
    let after = Arc::new(after);
    let mut errors = Vec::new();
    for id in importers(office, before, library).await? {
        let thing = &before.transformations[&id];
        let Some(live) = thing.history.live() else { continue };
        let hosts = || thing.hosts.clone();
        let Err(problem) = must_run(office, &after, &id, thing, &live.code, hosts()).await else { continue };
        // What is broken already is no reason against it, and what cannot be tried now is no fault of it.
        if problem.code != ProblemCode::Invalid {
            return Err(problem);
        }
        if must_run(office, before, &id, thing, &live.code, hosts()).await.is_ok() {
            let fix = "keep what it imports, or publish the transformation first without it".to_owned();
            errors.push(Detail { path: format!("transformations.{id}"), message: problem.detail, fix });
        }
    }
    let Some(first) = errors.first() else { return Ok(()) };
    let detail = format!("library {library}: {change}, {} would not run: {}", first.path, first.message);
    Err(Problem::new(ProblemCode::Invalid, detail).with(errors))
}

/// The transformations in whose code the library's name occurs, or that of a library in which it does: the
/// others cannot import it.
async fn importers(office: &Office, catalog: &Catalog, library: &str) -> Result<Vec<String>, Problem> {
    let mut names = BTreeSet::from([library.to_owned()]);
    loop {
        let mut found = BTreeSet::new();
        for (id, thing) in catalog.libraries.iter().filter(|(id, _)| !names.contains(*id)) {
            if let Some(live) = thing.history.live()
                && mentions(office, &live.code, &names).await?
            {
                found.insert(id.clone());
            }
        }
        if found.is_empty() {
            break;
        }
        names.extend(found);
    }
    let mut importers = Vec::new();
    for (id, thing) in &catalog.transformations {
        if let Some(live) = thing.history.live()
            && mentions(office, &live.code, &names).await?
        {
            importers.push(id.clone());
        }
    }
    Ok(importers)
}

async fn mentions(office: &Office, code: &Code, names: &BTreeSet<String>) -> Result<bool, Problem> {
    if code.form == Form::Component {
        return Ok(false);
    }
    let bytes = artifact(office, &code.digest).await?;
    let text = String::from_utf8_lossy(&bytes);
    Ok(names.iter().any(|name| text.contains(name.as_str())))
}
